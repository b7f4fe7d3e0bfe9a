"""What the hot questions to the log read: the months they ask for, by an index, known when they are planned."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import behavior
from db.pool import Role
from tests.fakes import small_hotel

MONTHS = [dt.date(2025, month, 1) for month in range(1, 13)]
DAY = dt.datetime(2025, 6, 15, tzinfo=dt.UTC)
ROWS = 40_000


@pytest.fixture
async def year(conn: asyncpg.Connection) -> AsyncIterator[tuple[asyncpg.Connection, UUID]]:
    """A year of 40,000 rows of 200 people, analyzed, and one of them. As rahhal_owner."""
    for month in MONTHS:
        await conn.execute("SELECT create_monthly_partition($1)", month)
    await conn.execute(
        """
        INSERT INTO user_behavior_log (user_id, action_type, "timestamp", hour_of_day, day_of_week)
        SELECT ('00000000-0000-7000-8000-' || lpad((n % 200)::text, 12, '0'))::uuid, 'بدء_بحث',
               '2025-01-01'::timestamptz + n * interval '1 year' / $1, 1, 1
        FROM generate_series(0, $1 - 1) AS n
        """,
        ROWS,
    )
    await conn.execute("ANALYZE user_behavior_log")
    person = UUID("00000000-0000-7000-8000-000000000007")
    yield conn, person


async def plan(conn: asyncpg.Connection, query: str, *args: Any) -> list[dict[str, Any]]:
    """The nodes of the plan that read something."""
    found = await conn.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *args)
    found = json.loads(found) if isinstance(found, str) else found

    def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for inner in node.get("Plans", ()):
            yield from walk(inner)

    return [node for node in walk(found[0]["Plan"]) if "Relation Name" in node or "Index Name" in node]


async def recent_query() -> str:
    """The statement of `behavior.recent`, as it sends it."""
    sent: list[str] = []

    class Listening:
        async def fetch(self, query: str, *_: Any) -> list[Any]:
            sent.append(query)
            return []

    await behavior.recent(Listening(), user_id=UUID(int=0), since=DAY, most=1)
    return sent[0]


@pytest.mark.parametrize("role", [Role.OWNER, Role.APP])
async def test_somebody_s_last_30_days_are_read_by_her_index_in_their_months_alone(
    year: tuple[asyncpg.Connection, UUID], role: Role
) -> None:
    conn, person = year
    await conn.execute(f"SET LOCAL ROLE {role.value}")
    await small_hotel.claim(conn, person)
    nodes = await plan(conn, await recent_query(), person, dt.datetime(2025, 12, 1, tzinfo=dt.UTC), 50)
    relations = {node["Relation Name"] for node in nodes if "Relation Name" in node}
    old = {f"user_behavior_log_{month:%Y_%m}" for month in MONTHS[:-1]}
    assert "user_behavior_log_2025_12" in relations
    assert not relations & old, "months before are pruned when the statement is planned"
    indexes = {node["Index Name"] for node in nodes if "Index Name" in node}
    assert "user_behavior_log_2025_12_user_id_timestamp_idx" in indexes
    assert not [
        node
        for node in nodes
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in relations - _empty(relations)
    ]


def _empty(relations: set[str]) -> set[str]:
    """Months of the present and DEFAULT hold nothing here: reading them whole is reading nothing."""
    return {name for name in relations if not name.startswith("user_behavior_log_2025")}


async def test_a_day_s_rollup_reads_that_day_s_pages(year: tuple[asyncpg.Connection, UUID]) -> None:
    conn, _ = year
    nodes = await plan(
        conn,
        'SELECT user_id, count(*) FROM user_behavior_log WHERE "timestamp" >= $1 AND "timestamp" < $2 GROUP BY user_id',
        DAY,
        DAY + dt.timedelta(days=1),
    )
    assert {node["Relation Name"] for node in nodes if "Relation Name" in node} == {
        "user_behavior_log_2025_06"
    }
    await conn.execute("SET LOCAL enable_seqscan = off")
    nodes = await plan(
        conn,
        'SELECT user_id, count(*) FROM user_behavior_log WHERE "timestamp" >= $1 AND "timestamp" < $2 GROUP BY user_id',
        DAY,
        DAY + dt.timedelta(days=1),
    )
    assert "user_behavior_log_2025_06_timestamp_idx" in {node.get("Index Name") for node in nodes}
