"""Our own getUpdates loop: an update is confirmed to Telegram only after it is stored.

One process polls, the one that holds the lease. It may die at any line: the offset kept with the lease says where the
next one begins, and what is heard twice is recognized by its update_id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import structlog
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.channels.telegram.client import Client
from bot.channels.telegram.door import TelegramDoor
from bot.channels.telegram.parse import ALLOWED_UPDATES, is_update
from bot.channels.telegram.refusals import seconds_to_wait
from bot.errors import DatabaseUnavailable

LEASE_SECONDS: Final = 60.0
"""How long a lease should last: renewed before every poll, so longer than a poll with all its timeouts."""

_POLL_SECONDS: Final = 25
_ANSWER_SLACK: Final = 10.0
_NOT_OURS_PAUSE: Final = 5.0
_CONFLICT_PAUSE: Final = 30.0
_LONGEST_PAUSE: Final = 60.0
_GOODBYE_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


class Lease(Protocol):
    """The right to poll, shared by all processes. Every method may raise DatabaseUnavailable."""

    async def hold(self) -> bool:
        """Take or renew it for LEASE_SECONDS; true while it is ours."""
        ...

    async def offset(self) -> int | None:
        """The first update_id not yet stored, as the last holder left it."""
        ...

    async def store_offset(self, offset: int) -> bool:
        """Keep it; false when the lease is no longer ours."""
        ...

    async def drop(self, pause: float = 0.0) -> None:
        """Give it up; nobody may take it for `pause` seconds."""
        ...


class TelegramPoller:
    """Run it as a task; cancel the task to stop. The lease is given back on the way out."""

    def __init__(
        self,
        client: Client,
        *,
        door: TelegramDoor,
        lease: Lease,
        poll_seconds: int = _POLL_SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._door = door
        self._lease = lease
        self._poll_seconds = poll_seconds
        self._pause = pause
        self._failures = 0

    async def run(self) -> None:
        """Poll for ever. Never raises but on cancellation."""
        try:
            while True:
                await self._pause(await self._poll_while_ours())
        finally:
            await self._say_goodbye()

    async def _poll_while_ours(self) -> float:
        """Ends with the seconds to wait before the next attempt."""
        try:
            if await self._lease.hold():
                await self._poll()
            return _jittered(_NOT_OURS_PAUSE)
        except Conflict:
            log.warning("telegram is polled elsewhere with our token, stepping down", seconds=_CONFLICT_PAUSE)
            return await self._step_down(_CONFLICT_PAUSE)
        except RetryAfter as error:
            return seconds_to_wait(error)
        except InvalidToken:
            log.error("telegram refuses the bot's token")  # noqa: TRY400 - a traceback adds nothing
            return _LONGEST_PAUSE
        except (TelegramError, DatabaseUnavailable) as error:
            seconds = self._back_off()
            log.warning("telegram polling waits", reason=f"{type(error).__name__}: {error}", seconds=seconds)
            return seconds
        except Exception:
            log.exception("telegram polling failed")
            return self._back_off()

    async def _poll(self) -> None:
        """Until the lease is lost."""
        await self._client.delete_webhook(drop_pending_updates=False)
        offset = await self._lease.offset()
        while await self._lease.hold():
            updates = await self._get_updates(offset)
            # An empty answer confirmed everything before the offset, so none is needed until the next batch: after a
            # silent week Telegram goes on from a random number, which may be lower than the offset we have.
            offset = None
            if updates:
                await self._door.take_in(updates)
                offset = _following(updates)
                if not await self._lease.store_offset(offset):
                    return
            self._failures = 0

    async def _get_updates(self, offset: int | None) -> list[Any]:
        result = await self._client.call(
            "getUpdates",
            {"offset": offset, "timeout": self._poll_seconds, "allowed_updates": list(ALLOWED_UPDATES)},
            read_timeout=self._poll_seconds + _ANSWER_SLACK,
        )
        if not isinstance(result, list):
            raise TelegramError("getUpdates did not answer with a list")
        return result

    def _back_off(self) -> float:
        self._failures += 1
        return _jittered(min(_LONGEST_PAUSE, 2.0 ** min(self._failures - 1, 10)))

    async def _step_down(self, seconds: float) -> float:
        try:
            await self._lease.drop(seconds)
        except DatabaseUnavailable:
            log.warning("the lease could not be given up, it runs out by itself")
        return seconds

    async def _say_goodbye(self) -> None:
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._lease.drop()
        except (DatabaseUnavailable, TimeoutError):
            log.info("the lease was not given back, it runs out by itself")


def _following(updates: list[Any]) -> int:
    """The offset that confirms a batch."""
    ids = [int(update["update_id"]) for update in updates if is_update(update)]
    if not ids:
        raise TelegramError("getUpdates answered with nothing that is an update")
    return 1 + max(ids)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads processes, hides nothing
