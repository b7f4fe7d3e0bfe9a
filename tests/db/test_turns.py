"""The doors of a message as functions: what they take, what they give back, what they refuse."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import people, turns
from db.pool import Role

EVENT = {"sender": "sara", "sender_name": "سارة", "language": "ar"}


@pytest.fixture
async def turn(conn: asyncpg.Connection) -> asyncpg.Connection:
    """A connection as rahhal_app, rolled back in the end."""
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    return conn


def row(number: int, **more: Any) -> dict[str, Any]:
    base = {
        "channel": "terminal",
        "external_id": str(number),
        "thread": "sara",
        "address": "sara",
        "event": EVENT,
    }
    return {**base, **more}


def answer(**more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "key": "k",
        "values": {},
        "locale": "ar-EG",
        "edits": None,
        "text": "t",
        "payloads": [{"n": 1}],
        "buttons": [],
    }
    return {**base, **more}


async def begin(conn: asyncpg.Connection) -> turns.Claim:
    claim = await turns.begin_turn(conn)
    assert claim is not None
    return claim


async def end(conn: asyncpg.Connection, claim: turns.Claim, **more: Any) -> list[int]:
    base: dict[str, Any] = {
        "answered": [message.id for message in claim.waiting],
        "dialogue": {},
        "answers": [],
        "heard": [],
        "actions": [],
    }
    return await turns.end_turn(conn, conversation=claim.talk.id, **{**base, **more})


async def seen(conn: asyncpg.Connection, statement: str, *args: object) -> list[tuple[Any, ...]]:
    """As the owner."""
    await conn.execute(f"SET LOCAL ROLE {Role.OWNER.value}")
    rows = await conn.fetch(statement, *args)
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    return [tuple(row) for row in rows]


async def test_a_turn_begins_with_everything_it_needs(turn: asyncpg.Connection) -> None:
    assert await turns.begin_turn(turn) is None
    assert await turns.hear(turn, events=[row(1), row(2)]) == 2
    claim = await begin(turn)
    assert (claim.talk.channel, claim.talk.address, claim.talk.dialogue) == ("terminal", "sara", {})
    assert claim.talk.human_wanted_at is None
    assert claim.newcomer
    assert (claim.person.preferred_language, claim.person.suspended, claim.person.role) == (
        "ar",
        False,
        "user",
    )
    assert claim.person.consented is None
    assert [(message.event, message.attempts) for message in claim.waiting] == [(EVENT, 0), (EVENT, 0)]
    assert await turn.fetchval("SELECT app.user_id()") == claim.person.id
    assert await seen(turn, "SELECT name FROM user_identities") == [("سارة",)]


async def test_the_second_turn_knows_what_the_first_left(turn: asyncpg.Connection) -> None:
    await turns.hear(turn, events=[row(1)])
    first = await begin(turn)
    moment = dt.datetime(2026, 4, 2, 12, 0, 0, 123_000, tzinfo=dt.UTC)
    assert await people.want_human(turn, conversation=first.talk.id, at=moment)
    assert not await people.want_human(turn, conversation=first.talk.id, at=moment)
    await end(turn, first, dialogue={"memory": {"city": "جدة"}})
    assert await turns.begin_turn(turn) is None
    await turns.hear(turn, events=[row(2)])
    second = await begin(turn)
    assert not second.newcomer
    assert second.person == first.person
    assert second.talk.dialogue == {"memory": {"city": "جدة"}}
    assert second.talk.human_wanted_at == moment
    assert len(second.waiting) == 1


async def test_a_person_is_one_within_a_channel_and_another_in_the_next(turn: asyncpg.Connection) -> None:
    seen_people = []
    for number, place in enumerate(({}, {"thread": "group:sara"}, {"channel": "whatsapp"})):
        await turns.hear(turn, events=[row(number, **place)])
        claim = await begin(turn)
        await end(turn, claim)
        seen_people.append(claim.person.id)
    assert seen_people[0] == seen_people[1] != seen_people[2]


async def test_the_longest_waiting_conversation_comes_first(turn: asyncpg.Connection) -> None:
    for number, who in enumerate(("omar", "sara", "omar", "mona")):
        await turns.hear(turn, events=[row(number, thread=who, address=who, event={"sender": who})])
    order = []
    while claim := await turns.begin_turn(turn):
        order.append((claim.talk.address, len(claim.waiting)))
        await end(turn, claim)
    assert order == [("omar", 2), ("sara", 1), ("mona", 1)]


async def test_channels_and_number_of_messages_are_the_caller_s(turn: asyncpg.Connection) -> None:
    await turns.hear(turn, events=[row(n) for n in range(5)])
    assert await turns.begin_turn(turn, channels=["telegram", "whatsapp"]) is None
    claim = await turns.begin_turn(turn, channels=["terminal"], most=2)
    assert claim is not None
    assert len(claim.waiting) == 2


async def test_a_caller_may_want_one_thread_alone(turn: asyncpg.Connection) -> None:
    """Two terminals live in two worlds: neither answers the other's traveler."""
    await turns.hear(turn, events=[row(1), row(2, thread="omar", address="omar", event={"sender": "omar"})])
    assert await turns.begin_turn(turn, thread="mona") is None
    claim = await turns.begin_turn(turn, thread="omar")
    assert claim is not None
    assert claim.talk.address == "omar"


@pytest.mark.parametrize(("late", "left"), [(3, 21), (-3, 24), (30, -6), (None, 24)])
async def test_whatsapp_s_window_counts_from_when_she_wrote(
    turn: asyncpg.Connection, late: int | None, left: int
) -> None:
    """A webhook is redelivered for days; a clock ahead of ours opens no longer window."""
    written = None if late is None else (dt.datetime.now(dt.UTC) - dt.timedelta(hours=late)).isoformat()
    await turns.hear(turn, events=[row(1, channel="whatsapp", sent_at=written)])
    await begin(turn)
    window = await seen(
        turn, "SELECT round(extract(epoch FROM window_until - last_heard_at) / 3600)::int FROM conversations"
    )
    assert window == [(left,)]


async def test_buttons_and_transcript_belong_to_the_last_payload_and_an_edit_to_the_first(
    turn: asyncpg.Connection,
) -> None:
    await turns.hear(turn, events=[row(1), row(2)])
    claim = await begin(turn)
    button = {"token": "token-0001", "label": "نعم", "command": {"name": "x"}, "once": True}
    [first] = await end(turn, claim, answered=[claim.waiting[0].id], answers=[answer()])
    rows = await end(
        turn,
        claim,
        answered=[claim.waiting[1].id],
        answers=[answer(payloads=[{"n": 1}, {"n": 2}], buttons=[button], edits=first, text="كلها")],
    )
    assert rows == [first + 1, first + 2]
    assert await seen(turn, "SELECT id, edits FROM outbox WHERE id > $1 ORDER BY id", first) == [
        (rows[0], first),
        (rows[1], None),
    ]
    assert await seen(turn, "SELECT outbox_id FROM buttons") == [(rows[1],)]
    assert await seen(turn, "SELECT outbox_id, text FROM messages ORDER BY id") == [
        (first, "t"),
        (rows[1], "كلها"),
    ]
    pressed = await turns.press(turn, conversation=claim.talk.id, token="token-0001")
    assert (pressed.fate, pressed.command, pressed.label, pressed.outbox_id) == (
        "ok",
        {"name": "x"},
        "نعم",
        rows[1],
    )
    assert pressed.created_at is not None
    assert pressed.created_at.tzinfo is not None
    assert (await turns.press(turn, conversation=claim.talk.id, token="token-0001")).fate == "pressed"
    assert (await turns.press(turn, conversation=claim.talk.id, token="token-0002")).fate == "unknown"


@pytest.mark.parametrize("token", ["short", "مفتاح-عربي", "x" * 65, "with space", "dot.dot.dot"])
async def test_a_token_no_channel_could_carry_is_refused(turn: asyncpg.Connection, token: str) -> None:
    await turns.hear(turn, events=[row(1)])
    claim = await begin(turn)
    button = {"token": token, "label": "l", "command": {}, "once": False}
    with pytest.raises(asyncpg.CheckViolationError):
        await end(turn, claim, answers=[answer(buttons=[button])])


async def test_texts_beyond_the_transcript_s_limit_are_cut(turn: asyncpg.Connection) -> None:
    await turns.hear(turn, events=[row(1)])
    claim = await begin(turn)
    await end(
        turn,
        claim,
        heard=[{"inbox_id": claim.waiting[0].id, "text": "ا" * 12_000}],
        answers=[answer(text="ب" * 12_000)],
    )
    assert await seen(turn, "SELECT length(text) FROM messages") == [(10_000,), (10_000,)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"action_type": "رقص"},
        {"emotional_state": "furious"},
        {"hour_of_day": 24},
        {"day_of_week": 0},
    ],
)
async def test_the_log_takes_only_what_it_knows(turn: asyncpg.Connection, wrong: dict[str, Any]) -> None:
    await turns.hear(turn, events=[row(1)])
    claim = await begin(turn)
    action: dict[str, Any] = {
        "action_type": "بدء_بحث",
        "action_data": {},
        "emotional_state": None,
        "at": "2026-04-02T00:00:00Z",
        "hour_of_day": 0,
        "day_of_week": 7,
    }
    with pytest.raises(asyncpg.CheckViolationError):
        await end(turn, claim, actions=[{**action, **wrong}])


async def test_failures_are_counted_on_the_message_that_failed(turn: asyncpg.Connection) -> None:
    await turns.hear(turn, events=[row(1), row(2)])
    claim = await begin(turn)
    bad = claim.waiting[1].id
    apology = {"key": "sorry", "locale": "ar", "payloads": [{"n": 1}, {"n": 2}]}
    given: dict[str, Any] = {
        "conversation": claim.talk.id,
        "message": bad,
        "problem": "x" * 900,
        "pause": dt.timedelta(seconds=60),
        "apology": apology,
    }
    assert [await turns.fail_turn(turn, **given) for _ in range(2)] == [1, 2]
    assert await turns.begin_turn(turn) is None, "it pauses"
    assert await seen(turn, "SELECT count(*) FROM outbox") == [(0,)]
    assert await turns.fail_turn(turn, **given) == 3
    assert await turns.fail_turn(turn, **given) == 0, "it is dead already"
    assert await seen(turn, "SELECT key FROM outbox ORDER BY id") == [("sorry",), ("sorry",)]
    assert await seen(turn, "SELECT length(reason), payload FROM dead_letters") == [(500, {"inbox_id": bad})]
    again = await begin(turn)
    assert [message.id for message in again.waiting] == [claim.waiting[0].id]


async def test_a_failure_of_what_is_not_there_is_nothing(turn: asyncpg.Connection) -> None:
    await turns.hear(turn, events=[row(1)])
    claim = await begin(turn)
    for conversation, message in ((claim.talk.id, 0), (uuid4(), claim.waiting[0].id)):
        assert await _fail(turn, conversation, message) == 0
    await end(turn, claim)
    assert await _fail(turn, claim.talk.id, claim.waiting[0].id) == 0, "answered meanwhile"


async def _fail(conn: asyncpg.Connection, conversation: UUID, message: int) -> int:
    apology = {"key": "k", "locale": "ar", "payloads": []}
    return await turns.fail_turn(
        conn, conversation=conversation, message=message, problem="p", pause=dt.timedelta(0), apology=apology
    )


async def test_hearing_nothing_is_nothing(turn: asyncpg.Connection) -> None:
    assert await turns.hear(turn, events=[]) == 0
    assert await turns.begin_turn(turn) is None


async def test_statuses_are_keyed_and_checked(turn: asyncpg.Connection) -> None:
    status = {"channel": "whatsapp", "external_id": "wamid", "status": "sent", "at": "2026-04-02T00:00:00Z"}
    read = {**status, "status": "read", "error": "x" * 900}
    assert await turns.store_statuses(turn, statuses=[status, status, read]) == 2
    assert await turns.store_statuses(turn, statuses=[read]) == 0
    assert await seen(turn, "SELECT error_code, length(error) FROM delivery_statuses ORDER BY status") == [
        ("", 500),
        ("", 0),
    ]
