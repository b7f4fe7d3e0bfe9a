"""Periodic jobs: one worker each, failures reported and due again, partitions kept ahead."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import asyncpg
import pytest

from bot.events import Channel
from bot.jobs import schedule
from bot.jobs.schedule import JOBS, MONTHS_AHEAD, Job, keep_schedule, make_partitions
from db import outbox, sharing
from db.pool import Role, as_role
from tests.db.referral_world import open_world
from tests.turn.toy import NOW, Toy, event, running, until, within

HOUR = dt.timedelta(hours=1)


async def claim(pool: asyncpg.Pool, job: str, every: dt.timedelta = HOUR) -> bool:
    async with pool.acquire() as conn, as_role(conn, Role.WORKER):
        return await outbox.claim_job(conn, job=job, every=every)


async def finish(pool: asyncpg.Pool, job: str, outcome: str = "done") -> None:
    async with pool.acquire() as conn, as_role(conn, Role.WORKER):
        await outbox.finish_job(conn, job=job, outcome=outcome)


async def test_a_due_job_is_given_to_one_of_many_workers(toy: Toy) -> None:
    for due in ("the first time", "again"):
        given = await within(asyncio.gather(*(claim(toy.pool, "tidy") for _ in range(8))))
        assert given.count(True) == 1, due
        await finish(toy.pool, "tidy")
        assert not await claim(toy.pool, "tidy"), "not before its time"
        await toy.fetch("UPDATE job_runs SET next_at = now()")


async def test_a_job_under_way_is_not_begun_a_second_time(toy: Toy) -> None:
    assert await claim(toy.pool, "tidy", dt.timedelta(0))
    assert not await claim(toy.pool, "tidy", dt.timedelta(0))
    assert await claim(toy.pool, "other")


async def test_a_job_whose_worker_died_is_taken_over(toy: Toy) -> None:
    """However seldom the job is due: a quarter of an hour after it began, not at its next time."""
    assert await claim(toy.pool, "tidy", 24 * HOUR)
    await toy.fetch("UPDATE job_runs SET started_at = started_at - interval '14 minutes'")
    assert not await claim(toy.pool, "tidy", 24 * HOUR)
    await toy.fetch("UPDATE job_runs SET started_at = started_at - interval '2 minutes'")
    assert await claim(toy.pool, "tidy", 24 * HOUR)


@pytest.mark.parametrize("error", [TimeoutError("slow"), KeyError("ours"), asyncpg.PostgresError("theirs")])
async def test_a_failed_job_is_reported_and_stops_no_other(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ran: list[str] = []

    async def bad(conn: asyncpg.Connection, now: dt.datetime) -> str:
        ran.append("bad")
        await conn.execute("UPDATE users SET country = 'SA'")
        raise error

    async def good(conn: asyncpg.Connection, now: dt.datetime) -> str:
        ran.append(f"good at {now:%H:%M} as {await conn.fetchval('SELECT current_user')}")
        return "fine"

    await toy.say("note 1")
    jobs = (Job("bad", dt.timedelta(0), Role.OWNER, bad), Job("good", HOUR, Role.WORKER, good))
    monkeypatch.setattr(schedule, "JOBS", jobs)
    monkeypatch.setattr(schedule, "LOOK", 0.01)
    stopping = asyncio.Event()
    async with running(keep_schedule(toy.pool, lambda: NOW, stopping, demo=False)) as keeping:
        await until(lambda: _several(ran))
        stopping.set()
        await within(keeping)
    assert ran.count("good at 21:30 as rahhal_worker") == 1
    assert ran.count("bad") >= 3, "due again"
    outcomes = {row["job"]: row["outcome"] for row in await toy.fetch("SELECT job, outcome FROM job_runs")}
    assert outcomes == {"bad": f"failed: {type(error).__name__}", "good": "fine"}
    assert (await toy.person())["country"] == "EG", "nothing of it was kept"
    assert [line["log_level"] for line in toy.lines if line.get("job") == "bad"]


async def _several(ran: list[str]) -> bool:
    return ran.count("bad") >= 3 and len(ran) > 3


async def test_a_stop_ends_the_wait_for_the_next_look(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "JOBS", ())
    monkeypatch.setattr(schedule, "LOOK", 600.0)
    stopping = asyncio.Event()
    async with running(keep_schedule(toy.pool, lambda: NOW, stopping, demo=False)) as keeping:
        await asyncio.sleep(0)
        stopping.set()
        await within(keeping)


def test_names_are_unique_and_no_job_runs_as_a_turn() -> None:
    names = [job.name for job in (*JOBS, *schedule.DEMO_JOBS)]
    assert len(set(names)) == len(names)
    assert all(job.role is not Role.APP for job in JOBS)


# ------------------------------------------------------------------------------------------------ partitions


async def partitions(toy: Toy) -> set[str]:
    rows = await toy.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'user_behavior_log'::regclass"
    )
    return {row["name"].removeprefix("user_behavior_log_") for row in rows}


async def run_partitions(toy: Toy, now: dt.datetime) -> str:
    async with toy.pool.acquire() as conn, as_role(conn, Role.OWNER):
        return await make_partitions(conn, now)


async def test_months_are_made_ahead_and_making_them_again_is_nothing(toy: Toy) -> None:
    now = dt.datetime(2031, 11, 30, 23, 59, tzinfo=dt.UTC)
    before = await partitions(toy)
    assert await run_partitions(toy, now) == f"{MONTHS_AHEAD + 2} made"
    assert await partitions(toy) - before == {"2031_10", "2031_11", "2031_12", "2032_01", "2032_02"}
    assert await run_partitions(toy, now) == "0 made"


async def test_rows_that_had_no_month_yet_move_into_it(toy: Toy) -> None:
    moments = [
        dt.datetime(2031, 12, 1, tzinfo=dt.UTC),
        dt.datetime(2031, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
        dt.datetime(2032, 9, 1, tzinfo=dt.UTC),
    ]
    for moment in moments:
        toy.now = moment
        await toy.say(f"note {moment:%Y-%m-%d}")
    before = await _log(toy)
    assert set(before.values()) == {"default"}
    await run_partitions(toy, moments[0])
    after = await _log(toy)
    assert after.keys() == before.keys()
    assert list(after.values()) == ["2031_12", "2031_12", "default"]
    toy.now = moments[0]
    await toy.say("note later")
    assert list((await _log(toy)).values()).count("2031_12") == 3


async def _log(toy: Toy) -> dict[Any, str]:
    rows = await toy.fetch(
        'SELECT id, tableoid::regclass::text AS place FROM user_behavior_log ORDER BY "timestamp", id'
    )
    return {row["id"]: row["place"].removeprefix("user_behavior_log_") for row in rows}


async def test_a_new_month_is_isolated_and_indexed_like_the_others(toy: Toy) -> None:
    await run_partitions(toy, dt.datetime(2031, 6, 1, tzinfo=dt.UTC))
    facts = await toy.fetch(
        "SELECT c.relrowsecurity, c.relforcerowsecurity, "
        "  (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes, "
        "  (SELECT array_agg(p.polname::text ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies, "
        "  c.relacl::text AS grants, pg_get_userbyid(c.relowner)::text AS owner "
        "FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid "
        "WHERE h.inhparent = 'user_behavior_log'::regclass"
    )
    assert len(facts) > 5
    assert len({tuple(map(str, row.values())) for row in facts}) == 1
    assert facts[0]["relrowsecurity"]
    assert facts[0]["relforcerowsecurity"]


# ------------------------------------------------------------------------------------------------ what has served


async def test_what_has_served_is_forgotten_and_what_is_needed_stays(toy: Toy) -> None:
    await toy.hear(event("note old"), event("note kept", channel=Channel.WEBCHAT, thread="visitor"))
    await toy.answer_all()
    async with toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
        for bucket in ("telegram:1", "telegram:2"):
            await outbox.take_token(conn, bucket=bucket, capacity=1, per_second=1)
    await toy.fetch("UPDATE outbox SET sent_at = now()")
    await toy.fetch("INSERT INTO dead_letters (channel, reason, payload) VALUES ('telegram', 'odd', '{}')")
    await toy.hear(event("note waiting", "omar"))
    await toy.fetch("UPDATE buckets SET updated_at = now() - interval '2 days' WHERE name = 'telegram:1'")
    for table, column in (("inbox", "received_at"), ("outbox", "created_at"), ("dead_letters", "created_at")):
        await toy.fetch(f"UPDATE {table} SET {column} = now() - interval '91 days'")

    async def run() -> str:
        async with toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await schedule.forget_old(conn, dt.datetime.now(dt.UTC))

    assert await run() == "4 forgotten"
    heard = {
        row["thread"]: row
        for row in await toy.fetch(
            "SELECT c.thread, i.* FROM inbox i JOIN conversations c ON c.id = i.conversation_id"
        )
    }
    assert heard["sara"]["event"] == {} and heard["sara"]["external_id"]
    assert heard["visitor"]["event"] != {}, "a web chat reads its own past from there"
    assert heard["omar"]["event"] != {}, "it is not answered yet"
    said = await toy.fetch(
        "SELECT c.thread, o.payload FROM outbox o JOIN conversations c ON c.id = o.conversation_id"
    )
    assert {row["thread"]: row["payload"] != {} for row in said} == {"sara": False, "visitor": True}
    assert [row["name"] for row in await toy.fetch("SELECT name FROM buckets")] == ["telegram:2"]
    assert await toy.fetch("SELECT * FROM dead_letters") == []
    assert [row["text"] for row in await toy.fetch("SELECT text FROM messages WHERE direction = 'in'")] == [
        "note old",
        "note kept",
    ]
    assert await run() == "0 forgotten"


async def test_a_message_delivered_again_after_it_was_forgotten_is_still_known(toy: Toy) -> None:
    once = event("note once")
    await toy.hear(once)
    await toy.answer_all()
    await toy.fetch("UPDATE inbox SET received_at = now() - interval '91 days'")
    async with toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
        await schedule.forget_old(conn, dt.datetime.now(dt.UTC))
    await toy.hear(once)
    assert await toy.answer_all() == 0


# ------------------------------------------------------------------------------------------------ invitations


async def test_the_jobs_of_invitations_run_as_a_worker(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        world = await open_world(conn)
        guest = await world.brings(await world.person())
        due = await world.stays(guest)
        code = await conn.fetchval("SELECT referral_code FROM referrals WHERE referral_code IS NOT NULL")
    async with pool.acquire() as conn, as_role(conn, Role.APP):
        await sharing.open_link(conn, code=code, visitor=b"v" * 16)
    outcomes = []
    for _ in range(2):
        for job in (job for job in JOBS if job.name in {"mature-referrals", "count-links"}):
            async with pool.acquire() as conn, as_role(conn, job.role):
                outcomes.append(await job.run(conn, due))
    assert outcomes == ["1 settled", "1 clicks", "0 settled", "0 clicks"]
