"""The last rooms: our hold (one function under one room-type lock) beside the textbook's SELECT … FOR UPDATE.

Both insert a trip and a booking with the same columns, indexes, foreign keys and audit, from the same number of connections,
in one transaction a booking. Contended: everybody wants the same room type, until it is sold out. Uncontended: a room type
each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import uvloop

from bot.bench import Measure, Sizes, bench
from bot.bench.database import scratch_server
from db import bookings, pool
from db.hotels import RoomTypeId
from db.pool import Role, as_role

GUESTS = 16
"""Connections that book at the same time."""
ROOMS = 400
"""Allotment of the contended room type: there are twice as many wishes, and each is one room for three nights."""
CATALOGUE = 300
"""Room types that nobody books here."""
EACH = 40
"""Bookings of each guest where nobody is in the way."""
ROUNDS = 5
FIRST = date(2030, 3, 4)
NIGHTS = 3
NOW = datetime(2030, 1, 10, 12, tzinfo=UTC)
PRICE = 10_000

Book = Callable[[asyncpg.Connection, UUID, UUID], Awaitable[bool]]


@dataclass(slots=True)
class Run:
    """One run: bookings a second, and how many were made and refused."""

    rate: float
    booked: int
    refused: int


@bench("booking")
def booking(_sizes: Sizes) -> Iterator[Measure]:
    yield from uvloop.run(_measure())  # as the product does


async def _measure() -> list[Measure]:
    async with scratch_server() as server:
        rooms = await open_pool(server.dsn)
        try:
            async with rooms.acquire() as conn:
                users = await _furnish(conn)
            await _warm_up(rooms, users)
            contended, uncontended = [], []
            for _ in range(ROUNDS):  # in turns, so that both meet the same weather
                contended.append([await _crowd(rooms, book, users) for book in (_hold, _for_update)])
                uncontended.append([await _spread(rooms, book, users) for book in (_hold, _for_update)])
            async with rooms.acquire() as conn:
                oversold = await _oversold(conn)
        finally:
            await rooms.close()
    sold = [pair[0] for pair in contended]
    false_refusals = sum(run.refused for run in sold) - ROUNDS * ROOMS
    return [
        _compared("contended bookings", contended, 1.8),
        _compared("uncontended bookings", uncontended, 1.3),
        Measure("booking", "oversold nights", oversold, "nights", target="0", ok=oversold == 0),
        Measure("booking", "false sold out", false_refusals, "guests", target="0", ok=false_refusals == 0),
    ]


def _compared(metric: str, pairs: list[list[Run]], target: float) -> Measure:
    """The median round, by ratio."""
    ours, peer = sorted(pairs, key=lambda pair: pair[0].rate / pair[1].rate)[len(pairs) // 2]
    ratio = ours.rate / peer.rate
    return Measure(
        "booking",
        metric,
        ours.rate,
        "bookings/s",
        f"SELECT FOR UPDATE ({peer.rate:,.0f}/s)",
        ratio,
        f">= {target} x",
        ratio >= target,
    )


async def open_pool(dsn: str) -> asyncpg.Pool:
    return await pool.open_pool(dsn, min_size=GUESTS, max_size=GUESTS)


async def _warm_up(rooms: asyncpg.Pool, users: list[UUID]) -> None:
    """So that nobody's plans are those of empty tables, and every connection has made its own."""
    for _ in range(2):
        for book in (_hold, _for_update):
            await _spread(rooms, book, users)
        async with rooms.acquire() as conn, as_role(conn, Role.OWNER):
            await conn.execute("ANALYZE")


async def _furnish(conn: asyncpg.Connection) -> list[UUID]:
    """The peer's tables, with the triggers of ours; a catalogue, so that both find by index; a traveler for each guest.

    Returns the travelers.
    """
    async with as_role(conn, Role.OWNER):
        await conn.execute(
            """
            CREATE TABLE peer_nights (room_type_id uuid, night date, allotment integer NOT NULL, booked integer NOT NULL,
                                      price bigint NOT NULL, PRIMARY KEY (room_type_id, night));
            CREATE TABLE peer_trips (LIKE trips INCLUDING ALL);
            CREATE TABLE peer_bookings (LIKE bookings INCLUDING ALL);
            ALTER TABLE peer_nights ADD FOREIGN KEY (room_type_id) REFERENCES room_types;
            ALTER TABLE peer_trips ADD FOREIGN KEY (user_id) REFERENCES users;
            ALTER TABLE peer_bookings
                ADD FOREIGN KEY (trip_id) REFERENCES peer_trips, ADD FOREIGN KEY (user_id) REFERENCES users,
                ADD FOREIGN KEY (hotel_id) REFERENCES hotels, ADD FOREIGN KEY (room_type_id) REFERENCES room_types,
                ADD FOREIGN KEY (currency) REFERENCES exchange_rates;
            INSERT INTO hotels (identifier, name_ar, name_en, city, city_ar, city_en, country, stars, latitude, longitude,
                                setting, timezone, currency, penalty)
            VALUES ('bench', 'فندق القياس', 'Bench Hotel', 1, 'مدينة', 'City', 'SA', 4, 24.7, 46.7, 'city', 'Asia/Riyadh',
                    'SAR', 'full');
            """
        )
        for trigger in await conn.fetch(
            """
            SELECT replace(pg_get_triggerdef(oid), ' ON public.' || name || ' ', ' ON peer_' || name || ' ') AS definition
            FROM pg_trigger, unnest(ARRAY['trips', 'bookings']) AS name
            WHERE tgrelid = name::regclass AND NOT tgisinternal
            """
        ):
            await conn.execute(trigger["definition"])
        for _ in range(CATALOGUE):
            await _add_room_type(conn, allotment=ROOMS)
        return [
            row["id"]
            for row in await conn.fetch(
                "INSERT INTO users (full_name) SELECT 'Bench Guest' FROM generate_series(1, $1) RETURNING id",
                GUESTS,
            )
        ]


async def _room_type(conn: asyncpg.Connection, *, allotment: int) -> UUID:
    async with as_role(conn, Role.OWNER):
        return await _add_room_type(conn, allotment=allotment)


async def _add_room_type(conn: asyncpg.Connection, *, allotment: int) -> UUID:
    """A room type with a rate, for both of us: the peer has a row for each night of half a year."""
    kind: UUID = await conn.fetchval(
        """
        INSERT INTO room_types (hotel_id, code, name_ar, name_en, kind, capacity, max_adults, allotment)
        SELECT id, $1, 'غرفة', 'Room', 'double', 2, 2, $2 FROM hotels WHERE identifier = 'bench' RETURNING id
        """,
        uuid4().hex[:12],
        allotment,
    )
    await conn.execute(
        "INSERT INTO room_rates (room_type_id, from_night, to_night, price) VALUES ($1, $2, $3, $4)",
        kind,
        FIRST - timedelta(days=60),
        FIRST + timedelta(days=120),
        PRICE,
    )
    await conn.execute(
        "SELECT app.rebuild_blocks(ARRAY[$1::uuid], $2, $3)", kind, FIRST, FIRST + timedelta(days=60)
    )
    await conn.execute(
        """
        INSERT INTO peer_nights SELECT $1, d::date, $2, 0, $3
        FROM generate_series($4::date - 60, $4::date + 120, interval '1 day') AS d
        """,
        kind,
        allotment,
        PRICE,
        FIRST,
    )
    return kind


async def _crowd(rooms: asyncpg.Pool, book: Book, users: list[UUID]) -> Run:
    async with rooms.acquire() as conn:
        kind = await _room_type(conn, allotment=ROOMS)
    return await _run(rooms, book, [(user, kind, 2 * ROOMS // GUESTS) for user in users])


async def _spread(rooms: asyncpg.Pool, book: Book, users: list[UUID]) -> Run:
    async with rooms.acquire() as conn:
        kinds = [await _room_type(conn, allotment=ROOMS) for _ in users]
    return await _run(rooms, book, [(user, kind, EACH) for user, kind in zip(users, kinds, strict=True)])


async def _run(rooms: asyncpg.Pool, book: Book, wishes: list[tuple[UUID, UUID, int]]) -> Run:
    async def guest(user: UUID, kind: UUID, times: int) -> list[bool]:
        async with rooms.acquire() as conn:
            return [await book(conn, user, kind) for _ in range(times)]

    began = time.perf_counter()
    answers = [yes for one in await asyncio.gather(*(guest(*wish) for wish in wishes)) for yes in one]
    took = time.perf_counter() - began
    return Run(len(answers) / took, sum(answers), len(answers) - sum(answers))


async def _hold(conn: asyncpg.Connection, user: UUID, kind: UUID) -> bool:
    """As a turn does it: one trip for its role and claim, one for the call, one for the commit."""
    await conn.execute(f"BEGIN; SET LOCAL ROLE {Role.APP.value}; SET LOCAL app.user_id = '{user}'")
    answer = await bookings.hold(
        conn,
        key=uuid4().hex,
        room_type=RoomTypeId(kind),
        rooms=1,
        check_in=FIRST,
        check_out=FIRST + timedelta(days=NIGHTS),
        adults=2,
        children=0,
        child_ages=(),
        guest_name="Bench Guest",
        guest_phone=None,
        requests=None,
        quoted_minor=NIGHTS * PRICE,
        free_until=None,
        starts_at=datetime(2030, 3, 4, 11, tzinfo=UTC),
        now=NOW,
    )
    await conn.execute("COMMIT")
    return answer.outcome == "held"


async def _for_update(conn: asyncpg.Connection, user: UUID, kind: UUID) -> bool:
    """Lock the nights in order, look, count up, insert: what every tutorial does, without mistakes."""
    check_out = FIRST + timedelta(days=NIGHTS)
    async with as_role(conn, Role.OWNER):
        nights = await conn.fetch(
            """
            SELECT night, allotment - booked AS free, price FROM peer_nights
            WHERE room_type_id = $1 AND night >= $2 AND night < $3 ORDER BY night FOR UPDATE
            """,
            kind,
            FIRST,
            check_out,
        )
        if len(nights) < NIGHTS or any(night["free"] < 1 for night in nights):
            return False
        price = sum(night["price"] for night in nights)
        await conn.execute(
            "UPDATE peer_nights SET booked = booked + 1 WHERE room_type_id = $1 AND night >= $2 AND night < $3",
            kind,
            FIRST,
            check_out,
        )
        trip = await conn.fetchval(
            """
            INSERT INTO peer_trips (user_id, reference, destination, city, check_in_date, check_out_date, travelers_count,
                                    hotel_identifier, hotel_name, price_per_night, total_price, currency, booking_status)
            VALUES ($1, $2, 'مدينة', 1, $3, $4, 2, 'bench', 'فندق القياس', $5, $6, 'SAR', 'pending') RETURNING id
            """,
            user,
            f"RH-{uuid4().hex[:8]}",
            FIRST,
            check_out,
            price // NIGHTS,
            price,
        )
        await conn.execute(
            """
            INSERT INTO peer_bookings (trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out,
                                       adults, guest_name, nightly, price_minor, currency, timezone, starts_at, penalty_minor,
                                       expires_at)
            SELECT $1, $2, t.hotel_id, t.id, $4, 1, $5, $6, 2, 'Bench Guest', $7, $8, 'SAR', 'Asia/Riyadh', $9, $8, $10
            FROM room_types t WHERE t.id = $3
            """,
            trip,
            user,
            kind,
            uuid4().hex,
            FIRST,
            check_out,
            [night["price"] for night in nights],
            price,
            datetime(2030, 3, 4, 11, tzinfo=UTC),
            NOW + timedelta(minutes=15),
        )
    return True


async def _oversold(conn: asyncpg.Connection) -> int:
    """Nights with more rooms in bookings than there are."""
    async with as_role(conn, Role.OWNER):
        found: int = await conn.fetchval(
            """
            SELECT count(*) FROM (
                SELECT FROM bookings b JOIN room_types t ON t.id = b.room_type_id, generate_series(0, 2) AS n
                WHERE b.status = 'held' GROUP BY t.id, b.check_in + n HAVING sum(b.rooms) > max(t.allotment)
            ) AS night
            """
        )
    return found
