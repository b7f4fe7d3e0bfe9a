"""Guests, hotels and erasures at once: whatever their order, the sums are what a recomputation gives."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from uuid import UUID

import asyncpg
import pytest

from bot.domain.outcomes import Highlight, PainPoint
from db.pool import Role, as_role
from tests.db.test_outcomes import assert_sums_are_true
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell

_WRITERS = 6
_STEPS = 40
_HOTELS = 3
_PEOPLE = 5


async def _told(conn: asyncpg.Connection, chance: random.Random) -> list[UUID]:
    """Some outcomes, taken in the order of their ids as whoever takes several rows must."""
    rows = await conn.fetch("SELECT id FROM booking_outcomes")
    some = [row["id"] for row in chance.sample(rows, min(len(rows), chance.randint(1, 4)))]
    taken = await conn.fetch(
        "SELECT id FROM booking_outcomes WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", some
    )
    return [row["id"] for row in taken]


async def _step(
    conn: asyncpg.Connection, people: list[UUID], hotels: list[small_hotel.SmallHotel], chance: random.Random
) -> str:
    """One thing that happens, in a transaction of its own."""
    words = chance.sample(list(Highlight), 2), chance.sample(list(PainPoint), chance.randint(0, 2))
    match chance.randrange(8):
        case 0 | 1 | 2:
            booking = await completed_stay(
                conn,
                chance.choice(people),
                chance.choice(hotels),
                nights=chance.randint(1, 5),
                price_minor=chance.randint(100_000, 3_000_000),
                paid=chance.random() < 0.5,
            )
            if chance.random() < 0.8:
                await tell(
                    conn,
                    booking,
                    chance.randint(1, 10),
                    would_rebook=chance.choice([True, False, None]),
                    exceeded=chance.choice([True, False, None]),
                    highlights=words[0],
                    pain_points=words[1],
                )
            return "stayed"
        case 3:
            await conn.execute(
                """
                UPDATE booking_outcomes SET satisfaction_score = $2, would_rebook = $3, highlights = $4, pain_points = $5
                WHERE id = ANY ($1)
                """,
                await _told(conn, chance),
                chance.randint(1, 10),
                chance.choice([True, False, None]),
                words[0],
                words[1],
            )
            return "corrected"
        case 4:
            await conn.execute("DELETE FROM booking_outcomes WHERE id = ANY ($1)", await _told(conn, chance))
            return "erased"
        case 5:
            code = await conn.fetchval("SELECT confirmation_number FROM bookings ORDER BY random() LIMIT 1")
            report = chance.choice(["no_show", "came", "paid"])
            late = small_hotel.clock(small_hotel.night(90), 12)
            await conn.fetchval("SELECT app.report_stay($1, $2, $3)", code or "none", report, late)
            return "reported"
        case 6:
            one, other = chance.sample(people, 2)
            booking = await conn.fetchval(
                "SELECT id FROM bookings WHERE user_id = $1 ORDER BY random() LIMIT 1", one
            )
            for table, key in (("bookings", "id"), ("booking_outcomes", "booking_id")):
                await conn.execute(f"UPDATE {table} SET user_id = $1 WHERE {key} = $2", other, booking)
            return "merged"
        case _:
            await conn.execute(
                "UPDATE exchange_rates SET per_usd = per_usd * $1 WHERE currency = 'EGP'",
                chance.choice([0.9, 1.1]),
            )
            return "rate"


async def _write(
    pool: asyncpg.Pool, people: list[UUID], hotels: list[small_hotel.SmallHotel], seed: int
) -> Counter[str]:
    chance, done = random.Random(seed), Counter[str]()
    for _ in range(_STEPS):
        try:
            async with pool.acquire() as conn, as_role(conn, Role.OWNER):
                name = await _step(conn, people, hotels, chance)
                if chance.random() < 0.1:
                    await conn.execute(
                        "SELECT 1 / 0"
                    )  # in place of a connection that is lost before its commit
        except asyncpg.DivisionByZeroError:
            done["lost"] += 1
        else:
            done[name] += 1
    return done


@pytest.mark.parametrize("seed", [1, 2])
async def test_sums_equal_a_recomputation_whatever_happens_at_once(pool: asyncpg.Pool, seed: int) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        hotels = [await small_hotel.open_hotel(conn) for _ in range(_HOTELS)]
        people = [await small_hotel.newcomer(conn) for _ in range(_PEOPLE)]
        await conn.execute("UPDATE users SET consented = true, consented_at = now()")
        await completed_stay(conn, people[0], hotels[0])
    writers = [asyncio.create_task(_write(pool, people, hotels, seed * 100 + n)) for n in range(_WRITERS)]
    watched = 0
    while not all(writer.done() for writer in writers):
        async with pool.acquire() as conn, as_role(conn, Role.OWNER):
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await assert_sums_are_true(conn)
        watched += 1
    happened = sum((writer.result() for writer in writers), Counter[str]())
    assert happened.keys() == {"stayed", "corrected", "erased", "reported", "merged", "rate", "lost"}
    assert watched, "the sums were looked at while they changed"
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        await assert_sums_are_true(conn)
        assert await conn.fetchval("SELECT sum(n) FROM social_proof_cache WHERE persona <> 'all'") > 0


COMPLETED = "UPDATE bookings SET status = 'completed' WHERE id = $1"
PAID = "UPDATE payments SET status = 'paid' WHERE booking_id = $1"


@pytest.mark.parametrize(("first", "second"), [(COMPLETED, PAID), (PAID, COMPLETED)])
async def test_paid_while_it_is_being_completed_is_verified(
    pool: asyncpg.Pool, first: str, second: str
) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        hotel = await small_hotel.open_hotel(conn)
        stay = await completed_stay(conn, await small_hotel.newcomer(conn), hotel, status="confirmed")

    async def later() -> None:
        async with pool.acquire() as other, as_role(other, Role.OWNER):
            await other.execute(second, stay)

    async with pool.acquire() as conn, pool.acquire() as watcher:
        async with as_role(conn, Role.OWNER):
            await conn.execute(first, stay)
            task = asyncio.create_task(later())
            while not task.done() and not await watcher.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))",
                conn.get_server_pid(),
            ):
                await asyncio.sleep(0)
        await task
        async with as_role(conn, Role.OWNER):
            assert await conn.fetchval("SELECT verified_at IS NOT NULL FROM bookings WHERE id = $1", stay)
            await assert_sums_are_true(conn)
