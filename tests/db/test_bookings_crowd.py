"""Many travelers, an operator and the worker at once, on a hotel of three rooms."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db import bookings, inventory
from db.bookings import BookingId, Outcome
from db.pool import Role, as_role
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW, SmallHotel, claim, clock, hold, night

_TRAVELERS = 7
_STEPS = 60

_CHANGED_SINCE = """
SELECT EXISTS (SELECT FROM bookings b WHERE b.room_type_id = $1 AND NOT pg_visible_in_snapshot(b.xmin::text::xid8, $2))
    OR EXISTS (SELECT FROM room_nights n WHERE n.room_type_id = $1 AND NOT pg_visible_in_snapshot(n.xmin::text::xid8, $2))
"""

_LEFT = """
SELECT min(coalesce(n.allotment, t.allotment) - (
           SELECT coalesce(sum(b.rooms), 0) FROM bookings b
           WHERE b.room_type_id = t.id AND b.status IN ('held', 'confirmed') AND d.night >= b.check_in AND d.night < b.check_out
       ))
FROM room_types t
CROSS JOIN unnest(app.nights_of($2, $3)) AS d(night)
LEFT JOIN room_nights n ON n.room_type_id = t.id AND n.night = d.night
WHERE t.id = $1
"""

_WRONG_NIGHTS = """
SELECT n.room_type_id, n.night FROM room_nights n
WHERE n.booked <> (
    SELECT coalesce(sum(b.rooms), 0) FROM bookings b
    WHERE b.room_type_id = n.room_type_id AND b.status IN ('held', 'confirmed')
      AND n.night >= b.check_in AND n.night < b.check_out
)
"""


@dataclass
class Fair:
    """What the travelers share: the hotel and a clock that every hold moves on by half a minute."""

    pool: asyncpg.Pool
    hotel: SmallHotel
    now: datetime = NOW
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=30)
        return self.now


async def test_many_at_once_sell_every_room_once(pool: asyncpg.Pool) -> None:
    """Random holds, confirmations, cancellations, moves, edits and sweeps: nothing oversold, no false «sold out», no
    deadlock, and the blocks tell the truth at the end."""
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        twin = replace(small_hotel.DOUBLE, code="twin", allotment=1)
        fair = Fair(pool, await small_hotel.open_hotel(conn, rooms=[small_hotel.DOUBLE, twin]))
        people = [await small_hotel.newcomer(conn) for _ in range(_TRAVELERS)]

    journeys = [_travel(fair, person, random.Random(number)) for number, person in enumerate(people)]
    await asyncio.wait_for(asyncio.gather(*journeys, _keep_house(fair, random.Random(99))), 60)

    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert await conn.fetch(_WRONG_NIGHTS) == []
        assert await small_hotel.stale_blocks(conn) == 0
    wanted = {
        Outcome.HELD,
        Outcome.SOLD_OUT,
        Outcome.CONFIRMED,
        Outcome.CANCELLED,
        Outcome.MOVED,
        Outcome.EXPIRED,
    }
    assert wanted <= set(fair.outcomes), "the dice must reach every outcome"


async def _travel(fair: Fair, person: UUID, dice: random.Random) -> None:
    held: list[BookingId] = []
    booked: list[BookingId] = []
    for _ in range(_STEPS):
        step = dice.random()
        async with fair.pool.acquire() as conn, as_role(conn, Role.APP):
            await claim(conn, person)
            if step < 0.5:
                await _hold_some(fair, conn, dice, held)
            elif step < 0.7 and held:
                booking = held.pop(dice.randrange(len(held)))
                answer = await bookings.confirm(conn, booking=booking, provider="at_hotel", now=fair.now)
                fair.outcomes[answer.outcome] += 1
                if answer.outcome is Outcome.CONFIRMED:
                    booked.append(booking)
            elif step < 0.85 and booked:
                booking = booked.pop(dice.randrange(len(booked)))
                fair.outcomes[(await bookings.cancel(conn, booking=booking, now=NOW)).outcome] += 1
            elif step < 0.95 and booked:
                first, nights = dice.randrange(20, 32), dice.randint(1, 4)
                answer = await bookings.move(
                    conn,
                    booking=dice.choice(booked),
                    check_in=night(first),
                    check_out=night(first + nights),
                    quoted_minor=100_000 * nights,
                    free_until=clock(night(first - 2), 18),
                    starts_at=clock(night(first), 14),
                    now=fair.now,
                )
                fair.outcomes[answer.outcome] += 1


async def _hold_some(
    fair: Fair, conn: asyncpg.Connection, dice: random.Random, held: list[BookingId]
) -> None:
    kind = dice.choice(list(fair.hotel.rooms.values()))
    first, nights = dice.randrange(20, 32), dice.randint(1, 4)
    before = await conn.fetchval("SELECT pg_current_snapshot()")
    answer = await hold(conn, kind, first, nights, now=fair.tick())
    fair.outcomes[answer.outcome] += 1
    if answer.booking_id is not None:
        held.append(answer.booking_id)
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    left = await conn.fetchval(_LEFT, kind, night(first), night(first + nights))
    assert left >= 0, "oversold"
    if answer.outcome is Outcome.SOLD_OUT and left > 0:
        # Who is refused at a glance holds no lock: rooms that are there now were given back since.
        assert await conn.fetchval(_CHANGED_SINCE, kind, before), "falsely sold out"


async def _keep_house(fair: Fair, dice: random.Random) -> None:
    for _ in range(_STEPS):
        if dice.random() < 0.5:
            async with fair.pool.acquire() as conn, as_role(conn, Role.WORKER):
                await bookings.expire_holds(conn, now=fair.now)
        else:
            async with fair.pool.acquire() as conn, as_role(conn, Role.OWNER):
                first = dice.randrange(20, 34)
                await inventory.edit_allotment(
                    conn,
                    room_type=dice.choice(list(fair.hotel.rooms.values())),
                    from_night=night(first),
                    to_night=night(first + dice.randint(0, 3)),
                    rooms=dice.randint(0, 3),
                    now=fair.now,
                )
