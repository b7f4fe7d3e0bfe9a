"""Find hotels for a stay; and when there are none, what a small change would find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import asyncpg

from bot.domain.stays import MAX_ROOMS, check_stay, youngest_today
from bot.errors import DomainError
from bot.suppliers import HotelSupplier, Offer, Page, Stay, Wanted
from bot.suppliers.inventory import Inventory
from db import inventory
from db.inventory import Filters, Sort
from locales.currency import Money

DAYS_AROUND = 7
"""How far from the wished dates others are looked at."""


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so much, in any currency; for one night or the whole stay, all rooms."""

    amount: Money
    per: Literal["night", "stay"] = "night"

    def of_stay(self, nights: int) -> Money:
        return Money(self.amount.minor * (nights if self.per == "night" else 1), self.amount.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a traveler looks for. city: GeoNames id. near: (latitude, longitude) that distances are measured from."""

    city: int
    stay: Stay
    budget: Budget | None = None
    stars_min: int | None = None
    stars_max: int | None = None
    amenities: tuple[str, ...] = ()
    area: str | None = None
    free_cancellation: bool = False
    sort: Sort = Sort.PRICE
    near: tuple[float, float] | None = None


class Relax(StrEnum):
    """What could be given up; the names end the keys «results.relax.…» where there is one."""

    BUDGET = "budget"
    DATES = "dates_to"
    AMENITIES = "amenities"
    STARS = "stars"
    AREA = "area"
    ROOMS = "rooms"
    FREE_CANCELLATION = "free_cancellation"
    WISHES = "wishes"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One change that finds something: the search with it, its best offer, and how many hotels there are."""

    relax: Relax
    search: Search
    best: Offer
    matches: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of offers, one a hotel; or none, and what would help, the smallest change of each kind.

    has_hotels: False where the city has nothing to book at all, whatever the wish.
    """

    offers: tuple[Offer, ...]
    matches: int
    relaxations: tuple[Relaxation, ...] = ()
    has_hotels: bool = True


async def find(
    conn: asyncpg.Connection, *, search: Search, now: datetime, limit: int = 5, offset: int = 0
) -> Found:
    """One page of hotels.

    Raises DomainError for a stay nobody can book, one after the last prices (`search.beyond_horizon`), a budget in a
    currency without a rate (`search.budget_unclear`).
    """
    check_stay(search.stay, today=youngest_today(now))
    if search.budget is not None:
        currency = search.budget.amount.currency
        if not await inventory.exchange_rates(conn, currencies=[currency]):
            raise DomainError("search.budget_unclear")
    supplier = Inventory(conn)
    page = await _look(supplier, search, now, limit=limit, offset=offset)
    if page.offers or offset:
        return Found(page.offers, page.matches)

    last = await inventory.last_night(conn, city=search.city)
    if last is None:
        return Found((), 0, has_hotels=False)
    if search.stay.check_out > last + timedelta(days=1):
        raise DomainError("search.beyond_horizon", last_date=last)
    return Found((), 0, await _relaxations(supplier, search, now))


async def _look(
    supplier: HotelSupplier, search: Search, now: datetime, *, limit: int, offset: int = 0
) -> Page:
    most = search.budget.of_stay(search.stay.nights) if search.budget else None
    filters = Filters(
        stars_min=search.stars_min,
        stars_max=search.stars_max,
        amenities=search.amenities,
        area=search.area,
        total_max=most.minor if most else None,
        currency=most.currency if most else None,
        free_at=now if search.free_cancellation else None,
    )
    wanted = Wanted(city=search.city, stay=search.stay, filters=filters, sort=search.sort, near=search.near)
    return await supplier.search(wanted, limit=limit, offset=offset)


async def _relaxations(supplier: HotelSupplier, search: Search, now: datetime) -> tuple[Relaxation, ...]:
    found: dict[Relax, Relaxation] = {}
    for relax, changed in _changes(search, now):
        if relax not in found:
            page = await _look(supplier, changed, now, limit=1)
            if page.offers:
                found[relax] = Relaxation(relax, changed, page.offers[0], page.matches)
    return tuple(found.values()) or await _without_wishes(supplier, search, now)


async def _without_wishes(supplier: HotelSupplier, search: Search, now: datetime) -> tuple[Relaxation, ...]:
    """No single change helps: any hotel on these dates, in as few rooms as it takes."""
    bare = Search(city=search.city, stay=search.stay, sort=search.sort, near=search.near)
    for rooms in range(search.stay.rooms, min(search.stay.adults, MAX_ROOMS) + 1):
        changed = replace(bare, stay=replace(search.stay, rooms=rooms))
        page = await _look(supplier, changed, now, limit=1)
        if page.offers:
            return (Relaxation(Relax.WISHES, changed, page.offers[0], page.matches),)
    return ()


def _changes(search: Search, now: datetime) -> Iterator[tuple[Relax, Search]]:
    """Every change worth a look, the small ones first within a kind."""
    if search.budget is not None:
        yield Relax.BUDGET, replace(search, budget=None, sort=Sort.PRICE)
    for days in (sign * n for n in range(1, DAYS_AROUND + 1) for sign in (1, -1)):
        moved = _moved(search.stay, days)
        if moved.check_in >= youngest_today(now):
            yield Relax.DATES, replace(search, stay=moved)
    if search.amenities:
        yield Relax.AMENITIES, replace(search, amenities=())
    if search.stars_min is not None or search.stars_max is not None:
        yield Relax.STARS, replace(search, stars_min=None, stars_max=None)
    if search.area is not None:
        yield Relax.AREA, replace(search, area=None)
    if search.free_cancellation:
        yield Relax.FREE_CANCELLATION, replace(search, free_cancellation=False)
    for rooms in range(search.stay.rooms + 1, min(search.stay.adults, MAX_ROOMS) + 1):
        yield Relax.ROOMS, replace(search, stay=replace(search.stay, rooms=rooms))


def _moved(stay: Stay, days: int) -> Stay:
    shift = timedelta(days=days)
    return replace(stay, check_in=stay.check_in + shift, check_out=stay.check_out + shift)
