"""A backup brought into an empty database is the same database, and damage is refused."""

from __future__ import annotations

import asyncio
import hashlib
import resource
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from bot.errors import OperationFailed, RestoreRefused
from bot.operations import backups
from db import migrate, pool
from db.pool import Role, as_role


async def _contents(dsn: str) -> dict[str, object]:
    """Rows of every table, as rahhal_owner sees them, and what surrounds them."""
    connection = await asyncpg.connect(dsn)
    try:
        async with as_role(connection, Role.OWNER):
            tables = await connection.fetch(
                """
                SELECT c.oid::regclass::text AS name FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm') ORDER BY 1
                """
            )
            rows = {
                table["name"]: await connection.fetchval(
                    f"SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {table['name']} t"
                )
                for table in tables
            }
            policies = await connection.fetch(
                "SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2"
            )
            relations = await connection.fetch(
                """
                SELECT relname, relowner::regrole::text, relrowsecurity, relforcerowsecurity, relacl::text, relispartition
                FROM pg_class
                WHERE relnamespace IN ('public'::regnamespace, 'app'::regnamespace) AND relkind IN ('r', 'p', 'v', 'm')
                ORDER BY 1
                """
            )
            functions = await connection.fetch(
                """
                SELECT p.oid::regprocedure::text, proowner::regrole::text, prosecdef, proconfig, proacl::text
                FROM pg_proc p WHERE pronamespace IN ('public'::regnamespace, 'app'::regnamespace) ORDER BY 1
                """
            )
            triggers = await connection.fetch(
                # Without brackets: (a OR b) OR c is written a OR b OR c the second time.
                "SELECT translate(pg_get_triggerdef(oid), '()', '') FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
            )
    finally:
        await connection.close()
    return {
        "rows": rows,
        "policies": [tuple(row) for row in policies],
        "relations": [tuple(row) for row in relations],
        "functions": [tuple(row) for row in functions],
        "triggers": [tuple(row) for row in triggers],
    }


@pytest.fixture
async def lived_in(database: str) -> str:
    """A database with people of whom row level security hides everything from all but the house."""
    connection = await asyncpg.connect(database)
    await pool.prepare(connection)
    async with as_role(connection, Role.SERVICE):
        for name in ("Sara Al Ahmad", "Omar Haddad"):
            user = await connection.fetchval("INSERT INTO users (full_name) VALUES ($1) RETURNING id", name)
            await connection.execute(
                "INSERT INTO user_identities (channel, external_id, user_id, name) VALUES ('telegram', $1, $2, 'سارة')",
                uuid4().hex,
                user,
            )
            await connection.execute(
                """
                INSERT INTO user_behavior_log (user_id, action_type, hour_of_day, day_of_week)
                VALUES ($1, 'بدء_بحث', 9, 1)
                """,
                user,
            )
    await connection.close()
    return database


async def test_a_restored_backup_is_the_same_database(
    lived_in: str, empty_database: str, tmp_path: Path
) -> None:
    made = await backups.backup(lived_in, tmp_path / "rahhal.dump")
    assert made.size == made.file.stat().st_size > 0
    await backups.restore(empty_database, made.file)
    before, after = await _contents(lived_in), await _contents(empty_database)
    assert isinstance(before["rows"], dict)
    assert "Sara Al Ahmad" in str(before["rows"]["users"])
    assert after == before
    assert await migrate.migrate(empty_database) == []


async def test_a_restored_database_serves_turns(lived_in: str, empty_database: str, tmp_path: Path) -> None:
    await backups.restore(empty_database, (await backups.backup(lived_in, tmp_path / "b.dump")).file)
    connection = await asyncpg.connect(empty_database)
    try:
        await pool.check_turn_role(connection)
        async with as_role(connection, Role.APP):
            assert await connection.fetchval("SELECT count(*) FROM users") == 0
    finally:
        await connection.close()


async def test_the_checksum_is_what_sha256sum_reads(lived_in: str, tmp_path: Path) -> None:
    made = await backups.backup(lived_in, tmp_path / "rahhal.dump")
    digest = hashlib.sha256(made.file.read_bytes()).hexdigest()
    assert (tmp_path / "rahhal.dump.sha256").read_text() == f"{digest}  rahhal.dump\n"
    assert made.sha256 == digest
    assert made.file.stat().st_mode & 0o077 == 0, "a backup holds everybody's data"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rahhal.dump", "rahhal.dump.sha256"]


async def test_a_backup_replaces_nothing(lived_in: str, tmp_path: Path) -> None:
    (tmp_path / "rahhal.dump").write_text("yesterday's")
    with pytest.raises(OperationFailed, match="there already"):
        await backups.backup(lived_in, tmp_path / "rahhal.dump")
    assert (tmp_path / "rahhal.dump").read_text() == "yesterday's"


async def test_a_failed_backup_leaves_nothing(empty_database: str, tmp_path: Path) -> None:
    """An empty database has none of our schemas, which pg_dump refuses."""
    connection = await asyncpg.connect(empty_database)
    await connection.execute("DROP SCHEMA public")
    await connection.close()
    with pytest.raises(OperationFailed, match="pg_dump"):
        await backups.backup(empty_database, tmp_path / "rahhal.dump")
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_takes_no_more_leaves_nothing(lived_in: str, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OperationFailed, match="pg_dump"):
            await backups.backup(lived_in, tmp_path / "rahhal.dump")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_not_there_is_one_line(lived_in: str, tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match="No such file"):
        await backups.backup(lived_in, tmp_path / "nowhere" / "rahhal.dump")


@pytest.mark.parametrize("damage", ["a byte", "cut", "checksum", "no checksum", "no file"])
async def test_damage_is_refused_and_touches_nothing(
    lived_in: str, empty_database: str, tmp_path: Path, damage: str
) -> None:
    file = (await backups.backup(lived_in, tmp_path / "rahhal.dump")).file
    checksum = tmp_path / "rahhal.dump.sha256"
    content = bytearray(file.read_bytes())
    match damage:
        case "a byte":
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        case "cut":
            file.write_bytes(content[:-100])
        case "checksum":
            checksum.write_text("0" * 64 + "  rahhal.dump\n")
        case "no checksum":
            checksum.unlink()
        case "no file":
            file.unlink()
    with pytest.raises(RestoreRefused):
        await backups.restore(empty_database, file)
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT to_regclass('public.users')") is None
    await connection.close()


async def test_an_archive_cut_short_restores_nothing_at_all(
    lived_in: str, empty_database: str, tmp_path: Path
) -> None:
    """Even with a checksum made for the damaged file: what psql had run is rolled back."""
    file = (await backups.backup(lived_in, tmp_path / "rahhal.dump")).file
    content = file.read_bytes()[:-3000]
    file.write_bytes(content)
    (tmp_path / "rahhal.dump.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  rahhal.dump\n")
    with pytest.raises(OperationFailed):
        await backups.restore(empty_database, file)
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT to_regclass('public.users')") is None
    await connection.close()


async def test_a_database_with_something_in_it_is_refused(lived_in: str, tmp_path: Path) -> None:
    file = (await backups.backup(lived_in, tmp_path / "rahhal.dump")).file
    with pytest.raises(RestoreRefused, match="not empty"):
        await backups.restore(lived_in, file)


async def test_a_cancelled_restore_leaves_the_database_empty(
    lived_in: str, empty_database: str, tmp_path: Path
) -> None:
    file = (await backups.backup(lived_in, tmp_path / "rahhal.dump")).file
    restoring = asyncio.create_task(backups.restore(empty_database, file))
    await asyncio.sleep(0)
    restoring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await restoring
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT to_regclass('public.users')") is None
    await connection.close()
