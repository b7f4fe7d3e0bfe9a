"""Ordered SQL files, applied once each.

A file is `db/migrations/NNNN_name.sql`. Its leading comments may say `-- role: rahhal_owner`: then it runs as that
role; without it, or with `-- role: login`, as the login itself. One file is one transaction, which first takes an
advisory lock that ends with it (so it is safe behind a pooler too) and then looks again at what is applied: any
number of processes may start at once. A file that cannot have a table's lock at once gives way and is tried again, so that
the queries behind it do not wait for it.

When all are applied, people who log in through Supabase are given what they may read (see 0018).

Applied files are history. A changed or missing one, or a new one numbered below the last applied, is refused.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

from bot.errors import DatabaseUnavailable, MigrationError

_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_ROLE = re.compile(r"--\s*role:\s*(?P<role>[a-z_][a-z0-9_]*)\s*")
_LOGIN = "login"
_LOCK = 0x7261_6868_616C  # "rahhal" in ASCII
_POLL = 0.1
_LOCK_PATIENCE = "3s"
"""How long a file may queue for a table before it lets the queries behind it go first."""


class _Blocked(Exception):
    """Somebody uses a table the file has to change."""


@dataclass(frozen=True)
class Migration:
    """One file. `role` is None where it runs as the login."""

    version: int
    name: str
    role: str | None
    sql: str
    checksum: str

    @property
    def file(self) -> str:
        return f"{self.version:04d}_{self.name}.sql"


@dataclass(frozen=True)
class Applied:
    """One file that this call applied."""

    version: int
    name: str
    duration: timedelta


class Standing(Enum):
    APPLIED = "applied"
    PENDING = "pending"
    EDITED = "edited after it was applied"
    MISSING = "applied, but its file is missing"
    LATE = "new, but numbered below an applied file"


@dataclass(frozen=True)
class MigrationState:
    """Where one file stands in one database. `applied_at` is None where it never was."""

    version: int
    name: str
    standing: Standing
    applied_at: datetime | None

    @property
    def file(self) -> str:
        return f"{self.version:04d}_{self.name}.sql"


async def migrate(dsn: str, *, folder: Traversable | None = None, patience: float = 300.0) -> list[Applied]:
    """Bring the database up to date; empty when it was. `dsn` is a direct connection, `patience` in seconds.

    Raises MigrationError naming the file, with nothing of that file applied; DatabaseUnavailable without an answer.
    """
    migrations = load(folder)
    connection = await _connect(dsn)
    try:
        return await _apply_all(connection, migrations, patience)
    finally:
        await connection.close()


async def status(dsn: str, *, folder: Traversable | None = None) -> list[MigrationState]:
    """Every file of the folder or of the database's history, in order. Changes nothing."""
    migrations = load(folder)
    connection = await _connect(dsn)
    try:
        return _compare(migrations, await _history(connection))
    finally:
        await connection.close()


def load(folder: Traversable | None = None) -> list[Migration]:
    """The files in order. Raises MigrationError for a name that is none, and for a number used twice."""
    folder = folder or files("db") / "migrations"
    found: dict[int, Migration] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".sql"):
            continue
        if (match := _NAME.fullmatch(entry.name)) is None:
            raise MigrationError(f"{entry.name}: a migration is named NNNN_lower_case.sql")
        content = entry.read_bytes()
        sql = content.decode()
        version = int(match["version"])
        if version in found:
            raise MigrationError(f"{entry.name}: {found[version].file} has that number already")
        found[version] = Migration(version, match["name"], _role(sql), sql, sha256(content).hexdigest())
    return list(found.values())


def cluster_ground() -> str:
    """What the first migration does outside every dump: the five roles, and their rights on this database.

    May run on any database, any number of times.
    """
    ground, _, schema = load()[0].sql.partition("SET LOCAL ROLE rahhal_service;")
    assert schema, "the first migration makes the roles before anything else"
    return ground


def _role(sql: str) -> str | None:
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        if match := _ROLE.fullmatch(line):
            return None if match["role"] == _LOGIN else match["role"]
    return None


async def _connect(dsn: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=30, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"no connection for the migrations: {error}") from error


async def _history(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    if await connection.fetchval("SELECT to_regclass('public.schema_migrations') IS NULL"):
        return []
    return list(
        await connection.fetch(
            "SELECT version, name, checksum, applied_at FROM public.schema_migrations ORDER BY version"
        )
    )


def _compare(migrations: Sequence[Migration], history: Sequence[asyncpg.Record]) -> list[MigrationState]:
    by_version = {migration.version: migration for migration in migrations}
    last = max((row["version"] for row in history), default=0)
    states = []
    for row in history:
        ours = by_version.pop(row["version"], None)
        if ours is None or ours.name != row["name"]:
            standing = Standing.MISSING
        else:
            standing = Standing.APPLIED if ours.checksum == row["checksum"] else Standing.EDITED
        states.append(MigrationState(row["version"], row["name"], standing, row["applied_at"]))
    for new in by_version.values():
        standing = Standing.LATE if new.version < last else Standing.PENDING
        states.append(MigrationState(new.version, new.name, standing, None))
    return sorted(states, key=lambda state: state.version)


async def _apply_all(
    connection: asyncpg.Connection, migrations: Sequence[Migration], patience: float
) -> list[Applied]:
    applied: list[Applied] = []
    deadline = time.monotonic() + patience
    while True:
        await connection.execute("BEGIN")
        try:
            # Polled, not waited for: a waiting lock would hold back everything that waits for old transactions.
            ours = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK)
            pending = await _next(connection, migrations) if ours else None
            if pending is not None:
                applied.append(await _apply(connection, pending))
            elif ours:
                await _open_to_supabase(connection)
            await connection.execute("COMMIT")
        except _Blocked:
            await connection.execute("ROLLBACK")
            ours, pending = False, None
        except BaseException:
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
            raise
        if ours and pending is None:
            return applied
        if not ours:
            if time.monotonic() > deadline:
                raise MigrationError("another process has been using or migrating this database for too long")
            await asyncio.sleep(_POLL)


async def _next(connection: asyncpg.Connection, migrations: Sequence[Migration]) -> Migration | None:
    states = _compare(migrations, await _history(connection))
    for state in states:
        if state.standing not in (Standing.APPLIED, Standing.PENDING):
            raise MigrationError(f"{state.file}: {state.standing.value}; add a new file instead")
    pending = {state.version for state in states if state.standing is Standing.PENDING}
    return next((migration for migration in migrations if migration.version in pending), None)


async def _apply(connection: asyncpg.Connection, migration: Migration) -> Applied:
    started = time.monotonic()
    transaction = await connection.fetchval("SELECT pg_current_xact_id()::text")
    await connection.execute(
        f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'; SET LOCAL search_path = public"
    )
    try:
        if migration.role is not None:
            await connection.execute(f'SET LOCAL ROLE "{migration.role}"')
        await connection.execute(migration.sql)
    except asyncpg.LockNotAvailableError as error:
        raise _Blocked from error
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.file}{_place(migration.sql, error)}: {error}") from error
    if await connection.fetchval("SELECT pg_current_xact_id()::text") != transaction:
        raise MigrationError(f"{migration.file}: ends its transaction; the runner begins and commits")
    duration = timedelta(seconds=time.monotonic() - started)
    await connection.execute("RESET ROLE")
    await _record(connection, migration, duration)
    return Applied(migration.version, migration.name, duration)


def _place(sql: str, error: asyncpg.PostgresError) -> str:
    position = getattr(error, "position", None)
    return f", line {sql[: int(position)].count(chr(10)) + 1}" if position else ""


async def _open_to_supabase(connection: asyncpg.Connection) -> None:
    """What people who log in through Supabase may read, also of tables that are new; nothing where there is no Supabase."""
    there = await connection.fetchval(
        """
        SELECT count(*) = 2 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE (n.nspname, p.proname, p.pronargs) IN (('auth', 'uid', 0), ('app', 'supabase_policies', 0))
        """
    )
    if not there:
        return
    try:
        await connection.execute(
            f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'; SELECT app.supabase_policies()"
        )
    except asyncpg.LockNotAvailableError as error:
        raise _Blocked from error


async def _record(connection: asyncpg.Connection, migration: Migration, duration: timedelta) -> None:
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS public.schema_migrations (
            version    integer     PRIMARY KEY,
            name       text        NOT NULL,
            checksum   text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            duration   interval    NOT NULL
        )
        """
    )
    await connection.execute(
        "INSERT INTO public.schema_migrations (version, name, checksum, duration) VALUES ($1, $2, $3, $4)",
        migration.version,
        migration.name,
        migration.checksum,
        duration,
    )
    # Backups run as the owner role, which must be able to read the history too.
    await connection.execute(
        """
        DO $$ BEGIN
            IF to_regrole('rahhal_owner') IS NOT NULL THEN
                GRANT SELECT ON public.schema_migrations TO rahhal_owner;
            END IF;
        END $$
        """
    )
