"""Buttons: opaque, authorized, resolved in the turn; typing a button's words presses it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.events import Channel
from tests.turn.toy import NOW, Toy, event, press

TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
AGAIN, ONCE, REPLACE = range(3)


async def offered(toy: Toy, who: str = "sara") -> list[str]:
    """The tokens of an offer: one that may be pressed again, one for once, one that replaces the message."""
    row = (await toy.say("offer", who=who))[-1]
    tokens: list[str] = row["payload"]["tokens"]
    return tokens


async def keys(toy: Toy, token: str, who: str = "sara") -> list[str]:
    last = await toy.value("SELECT max(id) FROM outbox")
    await toy.hear(press(token, who))
    await toy.answer_all()
    return [row["key"] for row in await toy.outbox(after=last)]


async def test_tokens_are_opaque_short_and_stored_with_what_they_mean(toy: Toy) -> None:
    tokens = await offered(toy)
    month = (await toy.say("month"))[0]["payload"]["calendar"]
    assert len({*tokens, month}) == 4
    for token in (*tokens, month):
        assert TOKEN.fullmatch(token)
        assert len(f"{token}.2026-04-05".encode()) <= 64, "Telegram's limit of callback data"
    rows = await toy.fetch("SELECT token, command, once, outbox_id FROM buttons")
    stored = {row["token"]: row for row in rows}
    assert stored.keys() == {*tokens, month}
    assert stored[tokens[AGAIN]]["command"] == {"name": "note", "slots": {}, "args": {}}
    assert [stored[token]["once"] for token in tokens] == [False, True, False]


async def test_a_button_means_what_was_stored(toy: Toy) -> None:
    tokens = await offered(toy)
    assert await keys(toy, tokens[AGAIN]) == ["noted"]
    assert await keys(toy, tokens[AGAIN]) == ["noted"], "this one may be pressed again"


async def test_a_button_for_once_acts_once(toy: Toy) -> None:
    token = (await offered(toy))[ONCE]
    assert await keys(toy, token) == ["noted"]
    assert await keys(toy, token) == ["already_done"]
    assert len(await toy.notes()) == 1


async def test_a_double_press_in_one_batch_acts_once(toy: Toy) -> None:
    token = (await offered(toy))[ONCE]
    last = await toy.value("SELECT max(id) FROM outbox")
    await toy.hear(press(token), press(token))
    await toy.answer_all()
    assert [row["key"] for row in await toy.outbox(after=last)] == ["noted", "already_done"]


async def test_a_press_whose_turn_failed_was_none(toy: Toy) -> None:
    token = (await offered(toy))[ONCE]
    label = await toy.value("SELECT label FROM buttons WHERE token = $1", token)
    toy.behavior.fail.add(label)
    await toy.hear(press(token))
    assert await toy.answerer.answer()
    assert await toy.count("buttons", "pressed_at IS NOT NULL") == 0
    toy.behavior.fail.clear()
    await toy.answer_all()
    assert await toy.notes() == [label]


async def test_somebody_else_s_button_does_nothing(toy: Toy) -> None:
    token = (await offered(toy, "sara"))[ONCE]
    assert await keys(toy, token, "omar") == ["not_mine"]
    assert await toy.notes() == []
    assert await keys(toy, token, "sara") == ["noted"], "and is not used up by it"


async def test_one_person_s_button_of_another_chat_is_not_followed_here(toy: Toy) -> None:
    token = (await offered(toy, "sara"))[ONCE]
    elsewhere = await toy.say(press(token).content, thread="group:sara")
    assert [row["key"] for row in elsewhere] == ["not_mine"]


@pytest.mark.parametrize(
    "token", ["x" * 12, "غريب", "../etc", "a' OR 1", "x" * 256, ".", "\0", "x.2026-04-05"]
)
async def test_an_unknown_token_is_stale(toy: Toy, token: str) -> None:
    await toy.say("note 1")
    assert await keys(toy, token) == ["stale.unknown"]


# ------------------------------------------------------------------------------------------------ calendars


async def planning(toy: Toy) -> str:
    await toy.say("plan city=جدة")
    token: str = (await toy.say("month"))[0]["payload"]["calendar"]
    return token


async def test_a_day_of_the_calendar_fills_the_slot(toy: Toy) -> None:
    token = await planning(toy)
    rows = await toy.say(press(f"{token}.2026-04-05").content)
    assert [row["payload"]["text"] for row in rows] == ["planned: جدة 2026-04-05"]


@pytest.mark.parametrize(
    "day", ["", "today", "2026-13-01", "2026-04-31", "٢٠٢٦-٠٤-٠٥", "2026-04-05.x", "-", "'"]
)
async def test_garbage_after_the_dot_is_stale_and_changes_nothing(toy: Toy, day: str) -> None:
    token = await planning(toy)
    before = (await toy.conversation())["dialogue"]["frames"]
    assert await keys(toy, f"{token}.{day}") == ["stale.unknown"]
    assert (await toy.conversation())["dialogue"]["frames"] == before
    assert await toy.count("inbox", "attempts > 0") == 0


async def test_a_calendar_without_a_day_asks_again(toy: Toy) -> None:
    token = await planning(toy)
    assert await keys(toy, token) == ["day?"]


async def test_a_day_on_a_button_that_is_no_calendar_is_stale(toy: Toy) -> None:
    token = (await offered(toy))[AGAIN]
    assert await keys(toy, f"{token}.2026-04-05") == ["stale.unknown"]
    assert await toy.count("inbox", "attempts > 0") == 0


# ------------------------------------------------------------------------------------------------ editing, typing


async def test_an_edit_points_at_the_message_whose_button_was_pressed(toy: Toy) -> None:
    tokens = await offered(toy)
    message = await toy.value("SELECT max(id) FROM outbox")
    row = (await toy.say(press(tokens[REPLACE]).content))[0]
    assert (row["key"], row["edits"]) == ("replaced", message)
    typed = (await toy.say("replace"))[0]
    assert (typed["key"], typed["edits"]) == ("replaced", None), "nothing was pressed: a new message"


async def test_typing_the_words_of_a_button_presses_it(toy: Toy) -> None:
    await offered(toy)
    label: Any = await toy.value("SELECT label FROM buttons WHERE once")
    assert [row["key"] for row in await toy.say(f"  {label}!")] == ["noted"]
    assert await toy.count("buttons", "pressed_at IS NOT NULL") == 1


async def test_a_pressed_button_is_read_as_its_label_in_the_transcript(toy: Toy) -> None:
    token = (await offered(toy))[ONCE]
    label = await toy.value("SELECT label FROM buttons WHERE token = $1", token)
    await toy.say(press(token).content)
    lines = await toy.fetch("SELECT text FROM messages WHERE direction = 'in' ORDER BY id")
    assert [line["text"] for line in lines] == ["offer", label]


async def test_presses_and_words_keep_their_order(toy: Toy) -> None:
    token = (await offered(toy))[AGAIN]
    await toy.hear(
        event("note after", sent_at=NOW.replace(minute=32)),
        press(token, sent_at=NOW.replace(minute=31)),
    )
    await toy.answer_all()
    assert (await toy.notes())[-1] == "note after"


async def test_whatsapp_gets_three_messages_a_text_at_most(toy: Toy) -> None:
    rows = await toy.say("many", who="0100", channel=Channel.WHATSAPP)
    assert len(rows) <= 3
    assert "\n".join(row["payload"]["text"] for row in rows).split() == ["1", "2", "3", "4", "5"]
