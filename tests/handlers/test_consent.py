"""Which texts book: the words of the button, with a «yes» and a «please» at most."""

from __future__ import annotations

import pytest

from handlers.review import consents


@pytest.mark.parametrize(
    "text",
    [
        "أؤكد الحجز",
        "أُؤَكِّدُ الحَجْزَ",
        "أؤكّد الحجـــز!!",
        "نعم أؤكد الحجز",
        "نعم، أؤكد الحجز لو سمحت ✅",
        "أؤكد الحجز 👍🏽",
        "طيب خلاص أكد لي الحجز",
        "Yes, confirm the booking please",
    ],
)
def test_what_books(text: str) -> None:
    assert consents(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "✅",
        "نعم",
        "الحجز",
        "أؤكد",
        "احجز",
        "أؤكد الحجز؟",
        "أؤكد الحجز ولا لا",
        "لا أؤكد الحجز",
        "ما أؤكد الحجز",
        "أؤكد الحجز بكرة",
        "أؤكد الحجز بس غير الاسم",
        "أؤكد الحجز 😂",
        "أؤكد الحجز ❌",
        "نعم لا أؤكد الحجز",
        "do not confirm the booking",
        "yes confirm the booking?",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not consents(text)
