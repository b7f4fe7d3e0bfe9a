"""Webhook payloads → events, statuses, oddities. Payloads written after Meta's webhook reference."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.whatsapp import Parsed, parse
from bot.events import MAX_TEXT, Command, Content, Location, Media, Press, Text, Unsupported

NUMBER = "106540352242922"
PHONE = "201001234567"
SCOPED = "EG.13491208655302741918"
CONTACT = {"profile": {"name": "سارة الأحمد"}, "wa_id": PHONE}


def envelope(*values: Any, field: str = "messages") -> dict[str, Any]:
    changes = [{"field": field, "value": value} for value in values]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1022", "changes": [change]} for change in changes],
    }


def value(*messages: Any, contacts: Any = (CONTACT,), number: str = NUMBER, **more: Any) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        "contacts": list(contacts) if isinstance(contacts, tuple) else contacts,
        "messages": list(messages),
        **more,
    }


def message(kind: Any = "text", content: Any = None, **more: Any) -> dict[str, Any]:
    body = {"from": PHONE, "id": "wamid.HBgM1", "timestamp": "1770000000", "type": kind}
    return {**body, **({kind: content} if content is not None else {}), **more}


def read(*values: Any, raw: bytes | None = None) -> Parsed:
    return parse(orjson.dumps(envelope(*values)) if raw is None else raw, phone_number_id=NUMBER)


def content(kind: Any, body: Any = None, **more: Any) -> Content:
    parsed = read(value(message(kind, body, **more)))
    assert not parsed.odd
    [event] = parsed.events
    return event.content


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("text", {"body": "فندق في دبي"}, Text(text="فندق في دبي")),
        ("text", {"body": ""}, Text(text="")),
        ("text", {"body": "a" * (MAX_TEXT + 5)}, Text(text="a" * MAX_TEXT)),
        ("text", {"body": "ref:AB12"}, Text(text="ref:AB12")),
        ("text", {"body": "start AB_1-2"}, Command(name="start", argument="AB_1-2")),
        ("text", {"body": "start_AB12"}, Command(name="start", argument="AB12")),
        ("text", {"body": "start-AB12"}, Command(name="start", argument="AB12")),
        ("text", {"body": "starting"}, Text(text="starting")),
        ("text", {"body": "start " + "x" * 65}, Text(text="start " + "x" * 65)),
        ("text", {"body": "start AB 12"}, Text(text="start AB 12")),
        ("text", {"body": "start AB12\n"}, Text(text="start AB12\n")),
        ("text", {"body": 5}, Unsupported(kind="text")),
        ("text", "words", Unsupported(kind="text")),
        ("text", None, Unsupported(kind="text")),
        (
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "tok-1", "title": "أوافق"}},
            Press(token="tok-1", label="أوافق"),
        ),
        (
            "interactive",
            {"type": "list_reply", "list_reply": {"id": "tok-2", "title": "النيل", "description": "8.9"}},
            Press(token="tok-2", label="النيل"),
        ),
        (
            "interactive",
            {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "{}"}},
            Unsupported(kind="nfm_reply"),
        ),
        ("interactive", {}, Unsupported(kind="interactive")),
        ("interactive", {"button_reply": {"title": "نعم"}}, Text(text="نعم")),
        ("interactive", {"button_reply": {"id": "x" * 257, "title": "نعم"}}, Text(text="نعم")),
        ("interactive", {"button_reply": {}}, Unsupported(kind="interactive")),
        ("button", {"payload": "tok-3", "text": "نعم"}, Press(token="tok-3", label="نعم")),
        ("button", {"text": "نعم"}, Text(text="نعم")),
        (
            "location",
            {"latitude": 27.9, "longitude": 34.3, "name": "شرم", "address": "خليج نعمة"},
            Location(latitude=27.9, longitude=34.3, name="شرم"),
        ),
        ("location", {"latitude": 27, "longitude": 34}, Location(latitude=27.0, longitude=34.0)),
        ("location", {"latitude": 91, "longitude": 34}, Unsupported(kind="location")),
        ("location", {"latitude": None, "longitude": 34}, Unsupported(kind="location")),
        ("image", {"id": "77", "caption": "هنا"}, Media(kind="photo", media_id="77", caption="هنا")),
        ("audio", {"id": "78", "voice": True}, Media(kind="voice", media_id="78")),
        ("audio", {"id": "78", "voice": False}, Media(kind="audio", media_id="78")),
        ("video", {"id": "79"}, Media(kind="video", media_id="79")),
        ("document", {"id": "80", "filename": "a.pdf"}, Media(kind="document", media_id="80")),
        ("sticker", {"id": "81", "animated": False}, Media(kind="sticker", media_id="81")),
        ("image", {"id": ["not", "an id"]}, Media(kind="photo")),
        ("reaction", {"message_id": "wamid.X", "emoji": "👍"}, Unsupported(kind="reaction")),
        ("contacts", [{"name": {"formatted_name": "منى"}}], Unsupported(kind="contacts")),
        ("order", {"catalog_id": "1"}, Unsupported(kind="order")),
        ("system", {"type": "user_changed_number", "wa_id": "2011"}, Unsupported(kind="number_changed")),
        ("system", {"type": "something_new"}, Unsupported(kind="system")),
        ("unsupported", None, Unsupported(kind="unsupported")),
        ("a_kind_of_2030", {"x": 1}, Unsupported(kind="a_kind_of_2030")),
        ("k" * 300, None, Unsupported(kind="k" * 64)),
        ("", None, Unsupported(kind="unknown")),
    ],
)
def test_each_type_becomes_its_content(kind: Any, body: Any, expected: Content) -> None:
    assert content(kind, body) == expected


def test_an_event_says_who_where_and_when() -> None:
    [event] = read(value(message("text", {"body": "أهلًا"}))).events
    assert event.model_dump(exclude={"content"}, exclude_none=True) == {
        "channel": "whatsapp",
        "external_id": "wamid.HBgM1",
        "thread": PHONE,
        "address": PHONE,
        "sender": PHONE,
        "sent_at": datetime(2026, 2, 2, 2, 40, tzinfo=UTC),
        "sender_name": "سارة الأحمد",
        "phone": f"+{PHONE}",
    }


@pytest.mark.parametrize(
    ("who", "contacts", "identity", "phone"),
    [
        ({"from": PHONE, "from_user_id": SCOPED}, [{"wa_id": PHONE, "user_id": SCOPED}], PHONE, f"+{PHONE}"),
        ({"from_user_id": SCOPED}, [{"user_id": SCOPED, "profile": {"username": "sara"}}], SCOPED, None),
        ({"user_id": SCOPED}, [], SCOPED, None),
        ({"from": SCOPED}, [], SCOPED, None),
        ({"from": "", "from_user_id": SCOPED}, [], SCOPED, None),
        ({}, [{"user_id": SCOPED}], SCOPED, None),
        ({}, [{"wa_id": PHONE}], PHONE, f"+{PHONE}"),
        ({"from_user_id": SCOPED}, [{"user_id": SCOPED, "wa_id": PHONE}], PHONE, f"+{PHONE}"),
        ({"from": f"+{PHONE}"}, [], PHONE, f"+{PHONE}"),
        ({"from_user_id": "EG.ENT.118157"}, [{"user_id": SCOPED}], "EG.ENT.118157", None),
    ],
)
def test_a_person_is_a_phone_or_a_scoped_id(
    who: dict[str, Any], contacts: list[Any], identity: str, phone: str | None
) -> None:
    body = {key: part for key, part in message("text", {"body": "أهلًا"}).items() if key != "from"}
    [event] = read(value({**body, **who}, contacts=contacts)).events
    assert (event.sender, event.thread, event.address, event.phone) == (identity, identity, identity, phone)


def test_contacts_of_a_batch_are_told_apart() -> None:
    messages = [
        message("text", {"body": "1"}),
        message("text", {"body": "2"}, id="w2", **{"from": "96650000"}),
    ]
    contacts = ({"wa_id": "96650000", "profile": {"name": "منى"}}, CONTACT)
    assert [e.sender_name for e in read(value(*messages, contacts=contacts)).events] == ["سارة الأحمد", "منى"]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "text", "text": {"body": "أهلًا"}, "from": PHONE},
        {**message("text", {"body": "أهلًا"}), "id": ""},
        {**message("text", {"body": "أهلًا"}), "id": "a b"},
        {**message("text", {"body": "أهلًا"}), "id": 5},
        {**message("text", {"body": "أهلًا"}), "id": "w" * 257},
        {**message("text", {"body": "أهلًا"}), "from": "a person; DROP TABLE"},
        {**message("text", {"body": "أهلًا"}), "group_id": "g1"},
        "not an object",
        None,
    ],
)
def test_one_odd_message_leaves_the_others(body: Any) -> None:
    good = message("text", {"body": "بعده"}, id="wamid.good")
    parsed = read(value(body, good, contacts=[CONTACT, {"wa_id": "966500000"}]))
    assert [event.external_id for event in parsed.events] == ["wamid.good"]
    assert len(parsed.odd) == 1
    assert parsed.odd[0].reason


@pytest.mark.parametrize("stamp", [None, "", "soon", "9" * 40, -1.5, True, ["1770000000"], "²"])
def test_a_time_that_is_none_is_left_out(stamp: Any) -> None:
    [event] = read(value(message("text", {"body": "أهلًا"}, timestamp=stamp))).events
    assert event.sent_at is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"not json", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1, 2]", "not an object"),
        (b'{"object":"page","entry":[]}', "not about a WhatsApp account"),
        (orjson.dumps(envelope(value(), field="account_update")), "field account_update"),
        (orjson.dumps(envelope("words")), "field messages"),
        (orjson.dumps(envelope(value(message("text", {}), number="1"))), "addressed to another number"),
        (orjson.dumps({"object": "whatsapp_business_account", "entry": 7}), "entry is not a list"),
        (orjson.dumps(envelope(value(errors=[{"code": 130429}]))), "errors of the account"),
    ],
)
def test_what_is_not_ours_to_read_is_odd(raw: bytes, reason: str) -> None:
    parsed = read(raw=raw)
    assert [odd.reason for odd in parsed.odd] == [reason]
    assert not parsed.events
    assert b"\\u0000" not in orjson.dumps(dict(parsed.odd[0].payload))


def test_batches_are_read_whole_whatever_their_order() -> None:
    late = message("text", {"body": "ثانيًا"}, id="w2", timestamp="1770000002")
    early = message("text", {"body": "أولًا"}, id="w1", timestamp="1770000001")
    done = {"id": "wamid.S", "status": "read", "timestamp": "1770000003", "recipient_id": PHONE}
    parsed = read(value(late), value(statuses=[done]), value(early))
    assert [event.external_id for event in parsed.events] == ["w2", "w1"]
    assert [status.status for status in parsed.statuses] == ["read"]
    assert not parsed.odd


def test_letters_that_cannot_be_stored_cost_only_themselves() -> None:
    raw = orjson.dumps(envelope(value(message("text", {"body": "HERE"}))))
    for typed, kept in (
        (rb"a\u0000b", "ab"),
        (rb"a\ud83db", "ab"),
        (rb"a\udc00\u0000", "a"),
        (rb"a\\u0000b", r"a\u0000b"),
        (rb"\ud83d\ude00", "😀"),
    ):
        [event] = read(raw=raw.replace(b"HERE", typed)).events
        assert event.content == Text(text=kept)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"status": "sent", "recipient_id": PHONE}, ("sent", PHONE, "", "")),
        ({"status": "delivered", "recipient_user_id": SCOPED}, ("delivered", SCOPED, "", "")),
        ({"status": "read"}, ("read", "", "", "")),
        (
            {
                "status": "failed",
                "recipient_id": PHONE,
                "errors": [
                    {"code": 131047, "title": "Re-engagement", "error_data": {"details": "More than 24 hours"}}
                ],
            },
            ("failed", PHONE, "131047", "More than 24 hours"),
        ),
        ({"status": "failed", "errors": [{"code": 131026, "title": "Undeliverable"}]}, ("failed", "", "131026", "Undeliverable")),
        ({"status": "failed", "errors": [{"code": 131000}]}, ("failed", "", "131000", "")),
        ({"status": "failed", "errors": "broken"}, ("failed", "", "", "")),
    ],
)  # fmt: skip
def test_statuses(status: dict[str, Any], expected: tuple[str, ...]) -> None:
    whole = {"id": "wamid.S", "timestamp": "1770000000", **status}
    [found] = read(value(statuses=[whole])).statuses
    assert (found.status, found.recipient, found.error_code, found.error) == expected
    assert found.external_id == "wamid.S"
    assert found.at == datetime(2026, 2, 2, 2, 40, tzinfo=UTC)


@pytest.mark.parametrize("change", [{"id": None}, {"status": "played"}, {"status": None}, {"timestamp": "x"}])
def test_an_odd_status_leaves_the_others(change: dict[str, Any]) -> None:
    good = {"id": "wamid.S", "status": "sent", "timestamp": "1770000000", "recipient_id": PHONE}
    parsed = read(value(statuses=[{**good, **change}, good]))
    assert len(parsed.statuses) == len(parsed.odd) == 1


def test_without_a_number_of_ours_every_number_is_taken() -> None:
    assert parse(envelope(value(message("text", {"body": "أهلًا"}), number="9"))).events


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    ["text", "interactive", "button", "location", "image", "audio", "reaction", "system", "contacts", "?"]
)


@settings(max_examples=150, deadline=None)
@given(kind=KINDS, body=JSON, contacts=JSON, status=JSON)
def test_nothing_inside_a_batch_costs_its_neighbours(
    kind: str, body: Any, contacts: Any, status: Any
) -> None:
    good = message("text", {"body": "أهلًا"}, id="wamid.good")
    parsed = parse(
        envelope(value(message(kind, body), status, good, contacts=contacts, statuses=[status, body]))
    )
    assert "wamid.good" in [event.external_id for event in parsed.events]
