"""Travelers whose next trip and mark are known, because they are made up: how well are they foreseen?

The simulator does not share the model's form: it has kinds of travelers with habits (a pilgrim, a family by the calendar of
schools, somebody on business, an explorer), hotels with qualities, and marks that are rounded. It shows that the estimates find
what is there to be found; it does not show that real people are like this, which is why travelers see nothing before
200 real outcomes.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log, sqrt
from random import Random
from statistics import mean, stdev

from hijridate import Hijri

from bot.domain.predictions.satisfaction import Evidence, Marks, expect
from bot.domain.predictions.trips import Population, next_trip
from db.predictions import PastStay, PopulationCell

SEED = 20261121
TODAY = date(2026, 11, 21)
CITIES = 40
MECCA = 1


@dataclass(frozen=True, slots=True)
class Share:
    """A mean over people with its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


def share(values: Sequence[float]) -> Share:
    return Share(mean(values), stdev(values) / sqrt(len(values)))


# ------------------------------------------------------------------------------------------------ next trips


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of somebody, and the trip that comes next."""

    past: tuple[PastStay, ...]
    truth: PastStay


def lives(count: int, chance: Random) -> list[Life]:
    popularity = [1 / (rank + 3) for rank in range(CITIES)]
    found: list[Life] = []
    while len(found) < count:
        trips = sorted(_trips(chance, popularity), key=lambda stay: stay.check_in)
        past = [stay for stay in trips if stay.check_in <= TODAY]
        ahead = [stay for stay in trips if TODAY < stay.check_in <= TODAY + timedelta(days=365)]
        if past and ahead:
            found.append(Life(tuple(past), ahead[0]))
    return found


def _trips(chance: Random, popularity: list[float]) -> list[PastStay]:
    kind = chance.choices(("loyal", "pilgrim", "family", "business", "explorer"), (30, 12, 22, 12, 24))[0]
    purse = chance.gauss(log(9000), 0.6)
    homes = chance.choices(range(CITIES), popularity, k=2)
    month = chance.randrange(1, 13)
    trips = []

    def go(city: int, day: date) -> None:
        trips.append(
            PastStay(
                city=city,
                city_ar=f"مدينة {city}",
                check_in=day,
                nights=max(1, round(chance.gauss(4, 1.5))),
                usd_cents=max(500, round(2.718 ** chance.gauss(purse, 0.3))),
            )
        )

    def anywhere() -> int:
        return chance.choices(range(CITIES), popularity)[0]

    for year in range(2023, 2028):
        if kind == "loyal" and chance.random() < 0.85:
            city = homes[0] if chance.random() < 0.8 else anywhere()
            go(city, date(year, month, 1) + timedelta(days=chance.randrange(-10, 38)))
        if kind == "pilgrim" and chance.random() < 0.85:
            go(
                MECCA,
                Hijri(year - 579, 9, 1).to_gregorian() + timedelta(days=chance.randrange(0, 27)),
            )
        if kind == "family":
            if chance.random() < 0.8:
                city = homes[0] if chance.random() < 0.65 else anywhere()
                go(city, date(year, 7, 5) + timedelta(days=chance.randrange(0, 45)))
            if chance.random() < 0.6:
                city = homes[1] if chance.random() < 0.7 else anywhere()
                go(city, Hijri(year - 579, 10, 1).to_gregorian() + timedelta(days=chance.randrange(-2, 4)))
        if kind == "business":
            for _ in range(chance.randrange(3, 8)):
                city = homes[chance.random() < 0.25]
                go(city, date(year, 1, 1) + timedelta(days=chance.randrange(0, 364)))
        if kind == "explorer":
            for _ in range(chance.randrange(0, 3)):
                go(anywhere(), date(year, 1, 1) + timedelta(days=chance.randrange(0, 364)))
    return trips


def population(people: Sequence[Life]) -> Population:
    stays: defaultdict[tuple[int, int], list[PastStay]] = defaultdict(list)
    for life in people:
        for stay in life.past:
            stays[stay.city, stay.check_in.month].append(stay)
    return Population(
        PopulationCell(
            city=city,
            city_ar=f"مدينة {city}",
            month=month,
            n=len(found),
            log_price=mean(log(stay.usd_cents) for stay in found),
        )
        for (city, month), found in sorted(stays.items())
    )


@dataclass(frozen=True, slots=True)
class TripFigures:
    """Shares of people, each against its plain guess. Gains are paired."""

    city: Share
    popular_city: Share
    last_city: Share
    city_gain: Share
    both: Share
    both_guess: Share
    both_gain: Share
    budget: Share
    calibration: list[tuple[float, float]]


def judge_trips(count: int, seed: int = SEED) -> TripFigures:
    people = lives(2 * count, Random(seed))
    others, judged = people[:count], people[count:]
    known = population(others)
    month = _busiest(known)
    city, popular, last, both, both_guess, budget, said = [], [], [], [], [], [], []
    for life in judged:
        trip = next_trip(life.past, known, today=TODAY)
        truth = life.truth
        city.append(float(trip.city == truth.city))
        popular.append(float(known.favourite == truth.city))
        last.append(float(life.past[-1].city == truth.city))
        both.append(float(trip.city == truth.city and trip.earliest <= truth.check_in <= trip.latest))
        both_guess.append(float(known.favourite == truth.city and truth.check_in.month == month))
        budget.append(float(trip.low_usd <= truth.usd_cents <= trip.high_usd))
        said.append(trip.confidence)
    order = sorted(zip(said, both, strict=True))
    thirds = [order[len(order) * part // 4 : len(order) * (part + 1) // 4] for part in range(4)]
    return TripFigures(
        city=share(city),
        popular_city=share(popular),
        last_city=share(last),
        city_gain=share([ours - guess for ours, guess in zip(city, popular, strict=True)]),
        both=share(both),
        both_guess=share(both_guess),
        both_gain=share([ours - guess for ours, guess in zip(both, both_guess, strict=True)]),
        budget=share(budget),
        calibration=[(mean(said for said, _ in part), mean(right for _, right in part)) for part in thirds],
    )


def _busiest(known: Population) -> int:
    months: Counter[int] = Counter()
    for cell in known.cells:
        months[cell.month] += cell.n
    return months.most_common(1)[0][0]


# ------------------------------------------------------------------------------------------------ satisfaction


@dataclass(frozen=True, slots=True)
class World:
    """Standard deviations, in marks, of what makes a mark."""

    name: str
    hotels: float
    personas: float
    people: float
    left_over: float


WORLDS = (
    World("as assumed", 0.7, 0.3, 0.6, 1.2),
    World("people mark alike", 0.7, 0.0, 0.0, 1.2),
    World("people differ much", 0.6, 0.5, 1.1, 1.0),
    World("hotels are alike", 0.1, 0.1, 0.6, 1.4),
)


@dataclass(frozen=True, slots=True)
class MarkFigures:
    """Mean distances from the marks, ours and of plain guesses, and paired gains."""

    ours: Share
    population: Share
    hotel: Share
    gain: Share
    gain_over_hotel: Share
    said_within_one: float
    was_within_one: float


def judge_marks(world: World, count: int, seed: int = SEED) -> MarkFigures:
    chance = Random(f"{seed} {world.name}")
    hotels = [
        (chance.gauss(7.6, world.hotels), [chance.gauss(0, world.personas) for _ in range(3)])
        for _ in range(400)
    ]
    people = [(chance.randrange(3), chance.gauss(0, world.people)) for _ in range(count)]

    def mark(person: tuple[int, float], hotel: tuple[float, list[float]]) -> int:
        felt = hotel[0] + hotel[1][person[0]] + person[1] + chance.gauss(0, world.left_over)
        return max(1, min(10, round(felt)))

    past = [
        [
            (at, mark(person, hotels[at]))
            for at in chance.choices(range(len(hotels)), k=chance.randrange(0, 7))
        ]
        for person in people
    ]
    of_hotel: defaultdict[int, list[int]] = defaultdict(list)
    of_persona: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for person, stays in zip(people, past, strict=True):
        for at, given in stays:
            of_hotel[at].append(given)
            of_persona[at, person[0]].append(given)
    everything = [given for stays in past for _, given in stays]
    usual = mean(everything)
    ours, plain, of_the_hotel, said, within = [], [], [], [], []
    for person, stays in zip(people, past, strict=True):
        at = chance.randrange(len(hotels))
        truth = mark(person, hotels[at])
        there, alike = of_hotel[at], of_persona[at, person[0]]
        surplus = sum(given - mean(of_hotel[where]) for where, given in stays)
        found = expect(
            Evidence(
                everywhere=Marks(len(everything), sum(everything)),
                city=Marks(),
                hotel=Marks(len(there), sum(there)),
                persona=Marks(len(alike), sum(alike)),
                own=Marks(len(stays), surplus),
            )
        )
        ours.append(abs(found.traveler - truth))
        plain.append(abs(usual - truth))
        of_the_hotel.append(abs(found.hotel - truth))
        said.append(found.confidence)
        within.append(abs(found.traveler - truth) <= 1)
    return MarkFigures(
        ours=share(ours),
        population=share(plain),
        hotel=share(of_the_hotel),
        gain=share([guess - our for guess, our in zip(plain, ours, strict=True)]),
        gain_over_hotel=share([guess - our for guess, our in zip(of_the_hotel, ours, strict=True)]),
        said_within_one=mean(said),
        was_within_one=mean(within),
    )
