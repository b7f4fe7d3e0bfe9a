"""Texts: everything said in one locale, from whole sentences to a price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from typing import Final, Literal, Protocol, runtime_checkable

from babel import Locale
from babel.dates import get_period_id, get_timezone_location

from locales.bidi import Phrase, embed, isolate
from locales.catalogue import Catalogue, catalogue
from locales.country import formats, resolve, week
from locales.currency import ARABIC_SYMBOLS, ENGLISH_SYMBOLS, UNITS, Money, minor_units
from locales.numerals import Digits, Numerals, numerals

Case = Literal["nominative", "after_preposition"]
"""Arabic's dual shows its case: «ليلتان», but «لمدة ليلتين»."""

_NBSP: Final = "\u00a0"


@runtime_checkable
class MoneyLike(Protocol):
    """Anything with minor units and an ISO 4217 code."""

    @property
    def minor(self) -> int: ...

    @property
    def currency(self) -> str: ...


Value = str | int | float | Decimal | dt.date | dt.time | MoneyLike | Sequence["Value"]
"""What a placeholder takes. A `Phrase` goes in as it is; any other string is cleaned, and isolated where its
direction demands it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The voice of one locale. Cheap to make, safe to share; the catalogue behind it is read once a process.

    today: decides when a year must be said; give the traveler's own date.
    """

    language: str
    country: str
    digits: Digits
    today: dt.date
    _catalogue: Catalogue
    _locale: Locale
    _numerals: Numerals

    @classmethod
    def for_locale(cls, tag: str, *, digits: Digits = "latn", today: dt.date | None = None) -> Texts:
        """`tag` is a language tag such as «ar-EG» or «en»; a bare or unknown one gets Egypt, an unknown language Arabic."""
        language, country = resolve(tag)
        locale = formats(language, country)
        return cls(
            language=language,
            country=country,
            digits=digits if language == "ar" else "latn",
            today=today or dt.datetime.now(dt.UTC).date(),
            _catalogue=catalogue(language),
            _locale=locale,
            _numerals=numerals(str(locale), digits if language == "ar" else "latn"),
        )

    @property
    def tag(self) -> str:
        """The language tag, always with a country: «ar-EG»."""
        return f"{self.language}-{self.country}"

    @property
    def rtl(self) -> bool:
        return self.language == "ar"

    # ---------------------------------------------------------------------------------------------- sentences

    def say(self, key: str, /, **values: Value) -> Phrase:
        """The sentence of a key with its placeholders filled by type; a line left empty disappears.

        Raises UnknownText for a key and KeyError for a placeholder that is missing.
        """
        pieces: list[str] = []
        gap = False
        for literal, name in _compiled(self._catalogue.sentence(key), self._numerals):
            pieces.append(literal)
            if name:
                piece = self.phrase(values[name])
                gap = gap or not piece
                pieces.append(piece)
        text = "".join(pieces)
        if gap:
            text = "\n".join(line for line in text.split("\n") if line.strip())
        return Phrase(text)

    def knows(self, key: str) -> bool:
        """Whether there is such a sentence (an amenity a supplier invented has none)."""
        return key in self._catalogue.sentences

    def count(self, noun: str, n: int, case: Case = "nominative") -> Phrase:
        """A counted noun: «ليلة واحدة», «ليلتان», «3 ليالٍ». `noun` is a key of `noun.…` or an ISO currency code."""
        if n < 0:
            raise ValueError("one cannot count below nothing")
        key = f"noun.{UNITS.get(noun, noun)}"
        if n == 2 and case == "after_preposition":
            form = self._catalogue.sentence(f"{key}.two_after_preposition")
        else:
            form = self._catalogue.counted(key, n)
        return Phrase(form.replace("{n}", self.number(n)))

    def phrase(self, value: Value) -> Phrase:
        """Any value as `say` would put it into a sentence."""
        match value:
            case Phrase():
                return value
            case str():
                return embed(value, rtl=self.rtl)
            case bool():
                raise TypeError("a sentence has no placeholder for yes or no")
            case int() | float() | Decimal():
                return self.number(value)
            case dt.datetime():
                return self.say("date.with_time", date=self.date(value.date()), time=self.time(value.time()))
            case dt.date():
                return self.date(value)
            case dt.time():
                return self.time(value)
            case MoneyLike():
                return self.money(value.minor, value.currency)
            case list() | tuple():
                return self.join(value)
            case _:
                raise TypeError(f"nothing is said for a value of type {type(value).__name__}")

    def quote(self, text: str) -> Phrase:
        """Words of a traveler: cleaned and always isolated."""
        return isolate(text)

    def join(self, values: Iterable[Value], last: Literal["and", "or"] = "and") -> Phrase:
        """«2 و6 و11», «2, 6 and 11»; with last="or" «أ أو ب»."""
        items = [self.phrase(value) for value in values]
        if self.rtl:
            return Phrase((" و" if last == "and" else " أو ").join(items))
        beginning, end = items[:-1], items[-1:]
        return Phrase(f" {last} ".join([*([", ".join(beginning)] if beginning else []), *end]))

    def clauses(self, values: Iterable[Value]) -> Phrase:
        """Parts of a sentence with commas between them; empty ones are left out."""
        return Phrase(("، " if self.rtl else ", ").join(item for v in values if (item := self.phrase(v))))

    def lines(self, values: Iterable[Value]) -> Phrase:
        """One line per value; empty ones are left out."""
        return Phrase("\n".join(item for v in values if (item := self.phrase(v))))

    # ---------------------------------------------------------------------------------------- numbers and money

    def number(self, value: int | float | Decimal) -> Phrase:
        """Up to two decimals; a negative number is isolated so that its sign stays in front."""
        written = self._numerals.number(value)
        return Phrase(isolate(written) if self.rtl and written.startswith("-") else written)

    def percent(self, fraction: float | Decimal) -> Phrase:
        """0.046 → «4.6%», isolated in Arabic; with Arabic-Indic digits the sign is ٪ and follows the line by itself."""
        exact = Decimal(str(fraction)) * 100
        written = self._numerals.number(exact, most=1)
        if self.digits == "arab":
            return Phrase(f"{written}٪")
        return isolate(f"{written}%") if self.rtl else Phrase(f"{written}%")

    def rating(self, value: float | Decimal) -> Phrase:
        """A rating of ten, to one decimal: «8.9 من 10»."""
        return self.say("rating.of_ten", value=Phrase(self._numerals.number(value, most=1)))

    def money(self, minor: int, currency: str) -> Phrase:
        """«3,720 ج.م» from minor units: no decimals when whole, all of them otherwise. Raises UnknownCurrency."""
        amount = Money(minor, currency).major
        digits = 0 if amount == amount.to_integral_value() else minor_units(currency)
        number = self._numerals.number(amount, least=digits, most=digits)
        if not self.rtl:
            symbol = ENGLISH_SYMBOLS.get(currency)
            return Phrase(f"{symbol}{number}" if symbol else f"{currency}{_NBSP}{number}")
        symbol = ARABIC_SYMBOLS.get(currency)
        if symbol is None:
            symbol = self._unit(amount, currency)
        return Phrase(f"{number}{_NBSP}{symbol}")

    def _unit(self, amount: Decimal, currency: str) -> str:
        """The noun after digits where Arabic has no symbol: «45 دولارًا»; after a fraction, 1 or 2 it is «دولار»."""
        if currency not in UNITS:
            return isolate(currency)
        counted = amount >= 3 and amount == amount.to_integral_value()
        form = self._catalogue.counted(f"noun.{UNITS[currency]}", int(amount) if counted else 100)
        return form.removeprefix("{n} ")

    # ------------------------------------------------------------------------------------------ dates and times

    def date(self, day: dt.date, *, weekday: bool = True, with_year: bool | None = None) -> Phrase:
        """«الجمعة 20 مارس»; the year when it is not this year's, unless told otherwise."""
        year = day.year != self.today.year if with_year is None else with_year
        return Phrase(self._date(day, weekday=weekday, month=True, year=year))

    def date_range(
        self, start: dt.date, end: dt.date, *, weekday: bool = True, with_year: bool | None = None
    ) -> Phrase:
        """«من الجمعة 20 إلى الاثنين 23 مارس»: the month and the year are said once when shared."""
        year = {start.year, end.year} != {self.today.year} if with_year is None else with_year
        same_year = start.year == end.year
        same_month = same_year and start.month == end.month
        return self.say(
            "date.range",
            start=Phrase(
                self._date(start, weekday=weekday, month=not same_month, year=year and not same_year)
            ),
            end=Phrase(self._date(end, weekday=weekday, month=True, year=year)),
        )

    def _date(self, day: dt.date, *, weekday: bool, month: bool, year: bool) -> str:
        parts = [self._numerals.plain(str(day.day))]
        if weekday:
            parts.insert(0, self.weekday(day))
        if month:
            parts.append(self.month(day.month))
        if year:
            parts.append(self._numerals.plain(str(day.year)))
        return " ".join(parts)

    def weekday(self, day: dt.date) -> Phrase:
        """«الجمعة»."""
        return Phrase(self._locale.days["format"]["wide"][day.weekday()])

    def month(self, month: int) -> Phrase:
        """The country's name of a month, 1 to 12: «مارس» in Cairo, «آذار» in Beirut."""
        return Phrase(self._locale.months["format"]["wide"][month])

    def month_title(self, year: int, month: int) -> Phrase:
        """Heading of a calendar: «نوفمبر 2026»."""
        return Phrase(f"{self.month(month)} {self._numerals.plain(str(year))}")

    def weekdays(self) -> tuple[Phrase, ...]:
        """Seven names for the head of a calendar, the country's first day first: «السبت», «Sat»."""
        width = "wide" if self.rtl else "abbreviated"
        names = self._locale.days["format"][width]
        return tuple(Phrase(names[(self.weekday_start() + i) % 7]) for i in range(7))

    def weekday_start(self) -> int:
        """The country's first day of the week, 0 = Monday (CLDR)."""
        return int(week(self.country).first_week_day)

    def weekend(self) -> tuple[int, ...]:
        """The country's weekend days, 0 = Monday (CLDR): (4, 5) in Egypt, (5, 6) in the Emirates."""
        local = week(self.country)
        start, end = local.weekend_start, local.weekend_end
        return tuple((start + i) % 7 for i in range((end - start) % 7 + 1))

    def time(self, clock: dt.time) -> Phrase:
        """«2:00 بعد الظهر», in CLDR's day periods."""
        return self.say(f"time.{_period(clock)}", time=self._clock(clock))

    def deadline(self, local: dt.datetime, city: str) -> Phrase:
        """«الساعة 6:00 مساء الأربعاء 18 مارس بتوقيت القاهرة». `local` is local time in `city`; midnight names both days."""
        day = local.date()
        period = _period(local.time())
        if period == "midnight":
            return self.say(
                "deadline.midnight",
                time=self._clock(local.time()),
                day_before=self.weekday(day - dt.timedelta(days=1)),
                date=day,
                city=city,
            )
        return self.say(f"deadline.{period}", time=self._clock(local.time()), date=day, city=city)

    def zone_city(self, timezone: str) -> Phrase:
        """The city a clock is known by, from CLDR: «القاهرة» for Africa/Cairo."""
        return self.phrase(get_timezone_location(timezone, locale=self._locale, return_city=True))

    def _clock(self, clock: dt.time) -> Phrase:
        return Phrase(self._numerals.plain(f"{clock.hour % 12 or 12}:{clock.minute:02d}"))


@lru_cache(maxsize=4096)
def _compiled(text: str, writing: Numerals) -> tuple[tuple[str, str | None], ...]:
    """A sentence as (literal, placeholder after it), with its own numbers written as the locale writes them."""
    return tuple((writing.written(literal), name) for literal, name, _, _ in Formatter().parse(text))


def _period(clock: dt.time) -> str:
    """CLDR's Arabic day period; both languages use its names as keys (`time.evening1`)."""
    if clock.hour == 0 and clock.minute == 0:
        return "midnight"
    return get_period_id(clock.replace(tzinfo=None), locale="ar")
