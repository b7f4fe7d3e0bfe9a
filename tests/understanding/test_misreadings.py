"""What a word is not: sentences in which the obvious reading is the wrong one."""

from typing import Any

import pytest

from tests.understanding.asking import ask, short

ROWS: list[tuple[str, str | None, str, dict[str, Any]]] = [
    # a complaint is a wish for cheaper ones, and «هواي» is no island
    ("غالي هواي", None, "sort", {"sort": "price"}),
    ("فندق غالي", None, "search_hotels", {"price_level": "expensive"}),
    # the country, the prayer
    ("المغرب", "destination", "inform", {"destination": "Morocco MA"}),
    ("فندق في المغرب", None, "search_hotels", {"destination": "Morocco MA"}),
    # below zero, zero, and the month of its name
    ("-3 ليالي", "nights", "inform", {}),
    ("لمدة 999999 ليلة", None, "inform", {}),
    ("صفر", "children", "inform", {"children": 0}),
    ("١٥ صفر", "check_in", "inform", {"check_in": "2026-07-29"}),
    # put off, not moved
    ("أكد الحجز بكرة مو الحين", "confirm", "deny", {}),
    # a maximum
    ("حتى 300", "budget", "inform", {"budget_max": 300}),
    # who sorts says by what
    ("الأعلى تقييماً", None, "sort", {"sort": "rating"}),
    ("اللي تقييمهم عالي", None, "sort", {"sort": "rating"}),
    # a house by its name
    ("احجزلي بأوتيل فينيسيا", None, "book", {"hotel_name": "فينيسيا"}),
    ("احجزلي فندق الفور سيزن", None, "book", {"hotel_name": "الفور سيزن"}),
    # insults are no towns
    ("يا غبي يا حمار", None, "out_of_scope", {}),
    # one child, named
    ("انا وزوجتي مع ابني", "guests", "inform", {"adults": 2, "children": 1}),
    ("العيال الاتنين", "children", "inform", {"children": 2}),
    # towns whose names mean something else
    ("دهب ٣ ليالي", None, "search_hotels", {"destination": "Dahab EG", "nights": 3}),
    # Latin letters
    ("hjez l tene", None, "book", {"choices": [2]}),
    ("le etneen", "guests", "inform", {"guests": 2}),
    ("une chambre pour deux à Tanger", None, "search_hotels", {"destination": "Tangier MA", "guests": 2}),
    ("vous avez moins cher?", None, "sort", {"sort": "price"}),
    # slips of the finger
    ("فندق فيه pisicne", None, "search_hotels", {"amenities": ["pool"]}),
    # a restaurant to book, a restaurant to have
    ("احجز لي مطعم لشخصين", None, "out_of_scope", {}),
    ("فندق في دبي فيه مطعم", None, "search_hotels", {"destination": "Dubai AE", "amenities": ["restaurant"]}),
]


@pytest.mark.parametrize(("text", "asked", "intent", "slots"), ROWS, ids=[row[0] for row in ROWS])
def test_the_obvious_is_not_meant(text: str, asked: str | None, intent: str, slots: dict[str, Any]) -> None:
    said = ask(text, asked)
    assert (said.intent, short(said.slots)) == (intent, slots)


def test_last_week_is_no_arrival() -> None:
    assert "check_in" not in ask("كنت عندكم الأسبوع الماضي").slots
