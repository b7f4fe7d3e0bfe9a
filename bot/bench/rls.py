"""What row level security costs where a turn reads what is hers: each read beside itself on tables without it.

The peer's tables are copies with the same rows, indexes and partitions, read by the same functions of db/ (their own WHERE
included) on a connection whose search_path finds the copies first, as the same role with the same claim.

The last line of a size is what the policies avoid: `EXISTS (an admin) OR own` on the copy, where only the policy says whose.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from statistics import median
from uuid import UUID

import asyncpg
import uvloop

from bot.bench import Measure, Sizes, bench
from bot.bench.database import scratch_server
from db import behavior, bookings, pool, trips
from db.hotels import HotelId
from db.pool import Role, as_role

ROWS_OF_A_PERSON = {"trips": 10, "bookings": 10, "messages": 40, "user_behavior_log": 200}
FEWEST_PEOPLE_SHARE = max(ROWS_OF_A_PERSON.values())
LOOKS = 300
SLOW_LOOKS = 5
TARGET = 0.8
BATCH = 250_000
MONTHS = 12
FIRST_STAY = dt.date(2030, 1, 6)
HOTEL = UUID("00000000-0000-7000-8000-000000000001")

PLACE = """
CREATE FUNCTION bench_id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
INSERT INTO hotels (id, identifier, name_ar, name_en, city, city_ar, city_en, country, stars, latitude, longitude, setting,
                    timezone, currency, penalty)
VALUES (bench_id(1), 'bench', 'فندق القياس', 'Bench Hotel', 1, 'مدينة', 'City', 'SA', 4, 24.7, 46.7, 'city', 'Asia/Riyadh', 'SAR',
        'full');
INSERT INTO room_types (id, hotel_id, code, name_ar, name_en, kind, capacity, max_adults, allotment)
VALUES (bench_id(1), bench_id(1), 'double', 'غرفة', 'Room', 'double', 2, 2, 9999);
INSERT INTO conversations (id, channel, thread, address) VALUES (bench_id(1), 'telegram', '1', '1');
INSERT INTO inbox (channel, external_id, conversation_id, event) VALUES ('telegram', '1', bench_id(1), '{}');
"""

COPIES = """
CREATE SCHEMA bare;
GRANT USAGE ON SCHEMA bare TO rahhal_app;
CREATE TABLE bare.trips (LIKE trips INCLUDING ALL);
CREATE TABLE bare.bookings (LIKE bookings INCLUDING ALL);
CREATE TABLE bare.messages (LIKE messages INCLUDING ALL);
CREATE TABLE bare.user_behavior_log (LIKE user_behavior_log INCLUDING ALL) PARTITION BY RANGE ("timestamp");
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'public.user_behavior_log'::regclass
    LOOP
        EXECUTE format('CREATE TABLE bare.%I PARTITION OF bare.user_behavior_log %s', part.relname, part.bound);
    END LOOP;
END
$$;
GRANT SELECT ON ALL TABLES IN SCHEMA bare TO rahhal_app;
"""

FILL = {
    "trips": """
        INSERT INTO trips (id, user_id, reference, destination, city, check_in_date, check_out_date, hotel_identifier, hotel_name,
                           price_per_night, total_price, currency, booking_status)
        SELECT bench_id(n), bench_id(n % $2::bigint), 'RH-' || n, 'مدينة', 1, $3::date + n::integer % 300,
               $3::date + n::integer % 300 + 3, 'bench', 'فندق القياس', 10000, 30000, 'SAR', 'confirmed'
        FROM generate_series($1::bigint, $1 + $4 - 1) AS n
    """,
    "bookings": """
        INSERT INTO bookings (id, trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out, adults,
                              guest_name, nightly, price_minor, currency, timezone, starts_at, penalty_minor, status, expires_at,
                              confirmation_number, confirmed_at)
        SELECT bench_id(n), bench_id(n), bench_id(n % $2::bigint), r.id, r.id, 'bench-' || lpad(n::text, 9, '0'), 1,
               $3::date + n::integer % 300, $3::date + n::integer % 300 + 3, 2, 'Bench Guest', '{10000,10000,10000}', 30000,
               'SAR', 'Asia/Riyadh', $3::date + n::integer % 300 + time '14:00', 30000, 'confirmed', now(), 'C' || n, now()
        FROM generate_series($1::bigint, $1 + $4 - 1) AS n, room_types r
    """,
    "messages": """
        INSERT INTO messages (id, conversation_id, user_id, direction, inbox_id, text, created_at)
        SELECT bench_id(n), c.id, bench_id(n % $2::bigint), 'in', i.id, 'أريد فندقا في جدة', $3::date + n * interval '1 second'
        FROM generate_series($1::bigint, $1 + $4 - 1) AS n, conversations c, inbox i
    """,
    "user_behavior_log": """
        INSERT INTO user_behavior_log (id, user_id, action_type, action_data, "timestamp", hour_of_day, day_of_week)
        SELECT bench_id(n), bench_id(n % $2::bigint), 'عرض_فندق', jsonb_build_object('hotel', n % 1000),
               $3::date - interval '1 day' * (n * 365 / $5::bigint), n % 24, n % 7 + 1
        FROM generate_series($1::bigint, $1 + $4 - 1) AS n
    """,
}
"""$1 the first n, $2 people, $3 the first stay (of the log: today), $4 how many; of the log also $5, rows in all."""

MESSAGES = (
    "SELECT direction, text, created_at FROM messages WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20"
)

OR_ADMIN = """
ALTER TABLE bare.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_or_admin ON bare.messages TO rahhal_app USING (
    EXISTS (SELECT FROM users u WHERE u.id = app.user_id() AND u.role = 'admin') OR user_id = app.user_id());
"""

Read = Callable[[asyncpg.Connection, UUID], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads: a connection to the isolated tables, or to the copies."""

    conn: asyncpg.Connection

    async def time(self, read: Read, person: UUID) -> float:
        """Seconds of one read of this person's turn, without the turn's own BEGIN and COMMIT."""
        async with as_role(self.conn, Role.APP):
            await self.conn.execute(f"SET LOCAL app.user_id = '{person}'")
            began = time.perf_counter()
            await read(self.conn, person)
            return time.perf_counter() - began


@bench("rls")
def rls(sizes: Sizes) -> Iterator[Measure]:
    yield from uvloop.run(_measure(sizes))  # as the product does


async def _measure(sizes: Sizes) -> list[Measure]:
    measures = []
    for size in sizes:
        async with scratch_server() as server:
            ours, bare = [await asyncpg.connect(server.dsn, command_timeout=900) for _ in range(2)]
            try:
                for conn in (ours, bare):
                    await pool.prepare(conn)
                today = dt.datetime.now(dt.UTC).date()
                await _fill(ours, bare, size, today)
                people = [UUID(f"00000000-0000-7000-8000-{n:012x}") for n in _some_people(size)]
                measures += await _reads(Reader(ours), Reader(bare), size, people, today)
                measures.append(await _policy_alone(Reader(ours), Reader(bare), size, people))
            finally:
                await ours.close()
                await bare.close()
    return measures


def _some_people(size: int) -> list[int]:
    """Numbers of people who have rows in every table, spread over them."""
    all_of_them = max(1, size // FEWEST_PEOPLE_SHARE)
    return [look * 7919 % all_of_them for look in range(LOOKS)]


async def _fill(ours: asyncpg.Connection, bare: asyncpg.Connection, size: int, today: dt.date) -> None:
    """So many rows in each table and its copy."""
    await bare.execute("SET search_path = bare, public")
    async with as_role(ours, Role.OWNER):
        for back in range(MONTHS + 1):
            await ours.execute(
                "SELECT create_monthly_partition($1)", today.replace(day=1) - dt.timedelta(days=30 * back)
            )
        await ours.execute(PLACE + COPIES)
        await ours.execute(
            "INSERT INTO users (id) SELECT bench_id(n) FROM generate_series(0, $1::bigint) AS n",
            size // min(ROWS_OF_A_PERSON.values()),
        )
        for table in ("trips", "bookings"):  # what was booked long ago was audited long ago
            await ours.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for conn in (ours, bare):
        for table, insert in FILL.items():
            people = max(1, size // ROWS_OF_A_PERSON[table])
            is_log = table == "user_behavior_log"
            async with as_role(conn, Role.OWNER):
                for first in range(0, size, BATCH):
                    many = min(BATCH, size - first)
                    await conn.execute(
                        insert,
                        first,
                        people,
                        today if is_log else FIRST_STAY,
                        many,
                        *([size] if is_log else []),
                    )
    async with as_role(ours, Role.OWNER):
        for table in ("trips", "bookings"):
            await ours.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for conn in (ours, bare):
        await conn.execute(f"SET ROLE {Role.OWNER.value}")
        await conn.execute(f"VACUUM ANALYZE {', '.join(FILL)}")
        await conn.execute("RESET ROLE")


async def _reads(ours: Reader, bare: Reader, size: int, people: list[UUID], today: dt.date) -> list[Measure]:
    """The reads of a turn; both readers in turns, for people spread over the tables."""
    now = dt.datetime.combine(today, dt.time(), dt.UTC)

    async def own_trips(conn: asyncpg.Connection, person: UUID) -> object:
        return await trips.of_person(conn, user_id=person, now=now)

    async def own_bookings(conn: asyncpg.Connection, person: UUID) -> object:
        return await bookings.of_hotel(
            conn,
            hotel=HotelId(HOTEL),
            user_id=person,
            check_in=FIRST_STAY,
            check_out=FIRST_STAY + dt.timedelta(days=365),
        )

    async def own_month(conn: asyncpg.Connection, person: UUID) -> object:
        return await behavior.recent(conn, user_id=person, since=now - dt.timedelta(days=30), most=100)

    async def own_messages(conn: asyncpg.Connection, person: UUID) -> object:
        return await conn.fetch(MESSAGES, person)

    reads: dict[str, Read] = {
        "own trips": own_trips,
        "own bookings": own_bookings,
        "own last 30 days": own_month,
        "own messages": own_messages,
    }
    measures = []
    for what, read in reads.items():
        taken: tuple[list[float], list[float]] = ([], [])
        for person in people:
            for times, reader in zip(taken, (ours, bare), strict=True):
                times.append(await reader.time(read, person))
        mine, peer = median(taken[0]), median(taken[1])
        measures.append(
            Measure(
                "rls",
                f"{what}, {size:,} rows",
                mine * 1e6,
                "µs",
                f"without it ({peer * 1e6:,.0f} µs)",
                peer / mine,
                f">= {TARGET} x",
                peer / mine >= TARGET,
            )
        )
    return measures


async def _policy_alone(ours: Reader, bare: Reader, size: int, people: list[UUID]) -> Measure:
    """Messages by a query that leaves it to the policy whose they are."""
    async with as_role(bare.conn, Role.OWNER):
        await bare.conn.execute(OR_ADMIN)

    async def count(conn: asyncpg.Connection, _: UUID) -> object:
        return await conn.fetchval("SELECT count(*) FROM messages")

    taken: tuple[list[float], list[float]] = ([], [])
    for person in people[:SLOW_LOOKS]:
        for times, reader in zip(taken, (ours, bare), strict=True):
            times.append(await reader.time(count, person))
    mine, peer = median(taken[0]), median(taken[1])
    return Measure(
        "rls",
        f"by the policy alone, {size:,} rows",
        mine * 1e6,
        "µs",
        f"EXISTS (admin) OR own ({peer * 1e6:,.0f} µs)",
        peer / mine,
    )
