"""The demo catalogue in the database: written once into an empty one, and priced as far ahead as anybody looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg

from bot.suppliers.demo.hotels import DemoHotel, DemoRoom, by_identifier, catalogue
from bot.suppliers.demo.prices import rates
from bot.suppliers.demo.stays import DAYS_BACK, guests, stays
from db import catalogue as rows
from db import demo_stays, hotels
from db.hotels import Rate, RoomTypeId

MONTHS_AHEAD = 18


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written; zeros when the catalogue was not empty."""

    hotels: int = 0
    room_types: int = 0
    rates: int = 0


async def fill(conn: asyncpg.Connection, *, now: datetime) -> Filled:
    """Write the demo into an empty catalogue, with prices from the month of `now` to 18 months ahead.

    Within a transaction as rahhal_owner. Several processes may race: the first fills, the others find it filled.
    """
    if await hotels.count(conn):
        return Filled()
    await rows.lock(conn)
    if await hotels.count(conn):
        return Filled()
    written = await hotels.upsert_hotels(conn, hotels=[hotel.facts for hotel in catalogue()])
    room_types = await hotels.upsert_room_types(
        conn,
        room_types=[
            (written[hotel.facts.identifier].id, room.facts) for hotel in catalogue() for room in hotel.rooms
        ],
    )
    return Filled(len(written), len(room_types), await _price(conn, _months(now)))


async def extend_horizon(conn: asyncpg.Connection, *, now: datetime) -> int:
    """Make sure the demo has prices from the month of `now` to 18 months ahead; returns the number of rates written.

    Within a transaction as rahhal_owner. One small query when nothing is missing, or when there is no demo.
    """
    if not await _missing(conn, now):
        return 0
    await rows.lock(conn)
    return await _price(conn, await _missing(conn, now))


async def fill_stays(conn: asyncpg.Connection, *, now: datetime) -> int:
    """Write a past into the demo: stays that ended in the year before `now`, with what was said of them; how many.

    Within a transaction as rahhal_owner. Once: 0, after one small query, when it has one or when there is no demo.
    """
    people = guests()
    if await demo_stays.has_traveler(conn, traveler=people[0].facts.id):
        return 0
    await rows.lock(conn)
    known = await rows.demo_room_types(conn)
    if not known or await demo_stays.has_traveler(conn, traveler=people[0].facts.id):
        return 0
    past = list(stays(now.date()))
    await demo_stays.add_travelers(
        conn, travelers=[guest.facts for guest in people], at=now - timedelta(days=DAYS_BACK)
    )
    await demo_stays.add_stays(conn, stays=past)
    return await demo_stays.add_outcomes(conn, stays=past)


def _months(now: datetime) -> list[date]:
    """The first days of the months that must have prices."""
    first = now.year * 12 + now.month - 1
    return [date(*_year_and_month(month), 1) for month in range(first, first + MONTHS_AHEAD + 1)]


def _year_and_month(month: int) -> tuple[int, int]:
    return month // 12, month % 12 + 1


def _last_of(month: date) -> date:
    return date(*_year_and_month(month.year * 12 + month.month), 1) - timedelta(days=1)


async def _missing(conn: asyncpg.Connection, now: datetime) -> list[date]:
    months = _months(now)
    priced = await rows.demo_priced(conn, from_day=months[0], to_day=_last_of(months[-1]))
    return [month for month in months if not any(first <= month <= last for first, last in priced)]


async def _price(conn: asyncpg.Connection, months: list[date]) -> int:
    """Price every demo room in these months, run by run of neighbours."""
    known = await rows.demo_room_types(conn)
    rooms = {
        (identifier, room.facts.code): (hotel, room)
        for identifier, hotel in by_identifier().items()
        for room in hotel.rooms
    }
    ours = {room_type: rooms[key] for key, room_type in known.items() if key in rooms}
    written = 0
    for first, last in _runs(months):
        priced = _rates(ours, first, last)
        await hotels.add_rates(conn, rates=priced)
        await hotels.rebuild_blocks(conn, room_types=list(ours), from_day=first, to_day=last)
        written += sum(map(len, priced.values()))
    return written


def _rates(
    ours: dict[RoomTypeId, tuple[DemoHotel, DemoRoom]], first: date, last: date
) -> dict[RoomTypeId, list[Rate]]:
    return {room_type: rates(hotel, room, first, last) for room_type, (hotel, room) in ours.items()}


def _runs(months: list[date]) -> list[tuple[date, date]]:
    """Neighbouring months joined, each run from its first day to its last."""
    runs: list[tuple[date, date]] = []
    for month in months:
        if runs and runs[-1][1] + timedelta(days=1) == month:
            runs[-1] = (runs[-1][0], _last_of(month))
        else:
            runs.append((month, _last_of(month)))
    return runs
