"""How many rooms may be sold on which nights, from an operator's file."""

from __future__ import annotations

from datetime import date, datetime
from typing import BinaryIO, cast

import asyncpg

from bot.domain.catalogue.columns import columns
from bot.domain.catalogue.report import Problem, Report
from bot.domain.catalogue.rooms import good_nights, known, own_hotel, refuse
from bot.domain.catalogue.table import Limits, Row, read
from db import inventory
from db.hotels import RoomTypeId


async def import_allotments(
    conn: asyncpg.Connection,
    stream: BinaryIO,
    *,
    now: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Report:
    """Set the rooms of nights, in the order of the file; a later row wins where ranges overlap.

    A night never goes below what is sold on it: such nights keep what is sold, and the stays are listed in the notes.
    Every kept row counts as an update. Raises ImportRefused when the file cannot be read at all.
    """
    report = Report()
    rows = list(read(stream, columns("allotments"), ("hotel", "room", "from", "to"), report, limits))
    there = await known(conn, rows)
    edits: list[tuple[RoomTypeId, Row]] = []
    for row in rows:
        hotel = own_hotel(row, there, report)
        if hotel is None or not good_nights(row, report):
            continue
        room = there.rooms.get((hotel.id, str(row.said["room"])))
        if room is None:
            refuse(
                report,
                row,
                "room",
                f"the hotel has no room type «{row.said['room']}»: import its rates first",
            )
            continue
        edits.append((room.id, row))
    for room_type, row in sorted(
        edits, key=lambda edit: (edit[0], edit[1].line)
    ):  # room types lock lowest first
        await _edit(conn, room_type, row, now, report)
    report.kept = report.updated = len(edits)
    return report


async def _edit(
    conn: asyncpg.Connection, room_type: RoomTypeId, row: Row, now: datetime, report: Report
) -> None:
    done = await inventory.edit_allotment(
        conn,
        room_type=room_type,
        from_night=cast(date, row.said["from"]),
        to_night=cast(date, row.said["to"]),
        rooms=cast(int, row.said["rooms"]),
        now=now,
    )
    if done.clamped:
        stays = ", ".join(sorted({stay.reference for stay in done.stays}))
        nights = f"{done.clamped[0]} to {done.clamped[-1]}" if len(done.clamped) > 1 else str(done.clamped[0])
        message = f"more rooms are sold on {len(done.clamped)} night(s) ({nights}) and stay sold: {stays}"
        report.notes.append(Problem(row.line, "rooms", message))
