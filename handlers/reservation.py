"""What is being booked: hotel, stay, room, name, hold; and how new words change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.suppliers import Stay
from bot.turn.context import Turn
from db import hotels
from db.hotels import Hotel
from handlers.request import Request, merge
from handlers.results import pointed_at, stay_of
from locales.names import clean_name, is_latin_name

CHANGING = frozenset(
    {
        "check_in",
        "check_out",
        "nights",
        "bare_days",
        "adults",
        "children",
        "child_ages",
        "guests",
        "rooms",
        "problems",
    }
)
"""What may change about the stay while a hotel is being booked: its rooms are looked at again."""


class Booking(BaseModel):
    """The slots of a booking.

    hotel: identifier. stay: the request it is for. another: whether to book beside a booking she has there, once asked.
    rooms: the offers on show, by place, each with its total. room: the chosen one.
    agreed: the total the traveler was shown, in minor units.
    said_name: as typed; suggestion: in Latin letters. other_name: not the one of last time. hold: its reference.
    """

    model_config = ConfigDict(extra="ignore")

    hotel: str | None = None
    stay: dict[str, Any] | None = None
    another: bool | None = None
    rooms: list[tuple[str, int]] = Field(default_factory=list)
    room: str | None = None
    agreed: int | None = None
    guest_name: str | None = None
    said_name: str | None = None
    suggestion: str | None = None
    bad_name: bool = False
    other_name: bool | None = None
    hold: str | None = None


def seed(memory: Mapping[str, Any], incoming: Mapping[str, Any]) -> Mapping[str, Any]:
    """The hotel that was pointed at, or the one that is open; for the stay that was searched."""
    last = memory.get("search")
    stay = merge(Request.model_validate(last), incoming) if isinstance(last, Mapping) else None
    return {
        "hotel": pointed_at(memory, incoming) or memory.get("open"),
        "stay": stay.model_dump(mode="json", exclude_none=True) if stay else None,
    }


def take(booking: Booking, incoming: Mapping[str, Any]) -> Booking:
    """A name in Latin letters is taken as it is; one in Arabic becomes a suggestion to agree to.

    Another hotel or another stay has other rooms.
    """
    found = booking.model_dump()
    known = {name: incoming[name] for name in ("hotel", "another", "room", "agreed") if name in incoming}
    found |= known
    if "room" in known and known["room"] != booking.room:
        found["agreed"] = incoming.get("agreed")
    if booking.stay and (said := {name: incoming[name] for name in CHANGING if name in incoming}):
        stay = merge(Request.model_validate(booking.stay), said)
        found["stay"] = stay.model_dump(mode="json", exclude_none=True)
    if found["hotel"] != booking.hotel or found["stay"] != booking.stay:
        found |= {"another": None, "room": None, "agreed": None}
    if "guest_name" in incoming:
        name = clean_name(str(incoming["guest_name"]))
        latin = name if name is not None and is_latin_name(name) else None
        found |= {"bad_name": name is None, "said_name": name, "suggestion": None, "guest_name": latin}
    return Booking.model_validate(found)


async def hotel_of(turn: Turn, booking: Booking) -> Hotel | None:
    return await hotels.find(turn.conn, identifier=booking.hotel) if booking.hotel else None


def booked_stay(booking: Booking) -> Stay | None:
    return stay_of(Request.model_validate(booking.stay)) if booking.stay else None
