"""What is foreseen and what came of it: next trips, and outcomes of bookings.

The worker asks what is due and keeps what the domain made of it; a turn reads its own person's; the record of how good
predictions were is everybody's, and names nobody. Marks are of 10, prices in US cents or minor units of a currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

import asyncpg

from db.bookings import BookingId

TripPredictionId = NewType("TripPredictionId", UUID)


class Kind(StrEnum):
    """What a record is of."""

    OUTCOME = "outcome"
    TRIP = "trip"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFacts:
    """What is known of a booking when it is made; her own past is zero where she did not consent to learning from it.

    lead_days: from the booking to the arrival. resort: by the sea, in the desert or the mountains. usd_cents_per_night: a room.
    own_stays: her earlier bookings that she stayed.
    *_n and *_sum: marks given, and their sum: to the hotel, by her persona there, in the city, everywhere.
    own_surplus: how far her own marks lay above the means of their hotels, added up over own_n of them.
    """

    booking_id: BookingId
    user_id: UUID
    demo: bool
    lead_days: int
    nights: int
    children: int
    resort: bool
    usd_cents_per_night: int
    own_stays: int
    hotel_n: int
    hotel_sum: int
    persona_n: int
    persona_sum: int
    city_n: int
    city_sum: int
    everywhere_n: int
    everywhere_sum: int
    own_n: int
    own_surplus: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePrediction:
    """What is foreseen of a booking; see the columns of outcome_predictions."""

    booking_id: BookingId
    predictions: Mapping[str, Any]
    factors_considered: Mapping[str, Any]
    predicted_rating: float
    predicted_satisfaction: float
    confidence_level: float
    cancellation_risk: float
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStay:
    """A verified stay. city: GeoNames id. usd_cents: a room a night."""

    city: int
    city_ar: str
    check_in: date
    nights: int
    usd_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveler:
    """Somebody whose next trip may be foreseen, from the latest 30 stays, the earliest first. currency: of the latest."""

    user_id: UUID
    demo: bool
    currency: str
    stays: tuple[PastStay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationCell:
    """Stays in a city by month of arrival. log_price: mean of ln(US cents a night); None where too few people stayed."""

    city: int
    city_ar: str
    month: int
    n: int
    log_price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTripPrediction:
    """The dates as {earliest, check_in, latest, check_out}, the reasons as [{reason, …}].

    low_usd_cents, high_usd_cents: a room a night; kept in the currency of the city's hotels, or in `currency` where it has none.
    """

    user_id: UUID
    destination: str
    city: int
    dates: Mapping[str, str]
    low_usd_cents: int
    high_usd_cents: int
    currency: str
    confidence: float
    reasons: Sequence[Mapping[str, Any]]
    baseline_city: int
    model: str
    demo: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TripPrediction:
    """An open prediction of one's own, for a city that has hotels."""

    id: TripPredictionId
    city: int
    city_ar: str
    city_en: str
    country: str
    predicted_dates: Mapping[str, str]
    predicted_budget_range: Mapping[str, Any]
    confidence_level: float
    prediction_reasoning: Sequence[Mapping[str, Any]]
    demo: bool
    expires_at: datetime
    shown_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was foreseen of one's own stay, and what one said of it. prediction_accuracy: 1 − |difference| / 9."""

    predicted_satisfaction: float
    actual_satisfaction: int
    prediction_accuracy: float
    demo: bool


@dataclass(frozen=True, slots=True)
class Record:
    """How the newest real predictions did. error, baseline_error: ours and a plain guess's; None where there are none.

    Of outcomes: the mean distance from the mark that was given. Of trips: the share of wrong cities.
    """

    n: int
    error: float | None
    baseline_error: float | None
    proven: bool


@dataclass(frozen=True, slots=True)
class CancellationRecord:
    """How the risks of real bookings did that have ended since. Brier scores: of the risks, and of the plain share cancelled."""

    n: int
    cancelled: int
    brier: float | None
    baseline_brier: float | None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A booking that lies ahead, and the chance that it is cancelled. price_minor: in minor units of `currency`."""

    reference: str
    hotel_identifier: str
    check_in: date
    price_minor: int
    currency: str
    cancellation_risk: float
    free_until: datetime | None


# ------------------------------------------------------------------------------------------------ the worker


async def bookings_to_predict(conn: asyncpg.Connection, *, now: datetime, most: int) -> list[BookingFacts]:
    """Bookings of the last week without a prediction, the oldest first."""
    rows = await conn.fetch("SELECT * FROM app.bookings_to_predict($1, $2)", now, most)
    return [BookingFacts(**{field.name: row[field.name] for field in fields(BookingFacts)}) for row in rows]


async def keep_outcome_predictions(
    conn: asyncpg.Connection, *, made: Sequence[OutcomePrediction], now: datetime
) -> int:
    """Keep them, a booking's first one only; how many are new."""
    rows = [
        {field.name: getattr(one, field.name) for field in fields(OutcomePrediction)}
        | {"booking_id": str(one.booking_id)}
        for one in made
    ]
    return int(await conn.fetchval("SELECT app.keep_outcome_predictions($1, $2)", rows, now))


async def travelers_to_predict(conn: asyncpg.Connection, *, now: datetime, most: int) -> list[Traveler]:
    """The next of those who consented and have stays; closes expired predictions on the way.

    Looks at `most` people at a time and goes on where it ended the last time, so an empty list says nothing of the others.
    """
    rows = await conn.fetch("SELECT * FROM app.travelers_to_predict($1, $2)", now, most)
    return [
        Traveler(
            user_id=row["user_id"],
            demo=row["demo"],
            currency=row["currency"],
            stays=tuple(
                PastStay(**{**stay, "check_in": date.fromisoformat(stay["check_in"])})
                for stay in row["stays"]
            ),
        )
        for row in rows
    ]


async def trip_population(conn: asyncpg.Connection, *, demo: bool, now: datetime) -> list[PopulationCell]:
    """Where and when people travelled in the last three years: to real hotels, or in the demo."""
    rows = await conn.fetch("SELECT * FROM app.trip_population($1, $2)", demo, now)
    return [PopulationCell(**dict(row)) for row in rows]


async def keep_trip_prediction(conn: asyncpg.Connection, *, made: NewTripPrediction, now: datetime) -> bool:
    """Keep it in the place of the open one; False when that one says the same."""
    kept: bool = await conn.fetchval(
        "SELECT app.keep_trip_prediction($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        made.user_id,
        made.destination,
        made.city,
        dict(made.dates),
        made.low_usd_cents,
        made.high_usd_cents,
        made.currency,
        made.confidence,
        [dict(reason) for reason in made.reasons],
        made.baseline_city,
        made.model,
        made.demo,
        now,
        made.expires_at,
    )
    return kept


# ------------------------------------------------------------------------------------------------ a turn


async def record(conn: asyncpg.Connection, *, kind: Kind) -> Record:
    """How the newest 2,000 real predictions of a kind did; `proven` from 200 on, when they beat the plain guess."""
    row = await conn.fetchrow("SELECT * FROM app.prediction_record($1)", kind.value)
    return Record(row["n"], row["error"], row["baseline_error"], row["proven"])


async def open_trip_prediction(
    conn: asyncpg.Connection, *, user_id: UUID, now: datetime
) -> TripPrediction | None:
    """This person's prediction that still may come true."""
    row = await conn.fetchrow(
        """
        SELECT p.id, p.city, h.city_ar, h.city_en, h.country, p.predicted_dates, p.predicted_budget_range,
               p.confidence_level::double precision AS confidence_level, p.prediction_reasoning, p.demo, p.expires_at, p.shown_at
        FROM trip_predictions p
        CROSS JOIN LATERAL (
            SELECT h.city_ar, h.city_en, h.country FROM hotels h WHERE h.city = p.city AND h.listed ORDER BY h.id LIMIT 1
        ) AS h
        WHERE p.user_id = $1 AND p.closed_at IS NULL AND p.expires_at > $2 ORDER BY p.created_at DESC LIMIT 1
        """,
        user_id,
        now,
    )
    return None if row is None else TripPrediction(**dict(row))


async def show_trip_prediction(
    conn: asyncpg.Connection, *, prediction: TripPredictionId, now: datetime
) -> bool:
    """She is being told of it; False when she was before, or it is over."""
    return bool(await conn.fetchval("SELECT app.show_trip_prediction($1, $2)", prediction, now))


async def told(conn: asyncpg.Connection, *, user_id: UUID, booking: BookingId) -> Told | None:
    """What was foreseen of this person's stay beside what she said of it; None before she did."""
    row = await conn.fetchrow(
        """
        SELECT predicted_satisfaction::double precision AS predicted_satisfaction, actual_satisfaction,
               prediction_accuracy::double precision AS prediction_accuracy, demo
        FROM outcome_predictions WHERE booking_id = $1 AND user_id = $2 AND actual_satisfaction IS NOT NULL
        """,
        booking,
        user_id,
    )
    return None if row is None else Told(**dict(row))


# ------------------------------------------------------------------------------------------------ operators


async def cancellation_record(conn: asyncpg.Connection) -> CancellationRecord:
    """Of the newest 5,000 real bookings with a prediction that were stayed, missed or cancelled. As rahhal_owner."""
    row = await conn.fetchrow(
        """
        WITH ended AS (
            SELECT p.cancellation_risk::double precision AS risk, (b.status = 'cancelled')::integer AS cancelled
            FROM outcome_predictions p JOIN bookings b ON b.id = p.booking_id
            WHERE NOT p.demo AND b.status IN ('cancelled', 'completed', 'no_show')
            ORDER BY p.id DESC LIMIT 5000
        )
        SELECT count(*) AS n, coalesce(sum(cancelled), 0) AS cancelled, avg((risk - cancelled) ^ 2) AS brier,
               avg(cancelled)::double precision * (1 - avg(cancelled)::double precision) AS baseline_brier
        FROM ended
        """
    )
    return CancellationRecord(row["n"], row["cancelled"], row["brier"], row["baseline_brier"])


async def most_at_risk(conn: asyncpg.Connection, *, now: datetime, limit: int) -> list[AtRisk]:
    """Confirmed stays ahead, the likeliest to be cancelled first. As rahhal_owner."""
    rows = await conn.fetch(
        """
        SELECT t.reference, h.identifier AS hotel_identifier, b.check_in, b.price_minor, b.currency,
               p.cancellation_risk::double precision AS cancellation_risk, b.free_until
        FROM bookings b
        JOIN outcome_predictions p ON p.booking_id = b.id
        JOIN trips t ON t.id = b.trip_id
        JOIN hotels h ON h.id = b.hotel_id
        WHERE b.status = 'confirmed' AND b.starts_at > $1
        ORDER BY p.cancellation_risk DESC, b.starts_at LIMIT $2
        """,
        now,
        limit,
    )
    return [AtRisk(**dict(row)) for row in rows]
