"""The diagrams of docs/data-model.md, drawn from the migrated schema.

.venv/bin/python -m tests.db.data_model     writes them anew, from a database of its own
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

DOCUMENT = Path(__file__).parents[2] / "docs" / "data-model.md"

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "People": ("users", "user_identities", "join_codes", "webchat_visitors"),
    "Conversations": (
        "conversations",
        "inbox",
        "outbox",
        "lanes",
        "buttons",
        "messages",
        "delivery_statuses",
        "dead_letters",
    ),
    "Catalogue and inventory": (
        "hotels",
        "room_types",
        "room_rates",
        "room_nights",
        "search_blocks",
        "exchange_rates",
    ),
    "Trips and money": ("trips", "bookings", "payments"),
    "What was done": ("user_behavior_log", "log_archives", "daily_metrics"),
    "What became of it": (
        "booking_outcomes",
        "stay_surveys",
        "traveler_personas",
        "social_proof_cache",
        "trip_predictions",
        "outcome_predictions",
    ),
    "Friends": ("referrals", "referral_terms", "rewards", "shared_content", "link_clicks"),
    "Audit": ("audit_log", "audit_payloads", "audit_batches", "audit_retired", "audit_marks"),
    "The house itself": ("job_runs", "leases", "buckets", "uploads", "schema_migrations"),
}
"""Every table belongs to one family; a family is one diagram."""

_SHORT = {
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "character varying": "text",
    "double precision": "float8",
    "boolean": "bool",
    "integer": "int",
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    key: str


@dataclass(frozen=True)
class Link:
    """A foreign key: `child`.`column` refers to `parent`."""

    child: str
    column: str
    parent: str
    optional: bool


@dataclass(frozen=True)
class Schema:
    columns: Mapping[str, Sequence[Column]]
    links: Sequence[Link]
    partitioned: frozenset[str]


async def read(conn: asyncpg.Connection) -> Schema:
    """The tables of `public` with their columns and foreign keys; of a partitioned one, the parent alone."""
    rows = await conn.fetch(
        """
        SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
               EXISTS (SELECT FROM pg_constraint k
                       WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS pk,
               EXISTS (SELECT FROM pg_constraint k
                       WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS fk,
               EXISTS (SELECT FROM pg_constraint k
                       WHERE k.conrelid = c.oid AND k.contype = 'u' AND k.conkey = ARRAY[a.attnum]) AS uk,
               c.relkind = 'p' AS partitioned
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname, a.attnum
        """
    )
    links = await conn.fetch(
        """
        SELECT c.relname AS child, a.attname AS column, p.relname AS parent, NOT a.attnotnull AS optional
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relnamespace = 'public'::regnamespace
        ORDER BY 1, 2, 3
        """
    )
    columns: dict[str, list[Column]] = defaultdict(list)
    for row in rows:
        key = ", ".join(name for name in ("pk", "fk", "uk") if row[name]).upper()
        columns[row["table"]].append(Column(row["column"], _short(row["type"]), key))
    return Schema(
        columns,
        [Link(**link) for link in links],
        frozenset(row["table"] for row in rows if row["partitioned"]),
    )


def _short(type_name: str) -> str:
    for long, short in _SHORT.items():
        type_name = type_name.replace(long, short)
    return re.sub(r"[^a-z0-9_\[\]()]", "_", type_name)


def diagram(schema: Schema, tables: Sequence[str]) -> str:
    """One Mermaid diagram: the tables with their columns, and the foreign keys from them, wherever they lead."""
    lines = ["```mermaid", "erDiagram"]
    for table in tables:
        lines.append(f"    {table} {{")
        lines += [f"        {c.type} {c.name}{f' {c.key}' if c.key else ''}" for c in schema.columns[table]]
        lines.append("    }")
    for link in schema.links:
        if link.child in tables:
            end = "o|" if link.optional else "||"
            lines.append(f"    {link.parent} {end[::-1]}--o{{ {link.child} : {link.column}")
    return "\n".join([*lines, "```"])


def marked(family: str) -> tuple[str, str]:
    """The lines between which a family's diagram stands."""
    name = family.lower().replace(" ", "-")
    return f"<!-- diagram: {name} -->", f"<!-- end: {name} -->"


def drawn(text: str, schema: Schema) -> str:
    """The document with every diagram as the schema has it now."""
    for family, tables in FAMILIES.items():
        begin, end = marked(family)
        before, found, rest = text.partition(begin)
        assert found, f"docs/data-model.md has no {begin}"
        _, found, after = rest.partition(end)
        assert found, f"docs/data-model.md has no {end}"
        text = f"{before}{begin}\n\n{diagram(schema, tables)}\n\n{end}{after}"
    return text


async def _rewrite() -> None:
    from bot.bench.database import scratch_server

    async with scratch_server() as server:
        conn = await asyncpg.connect(server.dsn)
        schema = await read(conn)
        await conn.close()
    DOCUMENT.write_text(drawn(DOCUMENT.read_text("utf-8"), schema), "utf-8")


if __name__ == "__main__":
    asyncio.run(_rewrite())
