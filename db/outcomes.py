"""Stays that are over, what guests tell of them, and what the hotel reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from db.bookings import BookingId


class Recorded(StrEnum):
    """What became of an outcome that was told; only the first two changed anything."""

    RECORDED = "recorded"
    CORRECTED = "corrected"
    SAME = "same"
    TOO_LATE = "too_late"
    NOT_STAYED = "not_stayed"


class Report(StrEnum):
    """What a hotel can report of a stay."""

    NO_SHOW = "no_show"
    CAME = "came"
    PAID = "paid"


class Reported(StrEnum):
    """What became of a report; only the first changed anything."""

    DONE = "done"
    ALREADY = "already"
    UNKNOWN = "unknown"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a stay was, as its guest told it. satisfaction_score: 1 to 10; None where she did not answer."""

    booking_id: BookingId
    satisfaction_score: int
    would_rebook: bool | None
    exceeded_expectations: bool | None
    highlights: tuple[str, ...]
    pain_points: tuple[str, ...]
    ratings: dict[str, int]
    note: str | None
    user_persona: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StayLine:
    """A stay as operators list it. paid: nothing is due for it any more. told: its guest said how it was."""

    reference: str
    confirmation_number: str | None
    hotel: str
    guest_name: str
    check_in: date
    check_out: date
    status: str
    paid: bool
    told: bool
    demo: bool


@dataclass(frozen=True, slots=True)
class GuestNote:
    """What a guest wrote, as operators read it."""

    reference: str
    hotel: str
    satisfaction_score: int
    note: str
    shown: bool


async def record(
    conn: asyncpg.Connection,
    *,
    booking: BookingId,
    score: int,
    would_rebook: bool | None,
    exceeded: bool | None,
    highlights: Sequence[str],
    pain_points: Sequence[str],
    ratings: Mapping[str, int],
    note: str | None,
    now: datetime,
) -> Recorded:
    """Write what this turn's person tells of her stay, once; or correct it within 14 days.

    Raises asyncpg.CheckViolationError for a score, word or mark that is none.
    """
    return Recorded(
        await conn.fetchval(
            "SELECT app.record_outcome($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            booking,
            score,
            would_rebook,
            exceeded,
            highlights,
            pain_points,
            dict(ratings),
            note,
            now,
        )
    )


async def find(conn: asyncpg.Connection, *, booking: BookingId, user_id: UUID) -> Outcome | None:
    """What this person told of a stay of hers."""
    row = await conn.fetchrow(
        """
        SELECT booking_id, satisfaction_score, would_rebook, exceeded_expectations, highlights, pain_points, ratings, note,
               user_persona
        FROM booking_outcomes WHERE booking_id = $1 AND user_id = $2
        """,
        booking,
        user_id,
    )
    if row is None:
        return None
    return Outcome(
        **dict(row) | {"highlights": tuple(row["highlights"]), "pain_points": tuple(row["pain_points"])}
    )


# ------------------------------------------------------------------------------------------------ the worker's doors


async def complete_stays(conn: asyncpg.Connection, *, now: datetime, most: int = 500) -> int:
    """Confirmed stays that have ended by the hotel's clock are completed; how many they were."""
    return int(await conn.fetchval("SELECT app.complete_stays($1, $2)", now, most))


async def ask_about_stays(conn: asyncpg.Connection, *, now: datetime, most: int = 200) -> int:
    """Put the question how it was into the conversations of those who left yesterday; how many were asked."""
    return int(await conn.fetchval("SELECT app.ask_about_stays($1, $2)", now, most))


# ------------------------------------------------------------------------------------------------ operators


async def report(conn: asyncpg.Connection, *, code: str, report: Report, now: datetime) -> Reported:
    """What the hotel says of a stay, by its trip reference or confirmation number. As rahhal_owner."""
    return Reported(
        await conn.fetchval("SELECT app.report_stay($1, $2, $3)", code.strip(), report.value, now)
    )


async def recent(conn: asyncpg.Connection, *, now: datetime, days: int, most: int = 200) -> list[StayLine]:
    """Stays that ended in the last days or are under way, real hotels first, the latest first. As rahhal_owner."""
    rows = await conn.fetch(
        """
        SELECT t.reference, b.confirmation_number, h.name_en AS hotel, b.guest_name, b.check_in, b.check_out, b.status,
               NOT EXISTS (SELECT FROM payments p WHERE p.booking_id = b.id AND p.status = 'due') AS paid,
               EXISTS (SELECT FROM booking_outcomes o WHERE o.booking_id = b.id) AS told, b.demo
        FROM bookings b JOIN trips t ON t.id = b.trip_id JOIN hotels h ON h.id = b.hotel_id JOIN users u ON u.id = b.user_id
        WHERE b.status IN ('confirmed', 'completed', 'no_show') AND NOT u.demo
          AND b.starts_at <= $1 AND b.check_out >= ($1 AT TIME ZONE 'UTC')::date - $2::integer
        ORDER BY b.demo, b.check_out DESC, b.id
        LIMIT $3
        """,
        now,
        days,
        most,
    )
    return [StayLine(**row) for row in rows]


async def notes(conn: asyncpg.Connection, *, shown: bool, most: int = 100) -> list[GuestNote]:
    """Notes of guests that are shown, or are not, the latest first. As rahhal_owner."""
    rows = await conn.fetch(
        """
        SELECT t.reference, h.name_en AS hotel, o.satisfaction_score, o.note, o.note_shown AS shown
        FROM booking_outcomes o JOIN bookings b ON b.id = o.booking_id JOIN trips t ON t.id = b.trip_id
        JOIN hotels h ON h.id = o.hotel_id JOIN users u ON u.id = o.user_id
        WHERE o.note IS NOT NULL AND o.note_shown = $1 AND o.withdrawn_at IS NULL AND NOT u.demo
        ORDER BY o.created_at DESC
        LIMIT $2
        """,
        shown,
        most,
    )
    return [GuestNote(**row) for row in rows]


async def release_note(conn: asyncpg.Connection, *, code: str, shown: bool) -> bool:
    """Let others read what a guest wrote, or no longer; whether there is such a note. As rahhal_owner."""
    status: str = await conn.execute(
        """
        UPDATE booking_outcomes o SET note_shown = $2, updated_at = clock_timestamp()
        FROM bookings b JOIN trips t ON t.id = b.trip_id
        WHERE b.id = o.booking_id AND (t.reference = upper($1) OR b.confirmation_number = upper($1)) AND o.note IS NOT NULL
        """,
        code.strip(),
        shown,
    )
    return status == "UPDATE 1"
