"""The demo catalogue: enough hotels in enough real places, plausible, and the same everywhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hijridate import Hijri

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.hotels import DemoHotel, catalogue
from bot.suppliers.demo.names import slug
from bot.suppliers.demo.places import cities, seasons
from bot.suppliers.demo.prices import calendar, price, rates
from bot.understanding.gazetteer import Place, gazetteer
from locales.catalogue import catalogue as sentences

_BRANDS = """
    hilton marriott sheraton westin hyatt radisson rotana jumeirah kempinski movenpick sofitel novotel ibis mercure accor
    fairmont raffles swissotel ritz intercontinental crowne holiday-inn wyndham ramada four-seasons mandarin shangri anantara
    banyan habitas aman rixos titanic steigenberger iberotel jaz pickalbatros cleopatra sunrise baron savoy concorde
    millennium copthorne boudl braira elaf makarem shaza pullman conrad waldorf regis armani atlantis mamounia mansour
    chedi alila six-senses oberoi taj dusit address vida hampton doubletree best-western premier-inn travelodge moxy citadines
"""
BRANDS = _BRANDS.split()

CATALOGUE, DRAWS = "31285d30fb251ba0", [118, 651, 225, 973, 226]


def hotels_in(key: str) -> list[DemoHotel]:
    ids = {city.key: city.geonameid for city in cities()}
    return [hotel for hotel in catalogue() if hotel.facts.city == ids[key]]


def nights_of(hotel: DemoHotel, first: date, last: date) -> dict[date, int]:
    """Night → price of the first room."""
    found = {}
    for rate in rates(hotel, hotel.rooms[0], first, last):
        for n in range((rate.to_night - rate.from_night).days + 1):
            night = rate.from_night + timedelta(days=n)
            if rate.weekdays >> night.weekday() & 1:
                assert night not in found, "two prices for a night"
                found[night] = rate.price
    return found


def test_there_are_enough_hotels_in_enough_cities() -> None:
    assert len(catalogue()) >= 400
    assert len({hotel.facts.city for hotel in catalogue()}) >= 25
    assert set(Counter(len(hotel.rooms) for hotel in catalogue())) <= {2, 3, 4}
    assert {hotel.facts.setting for hotel in catalogue()} == {"beach", "city", "desert", "mountain", "holy"}


def test_every_city_has_something_for_every_purse() -> None:
    for city in cities():
        stars = {hotel.facts.stars for hotel in catalogue() if hotel.facts.city == city.geonameid}
        assert {2, 3, 4, 5} <= stars, city.name_en


def test_cities_are_those_of_the_gazetteer() -> None:
    known = {
        place.geonameid: place.country
        for places in gazetteer().names.values()
        for place in places
        if isinstance(place, Place)
    }
    for city in cities():
        assert known.get(city.geonameid) == city.country, city.name_en


def test_names_and_identifiers_are_unique_in_both_languages() -> None:
    for names in (
        [hotel.facts.identifier for hotel in catalogue()],
        [hotel.facts.name_ar for hotel in catalogue()],
        [hotel.facts.name_en for hotel in catalogue()],
    ):
        assert len(set(names)) == len(names)


def test_names_are_arabic_and_latin() -> None:
    for hotel in catalogue():
        assert not any("a" <= letter.lower() <= "z" for letter in hotel.facts.name_ar)
        assert not any("\u0600" <= letter <= "\u06ff" for letter in hotel.facts.name_en)


@pytest.mark.parametrize("brand", BRANDS)
def test_no_name_is_a_known_brand(brand: str) -> None:
    for hotel in catalogue():
        assert f"-{brand}-" not in f"-{slug(hotel.facts.name_en)}-"


def test_all_of_it_is_labelled_a_demonstration() -> None:
    assert all(hotel.facts.demo and hotel.facts.identifier.startswith("demo-") for hotel in catalogue())


def test_amenities_and_views_have_a_text() -> None:
    texts = sentences("ar").sentences
    for hotel in catalogue():
        for amenity in hotel.facts.amenities:
            assert f"amenity.{amenity}" in texts, amenity


def test_a_beach_hotel_is_on_the_beach_and_a_mountain_hotel_is_not() -> None:
    for hotel in catalogue():
        assert ("beach" in hotel.facts.amenities) == (hotel.facts.setting == "beach")


def test_dry_countries_serve_no_alcohol() -> None:
    for hotel in catalogue():
        if hotel.facts.country in {"SA", "KW"}:
            assert "no_alcohol" in hotel.facts.amenities


def test_hotels_lie_in_their_district() -> None:
    for city in cities():
        for hotel in hotels_in(city.key):
            assert any(
                abs(area.latitude - hotel.facts.latitude) < 0.004
                and abs(area.longitude - hotel.facts.longitude) < 0.004
                and area.name_en == hotel.facts.area_en
                for area in city.areas
            )


def test_the_tourism_dirham_is_due_at_the_hotel_in_dubai() -> None:
    fees = {hotel.facts.stars: hotel.facts.local_fee_minor for hotel in hotels_in("dubai")}
    assert fees[5] == 2000
    assert fees[4] == 1500


def test_rooms_sleep_whom_they_say() -> None:
    for hotel in catalogue():
        for room in hotel.rooms:
            assert room.facts.max_adults <= room.facts.capacity
            assert room.facts.max_children < room.facts.capacity


def test_the_catalogue_never_moves_by_itself() -> None:
    told = repr(
        [
            (
                hotel.facts.identifier,
                hotel.facts.name_ar,
                hotel.facts.stars,
                hotel.facts.latitude,
                hotel.facts.longitude,
                hotel.facts.amenities,
                hotel.facts.free_days,
                [
                    (room.facts.code, room.facts.allotment, room.facts.board, room.cents)
                    for room in hotel.rooms
                ],
            )
            for hotel in catalogue()
        ]
    )
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == CATALOGUE, (
        "changed on purpose? write the new one down"
    )


def test_draws_are_pinned() -> None:
    draw = Draw("a", 1)
    assert [draw.below(1000) for _ in range(5)] == DRAWS


def test_every_night_has_one_price() -> None:
    first, last = date(2026, 11, 1), date(2028, 5, 31)
    for hotel in catalogue()[::40]:
        assert len(nights_of(hotel, first, last)) == (last - first).days + 1


@pytest.mark.parametrize("season", list(seasons()))
def test_calendars_have_no_gap_and_no_overlap(season: str) -> None:
    spans = calendar(season, date(2026, 1, 1), date(2027, 12, 31))
    assert spans[0].first == date(2026, 1, 1)
    assert spans[-1].last == date(2027, 12, 31)
    for before, after in pairwise(spans):
        assert after.first == before.last + timedelta(days=1)


def test_a_calendar_is_the_same_in_pieces() -> None:
    hotel = hotels_in("makkah")[0]
    whole = nights_of(hotel, date(2026, 11, 1), date(2027, 4, 30))
    pieces = nights_of(hotel, date(2026, 11, 1), date(2027, 2, 14)) | nights_of(
        hotel, date(2027, 2, 15), date(2027, 4, 30)
    )
    assert whole == pieces


def test_makkah_is_dearest_at_the_end_of_ramadan_and_in_the_pilgrimage() -> None:
    prices = nights_of(hotels_in("makkah")[0], date(2027, 1, 1), date(2027, 12, 31))
    plain = prices[date(2027, 10, 12)]
    assert prices[Hijri(1448, 9, 27).to_gregorian()] > 2.5 * plain
    assert prices[Hijri(1448, 12, 4).to_gregorian()] > 2 * plain
    assert prices[Hijri(1448, 9, 5).to_gregorian()] > 1.5 * plain


@pytest.mark.parametrize(
    ("city", "dear", "cheap"),
    [
        ("hurghada", date(2027, 4, 21), date(2027, 6, 23)),
        ("dubai", date(2027, 1, 13), date(2027, 7, 14)),
        ("alamein", date(2027, 8, 11), date(2027, 1, 13)),
        ("paris", date(2027, 7, 14), date(2027, 1, 13)),
        ("salalah", date(2027, 8, 11), date(2027, 4, 14)),
        ("luxor", date(2027, 1, 13), date(2027, 7, 14)),
    ],
)
def test_high_season_differs_by_place(city: str, dear: date, cheap: date) -> None:
    prices = nights_of(hotels_in(city)[0], date(2027, 1, 1), date(2027, 12, 31))
    assert prices[dear] > 1.15 * prices[cheap]


def test_the_weekend_is_the_countrys() -> None:
    dubai = nights_of(hotels_in("dubai")[0], date(2027, 10, 4), date(2027, 10, 10))
    jeddah = nights_of(hotels_in("jeddah")[0], date(2027, 10, 4), date(2027, 10, 10))
    thursday, saturday = date(2027, 10, 7), date(2027, 10, 9)
    assert dubai[saturday] > dubai[thursday]
    assert jeddah[thursday] > jeddah[saturday]


def test_stars_cost() -> None:
    for city in cities():
        cheapest = {
            stars: min(
                room.cents
                for hotel in hotels_in(city.key)
                if hotel.facts.stars == stars
                for room in hotel.rooms
            )
            for stars in (2, 5)
        }
        assert cheapest[5] > 2 * cheapest[2]


@pytest.mark.parametrize(
    ("cents", "currency", "minor"),
    [
        (6200, "EGP", 305000),
        (10000, "KWD", 30500),
        (10000, "IQD", 131000),
        (1, "USD", 100),
        (10000, "SAR", 37500),
    ],
)
def test_prices_stand_on_the_currencys_step(cents: int, currency: str, minor: int) -> None:
    assert price(cents, 100, currency) == minor


def test_prices_fit_the_search_blocks() -> None:
    for hotel in catalogue():
        for room in hotel.rooms:
            assert price(room.cents, 380, hotel.facts.currency) < 2**31 or hotel.facts.currency == "IDR"
            assert (
                max(rate.price for rate in rates(hotel, room, date(2027, 1, 1), date(2027, 12, 31)))
                <= 2_000_000_000
            )


def test_years_the_hijri_tables_do_not_know_still_have_prices() -> None:
    assert nights_of(hotels_in("makkah")[0], date(2099, 1, 1), date(2099, 1, 31))
