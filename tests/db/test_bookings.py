"""The doors to the rooms: what holds, what refuses, what is frozen."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from db import bookings, inventory, trips
from db.bookings import Booking, BookingId, BookingStatus, Outcome
from db.hotels import Rate
from db.pool import Role
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW, SmallHotel, claim, clock, hold, night


@pytest.fixture
async def hotel(conn: asyncpg.Connection) -> SmallHotel:
    return await small_hotel.open_hotel(conn)


@pytest.fixture
async def person(conn: asyncpg.Connection, hotel: SmallHotel) -> UUID:
    """A person whose turn it is from here on, as rahhal_app."""
    person = await small_hotel.newcomer(conn)
    await become(conn, Role.APP, person)
    return person


async def become(conn: asyncpg.Connection, role: Role, person: UUID | None = None) -> None:
    await conn.execute(f"SET LOCAL ROLE {role.value}")
    if person is not None:
        await claim(conn, person)


async def book(conn: asyncpg.Connection, hotel: SmallHotel, first: int, nights: int) -> BookingId:
    held = await hold(conn, hotel.double, first, nights)
    assert held.booking_id is not None
    assert (
        await bookings.confirm(conn, booking=held.booking_id, provider="at_hotel", now=NOW)
    ).outcome is Outcome.CONFIRMED
    return held.booking_id


async def read(conn: asyncpg.Connection, booking: BookingId | None, person: UUID) -> Booking:
    assert booking is not None
    found = await bookings.find(conn, booking=booking, user_id=person)
    assert found is not None
    return found


async def is_free(conn: asyncpg.Connection, hotel: SmallHotel, first: int, nights: int = 1) -> bool:
    """As searches see it."""
    found = await inventory.search(
        conn, city=small_hotel.CAIRO, check_in=night(first), nights=nights, adults=2
    )
    return hotel.id in {offer.hotel.id for offer in found}


# ------------------------------------------------------------------------------------------------ hold and confirm


async def test_a_hold_freezes_price_and_terms(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    held = await hold(conn, hotel.double, 30, 3)

    assert held.outcome is Outcome.HELD
    assert not held.again
    assert held.reference is not None
    assert held.reference.startswith("RH-")
    assert held.expires_at == NOW + timedelta(minutes=15)
    booking = await read(conn, held.booking_id, person)
    assert booking.nightly == (100_000, 100_000, 100_000)
    assert booking.price_minor == held.price_minor == 300_000
    assert booking.local_fees_minor == 4_500
    assert booking.penalty_minor == 100_000
    assert booking.free_until == clock(night(28), 18)
    assert booking.status is BookingStatus.HELD


async def test_the_last_room_is_sold_once_and_sold_out_is_an_answer(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    assert (await hold(conn, hotel.double, 5, 2)).outcome is Outcome.HELD
    assert await is_free(conn, hotel, 5)
    assert (await hold(conn, hotel.double, 6, 2)).outcome is Outcome.HELD
    assert [await is_free(conn, hotel, n) for n in (5, 6, 7)] == [True, False, True]
    assert (await hold(conn, hotel.double, 4, 4)).outcome is Outcome.SOLD_OUT
    assert (await hold(conn, hotel.double, 7, 1)).outcome is Outcome.HELD
    assert (await hold(conn, hotel.double, 400, 2)).outcome is Outcome.SOLD_OUT  # no price there


async def test_several_rooms_are_all_or_none(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    assert (await hold(conn, hotel.double, 1, 1)).outcome is Outcome.HELD
    assert (await hold(conn, hotel.double, 0, 2, rooms=2)).outcome is Outcome.SOLD_OUT
    assert (await hold(conn, hotel.double, 0, 1, rooms=2)).outcome is Outcome.HELD
    assert (await hold(conn, hotel.double, 2, 1, rooms=3)).outcome is Outcome.SOLD_OUT


async def test_a_changed_price_holds_nothing(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    answer = await hold(conn, hotel.double, 5, 2, quoted_minor=190_000)

    assert (answer.outcome, answer.price_minor, answer.currency) == (Outcome.PRICE_CHANGED, 200_000, "EGP")
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 0
    assert await conn.fetchval("SELECT count(*) FROM room_nights") == 0


async def test_one_key_holds_once(conn: asyncpg.Connection, hotel: SmallHotel, person: UUID) -> None:
    first = await hold(conn, hotel.double, 5, 2, key="press-of-a-button")
    again = await hold(conn, hotel.double, 5, 2, key="press-of-a-button")

    assert (again.outcome, again.again, again.booking_id) == (Outcome.HELD, True, first.booking_id)
    assert await conn.fetchval("SELECT max(booked) FROM room_nights") == 1
    late = await hold(conn, hotel.double, 5, 2, key="press-of-a-button", now=NOW + timedelta(minutes=15))
    assert late.outcome is Outcome.EXPIRED


async def test_a_party_that_does_not_fit_is_an_error(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    for party in ({"adults": 3}, {"children": 2}, {"adults": 0}, {"rooms": 2, "adults": 1}):
        with pytest.raises(asyncpg.CheckViolationError):
            async with conn.transaction():
                await hold(conn, hotel.double, 5, 2, **party)


async def test_terms_that_are_not_the_hotels_are_an_error(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    for free_until in (None, clock(night(5), 18)):
        with pytest.raises(asyncpg.CheckViolationError):
            async with conn.transaction():
                await hold(conn, hotel.double, 5, 2, free_until=free_until)


async def test_the_least_stay_is_asked_of_who_arrives_that_night(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    await become(conn, Role.OWNER)
    strict = await small_hotel.open_hotel(
        conn,
        rates=[
            Rate(night(0), night(60), 100_000),
            Rate(night(10), night(12), 100_000, min_stay=3),
        ],
    )
    await become(conn, Role.APP, person)

    answer = await hold(conn, strict.double, 11, 2)
    assert (answer.outcome, answer.min_stay) == (Outcome.MIN_STAY, 3)
    assert (await hold(conn, strict.double, 9, 2)).outcome is Outcome.HELD
    assert (await hold(conn, strict.double, 11, 3)).outcome is Outcome.HELD


async def test_a_confirmed_booking_has_a_number_and_a_payment_due(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    booked = await book(conn, hotel, 5, 2)

    booking = await read(conn, booked, person)
    assert booking.status is BookingStatus.CONFIRMED
    assert booking.confirmation_number is not None
    payment = await conn.fetchrow("SELECT * FROM payments WHERE booking_id = $1", booked)
    assert (payment["provider"], payment["status"], payment["amount_minor"]) == ("at_hotel", "due", 200_000)
    (trip,) = await trips.of_person(conn, user_id=person, now=NOW)
    assert (trip.status, trip.booking_id) == (trips.TripStatus.CONFIRMED, booked)
    assert await trips.find(conn, user_id=person, reference=trip.reference.lower()) == trip
    again = await bookings.confirm(conn, booking=booked, provider="at_hotel", now=NOW)
    assert again.confirmation_number == booking.confirmation_number
    assert await conn.fetchval("SELECT count(*) FROM payments") == 1


# ------------------------------------------------------------------------------------------------ holds end


async def test_an_expired_hold_cannot_be_confirmed_and_gives_its_room_back(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    held = [await hold(conn, hotel.double, 5, 2) for _ in range(2)]
    assert held[0].booking_id is not None
    assert not await is_free(conn, hotel, 5)

    late = NOW + timedelta(minutes=15)
    answer = await bookings.confirm(conn, booking=held[0].booking_id, provider="at_hotel", now=late)
    assert answer.outcome is Outcome.EXPIRED
    assert await is_free(conn, hotel, 5)
    assert (await read(conn, held[0].booking_id, person)).status is BookingStatus.EXPIRED


async def test_who_comes_next_takes_the_room_of_an_expired_hold(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    held = [await hold(conn, hotel.double, 5, 2) for _ in range(2)]
    almost, late = NOW + timedelta(minutes=14), NOW + timedelta(minutes=15)

    assert (await hold(conn, hotel.double, 5, 1, now=almost)).outcome is Outcome.SOLD_OUT
    assert (await hold(conn, hotel.double, 5, 1, now=late)).outcome is Outcome.HELD
    assert {(await read(conn, one.booking_id, person)).status for one in held} == {BookingStatus.EXPIRED}


async def test_the_worker_lets_go_of_expired_holds(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    for _ in range(2):
        await hold(conn, hotel.double, 5, 2)
    await become(conn, Role.WORKER)

    assert await bookings.expire_holds(conn, now=NOW) == 0
    assert await bookings.expire_holds(conn, now=NOW + timedelta(minutes=15)) == 2
    assert await bookings.expire_holds(conn, now=NOW + timedelta(minutes=15)) == 0
    await become(conn, Role.APP, person)
    assert await is_free(conn, hotel, 5)


async def test_a_hold_can_be_given_back(conn: asyncpg.Connection, hotel: SmallHotel, person: UUID) -> None:
    held = await hold(conn, hotel.double, 5, 2, rooms=2)
    assert held.booking_id is not None

    assert await bookings.release(conn, booking=held.booking_id)
    assert not await bookings.release(conn, booking=held.booking_id)
    assert await is_free(conn, hotel, 5)


# ------------------------------------------------------------------------------------------------ cancel


@pytest.mark.parametrize(
    ("hours_after_deadline", "fee", "payment"),
    [(-1, 0, "void"), (0, 0, "void"), (1, 100_000, "due")],
)
async def test_cancelling_costs_what_was_agreed(
    conn: asyncpg.Connection,
    hotel: SmallHotel,
    person: UUID,
    hours_after_deadline: int,
    fee: int,
    payment: str,
) -> None:
    booked = await book(conn, hotel, 30, 3)
    at = clock(night(28), 18) + timedelta(hours=hours_after_deadline)

    answer = await bookings.cancel(conn, booking=booked, now=at)
    assert (answer.outcome, answer.fee_minor, answer.refund_minor) == (Outcome.CANCELLED, fee, 0)
    again = await bookings.cancel(conn, booking=booked, now=at + timedelta(days=1))
    assert (again.outcome, again.fee_minor) == (Outcome.ALREADY, fee)
    row = await conn.fetchrow("SELECT status, amount_minor FROM payments WHERE booking_id = $1", booked)
    assert (row["status"], row["amount_minor"]) == (payment, fee)
    assert await conn.fetchval("SELECT max(booked) FROM room_nights") == 0
    (trip,) = await trips.of_person(conn, user_id=person, now=NOW)
    assert trip.status is trips.TripStatus.CANCELLED


async def test_a_non_refundable_stay_costs_all_of_it(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    await become(conn, Role.OWNER)
    strict = await small_hotel.open_hotel(conn, free_days=None, penalty="full")
    await become(conn, Role.APP, person)
    held = await hold(conn, strict.double, 30, 3, free_until=None)
    assert held.booking_id is not None
    await bookings.confirm(conn, booking=held.booking_id, provider="at_hotel", now=NOW)

    assert (await bookings.cancel(conn, booking=held.booking_id, now=NOW)).fee_minor == 300_000


async def test_a_stay_that_has_begun_is_not_cancelled(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    booked = await book(conn, hotel, 30, 3)

    assert (await bookings.cancel(conn, booking=booked, now=clock(night(30), 14))).outcome is Outcome.TOO_LATE
    assert (await read(conn, booked, person)).status is BookingStatus.CONFIRMED


# ------------------------------------------------------------------------------------------------ move


async def test_moving_overlaps_itself_and_frees_what_it_leaves(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    booked = await book(conn, hotel, 30, 3)
    await book(conn, hotel, 31, 1)
    assert not await is_free(conn, hotel, 31)
    target = {"check_in": night(31), "check_out": night(35)}

    price = await bookings.quote_move(conn, booking=booked, **target)
    assert price == 400_000
    answer = await bookings.move(
        conn,
        booking=booked,
        quoted_minor=price,
        free_until=clock(night(29), 18),
        starts_at=clock(night(31), 14),
        now=NOW,
        **target,
    )
    assert answer.outcome is Outcome.MOVED
    booking = await read(conn, booked, person)
    assert (booking.check_in, booking.check_out, booking.price_minor) == (night(31), night(35), 400_000)
    assert booking.free_until == clock(night(29), 18)
    nights = await conn.fetch("SELECT night, booked FROM room_nights ORDER BY night")
    assert [row["booked"] for row in nights] == [0, 2, 1, 1, 1]
    assert await conn.fetchval("SELECT amount_minor FROM payments WHERE booking_id = $1", booked) == 400_000
    (trip, _) = await trips.of_person(conn, user_id=person, now=NOW)
    assert trip.check_in == night(31)


@pytest.mark.parametrize(
    ("first", "nights", "quoted", "at", "outcome"),
    [
        (40, 2, 200_000, NOW, Outcome.SOLD_OUT),
        (400, 2, 200_000, NOW, Outcome.SOLD_OUT),
        (50, 2, 150_000, NOW, Outcome.PRICE_CHANGED),
        (50, 2, 200_000, clock(night(28), 19), Outcome.TOO_LATE),
    ],
)
async def test_a_move_that_fails_leaves_the_booking_as_it_was(
    conn: asyncpg.Connection,
    hotel: SmallHotel,
    person: UUID,
    first: int,
    nights: int,
    quoted: int,
    at: datetime,
    outcome: Outcome,
) -> None:
    booked = await book(conn, hotel, 30, 3)
    await hold(conn, hotel.double, 41, 1, rooms=2)
    before = await read(conn, booked, person)
    rooms = await conn.fetch("SELECT * FROM room_nights ORDER BY night")

    answer = await bookings.move(
        conn,
        booking=booked,
        check_in=night(first),
        check_out=night(first + nights),
        quoted_minor=quoted,
        free_until=clock(night(first - 2), 18),
        starts_at=clock(night(first), 14),
        now=at,
    )
    assert answer.outcome is outcome
    assert await read(conn, booked, person) == before
    assert await conn.fetch("SELECT * FROM room_nights ORDER BY night") == rooms


# ------------------------------------------------------------------------------------------------ rights and lifecycles


async def test_somebody_elses_booking_is_out_of_reach(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID
) -> None:
    booked = await book(conn, hotel, 30, 3)
    await become(conn, Role.OWNER)
    stranger = await small_hotel.newcomer(conn)
    await become(conn, Role.APP, stranger)

    assert await conn.fetchval("SELECT count(*) FROM bookings") == 0
    assert await conn.fetchval("SELECT count(*) FROM trips") == 0
    assert await conn.fetchval("SELECT count(*) FROM payments") == 0
    assert await bookings.quote_move(conn, booking=booked, check_in=night(50), check_out=night(51)) is None
    for call in (
        bookings.cancel(conn, booking=booked, now=NOW),
        bookings.confirm(conn, booking=booked, provider="at_hotel", now=NOW),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await call
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with conn.transaction():
            await bookings.release(conn, booking=booked)
    await become(conn, Role.APP, person)
    assert (await read(conn, booked, person)).status is BookingStatus.CONFIRMED


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trips SET payment_status = 'paid'",
        "UPDATE trips SET total_price = 1",
        "UPDATE bookings SET status = 'confirmed'",
        "UPDATE bookings SET price_minor = 1",
        "UPDATE payments SET status = 'paid'",
        "DELETE FROM bookings",
        "UPDATE room_nights SET booked = 0",
        "UPDATE search_blocks SET price = price",
        "UPDATE room_rates SET price = 1",
        "SELECT app.edit_allotment(NULL, NULL, NULL, NULL, NULL)",
        "SELECT app.expire_holds(now())",
        "SELECT app.end_hold(NULL)",
        "SELECT app.rebuild_blocks('{}', now()::date, now()::date)",
    ],
)
async def test_a_turn_cannot_write_past_the_doors(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID, sql: str
) -> None:
    await book(conn, hotel, 30, 3)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with conn.transaction():
            await conn.execute(sql)


async def test_a_hold_needs_a_person(conn: asyncpg.Connection, hotel: SmallHotel) -> None:
    await become(conn, Role.APP)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await hold(conn, hotel.double, 5, 2)


@pytest.mark.parametrize("status", ["held", "expired", "completed"])
async def test_a_cancelled_booking_stays_cancelled(
    conn: asyncpg.Connection, hotel: SmallHotel, person: UUID, status: str
) -> None:
    booked = await book(conn, hotel, 30, 3)
    await bookings.cancel(conn, booking=booked, now=NOW)
    await become(conn, Role.OWNER)

    with pytest.raises(asyncpg.CheckViolationError, match="cannot go cancelled>"):
        await conn.execute("UPDATE bookings SET status = $1 WHERE id = $2", status, booked)


async def test_codes_can_be_read_aloud_and_do_not_repeat(conn: asyncpg.Connection) -> None:
    await become(conn, Role.SERVICE)
    codes = await conn.fetchval("SELECT array_agg(app.random_code(8)) FROM generate_series(1, 2000)")
    assert len(set(codes)) == 2000
    assert set("".join(codes)) == set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")
    assert {len(code) for code in codes} == {8}
