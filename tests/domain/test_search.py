"""Finding hotels: budgets, what would help when there is nothing, and stays nobody can book."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from bot.domain import search
from bot.domain.money import approximate
from bot.domain.search import Budget, Relax, Search
from bot.errors import DomainError
from bot.suppliers import Stay
from db import inventory
from db.hotels import Rate
from locales import Texts
from locales.currency import Money
from tests.fakes import small_hotel
from tests.fakes.small_hotel import CAIRO, DOUBLE, NOW, OPENING, night, open_hotel


def wish(first: int = 10, nights: int = 2, *, party: dict[str, Any] | None = None, **more: Any) -> Search:
    stay = Stay(check_in=night(first), check_out=night(first + nights), **party or {})
    return Search(city=CAIRO, stay=stay, **more)


async def relaxed(conn: asyncpg.Connection, wanted: Search) -> dict[Relax, search.Relaxation]:
    found = await search.find(conn, search=wanted, now=NOW)
    assert (found.offers, found.matches, found.has_hotels) == ((), 0, True)
    return {one.relax: one for one in found.relaxations}


async def test_offers_come_with_totals_and_terms(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    found = await search.find(conn, search=wish(), now=NOW)
    (offer,) = found.offers
    assert offer.hotel.id == hotel.id
    assert offer.total == Money(200_000, "EGP")
    assert found.relaxations == ()


@pytest.mark.parametrize(
    ("budget", "fits"),
    [
        (Budget(Money(100_000, "EGP")), True),
        (Budget(Money(99_999, "EGP")), False),
        (Budget(Money(200_000, "EGP"), "stay"), True),
        (Budget(Money(199_999, "EGP"), "stay"), False),
        (Budget(Money(2_500, "USD")), True),  # 25 USD are about 1,180 EGP
        (Budget(Money(2_000, "USD")), False),
    ],
)
async def test_a_budget_in_any_currency(conn: asyncpg.Connection, budget: Budget, fits: bool) -> None:
    await open_hotel(conn)
    found = await search.find(conn, search=wish(budget=budget), now=NOW)
    assert bool(found.offers) is fits


async def test_a_budget_too_small_tells_what_would_do(conn: asyncpg.Connection) -> None:
    await open_hotel(conn)
    await open_hotel(conn, rates=[Rate(OPENING, night(60), 90_000)])
    help_ = await relaxed(conn, wish(budget=Budget(Money(50_000, "EGP")), stars_min=5))
    assert Relax.BUDGET not in help_  # the stars are not there either
    help_ = await relaxed(conn, wish(budget=Budget(Money(50_000, "EGP"))))
    assert set(help_) == {Relax.BUDGET}
    assert help_[Relax.BUDGET].best.per_night == Money(90_000, "EGP")
    assert help_[Relax.BUDGET].matches == 2


async def test_the_nearest_dates_with_rooms(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(9), to_night=night(12), rooms=0, now=NOW
    )
    help_ = await relaxed(conn, wish(first=10, nights=2))
    assert help_[Relax.DATES].search.stay.check_in == night(13)  # as near as night 7, and later
    again = await search.find(conn, search=help_[Relax.DATES].search, now=NOW)
    assert again.offers == (help_[Relax.DATES].best,)


@pytest.mark.parametrize(
    ("wanted", "relax"),
    [
        (wish(stars_min=5), Relax.STARS),
        (wish(amenities=("sauna",)), Relax.AMENITIES),
        (wish(area="Maadi"), Relax.AREA),
        (wish(free_cancellation=True), Relax.FREE_CANCELLATION),
        (wish(party={"adults": 4}), Relax.ROOMS),
    ],
)
async def test_each_wish_that_stands_in_the_way(
    conn: asyncpg.Connection, wanted: Search, relax: Relax
) -> None:
    await open_hotel(conn, free_days=None, penalty="full")
    assert set(await relaxed(conn, wanted)) == {relax}


async def test_a_city_without_hotels_says_so(conn: asyncpg.Connection) -> None:
    await open_hotel(conn)
    found = await search.find(conn, search=replace(wish(), city=1), now=NOW)
    assert (found.offers, found.relaxations, found.has_hotels) == ((), (), False)


async def test_a_page_behind_the_last_is_empty_and_relaxes_nothing(conn: asyncpg.Connection) -> None:
    await open_hotel(conn)
    found = await search.find(conn, search=wish(), now=NOW, offset=5)
    assert (found.offers, found.relaxations, found.has_hotels) == ((), (), True)


@pytest.mark.parametrize(
    ("wanted", "tell"),
    [
        (wish(first=-5), "search.past_date"),
        (wish(nights=0), "search.check_out_before_check_in"),
        (wish(nights=-2), "search.check_out_before_check_in"),
        (wish(nights=31), "search.stay_too_long"),
        (wish(party={"adults": 0}), "search.no_guests"),
        (wish(party={"adults": 0, "children": 1}), "search.no_adults"),
        (wish(party={"adults": 99, "rooms": 9}), "search.too_many_guests"),
        (wish(party={"adults": 12, "rooms": 10}), "search.too_many_rooms"),
        (wish(party={"adults": 2, "rooms": 3}), "search.more_rooms_than_guests"),
        (wish(party={"adults": 2, "rooms": 0}), "search.more_rooms_than_guests"),
        (wish(party={"children": 1, "child_ages": (18,)}), "search.bad_age"),
        (wish(first=364), "search.beyond_horizon"),
        (wish(budget=Budget(Money(100, "XXX"))), "search.budget_unclear"),
    ],
)
async def test_a_stay_nobody_can_book_is_told_in_both_languages(
    conn: asyncpg.Connection, wanted: Search, tell: str
) -> None:
    await open_hotel(conn)
    with pytest.raises(DomainError) as refused:
        await search.find(conn, search=wanted, now=NOW)
    assert refused.value.tell == tell
    for tag in ("ar-EG", "en-GB"):
        assert Texts.for_locale(tag, today=OPENING).say(tell, **refused.value.values)


async def test_the_day_before_yesterday_has_passed_everywhere(conn: asyncpg.Connection) -> None:
    await open_hotel(conn, rates=[Rate(OPENING, night(60), 100)])
    noon = small_hotel.clock(night(2), 12, "UTC")
    assert (await search.find(conn, search=wish(first=2), now=noon)).offers
    with pytest.raises(DomainError, match="past_date"):
        await search.find(conn, search=wish(first=1), now=noon)
    # In the Pacific it may still be yesterday.
    assert (await search.find(conn, search=wish(first=1), now=noon - timedelta(hours=1))).offers


async def test_an_estimate_names_its_rate_and_day(conn: asyncpg.Connection) -> None:
    about = await approximate(conn, Money(372_000, "EGP"), currency="USD")
    assert about is not None
    assert about.amount == Money(7_900, "USD")  # 3,720 / 47.2 = 78.8, shown in whole dollars
    assert about.one == Money(100, "EGP")
    assert about.rate == Money(2, "USD")
    assert await approximate(conn, Money(1, "EGP"), currency="EGP") is None
    assert await approximate(conn, Money(1, "EGP"), currency="XXX") is None
    small = await approximate(conn, Money(10_000, "EGP"), currency="KWD")
    assert small is not None
    assert small.amount == Money(650, "KWD")  # 0.650 dinars: too little for whole ones


async def test_rooms_left_are_those_of_the_fullest_night(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn, rooms=[replace(DOUBLE, allotment=5)])
    await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(11), to_night=night(11), rooms=1, now=NOW
    )
    (offer,) = await inventory.offers(conn, hotel=hotel.id, check_in=night(10), nights=2, adults=2)
    assert offer.rooms_left == 1
