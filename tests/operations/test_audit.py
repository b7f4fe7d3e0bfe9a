"""`rahhal db verify-audit`: exit 0 when the log is whole, 3 with names when it is not, also when its end was cut off."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import orjson
import pytest

from bot.__main__ import main
from bot.errors import OperationFailed
from bot.jobs import auditing
from bot.operations import audit
from bot.settings import load
from db.pool import Role, as_role
from tests.fakes.audited import REWRITE, add_things, intruder, open_table, seal_all

NOW = dt.datetime(2026, 4, 2, 21, 30, tzinfo=dt.UTC)


@pytest.fixture
async def log(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database)
    await open_table(conn)
    yield conn
    await conn.close()


Publish = Callable[[], Awaitable[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heads.jsonl"


@pytest.fixture
def publish(log: asyncpg.Connection, file: Path) -> Publish:
    async def one() -> str:
        async with as_role(log, Role.WORKER):
            return await auditing.publish(log, NOW, file=file)

    return one


async def grow(log: asyncpg.Connection, publish: Publish, batches: int) -> None:
    for _ in range(batches):
        await add_things(log, 3)
        await seal_all(log)
        await publish()


async def found(dsn: str, file: Path) -> list[tuple[str, int | None]]:
    return [(one.kind, one.batch) for one in (await audit.verify(dsn, file)).problems]


async def test_a_whole_log_is_valid(
    database: str, log: asyncpg.Connection, file: Path, publish: Publish
) -> None:
    await grow(log, publish, 3)
    await add_things(log, 2)
    verdict = await audit.verify(database, file)
    assert (verdict.rows, verdict.batch, verdict.unsealed, verdict.problems) == (11, 3, 2, ())
    assert verdict.published_at == NOW
    assert list(audit.lines(verdict))[-1] == "valid"


async def test_a_tail_cut_off_with_its_batches_is_found(
    database: str, log: asyncpg.Connection, file: Path, publish: Publish
) -> None:
    await grow(log, publish, 4)
    async with intruder(log):
        await log.execute("DELETE FROM audit_log WHERE id > 6; DELETE FROM audit_payloads WHERE id > 6")
        await log.execute("DELETE FROM audit_batches WHERE number > 2")
        await log.execute(REWRITE)
        await log.execute("UPDATE audit_marks SET sealed_id = 6")
    assert await found(database, file) == [("removed batch", 3)]
    await add_things(log, 9)
    await seal_all(log)
    assert await found(database, file) != [], "new rows in its place do not hide it"


async def test_a_tail_cut_off_before_it_was_sealed_is_found(
    database: str, log: asyncpg.Connection, file: Path, publish: Publish
) -> None:
    await grow(log, publish, 1)
    await add_things(log, 2)
    await publish()
    async with intruder(log):
        await log.execute("DELETE FROM audit_log WHERE id = 5; DELETE FROM audit_payloads WHERE id = 5")
    assert await found(database, file) == [("truncated tail", None)]


async def test_a_history_written_anew_is_found_where_it_begins(
    database: str, log: asyncpg.Connection, file: Path, publish: Publish
) -> None:
    await grow(log, publish, 4)
    async with intruder(log):
        await log.execute("DELETE FROM audit_log WHERE id = 5; DELETE FROM audit_payloads WHERE id = 5")
        await log.execute(
            "UPDATE audit_batches SET members = overlay(members PLACING '' FROM 41 FOR 40), row_count = 2 WHERE number = 2"
        )
        await log.execute(REWRITE)
    assert await found(database, file) == [("changed head", 2)]


async def test_a_head_known_from_elsewhere_is_compared(
    database: str, log: asyncpg.Connection, file: Path, publish: Publish
) -> None:
    await grow(log, publish, 2)
    verdict = await audit.verify(database, file.with_name("none"))
    assert verdict.published_at is None
    assert "no head was published" in "\n".join(audit.lines(verdict))
    right, wrong = (2, bytes.fromhex(verdict.head)), (2, bytes(32))
    assert (await audit.verify(database, file, known=[right])).problems == ()
    problems = (await audit.verify(database, file, known=[wrong, (9, bytes(32))])).problems
    assert [(one.kind, one.batch) for one in problems] == [("changed head", 2), ("removed batch", 9)]


async def test_after_a_restore_the_operator_accepts_what_is_gone(
    database: str, log: asyncpg.Connection, file: Path, publish: Publish
) -> None:
    await grow(log, publish, 3)
    async with intruder(log):  # as an older backup would leave it
        await log.execute("DELETE FROM audit_log WHERE id > 3; DELETE FROM audit_payloads WHERE id > 3")
        await log.execute("DELETE FROM audit_batches WHERE number > 1")
        await log.execute(REWRITE)
        await log.execute("UPDATE audit_marks SET sealed_id = 3, ripe_id = 3")
        await log.execute("SELECT setval('audit_ids', 3)")
    assert await found(database, file) == [("removed batch", 2)]
    await audit.accept(database, file, now=NOW)
    verdict = await audit.verify(database, file)
    assert verdict.problems == ()
    assert "accepted" in "\n".join(audit.lines(verdict))
    await grow(log, publish, 2)
    assert await found(database, file) == []


async def test_a_database_without_a_log_is_one_line(empty_database: str, file: Path) -> None:
    with pytest.raises(OperationFailed, match="rahhal migrate"):
        await audit.verify(empty_database, file)


async def test_the_command_says_so_with_its_exit_code(
    database: str,
    log: asyncpg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("RAHHAL_DATA_DIR", str(tmp_path))
    await add_things(log, 2)
    assert await asyncio.to_thread(main, ["db", "verify-audit"]) == 0
    assert capsys.readouterr().out.endswith("valid\n")
    assert await asyncio.to_thread(main, ["db", "verify-audit", "--accept"]) == 0
    assert load().audit_heads.is_file()
    async with intruder(log):
        await log.execute("UPDATE audit_log SET actor = 'nobody' WHERE id = 2")
    assert await asyncio.to_thread(main, ["db", "verify-audit"]) == 3
    assert "changed row: row 2 (things)" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["db", "verify-audit", "--json", "--head", f"1:{'00' * 32}"]) == 3
    told = orjson.loads(capsys.readouterr().out)["problems"]
    assert [one["kind"] for one in told] == ["removed batch", "changed row"]


@pytest.mark.parametrize("head", ["1", "1:00", "x:" + "00" * 32, "0:" + "00" * 32, f"{1 << 63}:" + "00" * 32])
def test_a_head_that_is_none_is_refused(head: str) -> None:
    with pytest.raises(SystemExit):
        main(["db", "verify-audit", "--head", head])
