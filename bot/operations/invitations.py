"""`rahhal referrals`: how far invitations carry, and the operator's word on the rewards that wait for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Connection

from bot.errors import OperationFailed
from db import referrals
from db.referrals import Held
from locales import Money

MOST = 100
REASONS = {
    "same_phone": "both have given the same phone",
    "same_guest": "the guest's name is one the inviter has booked under",
    "circular": "they invited each other, perhaps over others",
    "many_joins": "the inviter brought more people that day than RAHHAL_REFERRAL_DAILY_JOINS",
    "monthly_cap": "the inviter has had RAHHAL_REFERRAL_MONTHLY_CAP rewards this month",
    "account": "one of the two accounts is not active",
}
"""Why rewards are held, in the words of app.doubt_referral."""


@dataclass(frozen=True, slots=True)
class Overview:
    """k: bookers brought in for each traveler. held: what waits, the oldest first, at most MOST."""

    k: float
    held: tuple[Held, ...]


async def look(conn: Connection) -> Overview:
    return Overview(k=await referrals.k_factor(conn), held=tuple(await referrals.held(conn, limit=MOST)))


async def decide(conn: Connection, referral: UUID, *, grant: bool, now: dt.datetime) -> str:
    """Grant or refuse what is held of an invitation; a line that says so. Raises OperationFailed where nothing is."""
    decided = await referrals.decide(conn, referral=referral, grant=grant, now=now)
    if not decided:
        raise OperationFailed(f"nothing is held of {referral}: rahhal referrals list shows what is")
    return f"{decided} rewards of {referral} {'granted' if grant else 'refused'}"


def lines(found: Overview) -> Iterator[str]:
    yield f"K-factor {found.k:.4f}: bookers brought in for each traveler"
    if not found.held:
        yield "no rewards wait for your decision"
    for case in found.held:
        amount = Money(case.amount, case.currency).major
        yield (
            f"{case.id}  {amount} {case.currency}  joined {case.joined_at:%F}  {case.reason}: "
            f"{REASONS.get(case.reason, 'see the referral')}"
        )


def as_json(found: Overview) -> dict[str, Any]:
    return {
        "k_factor": found.k,
        "held": [
            {
                "id": str(case.id),
                "reason": case.reason,
                "referrer": str(case.referrer),
                "referred": str(case.referred),
                "joined_at": case.joined_at.isoformat(),
                "amount_minor": case.amount,
                "currency": case.currency,
            }
            for case in found.held
        ],
    }
