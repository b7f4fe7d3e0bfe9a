"""Whatever is typed: no exception, valid spans, the same answer twice, bounded work."""

import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding import understand
from bot.understanding.calendar import (
    add_months,
    hijri_month,
    hijri_to_gregorian,
    holiday,
    next_day_of_month,
    next_day_of_year,
    next_weekday,
    orthodox_easter,
    weekend,
)
from bot.understanding.normalize import fold, offset_of
from bot.understanding.tokens import READ_LIMIT, cut, tokenize
from tests.understanding.asking import NOW, ask

QUESTIONS = (
    "destination dates check_in check_out nights guests rooms budget stars rating confirm hotel name contact"
)
ASKED = st.none() | st.sampled_from(QUESTIONS.split())
PIECES = (
    "عايز فندق في دبي من إلى ل لـ ٢٠ 23 31 مارس رمضان شهر سنة 2026 1447 بكرة الجمعة القادم ليالي أسبوع شخصين طفل أعمارهم "
    "و ٥٠٠ ألف ونص ريال جنيه حتى بين مش لا نعم طرابلس الحرم الأول احجز غير الميزانية زود ، - . ؟ % 12/5 2026-04-15 $ 99 0"
)
WORDS = st.sampled_from(PIECES.split())
DAYS = st.dates(date(2000, 1, 1), date(2070, 12, 31))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120) | st.lists(WORDS, max_size=14).map(" ".join), asked=ASKED)
def test_any_text_is_answered_with_valid_spans(text: str, asked: str | None) -> None:
    said = understand(text, now=NOW, asked=asked)
    assert said == understand(text, now=NOW, asked=asked)
    assert 0 <= said.confidence <= 1
    for entity in said.entities:
        assert 0 <= entity.start < entity.end <= len(text)
        assert entity.text == text[entity.start : entity.end]
    json.dumps(said.as_json())


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=14).map(" ".join), ASKED)
def test_slots_are_never_what_they_cannot_be(text: str, asked: str | None) -> None:
    slots = understand(text, now=NOW, asked=asked).slots
    if "check_in" in slots:
        assert slots["check_in"] >= NOW.date().isoformat()
    if "check_in" in slots and "check_out" in slots:
        assert slots["check_out"] > slots["check_in"]
    assert 1 <= slots.get("nights", 1) <= 90
    assert 1 <= slots.get("guests", 1) <= 30
    assert not ("month" in slots and "check_in" in slots)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(word: str) -> None:
    assert fold(fold(word)) == fold(word)


@given(st.text("القاهرةدبيَُّـ\u200d\u200f", min_size=1, max_size=20), st.integers(0, 20))
def test_an_offset_stays_inside_its_word(word: str, cut: int) -> None:
    assert 0 <= offset_of(word, min(cut, len(fold(word)))) <= len(word)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(WORDS | st.text("+٢3ab -/:.,،'ﷺ\u200d\u2003\x1f😀", max_size=6)).map(" ".join)
)
def test_cutting_at_spaces_cuts_as_if_there_were_none(text: str) -> None:
    tokens = [(token.kind, token.key, token.start, token.end) for token in tokenize(text)]
    assert tokens == list(cut(text))
    assert all(0 <= start < end <= len(text) for _, _, start, end in tokens)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "فندق\x00في\x00دبي",
        "\ud800 فندق في دبي \udfff",
        "\u202eفندق في دبي\u202c",
        "<b>فندق</b> في <script>alert(1)</script> دبي",
        "9" * 500,
        "١" * 500,
        "ا" * 3_000,
        "😀" * 500,
        "99999999999999999 ليلة",
        "1/" * 300,
        "الف " * 300,
        "مليون مليون مليون جنيه",
    ],
)
def test_hostile_text(text: str) -> None:
    said = ask(text)
    assert all(text[e.start : e.end] == e.text for e in said.entities)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    wish = "عايز فندق في دبي "
    said = ask(wish + "كلام " * 10_000 + "من ٢٠ لـ ٢٣ مارس")
    assert said.slots["destination"]["name_en"] == "Dubai"
    assert "check_in" not in said.slots
    assert all(entity.end <= READ_LIMIT for entity in said.entities)


@given(DAYS, st.integers(1, 12), st.integers(1, 31))
def test_the_next_day_of_a_year_is_the_first_not_past(today: date, month: int, day: int) -> None:
    found = next_day_of_year(today, month, day)
    if found is None:
        assert day > 29
        return
    assert found >= today
    assert (found.month, found.day) == (month, day)
    assert (found - today).days <= (366 if (month, day) != (2, 29) else 366 * 8)


@given(DAYS, st.integers(1, 31))
def test_the_next_day_of_a_month_skips_short_months(today: date, day: int) -> None:
    found = next_day_of_month(today, day)
    assert found is not None
    assert found.day == day
    assert 0 <= (found - today).days <= 62


@given(DAYS, st.integers(0, 6))
def test_weekdays(today: date, weekday: int) -> None:
    assert next_weekday(today, weekday).weekday() == weekday
    assert 0 < (next_weekday(today, weekday, strictly=True) - today).days <= 7


@given(DAYS)
def test_weekends_last_two_days(today: date) -> None:
    assert [day.weekday() for day in weekend(today, "EG")] == [4, 6]
    assert [day.weekday() for day in weekend(today, "LB")] == [5, 0]


@given(DAYS, st.integers(0, 24))
def test_months_later_is_the_same_day_or_the_last(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later + timedelta(1)).day == 1


@given(st.integers(1400, 1490), st.integers(1, 12))
def test_hijri_months_follow_each_other(year: int, month: int) -> None:
    span = hijri_month(year, month)
    assert span is not None
    assert (span[1] - span[0]).days in (29, 30)
    assert hijri_to_gregorian(year, month, 1) == span[0]


@given(
    DAYS, st.sampled_from(["eid", "eid_fitr", "eid_adha", "hajj", "last_ten", "new_year", "sham_ennessim"])
)
def test_a_holiday_is_the_coming_one(today: date, name: str) -> None:
    span = holiday(name, today)
    assert span is not None
    assert span[1] > today
    assert (span[0] - today).days <= 384


def test_orthodox_easter() -> None:
    # Published dates of the Coptic and Orthodox churches.
    assert [orthodox_easter(year) for year in (2024, 2025, 2026, 2027)] == [
        date(2024, 5, 5),
        date(2025, 4, 20),
        date(2026, 4, 12),
        date(2027, 5, 2),
    ]


def test_a_zone_is_needed_only_when_the_clock_has_one() -> None:
    assert understand("بكرة", now=datetime(2028, 2, 28)).slots == {"check_in": "2028-02-29"}  # noqa: DTZ001 - naive


@given(DAYS, st.integers(1, 28), st.integers(1, 12), st.integers(1, 14))
def test_a_range_said_once_keeps_its_length_across_any_year_end(
    today: date, day: int, month: int, nights: int
) -> None:
    now = datetime(today.year, today.month, today.day, 9)  # noqa: DTZ001 - naive local time is the interface
    arrival = next_day_of_year(today, month, day)
    assert arrival is not None
    leave = arrival + timedelta(nights)
    slots = understand(f"من {day}/{month} إلى {leave.day}/{leave.month}", now=now).slots
    assert slots == {"check_in": arrival.isoformat(), "check_out": leave.isoformat()}


@given(st.integers(1, 29), st.integers(1, 12), st.integers(1, 20))
def test_hijri_days_said_in_words_are_those_of_the_calendar(day: int, month: int, year: int) -> None:
    year += 1447
    said = understand(f"{day}/{month}/{year}", now=NOW).slots
    expected = hijri_to_gregorian(year, month, day)
    assert expected is not None
    assert said == ({"check_in": expected.isoformat()} if expected >= NOW.date() else {})


@given(st.integers(0, 27))
def test_tomorrow_is_the_day_after_also_around_leap_days(offset: int) -> None:
    today = date(2028, 2, 15) + timedelta(offset)
    now = datetime(today.year, today.month, today.day, 9)  # noqa: DTZ001 - naive local time is the interface
    assert understand("بكرة", now=now).slots == {"check_in": (today + timedelta(1)).isoformat()}
    assert understand("بعد بكرة", now=now).slots == {"check_in": (today + timedelta(2)).isoformat()}
