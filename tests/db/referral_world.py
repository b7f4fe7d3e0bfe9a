"""People who invite one another, in the real tables: a small hotel, its stays, and turns of whoever is speaking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg

from db import bookings, referrals
from db.bookings import BookingId
from db.pool import Role
from db.referrals import Arrived
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW, SmallHotel

_guests = count(1)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass
class World:
    """`conn` is the owner's between two calls. Stays begin at night 30, one room each on nights of their own."""

    conn: asyncpg.Connection
    hotel: SmallHotel
    _night: int = 30

    async def person(self, *, new: bool = True, phone: str | None = None) -> UUID:
        """Somebody; `new`: her first contact is this transaction."""
        made: UUID = await self.conn.fetchval(
            "INSERT INTO users (phone, created_at) VALUES ($1, CASE WHEN $2 THEN now() ELSE now() - interval '1 day' END) "
            "RETURNING id",
            phone,
            new,
        )
        return made

    async def speaks(self, person: UUID) -> None:
        await self.conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
        await small_hotel.claim(self.conn, person)

    async def owner(self) -> None:
        await self.conn.execute(f"SET LOCAL ROLE {Role.OWNER.value}")

    async def link(self, person: UUID, *, campaign: str | None = None) -> str:
        await self.speaks(person)
        made = await referrals.link(self.conn, campaign=campaign, platform="telegram")
        await self.owner()
        return made.code

    async def comes(self, person: UUID, code: str, *, at: datetime = NOW) -> Arrived:
        await self.speaks(person)
        arrived = await referrals.arrive(self.conn, code=code, platform="whatsapp", now=at)
        await self.owner()
        return arrived

    async def brings(self, referrer: UUID, *, at: datetime = NOW, phone: str | None = None) -> UUID:
        """Somebody new who came by the link of `referrer`."""
        guest = await self.person(phone=phone)
        assert (await self.comes(guest, await self.link(referrer), at=at)).outcome == "joined"
        return guest

    async def books(self, person: UUID, *, at: datetime = NOW, **changes: Any) -> BookingId:
        """A confirmed stay of two nights under a name of its own."""
        await self.speaks(person)
        self._night += 2
        number = next(_guests)
        name = f"Guest {_LETTERS[number // 26 % 26]}{_LETTERS[number % 26]}"
        wanted = {"guest_name": name, "now": at} | changes
        held = await small_hotel.hold(self.conn, self.hotel.double, self._night, 2, **wanted)
        assert held.booking_id is not None
        await bookings.confirm(self.conn, booking=held.booking_id, provider="at_hotel", now=at)
        await self.owner()
        return held.booking_id

    async def becomes(self, booking: BookingId, status: str) -> datetime:
        """The stay's fate, a completed one being paid for; returns when its rewards are due."""
        await self.conn.execute("UPDATE bookings SET status = $2 WHERE id = $1", booking, status)
        if status == "completed":
            await self.conn.execute("UPDATE payments SET status = 'paid' WHERE booking_id = $1", booking)
        due: datetime = await self.conn.fetchval(
            "SELECT (check_out + time '12:00') AT TIME ZONE timezone + interval '3 days' FROM bookings WHERE id = $1",
            booking,
        )
        return due

    async def cancels(self, person: UUID, booking: BookingId) -> None:
        await self.speaks(person)
        await bookings.cancel(self.conn, booking=booking, now=NOW)
        await self.owner()

    async def turns_out_to_be(self, gone: UUID, kept: UUID) -> None:
        """Two logins are one person: what was of `gone` is of `kept`."""
        await self.conn.execute(f"SET LOCAL ROLE {Role.SERVICE.value}")
        await self.conn.execute("SELECT app.move_person($1, $2)", gone, kept)
        await self.owner()

    async def matures(self, at: datetime) -> int:
        await self.conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
        settled = await referrals.mature(self.conn, now=at, most=200)
        await self.owner()
        return settled

    async def stays(self, guest: UUID, *, at: datetime = NOW, **changes: Any) -> datetime:
        """She books, stays, and the rewards come due; returns that moment."""
        return await self.becomes(await self.books(guest, at=at, **changes), "completed") + timedelta(
            seconds=1
        )

    async def standing(self, guest: UUID) -> tuple[str, str | None]:
        """Status and reason of the invitation of a guest."""
        row = await self.conn.fetchrow(
            "SELECT status, reason FROM referrals WHERE referred_user_id = $1", guest
        )
        return row["status"], row["reason"]

    async def rewards(self, person: UUID) -> dict[str, str]:
        """kind → status of what a person may get, the latest of each."""
        rows = await self.conn.fetch(
            "SELECT kind, status FROM rewards WHERE user_id = $1 ORDER BY created_at, id", person
        )
        return {row["kind"]: row["status"] for row in rows}


async def open_world(conn: asyncpg.Connection) -> World:
    """As rahhal_owner."""
    return World(conn, await small_hotel.open_hotel(conn))
