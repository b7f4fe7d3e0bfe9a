"""Connections for turns and workers, and the one way to act as a role.

All session state is transaction-local (role, claim, timeouts), so a connection needs no reset query between two
users, which is a round trip saved on every turn. (asyncpg still rolls back a transaction somebody forgot.)
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import asyncpg
import orjson

from bot.errors import ConfigurationError, ConstraintViolated, DatabaseUnavailable, RahhalError


class Role(StrEnum):
    """The five roles of the schema. Each is what a transaction may do, not who connects."""

    OWNER = "rahhal_owner"
    SERVICE = "rahhal_service"
    APP = "rahhal_app"
    WORKER = "rahhal_worker"
    ANALYTICS = "rahhal_analytics"


class TransactionLost(RahhalError):
    """PostgreSQL answered COMMIT with a rollback: an error inside the block was swallowed. Nothing was kept."""


AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's farewell has been read, the end of the connection not yet
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # no connection left, a full disk
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DeadlockDetectedError,  # no absence, but means the same: bring it again
)
"""What is raised while PostgreSQL is away for a while: the same call may succeed later."""

UNREACHABLE = (*AWAY, asyncpg.PostgresError)
"""What a loop that goes on for ever waits out, whatever PostgreSQL's reason."""


def refusal(error: asyncpg.IntegrityConstraintViolationError) -> ConstraintViolated:
    """A refused write as an error of ours: which table and rule, without the values PostgreSQL quotes."""
    rule = error.constraint_name or error.column_name or "a trigger"
    return ConstraintViolated(
        f"{error.table_name or 'the database'} refuses this ({rule})",
        table=error.table_name,
        constraint=error.constraint_name,
    )


async def open_pool(
    dsn: str,
    *,
    min_size: int = 2,
    max_size: int = 10,
    transaction_pooler: bool = False,
    command_timeout: float = 30.0,
) -> asyncpg.Pool:
    """A pool whose connections speak jsonb as Python values (orjson).

    `transaction_pooler`: the URL goes through one, so nothing may outlive a transaction, prepared statements included.
    `command_timeout` is in seconds, per statement. Raises DatabaseUnavailable when no connection can be opened.
    """
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            timeout=15,
            command_timeout=command_timeout,
            statement_cache_size=0 if transaction_pooler else 200,
            max_inactive_connection_lifetime=300,
            server_settings={"application_name": "rahhal"},
            init=prepare,
            reset=_keep_session,
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"no connection to PostgreSQL: {error}") from error


async def prepare(connection: asyncpg.Connection) -> None:
    """What every connection needs before its first query."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=_to_json, decoder=orjson.loads, format="text"
        )


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _keep_session(_: asyncpg.Connection) -> None:
    """In place of asyncpg's reset query."""


@contextlib.asynccontextmanager
async def as_role(connection: asyncpg.Connection, role: Role) -> AsyncIterator[None]:
    """One transaction as `role`; the role is set in the round trip of BEGIN and ends with the transaction.

    An error or a cancellation inside the block rolls back. A cancellation that arrives during COMMIT leaves the
    outcome open: it may have been committed, so never read a cancellation as a rollback, and make what follows
    idempotent. Raises TransactionLost when PostgreSQL rolled back although the block ended well.
    """
    try:
        await connection.execute(f"BEGIN; SET LOCAL ROLE {role.value}")
        yield
        outcome = await connection.execute("COMMIT")
    except BaseException:
        await _roll_back(connection)
        raise
    if outcome != "COMMIT":
        raise TransactionLost("the transaction had failed before its COMMIT")


async def _roll_back(connection: asyncpg.Connection) -> None:
    """Leave no transaction behind, or no connection."""
    try:
        if connection.is_closed() or not connection.is_in_transaction():
            return
    except asyncpg.InterfaceError:
        return  # the pool has taken the dead connection back already
    try:
        await connection.execute("ROLLBACK", timeout=5)
    except Exception:
        _end(connection)  # that ends its transaction too; what went wrong before is what the caller hears of
    except BaseException:
        _end(connection)
        raise


def _end(connection: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # the pool has noticed, and has ended it already
        connection.terminate()


@contextlib.asynccontextmanager
async def visit(
    pool: asyncpg.Pool, role: Role, *, patience: float = 5.0
) -> AsyncIterator[asyncpg.Connection]:
    """One transaction as `role` on a connection of the pool, waited for `patience` seconds.

    Raises DatabaseUnavailable where PostgreSQL is away.
    """
    try:
        async with pool.acquire(timeout=patience) as connection, as_role(connection, role):
            yield connection
    except AWAY as error:
        raise DatabaseUnavailable(str(error) or type(error).__name__) from error


async def check_turn_role(connection: asyncpg.Connection) -> None:
    """Refuse to serve turns as somebody whom row level security would not stop.

    Raises ConfigurationError when `rahhal_app`, as this login takes it on, is a superuser, bypasses RLS, owns tables
    or may become the owner.
    """
    async with as_role(connection, Role.APP):
        found = await connection.fetchrow(
            """
            SELECT current_user AS name, r.rolsuper, r.rolbypassrls,
                   pg_has_role(current_user, 'rahhal_owner', 'MEMBER')
                   OR pg_has_role(current_user, 'rahhal_service', 'MEMBER') AS owns
            FROM pg_roles r WHERE r.rolname = current_user
            """
        )
    if found["name"] != Role.APP.value or found["rolsuper"] or found["rolbypassrls"] or found["owns"]:
        raise ConfigurationError(
            f"turns would run as {found['name']}, which row level security does not stop: "
            "rahhal_app must be a plain role (no SUPERUSER, no BYPASSRLS, not a member of rahhal_owner)"
        )
