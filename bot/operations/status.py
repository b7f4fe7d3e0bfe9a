"""`rahhal db status`: what an operator wants to see first. `rahhal db slow`: what keeps the database busy."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from bot.errors import DatabaseUnavailable
from bot.jobs.schedule import Job
from db import health, migrate, outbox
from db import pool as pool_of
from db.pool import Role, as_role

LARGEST = 8
PATIENCE = dt.timedelta(minutes=15)
"""How late a job may be before somebody is told."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job: when it last ended, how, and when it is due. `overdue` is how late it is, None when it is not."""

    name: str
    last: dt.datetime | None
    outcome: str
    next_at: dt.datetime | None
    overdue: dt.timedelta | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `rahhal db status` shows. Sizes in bytes.

    unattended: how long ago it was migrated, where no job ever ran; None where one did.
    """

    server: str
    size: int
    pending_migrations: tuple[str, ...]
    jobs: tuple[JobStatus, ...]
    behavior_log: health.Months
    waiting: dict[str, int]
    largest: tuple[health.Relation, ...]
    unattended: dt.timedelta | None

    @property
    def alarms(self) -> tuple[str, ...]:
        """What needs somebody, one line each; empty when all is well."""
        found = [f"migration {name} is not applied" for name in self.pending_migrations]
        found += [f"job {job.name}: {job.outcome}" for job in self.jobs if job.outcome.startswith("failed")]
        found += [
            f"job {job.name} is {_age(job.overdue)} late: is a worker running?"
            for job in self.jobs
            if job.overdue is not None and job.overdue > PATIENCE
        ]
        if self.unattended is not None and self.unattended > PATIENCE:
            found.append(f"no job ever ran in {_age(self.unattended)}: is a worker running?")
        if self.behavior_log.in_default:
            found.append(f"{self.behavior_log.in_default} rows of the behavior log have no month")
        if self.waiting.get("dead_letters"):
            found.append(f"{self.waiting['dead_letters']} dead letters")
        return tuple(found)


async def read(dsn: str, jobs: Sequence[Job], *, now: dt.datetime) -> Status:
    """`jobs` are those the worker runs here; `now` decides what is due."""
    states = await migrate.status(dsn)
    pending = tuple(state.file for state in states if state.standing is not migrate.Standing.APPLIED)
    connection = await connect(dsn)
    try:
        server = str(await connection.fetchval("SHOW server_version"))
        if any(state.applied_at is not None for state in states):
            async with as_role(connection, Role.OWNER):
                size = await health.size(connection)
                runs = {run.job: run for run in await health.job_runs(connection)}
                months = await health.behavior_months(connection)
                largest = await health.largest(connection, most=LARGEST)
            async with as_role(connection, Role.WORKER):
                waiting = await outbox.backlog(connection)
        else:
            size, runs, months, largest, waiting = 0, {}, health.Months("user_behavior_log", (), 0), [], {}
    finally:
        await connection.close()
    applied = [state.applied_at for state in states if state.applied_at is not None]
    return Status(
        server,
        size,
        pending,
        tuple(_standing(job, runs.get(job.name), now) for job in jobs),
        months,
        waiting,
        tuple(largest),
        now - max(applied) if applied and not runs else None,
    )


def _standing(job: Job, run: health.JobRun | None, now: dt.datetime) -> JobStatus:
    if run is None:
        return JobStatus(job.name, None, "never ran", None, None)
    overdue = now - run.next_at if now > run.next_at else None
    if run.finished_at is None:
        return JobStatus(job.name, None, f"runs since {run.started_at:%F %T}", run.next_at, overdue)
    return JobStatus(job.name, run.finished_at, run.outcome or "", run.next_at, overdue)


async def connect(dsn: str) -> asyncpg.Connection:
    """One connection outside every pool. Raises DatabaseUnavailable."""
    try:
        connection = await asyncpg.connect(dsn, timeout=15, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"no connection to PostgreSQL: {error}") from error
    await pool_of.prepare(connection)
    return connection


def as_json(found: Any) -> Any:
    """A tree of dataclasses as JSON values: times in ISO 8601, spans in seconds, ids as text."""
    match found:
        case dt.date():  # a moment too
            return found.isoformat()
        case Decimal():
            return float(found)
        case dt.timedelta():
            return found.total_seconds()
        case UUID():
            return str(found)
        case dict():
            return {key: as_json(value) for key, value in found.items()}
        case list() | tuple():
            return [as_json(value) for value in found]
        case _ if dataclasses.is_dataclass(found):
            named = {field.name: as_json(getattr(found, field.name)) for field in dataclasses.fields(found)}
            return {**named, "alarms": list(found.alarms)} if isinstance(found, Status) else named
        case _:
            return found


def lines(status: Status) -> Iterator[str]:
    """For people."""
    yield f"PostgreSQL {status.server}, {_bytes(status.size)}"
    yield "migrations: " + (", ".join(status.pending_migrations) or "up to date")
    waiting = ", ".join(f"{name} {count}" for name, count in status.waiting.items())
    yield f"waiting: {waiting or 'nothing is there yet'}"
    months = status.behavior_log
    span = (
        f"{months.partitions[0][-7:]} to {months.partitions[-1][-7:]}" if months.partitions else "no months"
    )
    yield f"behavior log: {span}, {months.in_default} rows outside"
    yield "jobs:"
    for job in status.jobs:
        last = f"{job.last:%F %T}" if job.last else "-"
        due = "" if job.next_at is None else f"due {job.next_at:%F %T}"
        yield f"  {job.name:<18} {last:<20} {due:<24} {job.outcome}"
    yield "largest tables:"
    for table in status.largest:
        yield f"  {table.name:<28} {_bytes(table.size):>10}  about {table.rows} rows, {table.dead} dead"
    yield "all is well" if not status.alarms else "needs somebody:"
    for alarm in status.alarms:
        yield f"  {alarm}"


@dataclass(frozen=True, slots=True)
class Slow:
    """What keeps the database busy now, and what the statistics accuse."""

    running: tuple[health.Running, ...]
    scanned: tuple[health.Scanned, ...]
    unused: tuple[health.Relation, ...]


async def slow(dsn: str, *, longer_than: dt.timedelta) -> Slow:
    """Statements older than `longer_than`, tables read whole, indexes nobody uses."""
    connection = await connect(dsn)
    try:
        return Slow(
            tuple(await health.running(connection, longer_than=longer_than)),
            tuple(await health.scanned(connection, most=10)),
            tuple(await health.unused_indexes(connection, most=10)),
        )
    finally:
        await connection.close()


def slow_lines(found: Slow) -> Iterator[str]:
    """For people."""
    yield "running now:" if found.running else "nothing has been running for long"
    for one in found.running:
        waits = f" waits for {', '.join(map(str, one.blocked_by))}" if one.blocked_by else ""
        yield f"  {one.pid} {one.role} {one.state} {_age(one.age)}{waits}: {one.query}"
    for table in found.scanned:
        yield f"  {table.table} was read whole {table.scans} times ({table.rows} rows): is an index missing?"
    for index in found.unused:
        yield f"  {index.name} ({_bytes(index.size)}) was never used since the statistics began"


def _age(span: dt.timedelta | None) -> str:
    seconds = int((span or dt.timedelta()).total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
