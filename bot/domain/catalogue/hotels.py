"""Hotels from an operator's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, cast

import asyncpg

from bot.domain.catalogue import values
from bot.domain.catalogue.columns import NOT_REFUNDABLE, columns
from bot.domain.catalogue.report import Problem, Report
from bot.domain.catalogue.table import Limits, Row, read
from bot.domain.catalogue.values import Wrong
from db import catalogue, hotels, inventory
from db.catalogue import KnownHotel
from db.hotels import HotelFacts, HotelId

DEMO = "demo-"
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class City:
    """A city of the gazetteer."""

    geonameid: int
    name_ar: str
    name_en: str
    country: str


FindCity = Callable[[str, str | None], City | None]
"""(GeoNames id or name, country code or None) → the one city meant; None when unknown or not certain."""


async def import_hotels(
    conn: asyncpg.Connection,
    stream: BinaryIO,
    *,
    now: datetime,
    find_city: FindCity,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Report:
    """Insert new hotels, update those whose identifier is known; nothing is deleted.

    A cell that is empty, or a column that is missing, leaves what is there (or the default of a new hotel).
    Raises ImportRefused when the file cannot be read at all.
    """
    report = Report()
    rows = list(read(stream, columns("hotels"), ("identifier",), report, limits))
    await catalogue.lock(conn)
    currencies = frozenset(await inventory.exchange_rates(conn))
    shown_elsewhere: list[HotelId] = []
    for chunk in _chunks(rows):
        known = await catalogue.known_hotels(conn, identifiers=[str(row.said["identifier"]) for row in chunk])
        before = await hotels.read(conn, ids=[hotel.id for hotel in known.values()])
        good: list[HotelFacts] = []
        for row in chunk:
            there = known.get(str(row.said["identifier"]))
            old = before[there.id] if there else None
            try:
                facts = _facts(row, there, old, find_city, currencies)
            except _Refused as refused:
                report.problems.append(Problem(row.line, refused.column, str(refused)))
                report.refused += 1
                continue
            good.append(facts)
            if there and old and (old.city, old.listed) != (facts.city, facts.listed):
                shown_elsewhere.append(there.id)
        written = await hotels.upsert_hotels(conn, hotels=good)
        report.kept += len(written)
        report.updated += sum(not each.new for each in written.values())
    await _show(conn, shown_elsewhere, now)
    return report


class _Refused(Wrong):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def _chunks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _facts(
    row: Row,
    known: KnownHotel | None,
    old: HotelFacts | None,
    find_city: FindCity,
    currencies: frozenset[str],
) -> HotelFacts:
    said: dict[str, Any] = dict(row.said)
    identifier, currency = cast(str, said["identifier"]), cast(str, said["currency"])
    if identifier.startswith(DEMO) or (known and known.demo):
        raise _Refused("identifier", f"«{DEMO}…» is kept for the demonstration hotels")
    if currency not in currencies:
        raise _Refused("currency", f"there is no exchange rate for {currency}")
    if known and known.currency != currency:
        raise _Refused("currency", f"the hotel's prices are in {known.currency}: use another identifier")
    city = find_city(values.latin(said["city"]), said.pop("country", None))
    if city is None:
        raise _Refused(
            "city", f"«{said['city']}» is not a city known here, or not the only one: give its GeoNames id"
        )
    said |= {
        "city": city.geonameid,
        "city_ar": city.name_ar,
        "city_en": city.name_en,
        "country": city.country,
        "latitude": float(said["latitude"]),
        "longitude": float(said["longitude"]),
    }
    if "local_fee" in said:
        try:
            said["local_fee_minor"] = values.minor(cast(Decimal, said.pop("local_fee")), currency)
        except Wrong as wrong:
            raise _Refused("local_fee", str(wrong)) from None
    if "listed" in said:
        said["listed"] = said["listed"] == "yes"
    return HotelFacts(**(_kept(old) | said | _terms(said, old)))


def _kept(old: HotelFacts | None) -> dict[str, Any]:
    """What stays of a known hotel; the setting is the only column without a default of its own."""
    if old is None:
        return {"setting": "city"}
    return {field.name: getattr(old, field.name) for field in fields(HotelFacts)}


def _terms(said: dict[str, Any], old: HotelFacts | None) -> dict[str, Any]:
    """Non-refundable goes with the full price as the penalty, whatever the row says of it."""
    if said.get("free_days") == NOT_REFUNDABLE:
        return {"free_days": None, "penalty": "full"}
    if "free_days" not in said and old is not None and old.free_days is None:
        return {"penalty": "full"}
    return {}


async def _show(conn: asyncpg.Connection, moved: list[HotelId], now: datetime) -> None:
    """Bring searches up to date for hotels that moved to another city or changed their listing."""
    room_types = [each.id for hotel in moved for each in await hotels.room_types(conn, hotel=hotel)]
    await catalogue.show(conn, room_types=room_types, now=now)
