"""The audit log's jobs: years made ahead, rows sealed, heads published, old years let go."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from pathlib import Path

import asyncpg
import structlog

from bot.errors import OperationFailed
from bot.jobs import witnesses
from bot.jobs.witnesses import Published
from db import audit

log = structlog.get_logger(__name__)


async def make_years(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """This year and the next; rows that found no year are told of."""
    made = await audit.make_years(conn, now=now)
    lost = await audit.rows_without_year(conn)
    if lost:
        log.warning("audit.without_year", rows=lost)
    return f"{made} made, {lost} rows without a year" if lost else f"{made} made"


async def seal(conn: asyncpg.Connection, _now: dt.datetime) -> str:
    """Rows that can no longer change are chained."""
    return f"{await audit.seal(conn)} batches"


async def publish(conn: asyncpg.Connection, now: dt.datetime, *, file: Path) -> str:
    """The head of the chain, and what is not sealed yet, go into a file and the log, outside PostgreSQL.

    Raises OperationFailed when the log contradicts what was published before: nothing is added then, for whoever looks
    into it to see where the two part.
    """
    before = await asyncio.to_thread(witnesses.last, file)
    if before is not None:
        wrong = await audit.contradiction(conn, seen=before.seen)
        if wrong is not None:
            raise OperationFailed(
                f"the audit log is not what was published at {before.at:%F %T} ({wrong}): rahhal db verify-audit"
            )
    seen = await audit.witness(conn)
    if before is not None and seen == dataclasses.replace(before.seen, snapshot=seen.snapshot):
        return "unchanged"
    try:
        await asyncio.to_thread(witnesses.append, file, Published(now, seen))
    except OSError as error:
        raise OperationFailed(f"{file}: {error.strerror}") from None
    log.info("audit.head", batch=seen.batch, head=seen.head.hex(), unsealed=seen.tail_rows)
    return f"head {seen.batch}"


async def retire(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """The oldest year whose seven years are over leaves, a year each time.

    Raises OperationFailed when the log was tampered with: evidence stays.
    """
    due = await audit.years_to_retire(conn, now=now)
    if not due:
        return "nothing is due"
    try:
        left = await audit.retire_year(conn, year=due[0])
    except (asyncpg.DataCorruptedError, asyncpg.ObjectNotInPrerequisiteStateError) as error:
        raise OperationFailed(f"{error}: rahhal db verify-audit") from None
    log.info("audit.year_left", year=due[0].year, rows=left)
    return f"{due[0].year}: {left} rows left"
