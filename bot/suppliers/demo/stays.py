"""The demo's past: travelers who do not exist, their stays of the last year, and what they said of them.

So that proof, reviews and personas are alive in the first conversation. Every hotel has a quality and a character of its
own; every traveler a purse, a party and a way of giving marks. The same on every machine, counted back from the day it is filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.hotels import DemoHotel, DemoRoom, catalogue
from bot.suppliers.demo.impressions import character, note
from bot.suppliers.demo.prices import nightly
from db.demo_stays import DemoStay, DemoTraveler

SEED = "rahhal demo stays 1"
TRAVELERS = 1500
DAYS_BACK = 330
"""The earliest stay ended so many days ago: within the twelve months that proof speaks of, for a while."""

_PURSES = 3
"""Thrifty, middling, rich: about where the personas' prices part, at 80 and 150 dollars a night."""
_COUNTRIES = (
    ("EG", 30), ("SA", 22), ("AE", 10), ("JO", 6), ("KW", 6), ("MA", 6), ("IQ", 5), ("QA", 4), ("DZ", 4), ("TN", 3),
    ("OM", 2), ("BH", 2),
)  # fmt: skip
_ZONES = {
    "EG": "Africa/Cairo", "SA": "Asia/Riyadh", "AE": "Asia/Dubai", "JO": "Asia/Amman", "KW": "Asia/Kuwait",
    "MA": "Africa/Casablanca", "IQ": "Asia/Baghdad", "QA": "Asia/Qatar", "DZ": "Africa/Algiers", "TN": "Africa/Tunis",
    "OM": "Asia/Muscat", "BH": "Asia/Bahrain",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guest:
    """A traveler. purse: 0 to 2. kindness: what she adds to every mark. party: (adults, children)."""

    facts: DemoTraveler
    purse: int
    kindness: float
    party: tuple[int, int]


@cache
def guests() -> tuple[Guest, ...]:
    """All of them, in a fixed order."""
    return tuple(_guest(number) for number in range(TRAVELERS))


def stays(today: date) -> Iterator[DemoStay]:
    """Every stay, hotel by hotel; all of them had ended before `today`."""
    number = 0
    for hotel in catalogue():
        draw = Draw(SEED, "hotel", hotel.facts.identifier)
        known = _Known(hotel, draw)
        # Some are known far and wide, so that a figure that rests on many stays can be seen too.
        for _ in range(draw.whole(24, 40) if draw.chance(12) else draw.whole(5, 11)):
            number += 1
            yield known.stay(number, today, draw)


def _guest(number: int) -> Guest:
    draw = Draw(SEED, "guest", number)
    country = draw.weighted(_COUNTRIES)
    facts = DemoTraveler(id=_id("guest", number), country=country, timezone=_ZONES[country])
    return Guest(
        facts,
        purse=draw.weighted(((0, 40), (1, 35), (2, 25))),
        kindness=_spread(draw, 0.5),
        party=draw.weighted((((1, 0), 20), ((2, 0), 45), ((2, 1), 12), ((2, 2), 15), ((3, 0), 8))),
    )


class _Known:
    """A hotel as its guests know it."""

    def __init__(self, hotel: DemoHotel, draw: Draw) -> None:
        self.hotel = hotel
        self.praised, self.missed = character(hotel, draw)
        self.quality = 7.3 + 0.22 * (hotel.facts.stars - 3) + _spread(draw, 0.65)
        # What the regulars of each purse make of it: a plain hotel disappoints who wants luxury.
        self.fit = tuple(_spread(draw, 0.3) for _ in range(_PURSES))

    def stay(self, number: int, today: date, draw: Draw) -> DemoStay:
        facts = self.hotel.facts
        room, guest = self._who(draw)
        nights = draw.weighted(((1, 18), (2, 28), (3, 26), (4, 14), (5, 8), (7, 6)))
        check_out = today - timedelta(days=draw.whole(3, DAYS_BACK))
        check_in = check_out - timedelta(days=nights)
        adults, children = guest.party
        adults = min(adults, room.facts.max_adults)
        children = min(children, room.facts.max_children, room.facts.capacity - adults)
        zone = ZoneInfo(facts.timezone)
        booked = datetime.combine(check_in - timedelta(days=_lead(draw)), time(draw.whole(9, 22)), UTC)
        prices = nightly(self.hotel, room, check_in, check_out)
        felt = self.quality + self.fit[guest.purse] + guest.kindness + _spread(draw, 0.95)
        missed = [code for code, share in zip(self.missed, (55, 30, 18), strict=False) if draw.chance(share)]
        score = max(1, min(10, round(felt - 0.45 * len(missed) + 0.3)))
        praised = [
            code
            for code, share in zip(self.praised, (60, 45, 30, 20, 15), strict=False)
            if draw.chance(share)
        ][: 3 if score >= 7 else 1]
        return DemoStay(
            booking=_id("booking", number),
            trip=_id("trip", number),
            user=guest.facts.id,
            number=number,
            hotel=facts.identifier,
            room=room.facts.code,
            check_in=check_in,
            check_out=check_out,
            adults=adults,
            children=children,
            nightly=prices,
            fees=facts.local_fee_minor * nights,
            starts_at=datetime.combine(check_in, facts.check_in_from, zone),
            free_until=None
            if facts.free_days is None
            else datetime.combine(check_in - timedelta(days=facts.free_days), facts.free_until_time, zone),
            penalty=sum(prices) if facts.penalty == "full" else prices[0],
            booked_at=booked,
            ended_at=datetime.combine(check_out, facts.check_out_until, zone),
            told_at=datetime.combine(check_out + timedelta(days=1), time(draw.whole(9, 21), 5), zone),
            satisfaction=score,
            would_rebook=draw.chance(max(3, min(97, (score - 5) * 24))) if draw.chance(92) else None,
            exceeded=draw.chance(max(2, min(80, (score - 6) * 20))) if draw.chance(85) else None,
            praised=praised,
            missed=missed,
            ratings={
                aspect: max(1, min(10, score + draw.whole(-1, 1)))
                for aspect in ("cleanliness", "staff", "location", "value")
                if draw.chance(45)
            },
            note=note(score, praised, missed, draw) if draw.chance(35) else None,
        )

    def _who(self, draw: Draw) -> tuple[DemoRoom, Guest]:
        """A room and somebody for whose purse it is."""
        room = draw.weighted([(room, 6 if n == 0 else 2) for n, room in enumerate(self.hotel.rooms)])
        suits = 0 if room.cents < 75_00 else 1 if room.cents < 145_00 else 2
        purse = suits if draw.chance(90) else draw.pick(_neighbours(suits))
        return room, draw.pick(_of_purse(purse))


def _neighbours(purse: int) -> tuple[int, ...]:
    return tuple(other for other in range(_PURSES) if abs(other - purse) == 1)


@cache
def _of_purse(purse: int) -> tuple[Guest, ...]:
    return tuple(guest for guest in guests() if guest.purse == purse)


def _lead(draw: Draw) -> int:
    """Days between booking and arrival: many book late, some months ahead."""
    return 1 + int(draw.between(0, 1) ** 2.5 * 120)


def _spread(draw: Draw, deviation: float) -> float:
    """About a normal deviate: the sum of four even ones, whose standard deviation is 1/√3."""
    return sum(draw.between(-0.5, 0.5) for _ in range(4)) * deviation * 3**0.5


def _id(kind: str, number: int) -> UUID:
    """The same on every machine, so that filling twice writes nothing twice."""
    return uuid5(NAMESPACE_URL, f"{SEED}/{kind}/{number}")
