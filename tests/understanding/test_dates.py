"""Dates, ranges and durations. The clock stands at Wednesday 14 January 2026."""

from datetime import datetime
from typing import Any

import pytest

from bot.understanding import understand
from tests.understanding.asking import ask, short


def stay(check_in: str, check_out: str | None = None, **more: Any) -> dict[str, Any]:
    return {"check_in": check_in, **({"check_out": check_out} if check_out else {}), **more}


ROWS: list[tuple[str, dict[str, Any]]] = [
    # written out
    ("2026-04-15", stay("2026-04-15")),
    ("٢٠٢٦-٠٤-١٥", stay("2026-04-15")),
    ("15/4/2026", stay("2026-04-15")),
    ("١٥/٤", stay("2026-04-15")),
    ("10/1", stay("2027-01-10")),
    ("15 أبريل", stay("2026-04-15")),
    ("الخامس عشر من أبريل", stay("2026-04-15")),
    ("خمستاشر ابريل", stay("2026-04-15")),
    ("15 نيسان", stay("2026-04-15")),
    ("٣ كانون الثاني", stay("2027-01-03")),
    ("5 أوت", stay("2026-08-05")),
    ("12 جويلية", stay("2026-07-12")),
    ("7 دجنبر", stay("2026-12-07")),
    ("9 غشت", stay("2026-08-09")),
    ("15 شهر 4", stay("2026-04-15")),
    ("يوم ٢٥ مارس ٢٠٢٧", stay("2027-03-25")),
    ("يوم الجمعة 20 مارس", stay("2026-03-20")),
    ("April 15th", stay("2026-04-15")),
    ("29 فبراير", stay("2028-02-29")),
    # ranges
    ("من ٢٠ لـ ٢٣ مارس", stay("2026-03-20", "2026-03-23")),
    ("من 20 إلى 23 مارس", stay("2026-03-20", "2026-03-23")),
    ("20-23 مارس", stay("2026-03-20", "2026-03-23")),
    ("٢٠ – ٢٣ مارس ٢٠٢٧", stay("2027-03-20", "2027-03-23")),
    ("من 20 مارس إلى 23", stay("2026-03-20", "2026-03-23")),
    ("من ٢٠ مارس لـ ٢٥ أبريل", stay("2026-03-20", "2026-04-25")),
    ("من 28 ديسمبر إلى 3 يناير", stay("2026-12-28", "2027-01-03")),
    ("من 12/5 إلى 15/5", stay("2026-05-12", "2026-05-15")),
    ("من الثالث حتى السابع من مايو", stay("2026-05-03", "2026-05-07")),
    ("من ثلاثة لخمسة مايو", stay("2026-05-03", "2026-05-05")),
    ("من الخميس للسبت", stay("2026-01-15", "2026-01-17")),
    ("من يوم الأحد ليوم الثلاثاء", stay("2026-01-18", "2026-01-20")),
    ("من بكرة لنهار الأحد", stay("2026-01-15", "2026-01-18")),
    ("من 20 ل 23", stay("2026-01-20", "2026-01-23")),
    ("الوصول 20 مارس والمغادرة 23 مارس", stay("2026-03-20", "2026-03-23")),
    ("تشيك ان ٢٠ مارس تشيك اوت ٢٣ مارس", stay("2026-03-20", "2026-03-23")),
    ("من أول مارس لحد خمسة", stay("2026-03-01", "2026-03-05")),
    ("from 3 to 7 May", stay("2026-05-03", "2026-05-07")),
    ("من 10 ديسمبر إلى 5 يناير 2027", stay("2026-12-10", "2027-01-05")),
    # days from today
    ("اليوم", stay("2026-01-14")),
    ("النهارده", stay("2026-01-14")),
    ("بكرة", stay("2026-01-15")),
    ("غدًا", stay("2026-01-15")),
    ("غدوة", stay("2026-01-15")),
    ("باچر", stay("2026-01-15")),
    ("باكر", stay("2026-01-15")),
    ("بعد بكرة", stay("2026-01-16")),
    ("عقب باچر", stay("2026-01-16")),
    ("بعد غد", stay("2026-01-16")),
    ("هالليلة", stay("2026-01-14")),
    ("بعد ٣ أيام", stay("2026-01-17")),
    ("بعد أسبوع", stay("2026-01-21")),
    ("بعد جمعتين", stay("2026-01-28")),
    ("كمان يومين", stay("2026-01-16")),
    ("بعد شهر", stay("2026-02-14")),
    ("tomorrow", stay("2026-01-15")),
    # weekdays
    ("الجمعة", stay("2026-01-16")),
    ("الجمعة الجاية", stay("2026-01-16")),
    ("الأربعاء القادم", stay("2026-01-21")),
    ("الخميس اللي بعد الجاي", stay("2026-01-22")),
    ("نهار السبت", stay("2026-01-17")),
    ("next friday", stay("2026-01-16")),
    ("الويكند", stay("2026-01-16", "2026-01-18")),
    ("نهاية الأسبوع القادم", stay("2026-01-16", "2026-01-18")),
    # months and parts of them
    ("في أبريل", {"month": "2026-04"}),
    ("شهر سبعة", {"month": "2026-07"}),
    ("الشهر القادم", {"month": "2026-02"}),
    ("شهر يناير", {"month": "2026-01"}),
    ("في أيلول ٢٠٢٧", {"month": "2027-09"}),
    ("أواخر يونيو", {"month": "2026-06"}),
    ("في منتصف شهر مارس", {"month": "2026-03"}),
    ("الأسبوع الجاي", stay("2026-01-18")),
    # feasts and the Hijri calendar (Umm al-Qura)
    ("١٠ رمضان", stay("2026-02-27")),
    ("من 5 شوال 1447 إلى 8 شوال", stay("2026-03-24", "2026-03-27")),
    ("عيد الفطر", stay("2026-03-20")),
    ("عيد الأضحى", stay("2026-05-27")),
    ("العيد الصغير", stay("2026-03-20")),
    ("شم النسيم", stay("2026-04-13")),
    ("رأس السنة", stay("2026-12-31")),
    ("1447/9/10", stay("2026-02-27")),
    # how long
    ("٣ ليالي", {"nights": 3}),
    ("ليلتين", {"nights": 2}),
    ("ثلاث ليالٍ", {"nights": 3}),
    ("11 ليلة", {"nights": 11}),
    ("أسبوع", {"nights": 7}),
    ("أسبوعين", {"nights": 14}),
    ("زوز ليالي", {"nights": 2}),
    ("جوج ليالي", {"nights": 2}),
    ("سيمانة", {"nights": 7}),
    ("ليلة واحدة", {"nights": 1}),
    ("3 nights", {"nights": 3}),
    ("أسبوع من ١٥ أبريل", stay("2026-04-15", nights=7)),
    ("لمدة شهر ابتداءً من 1 فبراير", stay("2026-02-01", nights=28)),
]


@pytest.mark.parametrize(("text", "slots"), ROWS, ids=[text for text, _ in ROWS])
def test_said_dates(text: str, slots: dict[str, Any]) -> None:
    assert short(ask(text).slots) == slots


def test_a_date_without_a_year_is_the_next_one() -> None:
    november = datetime(2025, 11, 21, 10, 0)  # noqa: DTZ001 - naive local time is part of the interface
    assert understand("١٥ أبريل", now=november).slots == {"check_in": "2026-04-15"}
    assert understand("٢١ نوفمبر", now=november).slots == {"check_in": "2025-11-21"}


def test_days_are_days_and_become_nights_only_when_nights_were_asked() -> None:
    said = ask("٣ أيام")
    assert said.slots == {}
    assert [entity.value for entity in said.entities if entity.type == "duration"] == [
        {"n": 3, "unit": "day"}
    ]
    assert ask("٣ أيام", "nights").slots == {"nights": 3}


@pytest.mark.parametrize(
    ("text", "asked", "slots"),
    [
        ("٢٠", "dates", {"check_in": "2026-01-20"}),
        ("٢٠", "check_in", {"check_in": "2026-01-20"}),
        ("5", "check_in", {"check_in": "2026-02-05"}),
        ("٢٠", "check_out", {"check_out": "2026-01-20"}),
        ("١٨ أبريل", "check_out", {"check_out": "2026-04-18"}),
        ("من ٢٠ ل ٢٣", "dates", {"check_in": "2026-01-20", "check_out": "2026-01-23"}),
        ("الأحد", "dates", {"check_in": "2026-01-18"}),
    ],
)
def test_a_bare_day_answers_what_was_asked(text: str, asked: str, slots: dict[str, Any]) -> None:
    assert ask(text, asked).slots == slots


@pytest.mark.parametrize(
    ("text", "problem", "kept"),
    [
        ("15 مارس 2024", "past_date", {}),
        ("2025-12-01", "past_date", {}),
        ("من 10 إلى 12 مايو 2025", "past_date", {}),
        ("من 25 إلى 20 مارس", "check_out_before_check_in", {"check_in": "2026-03-25"}),
        ("من 10 مايو إلى 5 مايو", "check_out_before_check_in", {"check_in": "2026-05-10"}),
        ("200 ليلة", "stay_too_long", {}),
        ("31/2/2026", "impossible_date", {}),
    ],
)
def test_what_cannot_be_is_named_and_left_out(text: str, problem: str, kept: dict[str, Any]) -> None:
    said = ask(text)
    assert problem in said.problems
    assert said.slots == kept


def test_a_past_mention_is_no_check_in() -> None:
    assert "check_in" not in ask("وصلت امبارح وعايز فندق في دبي").slots


def test_the_calendar_of_the_traveler_decides_the_day() -> None:
    late = datetime.fromisoformat("2026-01-14T23:30:00+00:00")
    assert understand("اليوم", now=late, timezone="Asia/Riyadh").slots == {"check_in": "2026-01-15"}


def test_a_weekend_begins_where_the_traveler_lives() -> None:
    assert ask("الويكند", locale="ar-MA").slots == {"check_in": "2026-01-17", "check_out": "2026-01-19"}
    assert ask("الويكند", locale="ar-SA").slots == {"check_in": "2026-01-16", "check_out": "2026-01-18"}


def test_a_range_holds_its_dates_as_entities() -> None:
    found = {(e.type, e.text): e.value for e in ask("من ٢٠ لـ ٢٣ مارس").entities}
    assert found["date_range", "من ٢٠ لـ ٢٣ مارس"] == {"start": "2026-03-20", "end": "2026-03-23"}
    assert found["date", "٢٣ مارس"] == {"date": "2026-03-23"}


def test_a_calendar_month_ends_on_the_first_day_after_it() -> None:
    ranges = [e.value for e in ask("الشهر القادم").entities if e.type == "date_range"]
    assert ranges == [{"start": "2026-02-01", "end": "2026-03-01"}]
