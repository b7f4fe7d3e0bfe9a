"""What is foreseen: how a booked stay will be, whether it will be cancelled, and where somebody travels next.

Plain statistics that can be explained, each in its own module. The worker makes predictions; a traveler is told of one only when
predictions of its kind have beaten the plain guess on at least 200 real outcomes (`db.predictions.record`), and of a
cancellation risk never: that is for operators.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from bot.domain.predictions import cancellation, satisfaction, trips
from bot.domain.predictions.cancellation import Features, scorecard
from bot.domain.predictions.satisfaction import Evidence, Marks, expect
from bot.domain.predictions.trips import NextTrip, Population, next_trip
from db import predictions
from db.bookings import BookingId
from db.predictions import (
    BookingFacts,
    Kind,
    NewTripPrediction,
    OutcomePrediction,
    Told,
    Traveler,
    TripPrediction,
)

MOST_BOOKINGS = 200
MOST_TRAVELERS = 500
LEAST_CONFIDENCE = 0.2
"""A next trip less likely than that is not worth a word."""


async def foresee_outcomes(conn: asyncpg.Connection, *, now: datetime) -> int:
    """Predict the bookings that were made lately, as rahhal_worker; how many were new."""
    found = await predictions.bookings_to_predict(conn, now=now, most=MOST_BOOKINGS)
    if not found:
        return 0
    return await predictions.keep_outcome_predictions(conn, made=[outcome(facts) for facts in found], now=now)


async def foresee_trips(conn: asyncpg.Connection, *, now: datetime) -> int:
    """Predict the next trips of some of those who consented, as rahhal_worker; how many predictions are new.

    Called again and again it gets around to everybody; nobody's is made anew within a week.
    """
    people = await predictions.travelers_to_predict(conn, now=now, most=MOST_TRAVELERS)
    new = 0
    for demo in {traveler.demo for traveler in people}:
        cells = await predictions.trip_population(conn, demo=demo, now=now)
        if not cells:
            continue  # nobody has travelled for three years
        population = Population(cells)
        for traveler in people:
            if traveler.demo is demo:
                made = trip(traveler, population, now=now)
                new += await predictions.keep_trip_prediction(conn, made=made, now=now)
    return new


async def suggestion(
    conn: asyncpg.Connection, *, user_id: UUID, consented: bool | None, now: datetime
) -> TripPrediction | None:
    """The next trip to speak of to this traveler, once; None as long as it is none of her business or not proven."""
    if not consented:
        return None
    found = await predictions.open_trip_prediction(conn, user_id=user_id, now=now)
    if (
        found is None
        or found.shown_at is not None
        or found.confidence_level < LEAST_CONFIDENCE
        or not (await predictions.record(conn, kind=Kind.TRIP)).proven
        or not await predictions.show_trip_prediction(conn, prediction=found.id, now=now)
    ):
        return None
    return found


async def told(conn: asyncpg.Connection, *, user_id: UUID, booking: BookingId) -> Told | None:
    """What was foreseen of a stay beside what she said of it; None as long as predictions are not proven."""
    found = await predictions.told(conn, user_id=user_id, booking=booking)
    if found is None or not (await predictions.record(conn, kind=Kind.OUTCOME)).proven:
        return None
    return found


# ------------------------------------------------------------------------------------------------ parts


def outcome(facts: BookingFacts) -> OutcomePrediction:
    """What is foreseen of a booking, with what moved it."""
    booking = Features(
        lead_days=facts.lead_days,
        nights=facts.nights,
        children=facts.children,
        resort=facts.resort,
        usd_per_night=facts.usd_cents_per_night / 100,
        own_stays=facts.own_stays,
    )
    expected = expect(
        Evidence(
            everywhere=Marks(facts.everywhere_n, facts.everywhere_sum),
            city=Marks(facts.city_n, facts.city_sum),
            hotel=Marks(facts.hotel_n, facts.hotel_sum),
            persona=Marks(facts.persona_n, facts.persona_sum),
            own=Marks(facts.own_n, facts.own_surplus),
        )
    )
    return OutcomePrediction(
        booking_id=facts.booking_id,
        predictions={
            "satisfaction": {
                "mark": round(expected.traveler, 2),
                "low": round(max(1.0, expected.traveler - expected.deviation), 2),
                "high": round(min(10.0, expected.traveler + expected.deviation), 2),
            },
        },
        factors_considered={
            "satisfaction": [
                {"factor": part.factor, "n": part.n, "effect": round(part.effect, 3)}
                for part in expected.parts
            ],
            "cancellation": [
                {"factor": factor.feature, "value": factor.value, "effect": factor.points}
                for factor in scorecard().factors(booking)
            ],
        },
        predicted_rating=round(expected.hotel, 2),
        predicted_satisfaction=round(expected.traveler, 2),
        confidence_level=round(expected.confidence, 3),
        cancellation_risk=round(scorecard().risk(booking), 3),
        model=f"{satisfaction.MODEL}, {cancellation.MODEL}",
    )


def trip(traveler: Traveler, population: Population, *, now: datetime) -> NewTripPrediction:
    """The next trip of somebody, as it is kept."""
    today = now.astimezone(ZoneInfo("UTC")).date()
    found = next_trip(traveler.stays, population, today=today)
    return NewTripPrediction(
        user_id=traveler.user_id,
        destination=(population.names | {stay.city: stay.city_ar for stay in traveler.stays})[found.city],
        city=found.city,
        dates=_dates(found),
        low_usd_cents=found.low_usd,
        high_usd_cents=found.high_usd,
        currency=traveler.currency,
        confidence=round(found.confidence, 3),
        reasons=[_reason(reason) for reason in found.reasons],
        baseline_city=population.favourite,
        model=trips.MODEL,
        demo=traveler.demo,
        expires_at=now + (found.latest - today) + timedelta(days=1),
    )


def _dates(found: NextTrip) -> dict[str, str]:
    days: dict[str, date] = {
        "earliest": found.earliest,
        "check_in": found.check_in,
        "latest": found.latest,
        "check_out": found.check_in + timedelta(days=found.nights),
    }
    return {name: day.isoformat() for name, day in days.items()}


def _reason(reason: trips.Reason) -> dict[str, Any]:
    fields = {
        "reason": reason.reason,
        "times": reason.times,
        "city": reason.city,
        "month": reason.month,
        "season": reason.season,
        "nights": reason.nights,
    }
    return {name: value for name, value in fields.items() if value is not None}
