"""Room types and their prices from an operator's file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, cast

import asyncpg

from bot.domain.catalogue import values
from bot.domain.catalogue.columns import columns
from bot.domain.catalogue.report import Report
from bot.domain.catalogue.rooms import Known, good_nights, known, own_hotel, refuse
from bot.domain.catalogue.table import Limits, Row, read
from bot.domain.catalogue.values import Wrong
from db import catalogue, hotels
from db.hotels import EVERY_DAY, HotelId, Rate, RoomTypeFacts, RoomTypeId

_RoomKey = tuple[HotelId, str]
_FACTS = {
    "room_name_ar": "name_ar",
    "room_name_en": "name_en",
    "room_kind": "kind",
    "capacity": "capacity",
    "max_adults": "max_adults",
    "max_children": "max_children",
    "beds": "beds",
    "board": "board",
    "view": "view",
    "rooms": "allotment",
}
"""Column → the room type's fact."""
_NEEDED = ("room_name_ar", "room_name_en", "capacity", "rooms")


@dataclass(slots=True)
class _Room:
    """A room type as the file describes it so far: fact → (value, line that said it)."""

    facts: dict[str, tuple[Any, int]]
    rates: list[Rate]


async def import_rates(
    conn: asyncpg.Connection,
    stream: BinaryIO,
    *,
    now: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Report:
    """Put prices over those there are; the same nights and weekdays of a room again replace the earlier price.

    A room type comes into being with its first row, which must describe it; later rows may leave that out.
    Raises ImportRefused when the file cannot be read at all.
    """
    report = Report()
    rows = list(read(stream, columns("rates"), ("hotel", "room", "from", "to", "weekdays"), report, limits))
    await catalogue.lock(conn)
    there = await known(conn, rows)
    rooms: dict[_RoomKey, _Room] = {}
    for row in rows:
        _take(row, there, rooms, report)
    written = await hotels.upsert_room_types(
        conn,
        room_types=[
            (hotel, _room_type(code, room, there, hotel)) for (hotel, code), room in sorted(rooms.items())
        ],
    )
    rates = {written[key].id: room.rates for key, room in rooms.items()}
    report.kept = sum(map(len, rates.values()))
    report.updated = await _already_there(conn, rates)
    await hotels.add_rates(conn, rates=rates)
    await catalogue.show(conn, room_types=list(rates), now=now)
    return report


def _take(row: Row, there: Known, rooms: dict[_RoomKey, _Room], report: Report) -> None:
    """Add a good row to what will be written; say what is wrong with a bad one."""
    hotel = own_hotel(row, there, report)
    if hotel is None or not good_nights(row, report):
        return
    key = (hotel.id, str(row.said["room"]))
    try:
        price = values.minor(cast(Decimal, row.said["price"]), hotel.currency)
    except Wrong as wrong:
        refuse(report, row, "price", str(wrong))
        return
    if price == 0:
        refuse(report, row, "price", "a night cannot cost nothing")
        return
    earlier = rooms[key].facts if key in rooms else {}
    said = {_FACTS[column]: (value, row.line) for column, value in row.said.items() if column in _FACTS}
    if (clash := _clash(row, earlier)) or (clash := _impossible(row, key, earlier | said, there)):
        refuse(report, row, *clash)
        return
    rooms.setdefault(key, _Room({}, []))
    rooms[key].facts = said | earlier
    rooms[key].rates.append(
        Rate(
            row.said["from"],  # type: ignore[arg-type]  # parsed by their columns
            row.said["to"],  # type: ignore[arg-type]
            price,
            cast(int, row.said.get("weekdays", EVERY_DAY)),
            cast(int, row.said.get("min_stay", 1)),
        )
    )


def _clash(row: Row, earlier: dict[str, tuple[Any, int]]) -> tuple[str, str] | None:
    """(column, message) when the row describes its room otherwise than an earlier row."""
    for column, fact in _FACTS.items():
        if column in row.said and fact in earlier and earlier[fact][0] != row.said[column]:
            value, line = earlier[fact]
            return column, f"line {line} says «{value}» of the same room"
    return None


def _impossible(
    row: Row, key: _RoomKey, said: dict[str, tuple[Any, int]], there: Known
) -> tuple[str, str] | None:
    """(column, message) when the room cannot be made of what is said of it."""
    old = there.rooms.get(key)
    if old is None:
        for column in _NEEDED:
            if _FACTS[column] not in said:
                return column, f"needed: the room type «{row.said['room']}» is new"
    facts = _together(key[1], {name: value for name, (value, _) in said.items()}, there, key[0])
    if facts["max_adults"] > facts["capacity"]:
        return "max_adults", f"more than the capacity ({facts['capacity']})"
    if facts.get("max_children", 0) >= facts["capacity"]:
        return "max_children", f"not less than the capacity ({facts['capacity']})"
    return None


def _together(code: str, said: dict[str, Any], there: Known, hotel: HotelId) -> dict[str, Any]:
    """What the file says over what the catalogue has, or over the defaults of a new room."""
    old = there.rooms.get((hotel, code))
    before: dict[str, Any] = (
        {field.name: getattr(old, field.name) for field in fields(RoomTypeFacts)}
        if old
        else {"code": code, "kind": "double", "max_adults": said["capacity"]}
    )
    return before | said


def _room_type(code: str, room: _Room, there: Known, hotel: HotelId) -> RoomTypeFacts:
    said = {name: value for name, (value, _) in room.facts.items()}
    return RoomTypeFacts(**_together(code, said, there, hotel))


async def _already_there(conn: asyncpg.Connection, rates: dict[RoomTypeId, list[Rate]]) -> int:
    """How many of the rates replace one with the same nights and weekdays."""
    there = await catalogue.known_ranges(conn, room_types=list(rates))
    return sum(
        (room_type, rate.from_night, rate.to_night, rate.weekdays) in there
        for room_type, many in rates.items()
        for rate in many
    )
