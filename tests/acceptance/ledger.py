"""What is in the database after a story: read as the owner, compared as a whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from db.pool import Role, as_role, prepare

T = TypeVar("T")
LOOK = 0.05
PATIENCE = 20.0


class Ledger:
    """A connection of the test's own, opened at first use; `reopen` after the server was away."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._conn: asyncpg.Connection | None = None

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncpg.connect(self.dsn)
            await prepare(self._conn)
        async with as_role(self._conn, Role.OWNER):
            found: list[asyncpg.Record] = await self._conn.fetch(query, *values)
            return found

    async def column(self, query: str, *values: Any) -> list[Any]:
        return [row[0] for row in await self.rows(query, *values)]

    async def value(self, query: str, *values: Any) -> Any:
        return (await self.column(query, *values))[0]

    async def close(self) -> None:
        if self._conn is not None:
            await self._conn.close()
            self._conn = None

    async def refill(self) -> None:
        """As if nothing had been sent for a while: every token bucket is full."""
        await self.rows("DELETE FROM buckets")

    async def minutes_later(self) -> None:
        """As if a minute had passed since the holder of every lease died."""
        await self.rows("UPDATE leases SET leased_until = '-infinity'")
        await self.rows("UPDATE lanes SET leased_until = '-infinity'")

    @contextlib.asynccontextmanager
    async def locked(self, query: str, *values: Any) -> AsyncIterator[None]:
        """Hold the rows that a SELECT … FOR … finds, so that whoever needs them stands still until the end."""
        conn = await asyncpg.connect(self.dsn)
        try:
            async with as_role(conn, Role.OWNER):
                assert await conn.fetch(query, *values), "nothing to lock"
                yield
        finally:
            await conn.close()

    async def somebody_waits(self) -> bool:
        """Whether a statement in this database stands still at a lock."""
        found: bool = await self.value(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE a.datname = current_database() AND NOT l.granted)"
        )
        return found

    async def until(self, ready: Callable[[], Awaitable[T]], what: str) -> T:
        """The first true value of `ready`, asked again and again for a bounded time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while not (value := await ready()):
            if loop.time() > deadline:
                raise AssertionError(f"waited {PATIENCE:g} s in vain for {what}")
            await asyncio.sleep(LOOK)
        return value

    # ------------------------------------------------------------------------------------------ one person

    async def person(self, identity: str) -> Any:
        """The user behind a channel's identity, such as a Telegram user id."""
        return await self.value("SELECT user_id FROM user_identities WHERE external_id = $1", identity)

    async def bookings(self, person: Any) -> list[str]:
        """Their statuses, oldest first; holds that were given back are not counted."""
        return await self.column(
            "SELECT status FROM bookings WHERE user_id = $1 AND status <> 'expired' ORDER BY created_at",
            person,
        )

    async def trips(self, person: Any) -> list[str]:
        return await self.column(
            "SELECT booking_status FROM trips WHERE user_id = $1 ORDER BY created_at", person
        )

    async def payments(self, person: Any) -> list[str]:
        return await self.column("SELECT status FROM payments WHERE user_id = $1 ORDER BY created_at", person)

    async def nights_taken(self, person: Any) -> int:
        """Room nights that inventory counts as sold for the room types this person booked or held."""
        return int(
            await self.value(
                "SELECT coalesce(sum(booked), 0) FROM room_nights"
                " WHERE room_type_id IN (SELECT room_type_id FROM bookings WHERE user_id = $1)",
                person,
            )
        )

    async def actions(self, person: Any) -> list[str]:
        """The behavior log, in order."""
        return await self.column(
            'SELECT action_type FROM user_behavior_log WHERE user_id = $1 ORDER BY "timestamp", id', person
        )

    async def said(self, person: Any) -> list[str]:
        """The keys of what the bot said, in order."""
        return await self.column(
            "SELECT o.key FROM outbox o JOIN conversations c ON c.id = o.conversation_id"
            " WHERE c.user_id = $1 ORDER BY o.id",
            person,
        )

    async def answered(self, person: Any) -> int:
        """How many of a person's messages were answered."""
        return int(
            await self.value(
                "SELECT count(*) FROM inbox i JOIN conversations c ON c.id = i.conversation_id"
                " WHERE c.user_id = $1 AND i.answered_at IS NOT NULL",
                person,
            )
        )

    # ------------------------------------------------------------------------------------------ everybody

    async def settled(self) -> None:
        """Wait until everything heard is answered and everything said is sent; nothing may have died on the way."""
        await self.until(self._nothing_waits, "inbox and outbox to be empty")
        problems = await self.column(
            "SELECT last_error FROM inbox WHERE dead_at IS NOT NULL OR attempts > 0"
            " UNION ALL SELECT last_error FROM outbox WHERE dead_at IS NOT NULL"
            " UNION ALL SELECT reason FROM dead_letters"
        )
        assert problems == []

    async def _nothing_waits(self) -> bool:
        waiting = await self.value(
            "SELECT (SELECT count(*) FROM inbox WHERE answered_at IS NULL AND dead_at IS NULL)"
            " + (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND dead_at IS NULL)"
        )
        return bool(waiting == 0)
