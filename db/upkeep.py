"""Housekeeping of the schema itself, run as rahhal_owner."""

from __future__ import annotations

from datetime import datetime

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
