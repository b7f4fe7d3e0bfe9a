"""The sender's side of the database: buckets, marks, leases with a value, uploads, what waits."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db import outbox, turns
from db.pool import Role, as_role

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def worker(conn: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection as rahhal_worker, rolled back in the end."""
    await conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    yield conn


async def as_owner(conn: asyncpg.Connection, statement: str, *args: object) -> list[asyncpg.Record]:
    await conn.execute(f"SET LOCAL ROLE {Role.OWNER.value}")
    rows: list[asyncpg.Record] = await conn.fetch(statement, *args)
    await conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    return rows


async def waiting(conn: asyncpg.Connection, *texts: str, chat: str = "-1") -> outbox.Lane:
    """Rows to send, in a lane that is leased."""
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    await turns.tell_operators(conn, chat=chat, key="k", locale="ar", payloads=[{"text": t} for t in texts])
    await conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    lane = await outbox.lease_lane(conn, channels=["telegram"], worker="w", lease=MINUTE)
    assert lane is not None
    return lane


# ------------------------------------------------------------------------------------------------ buckets


async def take(conn: asyncpg.Connection, capacity: float = 3, rate: float = 0.5, bucket: str = "b") -> float:
    return await outbox.take_token(conn, bucket=bucket, capacity=capacity, per_second=rate)


async def test_a_bucket_begins_full_and_says_how_long_to_wait(worker: asyncpg.Connection) -> None:
    assert [await take(worker) for _ in range(3)] == [0, 0, 0]
    wait = await take(worker)
    assert 1.5 < wait <= 2
    assert 1.5 < await take(worker) <= 2, "asking again costs nothing"
    assert await take(worker, bucket="another") == 0


@pytest.mark.parametrize(("seconds", "tokens"), [(1, 0), (2, 1), (5, 2), (3_600, 3), (-60, 0)])
async def test_a_bucket_fills_with_time_up_to_its_capacity(
    worker: asyncpg.Connection, seconds: int, tokens: int
) -> None:
    """Also when the clock was set back: then nothing is gained."""
    while await take(worker) == 0:
        pass
    await as_owner(
        worker, "UPDATE buckets SET updated_at = clock_timestamp() - make_interval(secs => $1)", seconds
    )
    granted = 0
    while await take(worker) == 0:
        granted += 1
    assert granted == tokens


async def test_workers_together_never_exceed_the_limit(pool: asyncpg.Pool) -> None:
    capacity, rate = 5.0, 40.0
    granted: list[bool] = []
    # The bucket is born with the first token, so the clock is read before it and after the last.
    began: dt.datetime = await pool.fetchval("SELECT clock_timestamp()")
    enough = asyncio.Event()

    async def hammer() -> None:
        async with pool.acquire() as conn:
            while not enough.is_set():
                async with as_role(conn, Role.WORKER):
                    token = await take(conn, capacity, rate) == 0
                granted.extend([token] * token)
                if len(granted) >= 30:
                    enough.set()

    await asyncio.wait_for(asyncio.gather(*(hammer() for _ in range(6))), 20)
    ended: dt.datetime = await pool.fetchval("SELECT clock_timestamp()")
    assert len(granted) >= 30
    assert len(granted) <= capacity + rate * (ended - began).total_seconds()


async def test_a_drained_bucket_is_empty_for_as_long_as_was_asked(worker: asyncpg.Connection) -> None:
    await outbox.drain_bucket(worker, bucket="b", per_second=0.5, seconds=30)
    assert 29 < await take(worker) <= 30
    await as_owner(worker, "UPDATE buckets SET updated_at = updated_at - interval '29 seconds'")
    assert 0 < await take(worker) <= 1
    await as_owner(worker, "UPDATE buckets SET updated_at = updated_at - interval '1 second'")
    assert await take(worker) == 0


@pytest.mark.parametrize(("first", "second", "lasts"), [(60, 1, 60), (1, 60, 60), (60, 60, 60)])
async def test_the_longest_request_for_patience_stands(
    worker: asyncpg.Connection, first: float, second: float, lasts: float
) -> None:
    for seconds in (first, second):
        await outbox.drain_bucket(worker, bucket="b", per_second=0.5, seconds=seconds)
    assert lasts - 1 < await take(worker) <= lasts


# ------------------------------------------------------------------------------------------------ marks


async def test_a_mark_is_made_once(worker: asyncpg.Connection) -> None:
    lane = await waiting(worker, "1", "2")
    one, two = (row.id for row in lane.rows)
    await outbox.mark_sent(worker, row=one, external_id="m1")
    await outbox.mark_sent(worker, row=one, external_id="m2")
    await outbox.mark_dead(worker, row=one, problem="too late")
    await outbox.mark_dead(worker, row=two, problem="refused")
    await outbox.mark_dead(worker, row=two, problem="again")
    await outbox.mark_sent(worker, row=two, external_id="m3")
    rows = await as_owner(
        worker,
        "SELECT external_id, sent_at IS NOT NULL, dead_at IS NOT NULL, last_error FROM outbox ORDER BY id",
    )
    assert [tuple(row) for row in rows] == [("m1", True, False, None), (None, False, True, "refused")]
    letters = await as_owner(worker, "SELECT reason, payload FROM dead_letters")
    assert [tuple(row) for row in letters] == [("refused", {"outbox_id": two, "key": "k"})]


async def test_a_retry_holds_the_whole_lane(worker: asyncpg.Connection) -> None:
    lane = await waiting(worker, "1", "2")
    assert await outbox.mark_retry(worker, row=lane.rows[0].id, pause=MINUTE, problem="busy") == 1
    await outbox.release_lane(worker, conversation=lane.conversation_id, worker="w")
    assert await outbox.lease_lane(worker, channels=["telegram"], worker="w", lease=MINUTE) is None
    await as_owner(worker, "UPDATE lanes SET not_before = now()")
    again = await outbox.lease_lane(worker, channels=["telegram"], worker="w", lease=MINUTE)
    assert again is not None
    assert [(row.id, row.attempts) for row in again.rows] == [(lane.rows[0].id, 1), (lane.rows[1].id, 0)]


async def test_a_lease_brings_a_limited_number_of_rows(worker: asyncpg.Connection) -> None:
    lane = await waiting(worker, *(str(n) for n in range(25)))
    assert [row.payload["text"] for row in lane.rows] == [str(n) for n in range(10)]


# ------------------------------------------------------------------------------------------------ leases


async def hold(conn: asyncpg.Connection, worker: str) -> bool:
    return await outbox.hold_lease(conn, name="poll", worker=worker, lease=MINUTE)


async def expire(conn: asyncpg.Connection) -> None:
    await as_owner(conn, "UPDATE leases SET leased_until = clock_timestamp()")


async def test_a_lease_has_one_holder_who_renews_it(worker: asyncpg.Connection) -> None:
    assert await hold(worker, "a")
    assert not await hold(worker, "b")
    assert await hold(worker, "a")
    await expire(worker)
    assert await hold(worker, "b")
    assert not await hold(worker, "a")


async def test_one_of_many_gets_the_lease(pool: asyncpg.Pool) -> None:
    async def try_it(name: str) -> bool:
        async with pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await hold(conn, name)

    held = await asyncio.wait_for(asyncio.gather(*(try_it(f"w{n}") for n in range(8))), 15)
    assert held.count(True) == 1


async def test_a_lease_given_up_is_free_after_the_pause(worker: asyncpg.Connection) -> None:
    await hold(worker, "a")
    await outbox.drop_lease(worker, name="poll", worker="b")
    assert not await hold(worker, "b"), "not hers to give up"
    await outbox.drop_lease(worker, name="poll", worker="a", pause=MINUTE)
    assert not await hold(worker, "a")
    await expire(worker)
    assert await hold(worker, "b")
    await outbox.drop_lease(worker, name="poll", worker="b")
    assert await hold(worker, "a")


async def test_the_value_outlives_its_holder_and_only_the_holder_writes_it(
    worker: asyncpg.Connection,
) -> None:
    assert await outbox.lease_value(worker, name="poll") is None
    assert not await outbox.set_lease_value(worker, name="poll", worker="a", value=1)
    await hold(worker, "a")
    assert await outbox.set_lease_value(worker, name="poll", worker="a", value=41)
    await expire(worker)
    await hold(worker, "b")
    assert not await outbox.set_lease_value(worker, name="poll", worker="a", value=7), (
        "the old one comes too late"
    )
    assert await outbox.lease_value(worker, name="poll") == 41


# ------------------------------------------------------------------------------------------------ the rest


async def test_an_upload_is_found_by_channel_and_content(worker: asyncpg.Connection) -> None:
    one, two = "a" * 64, "b" * 64
    await outbox.remember_upload(worker, channel="telegram", sha256=one, media_id="m1")
    await outbox.remember_upload(worker, channel="whatsapp", sha256=one, media_id="m2")
    await outbox.remember_upload(worker, channel="telegram", sha256=one, media_id="m3")
    assert await outbox.uploaded(worker, channel="telegram", sha256=one) == "m3"
    assert await outbox.uploaded(worker, channel="whatsapp", sha256=one) == "m2"
    assert await outbox.uploaded(worker, channel="telegram", sha256=two) is None


async def test_the_backlog_counts_what_waits(worker: asyncpg.Connection) -> None:
    before = await outbox.backlog(worker)
    lane = await waiting(worker, "1", "2", "3")
    await outbox.mark_sent(worker, row=lane.rows[0].id, external_id=None)
    await outbox.mark_dead(worker, row=lane.rows[1].id, problem="no")
    after = await outbox.backlog(worker)
    assert {name: after[name] - before[name] for name in after} == {
        "inbox": 0,
        "outbox": 1,
        "dead_letters": 1,
        "humans_wanted": 0,
    }
