"""The oldest PostgreSQL we serve, as an operator would bring it: migrated by a plain CREATEROLE login, and as closed as ours."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from db import migrate
from db.pool import Role, as_role, check_turn_role
from tests.db.test_isolation import (  # noqa: F401 - run here again
    test_every_table_is_isolated_or_known_to_be_shared,
    test_everybody_has_no_right_to_anything,
)
from tests.db.test_isolation_attempts import (  # noqa: F401 - run here again
    test_a_policy_finds_her_rows_by_an_index,
    test_no_function_shows_or_changes_anything_of_his,
    test_nothing_of_his_is_read,
    test_nothing_of_his_is_written,
    tried,
)

BINARIES = Path("/usr/lib/postgresql/15/bin")
pytestmark = pytest.mark.skipif(
    not (BINARIES / "initdb").exists(), reason=f"no PostgreSQL 15 in {BINARIES} (apt install postgresql-15)"
)


@dataclass(frozen=True)
class Server:
    """A cluster whose login `plain` may create roles and databases and nothing else. Trusts its own socket."""

    folder: Path

    def dsn(self, database: str, user: str = "plain") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"


def _run(program: str, *arguments: str, user: str | None) -> None:
    subprocess.run(
        [BINARIES / program, *arguments], user=user, check=True, capture_output=True, timeout=60, cwd="/"
    )


@pytest.fixture(scope="module")
def old_server() -> Iterator[Server]:
    """PostgreSQL refuses root: then it runs as whoever Debian made for it, in a folder of that user's."""
    folder = Path(tempfile.mkdtemp(prefix="rahhal-pg15-"))
    user = None
    if os.geteuid() == 0:
        user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = str(folder / "data")
    try:
        _run(
            "initdb",
            "-D",
            data,
            "-U",
            "boss",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
            user=user,
        )
        options = f"-c listen_addresses= -k {folder} -c fsync=off"
        _run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start", user=user)
        try:
            server = Server(folder)
            asyncio.run(_make_plain(server))
            yield server
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop", user=user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _make_plain(server: Server) -> None:
    boss = await asyncpg.connect(server.dsn("postgres", "boss"))
    await boss.execute("CREATE ROLE plain LOGIN CREATEROLE CREATEDB")
    await boss.close()
    conn = await asyncpg.connect(server.dsn("postgres"))
    await conn.execute("CREATE DATABASE rahhal")
    await conn.close()
    await migrate.migrate(server.dsn("rahhal"))


@pytest.fixture(scope="module")
def rolled_back_database(old_server: Server) -> str:
    """In place of the one of our own server: what `conn` connects to."""
    return old_server.dsn("rahhal")


async def test_it_is_15_and_the_login_is_plain(conn: asyncpg.Connection) -> None:
    assert conn.get_server_version().major == 15
    await conn.execute("RESET ROLE")
    found = await conn.fetchrow("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    assert tuple(found) == (False, False)


async def test_turns_run_as_somebody_whom_policies_stop(old_server: Server) -> None:
    conn = await asyncpg.connect(old_server.dsn("rahhal"))
    await check_turn_role(conn)
    await conn.close()


async def test_a_login_for_turns_alone_has_nothing_to_reset_to(old_server: Server) -> None:
    """RAHHAL_APP_DATABASE_URL: RESET ROLE, another role or no row security at all opens nothing."""
    plain = await asyncpg.connect(old_server.dsn("rahhal"))
    name = f"turns_{uuid4().hex[:12]}"
    await plain.execute(f"CREATE ROLE {name} LOGIN NOINHERIT")
    await plain.execute(f"GRANT rahhal_app TO {name}")
    await plain.close()
    conn = await asyncpg.connect(old_server.dsn("rahhal", name))
    for statement in (
        *(f"SET ROLE {role}" for role in Role if role is not Role.APP),
        "SET SESSION AUTHORIZATION plain",
        "SELECT FROM users",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)
    for before in ("SET LOCAL row_security = off", "RESET ROLE", "RESET SESSION AUTHORIZATION"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_role(conn, Role.APP):
                await conn.execute(before)
                await conn.execute("SELECT FROM users")
    await conn.close()
