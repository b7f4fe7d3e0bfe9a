"""What the audit log's hashes cost whoever writes, and how long it takes to verify every row.

The peer of a write keeps the same audit rows from the same trigger, only without salt, digest and leaf, and nobody seals
them. Both are written by the same number of connections, one change a transaction, in turns, with fsync on.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import uvloop

from bot.bench import Measure, Sizes, bench
from bot.bench.database import scratch_server
from bot.operations.audit import verify
from db import audit
from db import pool as pool_of
from db.pool import Role, as_role

WRITERS = 16
CHANGES = 150
"""Of each writer in one round."""
ROUNDS = 7
MOST_ROWS = 1_000_000
"""At which verifying has a target, in seconds."""
SECONDS = 3.0

PEER = """
CREATE TABLE hashed (id uuid PRIMARY KEY DEFAULT app.uuidv7(), user_id uuid, status text, amount bigint, currency text,
                     note text, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
CREATE TABLE plain (LIKE hashed INCLUDING ALL);
GRANT SELECT, INSERT, UPDATE ON hashed, plain TO rahhal_service;
SELECT app.audit('hashed');
CREATE TABLE plain_log (LIKE audit_log INCLUDING CONSTRAINTS INCLUDING INDEXES) PARTITION BY RANGE ("timestamp");
CREATE TABLE plain_payloads (LIKE audit_payloads INCLUDING CONSTRAINTS INCLUDING INDEXES) PARTITION BY RANGE ("timestamp");
ALTER TABLE plain_log DROP COLUMN digest, DROP COLUMN leaf;
ALTER TABLE plain_payloads DROP COLUMN salt;
CREATE TABLE plain_log_all PARTITION OF plain_log DEFAULT;
CREATE TABLE plain_payloads_all PARTITION OF plain_payloads DEFAULT;
SELECT app.isolate('plain_log', NULL), app.isolate('plain_payloads', NULL);
GRANT INSERT ON plain_log, plain_payloads TO rahhal_service;
"""

SAME_WITHOUT_HASHES = """
DO $$
DECLARE
    body text;
BEGIN
    body := pg_get_functiondef('app.write_audit(text, text, uuid, uuid, json, json)'::regprocedure);
    body := replace(body, 'app.write_audit', 'app.write_plain');
    body := replace(replace(body, 'public.audit_log', 'public.plain_log'), 'public.audit_payloads', 'public.plain_payloads');
    body := regexp_replace(body, '    (salt|digest) CONSTANT [^;]*;\n', '', 'g');
    body := regexp_replace(body, ', xid, digest,\\s+app\\.audit_leaf\\([^;]*;', ', xid);');
    EXECUTE replace(body, 'moment, salt, ', 'moment, ');
    body := replace(pg_get_functiondef('app.audit()'::regprocedure), 'app.audit()', 'app.audit_plain()');
    EXECUTE replace(body, 'app.write_audit', 'app.write_plain');
    GRANT EXECUTE ON FUNCTION app.audit_plain() TO rahhal_owner;
END
$$
"""
"""The log's own functions, with what hashes cut out: whatever else they cost, the peer pays too."""

ATTACH_PEER = """
CREATE TRIGGER audited AFTER INSERT OR DELETE ON plain FOR EACH ROW EXECUTE FUNCTION app.audit_plain('id', 'user_id');
CREATE TRIGGER audited_change AFTER UPDATE ON plain FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION app.audit_plain('id', 'user_id');
"""

FILL = """
WITH data AS MATERIALIZED (
    SELECT nextval('audit_ids') AS id, clock_timestamp() AS moment, gen_random_uuid() AS record, gen_random_uuid() AS person,
           uuid_send(gen_random_uuid()) AS salt, g % 2 = 0 AS added,
           CASE WHEN g % 2 = 1 THEN '{ "status" : "held", "confirmed_at" : null, "confirmation_number" : null }'::json END AS old,
           CASE WHEN g % 2 = 1
                THEN json_build_object('status', 'confirmed', 'confirmed_at', now(), 'confirmation_number', 'ABCD-EFGH')
                ELSE json_build_object('id', gen_random_uuid(), 'user_id', gen_random_uuid(), 'created_at', now(),
                                       'rest', repeat('x', 500)) END AS new
    FROM generate_series(1, $1::integer) AS g
), hashed AS MATERIALIZED (
    SELECT *, app.audit_digest(salt, old, new) AS digest, CASE WHEN added THEN 'INSERT' ELSE 'UPDATE' END AS operation FROM data
), payloads AS (
    INSERT INTO audit_payloads SELECT id, moment, salt, old, new FROM hashed
)
INSERT INTO audit_log
SELECT id, moment, 'bookings', operation, record, person, NULL, 'rahhal_app', 'rahhal', NULL, 'rahhal', pg_current_xact_id(),
       digest,
       app.audit_leaf(id, moment, 'bookings', operation, record, person, NULL, 'rahhal_app', 'rahhal', NULL, 'rahhal',
                      pg_current_xact_id(), digest)
FROM hashed
"""
"""Half of them as a booking that was made (some 650 bytes), half as one that was confirmed."""
PORTION = 100_000


@bench("audit")
def run(sizes: Sizes) -> Iterator[Measure]:
    yield from uvloop.run(_measure(sorted(sizes)))


async def _measure(sizes: Sizes) -> list[Measure]:
    async with scratch_server() as server:
        pool = await pool_of.open_pool(
            server.dsn, min_size=WRITERS + 1, max_size=WRITERS + 1, command_timeout=600
        )
        try:
            found = []
            for size in sizes:
                await _fill_up(pool, size)
                found.append(await _verifying(server.dsn, size))
            found.append(await _writing(pool))
        finally:
            await pool.close()
    return found


# ---------------------------------------------------------------------------------------------- writing


async def _writing(pool: asyncpg.Pool) -> Measure:
    async with pool.acquire() as conn:
        async with as_role(conn, Role.OWNER):
            await conn.execute(PEER)
        async with as_role(conn, Role.SERVICE):
            await conn.execute(SAME_WITHOUT_HASHES)
        async with as_role(conn, Role.OWNER):
            await conn.execute(ATTACH_PEER)
    pairs = []
    for number in range(ROUNDS + 1):
        pair = dict.fromkeys(("hashed", "plain") if number % 2 else ("plain", "hashed"), 0.0)
        for name in pair:
            pair[name] = await _round(pool, name)
        if number:  # the first one warms plans and caches
            pairs.append(pair)
    ratios = [pair["hashed"] / pair["plain"] for pair in pairs]
    ours, peer = (statistics.median(pair[name] for pair in pairs) for name in ("hashed", "plain"))
    ratio = statistics.median(ratios)
    return Measure(
        "audit",
        f"audited changes, {WRITERS} writers",
        ours,
        "changes/s",
        f"audit rows without hashes ({peer:,.0f}/s)",
        ratio,
        ">= 0.95 x",
        ratio >= 0.95,
    )


async def _round(pool: asyncpg.Pool, table: str) -> float:
    """Changes a second. What is hashed is sealed meanwhile, as a worker would."""
    done = asyncio.Event()
    sealing = asyncio.create_task(_seal_until(pool, done)) if table == "hashed" else None
    started = time.perf_counter()
    await asyncio.gather(*(_write(pool, table) for _ in range(WRITERS)))
    took = time.perf_counter() - started
    done.set()
    if sealing:
        await sealing
    return WRITERS * CHANGES / took


async def _write(pool: asyncpg.Pool, table: str) -> None:
    """One record, and then one change of it after another."""
    async with pool.acquire() as conn:
        async with as_role(conn, Role.SERVICE):
            record = await conn.fetchval(
                f"INSERT INTO {table} (user_id, status, amount, currency, note) "  # noqa: S608 - a name of ours
                "VALUES (gen_random_uuid(), 'held', 1, 'EGP', repeat('x', 300)) RETURNING id"
            )
        for amount in range(2, CHANGES + 1):
            async with as_role(conn, Role.SERVICE):
                await conn.execute(f"UPDATE {table} SET amount = $2 WHERE id = $1", record, amount)  # noqa: S608


async def _seal_until(pool: asyncpg.Pool, done: asyncio.Event) -> None:
    async with pool.acquire() as conn:
        while not done.is_set():
            async with as_role(conn, Role.WORKER):
                await audit.seal(conn)
            try:
                await asyncio.wait_for(done.wait(), 1)
            except TimeoutError:
                continue


# ---------------------------------------------------------------------------------------------- verifying


async def _fill_up(pool: asyncpg.Pool, size: int) -> None:
    """So many rows in all, sealed."""
    async with pool.acquire() as conn:
        async with as_role(conn, Role.OWNER):
            missing = size - await audit.count_sealed(conn)
        while missing > 0:
            async with as_role(conn, Role.SERVICE):
                await conn.execute(FILL, min(missing, PORTION))
            missing -= PORTION
            for _ in range(2):
                async with as_role(conn, Role.WORKER):
                    await audit.seal(conn)
        async with as_role(conn, Role.OWNER):
            await conn.execute("ANALYZE audit_log, audit_payloads")


async def _verifying(dsn: str, size: int) -> Measure:
    with tempfile.TemporaryDirectory(prefix="rahhal-bench-") as folder:
        times = []
        sound = True
        for _ in range(3):
            started = time.perf_counter()
            verdict = await verify(dsn, Path(folder) / "heads.jsonl")
            times.append(time.perf_counter() - started)
            sound = sound and not verdict.problems and verdict.rows == size
    seconds = statistics.median(times)
    held = size <= MOST_ROWS
    return Measure(
        "audit",
        f"verify {size:,} rows",
        seconds,
        "s",
        f"{os.cpu_count()} cores",
        None,
        f"<= {SECONDS:g} s" if held else None,
        sound and seconds <= SECONDS if held else None,
    )
