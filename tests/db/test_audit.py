"""The audit log: who did what is kept in order, sealed once it can no longer change, and any tampering is found and named."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import struct
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db import audit
from db.audit import Problem
from db.pool import Role, as_role, open_pool
from tests.fakes.audited import (
    REWRITE,
    add_thing,
    add_things,
    intruder,
    open_table,
    problems,
    seal_all,
    seal_once,
)

AUDITED = {
    "trips",
    "bookings",
    "payments",
    "booking_outcomes",
    "trip_predictions",
    "referrals",
    "rewards",
    "users",
}
"""Tables whose changes must be on record."""
LEFT_OUT = {"referrals": {"clicks"}}
"""Columns that are not; of `users` all but the role are left out."""

LOG = """
SELECT l.*, p.old_data::text AS old, p.new_data::text AS new, p.salt
FROM audit_log l LEFT JOIN audit_payloads p USING (id, "timestamp") ORDER BY l.id
"""


@pytest.fixture
async def log(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database of its own with the audited table `things`."""
    conn = await asyncpg.connect(database)
    await open_table(conn)
    yield conn
    await conn.close()


async def entries(conn: asyncpg.Connection) -> list[asyncpg.Record]:
    async with as_role(conn, Role.OWNER):
        return list(await conn.fetch(LOG))


# ------------------------------------------------------------------------------------------------ what is written


async def test_every_change_says_what_who_and_of_whom(log: asyncpg.Connection) -> None:
    sara = uuid4()
    async with as_role(log, Role.APP):
        await log.execute("SELECT set_config('app.user_id', $1, true)", str(sara))
        thing = await add_thing(log, "فندق", sara)
        await log.execute("UPDATE things SET name = 'نزل', updated_at = clock_timestamp()")
        await log.execute("DELETE FROM things")
    rows = await entries(log)
    assert [row["operation"] for row in rows] == ["INSERT", "UPDATE", "DELETE"]
    for row in rows:
        assert (row["table_name"], row["record_id"], row["user_id"]) == ("things", thing, sara)
        assert (row["actor"], row["login"], row["actor_id"]) == ("rahhal_app", "rahhal", sara)
    inserted, updated, deleted = rows
    assert inserted["old"] is None and '"فندق"' in inserted["new"]
    assert (updated["old"], updated["new"]) == ('{ "name" : "فندق" }', '{ "name" : "نزل" }')
    assert '"نزل"' in deleted["old"] and deleted["new"] is None
    assert len({row["xid"] for row in rows}) == 1


@pytest.mark.parametrize(
    "change", ["name = name", "updated_at = clock_timestamp()", "payload = '{\"a\": 1}'"]
)
async def test_an_update_that_changes_nothing_is_no_news(log: asyncpg.Connection, change: str) -> None:
    async with as_role(log, Role.OWNER):
        await log.execute("INSERT INTO things (id, payload) VALUES (gen_random_uuid(), '{ \"a\" : 1}')")
        await log.execute(f"UPDATE things SET {change}")
    assert [row["operation"] for row in await entries(log)] == ["INSERT"]


async def test_any_table_can_be_audited(log: asyncpg.Connection) -> None:
    """Also one without a uuid, without a person, with a column named otherwise, and only some of its columns."""
    async with as_role(log, Role.OWNER):
        await log.execute(
            """
            CREATE TABLE plain (n int, word text);
            CREATE TABLE keyed (owner uuid PRIMARY KEY, secret text, word text);
            SELECT app.audit('plain', NULL);
            SELECT app.audit('keyed', 'owner', '{word}');
            INSERT INTO plain VALUES (1, 'a');
            INSERT INTO keyed VALUES ('00000000-0000-0000-0000-000000000001', 'hidden', 'seen');
            UPDATE keyed SET secret = 'other';
            DELETE FROM keyed;
            """
        )
    plain, keyed, gone = await entries(log)
    assert (plain["record_id"], plain["user_id"], plain["new"]) == (None, None, '{"n":1,"word":"a"}')
    assert keyed["record_id"] == keyed["user_id"]
    assert (keyed["new"], gone["old"]) == ('{ "word" : "seen" }', '{ "word" : "seen" }')


async def test_of_people_the_role_is_audited_and_nothing_else(log: asyncpg.Connection) -> None:
    async with as_role(log, Role.SERVICE):
        user = await log.fetchval("INSERT INTO users (full_name) VALUES ('Sara Al Ahmad') RETURNING id")
        await log.execute("UPDATE users SET full_name = 'Sara Haddad'")
        await log.execute("UPDATE users SET role = 'admin', full_name = 'Sara Ahmad'")
        await log.execute("UPDATE users SET role = 'admin'")
    (row,) = await entries(log)
    assert (row["table_name"], row["operation"], row["record_id"], row["user_id"]) == (
        "users",
        "UPDATE",
        user,
        user,
    )
    assert (row["old"], row["new"]) == ('{ "role" : "user" }', '{ "role" : "admin" }')


async def test_what_must_be_audited_is(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        """
        SELECT c.relname::text AS name, bit_or(t.tgtype)::int AS events, bool_and(t.tgenabled = 'O') AS enabled
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgfoid = 'app.audit()'::regprocedure GROUP BY 1
        """
    )
    insert, delete, update = 4, 8, 16
    assert {row["name"] for row in rows} == AUDITED
    for row in rows:
        assert row["events"] & (insert | delete | update) == insert | delete | update, row["name"]
        assert row["enabled"], row["name"]


async def test_no_column_is_left_out_unsaid(conn: asyncpg.Connection) -> None:
    """Also one that a later migration adds to a table whose trigger names its columns."""
    rows = await conn.fetch(
        """
        SELECT c.relname::text AS name, t.tgargs, array_agg(a.attname::text) AS columns
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE t.tgfoid = 'app.audit()'::regprocedure GROUP BY t.oid, c.oid
        """
    )
    for row in rows:
        record, person, *kept = row["tgargs"].decode().split("\0")[:-1]
        assert {record, person} <= set(row["columns"]), row["name"]
        left_out = set(row["columns"]) - set(kept) if kept else set()
        if row["name"] == "users":
            assert kept == ["role"]
        else:
            assert left_out == LEFT_OUT.get(row["name"], set()), row["name"]


async def test_the_hashes_are_what_is_documented(log: asyncpg.Connection) -> None:
    """Computed here from the columns alone, so that another program could verify the log."""
    await add_things(log, 1, uuid4())
    (row,) = await entries(log)
    lengths = len(row["salt"]).to_bytes(4, "big"), (-1).to_bytes(4, "big", signed=True)
    assert row["digest"] == sha256(lengths[0] + row["salt"] + lengths[1] + row["new"].encode()).digest()
    micros = (row["timestamp"] - dt.datetime(2000, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    texts = ["INSERT", "1", "-", "6", "things", "12", "rahhal_owner", "6", "rahhal", row["user_agent"]]
    expected = sha256(
        struct.pack(">qqQ", row["id"], micros, int(row["xid"]))
        + row["digest"]
        + row["record_id"].bytes
        + row["user_id"].bytes
        + b"\0"
        + "\x1f".join(texts).encode()
    )
    assert row["leaf"] == expected.digest()


# ------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize("role", [Role.APP, Role.WORKER, Role.ANALYTICS])
async def test_nobody_else_reads_or_writes_the_log(log: asyncpg.Connection, role: Role) -> None:
    await add_things(log, 1)
    for name in (
        "audit_log",
        "audit_payloads",
        "audit_batches",
        "audit_retired",
        "audit_marks",
        "audit_log_default",
    ):
        for statement in (
            f"SELECT * FROM {name}",
            f"DELETE FROM {name}",
            f"INSERT INTO {name} DEFAULT VALUES",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with as_role(log, role):
                    await log.execute(statement)
    for call in ("app.write_audit('a', 'INSERT', NULL, NULL, '{}', NULL)", "app.erase_audit_payloads(NULL)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_role(log, role):
                await log.execute(f"SELECT {call}")


@pytest.mark.parametrize("role", [Role.OWNER, Role.SERVICE])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "TRUNCATE audit_log_default",
        "DELETE FROM audit_log WHERE id = 1",
        "UPDATE audit_payloads SET new_data = NULL",
        "TRUNCATE audit_payloads",
        "UPDATE audit_batches SET epoch = 7",
        "DELETE FROM audit_batches",
        "TRUNCATE audit_batches",
    ],
)
async def test_the_log_only_grows(log: asyncpg.Connection, role: Role, statement: str) -> None:
    await add_things(log, 1)
    await seal_all(log)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with as_role(log, role):
            await log.execute(statement)
    assert await problems(log) == []


async def test_the_owner_deletes_no_data_either(log: asyncpg.Connection) -> None:
    await add_things(log, 1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        async with as_role(log, Role.OWNER):
            await log.execute("DELETE FROM audit_payloads")


# ------------------------------------------------------------------------------------------------ sealing


async def test_rows_are_sealed_once_nobody_holds_an_earlier_id(
    log: asyncpg.Connection, database: str
) -> None:
    slow = await asyncpg.connect(database)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SET LOCAL ROLE rahhal_owner")
    await add_thing(slow, "early id, late commit")
    later = await add_things(log, 3)
    for _ in range(3):
        assert await seal_once(log) == 0, "the slow one may still commit an id below"
    await transaction.commit()
    await slow.close()
    await seal_all(log)
    (batch,) = await log_rows(log, "SELECT * FROM audit_batches")
    assert (batch["row_count"], batch["upto_id"]) == (4, later[-1])
    assert await problems(log) == []


async def log_rows(conn: asyncpg.Connection, query: str) -> list[asyncpg.Record]:
    async with as_role(conn, Role.OWNER):
        return list(await conn.fetch(query))


async def test_what_was_rolled_back_leaves_a_gap_and_holds_nothing_up(log: asyncpg.Connection) -> None:
    await add_things(log, 2)
    with pytest.raises(ZeroDivisionError):
        async with as_role(log, Role.OWNER):
            await add_thing(log)
            raise ZeroDivisionError
    after = await add_things(log, 1)
    await seal_all(log)
    assert after == [4]
    assert [row["row_count"] for row in await log_rows(log, "SELECT * FROM audit_batches")] == [3]
    assert await problems(log) == []


async def test_many_writers_and_sealers_at_once(database: str) -> None:
    """Long and short transactions, some rolled back; every row is in one batch, and the chain never forks."""
    pool = await open_pool(database, min_size=1, max_size=14)
    async with pool.acquire() as conn:
        await open_table(conn)
    written = 0
    done = asyncio.Event()

    async def write(seed: int) -> None:
        nonlocal written
        dice = random.Random(seed)
        for _ in range(15):
            count = dice.randint(1, 4)
            try:
                async with pool.acquire() as conn, as_role(conn, Role.OWNER):
                    for _ in range(count):
                        await add_thing(conn)
                        await asyncio.sleep(0)
                    _ = 1 / (dice.random() > 0.2)
            except ZeroDivisionError:
                continue
            written += count

    async def keep_sealing() -> None:
        while not done.is_set():
            async with pool.acquire() as conn:
                await seal_once(conn)

    sealers = [asyncio.create_task(keep_sealing()) for _ in range(3)]
    await asyncio.wait_for(asyncio.gather(*(write(seed) for seed in range(8))), 60)
    done.set()
    await asyncio.gather(*sealers)
    async with pool.acquire() as conn:
        await seal_all(conn)
        batches = await log_rows(conn, "SELECT number, row_count FROM audit_batches ORDER BY number")
        assert [row["number"] for row in batches] == list(range(1, len(batches) + 1))
        assert sum(row["row_count"] for row in batches) == written
        assert await problems(conn) == []
    await asyncio.wait_for(pool.close(), 10)


async def test_a_sealer_that_comes_second_does_nothing(log: asyncpg.Connection, database: str) -> None:
    await add_things(log, 1)
    await seal_once(log)
    other = await asyncpg.connect(database)
    async with as_role(log, Role.WORKER):
        await audit.seal(log)
        assert await seal_once(other) == 0
    await seal_all(other)
    assert [row["number"] for row in await log_rows(log, "SELECT number FROM audit_batches")] == [1]
    await other.close()


async def test_sealing_must_come_first_in_its_transaction(log: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InvalidTransactionStateError):
        async with as_role(log, Role.WORKER):
            await log.fetchval("SELECT pg_current_xact_id()")
            await audit.seal(log)


async def test_a_batch_ends_where_the_year_does(log: asyncpg.Connection) -> None:
    for year in (2026, 2026, 2027, 2026, 2027):
        await add_row_of(log, year)
    await seal_all(log)
    batches = await log_rows(log, "SELECT year, row_count FROM audit_batches ORDER BY number")
    assert [(row["year"].year, row["row_count"]) for row in batches] == [
        (2026, 2),
        (2027, 1),
        (2026, 1),
        (2027, 1),
    ]
    assert await problems(log) == []


async def test_a_large_backlog_becomes_several_batches(log: asyncpg.Connection) -> None:
    async with as_role(log, Role.SERVICE):
        await log.execute(
            "SELECT app.write_audit('many', 'INSERT', NULL, NULL, NULL, '{}') FROM generate_series(1, 20001)"
        )
    await seal_all(log)
    batches = await log_rows(log, "SELECT row_count FROM audit_batches ORDER BY number")
    assert [row["row_count"] for row in batches] == [10000, 10000, 1]
    assert await problems(log) == []


async def test_after_a_restore_a_new_epoch_begins_with_what_is_there(log: asyncpg.Connection) -> None:
    """The mark is of a cluster whose transactions were numbered far beyond ours."""
    await add_things(log, 2)
    await seal_all(log)
    left = await add_things(log, 2)
    async with as_role(log, Role.OWNER):
        await log.execute("UPDATE audit_marks SET ripe_xid = '9000000000', ripe_id = $1", left[0])
    assert await seal_once(log) == 0
    await add_things(log, 1)
    await seal_all(log)
    epochs = await log_rows(
        log, "SELECT epoch, sum(row_count) AS sealed FROM audit_batches GROUP BY 1 ORDER BY 1"
    )
    assert [(row["epoch"], row["sealed"]) for row in epochs] == [(1, 2), (2, 3)]
    assert await problems(log) == []


# ------------------------------------------------------------------------------------------------ tampering

REHASH = """
UPDATE audit_log SET leaf = sha256('forged'), actor = 'nobody' WHERE id = 5
"""

RETIREMENT = """
INSERT INTO audit_retired (year, row_count, upto_batch, head, epoch, batch_year, after_id, upto_id, batch_rows, sealed_at, root,
                           previous_head)
SELECT '{year}', 3, b.number, b.head, b.epoch, {batch_year}, b.after_id, b.upto_id, b.row_count, b.sealed_at, b.root,
       b.previous_head
FROM audit_batches b WHERE b.number = {number};
"""
FIRST_AWAY = """
DELETE FROM audit_log WHERE id < 4;
DELETE FROM audit_payloads WHERE id < 4;
DELETE FROM audit_batches WHERE number = 1;
"""

TAMPERING: dict[str, tuple[str, list[tuple[str, int | None, int | None]]]] = {
    "a column": ("UPDATE audit_log SET actor = 'nobody' WHERE id = 5", [("changed row", 2, 5)]),
    "a time": (
        'UPDATE audit_log SET "timestamp" = "timestamp" + interval \'1 s\' WHERE id = 5',
        [("changed row", 2, 5)],
    ),
    "whose it was": ("UPDATE audit_log SET actor_id = user_id WHERE id = 5", [("changed row", 2, 5)]),
    "a hash as well": (REHASH, [("changed row", 2, 5)]),
    "data": ("UPDATE audit_payloads SET new_data = '{}' WHERE id = 5", [("changed data", 2, 5)]),
    "a salt": ("UPDATE audit_payloads SET salt = '\\x00' WHERE id = 5", [("changed data", 2, 5)]),
    "data into the salt": (
        "UPDATE audit_payloads SET salt = salt || convert_to(new_data::text, 'UTF8'), new_data = NULL WHERE id = 5",
        [("changed data", 2, 5)],
    ),
    "what came told as what went": (
        "UPDATE audit_payloads SET old_data = new_data, new_data = NULL WHERE id = 5",
        [("changed data", 2, 5)],
    ),
    "data told twice": (
        "INSERT INTO audit_payloads SELECT id, \"timestamp\" + interval '1 s', salt, old_data, new_data "
        "FROM audit_payloads WHERE id = 5",
        [("changed data", 2, 5)],
    ),
    "data away": ("DELETE FROM audit_payloads WHERE id = 5", [("removed data", 2, 5)]),
    "a row away": ("DELETE FROM audit_log WHERE id = 5", [("removed row", 2, 5)]),
    "a row and its data away": (
        "DELETE FROM audit_log WHERE id = 5; DELETE FROM audit_payloads WHERE id = 5",
        [("removed row", 2, 5)],
    ),
    "a whole batch's rows away": (
        "DELETE FROM audit_log WHERE id IN (4, 5, 6); DELETE FROM audit_payloads WHERE id IN (4, 5, 6)",
        [("removed row", 2, 4), ("removed row", 2, 5), ("removed row", 2, 6)],
    ),
    "two rows swapped": (
        "UPDATE audit_log SET id = CASE id WHEN 4 THEN 105 ELSE 104 END WHERE id IN (4, 5);"
        "UPDATE audit_log SET id = id - 100 WHERE id > 100",
        [("reordered row", 2, 4), ("reordered row", 2, 5)],
    ),
    "a row into a gap": ("INSERT INTO audit_log SELECT 7, {row}", [("inserted row", 3, 7)]),
    "an unsealed row": ("UPDATE audit_log SET actor = 'nobody' WHERE id = 10", [("changed row", None, 10)]),
    "an unsealed row away": ("DELETE FROM audit_log WHERE id = 10", [("removed row", None, 10)]),
    "a batch away": (
        "DELETE FROM audit_batches WHERE number = 2",
        [("removed batch", 2, None), *(("inserted row", None, n) for n in (4, 5, 6))],
    ),
    "the last batch away": (
        "DELETE FROM audit_batches WHERE number = 3",
        [("removed batch", 3, None)],
    ),
    "a head": (
        "UPDATE audit_batches SET head = sha256('forged') WHERE number = 2",
        [("changed head", 3, None), ("changed batch", 2, None)],
    ),
    "a root": (
        "UPDATE audit_batches SET root = sha256('forged') WHERE number = 2",
        [("changed batch", 2, None)] * 2,
    ),
    "a list": (
        "UPDATE audit_batches SET members = overlay(members PLACING '\\x0000' FROM 9) WHERE number = 2",
        [("changed batch", 2, None)],
    ),
    "a batch's bounds": (
        "UPDATE audit_batches SET sealed_at = sealed_at - interval '1 day' WHERE number = 2",
        [("changed batch", 2, None)],
    ),
    "two batches swapped": (
        "UPDATE audit_batches SET number = 100 + number WHERE number < 3;"
        "UPDATE audit_batches SET number = 103 - number WHERE number > 100",
        [
            ("changed head", 1, None),
            ("changed head", 2, None),
            ("changed head", 3, None),
            ("changed batch", 1, None),
            ("changed batch", 2, None),
        ],
    ),
    "a year gone too early": (
        RETIREMENT.format(year="2026-01-01", batch_year="b.year", number=1)
        + "DELETE FROM audit_batches WHERE number = 1",
        [("early retirement", None, None)],
    ),
    "rows gone with a year that is not theirs": (
        RETIREMENT.format(year="2015-01-01", batch_year="b.year", number=1) + FIRST_AWAY,
        [("early retirement", 1, None)],
    ),
    "rows gone with a year that is given to them": (
        RETIREMENT.format(year="2015-01-01", batch_year="'2015-01-01'", number=1) + FIRST_AWAY,
        [("changed head", 1, None)],
    ),
}


async def three_batches(conn: asyncpg.Connection) -> None:
    """Rows 1–3, 4–6 and 8–9 (7 was rolled back) in three batches; row 10 is not sealed."""
    sara = uuid4()
    for count in (3, 3):
        await add_things(conn, count, sara)
        await seal_all(conn)
    with pytest.raises(ZeroDivisionError):
        async with as_role(conn, Role.OWNER):
            await add_thing(conn)
            raise ZeroDivisionError
    await add_things(conn, 2, sara)
    await seal_all(conn)
    assert await add_things(conn, 1, sara) == [10]


@pytest.mark.parametrize("how", TAMPERING)
async def test_tampering_is_found_and_named(log: asyncpg.Connection, how: str) -> None:
    await three_batches(log)
    assert await problems(log) == []
    statements, expected = TAMPERING[how]
    columns = await log.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute "
        "WHERE attrelid = 'audit_log'::regclass AND attnum > 1 AND NOT attisdropped"
    )
    async with intruder(log):
        await log.execute(statements.replace("{row}", f"{columns} FROM audit_log WHERE id = 8"))
    found = [(one.kind, one.batch, one.row) for one in await problems(log)]
    assert set(expected) <= set(found), how
    assert {kind for kind, _, _ in found} <= {kind for kind, _, _ in expected} | {
        "inserted row",
        "changed head",
    }


async def test_a_chain_made_anew_agrees_with_itself(log: asyncpg.Connection) -> None:
    """Which is why heads are published: inside the database nothing is left to find."""
    await three_batches(log)
    async with intruder(log):
        await log.execute("DELETE FROM audit_log WHERE id > 6; DELETE FROM audit_payloads WHERE id > 6")
        await log.execute("DELETE FROM audit_batches WHERE number = 3")
        await log.execute(REWRITE)
    assert await problems(log) == []


# ------------------------------------------------------------------------------------------------ erasure


async def test_erased_data_leave_the_chain_whole(log: asyncpg.Connection) -> None:
    sara, omar = uuid4(), uuid4()
    for person in (sara, omar):
        await add_things(log, 2, person)
    await seal_all(log)
    unsealed = await add_things(log, 1, sara)
    async with as_role(log, Role.OWNER):
        assert await audit.erase_payloads(log, user=sara) == 3
        assert await audit.erase_payloads(log, user=sara) == 0
    rows = await entries(log)
    assert {row["id"] for row in rows if row["salt"] is None} == {1, 2, unsealed[0]}
    assert (rows[-1]["table_name"], rows[-1]["operation"], rows[-1]["record_id"]) == (
        "audit_payloads",
        "DELETE",
        sara,
    )
    assert await problems(log) == []
    await seal_all(log)
    assert await problems(log) == []
    async with intruder(log):
        await log.execute("DELETE FROM audit_payloads WHERE id = 3")
    assert await problems(log) == [Problem("removed data", 1, 3, "things")], "no erasure of omar is on record"


async def test_an_erasure_reaches_what_she_was_before_her_logins_were_joined(log: asyncpg.Connection) -> None:
    async with as_role(log, Role.SERVICE):
        sara, omar = [
            await log.fetchval("INSERT INTO users (full_name) VALUES ('Sara') RETURNING id") for _ in range(2)
        ]
        await log.execute(
            "UPDATE users SET account_status = 'deleted', merged_into = $1 WHERE id = $2", sara, omar
        )
    await add_things(log, 2, omar)
    async with as_role(log, Role.OWNER):
        assert await audit.erase_payloads(log, user=sara) == 2
    assert await problems(log) == []


async def test_a_row_that_was_made_nobody_s_is_still_hers_in_the_log(log: asyncpg.Connection) -> None:
    sara = uuid4()
    await add_things(log, 1, sara)
    async with as_role(log, Role.OWNER):
        await log.execute("UPDATE things SET user_id = NULL")
        assert await audit.erase_payloads(log, user=sara) == 2
    assert [row["user_id"] for row in await entries(log)] == [sara, sara, None]


async def test_what_comes_after_an_erasure_is_not_covered_by_it(log: asyncpg.Connection) -> None:
    sara = uuid4()
    await add_things(log, 1, sara)
    async with as_role(log, Role.OWNER):
        await audit.erase_payloads(log, user=sara)
    (later,) = await add_things(log, 1, sara)
    async with intruder(log):
        await log.execute("DELETE FROM audit_payloads WHERE id = $1", later)
    assert [one.row for one in await problems(log)] == [later]


# ------------------------------------------------------------------------------------------------ years

ROW = """
WITH made AS (
    SELECT nextval('audit_ids') AS id, make_timestamptz($1, 6, 1, 12, 0, 0, 'UTC') AS moment,
           app.audit_digest('\\x01', NULL, '{}') AS digest
), data AS (
    INSERT INTO audit_payloads SELECT id, moment, '\\x01', NULL, '{}' FROM made
)
INSERT INTO audit_log
SELECT id, moment, 'old', 'INSERT', NULL, NULL, NULL, 'someone', 'rahhal', NULL, 'test', pg_current_xact_id(), digest,
       app.audit_leaf(id, moment, 'old', 'INSERT', NULL, NULL, NULL, 'someone', 'rahhal', NULL, 'test', pg_current_xact_id(),
                      digest)
FROM made
"""


async def add_row_of(conn: asyncpg.Connection, year: int) -> None:
    async with as_role(conn, Role.SERVICE):
        await conn.execute(ROW, year)


async def years(conn: asyncpg.Connection, table: str = "audit_log") -> list[str]:
    rows = await conn.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::text::regclass ORDER BY 1",
        table,
    )
    return [row["name"].removeprefix(f"{table}_") for row in rows]


async def make_years(conn: asyncpg.Connection, year: int) -> int:
    async with as_role(conn, Role.OWNER):
        return await audit.make_years(conn, now=dt.datetime(year, 12, 31, 23, 59, tzinfo=dt.UTC))


async def test_years_are_made_ahead_and_take_what_had_none(log: asyncpg.Connection) -> None:
    await add_row_of(log, 2015)
    async with as_role(log, Role.OWNER):
        assert await audit.rows_without_year(log) == 1
    assert await make_years(log, 2014) == 2
    assert await make_years(log, 2014) == 0
    async with as_role(log, Role.OWNER):
        assert await audit.rows_without_year(log) == 0
        assert await log.fetchval("SELECT count(*) FROM audit_log_2015") == 1
    for statement in (
        "UPDATE audit_log_2015 SET actor = 'x'",
        "DELETE FROM audit_payloads_2015",
        "TRUNCATE audit_log_2015",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_role(log, Role.OWNER):
                await log.execute(statement)
    assert await problems(log) == []


async def test_a_new_year_is_isolated_like_the_others(log: asyncpg.Connection) -> None:
    await make_years(log, 2014)
    for table in ("audit_log", "audit_payloads"):
        facts = await log.fetch(
            "SELECT c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl::text, "
            "  (SELECT array_agg(p.polname) FROM pg_policy p WHERE p.polrelid = c.oid), "
            "  (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid), "
            "  (SELECT array_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid = c.oid) "
            "FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid WHERE h.inhparent = $1::text::regclass",
            table,
        )
        assert len(facts) == 5
        assert len({tuple(map(str, row.values())) for row in facts}) == 1


async def old_and_new(log: asyncpg.Connection) -> None:
    """Two old years, of which the second begins before the first has quite ended, and this one."""
    await make_years(log, 2014)
    for year in (2014, 2015, 2014, 2015):
        await add_row_of(log, year)
        await seal_all(log)
    await add_things(log, 2)
    await seal_all(log)


async def retire(conn: asyncpg.Connection, year: int) -> int:
    async with as_role(conn, Role.OWNER):
        return await audit.retire_year(conn, year=dt.date(year, 1, 1))


async def test_a_year_leaves_after_seven_and_the_chain_goes_on(log: asyncpg.Connection) -> None:
    await old_and_new(log)
    async with as_role(log, Role.OWNER):
        due = await audit.years_to_retire(log, now=dt.datetime(2022, 12, 31, 23, 59, tzinfo=dt.UTC))
        assert [day.year for day in due] == [2014], "2015 has seven years to stay after its end"
    assert await retire(log, 2014) == 2
    assert "2014" not in await years(log) + await years(log, "audit_payloads")
    assert await problems(log) == []
    kept = await log_rows(log, "SELECT number FROM audit_batches ORDER BY number")
    assert [row["number"] for row in kept] == [2, 3, 4, 5], "the third, of 2014, stands between two of 2015"
    assert await retire(log, 2015) == 2
    assert [row["number"] for row in await log_rows(log, "SELECT number FROM audit_batches")] == [5]
    assert await problems(log) == []
    await add_things(log, 1)
    await seal_all(log)
    assert await problems(log) == []
    async with intruder(log):
        await log.execute("UPDATE audit_retired SET head = sha256('forged') WHERE upto_batch = 4")
    assert {(one.kind, one.batch) for one in await problems(log)} == {
        ("changed head", 4),
        ("changed head", 5),
    }


@pytest.mark.parametrize("year", [dt.datetime.now(dt.UTC).year, dt.datetime.now(dt.UTC).year - 7])
async def test_no_year_leaves_early(log: asyncpg.Connection, year: int) -> None:
    await make_years(log, year)
    with pytest.raises(asyncpg.CheckViolationError):
        await retire(log, year)


async def test_a_year_that_is_not_sealed_stays(log: asyncpg.Connection) -> None:
    await make_years(log, 2014)
    await add_row_of(log, 2014)
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        await retire(log, 2014)


async def test_evidence_does_not_leave(log: asyncpg.Connection) -> None:
    await old_and_new(log)
    async with intruder(log):
        await log.execute("UPDATE audit_log SET actor = 'nobody' WHERE id = 3")
    with pytest.raises(asyncpg.DataCorruptedError):
        await retire(log, 2014)
    assert "2014" in await years(log)


async def test_a_reader_keeps_a_year_only_for_the_moment(log: asyncpg.Connection, database: str) -> None:
    """Retiring gives way to whoever uses the log, and is tried again another time."""
    await old_and_new(log)
    reader = await asyncpg.connect(database)
    async with as_role(reader, Role.OWNER):
        await reader.fetchval("SELECT count(*) FROM audit_log")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await retire(log, 2014)
    await reader.close()
    assert await retire(log, 2014) == 2


# ------------------------------------------------------------------------------------------------ witnesses


async def test_a_witness_stands_until_something_it_saw_is_gone(log: asyncpg.Connection) -> None:
    await three_batches(log)
    async with as_role(log, Role.WORKER):
        seen = await audit.witness(log)
    assert (seen.batch, seen.tail_rows, seen.tail_id) == (3, 1, 10)
    await add_things(log, 2)
    await seal_all(log)
    assert await contradiction(log, seen) is None
    async with intruder(log):
        await log.execute("DELETE FROM audit_log WHERE id = 10")
    assert await contradiction(log, seen) == "truncated tail"


async def test_a_witness_is_answered_by_its_own_year_alone(log: asyncpg.Connection) -> None:
    """Whoever takes everything away and says it left long ago, with a chain of their own."""
    await old_and_new(log)
    async with as_role(log, Role.WORKER):
        seen = await audit.witness(log)
    assert (seen.batch, seen.year) == (5, dt.date(dt.datetime.now(dt.UTC).year, 1, 1))
    assert await retire(log, 2014) == 2
    assert await retire(log, 2015) == 2
    assert await contradiction(log, seen) is None
    async with as_role(log, Role.SERVICE):
        head = await log.fetchval(FORGED_HEAD)
    async with intruder(log):
        await log.execute(FORGERY.format(head=head.hex()))
    assert await problems(log) == []
    assert await contradiction(log, seen) == "removed batch"


FORGED_HEAD = """
SELECT app.audit_head(r.previous_head, 6, r.epoch, r.batch_year, r.after_id, r.upto_id, r.batch_rows, r.sealed_at, r.root)
FROM audit_retired r WHERE r.year = '2015-01-01'
"""
FORGERY = """
UPDATE audit_retired SET upto_batch = 6, head = '\\x{head}' WHERE year = '2015-01-01';
DELETE FROM audit_log;
DELETE FROM audit_payloads;
DELETE FROM audit_batches;
UPDATE audit_marks SET batch = 6, head = '\\x{head}';
"""


async def contradiction(conn: asyncpg.Connection, seen: Any) -> str | None:
    async with as_role(conn, Role.WORKER):
        return await audit.contradiction(conn, seen=seen)


async def test_a_row_that_commits_late_does_not_contradict_a_witness(
    log: asyncpg.Connection, database: str
) -> None:
    slow = await asyncpg.connect(database)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SET LOCAL ROLE rahhal_owner")
    await add_thing(slow)
    await add_things(log, 1)
    async with as_role(log, Role.WORKER):
        seen = await audit.witness(log)
    assert seen.tail_rows == 1
    await transaction.commit()
    await slow.close()
    assert await contradiction(log, seen) is None
