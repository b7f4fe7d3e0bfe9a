"""The demo catalogue is drawn once for a run; every program gets a copy of that database."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import fcntl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from bot.suppliers import demo
from db import embedded, pool
from db.pool import Role, as_role
from tests.acceptance.ledger import Ledger
from tests.dropping import drop

_FILLED = "demo_catalogue"

NewDatabase = Callable[[], AbstractAsyncContextManager[str]]
"""A database of one's own with the demo catalogue in it: its URL, dropped afterwards."""


def named(dsn: str, database: str) -> str:
    return dsn.replace("@/rahhal?", f"@/{database}?")


async def fill(dsn: str) -> None:
    """The demo catalogue and its past, as the first start of the program writes them."""
    conn = await asyncpg.connect(dsn)
    try:
        await pool.prepare(conn)
        async with as_role(conn, Role.OWNER):
            now = dt.datetime.now(dt.UTC)
            await demo.fill(conn, now=now)
            await demo.fill_stays(conn, now=now)
    finally:
        await conn.close()


@pytest.fixture(scope="session")
def filled(server: embedded.Embedded, template: str) -> str:
    """The name of the database with the demo catalogue, made by whichever worker comes first."""

    async def make() -> None:
        admin = await asyncpg.connect(server.dsn)
        try:
            if await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", _FILLED):
                return
            await admin.execute("DROP DATABASE IF EXISTS filling")
            await admin.execute(f"CREATE DATABASE filling TEMPLATE {template}")
            await fill(named(server.dsn, "filling"))
            await admin.execute(f"ALTER DATABASE filling RENAME TO {_FILLED}")
        finally:
            await admin.close()

    with (server.data_dir / "filled.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(make())
    return _FILLED


@pytest.fixture(scope="session")
def new_database(server: embedded.Embedded, filled: str) -> NewDatabase:
    @contextlib.asynccontextmanager
    async def copied() -> AsyncIterator[str]:
        name = f"acceptance_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(server.dsn)
        try:
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {filled} STRATEGY FILE_COPY")
            yield named(server.dsn, name)
        finally:
            await drop(admin, name)
            await admin.close()

    return copied


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of painted pictures for all programs of this worker."""
    return tmp_path_factory.mktemp("data")


@contextlib.asynccontextmanager
async def ledger_of(dsn: str) -> AsyncIterator[Ledger]:
    ledger = Ledger(dsn)
    yield ledger
    await ledger.close()
