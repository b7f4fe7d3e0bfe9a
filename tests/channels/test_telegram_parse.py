"""Updates as the Bot API documents them → events."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.telegram import parse
from bot.channels.telegram.wire import read_json, storable
from bot.errors import OddPayload
from bot.events import MAX_TEXT, Command, Content, Location, Media, Press, Text, Unsupported

SARA = {"id": 42, "is_bot": False, "first_name": "سارة", "last_name": "الأحمد", "language_code": "ar"}
PRIVATE = {"id": 42, "type": "private", "first_name": "سارة"}
GROUP = {"id": -1001, "type": "supergroup", "title": "رحلة"}
CHANNEL = {"id": -1002, "type": "channel", "title": "عروض"}
SIZES = [{"file_id": "small", "width": 90, "height": 60}, {"file_id": "large", "width": 1280, "height": 853}]
POINT = {"latitude": 27.91, "longitude": 34.33}


def update(**content: Any) -> dict[str, Any]:
    return {"update_id": 1000, **content}


def message(**content: Any) -> dict[str, Any]:
    return update(message={"message_id": 7, "date": 1_760_000_000, "chat": PRIVATE, "from": SARA, **content})


def press(data: str | None = "tok", **fields: Any) -> dict[str, Any]:
    keyboard = [[{"text": "نعم", "callback_data": "tok"}, {"text": "خريطة", "url": "https://example.com"}]]
    below = {"message_id": 8, "date": 0, "chat": PRIVATE, "reply_markup": {"inline_keyboard": keyboard}}
    query = {"id": "9", "from": SARA, "chat_instance": "1", "message": below, **fields}
    return update(callback_query=query if data is None else {**query, "data": data})


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (message(text="فندق في دبي"), Text(text="فندق في دبي")),
        (message(text="أ\0ب\ud83dج"), Text(text="أبج")),
        (message(text="س" * (MAX_TEXT + 1)), Text(text="س" * MAX_TEXT)),
        (message(text="/"), Text(text="/")),
        (message(text="/بحث"), Text(text="/بحث")),
        (message(text="/ trips"), Text(text="/ trips")),
        (message(text="/start"), Command(name="start")),
        (message(text="/start REF-12_a"), Command(name="start", argument="REF-12_a")),
        (message(text="/Start@Rahhal_Bot  REF "), Command(name="start", argument="REF")),
        (message(text="/trips"), Command(name="trips")),
        (message(text="/search دبي\nغدًا"), Command(name="search", argument="دبي\nغدًا")),
        (message(text="مرحبًا", a_field_of_next_year={"x": 1}), Text(text="مرحبًا")),
        (message(photo=SIZES, caption="هذا"), Media(kind="photo", media_id="large", caption="هذا")),
        (message(voice={"file_id": "v", "duration": 2}), Media(kind="voice", media_id="v")),
        (message(audio={"file_id": "a", "duration": 2}), Media(kind="audio", media_id="a")),
        (message(video={"file_id": "m", "duration": 2}), Media(kind="video", media_id="m")),
        (message(video_note={"file_id": "n", "length": 2}), Media(kind="video", media_id="n")),
        (message(animation={"file_id": "g"}, document={"file_id": "g"}), Media(kind="video", media_id="g")),
        (message(document={"file_id": "d"}), Media(kind="document", media_id="d")),
        (message(sticker={"file_id": "s"}), Media(kind="sticker", media_id="s")),
        (message(location=POINT), Location(latitude=27.91, longitude=34.33)),
        (
            message(location=POINT, venue={"location": POINT, "title": "خليج نعمة", "address": "شرم"}),
            Location(latitude=27.91, longitude=34.33, name="خليج نعمة"),
        ),
        (message(contact={"phone_number": "1", "first_name": "م"}), Unsupported(kind="contact")),
        (message(poll={"id": "1", "question": "؟"}), Unsupported(kind="poll")),
        (message(dice={"emoji": "🎲", "value": 3}), Unsupported(kind="dice")),
        (press(), Press(token="tok", label="نعم")),
        (press("foreign"), Press(token="foreign", label="")),
        (press(message={"message_id": 8, "date": 0, "chat": PRIVATE}), Press(token="tok", label="")),
    ],
)
def test_what_is_said_becomes_content(said: dict[str, Any], content: Content) -> None:
    (event,) = parse(said)
    assert event.content == content
    assert (event.external_id, event.thread, event.address, event.sender) == ("1000", "42", "42", "42")
    assert (event.language, event.sender_name, event.phone, event.sent_at) == (
        "ar",
        "سارة الأحمد",
        None,
        None,
    )


@pytest.mark.parametrize(
    "quiet",
    [
        update(edited_message=message(text="x")["message"]),
        update(channel_post={"message_id": 1, "date": 0, "chat": CHANNEL, "text": "x"}),
        update(my_chat_member={"chat": PRIVATE, "from": SARA, "date": 0}),
        update(message_reaction={"chat": PRIVATE, "user": SARA}),
        update(a_kind_of_next_year={"from": SARA}),
        update(),
        message(pinned_message={"message_id": 3}),
        message(new_chat_members=[SARA], chat=GROUP),
        message(text="x", chat=CHANNEL),
        message(**{"text": "x", "from": {"id": 1, "is_bot": True, "first_name": "b"}}),
        message(text="/start@another_bot"),
        press("-"),
        press(None, game_short_name="chess"),
        press(message=None, inline_message_id="i"),
    ],
)
def test_nobody_speaks_to_us(quiet: dict[str, Any]) -> None:
    assert parse(quiet, username="rahhal_bot") == []


def test_a_message_without_a_sender_is_nobodys() -> None:
    silent = message(text="x")
    del silent["message"]["from"]
    assert parse(silent) == []


def test_two_people_in_one_group_have_two_threads_and_one_address() -> None:
    others = {"id": 43, "is_bot": False, "first_name": "منى"}
    (first,) = parse(message(text="نعم", chat=GROUP))
    (second,) = parse(message(**{"text": "نعم", "chat": GROUP, "from": others}))
    assert (first.thread, second.thread) == ("-1001:42", "-1001:43")
    assert first.address == second.address == "-1001"
    assert second.language is None


def test_a_press_in_a_group_belongs_to_who_pressed() -> None:
    (event,) = parse(press(message={"message_id": 8, "date": 0, "chat": GROUP}))
    assert event.thread == "-1001:42"


@pytest.mark.parametrize(
    "odd",
    [
        [],
        "text",
        None,
        {},
        {"update_id": "7"},
        {"update_id": True},
        update(message=None),
        update(message="text"),
        message(text=5),
        message(photo=[]),
        message(location={"latitude": 200, "longitude": 0}),
        message(text="x", chat={}),
        update(callback_query={"id": "1"}),
    ],
)
def test_what_is_not_an_update_is_odd(odd: Any) -> None:
    with pytest.raises(OddPayload):
        parse(odd)


def test_the_reason_of_an_odd_payload_does_not_quote_it() -> None:
    with pytest.raises(OddPayload) as odd:
        parse(message(location={"latitude": 271.828, "longitude": 0}))
    assert "271" not in str(odd.value)
    assert odd.value.__suppress_context__


def test_a_lone_surrogate_does_not_make_json_unreadable() -> None:
    assert read_json(b'{"text": "a\\ud83d"}') == {"text": "a\ud83d"}
    with pytest.raises(ValueError, match="Expecting"):
        read_json(b"{")


def test_a_dead_letter_can_be_stored() -> None:
    assert storable({"a\0": ["b\ud83d", {"c": 1}], "d": None}) == {"a": ["b", {"c": 1}], "d": None}
