"""Bookings: the doors of a turn to the rooms, and what was agreed.

The doors act for the person of the transaction's claim (`app.user_id`) and raise asyncpg.InsufficientPrivilegeError for
somebody else's booking: read it first. They answer with an outcome; sold out is one, so the turn goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

import asyncpg

from db.hotels import HotelId, RoomTypeId

BookingId = NewType("BookingId", UUID)
TripId = NewType("TripId", UUID)


class BookingStatus(StrEnum):
    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    COMPLETED = "completed"
    NO_SHOW = "no_show"


class Outcome(StrEnum):
    """What a door answered. Only the first of each row changed anything, apart from an expired hold being let go."""

    HELD, PRICE_CHANGED, MIN_STAY, SOLD_OUT = "held", "price_changed", "min_stay", "sold_out"
    CONFIRMED, EXPIRED = "confirmed", "expired"
    CANCELLED, ALREADY, TOO_LATE, NOT_ACTIVE = "cancelled", "already", "too_late", "not_active"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What was agreed, and what became of it. Amounts in minor units of `currency`.

    nightly: of one room. free_until: None for a non-refundable rate. penalty_minor: what cancelling costs after it.
    starts_at: the arrival by the hotel's clock. expires_at: of the hold.
    """

    id: BookingId
    trip_id: TripId
    user_id: UUID
    hotel_id: HotelId
    room_type_id: RoomTypeId
    rooms: int
    check_in: date
    check_out: date
    adults: int
    children: int
    child_ages: tuple[int, ...]
    guest_name: str
    guest_phone: str | None
    requests: str | None
    nightly: tuple[int, ...]
    price_minor: int
    local_fees_minor: int
    currency: str
    timezone: str
    starts_at: datetime
    free_until: datetime | None
    penalty_minor: int
    status: BookingStatus
    expires_at: datetime
    confirmation_number: str | None
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    cancellation_fee_minor: int | None
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a door answered; a field is set where the outcome has it.

    price_minor: the price now, of what was held, moved or has changed. again: this key had held before.
    """

    outcome: Outcome
    booking_id: BookingId | None = None
    trip_id: TripId | None = None
    reference: str | None = None
    expires_at: datetime | None = None
    again: bool = False
    price_minor: int | None = None
    currency: str | None = None
    min_stay: int | None = None
    confirmation_number: str | None = None
    fee_minor: int | None = None
    refund_minor: int | None = None


async def hold(
    conn: asyncpg.Connection,
    *,
    key: str,
    room_type: RoomTypeId,
    rooms: int,
    check_in: date,
    check_out: date,
    adults: int,
    children: int,
    child_ages: Sequence[int],
    guest_name: str,
    guest_phone: str | None,
    requests: str | None,
    quoted_minor: int,
    free_until: datetime | None,
    starts_at: datetime,
    now: datetime,
) -> Answer:
    """Keep rooms for 15 minutes if the price is still `quoted_minor`: HELD, PRICE_CHANGED, MIN_STAY, SOLD_OUT, EXPIRED.

    key: the same key never holds twice; EXPIRED says that its hold is over. child_ages: of all `children`, or none.
    free_until, starts_at: from the hotel's clock.
    Raises asyncpg.CheckViolationError for a party that does not fit or terms that are not the hotel's.
    """
    return _answer(
        await conn.fetchval(
            "SELECT app.hold($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            key,
            room_type,
            rooms,
            check_in,
            check_out,
            adults,
            children,
            child_ages,
            guest_name,
            guest_phone,
            requests,
            quoted_minor,
            free_until,
            starts_at,
            now,
        )
    )


async def confirm(conn: asyncpg.Connection, *, booking: BookingId, provider: str, now: datetime) -> Answer:
    """The hold becomes a booking, with what is due for it: CONFIRMED (also when it was), EXPIRED, NOT_ACTIVE."""
    return _answer(await conn.fetchval("SELECT app.confirm_booking($1, $2, $3)", booking, provider, now))


async def release(conn: asyncpg.Connection, *, booking: BookingId) -> bool:
    """Give a hold back before its time; False when it was none."""
    return bool(await conn.fetchval("SELECT app.release_hold($1)", booking))


async def cancel(conn: asyncpg.Connection, *, booking: BookingId, now: datetime) -> Answer:
    """Cancel by the agreed terms: CANCELLED, ALREADY (both with fee and refund), TOO_LATE, NOT_ACTIVE."""
    return _answer(await conn.fetchval("SELECT app.cancel_booking($1, $2)", booking, now))


async def move(
    conn: asyncpg.Connection,
    *,
    booking: BookingId,
    check_in: date,
    check_out: date,
    quoted_minor: int,
    free_until: datetime | None,
    starts_at: datetime,
    now: datetime,
) -> Answer:
    """Other dates at today's prices: MOVED, or as it was: PRICE_CHANGED, MIN_STAY, SOLD_OUT, TOO_LATE, NOT_ACTIVE."""
    return _answer(
        await conn.fetchval(
            "SELECT app.move_booking($1, $2, $3, $4, $5, $6, $7)",
            booking,
            check_in,
            check_out,
            quoted_minor,
            free_until,
            starts_at,
            now,
        )
    )


async def quote_move(
    conn: asyncpg.Connection, *, booking: BookingId, check_in: date, check_out: date
) -> int | None:
    """What the booking would cost on other dates, its own rooms counted as free; None when it cannot be there."""
    price: int | None = await conn.fetchval("SELECT app.quote_move($1, $2, $3)", booking, check_in, check_out)
    return price


async def expire_holds(conn: asyncpg.Connection, *, now: datetime, most: int = 200) -> int:
    """Let go of holds whose time is over (the worker's door); how many they were."""
    return int(await conn.fetchval("SELECT app.expire_holds($1, $2)", now, most))


async def find(conn: asyncpg.Connection, *, booking: BookingId, user_id: UUID) -> Booking | None:
    """A booking of this person."""
    row = await conn.fetchrow("SELECT * FROM bookings WHERE id = $1 AND user_id = $2", booking, user_id)
    return None if row is None else _booking(row)


async def of_hotel(
    conn: asyncpg.Connection, *, hotel: HotelId, user_id: UUID, check_in: date, check_out: date
) -> list[Booking]:
    """This person's confirmed bookings of a hotel that share a night with [check_in, check_out)."""
    rows = await conn.fetch(
        """
        SELECT * FROM bookings
        WHERE user_id = $1 AND hotel_id = $2 AND status = 'confirmed' AND check_in < $4 AND check_out > $3
        ORDER BY check_in, id
        """,
        user_id,
        hotel,
        check_in,
        check_out,
    )
    return [_booking(row) for row in rows]


def _booking(row: asyncpg.Record) -> Booking:
    columns = {field.name: row[field.name] for field in fields(Booking)}
    return Booking(
        **columns
        | {
            "child_ages": tuple(row["child_ages"]),
            "nightly": tuple(row["nightly"]),
            "status": BookingStatus(row["status"]),
        }
    )


def _answer(given: dict[str, Any]) -> Answer:
    return Answer(
        outcome=Outcome(given["outcome"]),
        booking_id=BookingId(UUID(given["booking_id"])) if "booking_id" in given else None,
        trip_id=TripId(UUID(given["trip_id"])) if "trip_id" in given else None,
        expires_at=datetime.fromisoformat(given["expires_at"]) if "expires_at" in given else None,
        again=given.get("again", False),
        **{name: given.get(name) for name in _PLAIN},
    )


_PLAIN = (
    "reference",
    "price_minor",
    "currency",
    "min_stay",
    "confirmation_number",
    "fee_minor",
    "refund_minor",
)
