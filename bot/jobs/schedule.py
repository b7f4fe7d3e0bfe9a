"""What is done from time to time: each job is taken by one worker, and is safe to run twice."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import structlog

from bot.domain import predictions
from bot.errors import RahhalError
from bot.jobs import auditing
from bot.jobs.answering import first_of
from bot.jobs.archiving import archive_next
from bot.suppliers import demo as demo_supplier
from db import bookings, metrics, outbox, outcomes, people, proof, referrals, sharing, upkeep, webchat
from db.pool import UNREACHABLE, Role, as_role

log = structlog.get_logger(__name__)

LOOK = 5.0
"""Seconds between two looks at what is due."""
MONTHS_AHEAD = 3
MOST_HOLDS = 500
MOST_STAYS = 500
MOST_REFERRALS = 500
LATE = dt.timedelta(days=2)
"""How long after two logins were joined something may still be written under the old one."""
KEEP = dt.timedelta(days=90)
"""How long the raw form of messages is kept: long enough to look into a complaint."""
MOST_FORGOTTEN = 20_000

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Job:
    """A periodic job: what it does, as whom, how often. `run` returns a word on its outcome for `job_runs`.

    slow: it may take minutes, and holds up no other.
    """

    name: str
    every: dt.timedelta
    role: Role
    run: Callable[[asyncpg.Connection, dt.datetime], Awaitable[str]]
    slow: bool = False


async def make_partitions(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """Months of the behavior log: the last, this one, and three ahead; rows that found no month are told of."""
    made = await upkeep.make_partitions(conn, now=now, ahead=MONTHS_AHEAD)
    lost = await upkeep.rows_without_month(conn)
    if lost:
        log.warning("behavior_log.without_month", rows=lost)
    return f"{made} made, {lost} rows without a month" if lost else f"{made} made"


async def expire_holds(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """Holds whose time is over give their rooms back."""
    expired = await bookings.expire_holds(conn, now=now, most=MOST_HOLDS)
    return f"{expired} expired"


async def extend_demo(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """The demo catalogue keeps rates for the next 18 months."""
    added = await demo_supplier.extend_horizon(conn, now=now)
    return f"{added} blocks added"


async def sweep_webchat(conn: asyncpg.Connection, _now: dt.datetime) -> str:
    """Visitors whose cookie has expired are forgotten."""
    forgotten = await webchat.sweep(conn)
    return f"{forgotten} forgotten"


async def forget_old(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """What channels sent and were sent, once the transcript has it; sending buckets nobody uses."""
    forgotten = await upkeep.forget_old(conn, now=now, keep=KEEP, most=MOST_FORGOTTEN)
    return f"{forgotten} forgotten"


async def build_metrics(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """`daily_metrics` of today, and of days that ended since they were last counted."""
    built = await metrics.build(conn, now=now)
    return f"{built} days counted"


async def archive_log(conn: asyncpg.Connection, now: dt.datetime, *, folder: Path) -> str:
    """The oldest month of the behavior log that has been online for a year becomes a file."""
    return (await archive_next(conn, now, folder=folder)).word


async def complete_stays(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """Stays that have ended by the hotel's clock are completed, and may be told of."""
    completed = await outcomes.complete_stays(conn, now=now, most=MOST_STAYS)
    return f"{completed} completed"


async def ask_about_stays(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """Who left yesterday is asked how it was, once, where she may be written to."""
    asked = await outcomes.ask_about_stays(conn, now=now, most=MOST_STAYS)
    return f"{asked} asked"


async def refresh_performance(conn: asyncpg.Connection, _now: dt.datetime) -> str:
    """How hotels do with each kind of traveler; readers keep the old view until the new one is whole."""
    await proof.refresh_performance(conn)
    return "refreshed"


async def refresh_ratings(conn: asyncpg.Connection, _now: dt.datetime) -> str:
    """What is to be expected of a hotel, and the order of hotels by it."""
    await proof.refresh_ratings(conn)
    return "refreshed"


async def mature_referrals(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """What verified stays of invited guests have earned is granted, or held for the operator."""
    settled = await referrals.mature(conn, now=now, most=MOST_REFERRALS)
    return f"{settled} settled"


async def count_links(conn: asyncpg.Connection, _now: dt.datetime) -> str:
    """Clicks are added to their links."""
    counted = await sharing.count_links(conn)
    return f"{counted} clicks"


async def settle_joins(conn: asyncpg.Connection, _now: dt.datetime) -> str:
    """Rows written late under a login that was joined to another follow it."""
    settled = await people.settle_joins(conn, within=LATE)
    return f"{settled} looked at"


async def foresee_outcomes(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """How the stays that were booked lately will be; the turn that books stays small."""
    return f"{await predictions.foresee_outcomes(conn, now=now)} new"


async def foresee_trips(conn: asyncpg.Connection, now: dt.datetime) -> str:
    """Where those who consented may travel next: everybody once a week, some of them at a time."""
    return f"{await predictions.foresee_trips(conn, now=now)} new"


JOBS = (
    Job("partitions", dt.timedelta(hours=12), Role.OWNER, make_partitions),
    Job("sweep-webchat", dt.timedelta(hours=1), Role.WORKER, sweep_webchat),
    Job("forget-old", dt.timedelta(hours=1), Role.WORKER, forget_old),
    Job("daily-metrics", dt.timedelta(hours=1), Role.WORKER, build_metrics),
    Job("settle-joins", dt.timedelta(hours=1), Role.WORKER, settle_joins),
    Job("expire-holds", dt.timedelta(seconds=30), Role.WORKER, expire_holds),
    Job("complete-stays", dt.timedelta(minutes=5), Role.WORKER, complete_stays),
    Job("ask-about-stays", dt.timedelta(minutes=5), Role.WORKER, ask_about_stays),
    Job("foresee-outcomes", dt.timedelta(minutes=1), Role.WORKER, foresee_outcomes),
    Job("foresee-trips", dt.timedelta(minutes=30), Role.WORKER, foresee_trips),
    Job("refresh-performance", dt.timedelta(hours=1), Role.OWNER, refresh_performance),
    Job("refresh-ratings", dt.timedelta(hours=1), Role.OWNER, refresh_ratings),
    Job("mature-referrals", dt.timedelta(minutes=10), Role.WORKER, mature_referrals),
    Job("count-links", dt.timedelta(minutes=5), Role.WORKER, count_links),
    Job("audit-years", dt.timedelta(hours=12), Role.OWNER, auditing.make_years),
    Job("audit-seal", dt.timedelta(seconds=30), Role.WORKER, auditing.seal),
    Job("audit-retire", dt.timedelta(hours=12), Role.OWNER, auditing.retire, slow=True),
)
DEMO_JOBS = (Job("extend-demo", dt.timedelta(hours=24), Role.OWNER, extend_demo),)


def jobs(*, demo: bool, archive: Path | None = None, heads: Path | None = None) -> tuple[Job, ...]:
    """What a worker runs: `demo` when the demo catalogue is kept, `archive` the folder for old months of the log, `heads`
    the file for heads of the audit log."""
    chosen = [*JOBS, *(DEMO_JOBS if demo else ())]
    if archive is not None:
        archiving = partial(archive_log, folder=archive)
        chosen.append(Job("archive-log", dt.timedelta(hours=1), Role.OWNER, archiving, slow=True))
    if heads is not None:
        publishing = partial(auditing.publish, file=heads)
        chosen.append(Job("audit-publish", dt.timedelta(seconds=30), Role.WORKER, publishing))
    return tuple(chosen)


async def keep_schedule(
    pool: asyncpg.Pool,
    clock: Clock,
    stopping: asyncio.Event,
    *,
    demo: bool,
    archive: Path | None = None,
    heads: Path | None = None,
) -> None:
    """Run what is due, until stopped. A job that fails is reported and due again next time."""
    ours = jobs(demo=demo, archive=archive, heads=heads)
    async with asyncio.TaskGroup() as both:
        for slow in (False, True):
            some = [job for job in ours if job.slow is slow]
            both.create_task(_keep(pool, clock, stopping, some))


async def _keep(pool: asyncpg.Pool, clock: Clock, stopping: asyncio.Event, some: Sequence[Job]) -> None:
    """Run these jobs one after another."""
    never = asyncio.Event()
    while not stopping.is_set():
        for job in some:
            if stopping.is_set():
                return
            try:
                await _run_if_due(pool, job, clock())
            except (*UNREACHABLE, RahhalError) as error:
                # Only the first line: PostgreSQL quotes whole rows in the others.
                problem = str(error).partition("\n")[0][:200]
                log.warning("job.failed", job=job.name, error=type(error).__name__, problem=problem)
            except Exception:
                log.exception("job.failed", job=job.name)  # a mistake in one job must not stop the others
        await first_of(never, stopping, LOOK)


async def _run_if_due(pool: asyncpg.Pool, job: Job, now: dt.datetime) -> None:
    async with pool.acquire() as conn:
        async with as_role(conn, Role.WORKER):
            if not await outbox.claim_job(conn, job=job.name, every=job.every):
                return
        try:
            async with as_role(conn, job.role):
                outcome = await job.run(conn, now)
        except Exception as error:
            async with as_role(conn, Role.WORKER):
                await outbox.finish_job(conn, job=job.name, outcome=_failure(error))
            raise
        async with as_role(conn, Role.WORKER):
            await outbox.finish_job(conn, job=job.name, outcome=outcome)
    log.info("job.done", job=job.name, outcome=outcome)


def _failure(error: Exception) -> str:
    """What `job_runs` remembers of a failure. Only our own errors are quoted: others may hold what people wrote."""
    kind = type(error).__name__
    return f"failed: {kind}: {error}" if isinstance(error, RahhalError) else f"failed: {kind}"
