"""The runner, with migrations of the test's own; the real folder is applied by every test that has a database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from bot.errors import DatabaseUnavailable, MigrationError
from db import migrate
from db.migrate import Standing
from db.pool import Role

A_ROLE = Role.OWNER.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    (made / "0002_second.sql").write_text("CREATE TABLE second (n int);\nINSERT INTO first VALUES (1);")
    (made / "README.md").write_text("not a migration")
    return made


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def standings(dsn: str, folder: Path) -> list[tuple[str, Standing]]:
    return [(state.file, state.standing) for state in await migrate.status(dsn, folder=folder)]


async def test_files_are_applied_in_order_once(empty_database: str, folder: Path) -> None:
    applied = await migrate.migrate(empty_database, folder=folder)
    assert [(one.version, one.name) for one in applied] == [(1, "first"), (2, "second")]
    assert all(one.duration.total_seconds() > 0 for one in applied)
    assert await migrate.migrate(empty_database, folder=folder) == []
    assert await ask(empty_database, "SELECT count(*) FROM first") == 1


async def test_status_changes_nothing(empty_database: str, folder: Path) -> None:
    pending = [("0001_first.sql", Standing.PENDING), ("0002_second.sql", Standing.PENDING)]
    assert await standings(empty_database, folder) == pending
    assert await ask(empty_database, "SELECT to_regclass('schema_migrations')") is None
    await migrate.migrate(empty_database, folder=folder)
    states = await migrate.status(empty_database, folder=folder)
    assert [state.standing for state in states] == [Standing.APPLIED, Standing.APPLIED]
    assert all(state.applied_at is not None for state in states)


async def test_racing_processes_apply_each_file_once(empty_database: str, folder: Path) -> None:
    (folder / "0003_slow.sql").write_text("SELECT pg_sleep(0.3); INSERT INTO first VALUES (2);")
    racers = [migrate.migrate(empty_database, folder=folder) for _ in range(6)]
    applied = [one.version for racer in await asyncio.gather(*racers) for one in racer]
    assert sorted(applied) == [1, 2, 3]
    assert await ask(empty_database, "SELECT array_agg(n ORDER BY n) FROM first") == [1, 2]


async def test_waiting_for_another_migration_has_an_end(empty_database: str, folder: Path) -> None:
    other = await asyncpg.connect(empty_database)
    try:
        await other.execute("BEGIN")
        await other.execute(f"SELECT pg_advisory_xact_lock({migrate._LOCK})")
        with pytest.raises(MigrationError, match="too long"):
            await migrate.migrate(empty_database, folder=folder, patience=0.3)
    finally:
        await other.close()
    assert len(await migrate.migrate(empty_database, folder=folder)) == 2


async def test_a_file_gives_way_to_whoever_uses_its_table(
    empty_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers that come after a blocked migration are served; it goes on when the table is free."""
    monkeypatch.setattr(migrate, "_LOCK_PATIENCE", "50ms")
    await migrate.migrate(empty_database, folder=folder)
    (folder / "0003_wider.sql").write_text("ALTER TABLE first ADD COLUMN more int;")
    user, reader = await asyncpg.connect(empty_database), await asyncpg.connect(empty_database)
    try:
        await user.execute("BEGIN; LOCK TABLE first IN ACCESS SHARE MODE")
        with pytest.raises(MigrationError, match="too long"):
            await migrate.migrate(empty_database, folder=folder, patience=0.2)
        migrating = asyncio.create_task(migrate.migrate(empty_database, folder=folder))
        assert await reader.fetchval("SELECT count(*) FROM first", timeout=10) == 1
        await user.execute("COMMIT")
        assert [one.version for one in await migrating] == [3]
    finally:
        await user.close()
        await reader.close()


async def test_a_failing_file_leaves_nothing_and_is_named(empty_database: str, folder: Path) -> None:
    bad = folder / "0003_bad.sql"
    bad.write_text("CREATE TABLE third (n int);\n\nSELECT nonsense;")
    with pytest.raises(MigrationError, match=r"0003_bad\.sql, line 3: .*nonsense"):
        await migrate.migrate(empty_database, folder=folder)
    assert await ask(empty_database, "SELECT to_regclass('third')") is None
    assert (await standings(empty_database, folder))[2] == ("0003_bad.sql", Standing.PENDING)
    bad.write_text("CREATE TABLE third (n int);")
    assert [one.name for one in await migrate.migrate(empty_database, folder=folder)] == ["bad"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda folder: (folder / "0001_first.sql").write_text("SELECT 1;"), "0001_first.sql: edited"),
        (
            lambda folder: (folder / "0002_second.sql").unlink(),
            "0002_second.sql: applied, but its file is missing",
        ),
        (
            lambda folder: (folder / "0002_second.sql").rename(folder / "0002_other.sql"),
            "0002_second.sql: applied, but its file is missing",
        ),
        (
            lambda folder: (folder / "0000_late.sql").write_text("SELECT 1;"),
            "0000_late.sql: new, but numbered below",
        ),
        (lambda folder: (folder / "0002_again.sql").write_text("SELECT 1;"), "has that number already"),
        (
            lambda folder: (folder / "3_short.sql").write_text("SELECT 1;"),
            "3_short.sql: a migration is named",
        ),
    ],
)
async def test_history_is_not_rewritten(
    empty_database: str, folder: Path, change: object, complaint: str
) -> None:
    await migrate.migrate(empty_database, folder=folder)
    (folder / "0009_next.sql").write_text("CREATE TABLE never (n int);")
    assert callable(change)
    change(folder)
    with pytest.raises(MigrationError) as caught:
        await migrate.migrate(empty_database, folder=folder)
    assert complaint in str(caught.value)
    assert await ask(empty_database, "SELECT to_regclass('never')") is None


async def test_a_file_runs_as_the_role_it_names(database: str, folder: Path) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "DROP TABLE schema_migrations"
    )  # a history of this test's own, with the roles there
    await connection.close()
    (folder / "0003_owned.sql").write_text(
        f"-- Why this file is there.\n-- role: {A_ROLE}\nCREATE TABLE owned AS SELECT current_user AS name;"
    )
    (folder / "0004_login.sql").write_text(
        "-- role: login\nCREATE TABLE plain AS SELECT current_user AS name;"
    )
    await migrate.migrate(database, folder=folder)
    assert (
        await ask(database, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'owned'") == A_ROLE
    )
    assert await ask(database, "SELECT name FROM plain") == "rahhal"
    assert await ask(database, f"SELECT has_table_privilege('{A_ROLE}', 'schema_migrations', 'SELECT')")


@pytest.mark.parametrize("sql", ["COMMIT;", "COMMIT; BEGIN;"])
async def test_a_file_may_not_end_its_transaction(empty_database: str, folder: Path, sql: str) -> None:
    (folder / "0003_sly.sql").write_text(sql)
    with pytest.raises(MigrationError, match=r"0003_sly\.sql: ends its transaction"):
        await migrate.migrate(empty_database, folder=folder)


async def test_the_real_folder_goes_into_an_empty_database(empty_database: str) -> None:
    applied = await migrate.migrate(empty_database)
    assert [one.version for one in applied] == [migration.version for migration in migrate.load()]
    assert {state.standing for state in await migrate.status(empty_database)} == {Standing.APPLIED}


async def test_no_answer_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="no connection"):
        await migrate.migrate(f"postgresql://rahhal@/rahhal?host={tmp_path}")
