"""Log ingest by group commit, beside psql's COPY, one insert per event and an ORM; what a row costs, beside a bare table."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson
import uvloop

from bot.bench import Measure, Sizes, bench
from bot.bench.database import scratch_server
from bot.bench.orm_peer import installed, orm_writer
from bot.domain.behavior import Action
from db.behavior import Occurrence, new_id
from db.behavior_writer import BehaviorWriter
from db.embedded import Embedded
from db.pool import Role, as_role

ROUNDS = 5
COPIED = 100_000
EVENTS = {64: 30_000, 512: 100_000}
SINGLE_EVENTS = 4_000
ORM_EVENTS = 1_500
CONNECTIONS = 10
"""Of the peers that write each event by itself: asyncpg's own default."""
PEOPLE = 1_000
WARMING_UP = 8
"""Events of each task before the clock runs: connections are opened and statements planned."""

TWIN = """
CREATE TABLE twin (LIKE user_behavior_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)
    PARTITION BY RANGE ("timestamp");
CREATE TABLE bare (LIKE user_behavior_log) PARTITION BY RANGE ("timestamp");
DO $$
DECLARE
    month date;
    twin text;
BEGIN
    FOR month IN SELECT generate_series(now() - interval '1 month', now() + interval '3 months', '1 month') LOOP
        FOREACH twin IN ARRAY ARRAY['twin', 'bare'] LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', twin || to_char(month, '_YYYY_MM'), twin,
                date_trunc('month', month), date_trunc('month', month) + interval '1 month');
        END LOOP;
    END LOOP;
END
$$
"""
"""`twin` is the log without isolation, which no COPY may enter otherwise; `bare` is without keys, checks and indexes too."""

INSERT = (
    'INSERT INTO twin (id, user_id, action_type, action_data, device_type, "timestamp", hour_of_day, day_of_week) '
    "VALUES ($1, $2, $3, $4::text::jsonb, 'webchat', $5, 12, 3)"
)
ROWS = (
    'INSERT INTO {} (id, user_id, action_type, action_data, "timestamp", hour_of_day, day_of_week) '
    "SELECT gen_random_uuid(), p.id, 'فتح_رابط', '{{\"code\": \"c0ffee\"}}', now(), 12, 3 "
    "FROM generate_series(1, $1) AS g(n) JOIN people p ON p.n = g.n % $2"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Events a second, and the 99th percentile of what one waited, in seconds."""

    rate: float
    p99: float


@bench("log")
def run(_sizes: Sizes) -> Iterator[Measure]:
    yield from uvloop.run(_measure())  # as the product does


async def _measure() -> list[Measure]:
    async with scratch_server() as server:
        place = await _Place.open(server)
        try:
            return [*await _ingest(place), *await _row_cost(place)]
        finally:
            await place.close()


class _Place:
    """The server, its people, and the ways to write to it."""

    def __init__(self, server: Embedded, owner: asyncpg.Connection, people: list[UUID]) -> None:
        self.server = server
        self.owner = owner
        self.people = people

    @classmethod
    async def open(cls, server: Embedded) -> _Place:
        owner = await asyncpg.connect(server.dsn)
        async with as_role(owner, Role.OWNER):
            await owner.execute(TWIN)
            rows = await owner.fetch(
                "INSERT INTO users (consented, consented_at) SELECT true, now() FROM generate_series(1, $1) RETURNING id",
                PEOPLE,
            )
            people = [row["id"] for row in rows]
            await owner.execute("CREATE TABLE people (n int PRIMARY KEY, id uuid NOT NULL)")
            await owner.executemany("INSERT INTO people VALUES ($1, $2)", list(enumerate(people)))
            await owner.execute("GRANT SELECT ON people TO rahhal_service")
        return cls(server, owner, people)

    async def close(self) -> None:
        await self.owner.close()

    def event(self, number: int) -> Occurrence:
        now = dt.datetime.now(dt.UTC)
        return Occurrence(
            id=new_id(now),
            at=now,
            action=Action.LINK_OPENED.value,
            data=orjson.dumps({"code": "c0ffee", "n": number}).decode(),
            user_id=self.people[number % PEOPLE],
            device="webchat",
        )

    async def copy(self) -> float:
        """Rows a second of one `psql COPY` of a file that is there already."""
        with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
            for number in range(COPIED):
                e = self.event(number)
                file.write(f"{e.id}\t{e.user_id}\t{e.action}\t{e.data}\twebchat\t{e.at.isoformat()}\t12\t3\n")
            file.flush()
            columns = (
                'id, user_id, action_type, action_data, device_type, "timestamp", hour_of_day, day_of_week'
            )
            command = f"\\copy twin ({columns}) FROM '{file.name}'"
            psql = [str(Path(self.server.bin_dir) / "psql"), "-qX", "-d", self.server.dsn]
            began = time.perf_counter()
            await asyncio.to_thread(
                subprocess.run, [*psql, "-c", "SET ROLE rahhal_owner", "-c", command], check=True
            )
            return COPIED / (time.perf_counter() - began)

    async def group_commit(self, tasks: int) -> Pace:
        writer = BehaviorWriter(self.server.dsn)
        await writer.start()

        async def write(event: Occurrence) -> None:
            await writer.offer(event)

        try:
            return await self._pace(write, tasks, EVENTS[tasks])
        finally:
            await writer.stop()

    async def each_by_itself(self, tasks: int) -> Pace:
        async with self._pool() as pool:

            async def write(event: Occurrence) -> None:
                async with pool.acquire() as conn:
                    await conn.execute(INSERT, event.id, event.user_id, event.action, event.data, event.at)

            return await self._pace(write, tasks, SINGLE_EVENTS)

    async def by_orm(self, tasks: int) -> Pace:
        writing = orm_writer(self._owner_connection, table="twin", connections=CONNECTIONS)
        async with writing as write:
            return await self._pace(write, tasks, ORM_EVENTS)

    async def _owner_connection(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.server.dsn, server_settings={"role": Role.OWNER.value})

    @contextlib.asynccontextmanager
    async def _pool(self) -> AsyncIterator[asyncpg.Pool]:
        async with asyncpg.create_pool(
            self.server.dsn,
            min_size=CONNECTIONS,
            max_size=CONNECTIONS,
            reset=_nothing,
            server_settings={"role": Role.OWNER.value},
        ) as pool:
            yield pool

    async def _pace(self, write: Callable[[Occurrence], Awaitable[None]], tasks: int, events: int) -> Pace:
        """So many tasks, each writing its share, one event after the other."""
        waited: list[float] = []

        async def worker(first: int, last: int) -> None:
            for number in range(first, last, tasks):
                began = time.perf_counter()
                await write(self.event(number))
                waited.append(time.perf_counter() - began)

        await asyncio.gather(*(worker(first, WARMING_UP * tasks) for first in range(tasks)))
        waited.clear()
        began = time.perf_counter()
        await asyncio.gather(*(worker(first, events) for first in range(tasks)))
        rate = events / (time.perf_counter() - began)
        return Pace(rate, statistics.quantiles(waited, n=100)[98])


async def _nothing(_: asyncpg.Connection) -> None:
    """In place of asyncpg's reset query: one round trip less for the peer."""


async def _ingest(place: _Place) -> list[Measure]:
    """All ways in turn, round after round, so that a busy machine is busy for all; the medians of the rounds' ratios."""
    ours: dict[int, list[Pace]] = {tasks: [] for tasks in EVENTS}
    single: dict[int, list[Pace]] = {tasks: [] for tasks in EVENTS}
    orm: list[Pace] = []
    copies: list[float] = []
    with_orm = installed()
    for _ in range(ROUNDS):
        copies.append(await place.copy())
        for tasks in EVENTS:
            ours[tasks].append(await place.group_commit(tasks))
            single[tasks].append(await place.each_by_itself(tasks))
        if with_orm:
            orm.append(await place.by_orm(64))
    measures = []
    for tasks, target in ((64, 0.4), (512, 0.5)):
        rate = statistics.median(pace.rate for pace in ours[tasks])
        rows = [
            ("psql COPY", [o.rate / c for o, c in zip(ours[tasks], copies, strict=True)], target),
            (
                "one insert an event",
                [o.rate / s.rate for o, s in zip(ours[tasks], single[tasks], strict=True)],
                5.0,
            ),
        ]
        if with_orm and tasks == 64:
            rows.append(
                ("SQLAlchemy ORM", [o.rate / m.rate for o, m in zip(ours[tasks], orm, strict=True)], 15.0)
            )
        for peer, ratios, wanted in rows:
            ratio = statistics.median(ratios)
            measures.append(
                Measure(
                    "log",
                    f"events at {tasks} tasks",
                    rate,
                    "/s",
                    peer,
                    ratio,
                    f">= {wanted:g} x",
                    ratio >= wanted,
                )
            )
        shorter = statistics.median(s.p99 / o.p99 for o, s in zip(ours[tasks], single[tasks], strict=True))
        p99 = statistics.median(pace.p99 for pace in ours[tasks]) * 1000
        peer = "shorter than one insert an event"
        measures.append(
            Measure("log", f"p99 at {tasks} tasks", p99, "ms", peer, shorter, ">= 10 x", shorter >= 10)
        )
    if not with_orm:
        note = "SQLAlchemy is not installed"
        measures.append(Measure("log", "events at 64 tasks", 0, "/s", note, target=">= 15 x"))
    return measures


async def _row_cost(place: _Place) -> list[Measure]:
    """The rate of one large INSERT … SELECT: the log with all it has, beside the same rows in a bare partitioned table."""
    taken: dict[str, list[float]] = {"user_behavior_log": [], "bare": []}
    for _ in range(ROUNDS):
        for table, times in taken.items():
            async with as_role(place.owner, Role.OWNER):
                began = time.perf_counter()
                await place.owner.execute(ROWS.format(table), COPIED, PEOPLE)
                times.append(time.perf_counter() - began)
    ratio = statistics.median(b / o for b, o in zip(taken["bare"], taken["user_behavior_log"], strict=True))
    microseconds = statistics.median(taken["user_behavior_log"]) / COPIED * 1e6
    return [
        Measure("log", "one row, checked and indexed", microseconds, "µs", "a bare partitioned table", ratio)
    ]
