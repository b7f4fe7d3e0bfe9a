"""How a stay was: what can be said of it, and saying it.

The words are closed lists, because only what is counted can be shown as a count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import asyncpg

from bot.errors import DomainError
from db import outcomes
from db.bookings import BookingId
from db.outcomes import Recorded

MOST_WORDS = 8
MOST_NOTE = 1_000
"""Code points of a guest's own words that are kept."""


class Highlight(StrEnum):
    """What guests praise; `app.highlight_codes()` lists the same."""

    LOCATION = "location"
    BREAKFAST = "breakfast"
    CLEANLINESS = "cleanliness"
    STAFF = "staff"
    QUIET = "quiet"
    COMFORTABLE_BEDS = "comfortable_beds"
    VIEW = "view"
    POOL = "pool"
    BEACH = "beach"
    FOOD = "food"
    SPACIOUS_ROOMS = "spacious_rooms"
    FAMILY_FRIENDLY = "family_friendly"
    FAST_WIFI = "fast_wifi"
    FAST_CHECK_IN = "fast_check_in"
    PARKING = "parking"
    VALUE = "value"


class PainPoint(StrEnum):
    """What guests miss; `app.pain_point_codes()` lists the same."""

    SLOW_LIFT = "slow_lift"
    NOISE = "noise"
    SLOW_WIFI = "slow_wifi"
    SMALL_ROOMS = "small_rooms"
    OLD_FURNITURE = "old_furniture"
    NOT_CLEAN = "not_clean"
    POOR_BREAKFAST = "poor_breakfast"
    SLOW_CHECK_IN = "slow_check_in"
    COLD_WATER = "cold_water"
    WEAK_AIR_CONDITIONING = "weak_air_conditioning"
    HARD_PARKING = "hard_parking"
    FAR_FROM_CENTER = "far_from_center"
    UNFRIENDLY_STAFF = "unfriendly_staff"
    CROWDED_POOL = "crowded_pool"
    UNCOMFORTABLE_BEDS = "uncomfortable_beds"
    EXPENSIVE_EXTRAS = "expensive_extras"


class Aspect(StrEnum):
    """What can be given a mark of its own."""

    CLEANLINESS = "cleanliness"
    COMFORT = "comfort"
    LOCATION = "location"
    STAFF = "staff"
    FOOD = "food"
    VALUE = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a guest says of a stay. score: 1 to 10; None: not answered."""

    score: int
    would_rebook: bool | None = None
    exceeded: bool | None = None
    highlights: tuple[Highlight, ...] = ()
    pain_points: tuple[PainPoint, ...] = ()
    ratings: dict[Aspect, int] = field(default_factory=dict)
    note: str | None = None


async def record(conn: asyncpg.Connection, *, booking: BookingId, told: Told, now: datetime) -> Recorded:
    """Write it for this turn's person, once, or correct it within 14 days.

    Raises DomainError: `outcome.bad_score`, `outcome.not_stayed` (the stay is not over, or not hers), `outcome.too_late`.
    """
    if not 1 <= told.score <= 10:
        raise DomainError("outcome.bad_score")
    done = await outcomes.record(
        conn,
        booking=booking,
        score=told.score,
        would_rebook=told.would_rebook,
        exceeded=told.exceeded,
        highlights=list(dict.fromkeys(told.highlights))[:MOST_WORDS],
        pain_points=list(dict.fromkeys(told.pain_points))[:MOST_WORDS],
        ratings={aspect.value: mark for aspect, mark in told.ratings.items()},
        note=(told.note or "").strip()[:MOST_NOTE] or None,
        now=now,
    )
    if done is Recorded.NOT_STAYED:
        raise DomainError("outcome.not_stayed")
    if done is Recorded.TOO_LATE:
        raise DomainError("outcome.too_late")
    return done
