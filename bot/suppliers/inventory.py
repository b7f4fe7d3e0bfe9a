"""Our own inventory as a supplier: hotels that operators keep in our database, and the demo ones.

It is bound to the connection of a turn, because its truth is there: a hold is part of the turn's commit.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from bot.suppliers import (
    Cancelled,
    Confirmation,
    Guest,
    Held,
    HoldOver,
    HoldRef,
    NotCancelled,
    Offer,
    OfferId,
    Page,
    PriceChanged,
    Quote,
    Room,
    SoldOut,
    Stay,
    Terms,
    TooShort,
    Wanted,
)
from db import bookings, inventory
from db.bookings import BookingId, Outcome
from db.hotels import Hotel, RoomType, RoomTypeId
from db.inventory import HotelOffer, RoomOffer
from locales.currency import Money

NAME = "inventory"


def free_until(hotel: Hotel, check_in: date) -> datetime | None:
    """Until when cancelling is free, from the hotel's own clock; None for a non-refundable rate."""
    if hotel.free_days is None:
        return None
    day = check_in - timedelta(days=hotel.free_days)
    return datetime.combine(day, hotel.free_until_time, ZoneInfo(hotel.timezone))


def starts_at(hotel: Hotel, check_in: date) -> datetime:
    """When rooms are ready on the day of arrival, by the hotel's own clock."""
    return datetime.combine(check_in, hotel.check_in_from, ZoneInfo(hotel.timezone))


class Inventory:
    """A HotelSupplier. Holds, confirmations and cancellations act for the person of the connection's turn."""

    name = NAME

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    async def search(self, wanted: Wanted, *, limit: int, offset: int = 0) -> Page:
        stay = wanted.stay
        found = await inventory.search(
            self._conn,
            city=wanted.city,
            check_in=stay.check_in,
            nights=stay.nights,
            adults=stay.adults,
            children=stay.children,
            rooms=stay.rooms,
            filters=wanted.filters,
            sort=wanted.sort,
            near=wanted.near,
            limit=limit,
            offset=offset,
        )
        return Page(tuple(_offer(one.hotel, one, stay) for one in found), found[0].matches if found else 0)

    async def offers(self, hotel: Hotel, stay: Stay) -> list[Offer]:
        return [_offer(hotel, one, stay) for one in await self._room_offers(hotel, stay, None)]

    async def quote(self, hotel: Hotel, offer: OfferId, stay: Stay) -> Quote | SoldOut:
        try:
            room_type = RoomTypeId(UUID(offer))
        except ValueError:
            return SoldOut()
        found = await self._room_offers(hotel, stay, room_type)
        if not found:
            return SoldOut()
        return Quote(_offer(hotel, found[0], stay), starts_at(hotel, stay.check_in))

    async def hold(
        self, quote: Quote, guest: Guest, *, agreed: Money, key: str, now: datetime
    ) -> Held | PriceChanged | TooShort | SoldOut | HoldOver:
        offer, stay = quote.offer, quote.offer.stay
        if agreed.currency != offer.total.currency:
            return PriceChanged(offer.total)
        answer = await bookings.hold(
            self._conn,
            key=key,
            room_type=RoomTypeId(UUID(offer.id)),
            rooms=stay.rooms,
            check_in=stay.check_in,
            check_out=stay.check_out,
            adults=stay.adults,
            children=stay.children,
            child_ages=stay.child_ages,
            guest_name=guest.name,
            guest_phone=guest.phone,
            requests=guest.requests,
            quoted_minor=agreed.minor,
            free_until=offer.terms.free_until,
            starts_at=quote.starts_at,
            now=now,
        )
        match answer:
            case bookings.Answer(
                outcome=Outcome.HELD,
                booking_id=UUID() as booking,
                expires_at=datetime() as until,
                price_minor=int(price),
                currency=str(currency),
                reference=str(reference),
            ):
                return Held(HoldRef(str(booking)), until, Money(price, currency), reference)
            case bookings.Answer(
                outcome=Outcome.PRICE_CHANGED, price_minor=int(price), currency=str(currency)
            ):
                return PriceChanged(Money(price, currency))
            case bookings.Answer(outcome=Outcome.MIN_STAY, min_stay=int(nights)):
                return TooShort(nights)
            case bookings.Answer(outcome=Outcome.EXPIRED):
                return HoldOver()
            case bookings.Answer(outcome=Outcome.SOLD_OUT):
                return SoldOut()
        raise AssertionError(f"app.hold answered {answer}")

    async def confirm(self, hold: HoldRef, *, payment: str, now: datetime) -> Confirmation | HoldOver:
        answer = await bookings.confirm(self._conn, booking=_booking(hold), provider=payment, now=now)
        if answer.confirmation_number is None:
            return HoldOver()
        return Confirmation(answer.confirmation_number)

    async def release(self, hold: HoldRef) -> None:
        await bookings.release(self._conn, booking=_booking(hold))

    async def cancel(self, booking: HoldRef, *, now: datetime) -> Cancelled | NotCancelled:
        answer = await bookings.cancel(self._conn, booking=_booking(booking), now=now)
        match answer:
            case bookings.Answer(
                outcome=Outcome.CANCELLED | Outcome.ALREADY,
                fee_minor=int(fee),
                refund_minor=int(refund),
                currency=str(currency),
            ):
                return Cancelled(
                    Money(fee, currency), Money(refund, currency), again=answer.outcome is Outcome.ALREADY
                )
            case _:
                return NotCancelled(begun=answer.outcome is Outcome.TOO_LATE)

    async def _room_offers(self, hotel: Hotel, stay: Stay, room_type: RoomTypeId | None) -> list[RoomOffer]:
        return await inventory.offers(
            self._conn,
            hotel=hotel.id,
            check_in=stay.check_in,
            nights=stay.nights,
            adults=stay.adults,
            children=stay.children,
            rooms=stay.rooms,
            room_type=room_type,
        )


def _booking(ref: HoldRef) -> BookingId:
    return BookingId(UUID(ref))


def _offer(hotel: Hotel, found: HotelOffer | RoomOffer, stay: Stay) -> Offer:
    def money(minor: int) -> Money:
        return Money(minor, hotel.currency)

    whole_stay = hotel.penalty == "full"
    return Offer(
        supplier=NAME,
        id=OfferId(str(found.room.id)),
        hotel=hotel,
        room=_room(found.room),
        stay=stay,
        total=money(found.total_minor),
        local_fees=money(found.fees_minor),
        terms=Terms(
            free_until=free_until(hotel, stay.check_in),
            penalty=money(
                found.total_minor if whole_stay else min(found.first_night_minor, found.total_minor)
            ),
        ),
        rooms_left=found.rooms_left if isinstance(found, RoomOffer) else None,
    )


def _room(kind: RoomType) -> Room:
    return Room(
        name_ar=kind.name_ar,
        name_en=kind.name_en,
        kind=kind.kind,
        capacity=kind.capacity,
        board=kind.board,
        beds=kind.beds,
        view=kind.view,
    )
