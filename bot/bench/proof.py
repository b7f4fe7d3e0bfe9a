"""Personas and social proof while somebody waits: each beside a bare primary-key lookup in a table as large, in the same run.

Both are read as a turn reads them: its role, forced row level security, the functions that count to five. The tables are
filled as the design keeps them, aggregate rows beside the rows they add up: so many travelers, and a hotel for every hundred.
What an outcome costs to write is the time of an INSERT with the aggregates kept less that of one without.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from statistics import median
from uuid import UUID

import asyncpg

from bot.bench import Measure, Sizes, bench
from bot.bench.database import scratch_server
from bot.domain.proof import Persona
from db import pool, proof
from db.hotels import HotelId
from db.pool import Role, as_role

ROUNDS = 15
LOOKUPS = 200
"""Lookups of each kind a round, in turns, so that both meet the same weather."""
EVENTS = 2_000
"""Outcomes written in one statement, to see what an event costs; and ALONE of them one by one."""
ALONE = 300
TARGET = 2.0
GROWTH = 2.0
UPSERT = 25.0
"""Microseconds an event may cost where many are written at once. One alone pays for the statement's trigger too, a few tenths
of a millisecond: it comes from a person who answers a survey, so it is shown and held to nothing."""

Lookup = Callable[[asyncpg.Connection, UUID], Awaitable[object]]


@bench("persona")
def personas(sizes: Sizes) -> Iterator[Measure]:
    yield from asyncio.run(_measure("persona", sizes))


@bench("proof")
def proofs(sizes: Sizes) -> Iterator[Measure]:
    yield from asyncio.run(_measure("proof", sizes))


async def _measure(name: str, sizes: Sequence[int]) -> list[Measure]:
    measures, medians = [], []
    async with scratch_server() as server:
        conn = await asyncpg.connect(server.dsn)
        try:
            await pool.prepare(conn)
            filled = 0
            for size in sorted(sizes):
                await _fill(conn, filled, size)
                filled = size
                ours, peer = await _compare(conn, name, size)
                medians.append(ours)
                measures.append(
                    Measure(
                        name,
                        f"p50 at {size:,} travelers",
                        ours * 1e6,
                        "µs",
                        f"a bare primary-key lookup ({peer * 1e6:.0f} µs)",
                        peer / ours,
                        f"<= {TARGET:.0f} x as long",
                        ours <= TARGET * peer,
                    )
                )
            growth = medians[-1] / medians[0]
            measures.append(
                Measure(
                    name,
                    "growth over these sizes",
                    growth,
                    "x",
                    target=f"<= {GROWTH:.0f}",
                    ok=growth <= GROWTH,
                )
            )
            if name == "proof":
                measures += await _cost(conn)
        finally:
            await conn.close()
    return measures


async def _compare(conn: asyncpg.Connection, name: str, size: int) -> tuple[float, float]:
    """Median seconds of our lookup and of the bare one."""
    chance = random.Random(size)  # noqa: S311 - which keys are looked up is no secret
    users = await _ids(conn, "SELECT user_id AS id FROM traveler_personas ORDER BY random() LIMIT $1", 500)
    hotels = await _ids(conn, "SELECT id FROM hotels ORDER BY random() LIMIT $1", 500)
    ours, bare = (_persona, _bare_user) if name == "persona" else (_proof, _bare_hotel)
    keys = users if name == "persona" else hotels
    rounds: list[tuple[float, float]] = []
    async with as_role(conn, Role.APP):
        for _ in range(ROUNDS):
            times: dict[Lookup, list[float]] = {ours: [], bare: []}
            for _ in range(LOOKUPS):
                key = chance.choice(keys)
                for lookup in (ours, bare):
                    if name == "persona":
                        await conn.execute(f"SET LOCAL app.user_id = '{key}'")
                    began = time.perf_counter()
                    await lookup(conn, key)
                    times[lookup].append(time.perf_counter() - began)
            rounds.append((median(times[ours]), median(times[bare])))
    return sorted(rounds, key=lambda pair: pair[0] / pair[1])[len(rounds) // 2]


async def _persona(conn: asyncpg.Connection, key: UUID) -> object:
    return await conn.fetchrow("SELECT persona, reason FROM user_booking_stats WHERE user_id = $1", key)


async def _bare_user(conn: asyncpg.Connection, key: UUID) -> object:
    return await conn.fetchrow("SELECT full_name, country FROM users WHERE id = $1", key)


async def _proof(conn: asyncpg.Connection, key: UUID) -> object:
    return await proof.of_hotels(conn, hotels=[HotelId(key)], persona=Persona.MIDDLE)


async def _bare_hotel(conn: asyncpg.Connection, key: UUID) -> object:
    return await conn.fetchrow("SELECT * FROM hotels WHERE id = $1", key)


async def _ids(conn: asyncpg.Connection, query: str, most: int) -> list[UUID]:
    async with as_role(conn, Role.OWNER):
        return [row["id"] for row in await conn.fetch(query, most)]


async def _fill(conn: asyncpg.Connection, before: int, size: int) -> None:
    """Up to `size` travelers with a persona each, and a hundredth as many hotels with their proof by persona."""
    async with as_role(conn, Role.OWNER):
        await conn.execute(
            """
            INSERT INTO users (full_name) SELECT 'Traveler' FROM generate_series($1::integer + 1, $2::integer)
            """,
            before,
            size,
            timeout=7200,
        )
        await conn.execute(
            """
            INSERT INTO traveler_personas (user_id, n, nights, usd_cents, booking_patterns)
            SELECT u.id, 3, 6, 3 * (4000 + (random() * 16000)::bigint),
                   '{"cities": {"360630": 3}, "months": {"3": 2, "11": 1}, "stays": {"2": 3}, "party": {"2": 3}}'
            FROM users u WHERE NOT EXISTS (SELECT FROM traveler_personas p WHERE p.user_id = u.id)
            """,
            timeout=7200,
        )
        await conn.execute(
            """
            INSERT INTO hotels (identifier, name_ar, name_en, city, city_ar, city_en, country, stars, latitude, longitude,
                                setting, timezone, currency, penalty)
            SELECT 'bench-' || n, 'فندق القياس', 'Bench Hotel', 1 + n % 500, 'مدينة', 'City', 'SA', 4, 24.7, 46.7, 'city',
                   'Asia/Riyadh', 'SAR', 'full'
            FROM generate_series($1::integer / 100 + 1, $2::integer / 100) AS n
            """,
            before,
            size,
            timeout=7200,
        )
        await conn.execute(
            """
            INSERT INTO social_proof_cache (hotel_id, persona, n, satisfaction_sum, rebook_answers, rebook_yes, exceeded_answers,
                                            exceeded_yes, usd_cents_sum, highlight_counts, pain_point_counts)
            SELECT h.id, p.persona, 20, 160, 20, 15, 18, 9, 200000,
                   '{"location": 9, "breakfast": 7, "staff": 5, "view": 2}', '{"noise": 4, "slow_lift": 3}'
            FROM hotels h CROSS JOIN unnest('{all}' || app.personas()) AS p(persona)
            WHERE NOT EXISTS (SELECT FROM social_proof_cache c WHERE c.hotel_id = h.id)
            """,
            timeout=7200,
        )
        await proof.refresh_ratings(conn)
        for table in ("users", "traveler_personas", "hotels", "social_proof_cache"):
            await conn.execute(f"ANALYZE {table}", timeout=7200)


# ------------------------------------------------------------------------------------------------ what an event costs

_STAYS = """
WITH people AS (
    INSERT INTO users (full_name, consented, consented_at) SELECT 'Guest', true, now() FROM generate_series(1, $1) RETURNING id
), place AS (
    SELECT h.id FROM hotels h WHERE h.identifier LIKE 'bench-%' ORDER BY h.id LIMIT 100
), room AS (
    INSERT INTO room_types (hotel_id, code, name_ar, name_en, kind, capacity, max_adults, allotment)
    SELECT p.id, 'r' || $2, 'غرفة', 'Room', 'double', 2, 2, 1 FROM place p RETURNING id, hotel_id
), numbered AS (
    SELECT id, row_number() OVER () AS n FROM people
), rooms AS (
    SELECT id, hotel_id, row_number() OVER () AS n FROM room
), trip AS (
    INSERT INTO trips (user_id, reference, destination, city, check_in_date, check_out_date, booking_status)
    SELECT id, $2 || '-' || n, 'City', 1, '2026-01-01', '2026-01-03', 'completed' FROM numbered RETURNING id, user_id
)
INSERT INTO bookings (trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out, adults, guest_name,
                      nightly, price_minor, currency, timezone, starts_at, penalty_minor, status, expires_at,
                      confirmation_number, confirmed_at, verified_at)
SELECT t.id, t.user_id, r.hotel_id, r.id, 'bench-' || $2 || '-' || u.n, 1, '2026-01-01', '2026-01-03', 2, 'Bench Guest',
       '{30000,30000}', 60000, 'SAR', 'Asia/Riyadh', '2026-01-01', 0, 'completed', '2026-01-01', $2 || '-' || u.n,
       '2026-01-01', '2026-01-03'
FROM trip t JOIN numbered u ON u.id = t.user_id JOIN rooms r ON r.n = 1 + u.n % 100
RETURNING id
"""

_TELL = """
INSERT INTO booking_outcomes (booking_id, satisfaction_score, would_rebook, exceeded_expectations, highlights, pain_points)
SELECT b, 1 + (random() * 9)::smallint, true, false, '{location,breakfast}', '{noise}' FROM unnest($1::uuid[]) AS b
"""


async def _cost(conn: asyncpg.Connection) -> list[Measure]:
    """Seconds an outcome takes with the aggregates kept less without, in bulk and one by one, of as many fresh stays each."""
    runs = [
        [await _tell(conn, f"b{number}{kept:d}", kept=kept) for kept in (True, False)] for number in range(5)
    ]
    measures = []
    for place, metric, held in (
        (0, "upsert an event, in bulk", True),
        (1, "upsert an event, one alone", False),
    ):
        # The fastest of each: what the machine's other work adds has no place in a difference.
        kept, bare = (min(run[with_proof][place] for run in runs) for with_proof in (0, 1))
        extra = kept - bare
        measures.append(
            Measure(
                "proof",
                metric,
                extra * 1e6,
                "µs",
                f"an outcome without it ({bare * 1e6:.0f} µs)",
                bare / kept,
                f"<= {UPSERT:.0f} µs" if held else None,
                extra * 1e6 <= UPSERT if held else None,
            )
        )
    return measures


async def _tell(conn: asyncpg.Connection, name: str, *, kept: bool) -> tuple[float, float]:
    """Seconds an outcome, told all in one statement, and each in its own within one transaction."""
    async with as_role(conn, Role.OWNER):
        if not kept:
            await conn.execute("ALTER TABLE booking_outcomes DISABLE TRIGGER proof_added")
        stays = [row["id"] for row in await conn.fetch(_STAYS, EVENTS + ALONE, name)]
        began = time.perf_counter()
        await conn.execute(_TELL, stays[:EVENTS])
        middle = time.perf_counter()
        tell = await conn.prepare(_TELL)
        for stay in stays[EVENTS:]:
            await tell.fetch([stay])
        ended = time.perf_counter()
        if not kept:
            await conn.execute("ALTER TABLE booking_outcomes ENABLE TRIGGER proof_added")
    return (middle - began) / EVENTS, (ended - middle) / ALONE
