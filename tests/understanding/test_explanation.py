"""`--explain` names the rules behind entities, slots and the intent; the confidence follows the evidence."""

import pytest

from bot.understanding.confidence import Evidence, calibrated, evidence, weights
from bot.understanding.explanation import explain
from bot.understanding.intents import Intent
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
    [line] = explained("")
    assert line.startswith("intent out_of_scope by nothing, seeing nothing; sure 0.")
    assert line.endswith("for nothing 1")


def test_more_unknown_words_are_less_sure() -> None:
    assert ask("عايز فندق في دبي").confidence > ask("عايز فندق قفقف بلبل في دبي دلدل زحزح").confidence


def test_every_piece_of_evidence_has_a_weight_and_doubts_weigh_against() -> None:
    known = weights()
    assert known.keys() == {"start", *Evidence._fields}
    assert all(known[name] < 0 for name in ("nothing", "unknown", "unknowns", "doubt", "loose"))


def test_evidence_counts_what_the_rules_left() -> None:
    sure = evidence(Intent("search_hotels", 0.9, "search"), ["want", "hotel", "in", "place"])
    assert sure == Evidence(0, 0, 0, 0, 0, 0, 0)
    puzzled = evidence(Intent("search_hotels", 0.8, "search"), ["word", "hotel", "opaque", "number"])
    assert tuple(puzzled) == pytest.approx((0, 0, 0, 1, 0.5, 1, 1))
    assert calibrated(sure) > calibrated(puzzled)
    assert evidence(Intent("out_of_scope", 0.6, "nothing"), ["word"] * 9) == Evidence(0, 1, 1, 0, 0, 0, 0)
    assert evidence(Intent("out_of_scope", 0.9, "outside"), ["word", "outside"]) == Evidence(
        1, 0, 0, 0, 0, 0, 0
    )


@pytest.mark.parametrize("text", ["مش متحمس للرحلة", "مو مستعجل"])
def test_a_denied_mood_is_none(text: str) -> None:
    assert ask(text).emotional_state == "neutral"
