"""The group commit: committed when awaited, never twice, through lost connections, refused rows and a full queue."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bot.domain.behavior import Action, page_opened
from bot.errors import DatabaseUnavailable
from db import behavior, behavior_writer
from db.behavior import Occurrence, new_id
from db.behavior_writer import BehaviorWriter
from db.pool import Role, as_role

PATIENCE = 15.0
NOW = dt.datetime.now(dt.UTC)


def seen(**more: Any) -> Occurrence:
    given = {"id": new_id(NOW), "at": NOW, "action": Action.LINK_OPENED.value}
    return Occurrence(**{**given, **more})


class Log:
    """A database, any number of writers to it, and a look at what they wrote."""

    def __init__(self, pool: asyncpg.Pool, dsn: str, stack: AsyncExitStack) -> None:
        self.pool = pool
        self.dsn = dsn
        self._stack = stack

    async def writer(self, *, start: bool = True, dsn: str = "", **bounds: int) -> BehaviorWriter:
        writer = BehaviorWriter(dsn or self.dsn, **bounds)
        if start:
            await writer.start()
        self._stack.push_async_callback(writer.stop, patience=0.1)
        return writer

    async def rows(self) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self.owner("SELECT * FROM user_behavior_log ORDER BY id")
        return found

    async def owner(self, query: str, *args: Any) -> Any:
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            return await conn.fetch(query, *args)

    async def person(self, *, consented: bool | None, visitor_token: str | None = None) -> UUID:
        rows = await self.owner(
            "INSERT INTO users (consented, consented_at, timezone) "
            "VALUES ($1::boolean, CASE WHEN $1::boolean IS NOT NULL THEN now() END, 'Asia/Riyadh') RETURNING id",
            consented,
        )
        if visitor_token:
            await self.owner(
                "WITH v AS (INSERT INTO webchat_visitors (token_hash, expires_at) VALUES ($1, now() + interval '1 day') "
                "RETURNING visitor) INSERT INTO user_identities (channel, external_id, user_id) "
                "SELECT 'webchat', visitor::text, $2 FROM v",
                sha256(visitor_token.encode()).digest(),
                rows[0]["id"],
            )
        found: UUID = rows[0]["id"]
        return found

    async def hang_up(self) -> None:
        async with self.pool.acquire() as conn:
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'rahhal-log' AND datname = current_database()"
            )


@pytest.fixture
async def log(pool: asyncpg.Pool, database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Log]:
    monkeypatch.setattr(behavior_writer, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(behavior_writer, "LONGEST_PAUSE", 0.05)
    async with AsyncExitStack() as stack:
        yield Log(pool, database, stack)


async def within(work: Any) -> Any:
    return await asyncio.wait_for(work, PATIENCE)


async def test_awaited_means_committed(log: Log) -> None:
    writer = await log.writer()
    await within(writer.offer(seen(data='{"code": "abc"}', referrer="example.com", device="webchat")))
    row = (await log.rows())[0]
    assert (row["action_type"], row["action_data"], row["timestamp"]) == ("فتح_رابط", {"code": "abc"}, NOW)
    assert (row["user_id"], row["referrer_source"], row["device_type"]) == (None, "example.com", "webchat")
    assert writer.waiting == 0


async def test_many_tasks_share_few_statements(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    append = behavior.append

    async def counted(conn: Any, *, occurrences: Any) -> int:
        sizes.append(len(occurrences))
        return await append(conn, occurrences=occurrences)

    monkeypatch.setattr(behavior, "append", counted)
    writer = await log.writer(most_rows=100)
    await within(asyncio.gather(*(writer.offer(seen()) for _ in range(450))))
    assert sum(sizes) == 450 == len(await log.rows())
    assert max(sizes) == 100, "a flush is bounded"
    assert len(sizes) <= 6, "and takes all that waits"


async def test_the_same_event_again_is_no_second_row(log: Log) -> None:
    writer = await log.writer()
    event = seen()
    await within(asyncio.gather(writer.offer(event), writer.offer(event)))
    await within(writer.offer(event))
    assert len(await log.rows()) == 1


async def test_a_lost_connection_loses_and_doubles_nothing(log: Log) -> None:
    """Hung up again and again while 40 tasks write: also between a commit and its answer."""
    writer = await log.writer(most_rows=7)
    events = [[seen() for _ in range(15)] for _ in range(40)]

    written = 0

    async def write(mine: list[Occurrence]) -> None:
        nonlocal written
        for event in mine:
            await writer.offer(event)
            written += 1

    async def disturb() -> None:
        for enough in range(40, 600, 40):  # each time something got through
            while written < enough:
                await asyncio.sleep(0.001)
            await log.hang_up()

    disturbing = asyncio.create_task(disturb())
    await within(asyncio.gather(*(write(mine) for mine in events)))
    await within(disturbing)
    assert sorted(row["id"] for row in await log.rows()) == sorted(e.id for mine in events for e in mine)


async def test_a_commit_whose_answer_was_lost_is_sent_again(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = behavior.append
    tries = 0

    async def unheard(conn: Any, *, occurrences: Any) -> int:
        nonlocal tries
        new = await append(conn, occurrences=occurrences)
        tries += 1
        if tries == 1:
            raise ConnectionResetError
        assert new == 0, "they are there already"
        return new

    monkeypatch.setattr(behavior, "append", unheard)
    writer = await log.writer()
    await within(asyncio.gather(writer.offer(seen()), writer.offer(seen())))
    assert tries >= 2
    assert len(await log.rows()) == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"action": "ركض"},
        {"action": Action.BOOKING_COMPLETED.value},
        {"data": "{"},
        {"data": '"\\u0000"'},
        {"referrer": "\ud800"},
        {"device": "x" * 100},
    ],
    ids=["unknown action", "of nobody", "no JSON", "a NUL", "half a character", "too long"],
)
async def test_one_refused_event_fails_alone(log: Log, bad: dict[str, Any]) -> None:
    writer = await log.writer(start=False)
    good = [writer.offer(seen()) for _ in range(10)]
    refused = writer.offer(seen(**bad))
    good += [writer.offer(seen()) for _ in range(10)]
    await writer.start()
    with pytest.raises(ValueError, match="refuses"):
        await within(refused)
    await within(asyncio.gather(*good))
    assert len(await log.rows()) == 20


async def test_a_full_queue_refuses_and_keeps_what_it_has(log: Log) -> None:
    writer = await log.writer(start=False, most_waiting=3)
    kept = [writer.offer(seen()) for _ in range(3)]
    with pytest.raises(DatabaseUnavailable):
        writer.offer(seen())
    await writer.start()
    await within(asyncio.gather(*kept))
    await within(writer.offer(seen()))
    assert len(await log.rows()) == 4


async def test_what_waits_is_written_at_the_end(log: Log) -> None:
    writer = await log.writer()
    futures = [writer.offer(seen()) for _ in range(50)]
    await writer.stop(patience=PATIENCE)
    assert all(future.done() and future.exception() is None for future in futures)
    assert len(await log.rows()) == 50
    with pytest.raises(DatabaseUnavailable):
        writer.offer(seen())


async def test_at_the_end_without_a_database_everybody_is_told(log: Log) -> None:
    writer = await log.writer(dsn="postgresql://nobody@127.0.0.1:1/none")
    future = writer.offer(seen())
    nobody_waits = writer.offer(seen())
    await writer.stop(patience=0.05)
    with pytest.raises(DatabaseUnavailable):
        await future
    assert nobody_waits.done()
    assert writer.waiting == 0


async def test_a_cancelled_waiter_holds_up_nobody(log: Log) -> None:
    writer = await log.writer(start=False)
    gone = writer.offer(seen())
    other = writer.offer(seen())
    gone.cancel()
    await writer.start()
    await within(other)
    assert len(await log.rows()) == 2


# ------------------------------------------------------------------------------------------------ whose


@pytest.mark.parametrize(("consented", "named"), [(None, False), (False, False), (True, True)])
@pytest.mark.parametrize("known_by", ["user", "cookie"])
async def test_a_person_is_named_only_with_her_consent(
    log: Log, consented: bool | None, named: bool, known_by: str
) -> None:
    person = await log.person(consented=consented, visitor_token="hers")
    cookie = sha256(b"hers").digest()
    writer = await log.writer()
    midnight = dt.datetime(
        2026, 4, 2, 21, 30, tzinfo=dt.UTC
    )  # a Thursday; in Riyadh half past midnight on Friday
    whose = {"user_id": person} if known_by == "user" else {"visitor": cookie}
    await within(writer.offer(seen(at=midnight, **whose)))
    row = (await log.rows())[0]
    assert row["user_id"] == (person if named else None)
    assert (row["hour_of_day"], row["day_of_week"]) == ((0, 5) if named else (21, 4))


async def test_an_unknown_cookie_is_nobody(log: Log) -> None:
    await log.person(consented=True, visitor_token="hers")
    writer = await log.writer()
    await within(
        writer.offer(page_opened(at=NOW, visitor=sha256(b"another").digest(), page="chat", referrer=None))
    )
    await within(writer.offer(seen(user_id=uuid4())))
    assert [row["user_id"] for row in await log.rows()] == [None, None]


def test_ids_carry_their_moment() -> None:
    at = dt.datetime(2026, 4, 2, 21, 30, 0, 123_000, tzinfo=dt.UTC)
    made = new_id(at)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == int(at.timestamp() * 1000)
    assert new_id(at) != made


async def test_actions_are_the_table_s(conn: asyncpg.Connection) -> None:
    definition = await conn.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = 'user_behavior_log'::regclass AND conname = 'user_behavior_log_action_type_check'"
    )
    assert set(definition.split("'")[1::2]) == {action.value for action in Action}


async def test_health_tells_of_rows_that_found_no_month(log: Log) -> None:
    async def health() -> behavior.LogHealth:
        async with log.pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await behavior.log_health(conn)

    before = await health()
    assert before.in_default == before.archived == 0
    assert before.last_month == (NOW.date().replace(day=1) + dt.timedelta(days=100)).replace(day=1)
    writer = await log.writer()
    await within(writer.offer(seen(at=NOW + dt.timedelta(days=4000))))
    assert (await health()).in_default == 1
