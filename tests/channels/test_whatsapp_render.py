"""Replies → payloads that the Cloud API accepts."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.whatsapp import WhatsAppRenderer, fit
from bot.channels.whatsapp.send import addressed
from bot.events import Button, Calendar, Do, Menu, MenuRow, Payload, Picture, Place, Reply
from locales import utf16_length
from locales.bidi import FSI, PDI
from tests.fakes import graph_api_limits as limits

GO = Do(name="go")
PICTURE = Picture(source="hotel/nile/1", alt="واجهة الفندق")
FAMILY = "👨‍👩‍👧‍👦"


def render(text: str = "هل أبدأ البحث؟", **rest: Any) -> list[Payload]:
    payloads = WhatsAppRenderer().render(Reply(key="k", text=text, **rest))
    accepted(payloads)
    return payloads


def accepted(payloads: list[Payload]) -> None:
    """What is rendered is accepted, once its picture has a media id and it has an addressee."""
    assert 1 <= len(payloads) <= 3
    for payload in payloads:
        whole = orjson.loads(orjson.dumps(payload).replace(b'"source":', b'"id":'))
        limits.check_message({**whole, **addressed("201001234567")})


def button(label: str, token: str = "", url: str | None = None) -> Button:
    return Button(
        label=label, do=None if url else GO, token="" if url else token or f"t-{label}"[:60], url=url
    )


def menu(*titles: str, description: str = "") -> Menu:
    rows = [MenuRow(title=t, description=description, do=GO, token=f"r{n}") for n, t in enumerate(titles)]
    return Menu(opener="عرض الفنادق", rows=tuple(rows))


def rows(payload: Payload) -> list[dict[str, str]]:
    [section] = payload["interactive"]["action"]["sections"]
    found: list[dict[str, str]] = section["rows"]
    return found


def titles(payload: Payload) -> list[str]:
    return [b["reply"]["title"] for b in payload["interactive"]["action"]["buttons"]]


def test_plain_words() -> None:
    assert render("أهلًا بك") == [
        {"messaging_product": "whatsapp", "type": "text", "text": {"body": "أهلًا بك"}}
    ]


def test_up_to_three_buttons_stand_under_the_words() -> None:
    [payload] = render(buttons=((button("أوافق", "t1"), button("لا أوافق", "t2")), (button("مساعدة", "t3"),)))
    assert payload["interactive"]["type"] == "button"
    assert payload["interactive"]["body"] == {"text": "هل أبدأ البحث؟"}
    assert [b["reply"] for b in payload["interactive"]["action"]["buttons"]] == [
        {"id": "t1", "title": "أوافق"},
        {"id": "t2", "title": "لا أوافق"},
        {"id": "t3", "title": "مساعدة"},
    ]


def test_four_buttons_become_a_list_with_an_opener_in_the_language_of_the_words() -> None:
    choices = (tuple(button(str(n)) for n in range(4)),)
    for text, opener in (("ما الأنسب لك؟", "عرض الخيارات"), ("Which one?", "Show the options")):
        [payload] = render(text, buttons=choices)
        assert payload["interactive"]["action"]["button"] == opener
        assert [row["title"] for row in rows(payload)] == ["0", "1", "2", "3"]


def test_more_than_ten_show_nine_and_say_that_words_do() -> None:
    [payload] = render(buttons=(tuple(button(str(n)) for n in range(11)),))
    assert len(rows(payload)) == 9
    assert payload["interactive"]["body"]["text"].startswith("هل أبدأ البحث؟\n\n")
    [payload] = render(buttons=(tuple(button(str(n)) for n in range(10)),))
    assert len(rows(payload)) == 10
    assert payload["interactive"]["body"]["text"] == "هل أبدأ البحث؟"


def test_a_menu_is_a_list_and_its_buttons_are_rows_of_it() -> None:
    [payload] = render(menu=menu("النيل", "الواحة", description="8.9 من 10"), buttons=((button("المزيد"),),))
    assert rows(payload) == [
        {"id": "r0", "title": "النيل", "description": "8.9 من 10"},
        {"id": "r1", "title": "الواحة", "description": "8.9 من 10"},
        {"id": "t-المزيد", "title": "المزيد"},
    ]


def test_a_long_label_is_cut_in_a_row_and_whole_beneath() -> None:
    label = "فندق شاطئ البحر الأحمر الكبير والمنتجع"
    [payload] = render(buttons=((button(label), button("2"), button("3"), button("4")),))
    assert rows(payload)[0]["title"].endswith("…")
    assert rows(payload)[0]["description"] == label


def test_labels_that_a_cut_makes_alike_stay_distinct() -> None:
    labels = ["غرفة مزدوجة مطلة على البحر", "غرفة مزدوجة مطلة على البحيرة", "غرفة مزدوجة مطلة على الحديقة"]
    [payload] = render(buttons=(tuple(button(label, token=f"t{n}") for n, label in enumerate(labels)),))
    assert len(set(titles(payload))) == 3


@pytest.mark.parametrize(
    ("label", "title"),
    [
        ("أ" * 20, "أ" * 20),
        ("أ" * 21, "أ" * 19 + "…"),
        ("مُ" * 11, "مُ" * 9 + "…"),
        (FAMILY * 2, FAMILY + "…"),
        ("🇪🇬" * 6, "🇪🇬" * 4 + "…"),
        ("👍🏽" * 6, "👍🏽" * 4 + "…"),
        (f"{FSI}{'a' * 30}{PDI}", f"{FSI}{'a' * 17}…{PDI}"),
        ("سطر\nوسطر", "سطر وسطر"),
        (" ", "…"),
    ],
)
def test_titles_are_cut_between_letters(label: str, title: str) -> None:
    [payload] = render(buttons=((button(label, token="t"),),))
    assert titles(payload) == [title]


def test_one_link_is_a_button_and_more_are_words() -> None:
    link = button("صفحة الدفع", url="https://pay.example/1")
    [payload] = render(buttons=((link,),))
    assert payload["interactive"]["type"] == "cta_url"
    assert payload["interactive"]["action"]["parameters"] == {"display_text": "صفحة الدفع", "url": link.url}
    [payload] = render(buttons=((link, button("لاحقًا")),))
    assert payload["interactive"]["body"]["text"].endswith("صفحة الدفع:\nhttps://pay.example/1")
    assert titles(payload) == ["لاحقًا"]
    [payload] = render(buttons=((link, button("الخريطة", url="https://map.example/2")),))
    assert payload["type"] == "text"
    assert payload["text"]["body"].count("https://") == 2
    [payload] = render(buttons=((button("محادثة", url="tg://resolve"),),))
    assert payload["text"]["body"].endswith("tg://resolve")


def test_a_long_link_never_breaks() -> None:
    url = "https://pay.example/" + "x" * 2000
    first, second = render("ملخص الحجز. " * 60, buttons=((button("الدفع", url=url), button("لاحقًا")),))
    assert url in first["text"]["body"].split()
    assert titles(second) == ["لاحقًا"]


def test_a_picture_with_buttons_is_their_header() -> None:
    [payload] = render(picture=PICTURE, buttons=((button("احجز"),),))
    assert payload["interactive"]["header"] == {"type": "image", "image": {"source": "hotel/nile/1"}}
    [payload] = render(picture=PICTURE, buttons=((button("الخريطة", url="https://map.example/"),),))
    assert payload["interactive"]["type"] == "cta_url"
    assert payload["interactive"]["header"]["type"] == "image"


def test_a_picture_alone_carries_the_words() -> None:
    [payload] = render("واجهة الفندق", picture=Picture(source="https://img.example/1.jpg", alt=""))
    assert payload["image"] == {"link": "https://img.example/1.jpg", "caption": "واجهة الفندق"}
    first, second = render("جملة طويلة عن الفندق. " * 60, picture=PICTURE)
    assert first["type"] == "image"
    assert first["image"]["caption"].endswith(".")
    assert second["type"] == "text"


def test_a_picture_stands_before_a_list() -> None:
    first, second = render(picture=PICTURE, menu=menu("النيل"))
    assert first == {"messaging_product": "whatsapp", "type": "image", "image": {"source": "hotel/nile/1"}}
    assert second["interactive"]["type"] == "list"


def test_a_place_goes_before_the_buttons() -> None:
    place = Place(latitude=27.9, longitude=34.3, title="فندق النيل", address="شارع السلام")
    first, second = render(place=place, buttons=((button("رجوع"),),))
    assert first["location"] == {
        "latitude": 27.9,
        "longitude": 34.3,
        "name": "فندق النيل",
        "address": "شارع السلام",
    }
    assert second["type"] == "interactive"
    first, second = render(place=place)
    assert (first["type"], second["type"]) == ("text", "location")


def test_a_place_nowhere_is_left_to_the_words() -> None:
    nowhere = Place(latitude=float("nan"), longitude=34.3, title="فندق", address="")
    assert [payload["type"] for payload in render(place=nowhere)] == ["text"]


def test_a_calendar_is_left_to_the_words() -> None:
    calendar = Calendar(
        year=2026,
        month=3,
        title="مارس 2026",
        first_weekday=5,
        weekdays=("س", "ح", "ن", "ث", "ر", "خ", "ج"),
        earliest=date(2026, 3, 1),
        latest=date(2026, 3, 31),
        pick=GO,
        token="c",
    )
    assert [payload["type"] for payload in render("متى الوصول؟", calendar=calendar)] == ["text"]
    [payload] = render("متى الوصول؟", calendar=calendar, buttons=((button("رجوع"),),))
    assert titles(payload) == ["رجوع"]


def test_the_question_stays_beside_its_buttons() -> None:
    story = "\n".join(f"السطر رقم {n} من وصف طويل للفندق وما حوله." for n in range(60))
    first, second = render(f"{story}\n\nهل أحجز هذه الغرفة؟", buttons=((button("نعم"),),))
    assert first["type"] == "text"
    assert second["interactive"]["body"]["text"] == "هل أحجز هذه الغرفة؟"
    assert first["text"]["body"] == story


def test_words_are_split_where_a_reader_would_pause() -> None:
    paragraph = "جملة عن الفندق. " * 20
    text = "\n\n".join(paragraph.strip() for _ in range(20))
    parts = [payload["text"]["body"] for payload in render(text)]
    assert "\n\n".join(parts) == text
    assert all(part.endswith(".") for part in parts)


def test_what_three_messages_cannot_hold_is_cut() -> None:
    parts = render("كلمة " * 4000)
    assert len(parts) == 3
    assert parts[-1]["text"]["body"].endswith("…")


def test_two_choices_with_one_token_are_shown_once_and_none_without() -> None:
    [payload] = render(buttons=((button("أ", "t"), button("ب", "t"), Button(label="ج", do=GO)),))
    assert titles(payload) == ["أ"]


LABELS = st.text(min_size=1, max_size=64)
URLS = st.sampled_from(
    ["https://pay.example/1", "http://x.y/" + "p" * 2000, "tg://resolve", "https:///none", "https://a b"]
)
TEXTS = st.one_of(
    st.text(min_size=1, max_size=60),
    st.builds(lambda piece, n: piece * n, st.text(min_size=1, max_size=40), st.integers(1, 400)),
    st.sampled_from(
        ["ا" + "\u064b" * 5000, FAMILY * 900, "🇪🇬" * 3000, "😀" * 9000, f"{FSI}{'a' * 5000}{PDI}", " \n "]
    ),
)


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    count = draw(st.integers(0, 14))
    made = [
        Button(label=draw(LABELS), url=draw(URLS))
        if draw(st.integers(0, 4)) == 0
        else Button(label=draw(LABELS), do=GO, token=draw(st.sampled_from(["", f"t{n}", "same", "t" * 300])))
        for n in range(count)
    ]
    menu_rows = [
        MenuRow(
            title=draw(st.text(min_size=1, max_size=24)),
            description=draw(st.text(max_size=72)),
            do=GO,
            token=f"r{n}",
        )
        for n in range(draw(st.integers(0, 10)))
    ]
    return Reply(
        key="k",
        text=draw(TEXTS),
        buttons=tuple((b,) for b in made),
        menu=Menu(opener=draw(st.text(min_size=1, max_size=20)), rows=tuple(menu_rows)) if menu_rows else None,
        picture=draw(st.sampled_from([None, PICTURE, Picture(source="https://img.example/1.jpg", alt="")])),
        place=draw(
            st.none()
            | st.builds(
                Place,
                latitude=st.floats(),
                longitude=st.floats(),
                title=st.text(max_size=2000),
                address=st.text(max_size=20),
            )
        ),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(replies())
def test_nothing_rendered_is_ever_refused(reply: Reply) -> None:
    payloads = WhatsAppRenderer().render(reply)
    accepted(payloads)
    assert all(payload["type"] != "interactive" for payload in payloads[:-1])


@settings(max_examples=200, deadline=None)
@given(text=TEXTS.filter(lambda text: bool(text.strip())).map(str.strip), limit=st.integers(20, 300))
def test_splitting_loses_nothing_but_spaces(text: str, limit: int) -> None:
    beginning, rest = fit.split_beginning(text, limit)
    before, ending = fit.split_ending(text, limit)
    assert 0 < utf16_length(beginning) <= limit
    assert 0 < utf16_length(ending) <= limit
    assert "".join((beginning + rest).split()) == "".join(text.split()) == "".join((before + ending).split())


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80), limit=st.integers(2, 40))
def test_a_cut_fits_and_closes_what_it_opened(text: str, limit: int) -> None:
    short = fit.cut(text, limit)
    assert utf16_length(short) <= max(limit, 1 + text.count(FSI))
    assert short == text or short.rstrip(PDI).endswith("…")
