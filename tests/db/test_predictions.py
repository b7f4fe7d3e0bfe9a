"""Predictions as rows: what is refused, who is due, what came of them, and when they are good enough to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import bookings, predictions
from db.bookings import BookingId
from db.hotels import HotelId
from db.pool import Role, as_role, open_pool
from db.predictions import Kind, NewTripPrediction, OutcomePrediction
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell
from tests.fakes.small_hotel import CAIRO, NOW, SmallHotel, night

ALEXANDRIA = 361058
DATES = {
    "earliest": night(20).isoformat(),
    "check_in": night(24).isoformat(),
    "latest": night(40).isoformat(),
    "check_out": night(27).isoformat(),
}


async def act_as(conn: asyncpg.Connection, role: Role, person: UUID | None = None) -> None:
    await conn.execute(f"SET LOCAL ROLE {role.value}")
    await conn.execute("SELECT set_config('app.user_id', $1, true)", str(person or ""))


async def booked(conn: asyncpg.Connection, person: UUID, hotel: SmallHotel, first: int = 30) -> BookingId:
    """A confirmed booking of two nights; the role is the owner's before and after."""
    await act_as(conn, Role.APP, person)
    held = await small_hotel.hold(conn, hotel.double, first, 2)
    assert held.booking_id
    await bookings.confirm(conn, booking=held.booking_id, provider="at_hotel", now=NOW)
    await act_as(conn, Role.OWNER)
    return held.booking_id


def foreseen(booking: UUID, satisfaction: float = 8.5, rating: float = 8.0) -> OutcomePrediction:
    return OutcomePrediction(
        booking_id=BookingId(booking),
        predictions={"satisfaction": {"mark": satisfaction}},
        factors_considered={"satisfaction": []},
        predicted_rating=rating,
        predicted_satisfaction=satisfaction,
        confidence_level=0.5,
        cancellation_risk=0.2,
        model="test",
    )


def next_trip(person: UUID, **changes: Any) -> NewTripPrediction:
    wanted: dict[str, Any] = {
        "user_id": person,
        "destination": "القاهرة",
        "city": CAIRO,
        "dates": DATES,
        "low_usd_cents": 5_000,
        "high_usd_cents": 12_345,
        "currency": "EGP",
        "confidence": 0.6,
        "reasons": [{"reason": "city", "times": 2, "city": CAIRO}],
        "baseline_city": ALEXANDRIA,
        "model": "test",
        "demo": False,
        "expires_at": NOW + timedelta(days=90),
    }
    return NewTripPrediction(**wanted | changes)


async def keep(conn: asyncpg.Connection, made: NewTripPrediction, now: datetime = NOW) -> bool:
    await act_as(conn, Role.WORKER)
    kept = await predictions.keep_trip_prediction(conn, made=made, now=now)
    await act_as(conn, Role.OWNER)
    return kept


async def only_trip(conn: asyncpg.Connection) -> Mapping[str, Any]:
    row: Mapping[str, Any] = await conn.fetchrow("SELECT * FROM trip_predictions")
    return row


# ------------------------------------------------------------------------------------------------ outcomes


async def test_what_was_told_settles_a_prediction_and_a_correction_settles_it_anew(
    conn: asyncpg.Connection,
) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    booking = await completed_stay(conn, sara, hotel)
    await act_as(conn, Role.WORKER)
    assert await predictions.keep_outcome_predictions(conn, made=[foreseen(booking)], now=NOW) == 1
    assert await predictions.keep_outcome_predictions(conn, made=[foreseen(booking, 2)], now=NOW) == 0
    await act_as(conn, Role.OWNER)
    read = (
        "SELECT predicted_satisfaction, actual_satisfaction, actual_rating, prediction_accuracy, actual_at IS NOT NULL AS told "
        "FROM outcome_predictions"
    )

    outcome = await tell(conn, booking, 9)
    row = await conn.fetchrow(read)
    assert (row["predicted_satisfaction"], row["actual_satisfaction"], row["actual_rating"]) == (8.5, 9, 9)
    assert float(row["prediction_accuracy"]) == pytest.approx(1 - 0.5 / 9)

    await conn.execute(
        """UPDATE booking_outcomes SET satisfaction_score = 4, ratings = '{"staff": 2, "food": 5}' WHERE id = $1""",
        outcome,
    )
    row = await conn.fetchrow(read)
    assert (row["actual_satisfaction"], float(row["actual_rating"])) == (4, 3.5)
    assert float(row["prediction_accuracy"]) == pytest.approx(0.5)

    await conn.execute("UPDATE bookings SET status = 'no_show' WHERE id = $1", booking)
    assert not (await conn.fetchrow(read))["told"], "she was not there"
    await conn.execute("UPDATE bookings SET status = 'completed' WHERE id = $1", booking)
    assert (await conn.fetchrow(read))["actual_satisfaction"] == 4
    await conn.execute("DELETE FROM booking_outcomes")
    assert not (await conn.fetchrow(read))["told"], "erased"


@pytest.mark.parametrize(
    ("predicted", "actual", "accuracy"), [(1, 10, 0), (10, 1, 0), (7, 7, 1), (8.5, 9, 1 - 0.5 / 9)]
)
async def test_an_accuracy_is_one_minus_the_share_of_the_range_missed(
    conn: asyncpg.Connection, predicted: float, actual: int, accuracy: float
) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel)
    await act_as(conn, Role.WORKER)
    await predictions.keep_outcome_predictions(conn, made=[foreseen(booking, predicted)], now=NOW)
    await act_as(conn, Role.OWNER)
    await tell(conn, booking, actual)
    found = await conn.fetchval("SELECT prediction_accuracy FROM outcome_predictions")
    assert float(found) == pytest.approx(accuracy)


@pytest.mark.parametrize(
    "wrong",
    [
        {"predicted_satisfaction": 11},
        {"predicted_satisfaction": 0.5},
        {"confidence_level": 1.5},
        {"confidence_level": -0.1},
        {"cancellation_risk": 2},
        {"predicted_rating": 0},
        {"model": ""},
    ],
)
async def test_an_impossible_outcome_prediction_is_refused(
    conn: asyncpg.Connection, wrong: dict[str, Any]
) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel)
    await act_as(conn, Role.OWNER)
    good = {
        "predicted_rating": 8,
        "predicted_satisfaction": 8,
        "confidence_level": 0.5,
        "cancellation_risk": 0.5,
        "model": "t",
    }
    values = good | wrong
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute(
            """
            INSERT INTO outcome_predictions (booking_id, user_id, predictions, factors_considered, predicted_rating,
                predicted_satisfaction, confidence_level, cancellation_risk, model, demo, created_at)
            SELECT b.id, b.user_id, '{}', '{}', $2::float8, $3::float8, $4::float8, $5::float8, $6, false, now()
            FROM bookings b WHERE b.id = $1
            """,
            booking,
            *values.values(),
        )


async def test_a_new_booking_is_due_once_with_what_is_known_of_it(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn, setting="beach")
    sara, omar = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    await conn.execute("UPDATE users SET consented = (id = $1), consented_at = now()", sara)
    for person in (sara, omar):
        await tell(conn, await completed_stay(conn, person, hotel, first=1), 6)
    await tell(conn, await completed_stay(conn, await small_hotel.newcomer(conn), hotel), 9)
    hers, his = await booked(conn, sara, hotel), await booked(conn, omar, hotel)

    await act_as(conn, Role.WORKER)
    due = {facts.booking_id: facts for facts in await predictions.bookings_to_predict(conn, now=NOW, most=10)}
    assert set(due) == {hers, his}
    facts = due[hers]
    assert (facts.user_id, facts.demo, facts.nights, facts.children, facts.resort) == (
        sara,
        False,
        2,
        0,
        True,
    )
    assert facts.lead_days == (night(30) - NOW.date()).days
    assert facts.usd_cents_per_night == pytest.approx(100_000 / 47.2, rel=0.01)
    assert (facts.hotel_n, facts.hotel_sum) == (facts.city_n, facts.city_sum) == (3, 21)
    assert (facts.own_n, facts.own_surplus) == (1, -1.0)
    assert facts.persona_n == 1, "she consented to a persona, the others did not"
    assert due[his].own_n == due[his].own_stays == due[his].persona_n == 0, "he did not consent"

    made = [foreseen(booking) for booking in due]
    assert await predictions.keep_outcome_predictions(conn, made=made, now=NOW) == 2
    assert await predictions.bookings_to_predict(conn, now=NOW, most=10) == []


async def test_a_booking_of_long_ago_and_a_stay_that_has_begun_are_not_due(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    await booked(conn, await small_hotel.newcomer(conn), hotel)
    await act_as(conn, Role.WORKER)
    for now in (NOW + timedelta(days=8), NOW + timedelta(days=60)):
        assert await predictions.bookings_to_predict(conn, now=now, most=10) == []


# ------------------------------------------------------------------------------------------------ next trips


async def test_a_booking_where_and_when_it_was_foreseen_converts_it(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    await keep(conn, next_trip(sara))
    booking = await booked(conn, sara, hotel, first=30)
    found = await only_trip(conn)
    assert (found["closed_because"], found["actual_city"]) == ("converted", CAIRO)
    assert found["converted_at"] == found["closed_at"] == NOW
    trip = await conn.fetchval("SELECT trip_id FROM bookings WHERE id = $1", booking)
    assert found["converted_trip_id"] == trip


@pytest.mark.parametrize(("city", "first"), [(ALEXANDRIA, 30), (CAIRO, 19), (CAIRO, 41)])
async def test_another_place_or_time_is_a_miss(conn: asyncpg.Connection, city: int, first: int) -> None:
    hotel = await small_hotel.open_hotel(conn, city=city)
    sara, omar = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    await keep(conn, next_trip(sara))
    await booked(conn, omar, hotel, first=30)
    assert (await only_trip(conn))["closed_because"] is None, "somebody else's trip"
    await booked(conn, sara, hotel, first=first)
    found = await only_trip(conn)
    assert (found["closed_because"], found["actual_city"], found["converted_trip_id"]) == (
        "missed",
        city,
        None,
    )


async def test_a_prediction_that_is_over_is_not_settled(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    before = NOW - timedelta(days=10)
    await keep(conn, next_trip(sara, expires_at=NOW - timedelta(days=1)), now=before)
    await booked(conn, sara, hotel)
    await act_as(conn, Role.WORKER)
    await predictions.travelers_to_predict(conn, now=NOW, most=10)
    await act_as(conn, Role.OWNER)
    found = await only_trip(conn)
    assert (found["closed_because"], found["closed_at"]) == ("expired", NOW - timedelta(days=1))


async def test_a_newer_prediction_takes_the_place_and_the_same_one_does_not(conn: asyncpg.Connection) -> None:
    sara = await small_hotel.newcomer(conn)
    assert await keep(conn, next_trip(sara))
    assert not await keep(conn, next_trip(sara, confidence=0.9))
    assert await keep(conn, next_trip(sara, city=ALEXANDRIA, destination="الإسكندرية"))
    rows = await conn.fetch("SELECT city, closed_because FROM trip_predictions ORDER BY id")
    assert [tuple(row) for row in rows] == [(CAIRO, "replaced"), (ALEXANDRIA, None)]


async def test_a_budget_is_kept_in_her_currency_to_two_figures(conn: asyncpg.Connection) -> None:
    sara = await small_hotel.newcomer(conn)
    await keep(conn, next_trip(sara))
    assert (await only_trip(conn))["predicted_budget_range"] == {
        "currency": "EGP",
        "low": 240_000,  # 50 USD at 47.2
        "high": 580_000,
    }


async def test_a_budget_is_told_in_the_currency_of_the_city(conn: asyncpg.Connection) -> None:
    await small_hotel.open_hotel(conn, currency="AED")
    await keep(conn, next_trip(await small_hotel.newcomer(conn), currency="EGP"))
    assert (await only_trip(conn))["predicted_budget_range"] == {
        "currency": "AED",
        "low": 18_000,  # 50 USD at 3.6725
        "high": 45_000,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"dates": DATES | {"check_out": DATES["check_in"]}},
        {"dates": DATES | {"earliest": DATES["check_out"]}},
        {"dates": {**DATES, "latest": "soon"}},
        {"dates": {}},
        {"currency": "egp"},
        {"low_usd_cents": 20_000},
        {"reasons": []},
        {"reasons": [{"reason": "the stars"}]},
        {"reasons": [{}]},
        {"confidence": 1.2},
        {"confidence": float("nan")},
        {"destination": ""},
        {"expires_at": NOW},
    ],
)
async def test_an_impossible_trip_prediction_is_refused(
    conn: asyncpg.Connection, wrong: dict[str, Any]
) -> None:
    sara = await small_hotel.newcomer(conn)
    with pytest.raises(
        (asyncpg.CheckViolationError, asyncpg.NotNullViolationError, asyncpg.NumericValueOutOfRangeError)
    ):
        await keep(conn, next_trip(sara, **wrong))


# ------------------------------------------------------------------------------------------------ whose turn it is


async def past_travelers(conn: asyncpg.Connection, count: int) -> list[UUID]:
    """People who consented and have a verified stay, in the order of their ids. As rahhal_owner."""
    hotel = await small_hotel.open_hotel(conn)
    people = []
    for _ in range(count):
        person = await small_hotel.newcomer(conn)
        await conn.execute(
            "UPDATE users SET consented = true, consented_at = now(), last_login_at = $2 WHERE id = $1",
            person,
            NOW,
        )
        await completed_stay(conn, person, hotel, paid=True)
        people.append(person)
    return sorted(people)


async def test_everybody_s_turn_comes_and_then_again_after_a_week(conn: asyncpg.Connection) -> None:
    people = await past_travelers(conn, 3)

    async def due(now: datetime, most: int = 2) -> list[UUID]:
        await act_as(conn, Role.WORKER)
        return [each.user_id for each in await predictions.travelers_to_predict(conn, now=now, most=most)]

    assert await due(NOW) == people[:2]
    assert await due(NOW) == people[2:]
    assert await due(NOW) == people[:2], "and from the beginning"
    for person in people[:2]:
        await keep(conn, next_trip(person))
    later = NOW + timedelta(days=3)
    assert [*await due(later), *await due(later)] == people[2:]
    in_a_week = NOW + timedelta(days=7)
    assert sorted([*await due(in_a_week), *await due(in_a_week)]) == people


async def test_what_is_known_of_a_traveler_are_her_verified_stays(conn: asyncpg.Connection) -> None:
    [sara] = await past_travelers(conn, 1)
    await act_as(conn, Role.WORKER)
    [found] = await predictions.travelers_to_predict(conn, now=NOW, most=10)
    assert (found.user_id, found.demo, found.currency) == (sara, False, "EGP")
    [stay] = found.stays
    assert (stay.city, stay.city_ar, stay.check_in, stay.nights) == (CAIRO, "القاهرة", night(0), 2)
    assert stay.usd_cents == pytest.approx(100_000 / 47.2, rel=0.01)
    [cell] = await predictions.trip_population(conn, demo=False, now=NOW + timedelta(days=30))
    assert (cell.city, cell.month, cell.n, cell.log_price) == (CAIRO, night(0).month, 1, None), (
        "too few to tell a price"
    )
    assert await predictions.trip_population(conn, demo=True, now=NOW) == []


@pytest.mark.parametrize(
    "change",
    [
        "consented = false",
        "consented = NULL, consented_at = NULL",
        "account_status = 'suspended'",
        "demo = true",
        "last_login_at = '2020-01-01'",
    ],
)
async def test_nobody_is_predicted_who_should_not_be(conn: asyncpg.Connection, change: str) -> None:
    await past_travelers(conn, 1)
    await conn.execute(f"UPDATE users SET {change}")
    await act_as(conn, Role.WORKER)
    assert await predictions.travelers_to_predict(conn, now=NOW, most=10) == []


async def test_who_has_a_trip_ahead_needs_no_suggestion(conn: asyncpg.Connection) -> None:
    [sara] = await past_travelers(conn, 1)
    await booked(conn, sara, await small_hotel.open_hotel(conn))
    await act_as(conn, Role.WORKER)
    assert await predictions.travelers_to_predict(conn, now=NOW, most=10) == []


async def test_two_workers_at_once_keep_one_prediction_a_person(database: str) -> None:
    pool = await open_pool(database, min_size=2, max_size=4)
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        people = await past_travelers(conn, 5)

    async def work() -> int:
        async with pool.acquire() as conn, as_role(conn, Role.WORKER):
            due = await predictions.travelers_to_predict(conn, now=NOW, most=10)
            return sum(
                [
                    await predictions.keep_trip_prediction(conn, made=next_trip(each.user_id), now=NOW)
                    for each in due
                ]
            )

    assert sum(await asyncio.gather(work(), work(), work())) == len(people)
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert await conn.fetchval("SELECT count(DISTINCT user_id) FROM trip_predictions") == len(people)
        assert await conn.fetchval("SELECT count(*) FROM trip_predictions") == len(people)
    await asyncio.wait_for(pool.close(), 10)


# ------------------------------------------------------------------------------------------------ a turn


async def test_a_suggestion_is_shown_once_to_its_own_traveler(conn: asyncpg.Connection) -> None:
    sara, omar = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    await small_hotel.open_hotel(conn)
    await keep(conn, next_trip(sara))
    await act_as(conn, Role.APP, omar)
    assert await predictions.open_trip_prediction(conn, user_id=sara, now=NOW) is None
    await act_as(conn, Role.APP, sara)
    found = await predictions.open_trip_prediction(conn, user_id=sara, now=NOW)
    assert found is not None
    assert (found.city_ar, found.city_en, found.shown_at) == ("القاهرة", "Cairo", None)
    await act_as(conn, Role.APP, omar)
    assert not await predictions.show_trip_prediction(conn, prediction=found.id, now=NOW)
    await act_as(conn, Role.APP, sara)
    assert not await predictions.show_trip_prediction(conn, prediction=found.id, now=NOW + timedelta(days=99))
    assert await predictions.show_trip_prediction(conn, prediction=found.id, now=NOW)
    assert not await predictions.show_trip_prediction(conn, prediction=found.id, now=NOW)


async def test_a_turn_reads_no_risk_and_writes_no_prediction(conn: asyncpg.Connection) -> None:
    sara = await small_hotel.newcomer(conn)
    await act_as(conn, Role.APP, sara)
    for statement in (
        "SELECT cancellation_risk FROM outcome_predictions",
        "SELECT factors_considered FROM outcome_predictions",
        "UPDATE outcome_predictions SET actual_satisfaction = 10",
        "UPDATE trip_predictions SET shown_at = now()",
        "DELETE FROM trip_predictions",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await conn.execute(statement)


# ------------------------------------------------------------------------------------------------ the record


async def judged(
    conn: asyncpg.Connection,
    hotel: HotelId,
    count: int,
    *,
    ours: float,
    guess: float,
    actual: int,
    demo: bool = False,
) -> None:
    """So many outcomes that were foreseen. As rahhal_owner."""
    await conn.execute(
        """
        WITH person AS (INSERT INTO users DEFAULT VALUES RETURNING id), t AS (
            INSERT INTO trips (user_id, reference, destination, city, check_in_date, check_out_date)
            SELECT person.id, 'RH-' || gen_random_uuid(), 'القاهرة', 360630, DATE '2026-03-02', DATE '2026-03-04'
            FROM person, generate_series(1, $2) RETURNING id, user_id
        ), b AS (
            INSERT INTO bookings (trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out, adults,
                                  guest_name, nightly, price_minor, currency, timezone, starts_at, penalty_minor, status,
                                  expires_at, confirmation_number, confirmed_at)
            SELECT t.id, t.user_id, $1, (SELECT id FROM room_types WHERE hotel_id = $1 LIMIT 1), t.id::text, 1,
                   DATE '2026-03-02', DATE '2026-03-04', 2, 'Sara Al Ahmad', '{1000,1000}', 2000, 'EGP', 'Africa/Cairo', now(), 0,
                   'completed', now(), t.id::text, now()
            FROM t RETURNING id, user_id
        )
        INSERT INTO outcome_predictions (booking_id, user_id, predictions, factors_considered, predicted_rating,
            predicted_satisfaction, confidence_level, cancellation_risk, model, demo, created_at, actual_rating,
            actual_satisfaction, actual_at)
        SELECT b.id, b.user_id, '{}', '{}', $4::float8 + 0.2 * (row_number() OVER () % 2), $3::float8, 0.5, 0.5, 'test', $6,
               now(), $5::smallint, $5::smallint, now()
        FROM b
        """,
        hotel,
        count,
        ours,
        guess,
        actual,
        demo,
    )


async def test_predictions_are_told_from_200_real_outcomes_on_when_they_beat_the_guess(
    conn: asyncpg.Connection,
) -> None:
    hotel = (await small_hotel.open_hotel(conn)).id
    assert await predictions.record(conn, kind=Kind.OUTCOME) == predictions.Record(
        0, None, None, proven=False
    )
    await judged(conn, hotel, 300, ours=9, guess=5, actual=9, demo=True)
    await judged(conn, hotel, 199, ours=8.5, guess=7, actual=9)
    found = await predictions.record(conn, kind=Kind.OUTCOME)
    assert (found.n, found.error, found.proven) == (199, 0.5, False), "the demo proves nothing"
    assert found.baseline_error == pytest.approx(1.9, abs=0.01)
    await judged(conn, hotel, 1, ours=8.5, guess=7, actual=9)
    await act_as(conn, Role.APP, await _nobody(conn))
    assert (await predictions.record(conn, kind=Kind.OUTCOME)).proven


@pytest.mark.parametrize(("ours", "guess"), [(7, 8.5), (7, 7), (7.0, 6.9)])
async def test_worse_or_hardly_better_than_the_guess_is_not_told(
    conn: asyncpg.Connection, ours: float, guess: float
) -> None:
    hotel = (await small_hotel.open_hotel(conn)).id
    await judged(conn, hotel, 250, ours=ours, guess=guess, actual=9)
    assert not (await predictions.record(conn, kind=Kind.OUTCOME)).proven


async def _nobody(conn: asyncpg.Connection) -> UUID:
    await act_as(conn, Role.OWNER)
    return await small_hotel.newcomer(conn)


async def trips_judged(conn: asyncpg.Connection, count: int, *, right: bool, guess_right: bool) -> None:
    """So many trips that were foreseen, and made. As rahhal_owner."""
    await conn.execute(
        """
        WITH person AS (INSERT INTO users DEFAULT VALUES RETURNING id)
        INSERT INTO trip_predictions (user_id, predicted_destination, city, predicted_dates, predicted_budget_range,
            confidence_level, prediction_reasoning, baseline_city, model, demo, created_at, expires_at, closed_at, closed_because,
            actual_city)
        SELECT person.id, 'X', $2, $4, '{"currency": "EGP", "low": 1, "high": 2}', 0.5, '[{"reason": "popular"}]', $3, 'test',
               false, $5::timestamptz, $5::timestamptz + interval '1 month', $5, 'missed', 1
        FROM person, generate_series(1, $1)
        """,
        count,
        1 if right else 2,
        1 if guess_right else 3,
        DATES,
        NOW,
    )


async def test_trips_are_judged_by_their_city(conn: asyncpg.Connection) -> None:
    await trips_judged(conn, 150, right=True, guess_right=False)
    await trips_judged(conn, 60, right=False, guess_right=True)
    found = await predictions.record(conn, kind=Kind.TRIP)
    assert (found.n, found.proven) == (210, True)
    assert found.error == pytest.approx(60 / 210)
    assert found.baseline_error == pytest.approx(150 / 210)
    await trips_judged(conn, 100, right=False, guess_right=True)
    assert not (await predictions.record(conn, kind=Kind.TRIP)).proven, "no longer clearly better"


# ------------------------------------------------------------------------------------------------ operators


async def test_operators_see_the_risks_and_how_they_did(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    ahead = await booked(conn, sara, hotel, first=30)
    ended = [await completed_stay(conn, sara, hotel, first=n) for n in (1, 5, 9)]
    await act_as(conn, Role.WORKER)
    await predictions.keep_outcome_predictions(
        conn, made=[foreseen(booking) for booking in (ahead, *ended)], now=NOW
    )
    await act_as(conn, Role.OWNER)
    found = await predictions.cancellation_record(conn)
    assert (found.n, found.cancelled) == (3, 0)
    assert found.brier == pytest.approx(0.04)
    assert found.baseline_brier == 0
    [risk] = await predictions.most_at_risk(conn, now=NOW, limit=5)
    assert (risk.cancellation_risk, risk.check_in, risk.currency) == (0.2, night(30), "EGP")
    assert risk.free_until == small_hotel.clock(night(28), 18)
