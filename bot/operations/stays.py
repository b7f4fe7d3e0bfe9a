"""`rahhal stays`: what hotels report of stays, and what guests wrote before others read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from bot.errors import DatabaseUnavailable, OperationFailed
from db import outcomes
from db import pool as pool_of
from db.outcomes import GuestNote, Report, Reported, StayLine
from db.pool import Role, as_role

DAYS = 30
ANSWERS = {
    Reported.DONE: "{code}: {report}",
    Reported.ALREADY: "{code}: it was already so",
}
REFUSALS = {
    Reported.UNKNOWN: "{code}: no booking has that reference or confirmation number",
    Reported.NOT_YET: "{code}: not possible now (the stay has not begun, was cancelled, or nobody was reported absent)",
}


async def listed(dsn: str, *, now: dt.datetime, days: int = DAYS) -> list[StayLine]:
    """Stays under way or ended in the last days."""
    async with _owner(dsn) as conn:
        return await outcomes.recent(conn, now=now, days=days)


async def report(dsn: str, *, code: str, what: Report, now: dt.datetime) -> str:
    """Write down what the hotel says; a line on what became of it. Raises OperationFailed when it cannot be."""
    async with _owner(dsn) as conn:
        answer = await outcomes.report(conn, code=code, report=what, now=now)
    said = {"code": code, "report": what.value.replace("_", "-")}
    if answer in REFUSALS:
        raise OperationFailed(REFUSALS[answer].format(**said))
    return ANSWERS[answer].format(**said)


async def notes(dsn: str, *, shown: bool) -> list[GuestNote]:
    """What guests wrote and others read (`shown`), or not yet."""
    async with _owner(dsn) as conn:
        return await outcomes.notes(conn, shown=shown)


async def release(dsn: str, *, code: str, shown: bool) -> str:
    """Let others read a guest's note, or no longer. Raises OperationFailed when there is none."""
    async with _owner(dsn) as conn:
        if not await outcomes.release_note(conn, code=code, shown=shown):
            raise OperationFailed(f"{code}: its guest wrote no note")
    return f"{code}: the note is {'shown' if shown else 'hidden'}"


def lines(stays: Sequence[StayLine]) -> Iterator[str]:
    """One line a stay."""
    if not stays:
        yield "no stays ended in these days"
    for stay in stays:
        marks = [stay.status.replace("_", "-"), "paid" if stay.paid else "due"]
        marks += ["told"] * stay.told + ["demo"] * stay.demo
        code = stay.confirmation_number or stay.reference
        yield f"{code:<12} {stay.check_in} to {stay.check_out}  {', '.join(marks):<28} {stay.guest_name}, {stay.hotel}"


def note_lines(found: Sequence[GuestNote]) -> Iterator[str]:
    """A note a line."""
    if not found:
        yield "no notes"
    for note in found:
        yield f"{note.reference:<12} {note.satisfaction_score}/10  {note.hotel}: {' '.join(note.note.split())}"


@asynccontextmanager
async def _owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        conn = await asyncpg.connect(dsn, timeout=15)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"no connection to PostgreSQL: {error}") from error
    try:
        await pool_of.prepare(conn)
        async with as_role(conn, Role.OWNER):
            yield conn
    finally:
        await conn.close()
