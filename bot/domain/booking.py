"""A booking from the quote to its end: quote → hold → confirm, cancel by the agreed terms, other dates.

A refusal that the traveler answers (sold out, another price) is a value; a rule that ends the matter is a DomainError.
Nothing here begins or commits: the hold, the booking and what is due for it are one with the turn that asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from bot.domain.stays import check_guest, check_stay
from bot.errors import DomainError
from bot.payments import Charge, DueLater, PayByLink, PaymentProvider
from bot.payments.at_hotel import AtHotel
from bot.suppliers import (
    Cancelled,
    Confirmation,
    Guest,
    Held,
    HoldOver,
    HoldRef,
    Offer,
    OfferId,
    PriceChanged,
    Quote,
    SoldOut,
    Stay,
    TooShort,
)
from bot.suppliers.inventory import Inventory, free_until, starts_at
from db import bookings, hotels
from db.bookings import Booking, BookingId, BookingStatus, Outcome
from db.hotels import Hotel
from locales.currency import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The booking stands. number: of the confirmation. reference: of the trip. due: how it is paid."""

    booking: BookingId
    number: str
    reference: str
    offer: Offer
    due: DueLater | PayByLink


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationTerms:
    """What cancelling would do now. fee_now is zero while it is free; free_until None: the rate is non-refundable."""

    booking: Booking
    hotel: Hotel
    fee_now: Money
    total: Money
    free_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyCancelled:
    """The booking was cancelled before, at this fee."""

    booking: Booking
    hotel: Hotel
    fee: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsHuman:
    """The booking stands, and its dates can no longer be changed here: free cancellation is over."""

    booking: Booking
    hotel: Hotel


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDates:
    """A booking on other dates: what it would cost there, against what it costs now."""

    booking: Booking
    hotel: Hotel
    check_in: date
    check_out: date
    total: Money
    before: Money
    free_until: datetime | None


# ------------------------------------------------------------------------------------------------ book


async def find_hotel(conn: asyncpg.Connection, *, identifier: str) -> Hotel:
    """A listed hotel. Raises DomainError `hotel.unknown`."""
    hotel = await hotels.find(conn, identifier=identifier)
    if hotel is None or not hotel.listed:
        raise DomainError("hotel.unknown", name=identifier)
    return hotel


async def offers(conn: asyncpg.Connection, *, hotel: Hotel, stay: Stay, now: datetime) -> list[Offer]:
    """The rooms of a hotel for a stay, the cheapest first. Raises DomainError for a stay nobody can book."""
    check_stay(stay, today=_today(hotel, now))
    return await Inventory(conn).offers(hotel, stay)


async def quote(
    conn: asyncpg.Connection, *, hotel: Hotel, offer: OfferId, stay: Stay, now: datetime
) -> Quote | SoldOut:
    """The room looked at again just now: what a review shows. Raises DomainError for a stay nobody can book."""
    check_stay(stay, today=_today(hotel, now))
    return await Inventory(conn).quote(hotel, offer, stay)


async def hold(
    conn: asyncpg.Connection, *, quote: Quote, guest: Guest, agreed: Money, key: str, now: datetime
) -> Held | PriceChanged | TooShort | SoldOut | HoldOver:
    """Keep the rooms at the total the traveler agreed to. `key` names this wish: the same never holds twice.

    Raises DomainError for a stay nobody can book or a guest no hotel could check in.
    """
    check_stay(quote.offer.stay, today=_today(quote.offer.hotel, now))
    check_guest(guest)
    return await Inventory(conn).hold(quote, guest, agreed=agreed, key=key, now=now)


async def book(
    conn: asyncpg.Connection,
    *,
    quote: Quote,
    guest: Guest,
    agreed: Money,
    key: str,
    now: datetime,
    provider: PaymentProvider | None = None,
) -> Booked | PriceChanged | TooShort | SoldOut | HoldOver:
    """Hold and confirm in one go, paid at the hotel unless `provider` says otherwise. The same `key`: the same booking.

    Raises DomainError as `hold` does.
    """
    paid_by = provider or AtHotel()
    held = await hold(conn, quote=quote, guest=guest, agreed=agreed, key=key, now=now)
    if not isinstance(held, Held):
        return held
    due = await paid_by.begin(Charge(booking=held.ref, amount=held.total, key=key))
    confirmed = await Inventory(conn).confirm(held.ref, payment=paid_by.name, now=now)
    if not isinstance(confirmed, Confirmation):
        return confirmed
    return Booked(
        booking=BookingId(UUID(held.ref)),
        number=confirmed.number,
        reference=held.reference,
        offer=quote.offer,
        due=due,
    )


async def release(conn: asyncpg.Connection, *, held: Held) -> None:
    """Give a hold back."""
    await Inventory(conn).release(held.ref)


# ------------------------------------------------------------------------------------------------ cancel


async def cancellation_terms(
    conn: asyncpg.Connection, *, user_id: UUID, booking: BookingId, now: datetime
) -> CancellationTerms | AlreadyCancelled:
    """What cancelling would cost now, to be shown before asking.

    Raises DomainError: trips.not_found, cancel.too_late, cancel.nothing.
    """
    ours, hotel = await _own(conn, user_id=user_id, booking=booking)
    if ours.cancellation_fee_minor is not None:
        return AlreadyCancelled(
            booking=ours, hotel=hotel, fee=Money(ours.cancellation_fee_minor, ours.currency)
        )
    if ours.status is not BookingStatus.CONFIRMED:
        raise DomainError("cancel.nothing")
    if now >= ours.starts_at:
        raise DomainError("cancel.too_late")
    free = ours.free_until is not None and now <= ours.free_until
    return CancellationTerms(
        booking=ours,
        hotel=hotel,
        fee_now=Money(0 if free else ours.penalty_minor, ours.currency),
        total=Money(ours.price_minor, ours.currency),
        free_until=ours.free_until,
    )


async def cancel(conn: asyncpg.Connection, *, user_id: UUID, booking: BookingId, now: datetime) -> Cancelled:
    """Cancel by the agreed terms; a second time tells the same fee with `again`.

    Raises DomainError: trips.not_found, cancel.too_late, cancel.nothing.
    """
    await _own(conn, user_id=user_id, booking=booking)
    done = await Inventory(conn).cancel(HoldRef(str(booking)), now=now)
    if isinstance(done, Cancelled):
        return done
    raise DomainError("cancel.too_late" if done.begun else "cancel.nothing")


# ------------------------------------------------------------------------------------------------ other dates


async def quote_dates(
    conn: asyncpg.Connection,
    *,
    user_id: UUID,
    booking: BookingId,
    check_in: date,
    check_out: date,
    now: datetime,
) -> NewDates | SoldOut | NeedsHuman:
    """What the booking would cost on other dates, at today's prices.

    Raises DomainError: trips.not_found, cancel.nothing when it is no booking, and for a stay nobody can book.
    """
    ours, hotel = await _own(conn, user_id=user_id, booking=booking)
    if ours.status is not BookingStatus.CONFIRMED:
        raise DomainError("cancel.nothing")
    if ours.free_until is None or now > ours.free_until:
        return NeedsHuman(booking=ours, hotel=hotel)
    check_stay(replace(_stay(ours), check_in=check_in, check_out=check_out), today=_today(hotel, now))
    price = await bookings.quote_move(conn, booking=ours.id, check_in=check_in, check_out=check_out)
    if price is None:
        return SoldOut()
    return NewDates(
        booking=ours,
        hotel=hotel,
        check_in=check_in,
        check_out=check_out,
        total=Money(price, hotel.currency),
        before=Money(ours.price_minor, ours.currency),
        free_until=free_until(hotel, check_in),
    )


async def change_dates(
    conn: asyncpg.Connection, *, user_id: UUID, dates: NewDates, agreed: Money, now: datetime
) -> NewDates | PriceChanged | TooShort | SoldOut | NeedsHuman:
    """Move the booking at the total the traveler agreed to; unless NewDates comes back, it stands as it was.

    Raises DomainError as `quote_dates` does.
    """
    ours, hotel = await _own(conn, user_id=user_id, booking=dates.booking.id)
    check_stay(
        replace(_stay(ours), check_in=dates.check_in, check_out=dates.check_out), today=_today(hotel, now)
    )
    answer = await bookings.move(
        conn,
        booking=ours.id,
        check_in=dates.check_in,
        check_out=dates.check_out,
        quoted_minor=agreed.minor,
        free_until=free_until(hotel, dates.check_in),
        starts_at=starts_at(hotel, dates.check_in),
        now=now,
    )
    match answer:
        case bookings.Answer(outcome=Outcome.MOVED):
            moved, _ = await _own(conn, user_id=user_id, booking=ours.id)
            return replace(dates, booking=moved, total=Money(moved.price_minor, moved.currency))
        case bookings.Answer(outcome=Outcome.PRICE_CHANGED, price_minor=int(price), currency=str(currency)):
            return PriceChanged(Money(price, currency))
        case bookings.Answer(outcome=Outcome.MIN_STAY, min_stay=int(nights)):
            return TooShort(nights)
        case bookings.Answer(outcome=Outcome.SOLD_OUT):
            return SoldOut()
        case bookings.Answer(outcome=Outcome.TOO_LATE):
            return NeedsHuman(booking=ours, hotel=hotel)
    raise DomainError("cancel.nothing")


# ------------------------------------------------------------------------------------------------ parts


async def _own(conn: asyncpg.Connection, *, user_id: UUID, booking: BookingId) -> tuple[Booking, Hotel]:
    ours = await bookings.find(conn, booking=booking, user_id=user_id)
    if ours is None:
        raise DomainError("trips.not_found")
    return ours, (await hotels.read(conn, ids=[ours.hotel_id]))[ours.hotel_id]


def _stay(booking: Booking) -> Stay:
    return Stay(
        check_in=booking.check_in,
        check_out=booking.check_out,
        adults=booking.adults,
        children=booking.children,
        child_ages=booking.child_ages,
        rooms=booking.rooms,
    )


def _today(hotel: Hotel, now: datetime) -> date:
    return now.astimezone(ZoneInfo(hotel.timezone)).date()
