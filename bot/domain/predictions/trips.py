"""A traveler's next trip: where, when and for how much, with the reasons people would give.

Trips come as a Poisson process with a rate for every city and week of the coming year. The rate is made of her own stays,
each counting less with its age and spread over the weeks around its anniversary (by the moon for Ramadan and the Eids), and of
what the population does, worth one stay. The next trip is the first of the process:

    P(next in week j, city c) = exp(−Σ rates before j) · (1 − exp(−rate_j)) · rate_jc / rate_j

The city with the largest sum over the year, and the four weeks in which that city is likeliest, are the prediction; the
probability of both together is its confidence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log
from statistics import median_low

from bot.domain.predictions.seasons import Season, lunar_anniversary, season_of, solar_anniversary
from db.predictions import PastStay, PopulationCell

MODEL = "next trip 1"

WEEKS = 52
WINDOW = 4
"""Weeks of a predicted window."""
FADING = 0.75
"""What a stay counts for after another year."""
SPREAD = {-2: 0.1, -1: 0.2, 0: 0.4, 1: 0.2, 2: 0.1}
"""How a stay is spread over the weeks around its anniversary."""
POPULATION = 1.0
"""How many stays of her own the population is worth."""
USUAL_TRIPS = 1.5
"""Trips a year of somebody unknown; worth `USUAL_YEARS` years of watching."""
USUAL_YEARS = 1.0
PRICE_WEIGHT = 2.0
"""How many stays of her own the population's prices are worth."""
PRICE_SPREAD = 0.4
"""Standard deviation of ln(price) around her usual one: the budget's range is one of it to either side."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason that has a sentence (`prediction.reason.…`). times: how often; city: GeoNames id; month: 1 to 12."""

    reason: str
    times: int | None = None
    city: int | None = None
    month: int | None = None
    season: Season | None = None
    nights: int | None = None


@dataclass(frozen=True, slots=True)
class NextTrip:
    """check_in: the likeliest arrival, between earliest and latest. low_usd, high_usd: US cents a room a night."""

    city: int
    check_in: date
    earliest: date
    latest: date
    nights: int
    low_usd: int
    high_usd: int
    confidence: float
    reasons: tuple[Reason, ...]


class Population:
    """Where and when people travel. Raises ValueError when nobody does."""

    def __init__(self, cells: Iterable[PopulationCell]) -> None:
        self.cells = tuple(cells)
        self.total = sum(cell.n for cell in self.cells)
        if self.total == 0:
            raise ValueError("nobody has travelled yet")
        self.names = {cell.city: cell.city_ar for cell in self.cells}
        self.cities: Counter[int] = Counter()
        self.shares: defaultdict[int, dict[int, float]] = defaultdict(dict)
        for cell in self.cells:
            self.cities[cell.city] += cell.n
            self.shares[cell.month][cell.city] = cell.n / self.total

    @property
    def favourite(self) -> int:
        """Where most people go; of several the lowest id."""
        return min(self.cities, key=lambda city: (-self.cities[city], city))

    def log_price(self, city: int | None = None) -> float | None:
        """Mean ln(US cents a night) of a city, or of all; None where too few people stayed."""
        known = [
            (cell.n, cell.log_price)
            for cell in self.cells
            if cell.log_price is not None and city in (None, cell.city)
        ]
        weight = sum(n for n, _ in known)
        return sum(n * price for n, price in known) / weight if weight else None


def next_trip(stays: Sequence[PastStay], population: Population, *, today: date) -> NextTrip:
    """From at least one past stay, the next trip of that traveler."""
    rates = _rates(stays, population, today)
    chances = _first(rates)
    cities: defaultdict[int, float] = defaultdict(float)
    for week in chances:
        for city, chance in week.items():
            cities[city] += chance
    city = min(cities, key=lambda each: (-cities[each], each))
    weekly = [week.get(city, 0.0) for week in chances]
    first = max(range(WEEKS - WINDOW + 1), key=lambda week: (sum(weekly[week : week + WINDOW]), -week))
    likeliest = max(range(first, first + WINDOW), key=lambda week: (weekly[week], -week))
    check_in = _weekday(_week(today, likeliest), stays)
    low, high = _budget(stays, population, city)
    return NextTrip(
        city=city,
        check_in=check_in,
        earliest=min(check_in, _week(today, first)),
        latest=max(check_in, _week(today, first + WINDOW) - timedelta(days=1)),
        nights=_nights(stays, city),
        low_usd=low,
        high_usd=high,
        confidence=min(1.0, sum(weekly[first : first + WINDOW])),
        reasons=_reasons(stays, city, check_in),
    )


def _rates(stays: Sequence[PastStay], population: Population, today: date) -> list[dict[int, float]]:
    """Trips expected by week and city."""
    weights = [FADING ** (max(0, (today - stay.check_in).days) / 365.25) for stay in stays]
    years = (today - min(stay.check_in for stay in stays)).days / 365.25  # the first stay began the watching
    a_year = (len(stays) - 1 + USUAL_TRIPS * USUAL_YEARS) / (years + USUAL_YEARS)
    by_moon = {
        season: _lunar_share([s.check_in for s in stays if season_of(s.check_in) is season])
        for season in Season
    }
    shares: list[defaultdict[int, float]] = [defaultdict(float) for _ in range(WEEKS)]
    own = 1 / (sum(weights) + POPULATION)
    for stay, weight in zip(stays, weights, strict=True):
        season = season_of(stay.check_in)
        for week, part in _around(stay.check_in, today, by_moon[season] if season else 0.0):
            shares[week][stay.city] += own * weight * part
    for week in range(WEEKS):
        month = _week(today, week).month
        weeks = 365.25 / 12 / 7  # of a month
        for city, share in population.shares[month].items():
            shares[week][city] += own * POPULATION * share / weeks
    return [{city: a_year * share for city, share in week.items()} for week in shares]


def _around(day: date, today: date, by_moon: float) -> Iterable[tuple[int, float]]:
    """The weeks of the coming year that a past arrival speaks for, with their parts."""
    ahead = today.year - day.year
    for years in range(ahead - 1, ahead + 4):
        for again, share in (
            (solar_anniversary(day, day.year + years), 1 - by_moon),
            (lunar_anniversary(day, years), by_moon),
        ):
            distance = (again - today).days // 7
            for shift, part in SPREAD.items():
                if share and 0 <= distance + shift < WEEKS:
                    yield distance + shift, part * share


def _lunar_share(days: Sequence[date]) -> float:
    """How far arrivals in a season follow the moon rather than the sun: the calendar in which they stray less.

    Of a single one nobody can tell: half. 0 for a season that does not move.
    """
    if not days or not (season_of(days[0]) or Season.SUMMER).lunar:
        return 0.0
    first, *others = sorted(days)
    by_sun = by_moon = 1.0  # a day apart says nothing
    for day in others:
        years = round((day - first).days / 365.25)
        by_sun += abs((day - solar_anniversary(first, first.year + years)).days) ** 2
        years = round((day - first).days / 354.37)
        by_moon += abs((day - lunar_anniversary(first, years)).days) ** 2
    return by_sun / (by_sun + by_moon)


def _first(rates: Sequence[Mapping[int, float]]) -> list[dict[int, float]]:
    """The chance of each week and city to be that of the first trip."""
    chances = []
    before = 0.0
    for week in rates:
        total = sum(week.values())
        now = exp(-before) * (1 - exp(-total))
        chances.append({city: now * rate / total for city, rate in week.items()} if total else {})
        before += total
    return chances


def _week(today: date, week: int) -> date:
    return today + timedelta(days=1 + 7 * week)


def _weekday(first: date, stays: Sequence[PastStay]) -> date:
    """The day of that week on which she usually arrives."""
    usual = Counter(stay.check_in.weekday() for stay in stays).most_common(1)[0][0]
    return first + timedelta(days=(usual - first.weekday()) % 7)


def _nights(stays: Sequence[PastStay], city: int) -> int:
    there = [stay.nights for stay in stays if stay.city == city]
    return median_low(there or [stay.nights for stay in stays])


def _budget(stays: Sequence[PastStay], population: Population, city: int) -> tuple[int, int]:
    own = [log(stay.usd_cents) for stay in stays]
    usual = population.log_price(city) or population.log_price() or sum(own) / len(own)
    mean = (sum(own) + PRICE_WEIGHT * usual) / (len(own) + PRICE_WEIGHT)
    return max(1, round(exp(mean - PRICE_SPREAD))), max(1, round(exp(mean + PRICE_SPREAD)))


def _reasons(stays: Sequence[PastStay], city: int, check_in: date) -> tuple[Reason, ...]:
    """At most three, the most telling first."""
    season = season_of(check_in)
    there = [stay for stay in stays if stay.city == city]
    found: list[Reason] = []
    if season and (times := sum(season_of(stay.check_in) is season for stay in there)):
        found.append(Reason("city_season", times=times, city=city, season=season))
    elif times := sum(stay.check_in.month == check_in.month for stay in there):
        found.append(Reason("city_month", times=times, city=city, month=check_in.month))
    elif there:
        found.append(Reason("city", times=len(there), city=city))
    else:
        found.append(Reason("popular", city=city))
    if not there:
        if season and (times := sum(season_of(stay.check_in) is season for stay in stays)):
            found.append(Reason("season", times=times, season=season))
        elif times := sum(stay.check_in.month == check_in.month for stay in stays):
            found.append(Reason("month", times=times, month=check_in.month))
    found.append(Reason("nights", nights=_nights(stays, city)))
    found.append(Reason("spend"))
    return tuple(found[:3])
