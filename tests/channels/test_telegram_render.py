"""Replies → payloads that the Bot API accepts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram import TelegramRenderer
from bot.channels.telegram.text import CAPTION_LIMIT, MESSAGE_LIMIT, code_entities, split
from bot.events import Button, Calendar, Do, Menu, MenuRow, Payload, Picture, Place, Reply
from locales.bidi import FSI, PDI
from tests.fakes import bot_api_limits as limits

GO = Do(name="go")


def render(text: str = "أهلًا بك", **rest: Any) -> list[Payload]:
    return TelegramRenderer().render(Reply(key="k", text=text, **rest))


def button(label: str, token: str = "t", *, url: str | None = None) -> Button:
    return Button(label=label, do=None if url else GO, token="" if url else token, url=url)


def keyboard(payload: Payload) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = payload["params"]["reply_markup"]["inline_keyboard"]
    return rows


def labels(payload: Payload) -> list[list[str]]:
    return [[made["text"] for made in row] for row in keyboard(payload)]


def accepted(payload: Payload) -> None:
    """Raises Refused where Telegram would refuse."""
    params, method = payload["params"], payload["method"]
    if method in ("sendMessage", "editMessageText"):
        limits.check_text(params)
    elif method == "sendPhoto":
        limits.check_caption(params)
    else:
        limits.check_point(params, venue=method == "sendVenue")
    limits.check_keyboard(params.get("reply_markup"))


def month(**rest: Any) -> Calendar:
    given: dict[str, Any] = {
        "year": 2026,
        "month": 4,
        "title": "أبريل 2026",
        "first_weekday": 5,
        "weekdays": ("س", "ح", "ن", "ث", "ر", "خ", "ج"),
        "earliest": date(2026, 4, 10),
        "latest": date(2027, 1, 1),
        "pick": GO,
        "token": "cal",
        **rest,
    }
    return Calendar(**given)


def test_a_text_with_buttons() -> None:
    (payload,) = render(buttons=((button("أوافق", "yes"), button("لا أوافق", "no")),))
    assert payload == {
        "method": "sendMessage",
        "params": {
            "text": "أهلًا بك",
            "link_preview_options": {"is_disabled": True},
            "reply_markup": {
                "inline_keyboard": [
                    [{"text": "أوافق", "callback_data": "yes"}, {"text": "لا أوافق", "callback_data": "no"}]
                ]
            },
        },
    }


def test_an_edit_replaces_with_its_first_part_only() -> None:
    assert [made["method"] for made in render("جملة طويلة. " * 600, edit=True)] == [
        "editMessageText",
        "sendMessage",
    ]


def test_a_long_text_is_split_between_paragraphs_with_the_buttons_last() -> None:
    paragraphs = ["فقرة " * 300 for _ in range(4)]
    first, second = render("\n\n".join(paragraphs), buttons=((button("نعم"),),))
    assert first["params"]["text"] == "\n\n".join(text.strip() for text in paragraphs[:2]).replace(
        "\n\n", " \n\n"
    )
    assert "reply_markup" not in first["params"]
    assert labels(second) == [["نعم"]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("  \n ", []),
        ("قصير", ["قصير"]),
        ("جملة أولى. جملة ثانية", ["جملة أولى.", "جملة ثانية"]),
        ("كلمات كثيرة بلا نقطة", ["كلمات كثيرة بلا", "نقطة"]),
        ("ط" * 20, ["ط" * 16, "ط" * 4]),
        ("🏨" * 9, ["🏨" * 8, "🏨"]),
        ("ط" * 15 + "بَ" + "ط", ["ط" * 15, "بَط"]),
        ("أ" * 14 + "👨\u200d👩", ["أ" * 14, "👨\u200d👩"]),
    ],
)
def test_where_a_text_is_cut(text: str, parts: list[str]) -> None:
    assert split(text, 16) == parts


@given(st.text(max_size=400), st.integers(4, 60))
@settings(max_examples=100, deadline=None)
def test_parts_fit_and_lose_nothing_but_space(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(part.strip() and limits.units(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_code_can_be_copied_without_its_isolates() -> None:
    text = f"🎉 رقم التأكيد: {FSI}NP-48213{PDI}، الخصم {FSI}4.6%{PDI}، فندق {FSI}HILTON{PDI}"
    (entity,) = code_entities(text)
    start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
    assert text.encode("utf-16-le")[start:end].decode("utf-16-le") == "NP-48213"
    (payload,) = render(text)
    assert payload["params"]["entities"] == [entity]


def test_rows_are_regrouped_to_fit_phones_and_limits() -> None:
    wide = (button("عرض الغرف المتاحة في هذا الفندق"), button("العودة إلى النتائج"))
    narrow = tuple(button(str(number)) for number in range(10))
    (payload,) = render(buttons=(wide, narrow))
    assert [len(row) for row in labels(payload)] == [1, 1, 8, 2]


def test_never_more_than_a_hundred_buttons() -> None:
    (payload,) = render(buttons=tuple((button("زر"),) for _ in range(120)))
    assert len(keyboard(payload)) == 100
    accepted(payload)


@pytest.mark.parametrize("token", ["", "x" * 65, "ز" * 33])
def test_a_token_that_telegram_would_refuse_is_a_mistake_of_ours(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        render(buttons=((button("زر", token),),))


def test_a_link_telegram_would_refuse_is_written_out() -> None:
    local = button("الدفع", url="http://localhost:8080/pay")
    (payload,) = render(buttons=((local, button("خريطة", url="https://example.com/map")),))
    assert payload["params"]["text"] == "أهلًا بك\n\nالدفع\nhttp://localhost:8080/pay"
    assert labels(payload) == [["خريطة"]]
    accepted(payload)


def test_a_menu_has_a_button_a_row_and_its_descriptions_in_the_text() -> None:
    rows = (
        MenuRow(title="Hilton", description="8.9 من 10", do=GO, token="a"),
        MenuRow(title="النيل", description="", do=GO, token="b"),
    )
    (payload,) = render(menu=Menu(opener="الفنادق", rows=rows), buttons=((button("المزيد", "c"),),))
    assert payload["params"]["text"] == f"أهلًا بك\n\n{FSI}Hilton{PDI} — 8.9 من 10"
    assert [[made["callback_data"] for made in row] for row in keyboard(payload)] == [["a"], ["b"], ["c"]]


def test_an_arabic_month_begins_at_the_right() -> None:
    (payload,) = render(
        calendar=month(following=button("‹", "next"), selected=date(2026, 4, 15)),
        buttons=((button("رجوع", "b"),),),
    )
    grid = labels(payload)
    assert grid[0] == ["‹", "أبريل 2026", "·"]  # the coming month is to the left
    assert grid[1] == ["ج", "خ", "ر", "ث", "ن", "ح", "س"]
    assert grid[2] == ["·"] * 7  # 1 April 2026 is a Wednesday; the first days are past
    assert grid[3] == ["10", "·", "·", "·", "·", "·", "·"]  # 10 April is a Friday, the week's last day
    assert grid[4] == ["17", "16", "✓15", "14", "13", "12", "11"]
    assert grid[-1] == ["رجوع"]
    data = [made["callback_data"] for made in keyboard(payload)[4]]
    assert data[2] == "cal.2026-04-15"
    assert {made["callback_data"] for made in keyboard(payload)[2]} == {"-"}
    accepted(payload)


def test_an_english_month_begins_at_the_left() -> None:
    english = month(
        title="April 2026",
        first_weekday=6,
        weekdays=("Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"),
        previous=button("‹", "prev"),
    )
    grid = labels(render("Which day?", calendar=english)[0])
    assert grid[0] == ["‹", "April 2026", "·"]
    assert grid[1][0] == "Su"
    assert grid[3][-2:] == ["10", "11"]


def test_days_are_written_in_the_digits_of_the_title() -> None:
    assert labels(render(calendar=month(title="أبريل ٢٠٢٦"))[0])[3][0] == "١٠"


def test_a_picture_carries_a_short_text_and_precedes_a_long_one() -> None:
    picture = Picture(source="hotel/1/1", alt="واجهة الفندق")
    (short,) = render(picture=picture, buttons=((button("نعم"),),))
    assert short["method"] == "sendPhoto"
    assert short["params"]["caption"] == "أهلًا بك"
    assert short["picture"] == {"source": "hotel/1/1", "alt": "واجهة الفندق"}
    photo, text = render("ط " * CAPTION_LIMIT, picture=picture, buttons=((button("نعم"),),))
    assert "caption" not in photo["params"]
    assert "reply_markup" not in photo["params"]
    assert labels(text) == [["نعم"]]


def test_a_place_precedes_its_text() -> None:
    venue, text = render(place=Place(latitude=1.5, longitude=2.5, title="النيل", address="شارع"), edit=True)
    assert venue == {
        "method": "sendVenue",
        "params": {"latitude": 1.5, "longitude": 2.5, "title": "النيل", "address": "شارع"},
    }
    assert text["method"] == "sendMessage"
    point, _ = render(place=Place(latitude=1.5, longitude=2.5, title="النيل"))
    assert point["method"] == "sendLocation"


_texts = st.builds(
    lambda text, times: text * times, st.text(min_size=1, max_size=80), st.sampled_from([1, 20, 100])
)
_labels = st.text(min_size=1, max_size=64)
_urls = st.sampled_from(
    ["https://example.com/x", "http://localhost/x", "tg://user?id=1", "خطأ", "http://[", "ftp://a.b"]
)
_buttons = st.one_of(
    st.builds(
        lambda label, token: button(label, token),
        _labels,
        st.from_regex(r"[A-Za-z0-9]{1,64}", fullmatch=True),
    ),
    st.builds(lambda label, url: button(label, url=url), _labels, _urls),
)
_rows = st.builds(
    MenuRow,
    title=st.text(min_size=1, max_size=24),
    description=st.text(max_size=72),
    do=st.just(GO),
    token=st.just("m"),
)
_replies = st.builds(
    Reply,
    key=st.just("k"),
    text=_texts,
    buttons=st.lists(st.lists(_buttons, max_size=10).map(tuple), max_size=6).map(tuple),
    menu=st.none()
    | st.builds(Menu, opener=st.just("قائمة"), rows=st.lists(_rows, min_size=1, max_size=10).map(tuple)),
    calendar=st.none() | st.builds(month, month=st.integers(1, 12)),
    picture=st.none() | st.builds(Picture, source=st.just("hotel/1/1"), alt=st.text(max_size=400)),
    place=st.none()
    | st.builds(
        Place,
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
        title=st.text(max_size=40),
        address=st.text(max_size=40),
    ),
    edit=st.booleans(),
)


@given(_replies)
@settings(max_examples=60, deadline=None)
def test_no_payload_is_refused(reply: Reply) -> None:
    payloads = TelegramRenderer().render(reply)
    assert payloads
    for payload in payloads:
        accepted(payload)
    assert all("reply_markup" not in payload["params"] for payload in payloads[:-1])
    assert sum(len(payload["params"].get("text", "")) for payload in payloads) <= MESSAGE_LIMIT * len(
        payloads
    )
