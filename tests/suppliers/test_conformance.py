"""What every supplier must do, whatever is behind it. A new one adds itself to `supplier` and changes nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from bot.suppliers import (
    Cancelled,
    Confirmation,
    Guest,
    Held,
    HoldOver,
    HotelSupplier,
    NotCancelled,
    OfferId,
    Page,
    PriceChanged,
    Quote,
    SoldOut,
    Stay,
    Wanted,
)
from bot.suppliers.inventory import Inventory
from db import hotels
from db.hotels import Hotel
from db.inventory import Filters
from locales.currency import Money
from tests.fakes import small_hotel
from tests.fakes.small_hotel import CAIRO, NOW, clock, night

GUEST = Guest(name="Sara Al Ahmad", phone="+201001234567", requests="A high floor")


@dataclass(frozen=True)
class World:
    """A supplier with one hotel in Cairo: two double rooms at 1,000 EGP a night, free to cancel until two days before."""

    supplier: HotelSupplier
    hotel: Hotel


@pytest.fixture(params=["inventory"])
async def world(conn: asyncpg.Connection, request: pytest.FixtureRequest) -> World:
    opened = await small_hotel.open_hotel(conn)
    person = await small_hotel.newcomer(conn)
    hotel = await hotels.find(conn, identifier=opened.identifier)
    assert hotel is not None
    await conn.execute("SET LOCAL ROLE rahhal_app")
    await small_hotel.claim(conn, person)
    return World(Inventory(conn), hotel)


@pytest.fixture
def keys() -> Iterator[str]:
    return (f"conformance-{number}" for number in range(1000))


def stay(first: int = 30, nights: int = 3, **changes: Any) -> Stay:
    return Stay(check_in=night(first), check_out=night(first + nights), **changes)


async def quoted(world: World, wanted: Stay | None = None) -> Quote:
    (offer, *_) = await world.supplier.offers(world.hotel, wanted or stay())
    quote = await world.supplier.quote(world.hotel, offer.id, offer.stay)
    assert isinstance(quote, Quote)
    return quote


async def held(world: World, key: str, wanted: Stay | None = None) -> Held:
    quote = await quoted(world, wanted)
    answer = await world.supplier.hold(quote, GUEST, agreed=quote.offer.total, key=key, now=NOW)
    assert isinstance(answer, Held)
    return answer


async def test_search_offers_and_quote_tell_the_same(world: World) -> None:
    page = await world.supplier.search(Wanted(city=CAIRO, stay=stay()), limit=5)
    assert page.matches == len(page.offers) == 1
    (searched,) = page.offers
    (offered,) = await world.supplier.offers(world.hotel, stay())
    quote = await quoted(world)

    assert searched == replace(offered, rooms_left=None)
    assert quote.offer == offered
    assert offered.supplier == world.supplier.name
    assert offered.total == Money(300_000, "EGP")
    assert offered.per_night == Money(100_000, "EGP")
    assert offered.terms.free_until == clock(night(28), 18)
    assert offered.terms.penalty == Money(100_000, "EGP")
    assert quote.starts_at == clock(night(30), 14)


async def test_what_is_not_there_is_empty_or_sold_out(world: World) -> None:
    far = stay(first=2000)
    assert await world.supplier.search(Wanted(city=CAIRO, stay=far), limit=5) == Page((), 0)
    assert await world.supplier.search(Wanted(city=1, stay=stay()), limit=5) == Page((), 0)
    nothing_so_cheap = Filters(total_max=1, currency="EGP")
    assert await world.supplier.search(
        Wanted(city=CAIRO, stay=stay(), filters=nothing_so_cheap), limit=5
    ) == Page((), 0)
    assert await world.supplier.offers(world.hotel, far) == []
    (offer,) = await world.supplier.offers(world.hotel, stay())
    assert await world.supplier.quote(world.hotel, offer.id, far) == SoldOut()
    assert await world.supplier.quote(world.hotel, OfferId("no such room"), stay()) == SoldOut()


async def test_a_hold_takes_rooms_until_there_are_none(world: World, keys: Iterator[str]) -> None:
    quote = await quoted(world)
    first = await held(world, next(keys))
    await held(world, next(keys))

    assert first.until > NOW
    assert first.total == quote.offer.total
    assert await world.supplier.offers(world.hotel, stay()) == []
    again = await world.supplier.hold(quote, GUEST, agreed=quote.offer.total, key=next(keys), now=NOW)
    assert again == SoldOut()


async def test_one_key_holds_once(world: World, keys: Iterator[str]) -> None:
    key = next(keys)
    assert await held(world, key) == await held(world, key)
    assert len(await world.supplier.offers(world.hotel, stay())) == 1


async def test_another_price_than_agreed_holds_nothing(world: World, keys: Iterator[str]) -> None:
    quote = await quoted(world)
    for agreed in (Money(299_999, "EGP"), Money(300_000, "USD")):
        answer = await world.supplier.hold(quote, GUEST, agreed=agreed, key=next(keys), now=NOW)
        assert answer == PriceChanged(Money(300_000, "EGP"))
    both = await quoted(world, stay(adults=4, rooms=2))
    assert both.offer.total == Money(600_000, "EGP")


async def test_a_confirmation_is_the_same_each_time(world: World, keys: Iterator[str]) -> None:
    hold = await held(world, next(keys))
    first = await world.supplier.confirm(hold.ref, payment="at_hotel", now=NOW)

    assert isinstance(first, Confirmation)
    assert first.number
    late = NOW + timedelta(days=1)
    assert await world.supplier.confirm(hold.ref, payment="at_hotel", now=late) == first


async def test_a_hold_ends_by_time_or_by_giving_it_back(world: World, keys: Iterator[str]) -> None:
    hold = await held(world, next(keys))
    assert await world.supplier.confirm(hold.ref, payment="at_hotel", now=hold.until) == HoldOver()
    other = await held(world, next(keys))
    await world.supplier.release(other.ref)
    await world.supplier.release(other.ref)
    assert await world.supplier.confirm(other.ref, payment="at_hotel", now=NOW) == HoldOver()
    await held(world, next(keys), stay(adults=4, rooms=2))


async def test_cancelling_follows_the_terms_and_frees_the_room(world: World, keys: Iterator[str]) -> None:
    quote = await quoted(world)
    free_until = quote.offer.terms.free_until
    assert free_until is not None
    for at, fee in ((free_until, 0), (free_until + timedelta(seconds=1), 100_000)):
        hold = await held(world, next(keys))
        await world.supplier.confirm(hold.ref, payment="at_hotel", now=NOW)
        done = await world.supplier.cancel(hold.ref, now=at)
        assert done == Cancelled(fee=Money(fee, "EGP"), refund=Money(0, "EGP"))
        assert done.fee == quote.offer.terms.fee(at)
        again = await world.supplier.cancel(hold.ref, now=at + timedelta(days=30))
        assert again == replace(done, again=True)
    await held(world, next(keys), stay(adults=4, rooms=2))


async def test_what_has_begun_or_never_was_is_not_cancelled(world: World, keys: Iterator[str]) -> None:
    quote = await quoted(world)
    hold = await held(world, next(keys))
    await world.supplier.confirm(hold.ref, payment="at_hotel", now=NOW)
    assert await world.supplier.cancel(hold.ref, now=quote.starts_at) == NotCancelled(begun=True)
    only_held = await held(world, next(keys))
    assert await world.supplier.cancel(only_held.ref, now=NOW) == NotCancelled(begun=False)
