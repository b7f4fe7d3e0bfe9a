"""The demo in the database: filled once, priced for any now, and bookable as every other hotel."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg

from bot.suppliers.demo import Filled, extend_horizon, fill
from bot.suppliers.demo.hotels import catalogue
from db.pool import Role, as_role, prepare

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


async def priced(conn: asyncpg.Connection, night: date) -> int:
    """How many room types have a price that night, as searches see it."""
    return int(
        await conn.fetchval(
            """
            SELECT count(*) FROM search_blocks
            WHERE block = app.day_number($1) / 28 AND (free >> (app.day_number($1) % 28)) & 1 = 1
            """,
            night,
        )
    )


async def test_the_whole_story(database: str) -> None:
    """One fill serves all of these: it takes seconds."""
    one, two = await asyncpg.connect(database), await asyncpg.connect(database)
    await prepare(one)
    await prepare(two)

    async def filled(conn: asyncpg.Connection) -> Filled:
        async with as_role(conn, Role.OWNER):
            return await fill(conn, now=NOW)

    both = await asyncio.gather(filled(one), filled(two))
    done = max(both, key=lambda each: each.hotels)
    assert sorted(each.hotels for each in both) == [0, len(catalogue())], "two processes at once fill it once"
    rooms = sum(len(hotel.rooms) for hotel in catalogue())
    assert done.room_types == rooms
    assert await filled(one) == Filled()

    async with as_role(one, Role.OWNER):
        for ahead in (0, 1, 200, 540):
            assert await priced(one, NOW.date() + timedelta(days=ahead)) == rooms
        assert await extend_horizon(one, now=NOW) == 0
        assert await extend_horizon(one, now=NOW + timedelta(days=9)) == 0

    for now in (
        datetime(2026, 12, 2, tzinfo=UTC),
        datetime(2031, 5, 1, tzinfo=UTC),
        datetime(2019, 3, 5, tzinfo=UTC),
    ):
        async with as_role(one, Role.OWNER):
            before = await one.fetchval("SELECT count(*) FROM room_rates")
            written = await extend_horizon(one, now=now)
            assert written > 0
            assert await one.fetchval("SELECT count(*) FROM room_rates") == before + written
            assert await extend_horizon(one, now=now) == 0
            assert await priced(one, now.date()) == rooms
            assert await priced(one, now.date() + timedelta(days=540)) == rooms

    async with as_role(one, Role.OWNER):
        overlapping = await one.fetchval(
            """
            SELECT count(*) FROM room_rates a JOIN room_rates b USING (room_type_id)
            WHERE a.id < b.id AND a.weekdays & b.weekdays <> 0
              AND a.from_night <= b.to_night AND b.from_night <= a.to_night
              AND room_type_id IN (SELECT id FROM room_types ORDER BY id LIMIT 40)
            """
        )
        assert overlapping == 0
        assert await one.fetchval("SELECT bool_and(demo AND listed) FROM hotels")
    await one.close()
    await two.close()


async def test_an_operators_catalogue_is_left_alone(conn: asyncpg.Connection) -> None:
    await conn.execute(
        """
        INSERT INTO hotels (identifier, name_ar, name_en, city, city_ar, city_en, country, stars, latitude, longitude,
                            setting, timezone, currency, free_days)
        VALUES ('own', 'فندقنا', 'Ours', 360630, 'القاهرة', 'Cairo', 'EG', 4, 30, 31, 'city', 'Africa/Cairo', 'EGP', 1)
        """
    )
    assert await fill(conn, now=NOW) == Filled()
    assert await extend_horizon(conn, now=NOW) == 0
    assert await conn.fetchval("SELECT count(*) FROM hotels") == 1
