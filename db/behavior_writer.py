"""Group commit for the behavior log: what belongs to no turn, from many tasks, in few statements.

One queue, one flusher, one statement per flush, one future per event: whoever awaits the future knows that the row is
committed. An event keeps the id it was given, so that a flush whose outcome a lost connection hid is simply sent
again. While the database is away events wait, up to a bound; then new ones are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from bot.errors import DatabaseUnavailable
from db import behavior
from db.behavior import Occurrence
from db.pool import UNREACHABLE

log = structlog.get_logger(__name__)

MOST_ROWS = 1000
"""Of one flush."""
MOST_WAITING = 20_000
"""Events that may wait; one takes about half a kilobyte."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two attempts while the database is away, doubling."""
STATEMENT_TIMEOUT = 30.0

REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)
"""What a row raises by a fault of its own (ValueError: it cannot even be sent). All else is the database's: tried again."""

LOGGED = Counter("rahhal_log_events", "Events of no turn, by what became of them", ["outcome"])
WAITING = Gauge("rahhal_log_waiting", "Events of no turn that are not yet committed")

_Waiting = tuple[Occurrence, asyncio.Future[None]]


class BehaviorWriter:
    """`offer` an event and go on, or await what it returns. One per process; start it once, stop it last.

    It has a connection of its own, which is rahhal_worker for as long as it lives, so that a flush is one round trip:
    `dsn` must be a direct one where a transaction-mode pooler is used.
    """

    def __init__(self, dsn: str, *, most_waiting: int = MOST_WAITING, most_rows: int = MOST_ROWS) -> None:
        self._dsn = dsn
        self._most_waiting = most_waiting
        self._most_rows = most_rows
        self._queue: deque[_Waiting] = deque()
        self._in_flight = 0
        self._due = asyncio.Event()
        self._closing = False
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write. Works without a database too: one is looked for again and again."""
        WAITING.set_function(lambda: self.waiting)
        self._task = asyncio.create_task(self._run(), name="behavior-log")

    async def stop(self, *, patience: float = 5.0) -> None:
        """Take nothing more, write what waits for `patience` seconds at most; what is left then is refused and counted."""
        self._closing = True
        self._due.set()
        if self._task:
            await asyncio.wait({self._task}, timeout=patience)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._queue:
            log.warning("behavior_log.lost", events=len(self._queue))
        for _, done in self._queue:
            LOGGED.labels("lost").inc()
            _refuse(done, DatabaseUnavailable("the behavior log was closed before the database came back"))
        self._queue.clear()
        if self._connection:
            self._connection.terminate()
            self._connection = None

    def offer(self, occurrence: Occurrence) -> asyncio.Future[None]:
        """Queue an event. The future is done once it is committed; nobody needs to wait for it.

        Raises DatabaseUnavailable when too many wait already, or after `stop`. The future raises ValueError for an event
        that the table refuses, DatabaseUnavailable when the end came first.
        """
        if self._closing or self.waiting >= self._most_waiting:
            LOGGED.labels("refused").inc()
            raise DatabaseUnavailable("the behavior log takes no more events now")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((occurrence, done))
        self._due.set()
        return done

    @property
    def waiting(self) -> int:
        """Events that are not yet committed."""
        return len(self._queue) + self._in_flight

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._due.wait()
            self._due.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._most_rows))]
                self._in_flight = len(batch)
                try:
                    await self._flush(batch)
                except BaseException:
                    self._queue.extendleft(waiting for waiting in reversed(batch) if not waiting[1].done())
                    raise
                finally:
                    self._in_flight = 0

    async def _flush(self, batch: Sequence[_Waiting]) -> None:
        """Write a batch, however long the database is away."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._write(batch)
            except UNREACHABLE as error:
                problem = str(error).partition("\n")[0][
                    :200
                ]  # PostgreSQL quotes whole rows in the other lines
                log.warning(
                    "behavior_log.waits",
                    error=type(error).__name__,
                    problem=problem,
                    waiting=self.waiting,
                )
                if self._connection and not isinstance(error, asyncpg.PostgresError):
                    self._connection.terminate()
                    self._connection = None
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        """One statement; where a row is refused, its half again, until that row stands alone."""
        connection = await self._line()
        try:
            await behavior.append(connection, occurrences=[occurrence for occurrence, _ in batch])
        except REFUSED as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._write(batch[:half])
                await self._write(batch[half:])
                return
            LOGGED.labels("invalid").inc()
            log.warning("behavior_log.invalid", error=type(error).__name__, action=batch[0][0].action)
            _refuse(batch[0][1], ValueError(f"the log refuses this event: {type(error).__name__}"))
            return
        LOGGED.labels("written").inc(len(batch))
        for _, done in batch:
            if not done.done():  # its waiter may have been cancelled
                done.set_result(None)

    async def _line(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            connection = await asyncpg.connect(
                self._dsn,
                timeout=10,
                command_timeout=STATEMENT_TIMEOUT,
                server_settings={"application_name": "rahhal-log"},
            )
            await connection.execute("SET ROLE rahhal_worker")
            self._connection = connection
        return self._connection


def _refuse(done: asyncio.Future[None], error: Exception) -> None:
    if done.done():
        return
    done.set_exception(error)
    done.exception()  # seen: nobody need be waiting for it
