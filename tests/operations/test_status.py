"""What `rahhal db status` and `rahhal db slow` say of a database that is well, new, neglected or busy."""

from __future__ import annotations

import asyncio
import datetime as dt

import asyncpg
import orjson

from bot.jobs.schedule import jobs
from bot.operations import status
from db import outbox, pool
from db.pool import Role, as_role

NOW = dt.datetime(2026, 4, 10, 12, tzinfo=dt.UTC)


async def test_a_new_database_has_only_migrations_to_run(empty_database: str) -> None:
    found = await status.read(empty_database, jobs(demo=False), now=NOW)
    assert found.pending_migrations[0] == "0001_roles.sql"
    assert found.alarms[0] == "migration 0001_roles.sql is not applied"
    assert {job.outcome for job in found.jobs} == {"never ran"}


async def test_a_migrated_database_is_well(database: str) -> None:
    found = await status.read(database, jobs(demo=True), now=NOW)
    assert found.alarms == ()
    assert found.size > 1_000_000
    assert len(found.behavior_log.partitions) >= 5
    assert list(status.lines(found))[-1] == "all is well"


async def test_a_database_without_a_worker_needs_somebody(database: str) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=3)
    found = await status.read(database, jobs(demo=False), now=later)
    (alarm,) = found.alarms
    assert alarm.startswith("no job ever ran in ") and alarm.endswith(" h: is a worker running?")


async def test_jobs_that_failed_or_are_late_need_somebody(database: str) -> None:
    connection = await asyncpg.connect(database)
    await pool.prepare(connection)
    async with as_role(connection, Role.WORKER):
        for job in ("partitions", "expire-holds"):
            await outbox.claim_job(connection, job=job, every=dt.timedelta(seconds=30))
        await outbox.finish_job(connection, job="partitions", outcome="failed: DiskFullError")
    await connection.close()
    now = dt.datetime.now(dt.UTC)
    found = await status.read(database, jobs(demo=False), now=now)
    by_name = {job.name: job for job in found.jobs}
    assert by_name["partitions"].outcome == "failed: DiskFullError"
    assert by_name["expire-holds"].outcome.startswith("runs since")
    assert found.alarms == ("job partitions: failed: DiskFullError",)
    later = await status.read(database, jobs(demo=False), now=now + dt.timedelta(hours=3))
    assert "job expire-holds is 2 h late: is a worker running?" in later.alarms


async def test_rows_without_a_month_and_dead_letters_need_somebody(database: str) -> None:
    connection = await asyncpg.connect(database)
    await pool.prepare(connection)
    async with as_role(connection, Role.SERVICE):
        await connection.execute(
            """
            INSERT INTO user_behavior_log (user_id, action_type, "timestamp", hour_of_day, day_of_week)
            VALUES (gen_random_uuid(), 'بدء_بحث', '2031-01-01', 9, 1)
            """
        )
        await connection.execute(
            "INSERT INTO dead_letters (channel, reason, payload) VALUES ('telegram', 'odd', '{}')"
        )
    await connection.close()
    found = await status.read(database, (), now=NOW)
    assert found.alarms == ("1 rows of the behavior log have no month", "1 dead letters")


async def test_the_status_is_json_too(database: str) -> None:
    found = status.as_json(await status.read(database, jobs(demo=False), now=NOW))
    assert orjson.loads(orjson.dumps(found)) == found
    assert found["alarms"] == []
    assert {"server", "size", "jobs", "behavior_log", "waiting", "largest"} <= found.keys()


async def test_a_transaction_that_blocks_another_is_shown(database: str) -> None:
    holder, waiter = await asyncpg.connect(database), await asyncpg.connect(database)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT pg_advisory_xact_lock(7)")
    waiting = asyncio.create_task(waiter.execute("SELECT pg_advisory_xact_lock(7)"))
    try:
        async with asyncio.timeout(30):
            while True:
                found = await status.slow(database, longer_than=dt.timedelta(0))
                blocked = [one for one in found.running if one.blocked_by]
                if blocked:
                    break
    finally:
        await transaction.rollback()
        await waiting
        await holder.close()
        await waiter.close()
    assert "pg_advisory_xact_lock" in blocked[0].query
    assert any("waits for" in line for line in status.slow_lines(found))
