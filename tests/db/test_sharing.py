"""What is shared opens again for others, within bounds; every visitor of a link is counted once."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from db import referrals, sharing
from db.pool import Role, as_role
from db.referrals import Arrival
from db.sharing import ContentType, Opened
from tests.db.referral_world import World, open_world

SEARCH = {"destination": {"name_en": "Cairo"}, "adults": 2}


@pytest.fixture(name="world")
async def a_world(conn: asyncpg.Connection) -> World:
    return await open_world(conn)


async def share(world: World, person: Any, data: dict[str, Any] = SEARCH, platform: str = "telegram") -> str:
    await world.speaks(person)
    code = await sharing.share(
        world.conn, content_type="results", content_id="360630", content_data=data, platform=platform
    )
    await world.owner()
    return code


async def test_the_same_thing_has_one_code_on_each_platform(world: World) -> None:
    sara, omar = await world.person(), await world.person()
    code = await share(world, sara)
    assert await share(world, sara) == code
    others = {
        await share(world, sara, {**SEARCH, "adults": 3}),
        await share(world, sara, platform="whatsapp"),
        await share(world, omar),
    }
    assert len(others | {code}) == 4


async def test_what_was_shared_is_opened_by_anybody_and_brings_newcomers(world: World) -> None:
    sara, late = await world.person(), await world.person(new=False)
    code = await share(world, sara)
    for person, outcome in (
        (late, Arrival.NOT_NEW),
        (sara, Arrival.OWN),
        (await world.person(), Arrival.JOINED),
    ):
        opened = await world.comes(person, code)
        assert (opened.outcome, opened.content_type, opened.content_id, opened.content_data) == (
            outcome,
            "results",
            "360630",
            SEARCH,
        )


@pytest.mark.parametrize("data", [{"x": "م" * 2048}, ["a list"], "text"])
async def test_what_a_link_opens_is_bounded(world: World, data: Any) -> None:
    await world.speaks(await world.person())
    with pytest.raises(asyncpg.CheckViolationError):
        await world.conn.fetchval("SELECT app.share('results', '1', $1::jsonb, 'telegram')", data)


async def test_a_visitor_counts_once_for_each_link(world: World) -> None:
    sara = await world.person()
    invitation, shared = await world.link(sara), await share(world, sara)
    await world.conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    for code in (invitation, shared):
        kind: ContentType | None = "results" if code == shared else None
        for visitor, first in ((b"a" * 16, True), (b"b" * 16, True), (b"a" * 16, False), (None, False)):
            opened = await sharing.open_link(world.conn, code=code, visitor=visitor)
            assert opened == Opened(kind, first_time=first, reward=1000, bonus=500, currency="USD")
    assert await sharing.open_link(world.conn, code="ABCDEFGHJK2345", visitor=b"a" * 16) is None
    await world.conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    assert await sharing.count_links(world.conn) == 4
    assert await sharing.count_links(world.conn) == 0
    await world.owner()
    assert await world.conn.fetchval("SELECT clicks FROM referrals") == 2
    assert await world.conn.fetchval("SELECT click_count FROM shared_content") == 2


async def test_a_first_booking_is_a_conversion_of_what_was_shared(world: World) -> None:
    sara = await world.person()
    code = await share(world, sara)
    guests = [await world.person() for _ in range(2)]
    for guest in guests:
        await world.comes(guest, code)
    booking = await world.books(guests[0])
    for expected in (1, 0):
        await world.conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
        await sharing.count_links(world.conn)
        await world.owner()
        assert await world.conn.fetchval("SELECT conversions FROM shared_content") == expected
        if expected:
            await world.cancels(guests[0], booking)


async def test_old_visitors_are_forgotten_and_their_clicks_are_not(world: World) -> None:
    code = await world.link(await world.person())
    await world.conn.execute("SET LOCAL ROLE rahhal_service")
    await world.conn.execute(
        "INSERT INTO link_clicks (code, visitor, at) VALUES ($1, $2, now() - interval '91 days')",
        code,
        b"a" * 16,
    )
    await world.conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    assert await sharing.count_links(world.conn) == 1
    await world.owner()
    assert await world.conn.fetchval("SELECT count(*) FROM link_clicks") == 0
    assert await world.conn.fetchval("SELECT clicks FROM referrals") == 1


async def test_two_workers_count_every_click_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        world = await open_world(conn)
        codes = [await world.link(await world.person()) for _ in range(5)]

    async def click(number: int) -> None:
        async with pool.acquire() as conn, as_role(conn, Role.APP):
            await sharing.open_link(conn, code=codes[number % 5], visitor=number.to_bytes(16))

    async def count() -> int:
        async with pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await sharing.count_links(conn)

    await asyncio.wait_for(asyncio.gather(*(click(n) for n in range(100)), *(count() for _ in range(10))), 60)
    await count()
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        rows = await conn.fetch("SELECT clicks FROM referrals")
    assert [row["clicks"] for row in rows] == [20] * 5


async def test_a_forgotten_person_s_shares_open_nothing_and_keep_their_counts(world: World) -> None:
    sara = await world.person()
    code = await share(world, sara)
    await world.conn.execute("UPDATE shared_content SET click_count = 7")
    await referrals.erase(world.conn, user=sara)
    arrived = await world.comes(await world.person(), code)
    assert (arrived.outcome, arrived.content_type) == (Arrival.UNKNOWN, None)
    row = await world.conn.fetchrow(
        "SELECT user_id, content_id, content_data, click_count FROM shared_content"
    )
    assert tuple(row) == (None, None, {}, 7)
