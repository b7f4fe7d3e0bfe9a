"""The demo's past, written in bulk. Run as rahhal_owner; aggregates follow by the triggers of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTraveler:
    """A synthetic person."""

    id: UUID
    country: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStay:
    """A stay that is over, and what was said of it. Amounts in minor units of the hotel's currency, of the one room.

    hotel, room: identifier and code. satisfaction and ratings: of 10. note: shown to others; None where nothing was written.
    """

    booking: UUID
    trip: UUID
    user: UUID
    number: int
    hotel: str
    room: str
    check_in: date
    check_out: date
    adults: int
    children: int
    nightly: Sequence[int]
    fees: int
    starts_at: datetime
    free_until: datetime | None
    penalty: int
    booked_at: datetime
    ended_at: datetime
    told_at: datetime
    satisfaction: int
    would_rebook: bool | None
    exceeded: bool | None
    praised: Sequence[str]
    missed: Sequence[str]
    ratings: Mapping[str, int]
    note: str | None


async def has_traveler(conn: asyncpg.Connection, *, traveler: UUID) -> bool:
    """Whether this synthetic person is there already."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM users WHERE id = $1 AND demo)", traveler))


async def add_travelers(conn: asyncpg.Connection, *, travelers: Sequence[DemoTraveler], at: datetime) -> None:
    """People that nobody can be; they «consented», so that proof can be told by persona."""
    await conn.execute(
        """
        INSERT INTO users (id, country, timezone, consented, consented_at, demo, created_at, updated_at, last_login_at)
        SELECT id, country, timezone, true, $4, true, $4, $4, $4
        FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t(id, country, timezone)
        ON CONFLICT (id) DO NOTHING
        """,
        [one.id for one in travelers],
        [one.country for one in travelers],
        [one.timezone for one in travelers],
        at,
    )


_ADD_STAYS = """
WITH given AS (
    SELECT s.*, h.id AS hotel_id, h.name_ar, h.city, h.city_ar, h.currency, h.timezone, t.id AS room_type_id, r.payable_step,
           app.payable((SELECT sum(n) FROM unnest(s.nightly) AS n)::bigint, r.payable_step) AS price
    FROM jsonb_to_recordset($1) AS s(
        booking uuid, trip uuid, "user" uuid, number integer, hotel text, room text, check_in date, check_out date,
        adults smallint, children smallint, nightly integer[], fees bigint, starts_at timestamptz, free_until timestamptz,
        penalty bigint, booked_at timestamptz, ended_at timestamptz)
    JOIN hotels h ON h.identifier = s.hotel AND h.demo
    JOIN room_types t ON t.hotel_id = h.id AND t.code = s.room
    JOIN exchange_rates r ON r.currency = h.currency
), trips_made AS (
    INSERT INTO trips (id, user_id, reference, destination, city, check_in_date, check_out_date, travelers_count,
                       hotel_identifier, hotel_name, price_per_night, total_price, currency, booking_status, payment_status,
                       payment_method, created_at, updated_at)
    SELECT trip, "user", 'RH-DEMO' || number, city_ar, city, check_in, check_out, adults + children, hotel, name_ar,
           greatest(1, price / (check_out - check_in)), price, currency, 'completed', 'paid', 'at_hotel', booked_at, ended_at
    FROM given
    ON CONFLICT DO NOTHING
)
INSERT INTO bookings (id, trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out, adults, children,
                      guest_name, nightly, price_minor, local_fees_minor, currency, timezone, starts_at, free_until,
                      penalty_minor, status, expires_at, confirmation_number, confirmed_at, verified_at, demo,
                      created_at, updated_at)
SELECT booking, trip, "user", hotel_id, room_type_id, 'demo-stay-' || number, 1, check_in, check_out, adults, children,
       'Demo Guest', nightly, price, app.payable(fees, payable_step), currency, timezone, starts_at, free_until,
       least(price, app.payable(penalty, payable_step)), 'completed', booked_at + interval '15 minutes', 'DEMO-' || number,
       booked_at, ended_at, true, booked_at, ended_at
FROM given
ON CONFLICT DO NOTHING
"""

_ADD_OUTCOMES = """
INSERT INTO booking_outcomes (booking_id, satisfaction_score, would_rebook, exceeded_expectations, highlights, pain_points,
                              ratings, note, note_shown, created_at, updated_at)
SELECT s.booking, s.satisfaction, s.would_rebook, s.exceeded, s.praised, s.missed, s.ratings, s.note, s.note IS NOT NULL,
       s.told_at, s.told_at
FROM jsonb_to_recordset($1) AS s(
    booking uuid, satisfaction smallint, would_rebook boolean, exceeded boolean, praised text[], missed text[], ratings jsonb,
    note text, told_at timestamptz)
JOIN bookings b ON b.id = s.booking
ON CONFLICT (booking_id) DO NOTHING
"""


async def add_stays(conn: asyncpg.Connection, *, stays: Sequence[DemoStay]) -> int:
    """Bookings and trips of demo hotels that are in the catalogue; how many are new."""
    done: str = await conn.execute(_ADD_STAYS, _rows(stays))
    return int(done.rpartition(" ")[2])


async def add_outcomes(conn: asyncpg.Connection, *, stays: Sequence[DemoStay]) -> int:
    """What was said of them, once all of them are there: a guest's persona comes from all her stays. How many are new."""
    done: str = await conn.execute(_ADD_OUTCOMES, _rows(stays))
    return int(done.rpartition(" ")[2])


def _rows(stays: Sequence[DemoStay]) -> list[dict[str, Any]]:
    return [{field.name: getattr(stay, field.name) for field in fields(DemoStay)} for stay in stays]
