"""The hotels and room types that rows of rates and allotments are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from bot.domain.catalogue.report import Problem, Report
from bot.domain.catalogue.table import Row
from db import catalogue, hotels
from db.catalogue import KnownHotel
from db.hotels import HotelId, RoomType

MOST_NIGHTS = 3_660
"""The longest range of nights the database takes."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue has of the hotels a file names."""

    hotels: dict[str, KnownHotel]
    rooms: dict[tuple[HotelId, str], RoomType]


async def known(conn: asyncpg.Connection, rows: Iterable[Row]) -> Known:
    """Look up every hotel the rows name, with its room types."""
    found = await catalogue.known_hotels(conn, identifiers=list({str(row.said["hotel"]) for row in rows}))
    rooms = {
        (hotel.id, room.code): room
        for hotel in found.values()
        for room in await hotels.room_types(conn, hotel=hotel.id)
    }
    return Known(found, rooms)


def refuse(report: Report, row: Row, column: str, message: str) -> None:
    report.problems.append(Problem(row.line, column, message))
    report.refused += 1


def good_nights(row: Row, report: Report) -> bool:
    """Whether «from» and «to» make a range; says so otherwise."""
    first, last = row.said["from"], row.said["to"]
    nights = (last - first).days  # type: ignore[operator]  # both are dates: their columns parse them
    if 0 <= nights <= MOST_NIGHTS:
        return True
    refuse(
        report, row, "to", "before «from»" if nights < 0 else f"more than {MOST_NIGHTS} nights after «from»"
    )
    return False


def own_hotel(row: Row, there: Known, report: Report) -> KnownHotel | None:
    """The row's hotel when it is known and not of the demo; says so otherwise."""
    hotel = there.hotels.get(str(row.said["hotel"]))
    if hotel is None:
        refuse(report, row, "hotel", f"«{row.said['hotel']}» is not in the catalogue: import the hotel first")
    elif hotel.demo:
        refuse(report, row, "hotel", "a demonstration hotel: its prices and rooms are not imported")
    else:
        return hotel
    return None
