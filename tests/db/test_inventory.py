"""What searches see: blocks against the truth, prices night by night, filters, sorting, and the plan that makes it fast."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from db import hotels, inventory
from db.hotels import Rate
from db.inventory import Filters, Sort
from locales.currency import EXPONENTS
from tests.fakes import small_hotel
from tests.fakes.small_hotel import CAIRO, DOUBLE, NOW, OPENING, night, open_hotel

WEEKEND = 0b0011000
"""Thursday and Friday nights."""


async def found(conn: asyncpg.Connection, first: int, nights: int, **wish: Any) -> list[inventory.HotelOffer]:
    party: dict[str, Any] = {"city": CAIRO, "check_in": night(first), "nights": nights, "adults": 2}
    return await inventory.search(conn, **party | wish)


# ------------------------------------------------------------------------------------------------ blocks


def test_a_stay_of_fifteen_nights_lies_in_one_block_wherever_it_begins() -> None:
    for first in range(60):
        assert len(inventory.parts(night(first), 15)) == 1


@pytest.mark.parametrize("nights", [1, 15, 16, 30, 42, 43, 90])
def test_parts_cover_each_night_once(nights: int) -> None:
    for first in range(28):
        days = [
            part.block * 28 + place
            for part in inventory.parts(night(first), nights)
            for place in range(part.first, part.last + 1)
        ]
        start = (night(first) - date(2000, 1, 3)).days
        assert days == list(range(start, start + nights))
        assert all(part.last <= 41 for part in inventory.parts(night(first), nights))
        assert all(part.first == 14 for part in inventory.parts(night(first), nights)[1:])


@pytest.mark.parametrize("first", [0, 13, 27, 28])
async def test_a_total_is_the_sum_of_its_nights(conn: asyncpg.Connection, first: int) -> None:
    prices = [Rate(night(n), night(n), 10_000 + n) for n in range(130)]
    hotel = await open_hotel(conn, rates=prices)

    for nights in (*range(1, 46), 60, 90):
        (offer,) = await found(conn, first, nights)
        (room,) = await inventory.offers(conn, hotel=hotel.id, check_in=night(first), nights=nights, adults=2)
        expected = [10_000 + n for n in range(first, first + nights)]
        assert offer.total_minor == room.total_minor == sum(expected)
        assert room.nightly == tuple(expected)
        assert offer.first_night_minor == room.first_night_minor == expected[0]
        assert offer.fees_minor == room.fees_minor == 1_500 * nights


@pytest.mark.parametrize("nights", [14, 42, 80])
async def test_totals_of_the_dearest_rooms_are_right_too(conn: asyncpg.Connection, nights: int) -> None:
    dearest = 2_000_000_000
    await open_hotel(conn, rates=[Rate(night(0), night(120), dearest)])

    (offer,) = await found(conn, 20, nights)

    assert offer.total_minor == nights * dearest


async def test_a_long_stay_needs_each_of_its_nights(conn: asyncpg.Connection) -> None:
    """Whichever block the missing night lies in."""
    hotel = await open_hotel(conn, rates=[Rate(night(0), night(150), 100)])
    for full in (20, 41, 42, 69, 70, 99):
        before = await inventory.edit_allotment(
            conn, room_type=hotel.double, from_night=night(full), to_night=night(full), rooms=0, now=NOW
        )
        assert before.clamped == ()
        assert await found(conn, 20, 80) == []
        await inventory.edit_allotment(
            conn, room_type=hotel.double, from_night=night(full), to_night=night(full), rooms=2, now=NOW
        )
        assert len(await found(conn, 20, 80)) == 1


async def test_the_most_specific_rate_wins_then_the_newest(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(
        conn,
        rates=[
            Rate(night(20), night(22), 300),  # the shortest range, though the first given
            Rate(night(0), night(100), 100),
            Rate(night(0), night(100), 110, weekdays=WEEKEND),
            Rate(night(14), night(27), 200),
        ],
    )
    (offer,) = await inventory.offers(conn, hotel=hotel.id, check_in=night(0), nights=28, adults=2)

    week = [100, 100, 100, 110, 110, 100, 100]  # night 0 is a Monday
    assert offer.nightly == (*week, *week, *[200] * 6, *[300] * 3, *[200] * 5)


async def test_rates_are_put_over_others_and_replaced(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn, rates=[Rate(night(0), night(30), 100)])
    for price in (150, 170):
        await hotels.add_rates(conn, rates={hotel.double: [Rate(night(0), night(1), price)]})
        await small_hotel.rebuild(conn, hotel.double)
        (offer,) = await inventory.offers(conn, hotel=hotel.id, check_in=night(0), nights=3, adults=2)
        assert offer.nightly == (price, price, 100)
    assert await conn.fetchval("SELECT count(*) FROM room_rates") == 2

    await hotels.replace_rates(conn, rates={hotel.double: [Rate(night(1), night(30), 90)]})
    await small_hotel.rebuild(conn, hotel.double)
    assert await found(conn, 0, 2) == []
    assert await conn.fetchval("SELECT count(*) FROM search_blocks WHERE price[1] > 0 AND block = 0") == 0


async def test_a_rebuild_of_some_nights_leaves_the_blocks_true(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    await hotels.add_rates(conn, rates={hotel.double: [Rate(night(40), night(41), 55_500)]})
    await hotels.rebuild_blocks(conn, room_types=[hotel.double], from_day=night(40), to_day=night(41))
    assert await small_hotel.stale_blocks(conn) == 0


async def test_what_is_no_longer_listed_is_not_found(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    await hotels.upsert_room_types(conn, room_types=[(hotel.id, replace(DOUBLE, listed=False))])
    await small_hotel.rebuild(conn, hotel.double)
    assert await found(conn, 3, 2) == []


async def test_upserts_say_what_is_new_and_keep_keys(conn: asyncpg.Connection) -> None:
    facts = replace(small_hotel.FACTS, identifier="one-hotel", tax_percent=Decimal("14.00"))
    first = await hotels.upsert_hotels(conn, hotels=[facts])
    changed = replace(facts, name_en="Another Name", pictures=("hotel/one-hotel/1",))
    second = await hotels.upsert_hotels(conn, hotels=[changed])

    assert first["one-hotel"].new
    assert not second["one-hotel"].new
    assert first["one-hotel"].id == second["one-hotel"].id
    stored = await hotels.find(conn, identifier="one-hotel")
    assert stored == hotels.Hotel(
        id=first["one-hotel"].id, **{name: getattr(changed, name) for name in changed.__dataclass_fields__}
    )


# ------------------------------------------------------------------------------------------------ who fits


@pytest.mark.parametrize(
    ("party", "fits"),
    [
        ({"adults": 2, "children": 1}, True),
        ({"adults": 1, "children": 2}, True),  # a child takes an adult's place
        ({"adults": 3}, False),
        ({"adults": 2, "children": 2}, False),
        ({"adults": 4, "children": 2, "rooms": 2}, True),
        ({"adults": 6, "rooms": 3}, False),  # there are two
    ],
)
async def test_who_fits(conn: asyncpg.Connection, party: dict[str, int], fits: bool) -> None:
    hotel = await open_hotel(conn)
    stay: dict[str, Any] = {"check_in": night(3), "nights": 2, **party}

    assert bool(await inventory.search(conn, city=CAIRO, **stay)) is fits
    assert bool(await inventory.offers(conn, hotel=hotel.id, **stay)) is fits


async def test_several_rooms_need_several_free(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(4), to_night=night(4), rooms=1, now=NOW
    )
    await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(8), to_night=night(9), rooms=5, now=NOW
    )
    assert await found(conn, 3, 2, adults=4, rooms=2) == []
    assert len(await found(conn, 5, 2, adults=4, rooms=2)) == 1
    assert len(await found(conn, 8, 2, adults=10, rooms=5)) == 1
    assert await found(conn, 7, 3, adults=10, rooms=5) == []


async def test_the_least_stay_counts_for_who_arrives(conn: asyncpg.Connection) -> None:
    await open_hotel(
        conn, rates=[Rate(night(0), night(60), 100), Rate(night(10), night(10), 100, min_stay=3)]
    )
    assert await found(conn, 10, 2) == []
    assert len(await found(conn, 10, 3)) == 1
    assert len(await found(conn, 9, 2)) == 1


# ------------------------------------------------------------------------------------------------ filters and order


async def test_each_hotel_comes_once_with_its_cheapest_room(conn: asyncpg.Connection) -> None:
    suite = replace(DOUBLE, code="suite", kind="suite", capacity=4, max_adults=4)
    hotel = await open_hotel(conn, rooms=[DOUBLE, suite])
    await hotels.add_rates(conn, rates={hotel.rooms["suite"]: [Rate(OPENING, night(300), 250_000)]})
    await small_hotel.rebuild(conn, hotel.rooms["suite"])

    (offer,) = await found(conn, 3, 2)
    assert (offer.room.code, offer.total_minor) == ("double", 200_000)
    (offer,) = await found(conn, 3, 2, adults=4)
    assert (offer.room.code, offer.total_minor) == ("suite", 500_000)


async def test_filters_and_pages(conn: asyncpg.Connection) -> None:
    for stars, price in ((3, 300), (4, 200), (5, 100), (5, 400)):
        await open_hotel(
            conn,
            identifier=f"hotel-{stars}-{price}",
            stars=stars,
            amenities=("wifi", "beach") if stars == 5 else ("wifi",),
            area_en="Zamalek" if price > 250 else "Maadi",
            free_days=None if price == 100 else 2,
            penalty="full" if price == 100 else "first_night",
            rates=[Rate(OPENING, night(60), price)],
        )

    async def names(**wish: Any) -> list[str]:
        return [offer.hotel.identifier[6:] for offer in await found(conn, 5, 2, **wish)]

    assert await names() == ["5-100", "4-200", "3-300", "5-400"]
    assert await names(sort=Sort.STARS) == ["5-100", "5-400", "4-200", "3-300"]
    assert await names(filters=Filters(stars_min=4, stars_max=4)) == ["4-200"]
    assert await names(filters=Filters(amenities=("beach", "wifi"))) == ["5-100", "5-400"]
    assert await names(filters=Filters(area="zamalek")) == ["3-300", "5-400"]
    assert await names(filters=Filters(total_max=400, currency="EGP")) == ["5-100", "4-200"]
    assert await names(filters=Filters(total_max=400, currency="XXX")) == []
    assert await names(filters=Filters(free_at=NOW)) == ["4-200", "3-300", "5-400"]
    assert await names(filters=Filters(free_at=small_hotel.clock(night(3), 18))) == []
    second = await found(conn, 5, 2, limit=2, offset=2)
    assert [offer.hotel.identifier[6:] for offer in second] == ["3-300", "5-400"]
    assert second[0].matches == 4


async def test_distance_is_measured_from_a_point(conn: asyncpg.Connection) -> None:
    for name, longitude in (("near", 31.20), ("far", 31.50), ("nearest", 31.11)):
        await open_hotel(conn, identifier=name, longitude=longitude)
    offers = await found(conn, 5, 2, sort=Sort.DISTANCE, near=(30.06, 31.10))
    assert [offer.hotel.identifier for offer in offers] == ["nearest", "near", "far"]


async def test_prices_of_several_currencies_are_compared_by_their_worth(conn: asyncpg.Connection) -> None:
    await open_hotel(conn, identifier="in-dollars", currency="USD", rates=[Rate(OPENING, night(60), 10_000)])
    await open_hotel(conn, identifier="in-pounds", currency="EGP", rates=[Rate(OPENING, night(60), 100_000)])
    assert [offer.hotel.identifier for offer in await found(conn, 5, 1)] == ["in-pounds", "in-dollars"]
    under = await found(conn, 5, 1, filters=Filters(total_max=5_000, currency="USD"))
    assert [offer.hotel.identifier for offer in under] == ["in-pounds"]


@pytest.mark.parametrize(("price", "total"), [(10_004, 10_000), (10_005, 10_010), (10_014, 10_010)])
async def test_totals_in_small_units_round_to_what_can_be_paid(
    conn: asyncpg.Connection, price: int, total: int
) -> None:
    hotel = await open_hotel(conn, currency="KWD", rates=[Rate(OPENING, night(60), price)])
    (offer,) = await found(conn, 5, 1)
    (room,) = await inventory.offers(conn, hotel=hotel.id, check_in=night(5), nights=1, adults=2)
    assert offer.total_minor == room.total_minor == total


async def test_the_rate_table_agrees_with_the_exponents(conn: asyncpg.Connection) -> None:
    rates = await inventory.exchange_rates(conn)
    assert {code: rate.minor_units for code, rate in rates.items()} == {
        code: EXPONENTS[code] for code in rates
    }
    rows = await conn.fetch("SELECT currency FROM exchange_rates WHERE payable_step = 10")
    assert {row["currency"] for row in rows} == {"KWD", "BHD", "OMR", "JOD", "TND"}
    assert await inventory.set_exchange_rate(
        conn, currency="EGP", per_usd=Decimal("50.5"), as_of=OPENING, source="operator"
    )
    assert (await inventory.exchange_rates(conn, currencies=["EGP"]))["EGP"].per_usd == Decimal("50.5")
    assert not await inventory.set_exchange_rate(
        conn, currency="XXX", per_usd=Decimal(1), as_of=OPENING, source="operator"
    )


async def test_the_last_night_that_has_a_price(conn: asyncpg.Connection) -> None:
    assert await inventory.last_night(conn, city=CAIRO) is None
    await open_hotel(conn, rates=[Rate(night(0), night(77), 100)])
    assert await inventory.last_night(conn, city=CAIRO) == night(77)


# ------------------------------------------------------------------------------------------------ an operator's edits


async def test_an_edit_below_what_is_sold_keeps_it_and_lists_the_stays(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    await small_hotel.claim(conn, await small_hotel.newcomer(conn))
    await conn.execute("SET LOCAL ROLE rahhal_app")
    held = [await small_hotel.hold(conn, hotel.double, 5, 2) for _ in range(2)]
    await conn.execute("SET LOCAL ROLE rahhal_owner")

    edit = await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(4), to_night=night(6), rooms=1, now=NOW
    )
    assert edit.clamped == (night(5), night(6))
    assert {stay.reference for stay in edit.stays} == {one.reference for one in held}
    rows = await conn.fetch("SELECT allotment, booked FROM room_nights ORDER BY night")
    assert [tuple(row) for row in rows] == [(1, 0), (2, 2), (2, 2)]
    more = await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(5), to_night=night(5), rooms=3, now=NOW
    )
    assert (more.clamped, more.stays) == ((), ())
    assert len(await found(conn, 5, 1)) == 1
    closed = await inventory.edit_allotment(
        conn,
        room_type=hotel.double,
        from_night=night(4),
        to_night=night(6),
        rooms=0,
        now=NOW + timedelta(hours=1),
    )
    assert closed.clamped == ()  # the holds were over
    assert await found(conn, 5, 1) == []
    assert await small_hotel.stale_blocks(conn) == 0


async def test_a_new_allotment_spares_edited_nights_and_sold_rooms(conn: asyncpg.Connection) -> None:
    hotel = await open_hotel(conn)
    await small_hotel.claim(conn, await small_hotel.newcomer(conn))
    await conn.execute("SET LOCAL ROLE rahhal_app")
    await small_hotel.hold(conn, hotel.double, 5, 1, rooms=2)
    await small_hotel.hold(conn, hotel.double, 6, 1)
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    await inventory.edit_allotment(
        conn, room_type=hotel.double, from_night=night(7), to_night=night(7), rooms=4, now=NOW
    )

    await hotels.upsert_room_types(conn, room_types=[(hotel.id, replace(DOUBLE, allotment=1))])
    await small_hotel.rebuild(conn, hotel.double)
    rows = await conn.fetch("SELECT allotment, booked FROM room_nights ORDER BY night")
    assert [tuple(row) for row in rows] == [(2, 2), (1, 1), (4, 0)]


# ------------------------------------------------------------------------------------------------ speed


async def test_a_search_reads_one_citys_blocks_by_index(conn: asyncpg.Connection) -> None:
    """A table large enough for the planner to care, most of it elsewhere."""
    hotel = await open_hotel(conn)
    await conn.execute(
        """
        INSERT INTO search_blocks (room_type_id, block, hotel_id, city, capacity, max_adults, free, price)
        SELECT $1, 100000 + n, $2, 1 + n % 50, 2, 2, 1, array_fill(100, ARRAY[42]) FROM generate_series(1, 20000) AS n
        """,
        hotel.double,
        hotel.id,
    )
    await conn.execute("ANALYZE search_blocks")
    part = inventory.parts(night(5), 3)[0]
    plan = await conn.fetchval(
        "EXPLAIN (FORMAT JSON) " + inventory._SEARCH,
        *(CAIRO, part.block, part.first + 1, 3, part.mask, 2, 2, [], [], [], night(5), 3, 1),
        *(None, None, [], None, None, None, None, "price", None, None, 5, 0),
    )
    scans = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "search_blocks"]
    assert "search_blocks_city" in str(plan)
    assert all(node["Node Type"] != "Seq Scan" for node in scans)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(inner for child in plan.get("Plans", ()) for inner in nodes(child))]
