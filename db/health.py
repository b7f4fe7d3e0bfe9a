"""How the database itself is doing, read as rahhal_owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class JobRun:
    """The last run of a job. `finished_at` is None while it runs, or when its worker died."""

    job: str
    started_at: datetime
    finished_at: datetime | None
    next_at: datetime
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table with its indexes: `size` in bytes, `rows` as the planner estimates them, `dead` not yet vacuumed."""

    name: str
    size: int
    rows: int
    dead: int


@dataclass(frozen=True, slots=True)
class Months:
    """The partitions of one table, by name, and how many rows wait in its DEFAULT partition (0 is how it should be)."""

    table: str
    partitions: tuple[str, ...]
    in_default: int


@dataclass(frozen=True, slots=True)
class Running:
    """A statement that has been running for `age`; `blocked_by` are the processes whose locks it waits for."""

    pid: int
    role: str
    state: str
    age: timedelta
    blocked_by: tuple[int, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """A table read from end to end: `rows` rows in `scans` scans since the statistics began."""

    table: str
    scans: int
    rows: int


async def size(conn: Connection) -> int:
    """Of the whole database, in bytes."""
    found: int = await conn.fetchval("SELECT pg_database_size(current_database())")
    return found


async def job_runs(conn: Connection) -> list[JobRun]:
    rows = await conn.fetch(
        "SELECT job, started_at, finished_at, next_at, outcome FROM job_runs ORDER BY job"
    )
    return [JobRun(**row) for row in rows]


async def largest(conn: Connection, *, most: int) -> list[Relation]:
    """The largest tables; a partitioned one counts as the sum of its partitions."""
    rows = await conn.fetch(
        """
        SELECT coalesce(pg_partition_root(c.oid), c.oid)::regclass::text AS name,
               sum(pg_total_relation_size(c.oid))::bigint AS size,
               greatest(0, sum(c.reltuples))::bigint AS rows,
               coalesce(sum(s.n_dead_tup), 0)::bigint AS dead
        FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm')
        GROUP BY 1 ORDER BY 2 DESC LIMIT $1
        """,
        most,
    )
    return [Relation(**row) for row in rows]


async def behavior_months(conn: Connection) -> Months:
    """Of the behavior log."""
    partitions = await conn.fetchval(
        """
        SELECT array_agg(c.relname::text ORDER BY c.relname)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'user_behavior_log'::regclass AND c.relname <> 'user_behavior_log_default'
        """
    )
    waiting = await conn.fetchval("SELECT count(*) FROM user_behavior_log_default")
    return Months("user_behavior_log", tuple(partitions or ()), waiting)


async def running(conn: Connection, *, longer_than: timedelta) -> list[Running]:
    """What other processes do in this database, the oldest first; the login sees the texts of its own roles only."""
    rows = await conn.fetch(
        """
        SELECT pid, coalesce(usename, '') AS role, coalesce(state, '') AS state,
               clock_timestamp() - coalesce(xact_start, query_start) AS age,
               pg_blocking_pids(pid) AS blocked_by,
               left(regexp_replace(query, '\\s+', ' ', 'g'), 200) AS query
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
          AND state <> 'idle' AND clock_timestamp() - coalesce(xact_start, query_start) > $1
        ORDER BY age DESC LIMIT 50
        """,
        longer_than,
    )
    return [Running(**{**row, "blocked_by": tuple(row["blocked_by"])}) for row in rows]


async def scanned(conn: Connection, *, most: int) -> list[Scanned]:
    """Tables of some size that are read from end to end, the costliest first: an index may be missing."""
    rows = await conn.fetch(
        """
        SELECT relname AS table, seq_scan AS scans, seq_tup_read AS rows
        FROM pg_stat_user_tables
        WHERE schemaname = 'public' AND n_live_tup > 10000 AND seq_tup_read > 100 * n_live_tup
        ORDER BY seq_tup_read DESC LIMIT $1
        """,
        most,
    )
    return [Scanned(**row) for row in rows]


async def unused_indexes(conn: Connection, *, most: int) -> list[Relation]:
    """Indexes that no query has used since the statistics began and that no constraint needs, the largest first."""
    rows = await conn.fetch(
        """
        SELECT s.indexrelid::regclass::text AS name, pg_relation_size(s.indexrelid) AS size,
               greatest(0, c.reltuples)::bigint AS rows, 0::bigint AS dead
        FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid) JOIN pg_class c ON c.oid = s.indexrelid
        WHERE s.schemaname = 'public' AND s.idx_scan = 0 AND NOT i.indisunique AND pg_relation_size(s.indexrelid) > 1048576
        ORDER BY size DESC LIMIT $1
        """,
        most,
    )
    return [Relation(**row) for row in rows]
