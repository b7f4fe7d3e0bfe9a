"""The audit log: its years, its sealing, what is published of it, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from asyncpg import Connection

PATIENCE = 3600.0
"""Seconds that reading a whole year may take."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The log at one moment: the last batch and its head, and the rows not sealed yet, as `snapshot` saw them.

    `tail_root` is the SHA-256 over id and leaf of the rows with ids in (sealed_id, tail_id]. `year` is the first day of the
    batch's year, None where that is not known.
    """

    batch: int
    head: bytes
    sealed_id: int
    tail_id: int
    tail_rows: int
    tail_root: bytes
    snapshot: str
    year: date | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was written. `batch` and `row` (an id of audit_log) where they are known.

    kind: see the functions app.audit_row_problems, app.audit_chain_problems and app.audit_contradiction.
    """

    kind: str
    batch: int | None = None
    row: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows with ids in (after_id, upto_id]."""

    after_id: int
    upto_id: int


async def make_years(conn: Connection, *, now: datetime) -> int:
    """Partitions for this year and the next. Returns how many were made. Runs as rahhal_owner."""
    made: int = await conn.fetchval(
        """
        SELECT count(*) FILTER (WHERE create_audit_year((($1::timestamptz AT TIME ZONE 'UTC') + make_interval(years => n))::date))
        FROM generate_series(0, 1) AS n
        """,
        now,
    )
    return made


async def rows_without_year(conn: Connection) -> int:
    """Rows that fell into the DEFAULT partition. Runs as rahhal_owner."""
    lost: int = await conn.fetchval("SELECT count(*) FROM audit_log_default")
    return lost


async def years_to_retire(conn: Connection, *, now: datetime) -> list[date]:
    """Years online whose seven years are over, oldest first. Runs as rahhal_owner."""
    rows = await conn.fetch(
        """
        SELECT y.year FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 4), 'YYYY') AS year) AS y
        WHERE i.inhparent = 'audit_log'::regclass AND c.relname ~ '_[0-9]{4}$'
          AND y.year + interval '8 years' <= $1::timestamptz AT TIME ZONE 'UTC'
        ORDER BY y.year
        """,
        now,
    )
    return [row["year"] for row in rows]


async def retire_year(conn: Connection, *, year: date) -> int:
    """Let that year go; how many rows left. Runs as rahhal_owner, gives up after two seconds without the lock.

    Raises asyncpg's DataCorruptedError when the log was tampered with, ObjectNotInPrerequisiteStateError when the year
    is not sealed, CheckViolationError when its time has not come, LockNotAvailableError.
    """
    await conn.execute("SET LOCAL lock_timeout = '2s'")
    left: int = await conn.fetchval("SELECT retire_audit_year($1)", year, timeout=PATIENCE)
    return left


async def seal(conn: Connection) -> int:
    """Chain what can no longer change; how many batches that made. First of its transaction, as rahhal_worker."""
    made: int = await conn.fetchval("SELECT app.seal_audit()", timeout=PATIENCE)
    return made


async def witness(conn: Connection) -> Witness:
    """What to publish outside PostgreSQL. Runs as rahhal_worker or rahhal_owner."""
    row = await conn.fetchrow(
        "SELECT batch, head, sealed_id, tail_id, tail_rows, tail_root, snapshot, year FROM app.audit_witness()"
    )
    return Witness(**row)


async def contradiction(conn: Connection, *, seen: Witness) -> str | None:
    """What is wrong with something once seen: None when it still stands."""
    found: str | None = await conn.fetchval(
        "SELECT app.audit_contradiction($1, $2, $3, $4, $5, $6, $7, $8)",
        seen.batch,
        seen.head,
        seen.sealed_id,
        seen.tail_id,
        seen.tail_rows,
        seen.tail_root,
        seen.snapshot,
        seen.year,
    )
    return found


async def slices(conn: Connection) -> list[Slice]:
    """Work for several connections; together all rows there are and will be. Runs as rahhal_owner."""
    rows = await conn.fetch("SELECT after_id, upto_id FROM app.audit_slices()", timeout=PATIENCE)
    return [Slice(**row) for row in rows]


async def row_problems(conn: Connection, *, part: Slice) -> list[Problem]:
    """What is wrong with these rows, in order of ids. Runs as rahhal_owner."""
    rows = await conn.fetch(
        "SELECT problem AS kind, batch, id AS row, table_name AS detail FROM app.audit_row_problems($1, $2)",
        part.after_id,
        part.upto_id,
        timeout=PATIENCE,
    )
    return [Problem(**row) for row in rows]


async def chain_problems(conn: Connection) -> list[Problem]:
    """What is wrong with the batches and their order. Runs as rahhal_owner."""
    rows = await conn.fetch(
        "SELECT problem AS kind, batch, NULL::bigint AS row, detail FROM app.audit_chain_problems()",
        timeout=PATIENCE,
    )
    return [Problem(**row) for row in rows]


async def heads(conn: Connection) -> dict[int, bytes]:
    """The head of every batch online, by number. Runs as rahhal_owner."""
    rows = await conn.fetch("SELECT number, head FROM audit_batches", timeout=PATIENCE)
    return {row["number"]: row["head"] for row in rows}


async def count_sealed(conn: Connection) -> int:
    """Rows in the batches online, as these say. Runs as rahhal_owner."""
    rows: int = await conn.fetchval("SELECT coalesce(sum(row_count), 0)::bigint FROM audit_batches")
    return rows


async def erase_payloads(conn: Connection, *, user: UUID) -> int:
    """Erase the data that the log keeps of a person; how many rows lost them. Runs as rahhal_owner.

    Last of what erases her: whatever is changed in her rows afterwards is logged with its data.
    """
    erased: int = await conn.fetchval("SELECT app.erase_audit_payloads($1)", user)
    return erased
