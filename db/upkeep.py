"""Housekeeping: the schema's own (as rahhal_owner), and what has served its purpose."""

from __future__ import annotations

from datetime import datetime, timedelta

from asyncpg import Connection


async def make_partitions(conn: Connection, *, now: datetime, ahead: int) -> int:
    """The behavior log's months: the last one, this one and `ahead` more. Returns how many were made."""
    made: int = await conn.fetchval(
        """
        SELECT count(*) FILTER (WHERE create_monthly_partition(
            (date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC') + make_interval(months => n))::date))
        FROM generate_series(-1, $2) AS n
        """,
        now,
        ahead,
    )
    return made


async def forget_old(conn: Connection, *, now: datetime, keep: timedelta, most: int) -> int:
    """Blank or delete what is older than `keep` and has served, `most` rows of each kind; how many that were.

    Runs as rahhal_worker.
    """
    forgotten: int = await conn.fetchval("SELECT app.forget_old($1, $2, $3)", now, keep, most)
    return forgotten


async def rows_without_month(conn: Connection) -> int:
    """Rows of the behavior log that fell into its DEFAULT partition."""
    lost: int = await conn.fetchval("SELECT count(*) FROM user_behavior_log_default")
    return lost
