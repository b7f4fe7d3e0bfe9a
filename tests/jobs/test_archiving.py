"""Old months of the behavior log: out to files and back, and still online after anything that goes wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import gzip
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.errors import OperationFailed, RestoreRefused
from bot.jobs import archive_file, archiving, schedule
from bot.jobs.archiving import Outcome, archive_next, look, restore
from db import behavior
from db.pool import Role, as_role

NOW = dt.datetime(2025, 8, 15, 12, tzinfo=dt.UTC)
OLD = dt.date(2024, 5, 1)
ROWS = 500
PATIENCE = 20.0


@dataclass
class Log:
    """A log with an old month of 500 rows, one row a month later, and one in the latest month that must stay."""

    pool: asyncpg.Pool
    folder: Path

    async def owner(self, query: str, *args: Any) -> list[asyncpg.Record]:
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            rows: list[asyncpg.Record] = await conn.fetch(query, *args)
        return rows

    async def fill(self) -> None:
        months = (OLD, dt.date(2024, 6, 1), dt.date(2024, 8, 1))
        for month in months:
            await self.owner("SELECT create_monthly_partition($1)", month)
        await self.owner(
            r"""
            INSERT INTO user_behavior_log (user_id, session_id, action_type, action_data, device_type, user_agent, "timestamp",
                                           hour_of_day, day_of_week)
            SELECT gen_random_uuid(), CASE WHEN n % 3 = 0 THEN gen_random_uuid() END, 'بدء_بحث',
                   jsonb_build_object('n', n, 'text', E'سطر\nوآخر\t"\\N" \\. ' || n), CASE WHEN n % 2 = 0 THEN 'telegram' END,
                   E'tab\there\\n and\nnewline\r', '2024-05-01'::timestamptz + n * interval '1 hour', n % 24, n % 7 + 1
            FROM generate_series(0, $1 - 1) AS n
            """,
            ROWS,
        )
        for moment in ("2024-06-30 23:59:59+00", "2024-08-01 00:00:00+00"):
            await self.owner(
                'INSERT INTO user_behavior_log (user_id, action_type, "timestamp", hour_of_day, day_of_week) '
                "VALUES (gen_random_uuid(), 'إيقاف', $1::text::timestamptz, 1, 1)",
                moment,
            )

    async def rows(self) -> list[tuple[Any, ...]]:
        return [tuple(r.values()) for r in await self.owner("SELECT * FROM user_behavior_log ORDER BY id")]

    async def months(self) -> list[dt.date]:
        """Those before the real present."""
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            return [month for month in await behavior.months(conn) if month.year < 2025]

    async def archive(self, now: dt.datetime = NOW) -> Outcome:
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            return await asyncio.wait_for(archive_next(conn, now, folder=self.folder), PATIENCE)

    async def restore(self, month: dt.date = OLD) -> int:
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            return await asyncio.wait_for(restore(conn, month, folder=self.folder), PATIENCE)

    @property
    def file(self) -> Path:
        return self.folder / "user_behavior_log_2024_05.tsv.gz"

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()


@pytest.fixture
async def log(pool: asyncpg.Pool, tmp_path: Path) -> Log:
    made = Log(pool, tmp_path / "archive")
    await made.fill()
    return made


async def still_online(log: Log, before: list[tuple[Any, ...]]) -> None:
    """Nothing was detached, nothing half made lies about, and the next run does it."""
    assert await log.rows() == before
    assert OLD in await log.months()
    assert not [name for name in log.files() if name.endswith(".part")]
    assert await log.archive() == Outcome(f"2024-05 archived, {ROWS} rows", OLD)
    assert await log.restore() == ROWS
    assert await log.rows() == before


async def test_months_older_than_a_year_leave_one_a_run_and_the_others_stay(log: Log) -> None:
    before = await log.rows()
    assert (await log.archive()).month == OLD
    assert (await log.archive()).month == dt.date(2024, 6, 1)
    assert await log.archive() == Outcome("nothing due")
    assert await log.months() == [dt.date(2024, 8, 1)]
    assert await log.rows() == [row for row in before if row[-5] >= dt.datetime(2024, 8, 1, tzinfo=dt.UTC)]


async def test_the_file_is_whole_checked_and_readable_without_us(log: Log) -> None:
    await log.archive()
    packed = log.file.read_bytes()
    sha256 = hashlib.sha256(packed).hexdigest()
    assert (log.folder / (log.file.name + ".sha256")).read_text() == f"{sha256}  {log.file.name}\n"
    header, *lines = gzip.decompress(packed).decode().split("\n")
    assert header.split("\t") == ["row_hash", *behavior.COLUMNS]
    assert len(lines) == ROWS + 1
    assert lines[-1] == ""
    assert log.files() == {log.file.name, log.file.name + ".sha256"}
    assert log.file.stat().st_mode & 0o077 == 0
    noted = (await log.owner("SELECT * FROM log_archives"))[0]
    assert (noted["month"], noted["file"], noted["sha256"]) == (OLD, log.file.name, sha256)
    assert (noted["rows"], noted["bytes"], noted["restored_at"]) == (ROWS, len(packed), None)


async def test_a_month_comes_back_as_it_was(log: Log) -> None:
    before = await log.rows()
    await log.archive()
    assert await log.restore() == ROWS
    assert await log.rows() == before
    facts = await log.owner(
        "SELECT c.relrowsecurity, c.relforcerowsecurity, c.relacl::text, "
        "  (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes, "
        "  (SELECT array_agg(p.polname::text ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies "
        "FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid WHERE h.inhparent = 'user_behavior_log'::regclass"
    )
    assert len({tuple(map(str, row.values())) for row in facts}) == 1, "isolated and indexed like the others"


async def test_a_month_that_came_back_stays_for_a_while_and_leaves_again(log: Log) -> None:
    await log.archive()
    first = gzip.decompress(log.file.read_bytes())
    await log.restore()
    real_now = dt.datetime.now(dt.UTC)
    async with log.pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert OLD not in (await look(conn, now=real_now)).due
        assert OLD in (await look(conn, now=real_now + dt.timedelta(days=31))).due
    await log.owner("UPDATE log_archives SET restored_at = restored_at - interval '31 days'")
    await log.owner("UPDATE log_archives SET restored_at = '2024-01-01'")
    assert (await log.archive()).month == OLD
    assert sorted(gzip.decompress(log.file.read_bytes()).split(b"\n")) == sorted(first.split(b"\n"))
    assert (await log.owner("SELECT restored_at FROM log_archives"))[0][0] is None


async def test_an_empty_month_is_a_file_too(log: Log) -> None:
    await log.owner("DELETE FROM user_behavior_log WHERE \"timestamp\" < '2024-06-01'")
    assert await log.archive() == Outcome("2024-05 archived, 0 rows", OLD)
    assert await log.restore() == 0


# ------------------------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize("where", ["while writing", "at the end", "when it is named"])
async def test_a_full_disk_leaves_the_month_online(
    log: Log, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    before = await log.rows()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if where == "while writing":
            patch.setattr(archive_file, "_BLOCK", 100)
            patch.setattr(gzip.GzipFile, "write", full)
        elif where == "at the end":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(archive_file, "publish", full)
        with pytest.raises(OperationFailed, match="No space left on device; 2024-05 stays online"):
            await log.archive()
    await still_online(log, before)


async def test_a_folder_that_cannot_be_made_leaves_the_month_online(log: Log) -> None:
    before = await log.rows()
    log.folder.write_text("a file")
    with pytest.raises(OperationFailed, match="stays online"):
        await log.archive()
    log.folder.unlink()
    await still_online(log, before)


async def test_a_file_that_does_not_read_back_is_not_believed(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await log.rows()
    close = archive_file.ArchiveWriter.close

    async def decay(self: archive_file.ArchiveWriter) -> str:
        content = await close(self)
        part = log.file.with_name(log.file.name + ".part")
        lines = gzip.decompress(part.read_bytes()).split(b"\n")
        part.write_bytes(gzip.compress(b"\n".join(lines[:-2]) + b"\n"))
        return content

    with monkeypatch.context() as patch:
        patch.setattr(archive_file.ArchiveWriter, "close", decay)
        with pytest.raises(OperationFailed, match="does not read back"):
            await log.archive()
    await still_online(log, before)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE user_behavior_log SET user_id = gen_random_uuid() WHERE \"timestamp\" = '2024-05-01 03:00+00'",
        "DELETE FROM user_behavior_log WHERE \"timestamp\" = '2024-05-01 03:00+00'",
        'INSERT INTO user_behavior_log (user_id, action_type, "timestamp", hour_of_day, day_of_week) '
        "VALUES (gen_random_uuid(), 'إيقاف', '2024-05-02', 1, 1)",
    ],
)
async def test_a_month_that_changed_after_it_was_copied_stays(
    log: Log, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    retire = behavior.retire_month

    async def after_a_change(conn: Any, **how: Any) -> str:
        await log.owner(change)
        return await retire(conn, **how)

    with monkeypatch.context() as patch:
        patch.setattr(behavior, "retire_month", after_a_change)
        with pytest.raises(OperationFailed, match="changed since it was copied"):
            await log.archive()
    changed = await log.rows()
    assert log.files() == set()
    await log.archive()
    await log.restore()
    assert await log.rows() == changed


async def test_a_busy_log_is_tried_again_and_holds_up_nobody(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has the month open in a transaction; it leaves once she is done."""
    monkeypatch.setattr(archiving, "PAUSE", 0.0)
    fates: list[str] = []
    retire = behavior.retire_month
    async with log.pool.acquire() as reader:
        await reader.execute("BEGIN; SET LOCAL ROLE rahhal_owner; SELECT count(*) FROM user_behavior_log")

        async def watched(conn: Any, **how: Any) -> str:
            fate = await retire(conn, **how)
            fates.append(fate)
            if fate == "busy":
                await reader.execute("COMMIT")
            return fate

        monkeypatch.setattr(behavior, "retire_month", watched)
        assert (await log.archive()).month == OLD
    assert fates == ["busy", "gone"]


async def test_a_lock_nobody_lets_go_of_leaves_the_month_online(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await log.rows()
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "TRIES", 1)
        async with log.pool.acquire() as reader:
            await reader.execute("BEGIN; SET LOCAL ROLE rahhal_owner; SELECT count(*) FROM user_behavior_log")
            with pytest.raises(OperationFailed, match="held a lock"):
                await log.archive()
            await reader.execute("COMMIT")
    await still_online(log, before)


async def test_two_workers_archive_a_month_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived, proceed = asyncio.Event(), asyncio.Event()
    copy_out = behavior.copy_out

    async def slow(conn: Any, **how: Any) -> None:
        arrived.set()
        await proceed.wait()
        await copy_out(conn, **how)

    monkeypatch.setattr(behavior, "copy_out", slow)
    first = asyncio.create_task(log.archive())
    await asyncio.wait_for(arrived.wait(), PATIENCE)
    assert await log.archive() == Outcome("another worker is archiving")
    with pytest.raises(RestoreRefused, match="another process"):
        await log.restore()
    proceed.set()
    assert (await first).month == OLD


@pytest.mark.parametrize("when", ["before the file has its name", "before the commit"])
async def test_a_run_that_was_killed_is_finished_by_the_next(
    log: Log, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """What a kill leaves behind: a part of a file, or a whole file of a month that is still online."""
    before = await log.rows()
    if when == "before the file has its name":
        log.folder.mkdir()
        log.file.with_name(log.file.name + ".part").write_bytes(b"half a fi")
    else:
        with monkeypatch.context() as patch:
            patch.setattr(behavior, "note_archive", _killed)
            with pytest.raises(Killed):
                await log.archive()
        assert log.file.exists()
    assert await log.rows() == before
    assert await log.archive() == Outcome(f"2024-05 archived, {ROWS} rows", OLD)
    await log.restore()
    assert await log.rows() == before
    assert log.files() == {log.file.name, log.file.name + ".sha256"}


class Killed(BaseException):
    """Nothing of ours catches it."""


async def _killed(*_: Any, **__: Any) -> None:
    raise Killed


async def test_a_stop_in_the_middle_leaves_the_month_online(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await log.rows()
    arrived = asyncio.Event()

    async def stuck(_: Any, __: bytes) -> None:
        arrived.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(archive_file.ArchiveWriter, "write", stuck)
        running = asyncio.create_task(log.archive())
        await asyncio.wait_for(arrived.wait(), PATIENCE)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, PATIENCE)
    await still_online(log, before)


async def test_a_failure_is_told_by_the_job(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.folder.write_text("a file")
    monkeypatch.setattr(schedule, "JOBS", ())
    stopping = asyncio.Event()
    keeping = asyncio.create_task(
        schedule.keep_schedule(log.pool, lambda: NOW, stopping, demo=False, archive=log.folder)
    )
    async with asyncio.timeout(PATIENCE):
        while not (found := await log.owner("SELECT outcome FROM job_runs WHERE finished_at IS NOT NULL")):
            await asyncio.sleep(0.01)
    stopping.set()
    await asyncio.wait_for(keeping, PATIENCE)
    assert found[0]["outcome"].startswith("failed: OperationFailed: ")
    assert found[0]["outcome"].endswith("2024-05 stays online")


# ------------------------------------------------------------------------------------------------ refused


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


async def test_a_file_that_is_not_what_was_written_is_refused(log: Log) -> None:
    await log.archive()
    online = await log.rows()
    whole = log.file.read_bytes()
    beside = archive_file.checksum_file(log.file)
    for damage in (10, len(whole) // 2, -1):
        flip(log.file, damage)
        with pytest.raises(RestoreRefused, match=r"damaged|not what was written"):
            await log.restore()
        log.file.write_bytes(whole)
    log.file.write_bytes(whole[:-20])
    with pytest.raises(RestoreRefused, match="damaged"):
        await log.restore()
    packed = gzip.compress(gzip.decompress(whole).replace(b"telegram", b"whatsapp"))
    log.file.write_bytes(packed)
    beside.write_text(hashlib.sha256(packed).hexdigest())
    with pytest.raises(RestoreRefused, match="not what was written"):
        await log.restore()  # a checksum that was changed along is not the one we remember
    log.file.write_bytes(whole)
    beside.unlink()
    assert await log.rows() == online
    assert await log.restore() == ROWS, "the database remembers the checksum too"


async def test_what_cannot_come_back_is_said(log: Log) -> None:
    with pytest.raises(RestoreRefused, match="2024-05 is online"):
        await log.restore()
    with pytest.raises(RestoreRefused, match="No such file"):
        await log.restore(dt.date(2019, 1, 1))
    await log.archive()
    archive_file.checksum_file(log.file).unlink()
    await log.owner("DELETE FROM log_archives")
    with pytest.raises(RestoreRefused, match="no checksum"):
        await log.restore()


@pytest.mark.parametrize(
    "content",
    [b"", b"id\tname\n1\t2\n", b"row_hash\tid\nx\ty\n", b"row_hash\tid\n1\t2", b"row_hash\tnew\n1\t2\n"],
)
async def test_a_file_of_something_else_is_refused(log: Log, content: bytes) -> None:
    log.folder.mkdir()
    path = log.folder / "user_behavior_log_2020_01.tsv.gz"
    path.write_bytes(gzip.compress(content))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    archive_file.checksum_file(path).write_text(digest)
    with pytest.raises(RestoreRefused):
        await log.restore(dt.date(2020, 1, 1))


async def test_a_file_from_another_database_comes_in(log: Log) -> None:
    before = await log.rows()
    await log.archive()
    await log.owner("DELETE FROM log_archives")
    assert await log.restore() == ROWS
    assert await log.rows() == before
    assert (await log.owner("SELECT restored_at IS NOT NULL AS back FROM log_archives"))[0]["back"]


async def test_the_commands(log: Log, database: str) -> None:
    async def rahhal(*words: str, **more: str) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "db",
            *words,
            env={**os.environ, "DATABASE_URL": database, "RAHHAL_ARCHIVE_DIR": str(log.folder), **more},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, problems = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode(), problems.decode()

    before = await log.rows()
    assert await rahhal("archive", "list") == (1, "2024-05  due\n2024-06  due\n2024-08  due\n", "")
    code, out, _ = await rahhal("archive", "run")
    assert code == 0
    assert out.splitlines()[::3] == [f"2024-05 archived, {ROWS} rows", "nothing due"]
    code, out, _ = await rahhal("archive", "list")
    assert code == 0
    assert out.splitlines()[0].split()[:4] == ["2024-05", "archived", "500", "rows"]
    for month in ("2024-05", "2024-06", "2024-08"):
        code, out, _ = await rahhal("restore-log", month)
        assert (code, out.split()[:4]) == (0, [month, "is", "online", "again,"])
    assert await log.rows() == before
    code, _, problem = await rahhal("restore-log", "2024-05")
    assert (code, problem) == (1, "rahhal: 2024-05 is online\n")
    code, _, problem = await rahhal("archive", "run", RAHHAL_ARCHIVE_DIR="")
    assert code == 2
    assert problem.startswith("rahhal: RAHHAL_ARCHIVE_DIR:")
