"""One real PostgreSQL for the whole run, shared by all xdist workers; a database of its own for whoever commits.

Tests marked `browser` are skipped where there is no Chromium, and the last line of the run says so.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from db import embedded, migrate, pool
from tests.dropping import drop

# Speed only: the tests kill processes, never the machine.
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "120"}
_TEMPLATE = "migrated"
_NO_BROWSER = "there is no Chromium on this machine"


_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _chromium() -> str | None:
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("RAHHAL_BROWSER_TESTS") == "required" and _chromium() is None:
        raise pytest.UsageError(
            "RAHHAL_BROWSER_TESTS=required, but there is no Chromium (apt install chromium)"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _chromium() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=_NO_BROWSER))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [
        report for report in terminalreporter.stats.get("skipped", []) if _NO_BROWSER in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_sep(
            "!", f"{len(skipped)} browser tests were SKIPPED: apt install chromium to run them"
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, for playwright's `executable_path`. Only for tests marked `browser`."""
    found = _chromium()
    assert found is not None, "the test is not marked `browser`"
    return found


def _named(dsn: str, database: str) -> str:
    return dsn.replace("@/rahhal?", f"@/{database}?")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Embedded]:
    """The shared server. The last worker to leave stops it: that is what its user locks are for."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    running = asyncio.run(embedded.start(shared / "postgres-of-tests", settings=_SETTINGS))
    yield running
    asyncio.run(running.stop())


@pytest.fixture(scope="session")
def template(server: embedded.Embedded) -> str:
    """The name of the migrated database that others are copied from, made once per run."""

    async def make() -> None:
        admin = await asyncpg.connect(server.dsn)
        try:
            if await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", _TEMPLATE):
                return
            await admin.execute("DROP DATABASE IF EXISTS template_in_the_making")
            await admin.execute("CREATE DATABASE template_in_the_making")
            await migrate.migrate(_named(server.dsn, "template_in_the_making"))
            await admin.execute(f"ALTER DATABASE template_in_the_making RENAME TO {_TEMPLATE}")
        finally:
            await admin.close()

    with (server.data_dir / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(make())
    return _TEMPLATE


async def _copy(server: embedded.Embedded, template: str) -> str:
    name = f"test_{uuid4().hex[:16]}"
    admin = await asyncpg.connect(server.dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await admin.close()
    return _named(server.dsn, name)


async def _drop(server: embedded.Embedded, dsn: str) -> None:
    name = dsn.split("@/")[1].split("?")[0]
    admin = await asyncpg.connect(server.dsn)
    try:
        await drop(admin, name)
    finally:
        await admin.close()


@pytest.fixture
async def empty_database(server: embedded.Embedded) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    dsn = await _copy(server, "template1")
    yield dsn
    await _drop(server, dsn)


@pytest.fixture
async def database(server: embedded.Embedded, template: str) -> AsyncIterator[str]:
    """The URL of a fresh migrated database, for tests that commit, LISTEN or need several connections."""
    dsn = await _copy(server, template)
    yield dsn
    await _drop(server, dsn)


@pytest.fixture(name="pool")
async def open_pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool as the application's, on a database of its own."""
    opened = await pool.open_pool(database, min_size=1, max_size=8)
    yield opened
    await asyncio.wait_for(opened.close(), 10)


@pytest.fixture(scope="session")
def rolled_back_database(server: embedded.Embedded, template: str) -> Iterator[str]:
    """One migrated database per worker, in which nothing is ever committed."""
    dsn = asyncio.run(_copy(server, template))
    yield dsn
    asyncio.run(_drop(server, dsn))


@pytest.fixture
async def conn(rolled_back_database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection inside a transaction, as rahhal_owner, rolled back at the end."""
    connection = await asyncpg.connect(rolled_back_database)
    await pool.prepare(connection)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"SET LOCAL ROLE {pool.Role.OWNER.value}")
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory for a server of the test's own."""
    return tmp_path / "data"
