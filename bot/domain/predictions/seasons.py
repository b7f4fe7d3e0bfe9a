"""Times of the year that people travel in, by the calendar they follow: Ramadan and the Eids, school holidays."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from hijridate import Gregorian, Hijri


class Season(StrEnum):
    """A season of arrival."""

    RAMADAN = "ramadan"
    EID_FITR = "eid_fitr"
    EID_ADHA = "eid_adha"
    SUMMER = "summer"
    MID_YEAR = "mid_year"

    @property
    def lunar(self) -> bool:
        """Whether it comes some eleven days earlier every year."""
        return self in _FEASTS or self is Season.RAMADAN


_FEASTS = {Season.EID_FITR: (10, 1), Season.EID_ADHA: (12, 10)}
_BEFORE, _AFTER = 4, 6
"""People set out for a feast from so many days before its first day until so many after."""


@cache
def season_of(day: date) -> Season | None:
    """The season of an arrival; lunar ones go before school holidays."""
    try:
        hijri = Gregorian.fromdate(day).to_hijri()
    except OverflowError:  # outside what the tables of Umm al-Qura know (1924 to 2077)
        return _holidays(day)
    for feast, (month, first) in _FEASTS.items():
        distance = (day - Hijri(hijri.year, month, first).to_gregorian()).days
        if -_BEFORE <= distance <= _AFTER:
            return feast
    return Season.RAMADAN if hijri.month == 9 else _holidays(day)


def solar_anniversary(day: date, year: int) -> date:
    """The same day of another Gregorian year; 28 February for the 29th."""
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


@cache
def lunar_anniversary(day: date, years: int) -> date:
    """The same day of the Hijri calendar so many Hijri years later; by the sun where its tables end."""
    try:
        hijri = Gregorian.fromdate(day).to_hijri()
        return Hijri(hijri.year + years, hijri.month, min(hijri.day, 29)).to_gregorian()
    except OverflowError:
        return solar_anniversary(day, day.year + years)


def _holidays(day: date) -> Season | None:
    if day.month in {7, 8}:
        return Season.SUMMER
    if date(day.year, 1, 15) <= day <= date(day.year, 1, 15) + timedelta(days=26):
        return Season.MID_YEAR
    return None
