"""Dates, numbers, money, counted nouns and the filling of sentences."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest

from locales import Money, Phrase, Texts, UnknownCurrency, UnknownText

TODAY = dt.date(2026, 1, 5)
FSI, PDI, NBSP = "\u2068", "\u2069", "\u00a0"


def voice(tag: str = "ar-EG", *, arab: bool = False) -> Texts:
    return Texts.for_locale(tag, digits="arab" if arab else "latn", today=TODAY)


# ------------------------------------------------------------------------------------------------------- locales


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar-EG", "ar-EG"), ("ar", "ar-EG"), ("ar_SA", "ar-SA"), ("en", "en-EG"), ("en-GB", "en-GB"), ("en-eg", "en-EG"),
        ("fr-FR", "ar-FR"), ("ar-Arab-MA", "ar-MA"), ("", "ar-EG"), ("ar-QQ", "ar-EG"), ("x" * 300, "ar-EG"), ("ar-12", "ar-EG"),
    ],
)  # fmt: skip
def test_a_locale_always_has_a_country(tag: str, expected: str) -> None:
    assert Texts.for_locale(tag).tag == expected


@pytest.mark.parametrize(
    ("tag", "start", "weekend"),
    [
        ("ar", 5, (4, 5)),  # Egypt, by default: Saturday; Friday and Saturday
        ("ar-SA", 6, (4, 5)),
        ("ar-AE", 0, (5, 6)),
        ("ar-MA", 0, (5, 6)),
        ("ar-DZ", 5, (4, 5)),
        ("en-KW", 5, (4, 5)),
        ("en-US", 6, (5, 6)),
    ],
)
def test_the_country_decides_week_and_weekend(tag: str, start: int, weekend: tuple[int, ...]) -> None:
    assert voice(tag).weekday_start() == start
    assert voice(tag).weekend() == weekend


def test_the_calendar_head_begins_with_the_first_day() -> None:
    assert voice("ar-EG").weekdays()[0] == "السبت"
    assert voice("ar-SA").weekdays() == (
        "الأحد",
        "الاثنين",
        "الثلاثاء",
        "الأربعاء",
        "الخميس",
        "الجمعة",
        "السبت",
    )
    assert voice("en-EG").weekdays()[:2] == ("Sat", "Sun")
    assert voice().month_title(2026, 11) == "نوفمبر 2026"


# --------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar-EG", "الجمعة 20 مارس"), ("ar-SA", "الجمعة 20 مارس"), ("ar-LB", "الجمعة 20 آذار"), ("ar-IQ", "الجمعة 20 آذار"),
        ("ar-MA", "الجمعة 20 مارس"), ("ar-US", "الجمعة 20 مارس"), ("en", "Friday 20 March"),
    ],
)  # fmt: skip
def test_a_date_in_the_months_of_the_country(tag: str, expected: str) -> None:
    assert voice(tag).date(dt.date(2026, 3, 20)) == expected


def test_other_names_of_months() -> None:
    assert voice("ar-DZ").month(8) == "أوت"
    assert voice("ar-MA").month(8) == "غشت"
    assert voice("ar-SY").month(1) == "كانون الثاني"


def test_the_year_is_said_when_it_is_not_this_one() -> None:
    day = dt.date(2027, 3, 20)
    assert voice().date(day) == "السبت 20 مارس 2027"
    assert voice().date(day, with_year=False) == "السبت 20 مارس"
    assert voice().date(dt.date(2026, 3, 20), with_year=True, weekday=False) == "20 مارس 2026"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((2026, 3, 20), (2026, 3, 23), "من الجمعة 20 إلى الاثنين 23 مارس"),
        ((2026, 3, 30), (2026, 4, 2), "من الاثنين 30 مارس إلى الخميس 2 أبريل"),
        ((2026, 12, 30), (2027, 1, 2), "من الأربعاء 30 ديسمبر 2026 إلى السبت 2 يناير 2027"),
        ((2027, 3, 20), (2027, 3, 23), "من السبت 20 إلى الثلاثاء 23 مارس 2027"),
        ((2027, 3, 30), (2027, 4, 2), "من الثلاثاء 30 مارس إلى الجمعة 2 أبريل 2027"),
        ((2026, 3, 20), (2027, 3, 20), "من الجمعة 20 مارس 2026 إلى السبت 20 مارس 2027"),
    ],
)
def test_a_range_says_month_and_year_once(
    start: tuple[int, int, int], end: tuple[int, int, int], expected: str
) -> None:
    assert voice().date_range(dt.date(*start), dt.date(*end)) == expected


def test_a_range_in_english_and_without_weekdays() -> None:
    start, end = dt.date(2026, 3, 20), dt.date(2026, 3, 23)
    assert voice("en").date_range(start, end) == "from Friday 20 to Monday 23 March"
    assert voice().date_range(start, end, weekday=False) == "من 20 إلى 23 مارس"
    assert voice(arab=True).date_range(start, end) == "من الجمعة ٢٠ إلى الاثنين ٢٣ مارس"


@pytest.mark.parametrize(
    ("clock", "arabic", "english"),
    [
        ((0, 0), "12:00 منتصف الليل", "12:00 midnight"),
        ((0, 30), "12:30 بعد منتصف الليل", "12:30 am"),
        ((1, 0), "1:00 ليلًا", "1:00 am"),
        ((4, 5), "4:05 فجرًا", "4:05 am"),
        ((8, 30), "8:30 صباحًا", "8:30 am"),
        ((12, 0), "12:00 ظهرًا", "12:00 pm"),
        ((14, 0), "2:00 بعد الظهر", "2:00 pm"),
        ((18, 0), "6:00 مساءً", "6:00 pm"),
        ((23, 59), "11:59 مساءً", "11:59 pm"),
    ],
)
def test_a_time_of_day(clock: tuple[int, int], arabic: str, english: str) -> None:
    assert voice().time(dt.time(*clock)) == arabic
    assert voice("en").time(dt.time(*clock)) == english
    assert voice().time(dt.time(*clock, tzinfo=dt.UTC)) == arabic


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ((18, 0), "الساعة 6:00 مساء الأربعاء 18 مارس بتوقيت القاهرة"),
        ((14, 30), "الساعة 2:30 بعد ظهر الأربعاء 18 مارس بتوقيت القاهرة"),
        ((12, 0), "الساعة 12:00 ظهر الأربعاء 18 مارس بتوقيت القاهرة"),
        ((9, 0), "الساعة 9:00 صباح الأربعاء 18 مارس بتوقيت القاهرة"),
        ((2, 0), "الساعة 2:00 فجر الأربعاء 18 مارس بتوقيت القاهرة"),
        ((0, 0), "الساعة 12:00 منتصف الليل بين الثلاثاء والأربعاء 18 مارس بتوقيت القاهرة"),
    ],
)
def test_a_deadline_is_unmistakable(clock: tuple[int, int], expected: str) -> None:
    assert voice().deadline(dt.datetime(2026, 3, 18, *clock), "القاهرة") == expected  # noqa: DTZ001  (local time)


def test_a_deadline_in_english() -> None:
    moment = dt.datetime(2026, 3, 18, 18, 0)  # noqa: DTZ001  (local time)
    assert voice("en").deadline(moment, "Cairo") == "6:00 pm on Wednesday 18 March, Cairo time"


# ------------------------------------------------------------------------------------------------ numbers, money


@pytest.mark.parametrize(
    ("tag", "arab", "value", "expected"),
    [
        ("ar-EG", False, 1234567, "1,234,567"),
        ("ar-SA", False, 1234567.5, "1,234,567.5"),
        ("ar-EG", True, 1234567.5, "١٬٢٣٤٬٥٦٧٫٥"),
        ("ar-MA", False, 1234567.5, "1.234.567,5"),
        ("en", False, Decimal("0.125"), "0.12"),
        ("en", False, -3, "-3"),
        ("ar-EG", False, -3, f"{FSI}-3{PDI}"),
        ("ar-EG", False, -0.001, "0"),
        ("ar-EG", False, 10, "10"),
        ("ar-EG", False, 0.1 + 0.2, "0.3"),
    ],
)
def test_a_number(tag: str, arab: bool, value: float | Decimal, expected: str) -> None:
    assert voice(tag, arab=arab).number(value) == expected


def test_what_is_no_number_is_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not a number"):
            voice().number(value)


def test_percent_and_rating() -> None:
    assert voice().percent(0.046) == f"{FSI}4.6%{PDI}"
    assert voice(arab=True).percent(0.046) == "٤٫٦٪"
    assert voice("en").percent(1) == "100%"
    assert voice().rating(8.9) == "8.9 من 10"
    assert voice().rating(9.0) == "9 من 10"
    assert voice(arab=True).rating(8.94) == "٨٫٩ من ١٠"
    assert voice("en").rating(8.9) == "8.9 of 10"


@pytest.mark.parametrize(
    ("minor", "currency", "arabic", "english"),
    [
        (372000, "EGP", f"3,720{NBSP}ج.م", f"EGP{NBSP}3,720"),
        (372050, "EGP", f"3,720.50{NBSP}ج.م", f"EGP{NBSP}3,720.50"),
        (45, "EGP", f"0.45{NBSP}ج.م", f"EGP{NBSP}0.45"),
        (4500, "KWD", f"4.500{NBSP}د.ك", f"KWD{NBSP}4.500"),
        (250000, "IQD", f"250,000{NBSP}د.ع", f"IQD{NBSP}250,000"),
        (4500, "USD", f"45{NBSP}دولارًا", "$45"),
        (300, "USD", f"3{NBSP}دولارات", "$3"),
        (200, "USD", f"2{NBSP}دولار", "$2"),
        (4550, "USD", f"45.50{NBSP}دولار", "$45.50"),
        (10000, "EUR", f"100{NBSP}يورو", "€100"),
        (4500, "GBP", f"45{NBSP}جنيهًا إسترلينيًّا", "£45"),
        (4500, "JPY", f"4,500{NBSP}{FSI}JPY{PDI}", f"JPY{NBSP}4,500"),
        (0, "SAR", f"0{NBSP}ر.س", f"SAR{NBSP}0"),
    ],
)
def test_money(minor: int, currency: str, arabic: str, english: str) -> None:
    assert voice().money(minor, currency) == arabic
    assert voice("en").money(minor, currency) == english


def test_money_in_arabic_indic_digits() -> None:
    assert voice(arab=True).money(372050, "EGP") == f"٣٬٧٢٠٫٥٠{NBSP}ج.م"


def test_money_of_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        voice().money(100, "XYZ")


# ------------------------------------------------------------------------------------------------- counted nouns


@pytest.mark.parametrize(
    ("noun", "forms"),
    [
        ("night", {1: "ليلة واحدة", 2: "ليلتان", 3: "3 ليالٍ", 10: "10 ليالٍ", 11: "11 ليلة", 99: "99 ليلة"}),
        ("night", {100: "100 ليلة", 103: "103 ليالٍ", 111: "111 ليلة"}),
        ("room", {1: "غرفة واحدة", 2: "غرفتان", 3: "3 غرف", 11: "11 غرفة", 100: "100 غرفة"}),
        ("adult", {1: "بالغ واحد", 2: "بالغان", 3: "3 بالغين", 11: "11 بالغًا", 100: "100 بالغ", 102: "102 بالغ"}),
        ("child", {1: "طفل واحد", 2: "طفلان", 3: "3 أطفال", 11: "11 طفلًا", 100: "100 طفل"}),
        ("guest", {1: "نزيل واحد", 2: "نزيلان", 3: "3 نزلاء", 11: "11 نزيلًا", 100: "100 نزيل"}),
        ("stay", {1: "إقامة واحدة", 2: "إقامتان", 3: "3 إقامات", 11: "11 إقامة", 100: "100 إقامة"}),
        ("review", {1: "تقييم واحد", 2: "تقييمان", 3: "3 تقييمات", 11: "11 تقييمًا", 1000: "1,000 تقييم"}),
        ("day", {1: "يوم واحد", 2: "يومان", 3: "3 أيام", 11: "11 يومًا", 100: "100 يوم"}),
        ("minute", {1: "دقيقة واحدة", 2: "دقيقتان", 3: "3 دقائق", 15: "15 دقيقة"}),
        ("year", {1: "سنة واحدة", 2: "سنتان", 3: "3 سنوات", 11: "11 سنة"}),
        ("month", {1: "شهر واحد", 2: "شهران", 3: "3 أشهر", 12: "12 شهرًا"}),
        ("hotel", {0: "بلا فنادق", 1: "فندق واحد", 2: "فندقان", 3: "3 فنادق", 11: "11 فندقًا", 100: "100 فندق"}),
        ("star", {1: "نجمة واحدة", 2: "نجمتان", 5: "5 نجوم"}),
        ("result", {1: "نتيجة واحدة", 2: "نتيجتان", 4: "4 نتائج", 11: "11 نتيجة"}),
        ("EGP", {3: "3 جنيهات", 45: "45 جنيهًا", 1500: "1,500 جنيه"}),
        ("SAR", {3: "3 ريالات", 45: "45 ريالًا", 500: "500 ريال"}),
        ("AED", {3: "3 دراهم", 45: "45 درهمًا", 700: "700 درهم"}),
        ("KWD", {3: "3 دنانير", 45: "45 دينارًا", 100: "100 دينار"}),
    ],
)  # fmt: skip
def test_counted_nouns(noun: str, forms: dict[int, str]) -> None:
    assert {n: str(voice().count(noun, n)) for n in forms} == forms


@pytest.mark.parametrize(
    ("noun", "two"), [("night", "ليلتين"), ("room", "غرفتين"), ("adult", "بالغَين"), ("child", "طفلين")]
)
def test_the_dual_after_a_preposition(noun: str, two: str) -> None:
    assert voice().count(noun, 2, "after_preposition") == two
    assert voice().count(noun, 3, "after_preposition") == voice().count(noun, 3)
    assert voice("en").count(noun, 2, "after_preposition") == voice("en").count(noun, 2)


def test_counting_in_english_and_in_arabic_indic() -> None:
    assert voice("en").count("child", 1) == "1 child"
    assert voice("en").count("child", 0) == "0 children"
    assert voice(arab=True).count("night", 11) == "١١ ليلة"


def test_counting_what_cannot_be_counted() -> None:
    with pytest.raises(UnknownText):
        voice().count("unicorn", 3)
    with pytest.raises(ValueError, match="below nothing"):
        voice().count("night", -1)


# ----------------------------------------------------------------------------------------------------- sentences


@dataclass(frozen=True)
class Price:
    minor: int
    currency: str


def test_values_are_said_by_their_type() -> None:
    texts = voice()
    assert (
        texts.say("search.past_date", date=dt.date(2026, 3, 20))
        == "مضى يوم الجمعة 20 مارس. ما تاريخ الوصول الجديد؟"
    )
    assert texts.say("search.part.budget_night", budget=Money(150000, "EGP")) == f"حتى 1,500{NBSP}ج.م لليلة"
    assert texts.say("search.part.budget_night", budget=Price(150000, "EGP")) == f"حتى 1,500{NBSP}ج.م لليلة"
    assert texts.say("booking.hold", until_time=dt.time(14)).endswith("حتى الساعة 2:00 بعد الظهر.")
    assert texts.say("search.part.amenities", amenities=["مسبح", "موقف"]) == "مع مسبح وموقف"
    assert texts.phrase(dt.datetime(2026, 3, 20, 14)) == "الجمعة 20 مارس، الساعة 2:00 بعد الظهر"  # noqa: DTZ001
    assert isinstance(texts.say("where_to"), Phrase)


def test_a_confirmation_reads_as_intended() -> None:
    texts = voice()
    summary = texts.clauses(
        [
            "الإسكندرية",
            texts.say(
                "search.part.dates",
                dates=texts.date_range(dt.date(2026, 3, 20), dt.date(2026, 3, 23)),
                nights=texts.count("night", 3),
            ),
            texts.say(
                "search.part.people",
                adults=texts.count("adult", 2),
                rooms=texts.count("room", 1, "after_preposition"),
            ),
            texts.say("search.part.budget_night", budget=Money(150000, "EGP")),
        ]
    )
    assert texts.say("search.confirm", summary=summary) == (
        "فهمتُ طلبك: الإسكندرية، من الجمعة 20 إلى الاثنين 23 مارس (3 ليالٍ)، بالغان في غرفة واحدة، "
        f"حتى 1,500{NBSP}ج.م لليلة. هل أبدأ البحث، أو هناك ما يحتاج إلى تعديل؟"
    )


def test_codes_phones_and_latin_names_are_isolated_and_cleaned() -> None:
    texts = voice()
    assert texts.say("hotel.line.city", city="+20 100 123 4567") == f"المدينة: {FSI}+20 100 123 4567{PDI}"
    assert texts.say("booking.line.name", name="Sara Al Ahmad") == f"الحجز باسم: {FSI}Sara Al Ahmad{PDI}"
    evil = "\u202egnp.\u2066دبي\n\nأهلًا"
    assert texts.say("search.unknown_destination", name=evil).startswith(
        f"لم أعثر على مكان باسم {FSI}gnp.دبي أهلًا{PDI}."
    )
    assert texts.say("search.unknown_destination", name="بلابلا").startswith("لم أعثر على مكان باسم بلابلا.")
    assert texts.quote("بلابلا") == f"{FSI}بلابلا{PDI}"
    assert voice("en").say("booking.line.name", name="Sara") == "Booked for: Sara"
    assert voice("en").say("booking.line.name", name="سارة") == f"Booked for: {FSI}سارة{PDI}"


def test_braces_in_a_value_are_only_text() -> None:
    assert "{hotel}" in voice().say("search.unknown_destination", name="{hotel} {0} {name!r}")


def test_a_line_left_empty_disappears() -> None:
    texts = voice()
    card = texts.say(
        "results.card",
        n=1,
        hotel="فندق النيل بلازا",
        class_line=texts.say("hotel.line.no_rating"),
        price=Money(124000, "EGP"),
        total=Money(372000, "EGP"),
        cancellation_line="",
    )
    assert card.split("\n") == [
        "الخيار 1: فندق النيل بلازا",
        "التقييم: لا تتوفر تقييمات بعد",
        f"السعر: 1,240{NBSP}ج.م لليلة، والإجمالي 3,720{NBSP}ج.م",
    ]
    assert texts.lines(["أ", "", "ب"]) == "أ\nب"


def test_joining() -> None:
    assert voice().join([2, 6, 11]) == "2 و6 و11"
    assert voice().join(["دبي", "أبوظبي"], last="or") == "دبي أو أبوظبي"
    assert voice("en").join([2, 6, 11]) == "2, 6 and 11"
    assert voice("en").join(["a"]) == "a"
    assert voice("en").join(["a", "b"], last="or") == "a or b"
    assert voice().join([]) == voice("en").join([]) == ""


def test_numbers_written_into_sentences_follow_the_digits() -> None:
    assert "من ٢٠ إلى ٢٣ مارس" in voice(arab=True).say("start.welcome")
    assert "١٬٥٠٠ جنيه" in voice(arab=True).say("start.welcome")
    assert "1.500 جنيه" in voice("ar-MA").say("start.welcome")
    assert "+20 100 123 4567" in voice(arab=True).say("booking.bad_contact"), (
        "an isolated phone number stays as it is"
    )


def test_mistakes_in_the_code_are_loud() -> None:
    with pytest.raises(UnknownText):
        voice().say("no.such_key")
    with pytest.raises(KeyError):
        voice().say("search.past_date")
    with pytest.raises(TypeError):
        voice().say("search.past_date", date=True)
    assert not voice().knows("no.such_key")
    assert voice().knows("amenity.pool")
