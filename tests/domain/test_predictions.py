"""Predictions as the worker makes them and a traveler is told of them, on the real tables."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg

from bot.domain import predictions as domain
from db import predictions
from db.bookings import BookingId
from db.pool import Role
from db.predictions import Kind
from tests.db.test_predictions import act_as, booked, judged, keep, next_trip, past_travelers, trips_judged
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell
from tests.fakes.small_hotel import CAIRO, NOW


async def test_a_booking_is_foreseen_once_with_what_moved_it(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    for mark in (9, 9, 10):
        await tell(conn, await completed_stay(conn, await small_hotel.newcomer(conn), hotel), mark)
    booking = await booked(conn, await small_hotel.newcomer(conn), hotel)
    await act_as(conn, Role.WORKER)
    assert await domain.foresee_outcomes(conn, now=NOW) == 1
    assert await domain.foresee_outcomes(conn, now=NOW) == 0
    await act_as(conn, Role.OWNER)
    row = await conn.fetchrow("SELECT * FROM outcome_predictions WHERE booking_id = $1", booking)
    assert 7.5 < row["predicted_satisfaction"] < 9.4
    assert row["predicted_satisfaction"] == row["predicted_rating"], "nothing is known of her"
    assert 0.2 < row["cancellation_risk"] < 0.5
    low, high = (row["predictions"]["satisfaction"][end] for end in ("low", "high"))
    assert low < row["predicted_satisfaction"] < high
    factors = row["factors_considered"]
    assert [each["factor"] for each in factors["satisfaction"]] == [
        "everywhere",
        "city",
        "hotel",
        "persona",
        "own",
    ]
    assert {each["factor"] for each in factors["cancellation"]} >= {"lead_days", "nights", "own_stays"}


async def test_the_worker_foresees_trips_of_those_who_consented(conn: asyncpg.Connection) -> None:
    people = await past_travelers(conn, 3)
    await conn.execute("UPDATE users SET consented = false WHERE id = $1", people[0])
    later = NOW + timedelta(days=30)
    await conn.execute("UPDATE users SET last_login_at = $1", later)
    await act_as(conn, Role.WORKER)
    assert await domain.foresee_trips(conn, now=later) == 2
    assert await domain.foresee_trips(conn, now=later) == 0
    await act_as(conn, Role.OWNER)
    rows = await conn.fetch("SELECT * FROM trip_predictions")
    assert {row["user_id"] for row in rows} == set(people[1:])
    for row in rows:
        assert (row["city"], row["predicted_destination"], row["baseline_city"]) == (CAIRO, "القاهرة", CAIRO)
        assert row["predicted_budget_range"]["currency"] == "EGP"
        assert row["prediction_reasoning"][0]["reason"] in {"city", "city_month", "city_season"}
        assert row["expires_at"] > later
        assert not row["demo"]


async def test_stays_of_long_ago_alone_make_no_prediction(conn: asyncpg.Connection) -> None:
    """The population of the last three years is empty then."""
    await past_travelers(conn, 1)
    later = NOW + timedelta(days=1200)
    await conn.execute("UPDATE users SET last_login_at = $1", later)
    await act_as(conn, Role.WORKER)
    assert await domain.foresee_trips(conn, now=later) == 0


async def test_a_trip_is_suggested_only_when_proven_consented_and_likely(conn: asyncpg.Connection) -> None:
    await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)

    async def suggested(*, consented: bool | None = True) -> bool:
        await act_as(conn, Role.APP, sara)
        found = await domain.suggestion(conn, user_id=sara, consented=consented, now=NOW)
        await act_as(conn, Role.OWNER)
        return found is not None

    await keep(conn, next_trip(sara, confidence=0.1))
    assert not await suggested(), "not proven"
    await trips_judged(conn, 200, right=True, guess_right=False)
    assert not await suggested(), "too unlikely"
    await keep(conn, next_trip(sara, city=CAIRO + 1, confidence=0.5))
    assert not await suggested(), "a city without hotels"
    await keep(conn, next_trip(sara, confidence=0.5))
    assert not await suggested(consented=False)
    assert not await suggested(consented=None)
    assert await suggested()
    assert not await suggested(), "once"


async def test_a_mark_is_told_beside_its_prediction_when_proven(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    booking = BookingId(await completed_stay(conn, sara, hotel))
    await act_as(conn, Role.WORKER)
    made = predictions.OutcomePrediction(
        booking_id=booking,
        predictions={},
        factors_considered={},
        predicted_rating=8.0,
        predicted_satisfaction=8.5,
        confidence_level=0.5,
        cancellation_risk=0.2,
        model="test",
    )
    await predictions.keep_outcome_predictions(conn, made=[made], now=NOW)

    async def told(person: UUID) -> predictions.Told | None:
        await act_as(conn, Role.APP, person)
        found = await domain.told(conn, user_id=person, booking=booking)
        await act_as(conn, Role.OWNER)
        return found

    await act_as(conn, Role.OWNER)
    await judged(conn, hotel.id, 199, ours=8.5, guess=7, actual=9)
    assert await told(sara) is None, "she has not said how it was"
    await tell(conn, booking, 9)
    assert (await predictions.record(conn, kind=Kind.OUTCOME)).n == 200, "hers is the two hundredth"
    found = await told(sara)
    assert found is not None
    assert (found.predicted_satisfaction, found.actual_satisfaction) == (8.5, 9)
    omar = await small_hotel.newcomer(conn)
    assert await told(omar) is None, "not his"
