"""Words in forms no file lists: bent verbs, Arabic in Latin letters, and what a negation takes away."""

import pytest

from bot.understanding.arabizi import arabic_of
from bot.understanding.lexicon import lexicon
from bot.understanding.verbs import bent
from tests.understanding.asking import ask


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("نحجزوا", "book"),
        ("هنحجزه", "book"),
        ("يحجزلنا", "book"),
        ("منغيرها", "change"),
        ("تكنسلوه", "leave"),
        ("قارنلي", "compare_hotels"),
    ],
)
def test_a_verb_is_found_in_whatever_form(word: str, value: str) -> None:
    found = bent(word)
    assert found is not None
    assert found.meaning.value == value
    assert not found.denied


@pytest.mark.parametrize("word", ["متحجزش", "ماتلغيش", "متلغيوش"])
def test_around_a_verb_it_is_denied(word: str) -> None:
    found = bent(word)
    assert found is not None
    assert found.denied


@pytest.mark.parametrize("word", ["حجازي", "بيت", "كتاب", "ش", "مش", "ماش", "حجزت"])
def test_other_words_are_no_verbs(word: str) -> None:
    assert bent(word) is None


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("hjez", "cue"),
        ("ktir", "filler"),
        ("ghorfetein", "room_dual"),
        ("elnaharda", "relative_day"),
        ("osbou3een", "dual_week"),
        ("3ayzeen", "want"),
    ],
)
def test_arabic_in_latin_letters_is_heard(word: str, kind: str) -> None:
    arabic = arabic_of(word)
    assert arabic is not None
    alone = lexicon()[arabic].alone
    assert alone is not None
    assert alone.kind == kind


@pytest.mark.parametrize("word", ["brazil", "weather", "computer", "yesterday", "screen", "x", "3", "2a"])
def test_other_latin_words_are_no_arabic(word: str) -> None:
    assert arabic_of(word) is None


@pytest.mark.parametrize(
    "text",
    [
        "لا تلغي الحجز",
        "ما تلغيوش الحجز",
        "لا متلغيش الحجز",
        "لا تؤكد الحجز",
        "لا ما تكنسلو شي",
        "ما بدي الغي الحجز",
        "متحجزش",
    ],
)
@pytest.mark.parametrize("asked", [None, "confirm"])
def test_what_is_denied_is_not_done(text: str, asked: str | None) -> None:
    assert ask(text, asked).intent == "deny"


def test_what_is_asked_for_beside_a_denial_is_heard() -> None:
    assert ask("لا تلغي الحجز، بس غير التاريخ").intent == "change_dates"
    assert ask("لا، الغي الحجز").intent == "cancel_booking"
