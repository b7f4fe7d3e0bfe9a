"""Roles of people, and one person with several logins: codes, merging, and who gets in each other's way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import bookings, people, turns, upkeep
from db.people import Found, Joined
from db.pool import Role, as_role
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW
from tests.turn.toy import within

SOON = NOW + dt.timedelta(minutes=9)
LATE = NOW + dt.timedelta(minutes=11)


async def become(conn: asyncpg.Connection, role: Role, user: UUID | None = None) -> None:
    await conn.execute(f"SET LOCAL ROLE {role.value}")
    await conn.execute("SELECT set_config('app.user_id', $1, true)", str(user or ""))


async def person(conn: asyncpg.Connection, name: str, channel: str = "telegram", **facts: Any) -> UUID:
    """As the owner: somebody with one login and one conversation."""
    made: UUID = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
    for column, value in facts.items():
        await conn.execute(f"UPDATE users SET {column} = $2 WHERE id = $1", made, value)
    await conn.execute("INSERT INTO user_identities VALUES ($1, $2, $3, $4)", channel, name, made, name)
    await conn.execute(
        "INSERT INTO conversations (channel, thread, address, user_id) VALUES ($1, $2, $2, $3)",
        channel,
        name,
        made,
    )
    return made


async def code_of(conn: asyncpg.Connection, user: UUID, now: dt.datetime = NOW) -> str:
    await become(conn, Role.APP, user)
    code = await people.make_join_code(conn, now=now)
    await become(conn, Role.OWNER)
    assert code is not None
    return code


async def join(conn: asyncpg.Connection, user: UUID, code: str, now: dt.datetime = SOON) -> Joined:
    await become(conn, Role.APP, user)
    joined = await people.join(conn, code=code, now=now)
    await become(conn, Role.OWNER)
    return joined


async def row(conn: asyncpg.Connection, user: UUID) -> asyncpg.Record:
    found = await conn.fetchrow("SELECT * FROM users WHERE id = $1", user)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ roles


async def test_a_role_is_given_and_taken(conn: asyncpg.Connection) -> None:
    sara = await person(conn, "sara")
    assert await people.set_role(conn, user=sara, role="operator") == "user"
    assert await people.set_role(conn, user=sara, role="operator") == "operator"
    [known] = await people.house(conn)
    assert (known.id, known.role, known.logins) == (
        sara,
        "operator",
        (people.Login("telegram", "sara", "sara"),),
    )
    await become(conn, Role.APP, sara)
    assert await conn.fetchval("SELECT app.is_operator()")
    await become(conn, Role.OWNER)
    assert await people.set_role(conn, user=sara, role="user") == "operator"
    assert await people.house(conn) == []
    await become(conn, Role.APP, sara)
    assert await conn.fetchval("SELECT app.is_operator()") is False


async def test_nobody_and_the_suspended_get_no_role(conn: asyncpg.Connection) -> None:
    suspended = await person(conn, "omar", account_status="suspended")
    for user in (uuid4(), suspended):
        assert await people.set_role(conn, user=user, role="admin") is None
    assert await people.find_login(conn, channel="telegram", external_id="omar") is None


@pytest.mark.parametrize("role", ["root", "", "ADMIN"])
async def test_a_role_is_one_of_three(conn: asyncpg.Connection, role: str) -> None:
    sara = await person(conn, "sara")
    with pytest.raises(asyncpg.CheckViolationError):
        await people.set_role(conn, user=sara, role=role)


@pytest.mark.parametrize("role", [Role.APP, Role.WORKER, Role.ANALYTICS])
async def test_only_the_owner_gives_roles(conn: asyncpg.Connection, role: Role) -> None:
    sara = await person(conn, "sara", role="admin")
    await become(conn, role, sara)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await people.set_role(conn, user=sara, role="admin")


async def test_nobody_s_turn_is_no_operator_s(conn: asyncpg.Connection) -> None:
    suspended = await person(conn, "omar", account_status="suspended", role="operator")
    for claim in (None, suspended, uuid4()):
        await become(conn, Role.APP, claim)
        assert await conn.fetchval("SELECT app.is_operator()") is False
        await become(conn, Role.OWNER)


# ------------------------------------------------------------------------------------------------ codes


async def test_a_code_is_kept_as_its_digest_only(conn: asyncpg.Connection) -> None:
    sara = await person(conn, "sara")
    code = await code_of(conn, sara)
    assert len(code) == 12
    kept = await conn.fetchval("SELECT to_jsonb(j)::text FROM join_codes j")
    assert code not in kept


@pytest.mark.parametrize("written", ["{}", "  {} ", "{0[0]}-{0[1]}{0[2]} {0[3]}_{rest}", "lower"])
async def test_a_code_may_be_written_as_people_write(conn: asyncpg.Connection, written: str) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar", "whatsapp")
    code = await code_of(conn, sara)
    said = code.lower() if written == "lower" else written.format(code, rest=code[4:])
    await become(conn, Role.APP, omar)
    assert await people.join_code_owner(conn, code=said, now=SOON) == Found("found", ("telegram",))


async def test_a_code_is_good_once_and_for_ten_minutes(conn: asyncpg.Connection) -> None:
    sara, omar, mona = [await person(conn, name) for name in ("sara", "omar", "mona")]
    old = await code_of(conn, sara)
    assert (await join(conn, omar, old, LATE)).outcome == "unknown"
    new = await code_of(conn, sara, LATE)
    assert (await join(conn, omar, old, LATE)).outcome == "unknown"
    assert (await join(conn, omar, new, LATE)).outcome == "merged"
    assert (await join(conn, mona, new, LATE)).outcome == "unknown"


async def test_an_earlier_code_is_void(conn: asyncpg.Connection) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    first, second = await code_of(conn, sara), await code_of(conn, sara)
    assert (await join(conn, omar, first)).outcome == "unknown"
    assert (await join(conn, omar, second)).outcome == "merged"


async def test_codes_and_guesses_are_bounded_within_the_hour(conn: asyncpg.Connection) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    good = [await code_of(conn, sara) for _ in range(5)][-1]
    await become(conn, Role.APP, sara)
    assert await people.make_join_code(conn, now=NOW) is None
    await become(conn, Role.APP, omar)
    for _ in range(5):
        assert await people.join_code_owner(conn, code="2" * 12, now=SOON) == Found("unknown")
    assert await people.join_code_owner(conn, code=good, now=SOON) == Found("too_many"), (
        "not even the right one"
    )
    assert await people.join(conn, code=good, now=SOON) == Joined("too_many")
    assert await people.make_join_code(conn, now=SOON), "asking is counted apart"
    later = NOW + dt.timedelta(hours=1)
    await become(conn, Role.APP, sara)
    assert await people.make_join_code(conn, now=later)
    await become(conn, Role.APP, omar)
    assert await people.join_code_owner(conn, code="2" * 12, now=later) == Found("unknown")


async def test_looking_at_a_code_uses_nothing_up(conn: asyncpg.Connection) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    code = await code_of(conn, sara)
    await become(conn, Role.APP, omar)
    for _ in range(7):
        assert (await people.join_code_owner(conn, code=code, now=SOON)).outcome == "found"
    assert (await join(conn, omar, code)).outcome == "merged"


async def test_her_own_code_joins_nothing(conn: asyncpg.Connection) -> None:
    sara = await person(conn, "sara")
    assert await join(conn, sara, await code_of(conn, sara)) == Joined("same")


@pytest.mark.parametrize("staff", ["sara", "omar"])
async def test_people_of_the_house_keep_their_logins_apart(conn: asyncpg.Connection, staff: str) -> None:
    """Whoever talks an admin into writing a code would be one."""
    both = {name: await person(conn, name) for name in ("sara", "omar")}
    code = await code_of(conn, both["sara"])
    await people.set_role(conn, user=both[staff], role="operator")
    assert await join(conn, both["omar"], code) == Joined("staff")
    assert (await row(conn, both["omar"]))["merged_into"] is None


async def test_the_code_of_somebody_suspended_is_worth_nothing(conn: asyncpg.Connection) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    code = await code_of(conn, sara)
    await conn.execute("UPDATE users SET account_status = 'suspended' WHERE id = $1", sara)
    assert await join(conn, omar, code) == Joined("unknown")


async def test_without_a_turn_there_are_no_codes(conn: asyncpg.Connection) -> None:
    await become(conn, Role.APP)
    for call in (
        people.make_join_code(conn, now=NOW),
        people.join_code_owner(conn, code="x", now=NOW),
        people.join(conn, code="x", now=NOW),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await call


# ------------------------------------------------------------------------------------------------ one person


async def test_who_stays_has_what_both_had(conn: asyncpg.Connection) -> None:
    sara = await person(conn, "sara", country="SA", phone="+966500000001")
    omar = await person(
        conn,
        "omar",
        "whatsapp",
        full_name="Sara Ahmad",
        phone="+966500000002",
        preferred_language="en",
        language_chosen=True,
    )
    await conn.execute("UPDATE users SET created_at = created_at - interval '1 year' WHERE id = $1", omar)
    born = (await row(conn, omar))["created_at"]
    joined = await join(conn, omar, await code_of(conn, sara))
    stays, gone = await row(conn, sara), await row(conn, omar)
    assert joined.person is not None
    assert joined.person.id == sara
    assert (joined.person.full_name, joined.person.phone, joined.person.country) == (
        "Sara Ahmad",
        "+966500000001",
        "SA",
    )
    assert (joined.person.preferred_language, joined.person.language_chosen) == ("en", True)
    assert stays["created_at"] == born
    assert (gone["account_status"], gone["merged_into"]) == ("deleted", sara)
    assert (gone["full_name"], gone["phone"], gone["email"]) == (None, None, None)
    assert await conn.fetchval("SELECT count(*) FROM user_identities WHERE user_id = $1", sara) == 2
    known = await people.find_login(conn, channel="whatsapp", external_id="omar")
    assert known is not None
    assert known.id == sara
    assert await people.find_person(conn, user=omar) is None


@pytest.mark.parametrize("one", [True, False, None])
@pytest.mark.parametrize("other", [True, False, None])
async def test_the_stricter_consent_wins(
    conn: asyncpg.Connection, one: bool | None, other: bool | None
) -> None:
    """A refusal, then a question that was not answered."""
    both = []
    for name, said in (("sara", one), ("omar", other)):
        both.append(await person(conn, name))
        if said is not None:
            await become(conn, Role.APP, both[-1])
            await people.answer_consent(conn, user=both[-1], consented=said, at=NOW)
            await become(conn, Role.OWNER)
    joined = await join(conn, both[1], await code_of(conn, both[0]))
    assert joined.person is not None
    expected = False if False in (one, other) else None if None in (one, other) else True
    assert joined.person.consented is expected
    assert ((await row(conn, both[0]))["consented_at"] is None) == (expected is None)


async def test_a_chain_of_joins_ends_at_one_person(conn: asyncpg.Connection) -> None:
    sara, omar, mona = [await person(conn, name) for name in ("sara", "omar", "mona")]
    await join(conn, omar, await code_of(conn, sara))
    await join(conn, sara, await code_of(conn, mona))
    for gone in (sara, omar):
        assert (await row(conn, gone))["merged_into"] == mona
    assert await conn.fetchval("SELECT count(DISTINCT user_id) FROM user_identities") == 1
    code = await code_of(conn, mona)
    for gone in (sara, omar):  # a stale claim: the person is not there any more
        assert (await join(conn, gone, code)).outcome == "unknown"


async def test_no_row_says_merged_and_active(conn: asyncpg.Connection) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    for change in (
        f"merged_into = '{omar}'",
        f"merged_into = '{sara}', account_status = 'deleted'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            async with conn.transaction():
                await conn.execute(f"UPDATE users SET {change} WHERE id = $1", sara)


async def test_trips_and_what_they_say_of_her_move_over(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    for who, night in ((sara, 10), (omar, 20)):
        await become(conn, Role.APP, who)
        held = await small_hotel.hold(conn, hotel.double, night, 2)
        assert held.booking_id
        await bookings.confirm(conn, booking=held.booking_id, provider="at_hotel", now=NOW)
        await become(conn, Role.OWNER)
        await conn.execute("UPDATE bookings SET status = 'completed' WHERE id = $1", held.booking_id)
        await conn.execute(
            "INSERT INTO booking_outcomes (booking_id, satisfaction_score) VALUES ($1, 9)", held.booking_id
        )
    await join(conn, omar, await code_of(conn, sara))
    [persona] = await conn.fetch("SELECT user_id, n, nights FROM traveler_personas")
    assert tuple(persona) == (sara, 2, 4)
    [proof] = await conn.fetch("SELECT n, satisfaction_sum FROM social_proof_cache WHERE persona = 'all'")
    assert tuple(proof) == (2, 18)
    for table in ("trips", "bookings", "payments", "booking_outcomes"):
        assert await conn.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", sara) == 2


async def test_the_log_of_a_year_follows(conn: asyncpg.Connection) -> None:
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    for months in range(12):
        await conn.execute(
            "SELECT create_monthly_partition((now() - make_interval(months => $1))::date)", months
        )
    await conn.execute(
        """
        INSERT INTO user_behavior_log (user_id, action_type, "timestamp", hour_of_day, day_of_week)
        SELECT who, 'بدء_بحث', now() - make_interval(months => n), 1, 1
        FROM unnest($1::uuid[]) AS who, generate_series(0, 11) AS n
        """,
        [sara, omar],
    )
    await join(conn, omar, await code_of(conn, sara))
    counted = await conn.fetch("SELECT user_id, count(*) AS n FROM user_behavior_log GROUP BY 1")
    assert [tuple(one) for one in counted] == [(sara, 24)]


# ------------------------------------------------------------------------------------------------ tables to come


async def test_tables_where_a_person_may_be_once_only_say_how_they_merge(conn: asyncpg.Connection) -> None:
    """Changing the column would break a unique index: the table needs a function app.merge_TABLE(gone, kept)."""
    await become(conn, Role.SERVICE)
    rows = await conn.fetch(
        """
        SELECT DISTINCT p.relation || '.' || p.attribute AS place
        FROM app.person_columns() AS p
        JOIN pg_class c ON c.relname = p.relation AND c.relnamespace = 'public'::regnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = p.attribute
        JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)
        WHERE to_regprocedure(format('app.merge_%s(uuid, uuid)', p.relation)) IS NULL
        """
    )
    settled_by_trigger = {"referrals.referred_user_id"}
    assert {row["place"] for row in rows} == settled_by_trigger


async def test_the_service_may_move_every_row(conn: asyncpg.Connection) -> None:
    await become(conn, Role.SERVICE)
    rows = await conn.fetch(
        """
        SELECT p.relation || '.' || p.attribute AS place FROM app.person_columns() AS p
        WHERE to_regprocedure(format('app.merge_%s(uuid, uuid)', p.relation)) IS NULL
          AND NOT has_column_privilege('rahhal_service', format('public.%I', p.relation), p.attribute, 'UPDATE')
        """
    )
    assert [row["place"] for row in rows] == []


async def test_a_table_to_come_is_moved_too(conn: asyncpg.Connection) -> None:
    await conn.execute(
        """
        CREATE TABLE wishes (id int PRIMARY KEY, of_whom uuid REFERENCES users);
        SELECT app.isolate('wishes', 'of_whom');
        GRANT SELECT, UPDATE ON wishes TO rahhal_service
        """
    )
    sara, omar = await person(conn, "sara"), await person(conn, "omar")
    await conn.execute("INSERT INTO wishes VALUES (1, $1)", omar)
    await join(conn, omar, await code_of(conn, sara))
    assert await conn.fetchval("SELECT of_whom FROM wishes") == sara


# ------------------------------------------------------------------------------------------------ at the same time


@asynccontextmanager
async def turn_of(pool: asyncpg.Pool, thread: str) -> AsyncIterator[tuple[asyncpg.Connection, turns.Claim]]:
    """A turn in this thread, committed at the end of the block."""
    async with pool.acquire() as conn, as_role(conn, Role.APP):
        event = {"sender": thread, "sender_name": None, "language": "ar"}
        where = {"channel": "telegram", "thread": thread, "address": thread}
        await turns.hear(conn, events=[{**where, "external_id": uuid4().hex, "event": event}])
    async with pool.acquire() as conn, as_role(conn, Role.APP):
        claim = await turns.begin_turn(conn, thread=thread)
        assert claim is not None
        yield conn, claim
        await turns.end_turn(
            conn,
            conversation=claim.talk.id,
            answered=[message.id for message in claim.waiting],
            dialogue={},
            answers=[],
            heard=[{"inbox_id": message.id, "text": "x"} for message in claim.waiting],
            actions=[
                {
                    "action_type": "بدء_بحث",
                    "action_data": {},
                    "at": NOW.isoformat(),
                    "hour_of_day": 1,
                    "day_of_week": 1,
                }
            ],
        )


async def codes(pool: asyncpg.Pool, *threads: str) -> list[str]:
    made = []
    for thread in threads:
        async with turn_of(pool, thread) as (conn, _):
            code = await people.make_join_code(conn, now=NOW)
            assert code
            made.append(code)
    return made


async def talk_in_two_chats(pool: asyncpg.Pool) -> None:
    """Omar is known by himself and in a group."""
    async with turn_of(pool, "omar"):
        pass
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        await conn.execute(
            "INSERT INTO conversations (channel, thread, address, user_id) "
            "SELECT 'telegram', 'omar in a group', 'group', user_id FROM conversations WHERE thread = 'omar'"
        )


async def everything_is_of_one(pool: asyncpg.Pool) -> None:
    """Of the active people there is one, and nothing is anybody else's."""
    async with pool.acquire() as conn, as_role(conn, Role.SERVICE):
        active = await conn.fetch("SELECT id FROM users WHERE account_status = 'active'")
        assert len(active) == 1
        assert await conn.fetchval(
            "SELECT bool_and(merged_into = $1) FROM users WHERE account_status = 'deleted'", active[0]["id"]
        )
        columns = await conn.fetch("SELECT relation, attribute FROM app.person_columns()")
        for relation, attribute in columns:
            left = await conn.fetchval(
                f"SELECT count(*) FROM {relation} WHERE {attribute} <> $1", active[0]["id"]
            )
            assert left == 0, relation


async def waiting(pool: asyncpg.Pool, most: int = 1) -> None:
    """Until so many sessions wait for a lock."""
    async with pool.acquire() as conn, asyncio.timeout(15):
        while (
            await conn.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            < most
        ):
            await asyncio.sleep(0.01)


@pytest.fixture
async def log_of_now(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        await upkeep.make_partitions(conn, now=NOW, ahead=0)


@pytest.mark.usefixtures("log_of_now")
async def test_a_join_waits_for_a_turn_of_hers_and_misses_nothing_of_it(pool: asyncpg.Pool) -> None:
    """Omar talks in two chats; one is being answered while the other joins him to Sara."""
    [code] = await codes(pool, "sara")
    await talk_in_two_chats(pool)

    async def join_him() -> None:
        async with turn_of(pool, "omar") as (conn, _):
            assert (await people.join(conn, code=code, now=SOON)).outcome == "merged"

    async with turn_of(pool, "omar in a group") as (conn, claim):
        joining = asyncio.create_task(join_him())
        await waiting(pool)
        await people.remember_name(conn, user=claim.person.id, full_name="Omar Ali")
    await within(joining)
    await everything_is_of_one(pool)
    async with turn_of(pool, "omar in a group") as (_, claim):
        assert claim.person.full_name == "Omar Ali"


@pytest.mark.usefixtures("log_of_now")
async def test_a_turn_that_begins_during_a_join_is_of_whom_he_became(pool: asyncpg.Pool) -> None:
    [code] = await codes(pool, "sara")
    await talk_in_two_chats(pool)

    async def speak() -> UUID:
        async with turn_of(pool, "omar in a group") as (_, claim):
            return claim.person.id

    async def join_him() -> UUID:
        async with turn_of(pool, "omar") as (conn, _):
            joined = await people.join(conn, code=code, now=SOON)
            assert joined.person is not None
            return joined.person.id

    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        # Holds the join up halfway, where it has his row of users and not yet his conversations.
        await conn.execute("SELECT FROM user_identities WHERE external_id = 'omar' FOR UPDATE")
        joining = asyncio.create_task(join_him())
        await waiting(pool)
        speaking = asyncio.create_task(speak())
        await waiting(pool, 2)
    assert await within(speaking) == await within(joining)
    await everything_is_of_one(pool)


@pytest.mark.usefixtures("log_of_now")
async def test_two_who_become_each_other_at_once_are_one(pool: asyncpg.Pool) -> None:
    for _ in range(5):
        names = [uuid4().hex, uuid4().hex]
        made = await codes(pool, *names)

        async def join_other(thread: str, code: str) -> str:
            async with turn_of(pool, thread) as (conn, _):
                return (await people.join(conn, code=code, now=SOON)).outcome

        outcomes = await within(asyncio.gather(join_other(names[0], made[1]), join_other(names[1], made[0])))
        assert sorted(outcomes) in (["merged", "same"], ["merged", "unknown"]), (
            "who comes second has no code any more"
        )
        async with turn_of(pool, names[0]) as (_, one):
            pass
        async with turn_of(pool, names[1]) as (_, other):
            assert one.person.id == other.person.id


@pytest.mark.usefixtures("log_of_now")
async def test_one_code_written_in_many_chats_at_once_is_used_once(pool: asyncpg.Pool) -> None:
    [code] = await codes(pool, "sara")
    names = [uuid4().hex for _ in range(5)]

    async def write(thread: str) -> str:
        async with turn_of(pool, thread) as (conn, _):
            return (await people.join(conn, code=code, now=SOON)).outcome

    outcomes = await within(asyncio.gather(*map(write, names)))
    assert sorted(outcomes) == ["merged", *["unknown"] * 4]


@pytest.mark.usefixtures("log_of_now")
async def test_a_ring_of_joins_leaves_one_person_and_nobody_waiting(pool: asyncpg.Pool) -> None:
    """Each writes the next one's code, all at once; whose code was overtaken writes another until all are one."""
    names = ["a", "b", "c", "d"]
    made = dict(zip(names, await codes(pool, *names), strict=True))

    async def follow(thread: str, code: str) -> None:
        async with turn_of(pool, thread) as (conn, _):
            outcome = (await people.join(conn, code=code, now=SOON)).outcome
        assert outcome in {"merged", "same", "unknown"}

    await within(asyncio.gather(*(follow(name, made[names[i - 1]]) for i, name in enumerate(names))))
    for name in names[1:]:
        [code] = await codes(pool, "a")
        await follow(name, code)
    await everything_is_of_one(pool)


@pytest.mark.usefixtures("log_of_now")
async def test_what_was_written_late_follows(pool: asyncpg.Pool) -> None:
    [code] = await codes(pool, "sara")
    async with turn_of(pool, "omar") as (conn, claim):
        await people.join(conn, code=code, now=SOON)
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        await conn.execute(
            "INSERT INTO user_behavior_log (user_id, action_type, hour_of_day, day_of_week) VALUES ($1, 'بدء_بحث', 1, 1)",
            claim.person.id,
        )
    async with pool.acquire() as conn, as_role(conn, Role.WORKER):
        for _ in range(2):
            assert await people.settle_joins(conn, within=dt.timedelta(days=1)) == 1
        assert await people.settle_joins(conn, within=dt.timedelta(0)) == 0
    await everything_is_of_one(pool)


# ------------------------------------------------------------------------------------------------ sessions


@pytest.mark.usefixtures("log_of_now")
async def test_a_new_session_is_noted_on_her(pool: asyncpg.Pool) -> None:
    async with turn_of(pool, "sara") as (_, claim):
        pass
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        await conn.execute("UPDATE users SET last_login_at = '2026-01-01'")
    async with turn_of(pool, "sara"):
        pass
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert (await row(conn, claim.person.id))["last_login_at"].year == 2026, "the session goes on"
        await conn.execute("UPDATE conversations SET last_heard_at = now() - interval '31 minutes'")
        begun = await conn.fetchval("SELECT now()")
    async with turn_of(pool, "sara"):
        pass
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert (await row(conn, claim.person.id))["last_login_at"] >= begun
