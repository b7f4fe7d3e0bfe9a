"""Who travels, and where to."""

from typing import Any

import pytest

from tests.understanding.asking import ask, short

PEOPLE: list[tuple[str, dict[str, Any]]] = [
    ("لاتنين", {"guests": 2}),
    ("لشخصين", {"guests": 2}),
    ("نفرين", {"guests": 2}),
    ("لفردين", {"guests": 2}),
    ("4 أفراد", {"guests": 4}),
    ("ثلاثة أشخاص", {"guests": 3}),
    ("جوج د الناس", {"guests": 2}),
    ("لحالي", {"adults": 1}),
    ("لوحدي", {"adults": 1}),
    ("أنا وزوجتي", {"adults": 2}),
    ("انا ومراتي", {"adults": 2}),
    ("أنا وأمي وأبوي", {"adults": 3}),
    ("ليا ولمراتي", {"adults": 2}),
    ("عائلة من خمسة", {"guests": 5}),
    ("عائلة مكونة من 6 أشخاص", {"guests": 6}),
    ("بالغين اثنين", {"adults": 2}),
    ("2 بالغين و3 أطفال", {"adults": 2, "children": 3}),
    ("شخصين وطفل", {"adults": 2, "children": 1}),
    ("شخصين وطفلين أعمارهم 4 و 6", {"adults": 2, "children": 2, "child_ages": [4, 6]}),
    ("3 كبار وطفل عمره 5 سنين", {"adults": 3, "children": 1, "child_ages": [5]}),
    ("اربعة كبار و٣ عيال اعمارهم ٢ و٦ و١١", {"adults": 4, "children": 3, "child_ages": [2, 6, 11]}),
    ("أنا وزوجتي وثلاث أطفال", {"adults": 2, "children": 3}),
    ("غرفتين", {"rooms": 2}),
    ("٣ غرف", {"rooms": 3}),
    ("أوضة واحدة", {"rooms": 1}),
    ("2 adults and 1 child", {"adults": 2, "children": 1}),
    ("for 4 people", {"guests": 4}),
]


@pytest.mark.parametrize(("text", "slots"), PEOPLE, ids=[text for text, _ in PEOPLE])
def test_people_and_rooms(text: str, slots: dict[str, Any]) -> None:
    assert ask(text).slots == slots


@pytest.mark.parametrize(
    ("text", "problem"),
    [("99 شخص", "too_many_guests"), ("0 شخص", "no_guests"), ("50 غرفة", "too_many_rooms")],
)
def test_impossible_counts_are_named(text: str, problem: str) -> None:
    said = ask(text)
    assert said.problems == (problem,)
    assert said.slots == {}


PLACES: list[tuple[str, str]] = [
    ("فندق في دبي", "Dubai AE"),
    ("فندق بدبي", "Dubai AE"),
    ("مسافر لدبي", "Dubai AE"),
    ("أوطيل فمراكش", "Marrakesh MA"),
    ("فندق في ب دبي", "Dubai AE"),
    ("فندق in دبي", "Dubai AE"),
    ("فندق في شرم", "Sharm el-Sheikh EG"),
    ("فندق بالقااااهرة", "Cairo EG"),
    ("فندق في القاهره", "Cairo EG"),
    ("فندق في اسكندرية", "Alexandria EG"),
    ("فندق في مكه", "Mecca SA"),
    ("فندق في المدينة المنورة", "Medina SA"),
    ("فندق في أبها", "Abha SA"),
    ("فندق بالكويت", "Kuwait City KW"),
    ("فندق في تونس", "Tunis TN"),
    ("فندق في المالديف", "Maldives MV"),
    ("فندق في بالي", "Bali ID"),
    ("فندق في نيوم", "NEOM SA"),
    ("فندق في القصيم", "Al-Qassim SA"),
    ("فندق في الساحل الشمالي", "North Coast EG"),
    ("شاليه بالعين السخنة", "Ain Sukhna EG"),
    ("فندق في البحر الميت", "Dead Sea JO"),
    ("فندق في إسطنبول", "Istanbul TR"),
    ("فندق في اسنطبول", "Istanbul TR"),
    ("فندق في الغردئة", "Hurghada EG"),
    ("فندق في طرابزون", "Trabzon TR"),
    ("فندق في كوالا لمبور", "Kuala Lumpur MY"),
    ("فندق في نيو يورك", "New York US"),
    ("فندق في طرابلس لبنان", "Tripoli LB"),
    ("فندق في طرابلس، ليبيا", "Tripoli LY"),
    ("فندق في عمّان", "Amman JO"),
    ("من القاهرة لدبي", "Dubai AE"),
    ("أنا من الرياض ورايح دبي", "Dubai AE"),
    ("hotel in Istanbul", "Istanbul TR"),
    ("فندق في أم الدنيا", "Cairo EG"),
]


@pytest.mark.parametrize(("text", "place"), PLACES, ids=[text for text, _ in PLACES])
def test_destinations(text: str, place: str) -> None:
    said = ask(text)
    assert short(said.slots).get("destination") == place
    assert said.intent == "search_hotels"


def test_the_destination_has_the_contract_s_shape() -> None:
    place = ask("فندق في دبي").slots["destination"]
    assert place == {"name_en": "Dubai", "name_ar": "دبي", "country": "AE", "geonameid": 292223}


def test_a_name_of_two_cities_is_asked_about() -> None:
    said = ask("فندق في طرابلس")
    assert "destination" not in said.slots
    assert [(c["country"], c["region"]) for c in said.candidates] == [("LY", "ليبيا"), ("LB", "لبنان")]


def test_the_traveler_s_country_settles_a_shared_name() -> None:
    assert short(ask("فندق في طرابلس", locale="ar-LY").slots)["destination"] == "Tripoli LY"
    assert short(ask("فندق في طرابلس", locale="ar-LB").slots)["destination"] == "Tripoli LB"
    assert short(ask("فندق في عمان", locale="ar-OM").slots)["destination"] == "Oman OM"
    assert short(ask("فندق في عمان", locale="ar-JO").slots)["destination"] == "Amman JO"
    assert {c["country"] for c in ask("فندق في عمان").candidates} == {"JO", "OM"}


@pytest.mark.parametrize(("text", "asked"), [("فندق في بلابلا", None), ("بلابلا", "destination")])
def test_an_unknown_place_is_named(text: str, asked: str | None) -> None:
    said = ask(text, asked)
    assert said.unknown_place == "بلابلا"
    assert "destination" not in said.slots


@pytest.mark.parametrize(
    ("text", "area", "place"),
    [
        ("فندق جنب برج خليفة", "برج خليفة", "Dubai AE"),
        ("فندق في المعادي", "المعادي", "Cairo EG"),
        ("فندق قريب من ساحة جامع الفنا", "جامع الفنا", "Marrakesh MA"),
        ("hotel near burj khalifa", "برج خليفة", "Dubai AE"),
    ],
)
def test_districts_and_landmarks(text: str, area: str, place: str | None) -> None:
    slots = short(ask(text).slots)
    assert slots["area"] == area
    assert slots.get("destination") == place


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("فنادق قريبة من الحرم", {"amenities": ["near_haram"]}),
        ("فندق قريب من الحرم المكي", {"amenities": ["near_haram"], "destination": "Mecca SA"}),
        ("فندق بمكة يطل ع الكعبة", {"amenities": ["kaaba_view"], "destination": "Mecca SA"}),
        ("شقة بتطل غرفتها على النيل", {"amenities": ["nile_view"]}),
        ("اوتيل قريب م البحر", {"amenities": ["near_beach"]}),
    ],
)
def test_nearness_and_views_are_wishes(text: str, slots: dict[str, Any]) -> None:
    assert short(ask(text).slots) == slots


def test_not_this_one_but_that_one() -> None:
    said = ask("لا، المدينة مش المنامة", "confirm")
    assert (said.intent, short(said.slots)) == ("change_destination", {"destination": "Medina SA"})
    assert short(ask("بدل دبي خليها أبوظبي").slots) == {"destination": "Abu Dhabi AE"}


@pytest.mark.parametrize("text", ["كيف الحال", "كم نجمة", "صور", "نص ساعة", "وين الغرفة", "عنوان"])
def test_common_words_are_no_towns(text: str) -> None:
    said = ask(f"{text} يا جماعة")
    assert "destination" not in said.slots


def test_a_place_entity_stands_behind_its_prefix() -> None:
    text = "عايز فندق بدبي"
    place = next(entity for entity in ask(text).entities if entity.type == "place")
    assert (place.text, text[place.start : place.end]) == ("دبي", "دبي")
