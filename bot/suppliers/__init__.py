"""Where rooms come from: one protocol, one file for each supplier, one conformance suite for all.

Two kinds fit behind it. Our own inventory lives in our database, so it is made for a connection and its calls are part
of the turn: the hold and the answer commit together or not at all. A remote supplier is made for an HTTP client and
called by a job, never inside a transaction; its answer comes back to the conversation as an event. That is why every
call takes all it needs as values, knows no conversation, and carries a key of ours wherever it could act twice.

A refusal of the business (sold out, a new price) is a value. An error is a breakdown: the caller may retry it with the
same key, and nothing was done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NewType, Protocol

from db.hotels import Hotel
from db.inventory import Filters, Sort
from locales.currency import Money

OfferId = NewType("OfferId", str)
"""A supplier's own name of a room at a hotel; opaque."""

HoldRef = NewType("HoldRef", str)
"""A supplier's own name of a hold, and later of the booking; opaque."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Who, when. Dates are the hotel's own calendar. child_ages: of all children, or empty when not known yet."""

    check_in: date
    check_out: date
    adults: int = 2
    children: int = 0
    child_ages: tuple[int, ...] = ()
    rooms: int = 1

    @property
    def nights(self) -> int:
        return (self.check_out - self.check_in).days

    @property
    def people(self) -> int:
        return self.adults + self.children


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A search. city: GeoNames id. near: (latitude, longitude) that distances are measured from."""

    city: int
    stay: Stay
    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.PRICE
    near: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A kind of room. kind: double, twin, suite …; board: RO, BB, HB, FB, AI; view: sea, city …, or empty."""

    name_ar: str
    name_en: str
    kind: str
    capacity: int
    board: str
    beds: str = ""
    view: str = ""

    def name(self, language: str) -> str:
        return self.name_ar if language == "ar" else self.name_en


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Cancelling is free up to and including `free_until` (None: never); after it, it costs `penalty`."""

    free_until: datetime | None
    penalty: Money

    def fee(self, now: datetime) -> Money:
        """What cancelling costs at this moment."""
        if self.free_until is not None and now <= self.free_until:
            return Money(0, self.penalty.currency)
        return self.penalty


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A room at a price. total: the stay, all rooms, taxes included. local_fees: paid at the hotel besides.

    rooms_left: only where the supplier says so for these nights.
    """

    supplier: str
    id: OfferId
    hotel: Hotel
    room: Room
    stay: Stay
    total: Money
    local_fees: Money
    terms: Terms
    rooms_left: int | None = None

    @property
    def per_night(self) -> Money:
        """The average night, all rooms, rounded to the minor unit."""
        return Money(round(self.total.minor / self.stay.nights), self.total.currency)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the hotels found, one offer each, the cheapest. matches: how many there are in all."""

    offers: tuple[Offer, ...]
    matches: int


@dataclass(frozen=True, slots=True)
class Quote:
    """An offer looked at again just now: what a hold of it may cost. starts_at: the arrival by the hotel's clock."""

    offer: Offer
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who arrives. name: in Latin letters, as in the passport. phone: E.164."""

    name: str
    phone: str | None = None
    requests: str | None = None


@dataclass(frozen=True, slots=True)
class SoldOut:
    """No such room on these nights."""


@dataclass(frozen=True, slots=True)
class TooShort:
    """Whoever arrives that day stays at least so many nights."""

    nights: int


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The price is another than the one agreed to; nothing is held."""

    total: Money


@dataclass(frozen=True, slots=True)
class HoldOver:
    """The hold has expired or was given back."""


@dataclass(frozen=True, slots=True)
class Held:
    """Rooms are kept until `until`. reference: of the trip, shown to people; empty until there is one."""

    ref: HoldRef
    until: datetime
    total: Money
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The booking stands. number: the hotel knows it by it."""

    number: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The booking is cancelled. again: it was before, and nothing was done now."""

    fee: Money
    refund: Money
    again: bool = False


@dataclass(frozen=True, slots=True)
class NotCancelled:
    """The stay has begun, or there is no booking that could be cancelled."""

    begun: bool


class HotelSupplier(Protocol):
    """What every supplier does. `now` is the traveler's world: tests and `--now` move it."""

    @property
    def name(self) -> str:
        """As in `hotels.supplier`."""
        ...

    async def search(self, wanted: Wanted, *, limit: int, offset: int = 0) -> Page:
        """One page of the hotels that can take the party, each with its cheapest room."""
        ...

    async def offers(self, hotel: Hotel, stay: Stay) -> list[Offer]:
        """The rooms of a hotel that can take the party, the cheapest first; empty when sold out."""
        ...

    async def quote(self, hotel: Hotel, offer: OfferId, stay: Stay) -> Quote | SoldOut:
        """The same room looked at again. An id that means nothing any more is sold out."""
        ...

    async def hold(
        self, quote: Quote, guest: Guest, *, agreed: Money, key: str, now: datetime
    ) -> Held | PriceChanged | TooShort | SoldOut | HoldOver:
        """Keep the rooms at the total the traveler agreed to. The same `key` never holds twice; HoldOver: it is used up."""
        ...

    async def confirm(self, hold: HoldRef, *, payment: str, now: datetime) -> Confirmation | HoldOver:
        """The hold becomes a booking, paid through the provider `payment`. Again: the same confirmation."""
        ...

    async def release(self, hold: HoldRef) -> None:
        """Give a hold back. Nothing happens when there is none."""
        ...

    async def cancel(self, booking: HoldRef, *, now: datetime) -> Cancelled | NotCancelled:
        """Cancel by the terms that were agreed."""
        ...
