"""How a stay will be for this traveler, of 10: what is known of the hotel, of travelers like her there, and of her own marks.

A sum of parts, each drawn towards nothing the less is known of it (a normal model with known variances; the shrinkage is
n / (n + k), k = variance of a mark around the part / variance between parts):

    everywhere → city → hotel    what the hotel gets; this alone is the plain guess that the rest has to beat
    + persona at the hotel       how far travelers of her persona lie above or below it there
    + her own way of marking     how far her marks lay above or below the hotels' means before

The deviations below are assumptions until real outcomes allow a fit; `make eval ARGS=predictions` shows how the estimate does in
simulated worlds where they are true and where they are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt

MODEL = "satisfaction 1"

MEAN = 7.5
"""Of all marks, before there are any; worth `MEAN_WEIGHT` of them."""
MEAN_WEIGHT = 20.0

# Standard deviations, in marks.
BETWEEN_CITIES = 0.3
BETWEEN_HOTELS = 0.7
BETWEEN_PERSONAS = 0.3
BETWEEN_PEOPLE = 0.6
LEFT_OVER = 1.2
"""Of one mark, when everything above is known."""

_WITHIN_HOTEL = sqrt(LEFT_OVER**2 + BETWEEN_PERSONAS**2 + BETWEEN_PEOPLE**2)


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks given: how many, and their sum."""

    n: int = 0
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known. own: her earlier marks; their sum is that of the distances from the means of their hotels."""

    everywhere: Marks
    city: Marks
    hotel: Marks
    persona: Marks
    own: Marks


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the estimate: how many marks it rests on, and by how much it moved the estimate."""

    factor: str
    n: int
    effect: float


@dataclass(frozen=True, slots=True)
class Expectation:
    """hotel: what the hotel gets. traveler: what she will give. deviation: of her mark around that.

    confidence: the chance that her mark is at most one away.
    """

    hotel: float
    traveler: float
    deviation: float
    confidence: float
    parts: tuple[Part, ...]


def expect(known: Evidence) -> Expectation:
    """The estimate with what it is made of."""
    everywhere = _drawn(known.everywhere, MEAN, MEAN_WEIGHT)
    city = _drawn(known.city, everywhere, _k(_WITHIN_HOTEL**2 + BETWEEN_HOTELS**2, BETWEEN_CITIES))
    hotel_k = _k(_WITHIN_HOTEL**2, BETWEEN_HOTELS)
    hotel = _drawn(known.hotel, city, hotel_k)
    persona_k = _k(LEFT_OVER**2 + BETWEEN_PEOPLE**2, BETWEEN_PERSONAS)
    persona = (known.persona.total - known.persona.n * hotel) / (known.persona.n + persona_k)
    own_k = _k(LEFT_OVER**2 + BETWEEN_PERSONAS**2, BETWEEN_PEOPLE)
    own = known.own.total / (known.own.n + own_k)
    unknown = (
        LEFT_OVER**2
        + BETWEEN_HOTELS**2 * hotel_k / (known.hotel.n + hotel_k)
        + BETWEEN_PERSONAS**2 * persona_k / (known.persona.n + persona_k)
        + BETWEEN_PEOPLE**2 * own_k / (known.own.n + own_k)
    )
    deviation = sqrt(unknown)
    return Expectation(
        hotel=_within(hotel),
        traveler=_within(hotel + persona + own),
        deviation=deviation,
        confidence=erf(1 / (deviation * sqrt(2))),
        parts=(
            Part("everywhere", known.everywhere.n, everywhere - MEAN),
            Part("city", known.city.n, city - everywhere),
            Part("hotel", known.hotel.n, hotel - city),
            Part("persona", known.persona.n, persona),
            Part("own", known.own.n, own),
        ),
    )


def _drawn(marks: Marks, towards: float, k: float) -> float:
    return (marks.total + k * towards) / (marks.n + k)


def _k(around: float, between: float) -> float:
    return around / between**2


def _within(mark: float) -> float:
    return min(10.0, max(1.0, mark))
