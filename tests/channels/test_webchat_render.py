"""A Reply as the page's data."""

import json
from datetime import date

from bot.channels.webchat import WebchatRenderer
from bot.events import Button, Calendar, Card, Do, Menu, MenuRow, Picture, Place, Reply
from tests.fakes.webchat_house import button

DO = Do(name="test")
render = WebchatRenderer().render


def test_a_sentence_is_its_text_and_nothing_else() -> None:
    assert render(Reply(key="k", text="إلى أين الرحلة؟")) == [{"text": "إلى أين الرحلة؟"}]


def test_buttons_carry_tokens_and_never_what_they_mean() -> None:
    reply = Reply(
        key="k",
        text="ن",
        buttons=((button("أوافق", "token-1"), Button(label="الموقع", url="https://example.org/a")), ()),
        expects="confirm",
    )
    [payload] = render(reply)
    assert payload["buttons"] == [
        [{"label": "أوافق", "token": "token-1"}, {"label": "الموقع", "url": "https://example.org/a"}]
    ]
    assert payload["expects"] == "confirm"
    assert "do" not in json.dumps(payload)


def test_a_menu_is_a_list() -> None:
    rows = (MenuRow(title="فندق النيل", description="1,240 ج.م", do=DO, token="t" * 9),)
    [payload] = render(Reply(key="k", text="ن", menu=Menu(opener="الفنادق", rows=rows)))
    assert payload["menu"] == {
        "opener": "الفنادق",
        "rows": [{"title": "فندق النيل", "description": "1,240 ج.م", "token": "t" * 9}],
    }


def test_cards_stand_for_the_text_and_the_menu() -> None:
    reply = Reply(
        key="k",
        text="1. فندق النيل…",
        lead="وجدتُ فندقًا واحدًا.",
        menu=Menu(opener="الفنادق", rows=(MenuRow(title="النيل", do=DO, token="t"),)),
        cards=(
            Card(
                title="النيل",
                lines=("السعر: 5",),
                picture=Picture(source="hotel/nile/1", alt="واجهة"),
                buttons=(button("عرض", "b"),),
            ),
        ),
    )
    [payload] = render(reply)
    assert payload == {
        "text": "وجدتُ فندقًا واحدًا.",
        "cards": [
            {
                "title": "النيل",
                "lines": ["السعر: 5"],
                "picture": {"url": "/pictures/hotel/nile/1.jpg", "alt": "واجهة"},
                "buttons": [{"label": "عرض", "token": "b"}],
            }
        ],
    }


def test_a_suppliers_own_picture_keeps_its_address() -> None:
    [payload] = render(Reply(key="k", text="ن", picture=Picture(source="https://img.example/1.jpg", alt="")))
    assert payload["picture"]["url"] == "https://img.example/1.jpg"


def test_a_source_cannot_leave_the_folder_of_pictures() -> None:
    [payload] = render(Reply(key="k", text="ن", picture=Picture(source="hotel/a?b#c/1", alt="")))
    assert payload["picture"]["url"] == "/pictures/hotel/a%3Fb%23c/1.jpg"


def test_a_calendar_says_what_the_page_needs_to_draw_it() -> None:
    month = Calendar(
        year=2026,
        month=3,
        title="مارس 2026",
        first_weekday=5,
        weekdays=("س", "ح", "ن", "ث", "ر", "خ", "ج"),
        earliest=date(2026, 3, 10),
        latest=date(2027, 1, 1),
        pick=DO,
        selected=date(2026, 3, 20),
        following=button("الشهر التالي", "next"),
        token="cal",
    )
    [payload] = render(Reply(key="k", text="ن", calendar=month))
    assert payload["calendar"] == {
        "year": 2026,
        "month": 3,
        "title": "مارس 2026",
        "first_weekday": 5,
        "weekdays": ["س", "ح", "ن", "ث", "ر", "خ", "ج"],
        "earliest": "2026-03-10",
        "latest": "2027-01-01",
        "selected": "2026-03-20",
        "token": "cal",
        "previous": None,
        "following": {"label": "الشهر التالي", "token": "next"},
    }


def test_a_place_has_a_map() -> None:
    [payload] = render(
        Reply(
            key="k", text="ن", place=Place(latitude=31.2, longitude=29.9, title="الفندق", address="الكورنيش")
        )
    )
    assert payload["place"]["url"].startswith("https://www.openstreetmap.org/?mlat=31.200000&mlon=29.900000")
    assert (payload["place"]["title"], payload["place"]["address"]) == ("الفندق", "الكورنيش")


def test_payloads_can_be_stored() -> None:
    [payload] = render(Reply(key="k", text="«<b>»", picture=Picture(source="hotel/x/1", alt="<i>")))
    assert json.loads(json.dumps(payload)) == payload
