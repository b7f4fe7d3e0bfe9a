"""The composition root: the only place that builds things and wires them together."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import asyncpg
import structlog
from aiohttp import web

from bot import proof_api
from bot.channels import telegram, whatsapp
from bot.channels.webchat import WebChat, WebchatRenderer
from bot.dialogue.engine import Engine
from bot.domain import behavior, catalogue
from bot.domain.links import Addresses
from bot.errors import ConfigurationError, DatabaseUnavailable, ImportRefused, SendLater
from bot.events import Channel, Event, Renderer, Sender
from bot.jobs.answering import answer_forever
from bot.jobs.archiving import archive_next
from bot.jobs.schedule import MONTHS_AHEAD, keep_schedule
from bot.jobs.sending import Sending, send_forever
from bot.landing import Landing
from bot.settings import Settings
from bot.suppliers import demo as demo_supplier
from bot.suppliers.demo import PictureStore
from bot.turn import Answerer, Door, House
from bot.understanding import understand
from bot.understanding.gazetteer import Place, city_named
from bot.web import build
from db import audit, embedded, migrate, outbox, referrals, upkeep
from db import behavior as behavior_log
from db import pool as pool_of
from db.behavior_writer import BehaviorWriter
from db.bells import Bells
from db.pool import Role, as_role, check_turn_role, open_pool, visit
from handlers import FLOWS
from locales import Texts, UnknownCurrency, minor_units

log = structlog.get_logger(__name__)

Clock = Callable[[], dt.datetime]
Result = TypeVar("Result")

ANSWERING_TASKS = 4
SENDING_TASKS = 8
DRAIN_SECONDS = 20.0
"""How long turns and sends in progress may take after a stop was asked for; platforms usually kill after 30 s."""


def moved_clock(start: dt.datetime | None) -> Clock:
    """The world's clock: the real one, or one that began at `start` and runs on."""
    if start is None:
        return lambda: dt.datetime.now(dt.UTC)
    offset = start.astimezone(dt.UTC) - dt.datetime.now(dt.UTC)
    return lambda: dt.datetime.now(dt.UTC) + offset


# ---------------------------------------------------------------------------------------------- the database


@dataclass(slots=True)
class Database:
    """Where PostgreSQL is. `url` for turns and workers, `direct` for migrations, maintenance and LISTEN."""

    url: str
    direct: str
    app_url: str
    server: embedded.Embedded | None = None


@contextlib.asynccontextmanager
async def database(settings: Settings, *, leave_up: bool = False) -> AsyncIterator[Database]:
    """DATABASE_URL, or the embedded server: started or joined, stopped by whoever leaves last unless `leave_up`."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        direct = settings.direct_url.get_secret_value() if settings.direct_url else url
        app_url = settings.app_database_url.get_secret_value() if settings.app_database_url else url
        yield Database(url, direct, app_url)
        return
    server = await embedded.start(settings.data_dir)
    keeper = asyncio.create_task(server.keep_running(), name="embedded")
    try:
        yield Database(server.dsn, server.dsn, server.dsn, server)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        if leave_up:
            server.release()
        else:
            await server.stop()


async def as_owner(place: Database, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
    """One transaction as rahhal_owner on a direct connection."""
    conn = await asyncpg.connect(place.direct, timeout=15)
    try:
        await pool_of.prepare(conn)
        async with as_role(conn, Role.OWNER):
            return await work(conn)
    finally:
        await conn.close()


async def archive_months(place: Database, folder: Path) -> AsyncIterator[str]:
    """Archive what is due, a month a transaction; a word on each."""
    while True:
        outcome = await as_owner(
            place, lambda conn: archive_next(conn, dt.datetime.now(dt.UTC), folder=folder)
        )
        yield outcome.word
        if outcome.month is None:
            return


async def prepare(
    settings: Settings, place: Database, *, now: dt.datetime | None = None, demo: bool | None = None
) -> None:
    """Migrate, make months and years of the logs, publish what invitations earn, and fill an empty catalogue with demo hotels.

    The hotels' rates reach 18 months beyond `now`; the log's months follow the real clock.
    """
    await migrate.migrate(place.direct)
    conn = await asyncpg.connect(place.direct, timeout=15)
    try:
        await pool_of.prepare(conn)
        async with as_role(conn, Role.OWNER):
            await upkeep.make_partitions(conn, now=dt.datetime.now(dt.UTC), ahead=MONTHS_AHEAD)
            await referrals.publish_terms(conn, terms=invitation_terms(settings))
            await audit.make_years(conn, now=dt.datetime.now(dt.UTC))
        if not (settings.demo if demo is None else demo):
            return
        moment = now or dt.datetime.now(dt.UTC)
        async with as_role(conn, Role.OWNER):
            await demo_supplier.fill(conn, now=moment)
            await demo_supplier.extend_horizon(conn, now=moment)
            past = await demo_supplier.fill_stays(conn, now=moment)
        if past:
            log.info("demo.filled", stays=past)
    finally:
        await conn.close()


def invitation_terms(settings: Settings) -> referrals.Terms:
    """The operator's amounts in minor units. Raises ConfigurationError for a part of one that is too small to pay."""
    currency = settings.referral_currency

    def minor(name: str, amount: Decimal) -> int:
        try:
            units = amount.scaleb(minor_units(currency))
        except UnknownCurrency:
            raise ConfigurationError(f"RAHHAL_REFERRAL_CURRENCY: {currency} is not known") from None
        if units != int(units):
            raise ConfigurationError(f"{name}: {currency} has no coins that small")
        return int(units)

    return referrals.Terms(
        referrer=minor("RAHHAL_REFERRER_REWARD", settings.referrer_reward),
        referred=minor("RAHHAL_REFERRED_REWARD", settings.referred_reward),
        bonus=minor("RAHHAL_REFERRAL_BONUS_48H", settings.referral_bonus),
        currency=currency,
        most_rewards_a_month=settings.referral_monthly_cap,
        most_joins_a_day=settings.referral_daily_joins,
    )


IMPORTS: Mapping[str, Callable[..., Awaitable[catalogue.Report]]] = {
    "hotels": partial(
        catalogue.import_hotels, find_city=lambda name, country: _city(city_named(name, country))
    ),
    "rates": catalogue.import_rates,
    "allotments": catalogue.import_allotments,
}


def _city(place: Place | None) -> catalogue.City | None:
    if place is None or place.geonameid is None:
        return None
    return catalogue.City(place.geonameid, place.name_ar, place.name_en, place.country)


async def bring_in(place: Database, kind: str, path: Path) -> catalogue.Report:
    """Import an operator's CSV file into a migrated database, in one transaction. `kind`: hotels, rates, allotments.

    Raises ImportRefused when the file cannot be read at all.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise ImportRefused(f"{path}: {error.strerror}") from None
    with stream:
        return await as_owner(place, lambda conn: IMPORTS[kind](conn, stream, now=dt.datetime.now(dt.UTC)))


# ---------------------------------------------------------------------------------------------- what answers


@dataclass(slots=True)
class Core:
    """What every process that hears or answers has. `pool` is the login of turns, `workers` that of everything else."""

    settings: Settings
    database: Database
    pool: asyncpg.Pool
    workers: asyncpg.Pool
    bells: Bells
    clock: Clock
    house: House
    door: Door
    pictures: PictureStore
    worker: str = field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    )

    def answerer(
        self,
        renderers: Mapping[Channel, Renderer],
        channels: list[Channel] | None = None,
        thread: str | None = None,
    ) -> Answerer:
        """Answers the conversations of `channels` (by default, all that can be rendered), or `thread` alone."""

        def sent(channel: Channel, address: str) -> None:
            self.bells.ring(*(("webchat", address) if channel is Channel.WEBCHAT else ("outbox", "")))

        return Answerer(
            self.pool,
            Engine(FLOWS),
            renderers=renderers,
            channels=channels or list(renderers),
            understand=understand,
            house=self.house,
            clock=self.clock,
            sent=sent,
            thread=thread,
        )

    async def backlog(self) -> Mapping[str, int]:
        async with visit(self.workers, Role.WORKER, patience=3) as conn:
            health = await behavior_log.log_health(conn)
            return {**await outbox.backlog(conn), "log_without_month": health.in_default}


@contextlib.asynccontextmanager
async def core(settings: Settings, place: Database, *, clock: Clock | None = None) -> AsyncIterator[Core]:
    """Pool, wake-ups and door over a migrated database."""
    pooled = settings.db_pooler == "transaction"
    async with contextlib.AsyncExitStack() as stack:
        pool = workers = await open_pool(place.url, max_size=20, transaction_pooler=pooled)
        stack.push_async_callback(_close, workers)
        if place.app_url != place.url:
            pool = await open_pool(place.app_url, max_size=20, transaction_pooler=pooled)
            stack.push_async_callback(_close, pool)
        try:
            async with pool.acquire() as conn:
                await check_turn_role(conn)
        except asyncpg.InsufficientPrivilegeError:
            raise ConfigurationError(
                "RAHHAL_APP_DATABASE_URL: that login may not act as rahhal_app (GRANT rahhal_app TO it)"
            ) from None
        bells = Bells(place.direct)
        await bells.start()
        stack.push_async_callback(bells.stop)
        yield Core(
            settings=settings,
            database=place,
            pool=pool,
            workers=workers,
            bells=bells,
            clock=clock or moved_clock(None),
            house=House(
                locale=settings.locale,
                operators_chat=settings.operators_chat,
                addresses=Addresses(public=settings.public_url, whatsapp=settings.whatsapp_number),
                campaign=settings.referral_campaign,
            ),
            door=Door(pool, wake=lambda: bells.ring("inbox")),
            pictures=PictureStore(settings.data_dir),
        )


async def _close(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 10)
    except TimeoutError:
        pool.terminate()


def renderers(settings: Settings) -> dict[Channel, Renderer]:
    """The channels this installation serves over the network."""
    served: dict[Channel, Renderer] = {Channel.WEBCHAT: WebchatRenderer()}
    if settings.telegram_enabled:
        served[Channel.TELEGRAM] = telegram.TelegramRenderer()
    if settings.whatsapp_enabled:
        served[Channel.WHATSAPP] = whatsapp.WhatsAppRenderer()
    return served


# ---------------------------------------------------------------------------------------------- serving


async def serve(
    settings: Settings,
    place: Database,
    *,
    with_web: bool,
    with_worker: bool,
    stop: asyncio.Event,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until `stop` is set, then drain: no new requests, turns and sends in progress finished, connections closed.

    `ready` is called with the web chat's address once it answers (with web only).
    """
    async with core(settings, place) as shared, contextlib.AsyncExitStack() as stack:
        client = await _telegram_client(settings, stack)
        door = (
            telegram.TelegramDoor(client, hear=shared.door.hear, dead_letter=shared.door.bury)
            if client
            else None
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        )
        senders = _senders(shared, client, session)
        stopping = asyncio.Event()
        background: list[asyncio.Task[Any]] = []
        # The gazetteer is read at first use, which takes a moment: better now than in somebody's first turn.
        await asyncio.to_thread(understand, "فندق في اسنطبول", now=shared.clock())
        if with_worker:
            background += _worker_tasks(shared, senders, stopping)
            if client and door and settings.telegram_webhook_secret is None:
                poller = telegram.TelegramPoller(client, door=door, lease=PollingLease(shared))
                background.append(asyncio.create_task(_until(stopping, poller.run()), name="telegram"))
        if client:
            background.append(
                asyncio.create_task(_until(stopping, _introduce(shared, client)), name="telegram-setup")
            )
        listening = await stack.enter_async_context(contextlib.AsyncExitStack())
        try:
            if with_web:
                address = await _start_web(shared, door, senders, listening)
                ready(address)
            await _stop_or_failure(stop, background)
        finally:
            stopping.set()
            await listening.aclose()
            if background:
                await asyncio.wait(background, timeout=DRAIN_SECONDS)
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            if door:
                await door.close()


def _worker_tasks(
    shared: Core, senders: Mapping[Channel, Sender], stopping: asyncio.Event
) -> list[asyncio.Task[Any]]:
    answerer = shared.answerer(renderers(shared.settings))
    sending = Sending(shared.workers, senders, worker=shared.worker)
    jobs: list[tuple[str, Coroutine[Any, Any, None]]] = [
        (
            "schedule",
            keep_schedule(
                shared.workers,
                shared.clock,
                stopping,
                demo=shared.settings.demo,
                archive=shared.settings.archive_folder,
                heads=shared.settings.audit_heads,
            ),
        ),
        *((f"answer-{n}", answer_forever(answerer, shared.bells, stopping)) for n in range(ANSWERING_TASKS)),
    ]
    if senders:
        jobs += [(f"send-{n}", send_forever(sending, shared.bells, stopping)) for n in range(SENDING_TASKS)]
    return [asyncio.create_task(job, name=name) for name, job in jobs]


async def _telegram_client(settings: Settings, stack: contextlib.AsyncExitStack) -> telegram.Client | None:
    """A client that works as soon as Telegram answers; only a refused token stops the start."""
    if settings.telegram_bot_token is None:
        return None
    client = telegram.Client(
        settings.telegram_bot_token.get_secret_value(), api_url=settings.telegram_api_url
    )
    stack.push_async_callback(client.shutdown)
    return client


async def _introduce(shared: Core, client: telegram.Client) -> None:
    """Tell Telegram our commands and, in webhook mode, our address; learn our name there. Tried again while it is away."""
    settings = shared.settings
    names = ("start", "search", "trips", "invite", "language", "help", "human", "cancel", "link", "privacy")
    commands = {
        language: {name: str(Texts.for_locale(language).say(f"command.{name}")) for name in names}
        for language in ("ar", "en")
    }
    secret = settings.telegram_webhook_secret
    pause = 1.0
    while True:
        try:
            await telegram.set_up(
                client,
                commands=commands,
                public_url=settings.public_url if secret else None,
                secret=secret.get_secret_value() if secret else None,
            )
        except SendLater as error:
            log.warning("telegram.setup_waits", code=error.code)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60)
        except ConfigurationError as error:
            log.error("telegram.refused", problem=str(error))  # noqa: TRY400 - one line is what helps
            return
        else:
            shared.house.addresses.telegram = client.known_as
            return


def _senders(
    shared: Core, client: telegram.Client | None, session: aiohttp.ClientSession
) -> dict[Channel, Sender]:
    settings = shared.settings
    uploads = UploadsInDatabase(shared.workers)
    senders: dict[Channel, Sender] = {}
    if client:
        senders[Channel.TELEGRAM] = telegram.TelegramSender(
            client, pictures=shared.pictures.read, uploads=uploads
        )
    if settings.whatsapp_access_token and settings.whatsapp_phone_number_id:
        senders[Channel.WHATSAPP] = whatsapp.WhatsAppSender(
            session,
            api_url=settings.whatsapp_api_url,
            phone_number_id=settings.whatsapp_phone_number_id,
            access_token=settings.whatsapp_access_token.get_secret_value(),
            pictures=shared.pictures.read,
            uploads=uploads,
        )
    return senders


async def _start_web(
    shared: Core,
    door: telegram.TelegramDoor | None,
    senders: Mapping[Channel, Sender],
    stack: contextlib.AsyncExitStack,
) -> str:
    settings = shared.settings
    routes: list[web.AbstractRouteDef] = []
    if door and settings.telegram_webhook_secret:
        routes += telegram.routes(secret=settings.telegram_webhook_secret.get_secret_value(), door=door)
    if settings.whatsapp_app_secret and settings.whatsapp_verify_token and settings.whatsapp_phone_number_id:
        typing = Typing(shared.door, senders[Channel.WHATSAPP])
        stack.push_async_callback(typing.close)
        routes += whatsapp.routes(
            phone_number_id=settings.whatsapp_phone_number_id,
            app_secret=settings.whatsapp_app_secret.get_secret_value(),
            verify_token=settings.whatsapp_verify_token.get_secret_value(),
            hear=typing.hear,
            store_statuses=shared.door.store_statuses,
            dead_letter=shared.door.bury,
        )
    routes += proof_api.routes(shared.pool)
    app = build(backlog=shared.backlog, routes=routes)
    writer = BehaviorWriter(shared.database.direct)
    await writer.start()
    stack.push_async_callback(writer.stop)
    chat = WebChat(
        pool=shared.pool,
        hear=shared.door.hear,
        wakeups=lambda visitor: shared.bells.subscribe("webchat", visitor),
        pictures=shared.pictures.read,
        public_url=settings.public_url,
        locale=settings.locale,
        demo=settings.demo,
        opened=lambda visitor, referrer: _note(
            writer,
            behavior.page_opened(at=dt.datetime.now(dt.UTC), visitor=visitor, page="chat", referrer=referrer),
        ),
    )
    chat.register(app)
    Landing(
        pool=shared.pool,
        addresses=shared.house.addresses,
        locale=settings.locale,
        assets=chat.files,
        secure=(settings.public_url or "").startswith("https://"),
        clicked=lambda visitor, content, referrer: _note(
            writer,
            behavior.link_opened(
                at=dt.datetime.now(dt.UTC), visitor=visitor, content=content, referrer=referrer
            ),
        ),
    ).register(app)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        raise ConfigurationError(
            f"PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror})"
        ) from None
    port = runner.addresses[0][1]
    shared.house.addresses.local = f"http://localhost:{port}"
    return settings.public_url or f"http://localhost:{port}/"


def _note(writer: BehaviorWriter, seen: behavior_log.Occurrence) -> None:
    """Log what belongs to no turn. With the database away for long it is not noted: the page comes first."""
    with contextlib.suppress(DatabaseUnavailable):
        writer.offer(seen)


async def _until(stopping: asyncio.Event, work: Awaitable[None]) -> None:
    """Run something that only cancellation ends, until a stop is asked for."""
    running = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        waiting.cancel()
        running.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)


async def _stop_or_failure(stop: asyncio.Event, background: list[asyncio.Task[Any]]) -> None:
    """Wait for the stop; a background task that ends with an error ends the process: a supervisor starts it again."""
    waiting = asyncio.ensure_future(stop.wait())
    watched = {task for task in background if task.get_name() != "telegram-setup"}
    try:
        done, _ = await asyncio.wait({waiting, *watched}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()
    finally:
        waiting.cancel()


# ---------------------------------------------------------------------------------------------- small adapters


class UploadsInDatabase:
    """bot.events.Uploads over the table `uploads`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, channel: Channel, sha256: str) -> str | None:
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await outbox.uploaded(conn, channel=channel.value, sha256=sha256)

    async def remember(self, channel: Channel, sha256: str, media_id: str) -> None:
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            await outbox.remember_upload(conn, channel=channel.value, sha256=sha256, media_id=media_id)


class PollingLease:
    """telegram.Lease over the table `leases`: one process polls a bot, and that bot's offset outlives it."""

    def __init__(self, shared: Core) -> None:
        self._pool = shared.workers
        self._worker = shared.worker
        # Another bot counts its updates from elsewhere: with this one's offset it would skip what waits for it.
        token = shared.settings.telegram_bot_token
        bot_id = token.get_secret_value().partition(":")[0] if token else ""
        self._name = f"telegram.poll:{bot_id}"

    def _conn(self) -> contextlib.AbstractAsyncContextManager[asyncpg.Connection]:
        return visit(self._pool, Role.WORKER)

    async def hold(self) -> bool:
        async with self._conn() as conn:
            lease = dt.timedelta(seconds=telegram.LEASE_SECONDS)
            return await outbox.hold_lease(conn, name=self._name, worker=self._worker, lease=lease)

    async def offset(self) -> int | None:
        async with self._conn() as conn:
            value = await outbox.lease_value(conn, name=self._name)
            return int(value) if value is not None else None

    async def store_offset(self, offset: int) -> bool:
        async with self._conn() as conn:
            return await outbox.set_lease_value(conn, name=self._name, worker=self._worker, value=offset)

    async def drop(self, pause: float = 0.0) -> None:
        async with self._conn() as conn:
            rest = dt.timedelta(seconds=pause)
            await outbox.drop_lease(conn, name=self._name, worker=self._worker, pause=rest)


class Typing:
    """Hear, then show on WhatsApp that an answer is being written: best effort, never in the way of the 200."""

    def __init__(self, door: Door, sender: Sender) -> None:
        self._door = door
        self._sender = sender
        self._tasks: set[asyncio.Task[None]] = set()

    async def hear(self, events: list[Event]) -> int:
        new = await self._door.hear(events)
        if new:
            latest = {event.address: event.external_id for event in events}
            for address, message in latest.items():
                task = asyncio.create_task(self._sender.show_typing(address, last_message=message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return new

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
