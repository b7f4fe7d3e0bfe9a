"""What filling and importing the catalogue ask for: many hotels and room types at once. Run as rahhal_owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg

from db.hotels import HotelId, RoomTypeId, rebuild_blocks

_LOCK = 0x52_41_48_48_41_4C  # «RAHHAL»


@dataclass(frozen=True, slots=True)
class KnownHotel:
    """What a row of an operator's file must agree with."""

    id: HotelId
    country: str
    currency: str
    demo: bool


async def lock(conn: asyncpg.Connection) -> None:
    """Let one process at a time change the catalogue, until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def known_hotels(conn: asyncpg.Connection, *, identifiers: Sequence[str]) -> dict[str, KnownHotel]:
    """Those of the identifiers that are in the catalogue."""
    rows = await conn.fetch(
        "SELECT identifier, id, country, currency, demo FROM hotels WHERE identifier = ANY ($1::text[])",
        identifiers,
    )
    return {
        row["identifier"]: KnownHotel(HotelId(row["id"]), row["country"], row["currency"], row["demo"])
        for row in rows
    }


async def known_ranges(
    conn: asyncpg.Connection, *, room_types: Sequence[RoomTypeId]
) -> set[tuple[RoomTypeId, date, date, int]]:
    """(room type, first night, last night, weekday mask) of every rate of the room types."""
    rows = await conn.fetch(
        "SELECT room_type_id, from_night, to_night, weekdays FROM room_rates WHERE room_type_id = ANY ($1::uuid[])",
        room_types,
    )
    return {
        (RoomTypeId(row["room_type_id"]), row["from_night"], row["to_night"], row["weekdays"]) for row in rows
    }


async def show(conn: asyncpg.Connection, *, room_types: Sequence[RoomTypeId], now: datetime) -> None:
    """Bring searches up to date for the room types, from a few weeks before `now` to their last price."""
    last = await conn.fetchval(
        "SELECT max(to_night) FROM room_rates WHERE room_type_id = ANY ($1::uuid[])", room_types
    )
    if last is not None:
        first = now.date() - timedelta(days=28)
        await rebuild_blocks(conn, room_types=room_types, from_day=first, to_day=max(first, last))


async def demo_room_types(conn: asyncpg.Connection) -> dict[tuple[str, str], RoomTypeId]:
    """The room types of the demo by hotel identifier and code, in the order of the identifiers."""
    rows = await conn.fetch(
        """
        SELECT h.identifier, t.code, t.id FROM hotels h JOIN room_types t ON t.hotel_id = h.id
        WHERE h.demo ORDER BY h.identifier, t.code
        """
    )
    return {(row["identifier"], row["code"]): RoomTypeId(row["id"]) for row in rows}


async def demo_priced(conn: asyncpg.Connection, *, from_day: date, to_day: date) -> list[tuple[date, date]]:
    """The ranges within [from_day, to_day] for which the demo has prices; it is priced as a whole, so one room tells."""
    rows = await conn.fetch(
        """
        SELECT r.from_night, r.to_night FROM room_rates r
        WHERE r.from_night <= $2 AND r.to_night >= $1
          AND r.room_type_id = (
              SELECT t.id FROM hotels h JOIN room_types t ON t.hotel_id = h.id
              WHERE h.demo ORDER BY h.identifier, t.code LIMIT 1
          )
        """,
        from_day,
        to_day,
    )
    return [(row["from_night"], row["to_night"]) for row in rows]
