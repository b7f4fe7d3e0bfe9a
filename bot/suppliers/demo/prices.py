"""The demo's price calendar: months, busy nights, Ramadan, the Eids, the pilgrimage and the turn of the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from hijridate import Gregorian

from bot.suppliers.demo.hotels import DemoHotel, DemoRoom
from bot.suppliers.demo.places import Season, currencies, seasons
from db.hotels import EVERY_DAY, Rate
from locales.currency import minor_units

_RAMADAN, _SHAWWAL, _DHU_AL_HIJJA = 9, 10, 12
_DEAREST = 380
"""No night costs more than this, in percent of the level."""


@dataclass(frozen=True, slots=True)
class Span:
    """Nights that cost alike: percent of the room's level on quiet and on busy nights."""

    first: date
    last: date
    quiet: int
    busy: int
    min_stay: int


@cache
def calendar(season: str, first: date, last: date) -> tuple[Span, ...]:
    """The nights from first to last, both included, as spans that do not overlap."""
    year = seasons()[season]
    spans: list[Span] = []
    night = first
    while night <= last:
        quiet, busy, min_stay = _night(year, night)
        before = spans[-1] if spans else None
        if before and (before.quiet, before.busy, before.min_stay) == (quiet, busy, min_stay):
            spans[-1] = Span(before.first, night, quiet, busy, min_stay)
        else:
            spans.append(Span(night, night, quiet, busy, min_stay))
        night += timedelta(days=1)
    return tuple(spans)


def rates(hotel: DemoHotel, room: DemoRoom, first: date, last: date) -> list[Rate]:
    """The room's prices on the nights from first to last, in minor units of the hotel's currency."""
    currency = hotel.facts.currency
    found = []
    for span in calendar(hotel.season, first, last):
        quiet = price(room.cents, span.quiet, currency)
        busy = price(room.cents, span.busy, currency)
        if quiet == busy:
            found.append(Rate(span.first, span.last, quiet, EVERY_DAY, span.min_stay))
            continue
        for mask, minor in ((EVERY_DAY & ~hotel.busy_nights, quiet), (hotel.busy_nights, busy)):
            found.append(Rate(span.first, span.last, minor, mask, span.min_stay))
    return found


def nightly(hotel: DemoHotel, room: DemoRoom, check_in: date, check_out: date) -> list[int]:
    """The room's price on each night of a stay, in minor units of the hotel's currency."""
    year = seasons()[hotel.season]
    prices = []
    for number in range((check_out - check_in).days):
        night = check_in + timedelta(days=number)
        quiet, busy, _ = _night(year, night)
        percent = busy if hotel.busy_nights >> night.weekday() & 1 else quiet
        prices.append(price(room.cents, percent, hotel.facts.currency))
    return prices


@cache
def price(cents: int, percent: int, currency: str) -> int:
    """US cents of the level at some percent, in minor units of the currency, on its step (at least one step)."""
    known = currencies()[currency]
    whole = Decimal(cents) * percent / 10000 * known.per_usd
    steps = max(Decimal(1), (whole / known.step).quantize(Decimal(1), ROUND_HALF_UP))
    return int(steps * known.step * 10 ** minor_units(currency))


@cache
def _night(year: Season, night: date) -> tuple[int, int, int]:
    """(percent on a quiet night, percent on a busy one, shortest stay)."""
    month = year.months[night.month - 1]
    feast = _feast(year, night)
    if feast is None:
        return month, month * year.weekend // 100, 1
    percent, min_stay = feast
    level = min(_DEAREST, month * percent // 100)
    return level, level, min_stay


def _feast(year: Season, night: date) -> tuple[int, int] | None:
    """(percent of the month, shortest stay) on a night when the calendar of feasts sets the price."""
    if (night.month, night.day) in {(12, 29), (12, 30), (12, 31), (1, 1)}:
        return year.new_year, 2
    try:
        hijri = Gregorian.fromdate(night).to_hijri()
    except OverflowError:  # outside 1343–1500 AH (1924–2077), which is what the library's tables know
        return None
    if hijri.month == _RAMADAN:
        return (year.last_ten if hijri.day >= 20 else year.ramadan), 1
    if hijri.month == _SHAWWAL and hijri.day <= 3:
        return year.eid_fitr, 2
    if hijri.month == _DHU_AL_HIJJA and hijri.day <= 13:
        return (year.hajj, 1) if hijri.day < 9 else (year.eid_adha, 2)
    return None
