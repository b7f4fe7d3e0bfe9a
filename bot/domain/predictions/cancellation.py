"""The chance that a booking is cancelled: a scorecard, for operators only. No traveler reads it and no price knows it.

A logistic regression over bands: each feature of the booking falls into one band, every band has its points (log-odds, above or
below the average booking), and the sum of the points is the log-odds of a cancellation. The points stand in
`cancellation.tsv`, fitted and judged by `make eval ARGS=predictions` (tests/evaluation/cancellations.py) on bookings of two
Portuguese hotels of 2015 and 2016. Those are not Arab travelers of today: the order of risks is to be trusted more than their
size, and what became of our own bookings is printed beside it by `rahhal predictions`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp

MODEL = "cancellation 2016-07"
TABLE = "cancellation.tsv"

EDGES: Mapping[str, tuple[float, ...]] = {
    "lead_days": (1, 4, 8, 15, 31),
    "nights": (2, 3, 4, 6, 8),
    "children": (1, 2),
    "resort": (1,),
    "usd_per_night": (50, 80, 120, 180),
    "own_stays": (1,),
}
"""Where the bands of each feature begin: a value below the first edge is in band 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What is known of a booking when it is made.

    lead_days: from the booking to the arrival. resort: not a city hotel. usd_per_night: a room.
    own_stays: earlier bookings of the same traveler that she stayed.
    """

    lead_days: int
    nights: int
    children: int
    resort: bool
    usd_per_night: float
    own_stays: int


@dataclass(frozen=True, slots=True)
class Factor:
    """What one feature adds to the log-odds, beside the average booking."""

    feature: str
    value: float
    points: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """average: the log-odds of an average booking. points: by feature, then by band."""

    average: float
    points: Mapping[str, tuple[float, ...]]

    def factors(self, booking: Features) -> list[Factor]:
        """What moved the risk, the strongest first."""
        found = [
            Factor(name, float(getattr(booking, name)), self.points[name][band])
            for name, band in bands(booking).items()
        ]
        return sorted(found, key=lambda factor: -abs(factor.points))

    def risk(self, booking: Features) -> float:
        """The chance of a cancellation, 0 to 1."""
        odds = self.average + sum(self.points[name][band] for name, band in bands(booking).items())
        return 1 / (1 + exp(-odds))


def bands(booking: Features) -> dict[str, int]:
    """The band of each feature."""
    return {name: sum(getattr(booking, name) >= edge for edge in edges) for name, edges in EDGES.items()}


@cache
def scorecard() -> Scorecard:
    """The shipped one."""
    text = resources.files(__package__).joinpath(TABLE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    points: dict[str, list[float]] = {}
    for row in csv.DictReader(lines, delimiter="\t", strict=True):
        points.setdefault(row["feature"], []).append(float(row["points"]))
    (average,) = points.pop("average")
    return Scorecard(average, {name: tuple(found) for name, found in points.items()})
