"""Who may see and change what: a turn its own person's rows, a worker nothing, and the catalog itself says so for all tables."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db import migrate, turns
from db.pool import Role, as_role, open_pool
from tests.db.two_people import SHARED, Two, become, meet, refused, relations

MAY_CHANGE = {
    "users": {
        "full_name",
        "phone",
        "email",
        "preferred_language",
        "language_chosen",
        "country",
        "digits",
        "timezone",
        "consented",
        "consented_at",
        "updated_at",
    },
    "conversations": {"human_wanted_at", "stopped_at", "stopped_because"},
}
"""What a turn may update of its own rows. Everything else changes through functions."""

MAY_ADD = {"user_behavior_log"}


@pytest.fixture
async def two(conn: asyncpg.Connection) -> Two:
    return await meet(conn)


# ------------------------------------------------------------------------------------------------ own rows


async def test_a_turn_sees_its_own_rows_and_nobody_else_s(two: Two) -> None:
    """In every table there is, also those that are yet to come."""
    sees = set()
    for name in await relations(two.conn):
        await become(two.conn, Role.OWNER)
        everything = await two.conn.fetchval(f'SELECT count(*) FROM "{name}"')
        await become(two.conn, Role.APP, two.sara.user)
        if not await two.conn.fetchval("SELECT has_table_privilege($1, 'SELECT')", name):
            async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
                await two.conn.fetch(f'SELECT * FROM "{name}"')
            continue
        rows = [
            row["row"] for row in await two.conn.fetch(f'SELECT to_jsonb(t)::text AS row FROM "{name}" t')
        ]
        assert not [row for row in rows if str(two.omar.user) in row or str(two.omar.conversation) in row]
        if name not in SHARED:
            assert len(rows) == everything / 2 > 0, f"{name}: hers alone, of {everything}"
            sees.add(name)
    assert sees == {
        "users",
        "user_identities",
        "conversations",
        "messages",
        "user_behavior_log",
        "trips",
        "bookings",
        "payments",
        "traveler_personas",
        "booking_outcomes",
        "referrals",
        "rewards",
        "shared_content",
        "trip_predictions",
    }


async def test_a_month_of_the_log_cannot_be_read_around_its_parent(two: Two) -> None:
    partitions = [name for name in await relations(two.conn, "r") if name.startswith("user_behavior_log_")]
    assert len(partitions) >= 6
    for name in partitions:
        await become(two.conn, Role.APP, two.sara.user)
        for statement in (
            f"SELECT * FROM {name}",
            f"INSERT INTO {name} DEFAULT VALUES",
            f"DELETE FROM {name}",
        ):
            async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
                await two.conn.execute(statement)


async def test_a_turn_changes_only_its_own_person(two: Two) -> None:
    await become(two.conn, Role.APP, two.sara.user)
    for statement in ("UPDATE users SET country = 'SA'", "UPDATE conversations SET human_wanted_at = now()"):
        assert await two.conn.execute(statement) == "UPDATE 1", "without any WHERE"
        assert (
            await two.conn.execute(f"{statement} WHERE id IN ($1, $2)", two.omar.user, two.omar.conversation)
            == "UPDATE 0"
        )
    await become(two.conn, Role.OWNER)
    assert await two.conn.fetchval("SELECT country FROM users WHERE id = $1", two.omar.user) == "EG"


async def test_a_turn_logs_only_for_its_own_person(two: Two) -> None:
    await become(two.conn, Role.APP, two.sara.user)
    add = "INSERT INTO user_behavior_log (user_id, action_type, hour_of_day, day_of_week) VALUES ($1, 'إيقاف', 1, 1)"
    await two.conn.execute(add, two.sara.user)
    async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
        await two.conn.execute(add, two.omar.user)


@pytest.mark.parametrize(
    "change",
    [
        "role = 'admin'",
        "account_status = 'active'",
        "id = gen_random_uuid()",
        "created_at = now()",
        "last_login_at = now()",
    ],
)
async def test_nobody_promotes_herself(two: Two, change: str) -> None:
    await become(two.conn, Role.APP, two.sara.user)
    async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
        await two.conn.execute(f"UPDATE users SET {change}")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bookings SET status = 'confirmed'",
        "UPDATE payments SET status = 'paid'",
        "UPDATE trips SET user_id = user_id",
        "DELETE FROM bookings",
        "UPDATE conversations SET user_id = $1",
        "UPDATE messages SET text = ''",
        "INSERT INTO messages (text) VALUES ('forged')",
        "DELETE FROM user_behavior_log",
        "UPDATE outbox SET payload = '{}'",
        "UPDATE room_nights SET booked = 0",
        "TRUNCATE users",
    ],
)
async def test_what_matters_changes_through_functions_only(two: Two, change: str) -> None:
    await become(two.conn, Role.APP, two.sara.user)
    async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
        await two.conn.execute(change, *([two.omar.user] if "$1" in change else []))


# ------------------------------------------------------------------------------------------------ functions


async def test_another_s_conversation_is_refused(two: Two) -> None:
    for claim in (two.sara.user, None, uuid4()):
        await become(two.conn, Role.APP, claim)
        async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
            await turns.press(two.conn, conversation=two.omar.conversation, token=two.omar.token)
        async with refused(two.conn, asyncpg.InsufficientPrivilegeError):
            await turns.end_turn(
                two.conn,
                conversation=two.omar.conversation,
                answered=[two.omar.message],
                dialogue={},
                answers=[],
                heard=[],
                actions=[],
            )


async def test_another_s_button_tells_nothing(two: Two) -> None:
    await become(two.conn, Role.APP, two.sara.user)
    pressed = await turns.press(two.conn, conversation=two.sara.conversation, token=two.omar.token)
    assert pressed == turns.Pressed(fate="foreign")
    await become(two.conn, Role.OWNER)
    assert await two.conn.fetchval("SELECT count(*) FROM buttons WHERE pressed_at IS NOT NULL") == 0


async def test_ending_a_turn_touches_no_message_or_row_of_another(two: Two) -> None:
    await become(two.conn, Role.OWNER)
    await two.conn.execute("UPDATE inbox SET answered_at = NULL")
    foreign = await two.conn.fetchval(
        "SELECT id FROM outbox WHERE conversation_id = $1", two.omar.conversation
    )
    await become(two.conn, Role.APP, two.sara.user)
    answer = {
        "key": "k",
        "values": {},
        "locale": "ar",
        "text": "t",
        "payloads": [{}],
        "buttons": [],
        "edits": foreign,
    }
    rows = await turns.end_turn(
        two.conn,
        conversation=two.sara.conversation,
        answered=[two.sara.message, two.omar.message],
        dialogue={},
        answers=[answer],
        heard=[],
        actions=[],
    )
    await become(two.conn, Role.OWNER)
    answered = await two.conn.fetch("SELECT id FROM inbox WHERE answered_at IS NOT NULL")
    assert [row["id"] for row in answered] == [two.sara.message]
    assert await two.conn.fetchval("SELECT edits FROM outbox WHERE id = $1", rows[0]) is None


# ------------------------------------------------------------------------------------------------ claims


@pytest.mark.parametrize("claim", [None, ""])
async def test_without_a_claim_nothing_is_seen(two: Two, claim: str | None) -> None:
    await become(two.conn, Role.APP, claim)
    for name in (
        "users",
        "user_identities",
        "conversations",
        "messages",
        "user_behavior_log",
        "trips",
        "bookings",
    ):
        assert await two.conn.fetchval(f"SELECT count(*) FROM {name}") == 0
    assert await two.conn.execute("UPDATE users SET country = 'SA'") == "UPDATE 0"


async def test_a_claim_never_set_shows_nothing(database: str) -> None:
    conn = await asyncpg.connect(database)
    async with as_role(conn, Role.APP):
        assert await conn.fetchval("SELECT current_setting('app.user_id', true)") is None
        assert await conn.fetchval("SELECT app.user_id()") is None
        assert await conn.fetchval("SELECT count(*) FROM users") == 0
    await conn.close()


@pytest.mark.parametrize("claim", ["sara", "1", "' OR true --", "00000000-0000-0000-0000-00000000000g", "*"])
async def test_a_malformed_claim_raises(two: Two, claim: str) -> None:
    await become(two.conn, Role.APP, claim)
    async with refused(two.conn, asyncpg.InvalidTextRepresentationError):
        await two.conn.fetch("SELECT * FROM users")


async def test_a_claim_does_not_outlive_its_transaction(database: str) -> None:
    pool = await open_pool(database, min_size=1, max_size=1)
    async with pool.acquire() as conn, as_role(conn, Role.APP):
        event = {"sender": "sara", "sender_name": None, "language": "ar"}
        row = {"channel": "terminal", "thread": "sara", "address": "sara", "external_id": "1", "event": event}
        await turns.hear(conn, events=[row])
        assert await turns.begin_turn(conn) is not None
        assert await conn.fetchval("SELECT count(*) FROM users") == 1
    async with pool.acquire() as conn:
        assert not await conn.fetchval("SELECT current_setting('app.user_id', true)")
        async with as_role(conn, Role.APP):
            assert await conn.fetchval("SELECT app.user_id()") is None
            assert await conn.fetchval("SELECT count(*) FROM users") == 0
    await asyncio.wait_for(pool.close(), 10)


async def test_reset_role_falls_back_to_the_login_which_sees_no_more(two: Two) -> None:
    """Policies guard against a forgotten WHERE, not against arbitrary SQL: who can say RESET ROLE can also say SET ROLE."""
    await become(two.conn, Role.APP, two.sara.user)
    await two.conn.execute("RESET ROLE")
    assert await two.conn.fetchval("SELECT current_user = session_user")
    found = await two.conn.fetchrow(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    assert tuple(found) == (False, False)
    users = await two.conn.fetch("SELECT id FROM users")
    assert [row["id"] for row in users] == [two.sara.user], "a member of rahhal_app, under the same claim"
    for name in ("outbox", "inbox", "user_behavior_log_default"):
        assert await two.conn.fetchval(f"SELECT count(*) FROM {name}") == 0, (
            "and by itself neither owner nor service"
        )
    await two.conn.execute("SET LOCAL ROLE rahhal_owner")
    assert await two.conn.fetchval("SELECT count(*) FROM users") == 2


# ------------------------------------------------------------------------------------------------ by the catalog


async def test_every_table_is_isolated_or_known_to_be_shared(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced, p.roles
        FROM pg_class c LEFT JOIN LATERAL (
            SELECT array_agg(r::regrole::text ORDER BY r::regrole::text) AS roles
            FROM pg_policy p, unnest(p.polroles) AS r WHERE p.polrelid = c.oid AND p.polname = 'house'
        ) AS p ON true
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        """
    )
    open_ones = {row["name"] for row in rows if not row["forced"]}
    assert open_ones - SHARED == set(), "SELECT app.isolate('…') is missing"
    locked_out = {
        row["name"] for row in rows if row["forced"] and row["roles"] != ["rahhal_owner", "rahhal_service"]
    }
    assert locked_out == set(), "a forced owner silently sees nothing: backups of these tables would be empty"
    assert SHARED - {row["name"] for row in rows} == set(), "the list names a table that is gone"


async def test_nothing_shared_holds_a_person(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT table_name || '.' || column_name AS place FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = ANY ($1)
          AND column_name = ANY ('{user_id,conversation_id,guest_name,guest_phone,full_name,visitor}')
        """,
        list(SHARED),
    )
    assert [row["place"] for row in rows] == []


async def test_no_policy_lets_everybody_in(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT p.polrelid::regclass::text || '.' || p.polname AS place, p.polroles = '{0}' AS everybody,
               pg_get_expr(p.polqual, p.polrelid) AS seen, pg_get_expr(p.polwithcheck, p.polrelid) AS written
        FROM pg_policy p
        """
    )
    assert len(rows) > 20
    for row in rows:
        assert not row["everybody"], row["place"]
        assert row["seen"] not in (None, "true"), row["place"]
        assert row["written"] not in (None, "true"), row["place"]


async def test_views_ask_with_the_rights_of_who_looks(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'app'::regnamespace) "
        "AND relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)"
    )
    assert [row["name"] for row in rows] == []
    rows = await conn.fetch(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'm' "
        "AND has_table_privilege('rahhal_app', oid, 'SELECT')"
    )
    assert [row["name"] for row in rows] == [], "a materialized view has no policies"


async def test_what_a_turn_may_write_is_listed_here(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT c.relname::text AS relation, a.attname::text AS name
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
          AND has_column_privilege('rahhal_app', c.oid, a.attnum, 'UPDATE')
        """
    )
    changes: dict[str, set[str]] = {}
    for row in rows:
        changes.setdefault(row["relation"], set()).add(row["name"])
    assert changes == MAY_CHANGE
    for right, expected in (("INSERT", MAY_ADD), ("DELETE", set()), ("TRUNCATE", set()), ("TRIGGER", set())):
        assert await _with_right(conn, "rahhal_app", right) == expected, right


async def test_workers_have_functions_and_no_table(conn: asyncpg.Connection) -> None:
    for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"):
        assert await _with_right(conn, "rahhal_worker", right) == set()


async def test_analysts_write_nothing_and_read_no_person(conn: asyncpg.Connection) -> None:
    assert (
        await _with_right(conn, "rahhal_analytics", "SELECT") & (set(await relations(conn)) - SHARED) == set()
    )
    for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
        assert await _with_right(conn, "rahhal_analytics", right) == set()


async def _with_right(conn: asyncpg.Connection, role: str, right: str) -> set[str]:
    rows = await conn.fetch(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege($1, oid, $2)",
        role,
        right,
    )
    return {row["name"] for row in rows}


async def test_everybody_has_no_right_to_anything(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT 'function ' || p.oid::regprocedure AS what
        FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE p.pronamespace IN ('public'::regnamespace, 'app'::regnamespace) AND a.grantee = 0
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'relation ' || c.oid::regclass
        FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
        WHERE c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace) AND c.relkind <> 'i' AND a.grantee = 0
        UNION ALL
        SELECT 'create in ' || n.nspname
        FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
        WHERE n.nspname IN ('public', 'app') AND a.grantee = 0 AND a.privilege_type = 'CREATE'
        """
    )
    assert [row["what"] for row in rows] == []


async def test_every_function_runs_in_a_pinned_search_path(conn: asyncpg.Connection) -> None:
    """A body that was parsed when it was created needs none, unless it runs with its owner's rights."""
    rows = await conn.fetch(
        """
        SELECT p.oid::regprocedure::text AS name FROM pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'app'::regnamespace)
          AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=%')
          AND (p.prosecdef OR p.prosqlbody IS NULL)
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        """
    )
    assert [row["name"] for row in rows] == []
    paths = await conn.fetch(
        """
        SELECT DISTINCT setting FROM pg_proc p, unnest(p.proconfig) AS setting
        WHERE p.pronamespace IN ('public'::regnamespace, 'app'::regnamespace) AND p.prosecdef AND setting LIKE 'search_path=%'
        """
    )
    for row in paths:
        names: list[Any] = row["setting"].removeprefix("search_path=").split(", ")
        assert names == ['""'] or names[-1] == "pg_temp", (
            "temporary objects come last, never first by default"
        )


async def test_functions_with_their_owner_s_rights_belong_to_the_service(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        "SELECT oid::regprocedure::text AS name FROM pg_proc WHERE prosecdef AND pronamespace = 'app'::regnamespace "
        "AND proowner <> 'rahhal_service'::regrole"
    )
    assert [row["name"] for row in rows] == []
    service = await conn.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'rahhal_service'"
    )
    assert tuple(service) == (False, False, False)


async def test_a_turn_makes_no_table_of_its_own(empty_database: str) -> None:
    """On a database migrated in place: rights on the database itself are not copied with a template."""
    await migrate.migrate(empty_database)
    conn = await asyncpg.connect(empty_database)
    for statement in ("CREATE TABLE mine (n int)", "CREATE TEMP TABLE users (n int)", "CREATE SCHEMA mine"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_role(conn, Role.APP):
                await conn.execute(statement)
    await conn.close()


# ------------------------------------------------------------------------------------------------ the guards themselves


@pytest.mark.parametrize(
    ("made", "guard"),
    [
        ("CREATE TABLE wishes (user_id uuid)", test_every_table_is_isolated_or_known_to_be_shared),
        (
            "CREATE TABLE wishes (user_id uuid); ALTER TABLE wishes ENABLE ROW LEVEL SECURITY",
            test_every_table_is_isolated_or_known_to_be_shared,
        ),
        (
            "CREATE TABLE wishes (user_id uuid); SELECT app.isolate('wishes'); DROP POLICY house ON wishes",
            test_every_table_is_isolated_or_known_to_be_shared,
        ),
        (
            "CREATE TABLE user_behavior_log_2031_01 PARTITION OF user_behavior_log "
            "FOR VALUES FROM ('2031-01-01') TO ('2031-02-01')",
            test_every_table_is_isolated_or_known_to_be_shared,
        ),
        ("ALTER TABLE hotels ADD COLUMN user_id uuid", test_nothing_shared_holds_a_person),
        ("CREATE POLICY open ON trips USING (true)", test_no_policy_lets_everybody_in),
        (
            "CREATE POLICY open ON trips TO rahhal_app USING (user_id = app.user_id()) WITH CHECK (true)",
            test_no_policy_lets_everybody_in,
        ),
        ("CREATE VIEW wishes AS SELECT * FROM trips", test_views_ask_with_the_rights_of_who_looks),
        (
            "CREATE MATERIALIZED VIEW wishes AS SELECT 1 AS n; GRANT SELECT ON wishes TO rahhal_app",
            test_views_ask_with_the_rights_of_who_looks,
        ),
        ("GRANT UPDATE (role) ON users TO rahhal_app", test_what_a_turn_may_write_is_listed_here),
        ("GRANT DELETE ON trips TO rahhal_app", test_what_a_turn_may_write_is_listed_here),
        ("GRANT SELECT ON hotels TO rahhal_worker", test_workers_have_functions_and_no_table),
        ("GRANT SELECT ON trips TO rahhal_analytics", test_analysts_write_nothing_and_read_no_person),
        ("GRANT SELECT ON hotels TO PUBLIC", test_everybody_has_no_right_to_anything),
        (
            "SET LOCAL ROLE rahhal_service; GRANT EXECUTE ON FUNCTION app.uuidv7() TO PUBLIC",
            test_everybody_has_no_right_to_anything,
        ),
        (
            "SET LOCAL ROLE rahhal_service; CREATE FUNCTION app.wish() RETURNS int LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT 1'",
            test_every_function_runs_in_a_pinned_search_path,
        ),
        (
            "SET LOCAL ROLE rahhal_service; CREATE FUNCTION app.wish() RETURNS int LANGUAGE sql SECURITY DEFINER "
            "SET search_path = pg_temp, public AS 'SELECT 1'",
            test_every_function_runs_in_a_pinned_search_path,
        ),
    ],
)
async def test_what_would_open_a_door_is_noticed(
    conn: asyncpg.Connection, made: str, guard: Callable[[asyncpg.Connection], Awaitable[None]]
) -> None:
    await conn.execute(made)
    with pytest.raises(AssertionError):
        await guard(conn)
