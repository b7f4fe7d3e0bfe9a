"""The audit log's jobs: sealed in time, published outside the database, and silent about nothing that contradicts it."""

from __future__ import annotations

import datetime as dt
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bot.errors import OperationFailed
from bot.jobs import auditing, witnesses
from bot.jobs.schedule import jobs
from db import audit
from db.pool import Role, as_role
from tests.fakes.audited import add_things, intruder, open_table, seal_all

NOW = dt.datetime(2026, 4, 2, 21, 30, tzinfo=dt.UTC)


@pytest.fixture
async def log(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database)
    await open_table(conn)
    yield conn
    await conn.close()


async def publish(conn: asyncpg.Connection, file: Path) -> str:
    async with as_role(conn, Role.WORKER):
        return await auditing.publish(conn, NOW, file=file)


async def test_the_jobs_of_a_worker_seal_and_publish(
    database: str, log: asyncpg.Connection, tmp_path: Path
) -> None:
    """As the schedule runs them: each as its role, in a transaction of its own."""
    await add_things(log, 2)
    by_name = {job.name: job for job in jobs(demo=False, heads=tmp_path / "heads.jsonl")}
    for name in ("audit-years", "audit-seal", "audit-retire", "audit-publish") * 2:
        async with as_role(log, by_name[name].role):
            await by_name[name].run(log, dt.datetime.now(dt.UTC))
    await seal_all(log)
    async with as_role(log, Role.WORKER):
        seen = await audit.witness(log)
    assert await publish(log, tmp_path / "heads.jsonl") in ("unchanged", f"head {seen.batch}")
    line = witnesses.last(tmp_path / "heads.jsonl")
    assert line is not None
    assert (line.seen.batch, line.seen.head, line.seen.tail_rows) == (seen.batch, seen.head, 0)


async def test_only_news_is_published(log: asyncpg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "new" / "heads.jsonl"
    assert await publish(log, file) == "head 0"
    assert await publish(log, file) == "unchanged"
    await add_things(log, 1)
    assert await publish(log, file) == "head 0", "a row that is not sealed yet is news"
    await seal_all(log)
    assert await publish(log, file) == "head 1"
    assert [line.seen.tail_rows for line in witnesses.read(file)] == [0, 1, 0]
    assert file.stat().st_mode & 0o077 == 0


async def test_nothing_is_added_to_what_the_log_contradicts(log: asyncpg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    await add_things(log, 2)
    await publish(log, file)
    async with intruder(log):
        await log.execute("DELETE FROM audit_log; DELETE FROM audit_payloads")
    before = file.read_bytes()
    with pytest.raises(OperationFailed, match="truncated tail"):
        await publish(log, file)
    assert file.read_bytes() == before


async def test_a_line_cut_short_is_passed_over(log: asyncpg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    await publish(log, file)
    first = witnesses.last(file)
    with file.open("ab") as stream:
        stream.write(b'{"at": "2026-04-02T2')
    assert witnesses.last(file) == first
    await add_things(log, 1)
    await publish(log, file)
    assert [line.seen.tail_rows for line in witnesses.read(file)] == [0, 1]


async def test_a_disk_that_takes_nothing_is_one_line(
    log: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int, _text: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    await publish(log, tmp_path / "heads.jsonl")
    await add_things(log, 1)
    with monkeypatch.context() as patched, pytest.raises(OperationFailed, match="No space left"):
        patched.setattr(os, "write", full)
        await publish(log, tmp_path / "heads.jsonl")
    with pytest.raises(OperationFailed, match="directory"):
        await publish(log, tmp_path)
    assert await publish(log, tmp_path / "heads.jsonl") == "head 0"


async def test_a_tampered_year_stays(log: asyncpg.Connection) -> None:
    async with as_role(log, Role.OWNER):
        await audit.make_years(log, now=dt.datetime(2014, 1, 1, tzinfo=dt.UTC))
    await add_things(log, 1)
    await seal_all(log)
    async with intruder(log):
        await log.execute("UPDATE audit_log SET actor = 'nobody'")
        await log.execute("UPDATE audit_batches SET root = sha256('forged')")
    with pytest.raises(OperationFailed, match="evidence does not leave"):
        async with as_role(log, Role.OWNER):
            await auditing.retire(log, dt.datetime.now(dt.UTC))
