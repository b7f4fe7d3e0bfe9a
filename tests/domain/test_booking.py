"""From the quote to the end of a booking, as flows call it: typed refusals, rules that say no, terms by the hotel's clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bot.domain import booking
from bot.domain.booking import AlreadyCancelled, Booked, CancellationTerms, NeedsHuman, NewDates
from bot.errors import DomainError
from bot.payments import DueLater
from bot.suppliers import Guest, Held, HoldOver, PriceChanged, Quote, SoldOut, Stay, TooShort
from db import bookings, hotels, trips
from db.bookings import BookingId, BookingStatus
from db.hotels import Hotel, Rate
from locales import Texts
from locales.currency import Money
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW, OPENING, clock, night

SARA = Guest(name="Sara Al Ahmad", phone="+201001234567")


@pytest.fixture
async def hotel(conn: asyncpg.Connection) -> Hotel:
    opened = await small_hotel.open_hotel(conn)
    return await booking.find_hotel(conn, identifier=opened.identifier)


@pytest.fixture
async def person(conn: asyncpg.Connection, hotel: Hotel) -> UUID:
    person = await small_hotel.newcomer(conn)
    await become(conn, person)
    return person


async def become(conn: asyncpg.Connection, person: UUID) -> None:
    await conn.execute("SET LOCAL ROLE rahhal_app")
    await small_hotel.claim(conn, person)


def stay(first: int = 30, nights: int = 3, **changes: Any) -> Stay:
    return Stay(check_in=night(first), check_out=night(first + nights), **changes)


async def quoted(conn: asyncpg.Connection, hotel: Hotel, wanted: Stay | None = None) -> Quote:
    (offer, *_) = await booking.offers(conn, hotel=hotel, stay=wanted or stay(), now=NOW)
    quote = await booking.quote(conn, hotel=hotel, offer=offer.id, stay=offer.stay, now=NOW)
    assert isinstance(quote, Quote)
    return quote


async def booked(conn: asyncpg.Connection, hotel: Hotel, key: str = "the-first-press") -> Booked:
    quote = await quoted(conn, hotel)
    done = await booking.book(conn, quote=quote, guest=SARA, agreed=quote.offer.total, key=key, now=NOW)
    assert isinstance(done, Booked)
    return done


def told(refused: pytest.ExceptionInfo[DomainError]) -> str:
    """The key, after both languages could say it."""
    for tag in ("ar-EG", "en-GB"):
        assert Texts.for_locale(tag, today=OPENING).say(refused.value.tell, **refused.value.values)
    return refused.value.tell


# ------------------------------------------------------------------------------------------------ book


async def test_a_booking_is_confirmed_and_paid_at_the_hotel(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    done = await booked(conn, hotel)

    assert done.due == DueLater(Money(300_000, "EGP"))
    trip = await trips.find(conn, user_id=person, reference=done.reference)
    assert trip is not None
    assert (trip.confirmation_number, trip.payment_method) == (done.number, "at_hotel")
    assert trip == await trips.find(conn, user_id=person, reference=done.number)


async def test_a_button_pressed_twice_books_once(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    first = await booked(conn, hotel)
    again = await booked(conn, hotel)
    assert (again.booking, again.number) == (first.booking, first.number)
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 1


async def test_the_price_agreed_to_is_the_price(conn: asyncpg.Connection, hotel: Hotel, person: UUID) -> None:
    quote = await quoted(conn, hotel)
    answer = await booking.book(
        conn, quote=quote, guest=SARA, agreed=Money(290_000, "EGP"), key="pressed-1", now=NOW
    )
    assert answer == PriceChanged(Money(300_000, "EGP"))


async def test_sold_out_between_quote_and_hold(conn: asyncpg.Connection, hotel: Hotel, person: UUID) -> None:
    quote = await quoted(conn, hotel)
    await booked(conn, hotel, "pressed-1")
    await booked(conn, hotel, "pressed-2")
    answer = await booking.book(
        conn, quote=quote, guest=SARA, agreed=quote.offer.total, key="pressed-3", now=NOW
    )
    assert answer == SoldOut()
    gone = await booking.quote(conn, hotel=hotel, offer=quote.offer.id, stay=stay(), now=NOW)
    assert gone == SoldOut()


async def test_a_hold_given_back_or_expired_uses_up_its_key(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    quote = await quoted(conn, hotel)
    held = await booking.hold(
        conn, quote=quote, guest=SARA, agreed=quote.offer.total, key="pressed-1", now=NOW
    )
    assert isinstance(held, Held)
    await booking.release(conn, held=held)
    answer = await booking.book(
        conn, quote=quote, guest=SARA, agreed=quote.offer.total, key="pressed-1", now=NOW
    )
    assert answer == HoldOver()


async def test_a_longer_least_stay_since_the_quote(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    quote = await quoted(conn, hotel)
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    (kind,) = await hotels.room_types(conn, hotel=hotel.id)
    await hotels.replace_rates(conn, rates={kind.id: [Rate(OPENING, night(300), 100_000, min_stay=5)]})
    await small_hotel.rebuild(conn, kind.id)
    await become(conn, person)
    answer = await booking.hold(
        conn, quote=quote, guest=SARA, agreed=quote.offer.total, key="pressed-1", now=NOW
    )
    assert answer == TooShort(5)


@pytest.mark.parametrize(
    ("guest", "tell"),
    [
        (Guest(name="سارة الأحمد"), "booking.bad_name"),
        (Guest(name="Sara"), "booking.bad_name"),
        (Guest(name="Sara 2000"), "booking.bad_name"),
        (Guest(name="Sara <b>Ahmad</b>"), "booking.bad_name"),
        (Guest(name="Sa ra" * 20), "booking.bad_name"),
        (Guest(name="Sara Ahmad", phone="0100"), "booking.bad_contact"),
        (Guest(name="Sara Ahmad", requests="x" * 501), "booking.requests_too_long"),
    ],
)
async def test_a_guest_no_hotel_could_check_in(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID, guest: Guest, tell: str
) -> None:
    quote = await quoted(conn, hotel)
    with pytest.raises(DomainError) as refused:
        await booking.hold(conn, quote=quote, guest=guest, agreed=quote.offer.total, key="pressed-1", now=NOW)
    assert told(refused) == tell


@pytest.mark.parametrize(
    "name", ["Sara Al Ahmad", "Jean-Luc d'Arc", "Zoë Müller", "Mary O’Neil", "Ali H. Omar", "Omar Ali Jr."]
)
async def test_names_of_passports(conn: asyncpg.Connection, hotel: Hotel, person: UUID, name: str) -> None:
    quote = await quoted(conn, hotel)
    answer = await booking.hold(
        conn, quote=quote, guest=Guest(name=name), agreed=quote.offer.total, key="pressed-1", now=NOW
    )
    assert isinstance(answer, Held)


async def test_today_is_the_hotels_own(conn: asyncpg.Connection, hotel: Hotel, person: UUID) -> None:
    """At 23:00 UTC it is already tomorrow in Cairo."""
    late = datetime(2026, 3, 31, 23, tzinfo=UTC)
    assert late.date() == night(29)
    assert await booking.offers(conn, hotel=hotel, stay=stay(30), now=late)
    with pytest.raises(DomainError) as refused:
        await booking.offers(conn, hotel=hotel, stay=stay(29), now=late)
    assert told(refused) == "search.past_date"


async def test_an_unknown_hotel(conn: asyncpg.Connection) -> None:
    with pytest.raises(DomainError) as refused:
        await booking.find_hotel(conn, identifier="no-such-hotel")
    assert told(refused) == "hotel.unknown"


async def test_deadlines_follow_the_hotels_clock_through_summer_time(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    """Egypt's summer time begins on Friday 24 April 2026: UTC+2 before, UTC+3 after."""
    before = await quoted(conn, hotel, Stay(check_in=night(52), check_out=night(54)))
    after = await quoted(conn, hotel, Stay(check_in=night(60), check_out=night(62)))
    assert before.offer.terms.free_until == datetime(2026, 4, 21, 16, tzinfo=UTC)
    assert before.starts_at == datetime(2026, 4, 23, 12, tzinfo=UTC)
    assert after.offer.terms.free_until == datetime(2026, 4, 29, 15, tzinfo=UTC)
    assert after.starts_at == datetime(2026, 5, 1, 11, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ cancel


async def test_the_terms_are_shown_before_they_are_applied(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    done = await booked(conn, hotel)
    late = clock(night(29), 9)
    free = await booking.cancellation_terms(conn, user_id=person, booking=done.booking, now=NOW)
    paid = await booking.cancellation_terms(conn, user_id=person, booking=done.booking, now=late)

    assert isinstance(free, CancellationTerms)
    assert isinstance(paid, CancellationTerms)
    assert (free.fee_now.minor, paid.fee_now.minor) == (0, 100_000)
    assert (paid.total, paid.free_until) == (Money(300_000, "EGP"), clock(night(28), 18))
    cancelled = await booking.cancel(conn, user_id=person, booking=done.booking, now=late)
    assert (cancelled.fee, cancelled.again) == (paid.fee_now, False)
    assert (await booking.cancel(conn, user_id=person, booking=done.booking, now=late)).again
    after = await booking.cancellation_terms(conn, user_id=person, booking=done.booking, now=late)
    assert isinstance(after, AlreadyCancelled)
    assert after.fee == paid.fee_now


async def test_a_change_of_the_hotels_terms_leaves_a_booking_alone(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    done = await booked(conn, hotel)
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    await conn.execute("UPDATE hotels SET free_days = NULL, penalty = 'full' WHERE id = $1", hotel.id)
    await become(conn, person)
    terms = await booking.cancellation_terms(conn, user_id=person, booking=done.booking, now=NOW)
    assert isinstance(terms, CancellationTerms)
    assert terms.fee_now.minor == 0


async def test_what_cannot_be_cancelled(conn: asyncpg.Connection, hotel: Hotel, person: UUID) -> None:
    done = await booked(conn, hotel)
    begun = clock(night(30), 15)
    for call in (booking.cancellation_terms, booking.cancel):
        with pytest.raises(DomainError) as refused:
            await call(conn, user_id=person, booking=done.booking, now=begun)
        assert told(refused) == "cancel.too_late"
    quote = await quoted(conn, hotel)
    held = await booking.hold(
        conn, quote=quote, guest=SARA, agreed=quote.offer.total, key="only-held", now=NOW
    )
    assert isinstance(held, Held)
    for call in (booking.cancellation_terms, booking.cancel):
        with pytest.raises(DomainError) as refused:
            await call(conn, user_id=person, booking=BookingId(UUID(held.ref)), now=NOW)
        assert told(refused) == "cancel.nothing"


async def test_somebody_elses_booking_is_not_found(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    done = await booked(conn, hotel)
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    stranger = await small_hotel.newcomer(conn)
    await become(conn, stranger)
    for user in (stranger, person):  # not even by naming the owner
        with pytest.raises(DomainError) as refused:
            await booking.cancel(conn, user_id=user, booking=done.booking, now=NOW)
        assert told(refused) == "trips.not_found"


# ------------------------------------------------------------------------------------------------ other dates


async def test_other_dates_at_the_price_agreed_to(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    done = await booked(conn, hotel)
    wanted: dict[str, Any] = {"user_id": person, "booking": done.booking, "now": NOW}
    dates = await booking.quote_dates(conn, check_in=night(31), check_out=night(36), **wanted)

    assert isinstance(dates, NewDates)
    assert (dates.before.minor, dates.total.minor) == (300_000, 500_000)
    assert dates.free_until == clock(night(29), 18)
    refused = await booking.change_dates(
        conn, user_id=person, dates=dates, agreed=Money(400_000, "EGP"), now=NOW
    )
    assert refused == PriceChanged(Money(500_000, "EGP"))
    moved = await booking.change_dates(conn, user_id=person, dates=dates, agreed=dates.total, now=NOW)
    assert isinstance(moved, NewDates)
    assert (moved.booking.check_in, moved.booking.check_out) == (night(31), night(36))
    assert moved.booking.status is BookingStatus.CONFIRMED
    trip = await trips.find(conn, user_id=person, reference=done.reference)
    assert trip is not None
    assert trip.total_minor == 500_000


async def test_other_dates_without_rooms(conn: asyncpg.Connection, hotel: Hotel, person: UUID) -> None:
    done = await booked(conn, hotel)
    wanted: dict[str, Any] = {"user_id": person, "booking": done.booking, "now": NOW}
    dates = await booking.quote_dates(conn, check_in=night(40), check_out=night(42), **wanted)
    assert isinstance(dates, NewDates)
    both = await quoted(conn, hotel, stay(40, 2, adults=4, rooms=2))
    await booking.book(conn, quote=both, guest=SARA, agreed=both.offer.total, key="pressed-2", now=NOW)

    assert await booking.quote_dates(conn, check_in=night(40), check_out=night(42), **wanted) == SoldOut()
    late = await booking.change_dates(conn, user_id=person, dates=dates, agreed=dates.total, now=NOW)
    assert late == SoldOut()
    ours = await bookings.find(conn, booking=done.booking, user_id=person)
    assert ours is not None
    assert ours.check_in == night(30)


async def test_after_free_cancellation_dates_need_a_human(
    conn: asyncpg.Connection, hotel: Hotel, person: UUID
) -> None:
    done = await booked(conn, hotel)
    dates = await booking.quote_dates(
        conn, user_id=person, booking=done.booking, check_in=night(50), check_out=night(51), now=NOW
    )
    assert isinstance(dates, NewDates)
    late = clock(night(28), 18) + timedelta(seconds=1)
    answer = await booking.quote_dates(
        conn, user_id=person, booking=done.booking, check_in=night(50), check_out=night(51), now=late
    )
    assert isinstance(answer, NeedsHuman)
    moved = await booking.change_dates(conn, user_id=person, dates=dates, agreed=dates.total, now=late)
    assert isinstance(moved, NeedsHuman)


async def test_other_dates_must_be_a_stay_too(conn: asyncpg.Connection, hotel: Hotel, person: UUID) -> None:
    done = await booked(conn, hotel)
    dates = await booking.quote_dates(
        conn, user_id=person, booking=done.booking, check_in=night(50), check_out=night(51), now=NOW
    )
    assert isinstance(dates, NewDates)
    for check_in, check_out, tell in (
        (night(-9), night(-8), "search.past_date"),
        (night(50), night(50), "search.check_out_before_check_in"),
        (night(50), night(90), "search.stay_too_long"),
    ):
        with pytest.raises(DomainError) as refused:
            await booking.quote_dates(
                conn, user_id=person, booking=done.booking, check_in=check_in, check_out=check_out, now=NOW
            )
        assert told(refused) == tell
        with pytest.raises(DomainError):
            await booking.change_dates(
                conn,
                user_id=person,
                dates=replace(dates, check_in=check_in, check_out=check_out),
                agreed=dates.total,
                now=NOW,
            )
