"""What each day brought, and what there is to tell about one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class Day:
    """A row of `daily_metrics`: a day of UTC, demo travelers left out. Rates are from 0 to 1, None where there was nothing."""

    day: date
    daily_active_users: int
    new_users: int
    returning_users: int
    page_views: int
    total_searches: int
    total_bookings: int
    total_cancellations: int
    conversion_rate: Decimal | None
    predictions_generated: int
    predictions_converted: int
    prediction_accuracy: Decimal | None
    social_proof_shown: int
    social_proof_conversion_lift: Decimal | None
    total_shares: int
    link_opens: int
    referral_conversions: int
    viral_coefficient: Decimal | None
    built_at: datetime


async def build(conn: Connection, *, now: datetime) -> int:
    """Count today and every day before it that is not settled; how many. As rahhal_worker."""
    built: int = await conn.fetchval("SELECT app.build_metrics($1)", now)
    return built


async def days(conn: Connection, *, most: int) -> list[Day]:
    """The latest days, newest first. As rahhal_owner or rahhal_analytics."""
    rows = await conn.fetch(
        """
        SELECT day, daily_active_users, new_users, returning_users, page_views, total_searches, total_bookings,
               total_cancellations, conversion_rate, predictions_generated, predictions_converted, prediction_accuracy,
               social_proof_shown, social_proof_conversion_lift, total_shares, link_opens, referral_conversions,
               viral_coefficient, built_at
        FROM daily_metrics ORDER BY day DESC LIMIT $1
        """,
        most,
    )
    return [Day(**row) for row in rows]


async def user_analytics(conn: Connection, *, user_id: UUID) -> dict[str, Any] | None:
    """Bookings, nights, spend by currency, persona and why, favourite places, referrals, and her last 30 days.

    None for somebody whom row level security does not show: in a turn, anybody but its own person.
    """
    found: dict[str, Any] | None = await conn.fetchval("SELECT get_user_analytics($1)", user_id)
    return found
