"""The database of this house: where it is, bringing it up to date, and one transaction in it as the owner."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

import asyncpg
import structlog

from bot.domain import catalogue
from bot.errors import ConfigurationError, ImportRefused
from bot.jobs.archiving import archive_next
from bot.jobs.schedule import MONTHS_AHEAD
from bot.settings import Settings
from bot.suppliers import demo as demo_supplier
from bot.understanding.gazetteer import Place, city_named
from db import audit, embedded, migrate, referrals, upkeep
from db import pool as pool_of
from db.pool import Role, as_role
from locales import UnknownCurrency, minor_units

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


@dataclass(slots=True)
class Database:
    """Where PostgreSQL is. `url` for turns and workers, `direct` for migrations, maintenance and LISTEN."""

    url: str
    direct: str
    app_url: str
    server: embedded.Embedded | None = None


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, leave_up: bool = False) -> AsyncIterator[Database]:
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
            server.leave_up()
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
