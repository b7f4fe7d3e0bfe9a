"""The demo catalogue, filled once a run into a database that every worker copies."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import pytest

from bot.suppliers import demo
from db import embedded, pool
from db.pool import Role, as_role
from tests.conversations.chat import BEGINNING, Chat
from tests.dropping import drop

_FILLED = "filled_with_the_demo"


async def _drop(server: embedded.Embedded, name: str) -> None:
    admin = await asyncpg.connect(server.dsn)
    try:
        await drop(admin, name)
    finally:
        await admin.close()


async def _run(server: embedded.Embedded, statement: str) -> None:
    admin = await asyncpg.connect(server.dsn)
    try:
        await admin.execute(statement)
    finally:
        await admin.close()


def _named(server: embedded.Embedded, database: str) -> str:
    return server.dsn.replace("@/rahhal?", f"@/{database}?")


@pytest.fixture(scope="session")
def demo_template(server: embedded.Embedded, template: str) -> str:
    """The name of a database with the demo catalogue, priced from the beginning of the conversations' world."""

    async def make() -> None:
        admin = await asyncpg.connect(server.dsn)
        try:
            if await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", _FILLED):
                return
        finally:
            await admin.close()
        await _run(server, "DROP DATABASE IF EXISTS demo_in_the_making")
        await _run(server, f"CREATE DATABASE demo_in_the_making TEMPLATE {template}")
        conn = await asyncpg.connect(_named(server, "demo_in_the_making"))
        try:
            await pool.prepare(conn)
            async with as_role(conn, Role.OWNER):
                await demo.fill(conn, now=BEGINNING)
        finally:
            await conn.close()
        await _run(server, f"ALTER DATABASE demo_in_the_making RENAME TO {_FILLED}")

    with (server.data_dir / "demo-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(make())
    return _FILLED


@pytest.fixture(scope="session")
def demo_database(server: embedded.Embedded, demo_template: str) -> Iterator[str]:
    """A worker's own copy. Files share it, so each that books keeps to a city or to dates of its own."""
    name = f"chat_{uuid4().hex[:16]}"
    asyncio.run(_run(server, f"CREATE DATABASE {name} TEMPLATE {demo_template}"))
    yield _named(server, name)
    asyncio.run(_drop(server, name))


@pytest.fixture
async def chat(demo_database: str) -> AsyncIterator[Chat]:
    opened = await pool.open_pool(demo_database, min_size=1, max_size=4)
    yield Chat(opened)
    await asyncio.wait_for(opened.close(), 10)
