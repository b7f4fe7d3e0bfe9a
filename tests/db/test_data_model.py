"""docs/data-model.md tells the schema as it is."""

from __future__ import annotations

import re

import asyncpg
import pytest

from tests.db.data_model import DOCUMENT, FAMILIES, Schema, drawn, read


@pytest.fixture
async def schema(conn: asyncpg.Connection) -> Schema:
    return await read(conn)


async def test_every_table_belongs_to_one_family(schema: Schema) -> None:
    told = [table for tables in FAMILIES.values() for table in tables]
    assert sorted(told) == sorted(schema.columns)


async def test_the_diagrams_are_those_of_the_schema(schema: Schema) -> None:
    text = DOCUMENT.read_text("utf-8")
    assert drawn(text, schema) == text, "write them anew: .venv/bin/python -m tests.db.data_model"


SEED_ROW = re.compile(
    r"^\| `(?P<table>\w+)` \| `(?P<column>\w+)` \| (?P<fate>kept|other|left out) \|", re.MULTILINE
)


async def test_what_the_document_says_was_kept_is_there(conn: asyncpg.Connection) -> None:
    rows = list(SEED_ROW.finditer(DOCUMENT.read_text("utf-8")))
    assert len(rows) > 100
    there = {
        (row["relation"], row["name"])
        for row in await conn.fetch(
            """
            SELECT c.relname AS relation, a.attname AS name
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
            """
        )
    }
    missing = [
        row.group(0) for row in rows if row["fate"] == "kept" and (row["table"], row["column"]) not in there
    ]
    assert missing == []
