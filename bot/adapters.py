"""What joins two parts that do not know each other: a channel's small needs, met by the database or another channel."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

import asyncpg

from bot.channels import telegram
from bot.events import Channel, Event, Sender
from bot.settings import Settings
from bot.turn import Door
from db import outbox
from db.pool import Role, as_role, visit


class UploadsInDatabase:
    """bot.events.Uploads over the table `uploads`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, channel: Channel, sha256: str) -> str | None:
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await outbox.uploaded(conn, channel=channel.value, sha256=sha256)

    async def remember(self, channel: Channel, sha256: str, media_id: str) -> None:
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            await outbox.remember_upload(conn, channel=channel.value, sha256=sha256, media_id=media_id)


class PollingLease:
    """telegram.Lease over the table `leases`: one process polls a bot, and that bot's offset outlives it."""

    def __init__(self, pool: asyncpg.Pool, settings: Settings, *, worker: str) -> None:
        self._pool = pool
        self._worker = worker
        # Another bot counts its updates from elsewhere: with this one's offset it would skip what waits for it.
        token = settings.telegram_bot_token
        bot_id = token.get_secret_value().partition(":")[0] if token else ""
        self._name = f"telegram.poll:{bot_id}"

    def _conn(self) -> contextlib.AbstractAsyncContextManager[asyncpg.Connection]:
        return visit(self._pool, Role.WORKER)

    async def hold(self) -> bool:
        async with self._conn() as conn:
            lease = dt.timedelta(seconds=telegram.LEASE_SECONDS)
            return await outbox.hold_lease(conn, name=self._name, worker=self._worker, lease=lease)

    async def offset(self) -> int | None:
        async with self._conn() as conn:
            value = await outbox.lease_value(conn, name=self._name)
            return int(value) if value is not None else None

    async def store_offset(self, offset: int) -> bool:
        async with self._conn() as conn:
            return await outbox.set_lease_value(conn, name=self._name, worker=self._worker, value=offset)

    async def drop(self, pause: float = 0.0) -> None:
        async with self._conn() as conn:
            rest = dt.timedelta(seconds=pause)
            await outbox.drop_lease(conn, name=self._name, worker=self._worker, pause=rest)


class Typing:
    """Hear, then show on WhatsApp that an answer is being written: best effort, never in the way of the 200."""

    def __init__(self, door: Door, sender: Sender) -> None:
        self._door = door
        self._sender = sender
        self._tasks: set[asyncio.Task[None]] = set()

    async def hear(self, events: list[Event]) -> int:
        new = await self._door.hear(events)
        if new:
            latest = {event.address: event.external_id for event in events}
            for address, message in latest.items():
                task = asyncio.create_task(self._sender.show_typing(address, last_message=message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return new

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
