"""Wake-ups between tasks and processes: an event in this process at once, a NOTIFY to the others soon after.

A NOTIFY inside every commit serializes commits (PERFORMANCE: 9.7k → 2.9k a second), so each process sends at most one per
20 ms, on a connection of its own, carrying everything that rang in between. A wake-up may be lost with the connection:
every listener also looks by itself every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from functools import partial

import asyncpg
import orjson
import structlog

from db.pool import UNREACHABLE

log = structlog.get_logger(__name__)

CHANNEL = "rahhal_bells"
GATHER = 0.02
"""Seconds between two notifications of one process."""
MOST_BYTES = 7_500
"""PostgreSQL takes payloads below 8,000 bytes."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
"""Seconds between two attempts to open a connection, doubling while none succeeds."""


class Bells:
    """Rung by topic and key. `ring` costs nothing; `subscribe` gives an event that is set at every ring."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = defaultdict(set)
        self._rung: set[tuple[str, str]] = set()
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen and to pass on. Works without a connection too: one is opened again and again."""
        self._task = asyncio.create_task(self._run(), name="bells")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def ring(self, topic: str, key: str = "") -> None:
        """Wake whoever listens to this topic and key, here now and in other processes soon."""
        self._wake(topic, key)
        self._rung.add((topic, key))
        self._due.set()

    @contextlib.contextmanager
    def subscribe(self, topic: str, key: str = "") -> Iterator[asyncio.Event]:
        """An event set at every ring. Clear it before looking, wait for it after finding nothing."""
        event = asyncio.Event()
        self._waiting[topic, key].add(event)
        try:
            yield event
        finally:
            listeners = self._waiting[topic, key]
            listeners.discard(event)
            if not listeners:
                del self._waiting[topic, key]

    def _wake_everybody(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()

    def _wake(self, topic: str, key: str) -> None:
        for event in self._waiting.get((topic, key), ()):
            event.set()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._line() as (connection, lost):
                    pause = FIRST_PAUSE
                    self._wake_everybody()  # whatever rang elsewhere meanwhile is gone
                    await self._pass_on(connection, lost)
            except UNREACHABLE as error:
                log.warning("bells.lost", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    @contextlib.asynccontextmanager
    async def _line(self) -> AsyncIterator[tuple[asyncpg.Connection, asyncio.Event]]:
        """A connection that listens, and the event that tells its end."""
        connection = await asyncpg.connect(
            self._dsn, timeout=10, server_settings={"application_name": "rahhal-bells"}
        )
        lost = asyncio.Event()

        def hang_up(_: object) -> None:
            lost.set()
            self._due.set()

        connection.add_termination_listener(hang_up)
        try:
            ours = (
                connection.get_server_pid()
            )  # asked now: a connection that has ended does not know it any more
            await connection.add_listener(CHANNEL, partial(self._heard, ours))
            yield connection, lost
        finally:
            connection.terminate()

    async def _pass_on(self, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            if lost.is_set():
                return
            rung, self._rung = self._rung, set()
            try:
                for payload in _payloads(rung):
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
            except BaseException:
                self._rung |= rung
                self._due.set()
                raise
            await asyncio.sleep(GATHER)

    def _heard(self, ours: int, _: asyncpg.Connection, pid: int, _channel: str, payload: str) -> None:
        if pid == ours:
            return
        for topic, key in orjson.loads(payload):
            self._wake(topic, key)


def _payloads(rung: set[tuple[str, str]]) -> Iterator[str]:
    """JSON lists of (topic, key), each short enough to travel. A single ring that is too long stays here."""
    batch: list[tuple[str, str]] = []
    size = 2
    for ring in rung:
        cost = len(orjson.dumps(ring)) + 1
        if cost + 2 > MOST_BYTES:
            continue
        if size + cost > MOST_BYTES:
            yield orjson.dumps(batch).decode()
            batch, size = [], 2
        batch.append(ring)
        size += cost
    if batch:
        yield orjson.dumps(batch).decode()
