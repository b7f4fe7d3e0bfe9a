"""A small hotel for tests, in the real tables: one or two room types, one price, rates for a year from `OPENING`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from db import bookings, hotels
from db.hotels import HotelFacts, HotelId, Rate, RoomTypeFacts, RoomTypeId

OPENING = date(2026, 3, 2)
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CAIRO = 360630
_numbers = count(1)

FACTS = HotelFacts(
    identifier="small-hotel",
    name_ar="فندق شرفة النيل",
    name_en="Sharfat El Nil Hotel",
    city=CAIRO,
    city_ar="القاهرة",
    city_en="Cairo",
    country="EG",
    area_ar="الزمالك",
    area_en="Zamalek",
    stars=4,
    latitude=30.06,
    longitude=31.22,
    setting="city",
    timezone="Africa/Cairo",
    currency="EGP",
    amenities=("wifi", "pool"),
    free_days=2,
    local_fee_minor=1500,
)
DOUBLE = RoomTypeFacts(
    code="double",
    name_ar="غرفة مزدوجة",
    name_en="Double room",
    kind="double",
    capacity=3,
    max_adults=2,
    max_children=1,
    allotment=2,
    board="BB",
)


@dataclass(frozen=True, slots=True)
class SmallHotel:
    id: HotelId
    identifier: str
    rooms: dict[str, RoomTypeId]

    @property
    def double(self) -> RoomTypeId:
        return self.rooms["double"]


async def open_hotel(
    conn: asyncpg.Connection,
    *,
    rooms: Sequence[RoomTypeFacts] = (DOUBLE,),
    rates: Sequence[Rate] | None = None,
    **facts: Any,
) -> SmallHotel:
    """As rahhal_owner. A room costs 1,000.00 a night unless `rates` say otherwise."""
    identifier = facts.pop("identifier", None) or f"small-hotel-{next(_numbers)}"
    hotel = (await hotels.upsert_hotels(conn, hotels=[replace(FACTS, identifier=identifier, **facts)]))[
        identifier
    ].id
    written = await hotels.upsert_room_types(conn, room_types=[(hotel, facts) for facts in rooms])
    kinds = {code: row.id for (_, code), row in written.items()}
    if rates is None:
        rates = [Rate(OPENING, OPENING + timedelta(days=364), 100_000)]
    await hotels.replace_rates(conn, rates=dict.fromkeys(kinds.values(), rates))
    await rebuild(conn, *kinds.values())
    return SmallHotel(hotel, identifier, kinds)


async def rebuild(conn: asyncpg.Connection, *kinds: RoomTypeId) -> int:
    return await hotels.rebuild_blocks(
        conn, room_types=kinds, from_day=OPENING, to_day=OPENING + timedelta(days=364)
    )


async def newcomer(conn: asyncpg.Connection) -> UUID:
    """A person. As rahhal_owner."""
    person: UUID = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
    return person


async def claim(conn: asyncpg.Connection, person: UUID) -> None:
    """Make this transaction that person's turn."""
    await conn.execute("SELECT set_config('app.user_id', $1, true)", str(person))


def night(number: int) -> date:
    """Night 0 is the opening."""
    return OPENING + timedelta(days=number)


def clock(day: date, hour: int, zone: str = "Africa/Cairo") -> datetime:
    """An hour of the hotel's own clock."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone))


async def hold(
    conn: asyncpg.Connection, room_type: RoomTypeId, first: int, nights: int, **changes: Any
) -> bookings.Answer:
    """Hold the small hotel's double from night `first` on, on its own terms; `changes` are arguments of bookings.hold."""
    rooms = changes.get("rooms", 1)
    wanted: dict[str, Any] = {
        "key": f"test-hold-{next(_numbers)}",
        "rooms": rooms,
        "adults": 2 * rooms,
        "children": 0,
        "child_ages": (),
        "guest_name": "Sara Al Ahmad",
        "guest_phone": None,
        "requests": None,
        "quoted_minor": 100_000 * nights * rooms,
        "free_until": clock(night(first) - timedelta(days=2), 18),
        "starts_at": clock(night(first), 14),
        "now": NOW,
    }
    return await bookings.hold(
        conn, room_type=room_type, check_in=night(first), check_out=night(first + nights), **wanted | changes
    )


BLOCKS = """
SELECT b.room_type_id, b.block, b.free, b.price, b.min_stay FROM search_blocks b ORDER BY b.room_type_id, b.block
"""


async def stale_blocks(conn: asyncpg.Connection) -> int:
    """How many blocks differ from what rates and nights say. As rahhal_owner."""
    before = await conn.fetch(BLOCKS)
    kinds = [row["id"] for row in await conn.fetch("SELECT id FROM room_types")]
    await rebuild(conn, *kinds)
    after = await conn.fetch(BLOCKS)
    return len(set(map(repr, before)) ^ set(map(repr, after)))
