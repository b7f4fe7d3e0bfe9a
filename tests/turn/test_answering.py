"""Transaction 2: in order, one at a time per conversation, everything in one commit or nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import random

import asyncpg
import pytest

from bot.errors import DatabaseUnavailable
from bot.events import Channel, Text
from bot.turn import House
from db import turns
from db.pool import Role, as_role
from handlers.start import START
from tests.turn.toy import NOW, Toy, event, flows, press, running, until, within

MINUTE = dt.timedelta(minutes=1)

# ------------------------------------------------------------------------------------------------ order


async def test_messages_of_one_conversation_are_answered_in_the_order_they_were_sent(toy: Toy) -> None:
    await toy.hear(
        event("note 3", sent_at=NOW + 2 * MINUTE),
        event("note 1", sent_at=NOW),
        event("note 2", sent_at=NOW + MINUTE),
        event("note 2b", sent_at=NOW + MINUTE),
    )
    assert await toy.answer_all() == 1
    assert await toy.notes() == ["note 1", "note 2", "note 2b", "note 3"]
    assert [row["payload"]["text"] for row in await toy.outbox()] == [
        f"noted: note {n}" for n in ("1", "2", "2b", "3")
    ]


async def test_more_messages_than_one_turn_takes_are_answered_in_order_too(toy: Toy) -> None:
    await toy.hear(*(event(f"note {n:02}") for n in range(45)))
    assert await toy.answer_all() == 3
    assert await toy.notes() == [f"note {n:02}" for n in range(45)]


async def test_many_answerers_never_answer_one_conversation_at_the_same_time(toy: Toy) -> None:
    dice = random.Random(3)
    people = [f"p{n}" for n in range(6)]
    said: dict[str, list[str]] = {who: [] for who in people}
    heard_all = asyncio.Event()

    async def work() -> None:
        answerer = toy.another()
        while True:
            finished = heard_all.is_set()
            if not await answerer.answer() and finished:
                return
            await asyncio.sleep(0)

    async def talk() -> None:
        for n in range(60):
            who = dice.choice(people)
            said[who].append(f"note {n}")
            await toy.door.hear([event(f"note {n}", who)])
        heard_all.set()

    await within(asyncio.gather(talk(), *(work() for _ in range(5))), 40)
    await toy.answer_all()
    assert toy.behavior.overlapped == []
    for who in people:
        assert await toy.notes(who) == said[who]
    assert await toy.count("inbox", "answered_at IS NULL") == 0


async def test_different_conversations_are_answered_side_by_side(toy: Toy) -> None:
    toy.behavior.hold |= {"note a", "note b"}
    await toy.hear(event("note a", "sara"), event("note b", "omar"))
    async with running(toy.answerer.answer()), running(toy.another().answer()):
        await within(toy.behavior.began["note a"].wait())
        await within(toy.behavior.began["note b"].wait())
        assert toy.behavior.most_at_once == 2
        assert await toy.another().answer() is False, "both are being answered"
        toy.behavior.released.set()
        await until(lambda: _answered(toy, 2))


async def test_a_message_heard_during_the_answer_waits_for_its_end(toy: Toy) -> None:
    toy.behavior.hold.add("note 1")
    await toy.hear(event("note 1"))
    async with running(toy.answerer.answer()):
        await within(toy.behavior.began["note 1"].wait())
        await toy.hear(event("note 2"))
        assert await within(toy.another().answer()) is False
        toy.behavior.released.set()
        await until(lambda: _answered(toy, 1))
    await toy.answer_all()
    assert await toy.notes() == ["note 1", "note 2"]


async def test_a_conversation_answered_between_the_look_and_the_lock_hides_no_other(toy: Toy) -> None:
    """A worker that is overtaken goes on looking, instead of taking it for «nothing waits»."""
    await toy.hear(event("note a", "sara"), event("note b", "omar"))
    await toy.fetch(
        "CREATE FUNCTION linger() RETURNS boolean LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END'"
    )
    await toy.fetch("ALTER POLICY house ON inbox USING (linger())")
    async with toy.pool.acquire() as quicker, toy.pool.acquire() as conn:
        await quicker.execute("BEGIN; SET LOCAL ROLE rahhal_owner")
        await quicker.execute("SELECT pg_advisory_lock(1)")
        async with running(_begin(conn)) as beginning:
            await until(
                lambda: toy.pool.fetchval(
                    "SELECT true FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                )
            )
            await quicker.execute("UPDATE inbox SET answered_at = now() WHERE event ->> 'sender' = 'sara'")
            await quicker.execute("COMMIT; SELECT pg_advisory_unlock(1)")
            assert await within(beginning) == "omar"


async def _begin(conn: asyncpg.Connection) -> str | None:
    async with as_role(conn, Role.APP):
        claim = await turns.begin_turn(conn)
        return claim.talk.address if claim else None


async def _answered(toy: Toy, count: int) -> bool:
    return await toy.count("inbox", "answered_at IS NOT NULL") == count


# ------------------------------------------------------------------------------------------------ one commit


async def test_everything_a_turn_does_is_in_one_commit(toy: Toy, database: str) -> None:
    toy.behavior.hold.add("note all")
    await toy.hear(event("plan city=جدة"), event("note all"))
    async with running(toy.answerer.answer()) as answering:
        await within(toy.behavior.began["note all"].wait())
        assert await _effects(toy) == [0, 0, 0, 0, 0, 0]
        toy.behavior.released.set()
        assert await within(answering)
    row = await toy.conversation()
    assert row["dialogue"]["frames"][0]["slots"] == {"city": "جدة"}
    # note, log row, two answers and the question put again, four lines in and out, both answered, one person
    assert await _effects(toy) == [1, 1, 3, 5, 2, 1]
    assert toy.sent == [(Channel.TERMINAL, "sara")]


async def test_a_turn_that_fails_leaves_nothing_but_the_count(toy: Toy) -> None:
    await toy.say("plan city=جدة")
    before = (await toy.conversation())["dialogue"], await _effects(toy)
    toy.behavior.fail.add("note bad")
    await toy.hear(event("fill day=2026-04-05"), event("note bad"))
    assert await within(toy.answerer.answer()) is True
    assert ((await toy.conversation())["dialogue"], await _effects(toy)) == before
    rows = await toy.fetch("SELECT attempts, last_error FROM inbox WHERE answered_at IS NULL ORDER BY id")
    assert [tuple(row) for row in rows] == [(0, None), (1, "RuntimeError")]


async def test_a_cancelled_answer_leaves_nothing_and_is_no_failure(toy: Toy) -> None:
    toy.behavior.hold.add("note 1")
    await toy.hear(event("note 1"))
    async with running(toy.answerer.answer()):
        await within(toy.behavior.began["note 1"].wait())
    assert await _effects(toy) == [0, 0, 0, 0, 0, 0]
    assert await toy.value("SELECT attempts FROM inbox") == 0
    toy.behavior.released.set()
    await toy.answer_all()
    assert await toy.notes() == ["note 1"]


async def test_a_connection_that_dies_in_a_turn_leaves_nothing_and_is_no_failure(toy: Toy) -> None:
    toy.behavior.hold.add("note 1")
    await toy.hear(event("note 1"))
    async with running(toy.answerer.answer()) as answering:
        await within(toy.behavior.began["note 1"].wait())
        killed = await toy.pool.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' "
            "AND datname = current_database()"
        )
        assert len(killed) == 1
        toy.behavior.released.set()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await within(answering)
    assert await toy.value("SELECT attempts FROM inbox") == 0
    await toy.answer_all()
    assert await toy.notes() == ["note 1"]


async def _effects(toy: Toy) -> list[int]:
    tables = ("notes", "user_behavior_log", "outbox", "messages")
    counts = [await toy.count(table) for table in tables]
    return [*counts, await toy.count("inbox", "answered_at IS NOT NULL"), await toy.count("users")]


async def test_the_transcript_reads_as_it_was_said(toy: Toy) -> None:
    await toy.hear(event("note 1"), event("offer"))
    await toy.answer_all()
    rows = await toy.fetch("SELECT direction, text FROM messages ORDER BY direction, id")
    assert [tuple(row) for row in rows] == [
        ("in", "note 1"),
        ("in", "offer"),
        ("out", "noted: note 1"),
        ("out", "offered"),
    ]


# ------------------------------------------------------------------------------------------------ failures


async def test_the_third_failure_buries_the_message_and_apologizes(toy: Toy) -> None:
    toy.behavior.fail.add("note bad")
    await toy.hear(event("note before"), event("note bad"), event("note after"))
    await toy.answer_all()
    assert await toy.notes() == ["note before", "note after"]
    letter = (await toy.fetch("SELECT channel, reason, payload FROM dead_letters"))[0]
    bad = (await toy.fetch("SELECT * FROM inbox WHERE dead_at IS NOT NULL"))[0]
    assert (letter["channel"], letter["reason"]) == ("terminal", "RuntimeError")
    assert letter["payload"] == {"inbox_id": bad["id"]}
    assert (bad["attempts"], bad["answered_at"]) == (3, None)
    keys = [row["key"] for row in await toy.outbox()]
    assert keys == ["noted", "apology.dead_letter", "noted"]


async def test_a_failed_message_is_tried_again_after_a_pause_and_may_succeed(toy: Toy) -> None:
    toy.behavior.fail.add("note shaky")
    await toy.hear(event("note shaky"))
    assert await within(toy.answerer.answer()) is True
    assert await within(toy.answerer.answer()) is False, "it waits"
    assert await toy.count("conversations", "answer_after > now()") == 1
    toy.behavior.fail.clear()
    await toy.answer_all()
    assert await toy.notes() == ["note shaky"]
    assert await toy.count("dead_letters") == 0


async def test_a_pause_is_one_conversation_s_alone(toy: Toy) -> None:
    toy.behavior.fail.add("note bad")
    await toy.hear(event("note bad", "sara"), event("note good", "omar"))
    assert await within(toy.answerer.answer()) is True
    assert await within(toy.answerer.answer()) is True
    assert await toy.notes() == ["note good"]


@pytest.mark.parametrize(("language", "words"), [("ar-SA", "عذرًا"), ("en-GB", "Sorry")])
async def test_the_apology_speaks_the_traveler_s_language_and_wakes_the_sender(
    toy: Toy, language: str, words: str
) -> None:
    """Also where the very first message fails, and nothing of her was kept."""
    toy.behavior.fail.add("note bad")
    rows = await toy.say("note bad", language=language)
    assert [row["key"] for row in rows] == ["apology.dead_letter"]
    assert rows[0]["payload"]["text"].startswith(words)
    assert rows[0]["locale"].startswith(language[:2])
    assert toy.sent[-1] == (Channel.TERMINAL, "sara")


async def test_an_event_this_version_cannot_read_becomes_a_dead_letter_too(toy: Toy) -> None:
    await toy.say("note 1")
    await toy.hear(event("note odd"), event("note 2"))
    await toy.fetch(
        "UPDATE inbox SET event = jsonb_set(event, '{content,type}', '\"hologram\"') "
        "WHERE event -> 'content' ->> 'text' = 'note odd'"
    )
    await toy.answer_all()
    assert await toy.notes() == ["note 1", "note 2"]
    assert await toy.count("dead_letters") == 1


async def test_a_newcomer_whose_first_event_cannot_be_read_is_not_stuck(toy: Toy) -> None:
    await toy.hear(event("note odd"), event("note 2"))
    await toy.fetch(
        "UPDATE inbox SET event = jsonb_set(event, '{content,type}', '\"hologram\"') "
        "WHERE event -> 'content' ->> 'text' = 'note odd'"
    )
    await toy.answer_all()
    assert await toy.notes() == ["note 2"]
    assert await toy.count("dead_letters") == 1


async def test_an_error_of_the_database_inside_a_flow_is_counted_and_answers_nothing(toy: Toy) -> None:
    await toy.pool.execute("ALTER TABLE notes ADD CHECK (text <> 'note forbidden')")
    await toy.say("note forbidden", "note fine")
    assert await toy.notes() == ["note fine"]
    assert await toy.value("SELECT reason FROM dead_letters") is not None


# ------------------------------------------------------------------------------------------------ people


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("ar", "EG", "Africa/Cairo", None)),
        ({"language": "ar-SA"}, ("ar", "SA", "Asia/Riyadh", None)),
        ({"language": "en-GB"}, ("en", "GB", "Africa/Cairo", None)),
        ({"language": "en", "phone": "971501234567"}, ("en", "AE", "Asia/Dubai", "+971501234567")),
        ({"language": "ar-EG", "phone": "+96550012345"}, ("ar", "KW", "Asia/Kuwait", "+96550012345")),
        ({"language": "ar-عع", "phone": "12"}, ("ar", "EG", "Africa/Cairo", None)),
        ({"language": "ar-ZZ"}, ("ar", "ZZ", "Africa/Cairo", None)),
    ],
)
async def test_a_newcomer_is_known_by_what_her_first_event_tells(
    toy: Toy, given: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    rows = await toy.say("note 1", **given)
    person = await toy.person()
    assert tuple(person[name] for name in ("preferred_language", "country", "timezone", "phone")) == expected
    assert person["consented"] is None
    assert rows[0]["locale"].startswith(str(expected[0]))


async def test_only_the_first_event_settles_who_she_is(toy: Toy) -> None:
    await toy.say("note 1", language="ar-SA")
    await toy.say("note 2", language="en-GB", phone="+201001234567")
    person = await toy.person()
    assert (person["preferred_language"], person["country"], person["phone"]) == ("ar", "SA", None)
    assert await toy.count("users") == 1


async def test_one_person_in_two_new_conversations_at_once_is_one_person(toy: Toy) -> None:
    """Her private chat and a group, answered for the first time at the same moment."""
    toy.behavior.hold.add("note private")
    await toy.hear(event("note private", "sara"), event("note group", "sara", thread="g:sara", address="g"))
    async with running(toy.answerer.answer()) as first, running(toy.another().answer()) as second:
        await within(toy.behavior.began["note private"].wait())
        toy.behavior.released.set()
        assert await within(first)
        assert await within(second)
    await toy.answer_all()
    assert sorted(await toy.notes()) == ["note group", "note private"]
    assert await toy.count("users") == 1
    assert await toy.value("SELECT count(DISTINCT user_id) FROM conversations") == 1


async def test_a_suspended_person_gets_one_polite_sentence_and_nothing_happens(toy: Toy) -> None:
    await toy.say("plan city=جدة")
    token = (await toy.say("offer"))[0]["payload"]["tokens"][0]
    await toy.fetch("UPDATE users SET account_status = 'suspended'")
    before = (await toy.conversation())["dialogue"]
    await toy.hear(event("note 1"), press(token), event("note 2"))
    last = (await toy.outbox())[-1]["id"]
    await toy.answer_all()
    assert [row["key"] for row in await toy.outbox(after=last)] == ["suspended"]
    assert await toy.notes() == []
    assert await toy.count("user_behavior_log") == 0
    assert await toy.count("buttons", "pressed_at IS NOT NULL") == 0
    assert (await toy.conversation())["dialogue"] == before
    assert await toy.count("messages", "text = '[suspended]'") == 3, "her words are not kept"
    assert [row["key"] for row in await toy.say("note 3")] == ["suspended"]


@pytest.mark.parametrize(("consented", "kept"), [(None, None), (False, None), (True, "urgent")])
async def test_feelings_are_kept_only_with_consent(
    toy: Toy, consented: bool | None, kept: str | None
) -> None:
    await toy.say("note 1")
    at = NOW if consented is not None else None
    await toy.fetch("UPDATE users SET consented = $1, consented_at = $2", consented, at)
    await toy.say("note 2!")
    found = await toy.fetch("SELECT emotional_state FROM user_behavior_log ORDER BY id")
    assert [row["emotional_state"] for row in found] == [None, kept]


async def test_consent_withdrawn_counts_from_that_very_message(toy: Toy) -> None:
    await toy.say("note 1")
    await toy.fetch("UPDATE users SET consented = true, consented_at = now()")
    toy.answerer = toy.another(only=[START, *(flow for flow in flows(toy.behavior) if flow.name == "notes")])
    await toy.hear(event("note 2!"), event("consent !"), event("note 3!"))
    assert await toy.answer_all() == 1
    found = await toy.fetch("SELECT emotional_state FROM user_behavior_log ORDER BY id")
    assert [row["emotional_state"] for row in found] == [None, "urgent", None, None]


# ------------------------------------------------------------------------------------------------ the log


@pytest.mark.parametrize(
    ("language", "hour", "weekday"), [("ar-SA", 0, 5), ("ar-MA", 22, 4), ("ar-EG", 23, 4)]
)
async def test_the_log_tells_the_traveler_s_own_hour(
    toy: Toy, language: str, hour: int, weekday: int
) -> None:
    await toy.say("note 1", language=language)
    row = (await toy.fetch("SELECT * FROM user_behavior_log"))[0]
    assert (row["hour_of_day"], row["day_of_week"], row["timestamp"]) == (hour, weekday, NOW)
    assert row["user_id"] == (await toy.person())["id"]
    assert row["session_id"] == (await toy.conversation())["session_id"]
    assert (row["action_type"], row["action_data"]) == ("بدء_بحث", {"note": "note 1"})


async def test_the_log_falls_into_its_month(toy: Toy) -> None:
    today = dt.datetime.now(dt.UTC)
    toy.now = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    await toy.say("note first moment")
    toy.now -= dt.timedelta(microseconds=1)
    await toy.say("note last moment")
    toy.now = today + dt.timedelta(days=800)
    await toy.say("note no month yet")
    rows = await toy.fetch("SELECT tableoid::regclass::text AS place FROM user_behavior_log ORDER BY id")
    this = today.date().replace(day=1)
    months = [this, (this - dt.timedelta(days=1)).replace(day=1)]
    assert [row["place"] for row in rows] == [
        *(f"user_behavior_log_{month:%Y_%m}" for month in months),
        "user_behavior_log_default",
    ]


async def test_a_session_ends_with_half_an_hour_of_silence(toy: Toy) -> None:
    await toy.say("note 1", "note 2")
    await toy.fetch("UPDATE conversations SET last_heard_at = last_heard_at - interval '31 minutes'")
    await toy.say("note 3")
    sessions = [
        row["session_id"] for row in await toy.fetch("SELECT session_id FROM user_behavior_log ORDER BY id")
    ]
    assert sessions[0] == sessions[1] != sessions[2]


# ------------------------------------------------------------------------------------------------ after a deploy


async def test_a_document_of_another_version_is_dropped_politely(toy: Toy) -> None:
    await toy.say("plan city=جدة")
    await toy.fetch("UPDATE conversations SET dialogue = jsonb_set(dialogue, '{version}', '99', true)")
    assert [row["key"] for row in await toy.say("note 1")] == ["flow_gone", "noted"]
    assert [row["key"] for row in await toy.say("note 2")] == ["noted"], "said once"


async def test_a_flow_that_a_deploy_removed_is_dropped_politely(toy: Toy) -> None:
    await toy.say("plan city=جدة")
    toy.answerer = toy.another(only=[flow for flow in flows(toy.behavior) if flow.name != "plan"])
    assert [row["key"] for row in await toy.say("note 1")] == ["flow_gone", "noted"]
    assert [row["key"] for row in await toy.say("note 2")] == ["noted"], "said once"


# ------------------------------------------------------------------------------------------------ limits


async def test_only_channels_that_can_be_rendered_are_answered(toy: Toy) -> None:
    await toy.hear(event("note t"), event("note w", "0100", channel=Channel.WHATSAPP))
    toy.channels = (Channel.TERMINAL,)
    toy.answerer = toy.another()
    await toy.answer_all()
    assert await toy.notes() == ["note t"]
    assert await toy.count("inbox", "answered_at IS NULL AND attempts = 0") == 1


async def test_whatsapp_keeps_its_window_by_what_was_heard(toy: Toy) -> None:
    await toy.say("note 1", who="0100", channel=Channel.WHATSAPP)
    await toy.say("note 1", who="sara")
    window = await toy.value(
        "SELECT window_until - last_heard_at FROM conversations WHERE channel = 'whatsapp'"
    )
    assert window == dt.timedelta(hours=24)
    assert await toy.value("SELECT window_until FROM conversations WHERE channel = 'terminal'") is None


async def test_a_text_longer_than_is_read_is_said_so_and_stored_whole(toy: Toy) -> None:
    text = "note " + "ا" * 9_000
    rows = await toy.say(Text(text=text))
    assert [row["key"] for row in rows] == ["too_long", "noted"]
    assert await toy.value("SELECT text FROM messages WHERE direction = 'in'") == text


async def test_operators_are_told_in_the_turn_s_commit(toy: Toy) -> None:
    toy.house = House(operators_chat="-100")
    toy.answerer = toy.another()
    toy.behavior.fail.add("alarm bad")
    await toy.say("alarm bad", "alarm", "alarm")
    lane = (await toy.conversation("operators:-100"))["id"]
    told = await toy.fetch("SELECT key, payload FROM outbox WHERE conversation_id = $1", lane)
    assert [row["key"] for row in told] == ["alarmed", "alarmed"]
    assert await toy.count("conversations", "thread LIKE 'operators:%'") == 1


async def test_who_writes_in_arabic_is_answered_in_arabic_until_she_chose_otherwise(toy: Toy) -> None:
    rows = await toy.say("note 1", language="en-GB")
    assert rows[-1]["locale"] == "en-GB"
    rows = await toy.say("note 2 عايز فندق في دبي", language="en-GB")
    assert rows[-1]["locale"] == "ar-GB"
    assert (await toy.person())["language_chosen"] is False


# ------------------------------------------------------------------------------------------------ what cannot be claimed


async def test_a_conversation_that_cannot_be_claimed_keeps_nobody_waiting(toy: Toy) -> None:
    """A row without a sender, as only a broken deploy could store it, fails inside the claim itself."""
    broken = {"channel": "terminal", "external_id": "odd", "thread": "odd", "address": "odd", "event": {}}
    async with toy.pool.acquire() as conn, as_role(conn, Role.APP):
        await turns.hear(conn, events=[broken])
    await toy.hear(event("note hello"))
    with pytest.raises(asyncpg.NotNullViolationError):
        await toy.answerer.answer()
    assert await toy.answerer.answer()
    assert await toy.notes() == ["note hello"]
    waiting = await toy.fetch("SELECT answered_at, dead_at FROM inbox WHERE external_id = 'odd'")
    assert [tuple(row) for row in waiting] == [(None, None)], "it waits for the deploy that mends it"


# ------------------------------------------------------------------------------------------------ a full disk


async def test_a_full_disk_costs_no_message(toy: Toy) -> None:
    """However often it is tried meanwhile: the message is answered once there is room, without an apology."""
    await toy.hear(event("note hello"))
    await toy.fetch(
        """
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
        """
    )
    await toy.fetch("CREATE TRIGGER no_room BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION no_room()")
    for _ in range(5):
        with pytest.raises(asyncpg.DiskFullError):
            await toy.answerer.answer()
    assert await toy.notes() == [], "the turn is one commit or none"
    await toy.fetch("DROP TRIGGER no_room ON outbox")
    assert await toy.answer_all() == 1
    assert [row["key"] for row in await toy.outbox()] == ["noted"]
    assert await toy.value("SELECT max(attempts) FROM inbox") == 0


async def test_a_full_disk_is_told_to_the_channel(toy: Toy) -> None:
    """It delivers the message again: nothing was stored, so nothing is answered yet."""
    await toy.fetch(
        """
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
        """
    )
    await toy.fetch("CREATE TRIGGER no_room BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION no_room()")
    with pytest.raises(DatabaseUnavailable):
        await toy.hear(event("note hello"))
    await toy.fetch("DROP TRIGGER no_room ON inbox")
    assert await toy.answer_all() == 0
