"""Sara and Omar, each with a row in every table that holds somebody: what isolation is tried out on.

A new table of people gets its rows in `arrive`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from db import bookings, referrals, sharing, turns
from db.pool import Role
from tests.fakes import small_hotel

SHARED = {
    "exchange_rates",
    "referral_terms",
    "hotels",
    "room_types",
    "room_rates",
    "room_nights",
    "search_blocks",
    "leases",
    "buckets",
    "uploads",
    "job_runs",
    "schema_migrations",
    "daily_metrics",
}
"""Tables that hold nothing of any person. Every other table is isolated, or the tests below fail."""


@dataclass(frozen=True)
class Someone:
    """A person with a row in every table a conversation and a booking touch."""

    user: UUID
    conversation: UUID
    message: int
    token: str


async def become(conn: asyncpg.Connection, role: Role, user: UUID | str | None = None) -> None:
    await conn.execute(f"SET LOCAL ROLE {role.value}")
    await conn.execute("SELECT set_config('app.user_id', $1, true)", "" if user is None else str(user))


async def arrive(conn: asyncpg.Connection, name: str, hotel: small_hotel.SmallHotel, nights: int) -> Someone:
    """One turn of somebody new, with a booking."""
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    event = {"sender": name, "sender_name": name, "language": "ar"}
    row = {"channel": "terminal", "thread": name, "address": name, "sent_at": None, "event": event}
    await turns.hear(conn, events=[{**row, "external_id": f"{name}-1"}])
    claim = await turns.begin_turn(conn)
    assert claim is not None
    assert claim.talk.address == name
    held = await small_hotel.hold(conn, hotel.double, nights, 2)
    assert held.booking_id
    await bookings.confirm(conn, booking=held.booking_id, provider="at_hotel", now=small_hotel.NOW)
    token = f"token-of-{name}"
    button = {"token": token, "label": "نعم", "command": {"name": "x"}, "once": False}
    await turns.end_turn(
        conn,
        conversation=claim.talk.id,
        answered=[claim.waiting[0].id],
        dialogue={"memory": {"name": name}},
        answers=[
            {
                "key": "k",
                "values": {},
                "locale": "ar-EG",
                "text": name,
                "payloads": [{"text": name}],
                "buttons": [button],
            }
        ],
        heard=[{"inbox_id": claim.waiting[0].id, "text": name}],
        actions=[
            {
                "action_type": "بدء_بحث",
                "action_data": {},
                "at": small_hotel.NOW.isoformat(),
                "hour_of_day": 1,
                "day_of_week": 1,
            }
        ],
    )
    await invite(conn, claim.person.id)
    await become(conn, Role.OWNER)
    await conn.execute("UPDATE bookings SET status = 'completed' WHERE id = $1", held.booking_id)
    await conn.execute(
        "INSERT INTO booking_outcomes (booking_id, satisfaction_score) VALUES ($1, 9)", held.booking_id
    )
    await foresee(conn, claim.person.id, held.booking_id)
    return Someone(claim.person.id, claim.talk.id, claim.waiting[0].id, token)


async def invite(conn: asyncpg.Connection, person: UUID) -> None:
    """Her link, something she shared, and a credit."""
    await referrals.link(conn, campaign=None, platform="terminal")
    await sharing.share(conn, content_type="hotel", content_id="h", content_data={}, platform="terminal")
    await become(conn, Role.OWNER)
    await conn.execute(
        "INSERT INTO rewards (user_id, referral_id, kind, amount, currency, matures_at, idempotency_key) "
        "SELECT $1, r.id, 'referrer', 100, 'USD', now(), 'reward:' || r.id FROM referrals r WHERE r.referrer_user_id = $1",
        person,
    )


async def foresee(conn: asyncpg.Connection, person: UUID, booking: UUID) -> None:
    """A prediction of each kind. As rahhal_owner."""
    await conn.execute(
        """
        INSERT INTO outcome_predictions
            (booking_id, user_id, predictions, factors_considered, predicted_rating, predicted_satisfaction, confidence_level,
             cancellation_risk, model, demo, created_at)
        VALUES ($1, $2, '{}', '{}', 8, 8.5, 0.4, 0.2, 'test', false, now())
        """,
        booking,
        person,
    )
    await conn.execute(
        """
        INSERT INTO trip_predictions
            (user_id, predicted_destination, city, predicted_dates, predicted_budget_range, confidence_level,
             prediction_reasoning, baseline_city, model, demo, created_at, expires_at)
        VALUES ($1, 'القاهرة', 360630, '{"earliest": "2027-03-01", "check_in": "2027-03-03", "latest": "2027-03-09",
                "check_out": "2027-03-06"}', '{"currency": "EGP", "low": 1, "high": 2}', 0.5, '[{"reason": "popular"}]', 360630,
                'test', false, now(), now() + interval '1 year')
        """,
        person,
    )


@dataclass(frozen=True)
class Two:
    conn: asyncpg.Connection
    sara: Someone
    omar: Someone


async def meet(conn: asyncpg.Connection) -> Two:
    """Sara and Omar; it is nobody's turn, and the role is the owner's."""
    hotel = await small_hotel.open_hotel(conn)
    return Two(conn, await arrive(conn, "sara", hotel, 10), await arrive(conn, "omar", hotel, 20))


@asynccontextmanager
async def refused(conn: asyncpg.Connection, error: type[Exception]) -> AsyncIterator[None]:
    """What happens inside raises this error; the transaction goes on."""
    with pytest.raises(error):
        async with conn.transaction():
            yield


async def relations(conn: asyncpg.Connection, kinds: str = "rp") -> list[str]:
    rows = await conn.fetch(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind::text = ANY (string_to_array($1, NULL)) ORDER BY 1",
        kinds,
    )
    return [row["name"] for row in rows]
