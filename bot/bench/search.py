"""Hotel search beside its filter alone, in a generated catalogue: three room types a hotel, priced for a year.

The peer reads the same blocks by the same index and counts the rooms that are free; of a stay in several blocks, in each of
them. Then it reads ten hotels and rooms as every page does, in whatever order; it knows no prices, hotels' filters or order.
One city has 8 % of the hotels, the others about ninety each. Last, how much smaller the blocks are than a row a night with the
same columns and indexes.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from statistics import median

import asyncpg
import uvloop

from bot.bench import Measure, Sizes, bench
from bot.bench.database import scratch_server
from db import hotels, inventory, pool
from db.pool import Role, as_role

MOST = 200_000
"""Hotels: the sizes above it are meant for tables that grow with every message."""
LOOKS = 40
LARGEST = 0.08
HOTELS_OF_A_CITY = 92
ROOM_TYPES = 3
FIRST_NIGHT = dt.date(2030, 1, 18)
BLOCKS = 13
SAMPLE = 200
"""Room types whose nights get a row each, to compare sizes."""

CATALOGUE = """
INSERT INTO hotels (identifier, name_ar, name_en, city, city_ar, city_en, country, stars, latitude, longitude, setting, timezone,
                    currency, amenities, free_days, penalty)
SELECT 'bench-' || n, 'فندق القياس', 'Bench Hotel', CASE WHEN n <= $2::integer THEN 1 ELSE 2 + n % $3::integer END, 'مدينة',
       'City', 'SA', 1 + n % 5, 24 + n % 100 * 0.01, 46 + n % 89 * 0.01, 'city', 'Asia/Riyadh', 'SAR',
       CASE n % 3 WHEN 0 THEN '{wifi,pool}' ELSE '{wifi}' END::text[], n % 4, 'first_night'
FROM generate_series(1, $1::integer) AS n
"""
KINDS = """
INSERT INTO room_types (hotel_id, code, name_ar, name_en, kind, capacity, max_adults, max_children, allotment)
SELECT h.id, 'kind-' || n, 'غرفة', 'Room', 'double', 1 + n, 1 + n, 0, 5 FROM hotels h, generate_series(1, $1::integer) AS n
"""
BLOCKS_OF_KINDS = """
INSERT INTO search_blocks (room_type_id, block, hotel_id, city, capacity, max_adults, free, price)
SELECT t.id, b.block, h.id, h.city, t.capacity, t.max_adults,
       -- one room type in five is full for a night or two of a block
       CASE WHEN hashtext(t.id::text || b.block) % 5 = 0 THEN ~(3::bigint << abs(hashtext(b.block || t.id::text)) % 41)
            ELSE ~0 END & (1::bigint << 42) - 1,
       array_fill(10000 + abs(hashtext(t.id::text)) % 90000, ARRAY[42])
FROM room_types t JOIN hotels h ON h.id = t.hotel_id, generate_series($1::integer, $1 + $2::integer - 1) AS b(block)
ORDER BY h.city, b.block, t.capacity, t.id
"""
NIGHTS = """
CREATE TABLE nights (room_type_id uuid, night date, hotel_id uuid NOT NULL, city bigint NOT NULL, capacity smallint NOT NULL,
                     max_adults smallint NOT NULL, free boolean NOT NULL, price integer NOT NULL, min_stay smallint,
                     PRIMARY KEY (room_type_id, night));
CREATE INDEX ON nights (city, night, capacity)
"""
A_ROW_A_NIGHT = """
INSERT INTO nights
SELECT b.room_type_id, DATE '2000-01-03' + b.block * 28 + n, b.hotel_id, b.city, b.capacity, b.max_adults, true, b.price[n + 1]
FROM search_blocks b, generate_series(0, 27) AS n
WHERE b.room_type_id IN (SELECT id FROM room_types LIMIT $1)
ORDER BY b.city, 2, b.capacity
"""
FILTER = """
SELECT count(*), (array_agg(b.hotel_id))[:10] AS hotels, (array_agg(b.room_type_id))[:10] AS rooms
FROM unnest($2::integer[], $3::bigint[]) AS p(block, mask)
JOIN search_blocks b ON b.city = $1 AND b.block = p.block AND b.free & p.mask = p.mask
WHERE b.capacity >= $4::integer AND b.max_adults >= $4
"""


@bench("search")
def search(sizes: Sizes) -> Iterator[Measure]:
    yield from uvloop.run(_measure([size for size in sizes if size <= MOST]))  # as the product does


async def _measure(sizes: Sizes) -> list[Measure]:
    measures = []
    for size in sizes:
        async with scratch_server() as server:
            conn = await asyncpg.connect(server.dsn, command_timeout=900)
            try:
                await pool.prepare(conn)
                await _fill(conn, size)
                async with as_role(conn, Role.APP):
                    for where, city, nights, target in (
                        ("a usual city", 2, 4, 1.5),
                        ("the largest city", 1, 4, 5.0),
                        ("a usual city, 20 nights", 2, 20, 5.0),
                        ("the largest city, 20 nights", 1, 20, 5.0),
                        ("the largest city, 60 nights", 1, 60, 5.0),
                    ):
                        measures.append(await _compare(conn, f"{where}, {size:,}", city, nights, target))
                measures.append(await _size(conn, size))
            finally:
                await conn.close()
    return measures


async def _fill(conn: asyncpg.Connection, size: int) -> None:
    largest = max(1, int(size * LARGEST))
    async with as_role(conn, Role.OWNER):
        await conn.execute(CATALOGUE, size, largest, max(1, (size - largest) // HOTELS_OF_A_CITY))
        await conn.execute(KINDS, ROOM_TYPES)
        await conn.execute(BLOCKS_OF_KINDS, inventory.parts(FIRST_NIGHT, 1)[0].block, BLOCKS)
    await conn.execute(f"SET ROLE {Role.OWNER.value}")
    await conn.execute("VACUUM ANALYZE exchange_rates, hotels, room_types, search_blocks")
    await conn.execute("RESET ROLE")


async def _compare(conn: asyncpg.Connection, where: str, city: int, nights: int, target: float) -> Measure:
    """Median times of a first page for two, and of the filter that it stands on, in turns."""
    parts = inventory.parts(FIRST_NIGHT, nights)
    blocks, masks = [part.block for part in parts], [part.mask for part in parts]

    async def page() -> object:
        return await inventory.search(conn, city=city, check_in=FIRST_NIGHT, nights=nights, adults=2)

    async def free() -> object:
        found = await conn.fetchrow(FILTER, city, blocks, masks, 2)
        return await hotels.read(conn, ids=found["hotels"]), await hotels.read_room_types(
            conn, ids=found["rooms"]
        )

    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(LOOKS):
        for times, ask in zip(taken, (page, free), strict=True):
            began = time.perf_counter()
            await ask()
            times.append(time.perf_counter() - began)
    ours, peer = median(taken[0]), median(taken[1])
    return Measure(
        "search",
        where,
        ours * 1e3,
        "ms",
        f"its filter alone ({peer * 1e3:,.2f} ms)",
        peer / ours,
        f"<= {target} x as long",
        ours <= target * peer,
    )


async def _size(conn: asyncpg.Connection, size: int) -> Measure:
    """Bytes of the blocks with their indexes, beside those of a row a night, counted for a sample of the room types."""
    await conn.execute(f"SET ROLE {Role.OWNER.value}")
    await conn.execute(NIGHTS)
    await conn.execute(A_ROW_A_NIGHT, SAMPLE)
    await conn.execute("VACUUM nights")
    blocks = await conn.fetchval("SELECT pg_total_relation_size('search_blocks')")
    nights = await conn.fetchval("SELECT pg_total_relation_size('nights')") * size * ROOM_TYPES / SAMPLE
    return Measure(
        "search",
        f"blocks of {size:,} hotels",
        blocks / 2**20,
        "MB",
        f"a row a night ({nights / 2**20:,.0f} MB)",
        nights / blocks,
        ">= 10 x",
        nights >= 10 * blocks,
    )
