"""People who stayed in the small hotel and tell how it was. As rahhal_owner, in the real tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from uuid import UUID

import asyncpg

from tests.fakes.small_hotel import NOW, SmallHotel, clock, night

_numbers = count(1)


async def completed_stay(
    conn: asyncpg.Connection,
    person: UUID,
    hotel: SmallHotel,
    *,
    first: int = 0,
    nights: int = 2,
    price_minor: int = 200_000,
    rooms: int = 1,
    paid: bool = False,
    status: str = "completed",
) -> UUID:
    """A booking of that person whose stay is over; EGP by default. Returns its id."""
    number = next(_numbers)
    currency, demo = await conn.fetchrow("SELECT currency, demo FROM hotels WHERE id = $1", hotel.id)
    trip = await conn.fetchval(
        """
        INSERT INTO trips (user_id, reference, destination, city, check_in_date, check_out_date, hotel_identifier,
                           price_per_night, total_price, currency, booking_status)
        VALUES ($1, $2, 'القاهرة', 360630, $3, $4, $5, $6, $7, $8, $9) RETURNING id
        """,
        person,
        f"RH-GUEST{number}",
        night(first),
        night(first + nights),
        hotel.identifier,
        price_minor // nights,
        price_minor,
        currency,
        "completed" if status == "no_show" else status,
    )
    booking: UUID = await conn.fetchval(
        """
        INSERT INTO bookings (trip_id, user_id, hotel_id, room_type_id, idempotency_key, rooms, check_in, check_out, adults,
                              guest_name, nightly, price_minor, currency, timezone, starts_at, penalty_minor, status, expires_at,
                              confirmation_number, confirmed_at, demo)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 2 * $6::smallint, 'Sara Al Ahmad', $9, $10, $11, 'Africa/Cairo', $12, 0, $13,
                $14, $15, $14, $16)
        RETURNING id
        """,
        trip,
        person,
        hotel.id,
        hotel.double,
        f"guest-stay-{number}",
        rooms,
        night(first),
        night(first + nights),
        [price_minor // nights // rooms] * nights,
        price_minor,
        currency,
        clock(night(first), 14),
        status,
        NOW + timedelta(minutes=15),
        f"GUEST-{number}",
        demo,
    )
    await conn.execute(
        """
        INSERT INTO payments (booking_id, user_id, provider, status, amount_minor, currency, idempotency_key)
        VALUES ($1, $2, 'at_hotel', $3, $4, $5, $6)
        """,
        booking,
        person,
        "paid" if paid else "due",
        price_minor,
        currency,
        f"guest-payment-{number}",
    )
    return booking


async def tell(
    conn: asyncpg.Connection,
    booking: UUID,
    score: int = 8,
    *,
    would_rebook: bool | None = None,
    exceeded: bool | None = None,
    highlights: Sequence[str] = (),
    pain_points: Sequence[str] = (),
) -> UUID:
    """An outcome; the rest is filled in from the booking. Returns its id."""
    outcome: UUID = await conn.fetchval(
        """
        INSERT INTO booking_outcomes
            (booking_id, satisfaction_score, would_rebook, exceeded_expectations, highlights, pain_points)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
        """,
        booking,
        score,
        would_rebook,
        exceeded,
        list(highlights),
        list(pain_points),
    )
    return outcome
