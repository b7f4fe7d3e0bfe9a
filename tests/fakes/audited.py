"""A small audited table, and what an intruder with the owner's rights would do to the log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg

from db import audit
from db.pool import Role, as_role

TABLE = """
CREATE TABLE things (id uuid PRIMARY KEY, user_id uuid, name text, payload jsonb, updated_at timestamptz DEFAULT now());
GRANT SELECT, INSERT, UPDATE, DELETE ON things TO rahhal_app, rahhal_service;
SELECT app.audit('things');
"""
TABLES = ("audit_log", "audit_payloads", "audit_batches", "audit_retired")


async def open_table(conn: asyncpg.Connection) -> None:
    async with as_role(conn, Role.OWNER):
        await conn.execute(TABLE)


async def add_thing(conn: asyncpg.Connection, name: str = "x", user: UUID | None = None) -> UUID:
    """One row, in the transaction that is open or in its own."""
    thing = uuid4()
    await conn.execute("INSERT INTO things (id, user_id, name) VALUES ($1, $2, $3)", thing, user, name)
    return thing


async def add_things(conn: asyncpg.Connection, count: int, user: UUID | None = None) -> list[int]:
    """So many rows in one transaction; the ids they have in the log."""
    async with as_role(conn, Role.OWNER):
        for n in range(count):
            await add_thing(conn, f"thing {n}", user)
        rows = await conn.fetch("SELECT id FROM audit_log ORDER BY id DESC LIMIT $1", count)
    return sorted(row["id"] for row in rows)


async def seal_once(conn: asyncpg.Connection) -> int:
    async with as_role(conn, Role.WORKER):
        return await audit.seal(conn)


async def seal_all(conn: asyncpg.Connection) -> None:
    """Until nothing is left. Transactions of other tests on this server may hold it up for a moment."""
    async with asyncio.timeout(20):
        while True:
            await seal_once(conn)
            async with as_role(conn, Role.OWNER):
                if (await audit.witness(conn)).tail_rows == 0:
                    return
            await asyncio.sleep(0.01)


async def problems(conn: asyncpg.Connection) -> list[audit.Problem]:
    """Everything the database itself can find; beside it, that verify_audit_log_integrity agrees."""
    async with as_role(conn, Role.OWNER):
        found = await audit.chain_problems(conn)
        for part in await audit.slices(conn):
            found += await audit.row_problems(conn, part=part)
        assert await conn.fetchval("SELECT verify_audit_log_integrity()") is (not found)
    return found


@contextlib.asynccontextmanager
async def intruder(conn: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The owner, with the triggers out of the way."""
    async with as_role(conn, Role.OWNER):
        for name in TABLES:
            await conn.execute(f"ALTER TABLE {name} DISABLE TRIGGER append_only")
        yield conn
        for name in TABLES:
            await conn.execute(f"ALTER TABLE {name} ENABLE TRIGGER append_only")


REWRITE = """
DO $$
DECLARE
    b audit_batches;
    before bytea := decode(repeat('00', 32), 'hex');
    hash bytea;
BEGIN
    SET LOCAL ROLE rahhal_service;
    FOR b IN SELECT * FROM public.audit_batches ORDER BY number LOOP
        hash := app.audit_head(before, b.number, b.epoch, b.year, b.after_id, b.upto_id, b.row_count, b.sealed_at,
                               sha256(b.members));
        SET LOCAL ROLE rahhal_owner;
        UPDATE public.audit_batches SET root = sha256(members), previous_head = before, head = hash WHERE number = b.number;
        SET LOCAL ROLE rahhal_service;
        before := hash;
    END LOOP;
    UPDATE public.audit_marks SET head = before, batch = coalesce((SELECT max(number) FROM public.audit_batches), 0);
    SET LOCAL ROLE rahhal_owner;
END
$$
"""
"""A whole chain made anew from what the batches list now: everything inside the database agrees again."""
