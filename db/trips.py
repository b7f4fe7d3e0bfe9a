"""Trips as people know them: one line each in «رحلاتي», found again by the reference they were told."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from db.bookings import BookingId, BookingStatus, TripId
from db.hotels import HotelId


class TripStatus(StrEnum):
    SEARCHING = "searching"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PENDING = "pending"
    PAID = "paid"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A trip with its booking and hotel. total_minor: in minor units of `currency`. demo: at a fictional hotel."""

    id: TripId
    reference: str
    status: TripStatus
    payment_status: PaymentStatus
    payment_method: str | None
    city_ar: str
    city_en: str
    check_in: date
    check_out: date
    nights: int
    travelers_count: int
    total_minor: int
    currency: str
    booking_id: BookingId
    booking_status: BookingStatus
    confirmation_number: str | None
    starts_at: datetime
    hotel_id: HotelId
    hotel_identifier: str
    hotel_ar: str
    hotel_en: str
    demo: bool


_SELECT_ONE = """
SELECT t.id, t.reference, t.booking_status AS status, t.payment_status, t.payment_method, h.city_ar, h.city_en,
       t.check_in_date AS check_in, t.check_out_date AS check_out, t.nights, t.travelers_count, t.total_price AS total_minor,
       t.currency, b.id AS booking_id, b.status AS booking_status, b.confirmation_number, b.starts_at, b.hotel_id,
       h.identifier AS hotel_identifier, h.name_ar AS hotel_ar, h.name_en AS hotel_en, b.demo
FROM trips t JOIN bookings b ON b.trip_id = t.id JOIN hotels h ON h.id = b.hotel_id
WHERE t.user_id = $1 AND (t.reference = upper($2) OR b.confirmation_number = upper($2))
"""

_SELECT_ALL = """
SELECT t.id, t.reference, t.booking_status AS status, t.payment_status, t.payment_method, h.city_ar, h.city_en,
       t.check_in_date AS check_in, t.check_out_date AS check_out, t.nights, t.travelers_count, t.total_price AS total_minor,
       t.currency, b.id AS booking_id, b.status AS booking_status, b.confirmation_number, b.starts_at, b.hotel_id,
       h.identifier AS hotel_identifier, h.name_ar AS hotel_ar, h.name_en AS hotel_en, b.demo
FROM trips t JOIN bookings b ON b.trip_id = t.id JOIN hotels h ON h.id = b.hotel_id
WHERE t.user_id = $1 AND t.booking_status <> 'searching' AND (NOT $2 OR (t.booking_status = 'confirmed' AND b.starts_at > $3))
ORDER BY t.booking_status = 'cancelled', b.starts_at <= $3,
         CASE WHEN b.starts_at > $3 THEN t.check_in_date - DATE '2000-01-01' ELSE DATE '2000-01-01' - t.check_in_date END,
         t.id
LIMIT $4
"""


async def of_person(
    conn: asyncpg.Connection, *, user_id: UUID, now: datetime, cancellable: bool = False, limit: int = 10
) -> list[Trip]:
    """What is ahead first, the nearest before; then what is past, the latest before; what was cancelled last.

    cancellable: only confirmed stays that have not begun.
    """
    rows = await conn.fetch(_SELECT_ALL, user_id, cancellable, now, limit)
    return [_trip(row) for row in rows]


async def find(conn: asyncpg.Connection, *, user_id: UUID, reference: str) -> Trip | None:
    """A trip of this person by its reference or confirmation number, upper or lower case."""
    row = await conn.fetchrow(_SELECT_ONE, user_id, reference.strip())
    return None if row is None else _trip(row)


def _trip(row: asyncpg.Record) -> Trip:
    columns = {field.name: row[field.name] for field in fields(Trip)}
    return Trip(
        **columns
        | {
            "status": TripStatus(row["status"]),
            "payment_status": PaymentStatus(row["payment_status"]),
            "booking_status": BookingStatus(row["booking_status"]),
        }
    )
