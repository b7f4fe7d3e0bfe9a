"""People who log in through Supabase read their own rows, and nothing else; stubbed as Supabase makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from db import migrate
from tests.db.supabase import Outsider, as_outsider, stub
from tests.db.two_people import SHARED, Two, meet, refused, relations

READ = """
    SELECT tablename::text FROM pg_policies WHERE schemaname = 'public' AND policyname = 'supabase_own'
"""


@pytest.fixture
async def two(conn: asyncpg.Connection) -> Two:
    await stub(conn)
    await conn.execute("SELECT app.supabase_policies()")
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    return await meet(conn)


@pytest.fixture
async def supabase(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    """A database of Supabase's shape before Rahhal comes, which gives every new table away."""
    conn = await asyncpg.connect(empty_database)
    await stub(conn)
    await conn.execute(
        """
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated
        """
    )
    yield conn
    await conn.close()


async def test_she_reads_her_own_rows(two: Two) -> None:
    opened = {row["tablename"] for row in await two.conn.fetch(READ)}
    assert opened >= {"users", "trips", "bookings", "user_behavior_log", "referrals", "traveler_personas"}
    readable = set()
    for name in await relations(two.conn, "rpvm"):
        await as_outsider(two.conn, Outsider.AUTHENTICATED, two.sara.user)
        columns = await two.conn.fetchval(
            """
            SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
            WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
              AND has_column_privilege(attrelid, attnum, 'SELECT')
            """,
            name,
        )
        if columns is None:
            async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
                await two.conn.fetch(f"SELECT FROM {name}")
            continue
        readable.add(name)
        rows = [str(tuple(row)) for row in await two.conn.fetch(f"SELECT {columns} FROM {name}")]
        assert rows, f"{name}: hers"
        assert not [row for row in rows if str(two.omar.user) in row or str(two.omar.conversation) in row]
    assert readable == opened
    assert not readable & SHARED


@pytest.mark.parametrize("outsider", list(Outsider))
async def test_nobody_from_outside_writes_or_calls_anything(two: Two, outsider: Outsider) -> None:
    rights = await two.conn.fetch(
        """
        SELECT c.relname || ' ' || r.name AS what
        FROM pg_class c CROSS JOIN unnest('{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS r(name)
        WHERE c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm')
          AND (has_table_privilege($1, c.oid, r.name)
               OR r.name IN ('INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege($1, c.oid, r.name))
        UNION ALL
        SELECT 'sequence ' || c.relname FROM pg_class c
        WHERE c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
          AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege($1, c.oid, 'USAGE, SELECT, UPDATE') END
        UNION ALL
        SELECT 'function ' || p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'app'::regnamespace) AND has_function_privilege($1, p.oid, 'EXECUTE')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        """,
        outsider.value,
    )
    assert [row["what"] for row in rights] == []


async def test_who_has_not_logged_in_reads_nothing(two: Two) -> None:
    for name in await relations(two.conn, "rpvm"):
        await as_outsider(two.conn, Outsider.ANON, two.sara.user)
        async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
            await two.conn.fetch(f"SELECT FROM {name}")


async def test_a_database_of_supabase_s_is_migrated_closed(
    supabase: asyncpg.Connection, empty_database: str
) -> None:
    """Whatever its default privileges gave away while the tables were made, the table of migrations too."""
    await migrate.migrate(empty_database)
    for outsider in Outsider:
        open_ones = await supabase.fetch(
            """
            SELECT c.oid::regclass::text AS name, array_agg(DISTINCT a.privilege_type) AS rights
            FROM pg_class c, aclexplode(c.relacl) AS a
            WHERE c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace) AND a.grantee = $1::text::regrole GROUP BY 1
            """,
            outsider.value,
        )
        assert open_ones == []
        assert not await supabase.fetchval(
            "SELECT has_table_privilege($1, 'schema_migrations', 'SELECT')", outsider.value
        )
    assert len(await supabase.fetch(READ)) >= 10
    assert await supabase.fetchval(
        "SELECT has_column_privilege('authenticated', 'trips', 'reference', 'SELECT')"
    )
    assert not await supabase.fetchval(
        "SELECT has_column_privilege('authenticated', 'outcome_predictions', 'cancellation_risk', 'SELECT')"
    ), "what turns do not read either"


async def test_a_second_run_changes_nothing(supabase: asyncpg.Connection, empty_database: str) -> None:
    await migrate.migrate(empty_database)
    look = "SELECT array_agg(oid::text || xmin::text ORDER BY oid) FROM pg_policy"
    before = await supabase.fetchval(look)
    await supabase.execute(
        "BEGIN; LOCK TABLE trips IN ACCESS SHARE MODE"
    )  # a reader, for whom nobody need wait
    assert await migrate.migrate(empty_database, patience=2) == []
    await supabase.execute("COMMIT")
    assert await supabase.fetchval(look) == before


async def test_tables_that_come_later_are_opened_and_closed(
    supabase: asyncpg.Connection, empty_database: str
) -> None:
    await migrate.migrate(empty_database)
    await supabase.execute(
        """
        SET ROLE rahhal_owner;
        CREATE TABLE wishes (id int PRIMARY KEY, user_id uuid NOT NULL REFERENCES users, note text);
        SELECT app.isolate('wishes');
        GRANT SELECT (id, user_id) ON wishes TO rahhal_app;
        GRANT ALL ON wishes TO anon;
        DROP POLICY own ON payments;
        RESET ROLE
        """
    )
    await migrate.migrate(empty_database)
    opened = {row["tablename"] for row in await supabase.fetch(READ)}
    assert "wishes" in opened
    assert "payments" not in opened
    for column, may in (("id", True), ("user_id", True), ("note", False)):
        assert (
            await supabase.fetchval(
                "SELECT has_column_privilege('authenticated', 'wishes', $1, 'SELECT')", column
            )
            is may
        )
    assert not await supabase.fetchval(
        "SELECT has_any_column_privilege('authenticated', 'payments', 'SELECT')"
    )
    assert not await supabase.fetchval("SELECT has_table_privilege('anon', 'wishes', 'SELECT')")


async def test_without_supabase_nothing_happens(conn: asyncpg.Connection) -> None:
    await conn.execute("SET LOCAL ROLE rahhal_service")
    assert await conn.fetchval("SELECT app.supabase_policies()") == 0
    assert await conn.fetch(READ) == []
