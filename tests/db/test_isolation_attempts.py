"""Everything somebody could try on another's rows, in every table, view and function there is: nothing passes.

Driven by the catalog: a table or function that comes later is tried out by itself. Sara tries, Omar is tried on; once as
the role of turns, once as whoever comes through Supabase.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import people, turns
from db.pool import Role, as_role, open_pool
from tests.db.supabase import Outsider, as_outsider, stub
from tests.db.two_people import SHARED, Two, become, meet, refused, relations

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Speak = Callable[[UUID | str | None], Awaitable[None]]
"""Take on the role that tries, with this claim."""


@dataclass
class Tried:
    """Two people, who tries, and what is Omar's: his rows by table, and the ids and words that only they hold."""

    two: Two
    speak: Speak
    rows: dict[str, list[str]] = field(default_factory=dict)
    his: set[str] = field(default_factory=set)
    owned: dict[str, int] = field(default_factory=dict)

    @property
    def conn(self) -> asyncpg.Connection:
        return self.two.conn

    async def look(self) -> dict[str, list[str]]:
        """Omar's rows as the owner sees them, by table."""
        await become(self.conn, Role.OWNER)
        found: dict[str, list[str]] = {}
        for name in await relations(self.conn, "r"):
            rows = [r["row"] for r in await self.conn.fetch(f"SELECT to_jsonb(t)::text AS row FROM {name} t")]
            his = [
                row for row in rows if self._of(row, self.two.omar.user, self.two.omar.conversation, "omar")
            ]
            hers = [
                row for row in rows if self._of(row, self.two.sara.user, self.two.sara.conversation, "sara")
            ]
            self.owned[name] = len(hers)
            if his and name not in SHARED:
                found[name] = sorted(his)
        return found

    @staticmethod
    def _of(row: str, *marks: object) -> bool:
        return any(str(mark) in row for mark in marks)

    def leaks(self, seen: object) -> set[str]:
        """What of Omar's is in it."""
        text = str(seen)
        return {mark for mark in self.his if mark in text}


@pytest.fixture(params=["app", *(outsider.value for outsider in Outsider)])
async def tried(conn: asyncpg.Connection, request: pytest.FixtureRequest) -> Tried:
    await stub(conn)
    await conn.execute("SELECT app.supabase_policies()")
    await conn.execute("SET LOCAL ROLE rahhal_owner")

    async def speak(claim: UUID | str | None) -> None:
        if request.param == "app":
            await become(conn, Role.APP, claim)
        else:
            await as_outsider(conn, Outsider(request.param), claim)

    tried = Tried(await meet(conn), speak)
    tried.rows = await tried.look()
    mine = {mark for rows in tried.rows.values() for row in rows for mark in _UUID.findall(row)}
    everybody_s = ""
    for name in sorted(SHARED):
        everybody_s += str(await conn.fetchval(f"SELECT jsonb_agg(t) FROM {name} t"))
    tried.his = {mark for mark in mine if mark not in everybody_s} | {"omar", "token-of-omar"}
    tried.his |= {json.loads(row)["reference"] for row in tried.rows["trips"]}
    assert len(tried.rows) >= 15, "in how many tables he is"
    assert str(tried.two.sara.user) not in tried.his
    return tried


REFUSALS = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.FeatureNotSupportedError,  # COPY FROM into a table with policies
    asyncpg.GeneratedAlwaysError,
    asyncpg.WrongObjectTypeError,  # a view
)


async def attempt(conn: asyncpg.Connection, statement: str, *args: object) -> str | None:
    """Say it, and take it back; what came of it, None when it was refused."""
    answer = None
    transaction = conn.transaction()
    await transaction.start()
    try:
        answer = await conn.execute(statement, *args)
    except REFUSALS:
        pass
    finally:
        await transaction.rollback()
    return answer


async def columns_of(conn: asyncpg.Connection, name: str, right: str | None = None) -> list[str]:
    """Columns that can be written, or those on which the current role has a right."""
    rows = await conn.fetch(
        """
        SELECT quote_ident(a.attname) AS name FROM pg_attribute a
        WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND CASE WHEN $2::text IS NULL THEN a.attgenerated = '' ELSE has_column_privilege(a.attrelid, a.attnum, $2) END
        ORDER BY a.attnum
        """,
        name,
        right,
    )
    return [row["name"] for row in rows]


# ------------------------------------------------------------------------------------------------ tables and views


async def test_nothing_of_his_is_read(tried: Tried) -> None:
    """By a query, by COPY, by what an UPDATE locks; in tables, partitions, views and materialized views."""
    conn = tried.conn
    for name in await relations(conn, "rpvm"):
        await tried.speak(tried.two.sara.user)
        readable = ", ".join(await columns_of(conn, name, "SELECT"))
        if not readable:
            for statement in (f"SELECT FROM {name}", f"TABLE {name}", f"COPY (SELECT FROM {name}) TO STDOUT"):
                async with refused(conn, asyncpg.InsufficientPrivilegeError):
                    await conn.execute(statement)
            async with refused(conn, asyncpg.InsufficientPrivilegeError):
                await conn.copy_from_table(name, output=io.BytesIO())
            continue
        rows = await conn.fetch(f"SELECT {readable} FROM {name}")
        assert not tried.leaks([tuple(row) for row in rows]), name
        copied = io.BytesIO()
        await conn.copy_from_query(f"SELECT {readable} FROM {name}", output=copied)
        assert not tried.leaks(copied.getvalue().decode()), name
        assert not name.startswith("user_behavior_log_"), "a month by itself has no policy for turns"


async def test_nothing_of_his_is_written(tried: Tried) -> None:
    conn = tried.conn
    written = 0
    for name in await relations(conn, "rpvm"):
        await become(conn, Role.OWNER)
        columns = ", ".join(await columns_of(conn, name))
        forged = tried.rows.get(name, ["{}"])[0]
        await tried.speak(tried.two.sara.user)
        insert = (
            f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE "
            f"SELECT {columns} FROM jsonb_populate_record(NULL::{name}, $1::text::jsonb)"
        )
        assert await attempt(conn, insert, forged) is None, f"{name}: forged"
        assert await attempt(conn, f"TRUNCATE {name}") is None, name
        assert await attempt(conn, f"DELETE FROM {name}") is None, name
        for column in columns.split(", "):
            answer = await attempt(conn, f"UPDATE {name} SET {column} = {column}")
            assert answer in (None, f"UPDATE {tried.owned.get(name, 0)}"), (
                f"{name}.{column}: hers alone, without WHERE"
            )
            written += answer is not None
            if answer is not None:
                for owner in (tried.two.omar.user, tried.two.omar.conversation):
                    assert await attempt(
                        conn, f"UPDATE {name} SET {column} = {column} WHERE id = '{owner}'"
                    ) in (
                        "UPDATE 0",
                        None,
                    )
        with pytest.raises(REFUSALS):
            async with conn.transaction():
                await conn.copy_to_table(name, source=io.BytesIO())
    assert await tried.look() == tried.rows
    await tried.speak(None)
    by_turns = await conn.fetchval("SELECT current_user") == Role.APP
    assert (written > 5) == by_turns, "only turns write, and only their own"


async def test_her_own_rows_cannot_become_his(tried: Tried) -> None:
    """Nor can a row be written that was never hers."""
    conn = tried.conn
    await become(conn, Role.SERVICE)
    places = [tuple(row) for row in await conn.fetch("SELECT relation, attribute FROM app.person_columns()")]
    assert len(places) > 12
    for relation, attribute in (*places, ("users", "id")):
        await tried.speak(tried.two.sara.user)
        assert await attempt(conn, f"UPDATE {relation} SET {attribute} = $1", tried.two.omar.user) is None
        assert (
            await attempt(conn, f"INSERT INTO {relation} ({attribute}) VALUES ($1)", tried.two.omar.user)
            is None
        )


# ------------------------------------------------------------------------------------------------ claims


@pytest.mark.parametrize("claim", [None, "", uuid4(), "sara", "*", "' OR true --", "{}", "null"])
async def test_a_claim_that_is_none_shows_nothing(tried: Tried, claim: UUID | str | None) -> None:
    """Absent, of somebody who is gone, or no claim at all: nothing, or an error."""
    conn = tried.conn
    for name in set(await relations(conn, "rpvm")) - SHARED:
        await tried.speak(claim)
        readable = ", ".join(await columns_of(conn, name, "SELECT"))
        try:
            async with conn.transaction():
                assert await conn.fetch(f"SELECT {readable} FROM {name}") == []
        except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidTextRepresentationError):
            continue


@pytest.mark.parametrize(
    "claims", ["", "{", "[]", '"x"', '{"sub": null}', '{"sub": ""}', '{"sub": 7}', '{"sub": {}}']
)
async def test_an_odd_token_of_supabase_s_shows_nothing(conn: asyncpg.Connection, claims: str) -> None:
    await stub(conn)
    await conn.execute("SELECT app.supabase_policies()")
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    await meet(conn)
    await as_outsider(conn, Outsider.AUTHENTICATED, None, claims=claims)
    try:
        async with conn.transaction():
            assert await conn.fetch("SELECT id FROM trips") == []
    except asyncpg.InvalidTextRepresentationError:
        pass


async def test_who_was_merged_away_sees_the_row_that_is_left_of_her(tried: Tried) -> None:
    conn, two = tried.conn, tried.two
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    await become(conn, Role.APP, two.omar.user)
    code = await people.make_join_code(conn, now=now)
    assert code
    await become(conn, Role.APP, two.sara.user)
    assert (await people.join(conn, code=code, now=now)).outcome == "merged"
    for name in set(await relations(conn, "rpvm")) - SHARED:
        await tried.speak(two.sara.user)
        if not (readable := ", ".join(await columns_of(conn, name, "SELECT"))):
            continue
        rows = await conn.fetch(f"SELECT {readable} FROM {name}")
        assert [row["full_name"] for row in rows] == ([None] if name == "users" else [])


async def test_a_claim_left_in_a_pooled_connection_is_not_the_next_turn_s(database: str) -> None:
    """Even one that somebody set for the whole session."""
    pool = await open_pool(database, min_size=1, max_size=1)

    async def hear(name: str) -> None:
        async with pool.acquire() as conn, as_role(conn, Role.APP):
            event = {"sender": name, "sender_name": None, "language": "ar"}
            where = {"channel": "terminal", "thread": name, "address": name, "external_id": uuid4().hex}
            await turns.hear(conn, events=[{**where, "event": event}])

    async def end(conn: asyncpg.Connection, claim: turns.Claim) -> None:
        await turns.end_turn(
            conn,
            conversation=claim.talk.id,
            answered=[message.id for message in claim.waiting],
            dialogue={},
            answers=[],
            heard=[],
            actions=[],
        )

    made: list[turns.Claim] = []
    for name in ("sara", "omar"):
        await hear(name)
        async with pool.acquire() as conn, as_role(conn, Role.APP):
            claim = await turns.begin_turn(conn)
            assert claim is not None
            await end(conn, claim)
            made.append(claim)
    sara, omar = made
    async with pool.acquire() as conn:
        await conn.execute("SELECT set_config('app.user_id', $1, false)", str(omar.person.id))
    await hear("sara")
    async with pool.acquire() as conn, as_role(conn, Role.APP):
        claim = await turns.begin_turn(conn)
        assert claim is not None
        assert claim.person.id == sara.person.id
        assert [row["id"] for row in await conn.fetch("SELECT id FROM users")] == [sara.person.id]
        await end(conn, claim)
    await hear("sara")
    async with pool.acquire() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_role(conn, Role.APP):
                assert await turns.begin_turn(conn) is not None
                await end(conn, omar)
    await pool.close()


# ------------------------------------------------------------------------------------------------ functions

DOORS = {
    "begin_turn": "decides whose turn it is, before there is a claim",
    "set_aside": "as begin_turn, when that failed",
    "hear": "takes in whatever anybody sends",
    "fail_turn": "counts a failed turn in a transaction of its own, when the claim is gone",
    "bury": "keeps a payload nobody understood",
    "tell_operators": "writes to the operators",
    "store_statuses": "what a channel says of messages by their ids",
}
"""Functions that a turn may call and that are about nobody's rows in particular, or about whoever is next."""


async def test_no_function_shows_or_changes_anything_of_his(tried: Tried) -> None:
    """Each function Sara may call, with all that is Omar's in the places where it fits."""
    conn, two = tried.conn, tried.two
    moment = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
    ids = [UUID(mark) for mark in sorted(tried.his) if _UUID.fullmatch(mark)]
    words = [
        "token-of-omar",
        "omar",
        next(m for m in sorted(tried.his) if m.startswith("RH-")),
        str(two.omar.user),
    ]
    values: dict[str, list[Any]] = {
        "uuid": ids,
        "text": words,
        "timestamp with time zone": [moment],
        "date": [moment.date() + dt.timedelta(days=30)],
        "integer": [1],
        "bigint": [1, two.omar.message],
        "smallint": [1],
        "boolean": [True],
        "jsonb": [{}, []],
        "bytea": [b"omar"],
        "interval": [dt.timedelta(days=1)],
        "uuid[]": [ids],
        "text[]": [words],
        "bigint[]": [[two.omar.message]],
        "smallint[]": [[]],
        "date[]": [[]],
        "double precision": [1.0],
        "numeric": [1],
        "character": ["EGP"],
        "name": ["users"],
    }
    await tried.speak(two.sara.user)
    functions = await conn.fetch(
        """
        SELECT p.oid::regprocedure::text AS signature, n.nspname || '.' || p.proname AS called, p.proname::text AS name,
               ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) AS t) AS types
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('app', 'public') AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
          AND has_function_privilege(p.oid, 'EXECUTE')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        """
    )
    called = 0
    for function in functions:
        if function["name"] in DOORS:
            continue
        unknown = set(function["types"]) - values.keys()
        assert not unknown, f"{function['signature']}: nothing is known to be tried for {unknown}"
        places = ", ".join(f"${n}::{kind}" for n, kind in enumerate(function["types"], start=1))
        statement = f"SELECT to_jsonb(r)::text FROM {function['called']}({places}) AS r"
        choices = [values[kind] for kind in function["types"]]
        # All ids that are his in the first place that takes one; the rest in step.
        for given in itertools.islice(itertools.product(*choices), 400):
            await tried.speak(two.sara.user)
            try:
                async with conn.transaction():
                    answers = await conn.fetch(statement, *given)
                    told = given and {str(one) for one in given}
                    found = {
                        mark for mark in tried.leaks([tuple(a) for a in answers]) if mark not in str(told)
                    }
                    assert not found, f"{function['signature']} tells {found} to {given}"
                    called += 1
            except asyncpg.PostgresError:
                continue
    assert await tried.look() == tried.rows
    await tried.speak(None)
    assert called > 50 or await conn.fetchval("SELECT current_user") != Role.APP


async def test_the_list_of_doors_names_functions(conn: asyncpg.Connection) -> None:
    names = await conn.fetch(
        "SELECT proname::text AS name FROM pg_proc WHERE pronamespace = 'app'::regnamespace "
        "AND has_function_privilege('rahhal_app', oid, 'EXECUTE')"
    )
    assert DOORS.keys() <= {row["name"] for row in names}


# ------------------------------------------------------------------------------------------------ speed


async def test_a_policy_finds_her_rows_by_an_index(tried: Tried) -> None:
    """Each table that says whose a row is, through its policy alone: the planner may use an index, and does when it has to."""
    conn = tried.conn
    await conn.execute("SET LOCAL enable_seqscan = off")
    seen = 0
    for name in set(await relations(conn, "rp")) - SHARED:
        await tried.speak(tried.two.sara.user)
        if readable := ", ".join(await columns_of(conn, name, "SELECT")):
            seen += 1
            assert not await scans(conn, f"SELECT {readable} FROM {name}"), f"{name}: a policy reads it all"
    assert seen > 10 or await conn.fetchval("SELECT current_user") == Outsider.ANON


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ("user_id = (SELECT app.user_id())", []),
        ("user_id::text = (SELECT app.user_id()::text)", ["wishes"]),
        ("user_id = (SELECT app.user_id()) OR (SELECT app.is_operator())", ["wishes"]),
        ("coalesce(user_id = (SELECT app.user_id()), false)", ["wishes"]),
    ],
)
async def test_a_policy_that_kills_an_index_is_noticed(
    conn: asyncpg.Connection, policy: str, found: list[str]
) -> None:
    await conn.execute(
        f"""
        CREATE TABLE wishes (id int PRIMARY KEY, user_id uuid NOT NULL);
        CREATE INDEX wishes_user ON wishes (user_id);
        ALTER TABLE wishes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON wishes TO rahhal_app USING ({policy});
        GRANT SELECT ON wishes TO rahhal_app;
        SET LOCAL enable_seqscan = off
        """
    )
    await become(conn, Role.APP, uuid4())
    assert await scans(conn, "SELECT id FROM wishes") == found


async def scans(conn: asyncpg.Connection, query: str) -> list[str]:
    """Relations that a query reads without an index condition."""
    [plan] = await conn.fetchval(f"EXPLAIN (FORMAT JSON) {query}")
    found = []
    waiting = [plan["Plan"]]
    for node in waiting:  # grows while it is walked
        if "Relation Name" in node:
            if not by_index(node):
                found.append(node["Relation Name"])
        else:
            waiting += inner(node)
    return found


def by_index(node: dict[str, Any]) -> bool:
    """Whether a scan, or every part of a bitmap, is by an index condition."""
    parts = inner(node)
    return "Index Cond" in node or (bool(parts) and all(map(by_index, parts)))


def inner(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in node.get("Plans", ()) if part["Parent Relationship"] != "InitPlan"]
