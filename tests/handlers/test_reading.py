"""From an understood text to moves, and from a typed label to a button."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.moves import Move
from bot.turn.reading import moves_of, plain
from bot.understanding import Entity, Understanding

DUBAI = {"name_ar": "دبي", "name_en": "Dubai", "country": "AE", "geonameid": 292223}


def understood(
    intent: str, slots: dict[str, Any] | None = None, *, confidence: float = 0.9, **more: Any
) -> Understanding:
    mood = more.pop("mood", "neutral")
    return Understanding(intent, slots or {}, more.pop("entities", ()), mood, confidence, **more)


@pytest.mark.parametrize(
    ("found", "move"),
    [
        (understood("search_hotels", {"destination": DUBAI}), Move("search", slots={"destination": DUBAI})),
        (understood("search_hotels"), Move("search")),
        (understood("my_trips"), Move("trips")),
        (understood("affirm"), Move("affirm")),
        (understood("deny"), Move("deny")),
        (understood("leave"), Move("leave")),
        (understood("thanks"), Move("thanks")),
        (understood("inform", {"nights": 4}), Move("fill", slots={"nights": 4})),
        (understood("inform"), Move("miss")),
        # «نعم بس في المدينة», «لا، دبي»: what was said wins over the yes and the no.
        (understood("affirm", {"destination": DUBAI}), Move("fill", slots={"destination": DUBAI})),
        (understood("deny", {"destination": DUBAI}), Move("fill", slots={"destination": DUBAI})),
        # «غيّر التاريخ» asks, «غيّر التاريخ إلى …» fills.
        (understood("change_dates"), Move("change", args={"what": "dates"})),
        (understood("change_guests"), Move("change", args={"what": "guests"})),
        (understood("change_dates", {"nights": 4}), Move("fill", slots={"nights": 4})),
        (understood("change_budget", {"budget_delta": 200}), Move("fill", slots={"budget_delta": 200})),
        # Pointing.
        (understood("inform", {"choices": [2]}), Move("choose", args={"choices": [2]})),
        (understood("book", {"choices": [2]}), Move("book", args={"choices": [2]})),
        (understood("language", {"language": "en"}), Move("language", args={"language": "en"})),
        (
            understood("search_hotels", {"hotel_name": "هيلتون"}),
            Move("search", slots={"hotel_name": "هيلتون"}, args={"hotel_name": "هيلتون"}),
        ),
        # Nothing recognized is a miss; something that is not ours is told so.
        (understood("out_of_scope", unrecognized=True), Move("miss")),
        (understood("out_of_scope"), Move("out_of_scope")),
        # Whoever is angry is not lectured on what is ours.
        (
            understood("out_of_scope", confidence=0.9, mood="frustrated"),
            Move("miss", args={"frustrated": True}),
        ),
        (understood("out_of_scope", {"stars": 4}, unrecognized=True), Move("fill", slots={"stars": 4})),
        # What is unclear goes along with what is clear.
        (
            understood("search_hotels", candidates=(DUBAI,), problems=("past_date",)),
            Move("search", slots={"candidates": [DUBAI], "problems": ["past_date"]}),
        ),
        (
            understood("search_hotels", unknown_place="زحلولة"),
            Move("search", slots={"unknown_place": "زحلولة"}),
        ),
        (
            understood("search_hotels", {"destination": DUBAI}, unknown_place="زحلولة"),
            Move("search", slots={"destination": DUBAI}),
        ),
    ],
)
def test_moves(found: Understanding, move: Move) -> None:
    assert moves_of(found) == (move,)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("من 10 إلى 14", True),
        ("من ١٠ الى ١٤", True),
        ("10", True),
        ("from 10 to 14", True),
        ("يوم 10", True),
        ("من 10 إلى 14 ديسمبر", False),
        ("10/12", False),
        ("بكره", False),
        ("الجمعة", False),
    ],
)
def test_days_without_a_month_are_told_apart(text: str, bare: bool) -> None:
    entity = Entity("date_range", 0, len(text), text, {})
    found = understood("inform", {"check_in": "2026-12-10"}, entities=(entity,))
    [move] = moves_of(found)
    assert move.slots.get("bare_days", False) is bare


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("أبدأ البحث", "أبدأ البحث"),
        ("ابدا البحث", "أبدأ البحث"),
        ("  أَبْدَأُ   البَحث. ", "أبدأ البحث"),
        ("اوكد الحجز!", "أؤكّد الحجز"),
        ("أؤكــد الحجز", "أؤكّد الحجز"),
        ("ENGLISH", "English"),
        ("confirm booking", "Confirm booking"),
    ],
)
def test_a_label_as_people_retype_it(typed: str, label: str) -> None:
    assert plain(typed) == plain(label)


@pytest.mark.parametrize(("typed", "label"), [("أؤكد", "أؤكّد الحجز"), ("نعم", "لا"), ("", "نعم")])
def test_less_than_a_label_is_none(typed: str, label: str) -> None:
    assert plain(typed) != plain(label)


@given(st.text())
def test_a_plain_label_is_plain_already(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
