"""The demo catalogue: hotels that do not exist, in real districts, the same ones on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from functools import cache

from bot.suppliers.demo import rooms
from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.names import KINDS, Namer, slug
from bot.suppliers.demo.places import Area, City, Setting, cities
from db.hotels import HotelFacts, RoomTypeFacts
from locales.currency import minor_units

SEED = "rahhal demo 1"
PREFIX = "demo-"
"""Identifiers of the demo begin with it, so that an operator's own never meet them."""
PICTURES = 3

_VALUE = {1: 38, 2: 62, 3: 100, 4: 165, 5: 310}
"""Percent of the city's level, by stars."""
_FOOD = {"RO": 100, "BB": 112, "HB": 135, "FB": 155, "AI": 185}
_TAX = {
    "EG": 14, "SA": 15, "AE": 10, "QA": 5, "KW": 0, "BH": 10, "OM": 9, "JO": 8, "LB": 11, "SY": 5, "IQ": 5,
    "TN": 7, "MA": 10, "DZ": 9, "LY": 0, "TR": 12, "GE": 18, "AZ": 18, "BA": 17, "MY": 8, "MV": 16, "ID": 11,
    "GB": 20, "FR": 10,
}  # fmt: skip
"""Percent of tax inside the price: plausible, not advice."""
_SOBER = {"SA", "KW", "LY"}


@dataclass(frozen=True, slots=True)
class DemoRoom:
    """A room type; `cents`: US cents of an average night, from which the calendar makes prices."""

    facts: RoomTypeFacts
    cents: int


@dataclass(frozen=True, slots=True)
class DemoHotel:
    """A hotel of the demo with its rooms."""

    facts: HotelFacts
    rooms: tuple[DemoRoom, ...]
    setting: Setting
    theme: str
    season: str
    busy_nights: int


@cache
def catalogue() -> tuple[DemoHotel, ...]:
    """Every hotel, in a fixed order."""
    namer = Namer()
    return tuple(hotel for city in cities() for hotel in _of(city, namer))


@cache
def by_identifier() -> dict[str, DemoHotel]:
    """The same hotels, by their identifiers."""
    return {hotel.facts.identifier: hotel for hotel in catalogue()}


def _of(city: City, namer: Namer) -> list[DemoHotel]:
    said: set[str] = set()
    return [_hotel(city, city.areas[n % len(city.areas)], n, said, namer) for n in range(city.hotels)]


def _hotel(city: City, area: Area, n: int, said: set[str], namer: Namer) -> DemoHotel:
    draw = Draw(SEED, city.key, n)
    stars = _stars(city, area.setting, n, draw)
    kind = _kind(city, area, stars, draw)
    name = namer.name(city, area.setting, said, draw)
    name_ar, name_en = KINDS[kind]
    identifier = PREFIX + slug(name.en)
    board = _board(city, area.setting, kind, stars, draw)
    seen = rooms.view(city, area.setting, area.name_en, draw)
    free_days, penalty = _terms(area.setting, stars, draw)
    scale = 10 ** minor_units(city.currency)
    latitude, longitude = _inside(area, draw)
    facts = HotelFacts(
        identifier=identifier,
        name_ar=name_ar.format(name.ar),
        name_en=name_en.format(name.en),
        city=city.geonameid,
        city_ar=city.name_ar,
        city_en=city.name_en,
        country=city.country,
        stars=stars,
        latitude=latitude,
        longitude=longitude,
        setting=area.setting,
        timezone=city.timezone,
        currency=city.currency,
        area_ar=area.name_ar,
        area_en=area.name_en,
        address_ar=f"{area.name_ar}، {city.name_ar}",
        address_en=f"{area.name_en}, {city.name_en}",
        amenities=_amenities(city, area, kind, stars, board, seen, draw),
        check_in_from=time(16) if area.setting == "holy" else draw.pick((time(14), time(14), time(15))),
        check_out_until=draw.pick((time(11), time(12), time(12))),
        free_days=free_days,
        penalty=penalty,
        tax_percent=Decimal(_TAX[city.country]),
        local_fee_minor=city.fees[stars - 1] * scale,
        pictures=tuple(f"hotel/{identifier}/{each}" for each in range(1, PICTURES + 1)),
        demo=True,
    )
    level = city.level * _VALUE[stars] * draw.whole(86, 122) * _FOOD[board] // 10000
    return DemoHotel(
        facts,
        tuple(
            DemoRoom(
                rooms.facts(each, board=board, seen=seen, stars=stars, draw=draw), level * each.percent // 100
            )
            for each in rooms.kinds(kind, area.setting, stars, draw)
        ),
        area.setting,
        city.theme,
        city.season,
        city.busy_nights,
    )


def _stars(city: City, setting: Setting, n: int, draw: Draw) -> int:
    if n < 4:  # every city has something for every purse
        return (4, 3, 5, 2)[n]
    plenty = setting in {"beach", "holy"} or city.level >= 80
    return draw.weighted(
        ((1, 3), (2, 10), (3, 30), (4, 35), (5, 22))
        if plenty
        else ((1, 6), (2, 18), (3, 40), (4, 26), (5, 10))
    )


def _kind(city: City, area: Area, stars: int, draw: Draw) -> str:
    old_town = area.name_en in {"Medina", "Kasbah", "Fes El Bali"}
    if city.country == "MA" and old_town and stars >= 3:
        return "riad"
    match area.setting:
        case "beach":
            return "resort" if stars >= 4 and draw.chance(75) else "hotel"
        case "desert":
            return draw.weighted((("camp", 45), ("resort", 20 if stars >= 4 else 0), ("lodge", 35)))
        case "mountain":
            return draw.weighted((("hotel", 40), ("resort", 25 if stars >= 4 else 0), ("lodge", 35)))
        case "city":
            return "apartments" if stars in {3, 4} and draw.chance(18) else "hotel"
        case "holy":
            return "hotel"


def _board(city: City, setting: Setting, kind: str, stars: int, draw: Draw) -> str:
    if kind == "apartments" or stars == 1:
        return "RO"
    if setting == "beach" and kind == "resort":
        if city.country in {"EG", "TR", "TN"} and city.key not in {"alexandria", "alamein"}:
            return draw.weighted((("AI", 60), ("HB", 40)))
        return draw.weighted((("BB", 65), ("HB", 35)))
    if kind == "camp":
        return draw.weighted((("HB", 60), ("BB", 40)))
    return draw.weighted((("BB", 65), ("RO", 35)))


def _terms(setting: Setting, stars: int, draw: Draw) -> tuple[int | None, str]:
    """(days of free cancellation, penalty after them); None days: non-refundable."""
    if draw.chance(14 if stars <= 3 else 8):
        return None, "full"
    if setting == "holy":
        return draw.pick((2, 3, 7)), draw.pick(("first_night", "full"))
    return draw.weighted(((1, 40), (2, 30), (3, 20), (7, 10))), "first_night" if draw.chance(85) else "full"


def _inside(area: Area, draw: Draw) -> tuple[float, float]:
    """A point within some three hundred metres of the district's own, so that nothing lands in the sea."""
    return (
        round(area.latitude + draw.between(-0.003, 0.003), 5),
        round(area.longitude + draw.between(-0.003, 0.003), 5),
    )


def _amenities(
    city: City, area: Area, kind: str, stars: int, board: str, seen: str, draw: Draw
) -> tuple[str, ...]:
    has = {"wifi", "reception_24h"} if kind != "camp" else {"wifi"}
    has.add("heating" if area.setting == "mountain" or city.season == "europe" else "air_conditioning")
    if board != "RO":
        has.add("breakfast")
    chances = {
        "parking": 20 + 15 * stars if city.key not in {"paris", "london", "maldives"} else 10,
        "restaurant": 25 * stars - 15,
        "elevator": 90 if kind == "hotel" and stars >= 3 else 10,
        "pool": {"beach": 95, "desert": 55, "city": 45, "mountain": 30, "holy": 0}[area.setting]
        if stars >= 3
        else 5,
        "gym": 30 * (stars - 2),
        "spa": 35 * (stars - 3),
        "room_service": 30 * (stars - 2),
        "airport_transfer": 15 * stars,
        "family_friendly": 70 if area.setting in {"beach", "holy"} or kind == "apartments" else 45,
        "prayer_room": 60 if city.country not in {"GB", "FR", "BA", "GE", "ID"} else 5,
        "halal": 15 if city.country in {"GB", "FR", "GE", "BA", "ID"} else 100,
        "no_alcohol": 100
        if city.country in _SOBER
        else 45
        if city.country in {"IQ", "EG", "JO", "TR", "MY"}
        else 10,
        "non_smoking": 60,
        "laundry": 60,
        "garden": 35 if area.setting != "city" else 15,
        "accessible": 20 + 10 * stars,
        "quiet": 65 if area.setting in {"desert", "mountain"} else 15,
    }
    has.update(name for name, percent in chances.items() if draw.chance(percent))
    if area.setting == "beach":
        has.add("beach")
        has.update(["private_beach"] if stars >= 4 and draw.chance(70) else [])
        has.update(["kids_pool", "kids_club"] if kind == "resort" and draw.chance(60) else [])
    if area.setting == "holy":
        near = seen == "haram_view" or area.name_en in {"Ajyad", "Al Shubaikah", "Northern Central Area"}
        has.add("near_haram" if near else "haram_shuttle")
    if kind == "apartments":
        has.update(("kitchen", "washing_machine", "fridge"))
    if kind in {"camp", "lodge"} and draw.chance(60):
        has.add("barbecue")
    if seen:
        has.add(seen)
    if area.setting in {"beach", "mountain"} and draw.chance(55):
        has.add("balcony")
    return tuple(sorted(has))
