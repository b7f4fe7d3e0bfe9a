"""Budgets in every Arab currency, numbers in digits and words."""

from typing import Any

import pytest

from tests.understanding.asking import ask, short

BUDGETS: list[tuple[str, dict[str, Any]]] = [
    ("500 ريال", {"budget_max": 500, "currency": "SAR"}),
    ("٥٠٠ جنيه", {"budget_max": 500, "currency": "EGP"}),
    ("1,500 جنيه", {"budget_max": 1500, "currency": "EGP"}),
    ("١٬٥٠٠ جنيه", {"budget_max": 1500, "currency": "EGP"}),
    ("خمسمية درهم", {"budget_max": 500, "currency": "AED"}),
    ("700 درهم مغربي", {"budget_max": 700, "currency": "MAD"}),
    ("40 دينار كويتي", {"budget_max": 40, "currency": "KWD"}),
    ("60 دينار أردني", {"budget_max": 60, "currency": "JOD"}),
    ("300 دينار تونسي", {"budget_max": 300, "currency": "TND"}),
    ("100 ألف دينار عراقي", {"budget_max": 100_000, "currency": "IQD"}),
    ("مليون ليرة لبنانية", {"budget_max": 1_000_000, "currency": "LBP"}),
    ("100 دولار", {"budget_max": 100, "currency": "USD"}),
    ("$120", {"budget_max": 120, "currency": "USD"}),
    ("90 يورو", {"budget_max": 90, "currency": "EUR"}),
    ("400 ريال قطري", {"budget_max": 400, "currency": "QAR"}),
    ("SAR 450", {"budget_max": 450, "currency": "SAR"}),
    ("حتى 500 ريال لليلة", {"budget_max": 500, "currency": "SAR", "budget_per": "night"}),
    ("أقل من ألف جنيه", {"budget_max": 1000, "currency": "EGP"}),
    ("مش أكتر من 2000 جنيه في الليلة", {"budget_max": 2000, "currency": "EGP", "budget_per": "night"}),
    ("ما يزيد عن ٨٠٠ درهم", {"budget_max": 800, "currency": "AED"}),
    ("أكثر من 300 دولار", {"budget_min": 300, "currency": "USD"}),
    ("حوالي 1500 جنيه", {"budget_max": 1500, "currency": "EGP"}),
    ("من 500 إلى 1000 ريال", {"budget_min": 500, "budget_max": 1000, "currency": "SAR"}),
    ("بين ٥٠٠ و٨٠٠ درهم", {"budget_min": 500, "budget_max": 800, "currency": "AED"}),
    ("ميزانيتي من ٥٠٠ إلى ٧٠٠", {"budget_min": 500, "budget_max": 700}),
    ("ميزانيتي ألفين", {"budget_max": 2000}),
    ("الميزانية 10 الاف ريال", {"budget_max": 10_000, "currency": "SAR"}),
    ("معايا 5000 جنيه للإقامة كلها", {"budget_max": 5000, "currency": "EGP", "budget_per": "stay"}),
    ("٢ك ريال", {"budget_max": 2000, "currency": "SAR"}),
    ("3 الاف ونص جنيه", {"budget_max": 3500, "currency": "EGP"}),
    ("ألفان وثلاثمئة وخمسة وعشرون جنيه", {"budget_max": 2325, "currency": "EGP"}),
    ("under 100 dollars per night", {"budget_max": 100, "currency": "USD", "budget_per": "night"}),
]


@pytest.mark.parametrize(("text", "slots"), BUDGETS, ids=[text for text, _ in BUDGETS])
def test_budgets(text: str, slots: dict[str, Any]) -> None:
    assert short(ask(text).slots) == slots


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("زود الميزانية ميتين", {"budget_delta": 200}),
        ("قلل الميزانية 100 دولار", {"budget_delta": -100, "currency": "USD"}),
        ("زيد فالميزانية خمسمية درهم", {"budget_delta": 500, "currency": "AED"}),
        ("غير الميزانية ل 2000", {"budget_max": 2000}),
        ("غير الميزانية", {}),
    ],
)
def test_changes_of_budget(text: str, slots: dict[str, Any]) -> None:
    said = ask(text)
    assert said.intent == "change_budget"
    assert said.slots == slots


@pytest.mark.parametrize(
    ("locale", "text", "currency"),
    [
        ("ar-SA", "500 ريال", "SAR"),
        ("ar-QA", "500 ريال", "QAR"),
        ("ar-OM", "30 ريال", "OMR"),
        ("ar-YE", "500 ريال", "YER"),
        ("ar-KW", "30 دينار", "KWD"),
        ("ar-TN", "300 دينار", "TND"),
        ("ar-DZ", "9000 دينار", "DZD"),
        ("ar-JO", "40 دينار", "JOD"),
        ("ar-MA", "700 درهم", "MAD"),
        ("ar-AE", "700 درهم", "AED"),
        ("ar-LB", "900000 ليرة", "LBP"),
        ("ar-SD", "9000 جنيه", "SDG"),
        ("ar-EG", "فندق في تونس ب 200 دينار", "TND"),
        ("ar-EG", "فندق في مراكش ب 700 درهم", "MAD"),
    ],
)
def test_the_country_decides_a_shared_name(locale: str, text: str, currency: str) -> None:
    assert ask(text, locale=locale).slots["currency"] == currency


NUMBERS: list[tuple[str, int]] = [
    ("سبعة", 7),
    ("تلاتة", 3),
    ("حداشر", 11),
    ("تمنتاشر", 18),
    ("خمسة عشر", 15),
    ("خمسة وعشرين", 25),
    ("مية وخمسين", 150),
    ("ميتين", 200),
    ("تلتمية", 300),
    ("ربعمية وخمسين", 450),
    ("ألف وميتين", 1200),
    ("ألفين وخمسمية", 2500),
    ("ثلاثة آلاف ومئتان", 3200),
    ("خمسة وعشرين ألف", 25_000),
    ("نص مليون", 500_000),
    ("١٢٣", 123),
    ("۴۵", 45),
    ("20k", 20_000),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[text for text, _ in NUMBERS])
def test_numbers(text: str, value: int) -> None:
    assert {"value": value} in [entity.value for entity in ask(text).entities if entity.type == "number"]


@pytest.mark.parametrize("text", ["01012345678", "+20 100 123 4567", "NP-48213", "رقمي 0551234567"])
def test_a_phone_or_a_reference_is_no_quantity(text: str) -> None:
    for asked in ("guests", "budget", "nights", None):
        assert not {"guests", "budget_max", "nights"} & ask(text, asked).slots.keys()


@pytest.mark.parametrize(
    ("asked", "text", "slots"),
    [
        ("nights", "٣", {"nights": 3}),
        ("nights", "سبعة", {"nights": 7}),
        ("nights", "ليلتين", {"nights": 2}),
        ("guests", "2", {"guests": 2}),
        ("guests", "تلاتة", {"guests": 3}),
        ("guests", "لاتنين", {"guests": 2}),
        ("rooms", "واحدة", {"rooms": 1}),
        ("rooms", "غرفتين", {"rooms": 2}),
        ("budget", "1500", {"budget_max": 1500}),
        ("budget", "الف وميتين", {"budget_max": 1200}),
        ("budget", "بلا حدود", {"no_budget": True}),
        ("stars", "4", {"stars": 4}),
        ("rating", "8", {"rating_min": 8}),
        ("hotel", "2", {"choices": [2]}),
    ],
)
def test_a_bare_number_is_what_was_asked(asked: str, text: str, slots: dict[str, Any]) -> None:
    said = ask(text, asked)
    assert said.slots == slots
    assert said.intent == "inform"
