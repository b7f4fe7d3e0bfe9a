"""The pool's codecs and its cleanliness, acting as a role, and who may serve turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from bot.errors import ConfigurationError, DatabaseUnavailable
from db import embedded
from db.pool import Role, TransactionLost, as_role, check_turn_role, open_pool


@pytest.fixture
async def notes(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool of one connection, and a table every role may write to."""
    pool = await open_pool(database, min_size=1, max_size=1)
    async with pool.acquire() as connection:
        await connection.execute("CREATE TABLE notes (note text); GRANT ALL ON notes TO PUBLIC")
    yield pool
    await asyncio.wait_for(pool.close(), 10)


async def noted(pool: asyncpg.Pool) -> list[str]:
    async with pool.acquire() as connection:
        return [row["note"] for row in await connection.fetch("SELECT note FROM notes ORDER BY note")]


@pytest.mark.parametrize("value", [{"نص": ["أ", 1, None, 1.5, True]}, [], "text", 7, None])
async def test_json_goes_in_and_comes_out_as_python(pool: asyncpg.Pool, value: object) -> None:
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        assert await connection.fetchval("SELECT $1::json", value) == value
        assert await connection.fetchval("SELECT to_jsonb($1::jsonb) ->> 'a'", {"a": uuid4()})
        assert isinstance(await connection.fetchval("SELECT gen_random_uuid()"), UUID)


async def test_behind_a_transaction_pooler_nothing_is_prepared(database: str) -> None:
    pool = await open_pool(database, min_size=1, max_size=1, transaction_pooler=True)
    async with pool.acquire() as connection:
        for _ in range(2):
            assert await connection.fetchval("SELECT $1::jsonb", {"a": 1}) == {"a": 1}
        assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
    await pool.close()


async def test_as_role_commits_and_the_role_ends_with_it(notes: asyncpg.Pool) -> None:
    async with notes.acquire() as connection:
        async with as_role(connection, Role.APP):
            assert await connection.fetchval("SELECT current_user") == "rahhal_app"
            await connection.execute("INSERT INTO notes VALUES ('kept')")
        assert await connection.fetchval("SELECT current_user") == "rahhal"
    assert await noted(notes) == ["kept"]


async def test_an_error_rolls_back_and_the_connection_stays_good(notes: asyncpg.Pool) -> None:
    async with notes.acquire() as connection:
        pid = connection.get_server_pid()
        with pytest.raises(ZeroDivisionError):
            async with as_role(connection, Role.APP):
                await connection.execute("INSERT INTO notes VALUES ('lost')")
                raise ZeroDivisionError
        assert not connection.is_in_transaction()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_role(connection, Role.ANALYTICS):
                await connection.execute("CREATE TABLE forbidden (n int)")
        assert await connection.fetchval("SELECT current_user") == "rahhal"
    assert await noted(notes) == []
    async with notes.acquire() as connection:
        assert connection.get_server_pid() == pid


async def test_a_swallowed_error_is_not_taken_for_a_commit(notes: asyncpg.Pool) -> None:
    async with notes.acquire() as connection:
        with pytest.raises(TransactionLost):
            async with as_role(connection, Role.APP):
                await connection.execute("INSERT INTO notes VALUES ('lost')")
                with pytest.raises(asyncpg.UndefinedTableError):
                    await connection.execute("SELECT * FROM nowhere")
    assert await noted(notes) == []


async def test_a_cancelled_block_leaves_nothing_behind(notes: asyncpg.Pool) -> None:
    inside = asyncio.Event()

    async def turn() -> None:
        async with notes.acquire() as connection, as_role(connection, Role.APP):
            await connection.execute("INSERT INTO notes VALUES ('lost')")
            inside.set()
            await connection.execute("SELECT pg_sleep(30)")

    running = asyncio.create_task(turn())
    await asyncio.wait_for(inside.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.wait_for(noted(notes), 10) == []


async def test_a_forgotten_transaction_is_rolled_back(notes: asyncpg.Pool) -> None:
    async with notes.acquire() as connection:
        await connection.execute("BEGIN; SET LOCAL ROLE rahhal_app; INSERT INTO notes VALUES ('lost')")
    async with notes.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT current_user") == "rahhal"
    assert await noted(notes) == []


async def test_giving_a_connection_back_costs_no_query(notes: asyncpg.Pool) -> None:
    async with notes.acquire() as connection:
        await connection.execute("SET application_name = 'kept'")
    async with notes.acquire() as connection:
        assert await connection.fetchval("SHOW application_name") == "kept"


async def test_no_answer_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="no connection"):
        await open_pool(f"postgresql://rahhal@/rahhal?host={tmp_path}")


async def test_turns_are_served_by_a_role_that_policies_stop(notes: asyncpg.Pool) -> None:
    async with notes.acquire() as connection:
        await check_turn_role(connection)


@pytest.mark.parametrize("mistake", ["rahhal_owner", "rahhal_service"])
async def test_an_app_role_that_may_become_the_owner_is_refused(data_dir: Path, mistake: str) -> None:
    used = await embedded.start(data_dir, settings={"fsync": "off"})  # roles belong to the whole server
    try:
        connection = await asyncpg.connect(used.dsn)
        for role in Role:
            await connection.execute(f"CREATE ROLE {role}; GRANT {role} TO CURRENT_USER")
        await check_turn_role(connection)
        await connection.execute(f"GRANT {mistake} TO rahhal_app")
        with pytest.raises(ConfigurationError, match="turns would run as rahhal_app"):
            await check_turn_role(connection)
        await connection.close()
    finally:
        assert await used.stop()
