"""Invitations: a traveler's link, who came by it, and what it earned. Amounts are in minor units of `currency`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg import Connection

from bot.errors import ConfigurationError


class Arrival(StrEnum):
    """What a code did for the person who came with it."""

    JOINED = "joined"
    NOT_NEW = "not_new"
    OWN = "own"
    UNKNOWN = "unknown"


class RewardStatus(StrEnum):
    PENDING = "pending"
    HELD = "held"
    GRANTED = "granted"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an invitation earns: the inviter, her guest, and the guest who books within 48 hours; and the bounds."""

    referrer: int
    referred: int
    bonus: int
    currency: str
    most_rewards_a_month: int
    most_joins_a_day: int


@dataclass(frozen=True, slots=True)
class Link:
    """A traveler's standing link, on the terms she is shown."""

    code: str
    referrer: int
    referred: int
    bonus: int
    currency: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of a code, and what was shared by it: `content_type` is None where nothing was."""

    outcome: Arrival
    content_type: str | None
    content_id: str | None
    content_data: Mapping[str, Any] | None
    reward: int
    bonus: int
    currency: str


@dataclass(frozen=True, slots=True)
class Guests:
    """How many people came by somebody's links, and how many of them have a booking that stands."""

    joined: int
    booked: int


@dataclass(frozen=True, slots=True)
class Credit:
    """Rewards of one person, added up. demo: for stays in fictional hotels, worth nothing."""

    status: RewardStatus
    currency: str
    amount: int
    demo: bool


@dataclass(frozen=True, slots=True)
class Held:
    """An invitation whose rewards wait for the operator's word, and why."""

    id: UUID
    reason: str
    referrer: UUID | None
    referred: UUID | None
    joined_at: datetime
    amount: int
    currency: str


# ---------------------------------------------------------------------------------------------- in a turn


async def link(conn: Connection, *, campaign: str | None, platform: str) -> Link:
    """The link of the turn's person, made at the first asking. `campaign` is a readable prefix of new codes."""
    row = await conn.fetchrow(
        """
        SELECT r.referral_code, r.referrer_reward_amount, r.referred_reward_amount, r.bonus_if_booked_48h, r.currency
        FROM app.referral_link($1, $2) AS r
        """,
        campaign,
        platform,
    )
    return Link(*row.values())


async def arrive(conn: Connection, *, code: str, platform: str, now: datetime) -> Arrived:
    """The turn's person came by a code; at her first contact she becomes the guest of who sent it."""
    found = await conn.fetchval("SELECT app.attribute_referral($1, $2, $3)", code, platform, now)
    return Arrived(**found | {"outcome": Arrival(found["outcome"])})


async def guests(conn: Connection, *, user: UUID) -> Guests:
    row = await conn.fetchrow(
        """
        SELECT count(*) AS joined, count(*) FILTER (WHERE r.booked_at IS NOT NULL) AS booked FROM referrals r
        WHERE r.referrer_user_id = $1 AND r.joined_at IS NOT NULL AND r.status <> 'void'
        """,
        user,
    )
    return Guests(joined=row["joined"], booked=row["booked"])


async def credits_of(conn: Connection, *, user: UUID) -> list[Credit]:
    """What a person has earned and may still earn, by status and currency; void rewards are left out."""
    rows = await conn.fetch(
        """
        SELECT w.status, w.currency, sum(w.amount)::bigint AS amount, w.demo FROM rewards w
        WHERE w.user_id = $1 AND w.status <> 'void' GROUP BY w.status, w.currency, w.demo
        ORDER BY w.demo, w.status, w.currency
        """,
        user,
    )
    return [Credit(RewardStatus(row["status"]), row["currency"], row["amount"], row["demo"]) for row in rows]


# ---------------------------------------------------------------------------------------------- of the house


async def current_terms(conn: Connection) -> Terms:
    row = await conn.fetchrow(
        """
        SELECT referrer_reward_amount, referred_reward_amount, bonus_if_booked_48h, currency, most_rewards_a_month,
               most_joins_a_day
        FROM referral_terms ORDER BY effective_from DESC LIMIT 1
        """
    )
    return Terms(*row.values())


async def publish_terms(conn: Connection, *, terms: Terms) -> bool:
    """Make these the terms of links shown from now on (as rahhal_owner); whether they are new.

    Raises ConfigurationError for a currency without a rate.
    """
    try:
        new: bool = await conn.fetchval(
            "SELECT app.publish_terms($1, $2, $3, $4, $5, $6)",
            terms.referrer,
            terms.referred,
            terms.bonus,
            terms.currency,
            terms.most_rewards_a_month,
            terms.most_joins_a_day,
        )
    except asyncpg.CheckViolationError:
        raise ConfigurationError(
            f"RAHHAL_REFERRAL_CURRENCY: {terms.currency} is not in the table of exchange rates"
        ) from None
    return new


async def mature(conn: Connection, *, now: datetime, most: int) -> int:
    """Settle invitations whose guest's stay is verified (as rahhal_worker); how many."""
    settled: int = await conn.fetchval("SELECT app.mature_referrals($1, $2)", now, most)
    return settled


async def held(conn: Connection, *, limit: int = 100) -> list[Held]:
    """What waits for a decision, the oldest first (as rahhal_owner)."""
    rows = await conn.fetch(
        """
        SELECT r.id, w.reason, r.referrer_user_id AS referrer, r.referred_user_id AS referred, r.joined_at,
               sum(w.amount)::bigint AS amount, w.currency
        FROM rewards w JOIN referrals r ON r.id = w.referral_id
        WHERE w.status = 'held' GROUP BY r.id, w.reason, w.currency ORDER BY r.joined_at, r.id LIMIT $1
        """,
        limit,
    )
    return [Held(*row.values()) for row in rows]


async def decide(conn: Connection, *, referral: UUID, grant: bool, now: datetime) -> int:
    """Grant or refuse what is held of an invitation (as rahhal_owner); how many rewards."""
    decided: int = await conn.fetchval("SELECT app.decide_referral($1, $2, $3)", referral, grant, now)
    return decided


async def erase(conn: Connection, *, user: UUID) -> int:
    """Take a person's identity out of invitations, rewards and shares (as rahhal_owner); how many rows."""
    erased: int = await conn.fetchval("SELECT app.erase_referrals($1)", user)
    return erased


async def k_factor(conn: Connection, *, user: UUID | None = None) -> float:
    """Bookers brought in per traveler: of one person, or of everybody."""
    return float(await conn.fetchval("SELECT calculate_k_factor($1)", user))
