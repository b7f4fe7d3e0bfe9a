"""What is said, brought to the page: pushed through a socket, or held until there is something to answer with."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final
from uuid import UUID

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from bot.channels.webchat.limits import MAX_FRAME, MAX_SOCKETS
from bot.errors import DatabaseUnavailable

Messages = list[dict[str, Any]]
Fetch = Callable[[int], Awaitable[Messages | None]]
"""Messages after a sequence, oldest first; None when the visitor is not known any more."""

Wakeups = Callable[[str], AbstractContextManager[asyncio.Event]]
"""An event of the caller's own, set whenever this visitor may have new messages, until the block ends. A hint and not a
promise: streams also look by themselves."""

UNKNOWN_VISITOR: Final = 4401
"""The close code that tells the page to introduce itself again."""

BATCH: Final = 50
QUICK: Final = 2.0
SLOW: Final = 15.0
ATTENTIVE: Final = 60.0
"""Seconds between two looks: QUICK for the first ATTENTIVE seconds after something happened, then SLOW."""

LONGEST_WAIT: Final = 25.0
_HEARTBEAT: Final = 25.0

log = structlog.get_logger(__name__)


class Streams:
    """Everything held open in this process, counted by visitor."""

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._open: Counter[UUID] = Counter()
        self._sockets: set[web.WebSocketResponse] = set()

    def full(self, visitor: UUID) -> bool:
        return self._open[visitor] >= MAX_SOCKETS

    async def close(self) -> None:
        """Send every page away; they come back to whoever serves them next."""
        await asyncio.gather(
            *(socket.close(code=WSCloseCode.GOING_AWAY) for socket in tuple(self._sockets)),
            return_exceptions=True,
        )

    async def push(
        self, request: web.Request, visitor: UUID, *, after: int, fetch: Fetch
    ) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=MAX_FRAME)
        with self._counted(visitor), self._wakeups(str(visitor)) as woken:
            await socket.prepare(request)
            self._sockets.add(socket)
            pump = asyncio.create_task(_pump(socket, woken, after=after, fetch=fetch))
            try:
                async for frame in socket:
                    await _heed(socket, frame, woken)
            finally:
                self._sockets.discard(socket)
                pump.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pump
        return socket

    async def hold(self, visitor: UUID, *, after: int, wait: float, fetch: Fetch) -> Messages | None:
        """Messages after a sequence, as soon as there are any, at the latest after `wait` seconds."""
        wait = 0.0 if self.full(visitor) else min(wait, LONGEST_WAIT)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        with self._counted(visitor), self._wakeups(str(visitor)) as woken:
            while True:
                woken.clear()
                found = await fetch(after)
                left = deadline - loop.time()
                if found or found is None or left <= 0:
                    return found
                await _wait(woken, min(QUICK, left))

    @contextlib.contextmanager
    def _counted(self, visitor: UUID) -> Iterator[None]:
        self._open[visitor] += 1
        try:
            yield
        finally:
            self._open[visitor] -= 1
            if not self._open[visitor]:
                del self._open[visitor]


async def _pump(socket: web.WebSocketResponse, woken: asyncio.Event, *, after: int, fetch: Fetch) -> None:
    """Send what comes after a sequence, in order, until the socket is closed."""
    loop = asyncio.get_running_loop()
    happened = loop.time()
    try:
        while True:
            if woken.is_set():
                happened = loop.time()
                woken.clear()
            found = await fetch(after)
            if found is None:
                await socket.close(code=UNKNOWN_VISITOR)
                return
            if found:
                await socket.send_json({"type": "messages", "messages": found}, dumps=_compact)
                after = found[-1]["sequence"]
                happened = loop.time()
            if len(found) < BATCH:
                await _wait(woken, QUICK if loop.time() - happened < ATTENTIVE else SLOW)
    except DatabaseUnavailable:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
    except ConnectionError:
        log.debug("webchat.socket_gone")  # the page will be back with its sequence
    except Exception:
        await socket.close(code=WSCloseCode.INTERNAL_ERROR)
        log.exception("webchat.socket_failed")


async def _heed(socket: web.WebSocketResponse, frame: WSMessage, woken: asyncio.Event) -> None:
    """«ping» asks whether the line still stands; «waiting» says that an answer is expected. Nothing else means anything."""
    if frame.type is not WSMsgType.TEXT:
        return
    if frame.data == "ping":
        await socket.send_str(_compact({"type": "pong"}))
    elif frame.data == "waiting":
        woken.set()


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
