"""Every foreign key has an index that finds its rows, or a reason why none is needed."""

from __future__ import annotations

import asyncpg

WITHOUT = {
    # A currency or a hotel is never deleted (a hotel is unlisted), so nobody looks for the rows that refer to it.
    "bookings(hotel_id)": "hotels are unlisted, never deleted; what is asked of a hotel's stays goes by its room types",
    "bookings(currency)": "currencies are never deleted",
    "payments(currency)": "currencies are never deleted",
    "hotels(currency)": "currencies are never deleted",
    "search_blocks(hotel_id)": "hotels are unlisted, never deleted; blocks are found by room type and by city",
}


async def test_every_foreign_key_is_indexed_or_says_why_not(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT c.relname || '(' || string_agg(a.attname, ', ' ORDER BY k.place) || ')' AS key
        FROM pg_constraint f
        JOIN pg_class c ON c.oid = f.conrelid
        CROSS JOIN LATERAL unnest(f.conkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum
        WHERE f.contype = 'f' AND f.conparentid = 0 AND c.relnamespace = 'public'::regnamespace
          AND NOT EXISTS (
              SELECT FROM pg_index i
              WHERE i.indrelid = f.conrelid AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey
          )
        GROUP BY f.oid, c.relname
        """
    )
    assert {row["key"] for row in rows} == set(WITHOUT)


async def test_every_constraint_holds_for_all_rows(conn: asyncpg.Connection) -> None:
    unproven = await conn.fetch(
        "SELECT conrelid::regclass::text || '.' || conname AS name FROM pg_constraint WHERE NOT convalidated"
    )
    assert [row["name"] for row in unproven] == []
