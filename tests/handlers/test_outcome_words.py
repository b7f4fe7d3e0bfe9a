"""Praise and drawbacks in words of her own."""

from __future__ import annotations

from importlib.resources import files

import pytest

from bot.domain.outcomes import Highlight, PainPoint
from handlers.outcome import Telling, take
from handlers.outcome_words import Family, named


@pytest.mark.parametrize(
    ("family", "text", "codes"),
    [
        ("highlight", "الفطور والموقع", ["breakfast", "location"]),
        ("highlight", "الإفطار كان رائعًا، والموظفين بشوشين", ["breakfast", "staff"]),
        ("highlight", "حمّام السباحة والأكل", ["pool", "food"]),
        ("highlight", "قريب من البحر وهادئ", ["location", "beach", "quiet"]),
        ("highlight", "Great breakfast and staff", ["breakfast", "staff"]),
        ("highlight", "كل شيء", []),
        ("pain_point", "المصعد بطيء والنت ضعيف", ["slow_lift", "slow_wifi"]),
        ("pain_point", "الأسانسير", ["slow_lift"]),
        ("pain_point", "الغرفة صغيرة وفيها إزعاج", ["small_rooms", "noise"]),
        ("pain_point", "لا شيء", []),
    ],
)
def test_what_a_text_names(family: Family, text: str, codes: list[str]) -> None:
    assert list(named(text, family)) == codes


@pytest.mark.parametrize(("family", "codes"), [("highlight", Highlight), ("pain_point", PainPoint)])
def test_every_word_has_spellings_and_no_spelling_has_two(family: str, codes: type[Highlight]) -> None:
    lines = files("handlers").joinpath("outcome_words.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line.startswith(f"{family}\t")]
    assert [code for _, code, _ in rows] == list(codes)
    spellings = [spelling for _, _, said in rows for spelling in said.split("|")]
    assert sorted(spellings) == sorted(set(spellings))


def test_words_without_a_name_are_kept_as_a_note() -> None:
    told = Telling(trip="RH-1", score=9, settled=["rebook", "exceeded"])
    told = take(told, {"said": "كل شيء تمام"})
    assert (told.liked, told.note, told.settled) == ([], "كل شيء تمام", ["rebook", "exceeded", "liked"])
    told = take(told, {"said": "الضوضاء"})
    assert (told.missed, told.settled[-1]) == (["noise"], "missed")
    assert take(told, {"said": "شكرًا"}).note == "كل شيء تمام\nشكرًا"


@pytest.mark.parametrize(("said", "score"), [(9, 9), (8.5, 9), (0, None), (11, None), (10, 10)])
def test_a_score_is_a_whole_number_of_ten(said: float, score: int | None) -> None:
    assert take(Telling(), {"score": said}).score == score
