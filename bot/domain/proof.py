"""What guests say of a hotel, as one traveler may be told it: of those like her where five tell of it, else of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import asyncpg

from db import proof
from db.hotels import HotelId
from db.proof import EVERYBODY, Proof

SMALL = 20
"""Below so many stays a figure is called what it is: a small sample. Below five there is none."""


class Persona(StrEnum):
    """Kinds of travelers, by what a room a night cost them on average: under 80 USD, under 150 USD, more.

    `app.personas()` lists the same; the thresholds are those of `traveler_personas.persona`.
    """

    ECONOMY = "مسافر_اقتصادي"
    MIDDLE = "مسافر_متوسط"
    LUXURY = "باحث_عن_فخامة"


@dataclass(frozen=True, slots=True)
class Shown:
    """The proof to show. like_her: it is of guests of her own persona; persona: hers, when there is one."""

    proof: Proof
    like_her: bool
    persona: Persona | None

    @property
    def small(self) -> bool:
        return self.proof.total_bookings < SMALL


async def persona_of(conn: asyncpg.Connection, *, user_id: UUID, consented: bool | None) -> Persona | None:
    """The persona her verified stays make; None without stays, and without her consent to learning from them."""
    if not consented:
        return None
    found = await proof.persona_of(conn, user_id=user_id)
    return Persona(found.persona) if found is not None and found.persona else None


async def for_traveler(
    conn: asyncpg.Connection, *, hotels: Sequence[HotelId], user_id: UUID, consented: bool | None
) -> Mapping[HotelId, Shown]:
    """What to show of these hotels; a hotel of which fewer than five tell is not in it."""
    persona = await persona_of(conn, user_id=user_id, consented=consented)
    shown = {}
    for hotel, told in (await proof.of_hotels(conn, hotels=hotels, persona=persona)).items():
        hers = told.get(persona) if persona else None
        if (best := hers or told.get(EVERYBODY)) is not None:
            shown[hotel] = Shown(best, hers is not None, persona)
    return shown
