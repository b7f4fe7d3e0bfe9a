"""Days as travelers name them: the next 15 April, next Friday, a weekend by country, Eid."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

WEEKENDS = {
    # First day of the weekend (Monday is 0). Elsewhere Saturday. Sources: CLDR weekData 46, and the Emirates' change of 2022.
    **dict.fromkeys(("EG", "SA", "KW", "QA", "BH", "OM", "YE", "JO", "IQ", "SY", "LY", "DZ", "SD", "PS"), 4),
}


def make(year: int, month: int, day: int) -> date | None:
    """The date, or None where there is none (30 February)."""
    return date(year, month, day) if 1 <= month <= 12 and 1 <= day <= days_in(year, month) else None


def days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1] if 1 <= year <= 9998 else 0


def next_day_of_year(today: date, month: int, day: int) -> date | None:
    """The first such date that is not past; 29 February waits for its leap year."""
    for year in range(today.year, today.year + 9):
        found = make(year, month, day)
        if found and found >= today:
            return found
    return None


def next_day_of_month(today: date, day: int) -> date | None:
    """The first day numbered `day` that is not past."""
    year, month = today.year, today.month
    for _ in range(12):
        found = make(year, month, day)
        if found and found >= today:
            return found
        year, month = next_month(year, month)
    return None


def next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, days_in(year, month + 1)))


def year_of_month(today: date, month: int) -> int:
    """The year in which a month said alone comes next, this month included."""
    return today.year + (month < today.month)


def next_weekday(today: date, weekday: int, *, strictly: bool = False) -> date:
    ahead = (weekday - today.weekday()) % 7
    return today + timedelta(ahead or (7 if strictly else 0))


def weekend(today: date, country: str, *, strictly: bool = False) -> tuple[date, date]:
    """The coming weekend (on its first day the running one, unless `strictly`): its first day and the day after it."""
    start = next_weekday(today, WEEKENDS.get(country, 5), strictly=strictly)
    return start, start + timedelta(2)


def week_after(today: date, country: str) -> tuple[date, date]:
    """The next calendar week in this country: its first day and the day after it."""
    first = {4: 6, 5: 0}[WEEKENDS.get(country, 5)]
    start = next_weekday(today, first, strictly=True)
    return start, start + timedelta(7)


@lru_cache(maxsize=4_096)
def hijri_to_gregorian(year: int, month: int, day: int) -> date | None:
    """By the Umm al-Qura calendar, which is tabulated for 1343-1500; None outside it or past a month's end."""
    from hijridate import Hijri

    try:
        return Hijri(year, month, day).to_gregorian()
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4_096)
def hijri_year(day: date) -> int:
    from hijridate import Gregorian

    try:
        return int(Gregorian(day.year, day.month, day.day).to_hijri().year)
    except (ValueError, OverflowError):
        return 1447


@lru_cache(maxsize=4_096)
def next_hijri(today: date, month: int, day: int) -> date | None:
    """The first such Hijri date that is not past."""
    year = hijri_year(today)
    for candidate in (year, year + 1, year + 2):
        found = hijri_to_gregorian(candidate, month, day)
        if found and found >= today:
            return found
    return None


def hijri_month(year: int, month: int) -> tuple[date, date] | None:
    """First day of a Hijri month and the day after its last."""
    start = hijri_to_gregorian(year, month, 1)
    end = hijri_to_gregorian(year + (month == 12), month % 12 + 1, 1)
    return (start, end) if start and end else None


HIJRI_HOLIDAYS = {
    # name: month, day, length in days
    "eid_fitr": (10, 1, 3),
    "eid_adha": (12, 10, 4),
    "hajj": (12, 8, 6),
    "arafah": (12, 9, 1),
    "last_ten": (9, 21, 0),  # to the end of the month, 29 or 30
    "mawlid": (3, 12, 1),
    "hijri_new_year": (1, 1, 1),
    "ashura": (1, 10, 1),
    "tarwiyah": (12, 8, 1),
    "tashriq": (12, 11, 3),
    "mid_shaban": (8, 15, 1),
    "isra": (7, 27, 1),
    "night_27": (9, 27, 1),
}
FIXED_HOLIDAYS = {
    "new_year": (12, 31, 2),
    "new_year_day": (1, 1, 1),
    "christmas": (12, 24, 3),
    "coptic_christmas": (1, 7, 1),
    "saudi_national": (9, 23, 1),
    "saudi_founding": (2, 22, 1),
    "uae_national": (12, 2, 2),
    "valentine": (2, 14, 1),
    "womens_day": (3, 8, 1),
    "mothers_day": (3, 21, 1),
    "nowruz": (3, 21, 1),
    "labour_day": (5, 1, 1),
    "throne_day": (7, 30, 1),
    "green_march": (11, 6, 1),
    "liberation_kuwait": (2, 26, 1),
}
NATIONAL_HOLIDAYS = {
    # What «the national day», «independence day» … means by country: month, day. Source: the countries' laws on public holidays.
    "national": {"SA": (9, 23), "AE": (12, 2), "KW": (2, 25), "QA": (12, 18), "BH": (12, 16), "OM": (11, 20), "YE": (5, 22)},
    "independence": {"LB": (11, 22), "JO": (5, 25), "MA": (11, 18), "TN": (3, 20), "DZ": (7, 5), "SY": (4, 17),
                     "LY": (12, 24), "SD": (1, 1), "IQ": (10, 3), "KW": (2, 25), "MR": (11, 28), "YE": (11, 30)},
    "republic": {"TN": (7, 25), "IQ": (7, 14), "EG": (6, 18), "TR": (10, 29), "IT": (6, 2), "YE": (9, 26)},
    "revolution": {"EG": (7, 23), "DZ": (11, 1), "TN": (12, 17), "LY": (2, 17), "YE": (9, 26)},
    "army": {"IQ": (1, 6), "LB": (8, 1), "SY": (8, 1), "EG": (10, 6)},
    "youth": {"MA": (8, 21)},
}  # fmt: skip
SEASONS = {"summer": (6, 9), "winter": (12, 3), "spring": (3, 6), "autumn": (9, 12), "midyear": (1, 2)}


def holiday(name: str, today: date, year: int | None = None, country: str = "") -> tuple[date, date] | None:
    """The holiday's first day and the day after its last; the coming one unless a year is given.

    `country` decides what a national holiday is; None where that country has none of this name.
    """
    for start, end in _occurrences(name, today, year, country):
        if end > today or year is not None:
            return start, end
    return None


def _occurrences(name: str, today: date, year: int | None, country: str) -> Iterator[tuple[date, date]]:
    years = [year] if year else range(today.year, today.year + 3)
    national = NATIONAL_HOLIDAYS.get(name, {}).get(country)
    if name == "eid":
        both = [found for each in ("eid_fitr", "eid_adha") if (found := holiday(each, today, year))]
        yield from sorted(both)
        return
    for each in years:
        if name == "sham_ennessim":
            start = orthodox_easter(each) + timedelta(1)
            yield start, start + timedelta(1)
        elif national:
            yield date(each, *national), date(each, *national) + timedelta(1)
        elif name in FIXED_HOLIDAYS:
            month, day, length = FIXED_HOLIDAYS[name]
            yield date(each, month, day), date(each, month, day) + timedelta(length)
        elif name in HIJRI_HOLIDAYS:
            yield from _hijri_occurrences(name, each)


def _hijri_occurrences(name: str, year: int) -> Iterator[tuple[date, date]]:
    month, day, length = HIJRI_HOLIDAYS[name]
    first = hijri_year(date(year, 1, 1))
    for hijri in (first, first + 1):
        start = hijri_to_gregorian(hijri, month, day)
        if start and start.year == year:
            whole = hijri_month(hijri, month)
            end = whole[1] if whole and not length else start + timedelta(length)
            yield start, end


def orthodox_easter(year: int) -> date:
    """Meeus's Julian algorithm, moved to the Gregorian calendar (13 days, right for 1900-2099)."""
    century = (19 * (year % 19) + 15) % 30
    offset = (2 * (year % 4) + 4 * (year % 7) - century + 34) % 7
    month, day = divmod(century + offset + 114, 31)
    return date(year, month, day + 1) + timedelta(13)


def season(name: str, today: date) -> tuple[date, date]:
    """The season's first day and the day after its last: the running one, or the next."""
    first, last = SEASONS[name]
    for year in range(today.year - 1, today.year + 2):
        end = date(year + (last < first), last, 1)
        if end > today:
            return date(year, first, 1), end
    raise AssertionError("one of three years always ends after today")
