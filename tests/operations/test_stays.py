"""rahhal stays: an operator reports what the hotel says, and reads what guests wrote before anybody else does."""

from __future__ import annotations

import asyncpg
import pytest

from bot.__main__ import main
from bot.errors import OperationFailed
from bot.operations import stays
from db import proof
from db.hotels import HotelId
from db.outcomes import Report
from db.pool import Role, as_role
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell

LATER = small_hotel.clock(small_hotel.night(5), 12)


async def test_a_stay_is_listed_reported_and_told_of(pool: asyncpg.Pool, database: str) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        hotel = await small_hotel.open_hotel(conn)
        booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel)
        code = await conn.fetchval("SELECT confirmation_number FROM bookings")
    [line] = stays.lines(await stays.listed(database, now=LATER))
    assert line.startswith(code)
    assert "completed, due" in line

    assert await stays.report(database, code=code, what=Report.PAID, now=LATER) == f"{code}: paid"
    assert (
        await stays.report(database, code=code, what=Report.PAID, now=LATER) == f"{code}: it was already so"
    )
    assert await stays.report(database, code=code, what=Report.NO_SHOW, now=LATER) == f"{code}: no-show"
    with pytest.raises(OperationFailed, match="not possible now"):
        await stays.report(database, code=code, what=Report.PAID, now=LATER)
    assert await stays.report(database, code=code, what=Report.CAME, now=LATER) == f"{code}: came"
    with pytest.raises(OperationFailed, match="no booking"):
        await stays.report(database, code="RH-NOSUCH", what=Report.CAME, now=LATER)
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        await tell(conn, booking)
    [line] = stays.lines(await stays.listed(database, now=LATER))
    assert "completed, paid, told" in line
    assert list(
        stays.lines(await stays.listed(database, now=small_hotel.clock(small_hotel.night(90), 12)))
    ) == ["no stays ended in these days"]


async def test_what_a_guest_wrote_is_read_by_somebody_before_it_is_shown(
    pool: asyncpg.Pool, database: str
) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        hotel = await small_hotel.open_hotel(conn)
        booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel)
        await tell(conn, booking)
        await conn.execute("UPDATE booking_outcomes SET note = E'قريب من\\nالبحر'")
        code = await conn.fetchval("SELECT reference FROM trips")
    [line] = stays.note_lines(await stays.notes(database, shown=False))
    assert line.endswith("8/10  Sharfat El Nil Hotel: قريب من البحر")

    async def read() -> list[str]:
        async with pool.acquire() as conn, as_role(conn, Role.APP):
            return [note.note for note in await proof.notes_of(conn, hotel=HotelId(hotel.id))]

    assert await read() == []
    assert (
        await stays.release(database, code=code.lower(), shown=True) == f"{code.lower()}: the note is shown"
    )
    assert await read() == ["قريب من\nالبحر"]
    assert await stays.notes(database, shown=False) == []
    await stays.release(database, code=code, shown=False)
    assert await read() == []
    with pytest.raises(OperationFailed, match="no note"):
        await stays.release(database, code="RH-NOSUCH", shown=True)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stays"]) == 2
    assert "no-show" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["stays", "paid"])
