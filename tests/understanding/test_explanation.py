"""`--explain` names the rules behind entities, slots and the intent; the confidence follows the evidence."""

import pytest

from bot.understanding.confidence import TABLE
from bot.understanding.explanation import explain
from tests.understanding.asking import NOW, ask


def explained(text: str) -> list[str]:
    return explain(text, now=NOW, timezone="Africa/Cairo", locale="ar-EG", asked=None)


def test_every_slot_and_the_intent_name_their_source() -> None:
    lines = explained("عايز فندق في شرم الشيخ أسبوع من ١٥ أبريل لاتنين")
    assert "slot check_in = 2026-04-15 from «من ١٥ أبريل» by arrival" in lines
    assert "slot guests = 2 from «لاتنين» by party" in lines
    assert any(line.startswith("intent search_hotels by search") for line in lines)
    assert any(line.startswith("place «شرم الشيخ»") and line.endswith("by gazetteer") for line in lines)


def test_an_unknown_word_is_shown_as_one() -> None:
    assert any(line.startswith("word «بسكليت»") for line in explained("بسكليت ازرق جديد"))


def test_nothing_at_all_is_explained_too() -> None:
    assert explained("") == ["intent out_of_scope by nothing, seeing nothing; evidence 0.60"]


def test_more_unknown_words_are_less_sure() -> None:
    assert ask("عايز فندق في دبي").confidence > ask("عايز فندق قفقف بلبل في دبي دلدل زحزح").confidence


def test_the_table_rises() -> None:
    rows = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    lows, shares = [float(low) for low, _ in rows], [float(each) for _, each in rows]
    assert lows == sorted(lows)
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] < 1


@pytest.mark.parametrize("text", ["مش متحمس للرحلة", "مو مستعجل"])
def test_a_denied_mood_is_none(text: str) -> None:
    assert ask(text).emotional_state == "neutral"
