"""Personas and social proof, as they are read: kept true in the transaction of their cause, so reading is a key lookup.

What fewer than five guests told is not in here at all: the functions of the database leave it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from db.hotels import HotelId

EVERYBODY = "all"
"""Stands where a persona does, for guests of every kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """What somebody's verified stays say of her. persona: None without one; reason: no_stays, one_stay or stays.

    usd_cents_per_night: the mean price of a room a night of her stays.
    booking_patterns: how often, {"cities": {GeoNames id: n}, "months": {1–12: n}, "stays": {nights: n}, "party": {people: n}}.
    """

    n: int
    nights: int
    persona: str | None
    reason: str
    usd_cents_per_night: int | None
    booking_patterns: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What at least five guests of a hotel, of one persona or «all», told. avg_rating: the plain mean, of 10.

    A question that fewer than five answered is None. highlights, pain_points: codes, the most frequent first, each said
    at least twice.
    """

    hotel_id: HotelId
    persona: str
    total_bookings: int
    avg_rating: Decimal
    rebook_yes: int | None
    rebook_answers: int | None
    exceeded_yes: int | None
    exceeded_answers: int | None
    highlights: tuple[str, ...]
    pain_points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed(Proof):
    """The same, for comparing hotels: rates of 1.

    smoothed_rating: few stays are drawn to what was to be expected. trust_score: the Wilson lower bound of rebook_rate times
    smoothed_rating / 10. value_score: points of satisfaction for each 100 US dollars a night.
    """

    smoothed_rating: Decimal
    rebook_rate: Decimal | None
    exceeded_rate: Decimal | None
    trust_score: Decimal | None
    value_score: Decimal


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer about one hotel: its proof, or None where fewer than five told."""

    hotel_id: HotelId
    demo: bool
    proof: Weighed | None


@dataclass(frozen=True, slots=True)
class Note:
    """What a guest wrote and an operator released. stayed_on: the first of the month."""

    note: str
    satisfaction_score: int
    stayed_on: date
    demo: bool


async def persona_of(conn: asyncpg.Connection, *, user_id: UUID) -> Persona | None:
    """None before the first verified stay. A turn reads its own person's."""
    row = await conn.fetchrow(
        """
        SELECT n, nights, persona, reason, usd_cents_per_night, booking_patterns FROM traveler_personas WHERE user_id = $1
        """,
        user_id,
    )
    return None if row is None else Persona(**row)


async def of_hotels(
    conn: asyncpg.Connection, *, hotels: Sequence[HotelId], persona: str | None
) -> dict[HotelId, dict[str, Proof]]:
    """By hotel, and within it by persona: that of all guests, and that of the persona asked for."""
    found: dict[HotelId, dict[str, Proof]] = {}
    for row in await conn.fetch("SELECT * FROM app.social_proof($1, $2)", hotels, persona):
        proof = Proof(**_columns(row, Proof))
        found.setdefault(proof.hotel_id, {})[proof.persona] = proof
    return found


async def of_identifier(
    conn: asyncpg.Connection, *, identifier: str, persona: str | None = None
) -> Asked | None:
    """The proof of one hotel by its public identifier; None for a hotel that does not exist."""
    row = await conn.fetchrow(
        "SELECT *, persona_type AS persona FROM get_hotel_social_proof($1, $2)", identifier, persona
    )
    if row is None:
        return None
    return Asked(
        HotelId(row["hotel_id"]), row["demo"], Weighed(**_columns(row, Weighed)) if row["enough"] else None
    )


async def notes_of(conn: asyncpg.Connection, *, hotel: HotelId, most: int = 3) -> list[Note]:
    """The latest notes of a hotel that may be shown."""
    rows = await conn.fetch("SELECT * FROM app.shown_notes($1, $2)", hotel, most)
    return [Note(**row) for row in rows]


async def aspect_marks(conn: asyncpg.Connection, *, hotel: HotelId) -> dict[str, float]:
    """Mean marks of 10 by aspect (cleanliness, comfort, location, staff, food, value), as of the last hourly refresh."""
    marks: dict[str, float] = await conn.fetchval("SELECT app.aspect_marks($1)", hotel)
    return marks


async def refresh_performance(conn: asyncpg.Connection) -> None:
    """As rahhal_owner. Readers keep the old view until the new one is whole, also when this fails."""
    await conn.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY hotel_performance_by_persona", timeout=600)


async def refresh_ratings(conn: asyncpg.Connection) -> None:
    """What is to be expected of a hotel, then the hotels by it. As rahhal_owner, without blocking readers."""
    await conn.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY satisfaction_priors", timeout=600)
    await conn.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY hotel_social_proof", timeout=600)


def _columns(row: asyncpg.Record, kind: type[Proof]) -> dict[str, Any]:
    columns: dict[str, Any] = {field.name: row[field.name] for field in fields(kind)}
    return columns | {"highlights": tuple(row["highlights"]), "pain_points": tuple(row["pain_points"])}
