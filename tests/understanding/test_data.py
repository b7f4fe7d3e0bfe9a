"""The data files: readable, consistent, and no rule looks for a kind of word that no file has."""

import re
from pathlib import Path

import pytest

from bot import understanding
from bot.understanding.gazetteer import Place, gazetteer
from bot.understanding.grammar import Stage, code_of, kinds_in_patterns
from bot.understanding.lexicon import WORDS, forms, meanings
from bot.understanding.normalize import fold

HOME = Path(understanding.__file__).parent


def test_every_line_of_the_word_files_has_three_columns() -> None:
    for path in (*WORDS.glob("*.tsv"), HOME / "moods.tsv"):
        for line in path.read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                assert line.count("\t") == 2, f"{path.name}: {line[:60]}"
                assert all(phrase.strip() for phrase in line.split("\t")[2].split("|")), (
                    f"{path.name}: {line[:60]}"
                )


def test_every_kind_in_a_pattern_can_occur() -> None:
    words = {meaning.kind for known in meanings().values() for meaning in known}
    made = {"digits", "year", "hijri_year", "place", "area", "word", "opaque"} | Stage.made_kinds()
    assert kinds_in_patterns() - words - made == set()


def test_no_rule_makes_a_kind_that_words_have() -> None:
    words = {meaning.kind for known in meanings().values() for meaning in known}
    assert words & Stage.made_kinds() == set()


def test_the_gazetteer_has_the_arab_world_and_the_places_people_ask_for() -> None:
    names = gazetteer().names
    for name in (
        "القاهرة",
        "مكة المكرمة",
        "المدينة المنورة",
        "دهب",
        "المالديف",
        "بالي",
        "نيوم",
        "القصيم",
        "جربة",
        "سقطرى",
    ):
        key = " ".join(fold(word) for word in name.split())
        assert any(isinstance(place, Place) for place in names[key]), name
    countries = {place.country for places in names.values() for place in places if isinstance(place, Place)}
    assert set(re.findall("..", "EGSAAEKWQABHOMYEJOLBSYIQPSLYTNDZMASDMR")) <= countries


def test_the_extract_names_its_source_and_licence() -> None:
    head = (HOME / "places" / "gazetteer.tsv").read_text("utf-8")[:600]
    assert "GeoNames" in head
    assert "CC BY 4.0" in head


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("القَاهِرَة", "القاهره"),
        ("القاااهرة", "القاهره"),
        ("فنـــدق", "فندق"),
        ("إسكندريّة", "اسكندريه"),
        ("کرمان", "كرمان"),
        ("چم", "جم"),
        ("غرفةً", "غرفه"),
        ("فندقًا", "فندق"),
        ("شاطئ", "شاطي"),
        ("ﻓﻨﺪﻕ", "فندق"),
        ("Hôtel", "hotel"),
        ("١٢٣", "123"),
    ],
)
def test_folding(word: str, key: str) -> None:
    assert fold(word) == key


@pytest.mark.parametrize(
    ("word", "stem", "prefixes"),
    [
        ("بدبي", "دبي", ("bi",)),
        ("للجمعه", "الجمعه", ("li",)),
        ("والفندق", "فندق", ("and",)),
        ("عالبحر", "البحر", ("on",)),
        ("هالليله", "الليله", ("this",)),
        ("وبدبي", "دبي", ("and", "bi")),
    ],
)
def test_prefixes(word: str, stem: str, prefixes: tuple[str, ...]) -> None:
    assert (stem, prefixes) in [(form.stem, form.prefixes) for form in forms(word)]


def test_a_kind_keeps_its_code() -> None:
    assert code_of("number") == code_of("number")
