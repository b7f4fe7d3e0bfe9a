"""Who is asked how a stay was: once, the day after, where she may be written to; and why not, where not."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bot.events import Due, Event
from db import outcomes
from db.pool import Role, as_role
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell

OVER = small_hotel.night(2)
TEN = small_hotel.clock(OVER + timedelta(days=1), 10)
"""Ten in the morning after the day of departure, at the hotel."""


async def talk(conn: asyncpg.Connection, person: UUID, channel: str = "telegram", **columns: Any) -> UUID:
    """A conversation of that person, last heard of two days ago."""
    columns = {"last_heard_at": TEN - timedelta(days=2), **columns}
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", ${number}" for number in range(4, 4 + len(columns)))
    made: UUID = await conn.fetchval(
        f"INSERT INTO conversations (user_id, channel, thread, address{names}) VALUES ($1, $2, $3, $3{values}) RETURNING id",
        person,
        channel,
        f"{channel}-{person}",
        *columns.values(),
    )
    return made


async def ask(conn: asyncpg.Connection, now: datetime = TEN) -> int:
    await conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    asked = await outcomes.ask_about_stays(conn, now=now)
    await conn.execute(f"SET LOCAL ROLE {Role.OWNER.value}")
    return asked


async def fates(conn: asyncpg.Connection) -> list[str]:
    return [row["fate"] for row in await conn.fetch("SELECT fate FROM stay_surveys ORDER BY booking_id")]


@pytest.fixture
async def sara(conn: asyncpg.Connection) -> UUID:
    """She left the small hotel on the third day."""
    hotel = await small_hotel.open_hotel(conn)
    person = await small_hotel.newcomer(conn)
    await completed_stay(conn, person, hotel)
    return person


async def test_she_is_asked_once_the_day_after(conn: asyncpg.Connection, sara: UUID) -> None:
    conversation = await talk(conn, sara)
    assert await ask(conn, TEN - timedelta(minutes=1)) == 0
    assert await ask(conn) == 1
    assert await ask(conn) == 0
    assert await fates(conn) == ["asked"]
    [row] = await conn.fetch("SELECT event, conversation_id, sent_at FROM inbox")
    event = Event.model_validate(row["event"])
    assert isinstance(event.content, Due)
    assert event.content.argument == await conn.fetchval("SELECT reference FROM trips")
    assert row["conversation_id"] == conversation
    assert row["sent_at"] == TEN - timedelta(days=2), (
        "it is no word of hers: WhatsApp's window stays as it was"
    )


async def test_after_a_week_nobody_is_asked_any_more(conn: asyncpg.Connection, sara: UUID) -> None:
    await talk(conn, sara)
    assert await ask(conn, TEN + timedelta(days=8)) == 0
    assert await fates(conn) == []


@pytest.mark.parametrize(
    ("channel", "columns", "fate"),
    [
        ("telegram", {"stopped_at": TEN, "stopped_because": "asked"}, "stopped"),
        ("telegram", {"stopped_at": TEN, "stopped_because": "blocked"}, "stopped"),
        ("whatsapp", {"window_until": TEN}, "window_closed"),
        ("whatsapp", {"window_until": None}, "window_closed"),
        ("whatsapp", {"window_until": TEN + timedelta(minutes=1)}, "asked"),
        ("terminal", {}, "no_conversation"),
        ("webchat", {}, "asked"),
    ],
)
async def test_where_she_may_be_written_to(
    conn: asyncpg.Connection, sara: UUID, channel: str, columns: dict[str, Any], fate: str
) -> None:
    await talk(conn, sara, channel, **columns)
    assert await ask(conn) == (fate == "asked")
    assert await fates(conn) == [fate]
    assert await conn.fetchval("SELECT count(*) FROM inbox") == (fate == "asked")


async def test_the_way_that_is_open_is_taken(conn: asyncpg.Connection, sara: UUID) -> None:
    await talk(
        conn, sara, "whatsapp", last_heard_at=TEN - timedelta(hours=30), window_until=TEN - timedelta(hours=6)
    )
    older = await talk(conn, sara, "telegram", last_heard_at=TEN - timedelta(days=9))
    assert await ask(conn) == 1
    assert await conn.fetchval("SELECT conversation_id FROM inbox") == older


async def test_silence_asked_for_anywhere_is_silence_everywhere(conn: asyncpg.Connection, sara: UUID) -> None:
    await talk(
        conn, sara, "whatsapp", stopped_at=TEN, stopped_because="asked", window_until=TEN + timedelta(hours=1)
    )
    await talk(conn, sara, "telegram")
    assert await ask(conn) == 0
    assert await fates(conn) == ["stopped"]


async def test_who_told_already_is_not_asked(conn: asyncpg.Connection, sara: UUID) -> None:
    await talk(conn, sara)
    await tell(conn, await conn.fetchval("SELECT id FROM bookings"))
    assert await ask(conn) == 0
    assert await fates(conn) == ["told"]


async def test_who_is_in_the_middle_of_something_is_asked_later(conn: asyncpg.Connection, sara: UUID) -> None:
    frames = {"frames": [{"flow": "search"}]}
    conversation = await talk(conn, sara, dialogue=frames, last_heard_at=TEN - timedelta(minutes=5))
    assert await ask(conn) == 0
    assert await fates(conn) == [], "undecided"
    assert await ask(conn, TEN + timedelta(hours=1)) == 1
    assert await conn.fetchval("SELECT conversation_id FROM stay_surveys") == conversation


@pytest.mark.parametrize("change", ["account_status = 'suspended'", "demo = true"])
async def test_who_is_not_asked_at_all(conn: asyncpg.Connection, sara: UUID, change: str) -> None:
    await talk(conn, sara)
    await conn.execute(f"UPDATE users SET {change} WHERE id = $1", sara)
    assert await ask(conn) == 0


async def test_two_workers_ask_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        hotel = await small_hotel.open_hotel(conn)
        for _ in range(5):
            person = await small_hotel.newcomer(conn)
            await completed_stay(conn, person, hotel)
            await talk(conn, person)

    async def work() -> int:
        async with pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await outcomes.ask_about_stays(conn, now=TEN)

    await asyncio.gather(*(work() for _ in range(4)))
    await work()  # whom a worker had passed over
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert await conn.fetchval("SELECT count(*) FROM inbox") == 5
        assert await fates(conn) == ["asked"] * 5
