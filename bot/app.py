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
from typing import Any, TypeVar

import aiohttp
import asyncpg
import structlog
from aiohttp import web

from bot import proof_api
from bot.adapters import PollingLease, Typing, UploadsInDatabase
from bot.channels import telegram, whatsapp
from bot.channels.webchat import WebChat, WebchatRenderer
from bot.database import Database
from bot.dialogue.engine import Engine
from bot.domain import behavior
from bot.domain.links import Addresses
from bot.errors import ConfigurationError, DatabaseUnavailable, SendLater
from bot.events import Channel, Renderer, Sender
from bot.jobs.answering import answer_forever
from bot.jobs.schedule import keep_schedule
from bot.jobs.sending import Sending, send_forever
from bot.landing import Landing
from bot.settings import Settings
from bot.suppliers.demo import PictureStore
from bot.turn import Answerer, Door, House
from bot.understanding import understand
from bot.web import build
from db import behavior as behavior_log
from db import outbox
from db.behavior_writer import BehaviorWriter
from db.bells import Bells
from db.pool import Role, check_turn_role, open_pool, visit
from handlers import FLOWS
from locales import Texts

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
                poller = telegram.TelegramPoller(
                    client,
                    door=door,
                    lease=PollingLease(shared.workers, shared.settings, worker=shared.worker),
                )
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
