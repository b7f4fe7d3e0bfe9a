"""The small tables of the demo: real cities and districts, seasons, currencies. Tab-separated files a person can edit."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal

Setting = Literal["beach", "city", "desert", "mountain", "holy"]
SETTINGS: dict[str, Setting] = {
    "beach": "beach",
    "city": "city",
    "desert": "desert",
    "mountain": "mountain",
    "holy": "holy",
}

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Area:
    """A district with a point inside it (degrees WGS 84)."""

    name_ar: str
    name_en: str
    latitude: float
    longitude: float
    setting: Setting


@dataclass(frozen=True, slots=True)
class City:
    """A city that has demo hotels.

    geonameid: GeoNames id (CC BY 4.0, geonames.org), the same as in the gazetteer.
    busy_nights: weekday mask (bit 0 Monday) of the nights before days off.
    level: US dollars for an average three-star night. hotels: how many there are.
    fees: by stars 1 … 5, due at the hotel per room and night, in whole units of the currency; zeros where there are none.
    """

    key: str
    geonameid: int
    name_ar: str
    name_en: str
    country: str
    timezone: str
    currency: str
    season: str
    busy_nights: int
    level: int
    theme: str
    hotels: int
    fees: tuple[int, ...]
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Season:
    """How a year moves prices, in percent of the level: twelve months, then what multiplies the month."""

    months: tuple[int, ...]
    weekend: int
    ramadan: int
    last_ten: int
    eid_fitr: int
    hajj: int
    eid_adha: int
    new_year: int


@dataclass(frozen=True, slots=True)
class Currency:
    """What a dollar is worth for the demo's prices, and the step they are rounded to, both in whole units."""

    per_usd: Decimal
    step: Decimal


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a data file, by its header."""
    text = resources.files(__package__).joinpath("data", f"{name}.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", strict=True))


@cache
def cities() -> tuple[City, ...]:
    """Every city, in the order of the file."""
    areas: dict[str, list[Area]] = {}
    for row in rows("areas"):
        areas.setdefault(row["city"], []).append(
            Area(
                row["name_ar"],
                row["name_en"],
                float(row["latitude"]),
                float(row["longitude"]),
                SETTINGS[row["setting"]],
            )
        )
    return tuple(
        City(
            key=row["key"],
            geonameid=int(row["geonameid"]),
            name_ar=row["name_ar"],
            name_en=row["name_en"],
            country=row["country"],
            timezone=row["timezone"],
            currency=row["currency"],
            season=row["season"],
            busy_nights=sum(1 << _WEEKDAYS.index(day) for day in row["weekend"].split(",")),
            level=int(row["level"]),
            theme=row["theme"],
            hotels=int(row["hotels"]),
            fees=tuple(int(fee) for fee in row["fees"].split(",")) if row["fees"] else (0,) * 5,
            areas=tuple(areas[row["key"]]),
        )
        for row in rows("cities")
    )


@cache
def seasons() -> dict[str, Season]:
    """The seasons by name."""
    return {
        row["season"]: Season(
            months=tuple(int(row[month]) for month in _MONTHS),
            weekend=int(row["weekend"]),
            ramadan=int(row["ramadan"]),
            last_ten=int(row["last_ten"]),
            eid_fitr=int(row["eid_fitr"]),
            hajj=int(row["hajj"]),
            eid_adha=int(row["eid_adha"]),
            new_year=int(row["new_year"]),
        )
        for row in rows("seasons")
    }


@cache
def currencies() -> dict[str, Currency]:
    """The currencies of the cities, by ISO code."""
    return {
        row["currency"]: Currency(Decimal(row["per_usd"]), Decimal(row["step"])) for row in rows("currencies")
    }
