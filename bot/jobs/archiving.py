"""Months of the behavior log that are older than a year leave the database for files, and come back when asked for.

One month is one transaction. Its rows are copied to a file that is not yet named; the file is read back from end to end;
then, under a lock that waits two seconds at most, the month is compared with what was written, detached and dropped,
the file gets its name, and the transaction commits. Whatever fails before that commit leaves the month online; a file
that a crash left behind is written anew by the next run.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import structlog
from asyncpg import Connection

from bot.errors import OperationFailed, RestoreRefused
from bot.jobs import archive_file
from bot.jobs.archive_file import ArchiveWriter, Contents
from db import behavior

log = structlog.get_logger(__name__)

MONTHS_ONLINE = 12
"""Whole months that stay, besides the present one."""
RESTORED_STAYS = dt.timedelta(days=30)
"""How long a month that was brought back is left online."""
TRIES = 10
PAUSE = 3.0
"""Seconds between two tries at a lock; each waits two seconds itself."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is where: months online that are due to leave, and every month that has a file."""

    due: tuple[dt.date, ...]
    archives: tuple[behavior.Archive, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run, in a word; `month` is what was archived, None when there was nothing to do."""

    word: str
    month: dt.date | None = None


async def look(conn: Connection, *, now: dt.datetime) -> Shelf:
    """As rahhal_owner."""
    archives = await behavior.archives(conn)
    stays = {a.month for a in archives if a.restored_at and a.restored_at > now - RESTORED_STAYS}
    oldest_online = _months_before(now.astimezone(dt.UTC).date(), MONTHS_ONLINE)
    due = [m for m in await behavior.months(conn) if m < oldest_online and m not in stays]
    return Shelf(tuple(due), tuple(archives))


async def archive_next(conn: Connection, now: dt.datetime, *, folder: Path) -> Outcome:
    """Archive the oldest month that is due, if any. Runs in a transaction of rahhal_owner, which the caller commits.

    Raises OperationFailed with the month still online (a full disk, a lock nobody lets go of).
    """
    if not await behavior.take_archive_lock(conn):
        return Outcome("another worker is archiving")
    due = (await look(conn, now=now)).due
    if not due:
        return Outcome("nothing due")
    month = due[0]
    final = folder / archive_file.name_of(month)
    part = final.with_name(final.name + ".part")
    try:
        contents = await _write(conn, month, part)
        await _retire(conn, month, contents)
        await asyncio.to_thread(archive_file.publish, part, final, contents.sha256)
    except OSError as error:
        raise OperationFailed(f"{final}: {error.strerror}; {month:%Y-%m} stays online") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    await behavior.note_archive(
        conn, month=month, file=final.name, sha256=contents.sha256, size=contents.size, rows=contents.rows
    )
    return Outcome(f"{month:%Y-%m} archived, {contents.rows} rows", month)


async def _write(conn: Connection, month: dt.date, part: Path) -> Contents:
    """Write a month and read it back. Raises OSError, OperationFailed."""
    writer = ArchiveWriter(part, behavior.COLUMNS)
    try:
        await behavior.copy_out(conn, begins=_start(month), ends=_start(_next(month)), write=writer.write)
        content = await writer.close()
    finally:
        writer.abandon()
    found = await asyncio.to_thread(archive_file.read, part)
    if found.content != content:
        raise OperationFailed(f"{part} does not read back as it was written; {month:%Y-%m} stays online")
    return found


async def _retire(conn: Connection, month: dt.date, contents: Contents) -> None:
    for left in range(TRIES, 0, -1):
        fate = await behavior.retire_month(conn, month=month, rows=contents.rows, hashes=contents.hashes)
        if fate == "gone":
            return
        if fate != "busy":
            raise OperationFailed(f"{month:%Y-%m} is {fate} since it was copied; the next run begins anew")
        if left > 1:
            await asyncio.sleep(PAUSE)
    raise OperationFailed(f"{month:%Y-%m} stays online: somebody held a lock on the log all the time")


async def restore(conn: Connection, month: dt.date, *, folder: Path) -> int:
    """Bring a month back online from its file, checksum first. Runs in a transaction of rahhal_owner. Returns its rows.

    Raises RestoreRefused with nothing changed: no file, not what was written, or the month is online.
    """
    path = folder / archive_file.name_of(month)
    if not await behavior.take_archive_lock(conn):
        raise RestoreRefused("another process is archiving or restoring now")
    if month in await behavior.months(conn):
        raise RestoreRefused(f"{month:%Y-%m} is online")
    expected = {a.sha256 for a in await behavior.archives(conn) if a.month == month}
    if (beside := archive_file.written_checksum(path)) is not None:
        expected.add(beside)
    try:
        contents = await asyncio.to_thread(archive_file.read, path)
    except OSError as error:
        raise RestoreRefused(f"{path}: {error.strerror}") from None
    if expected != {contents.sha256}:
        problem = "is not what was written" if expected else "has no checksum beside it"
        raise RestoreRefused(f"{path} {problem}")
    if not set(contents.columns) <= set(behavior.COLUMNS):
        raise RestoreRefused(f"{path} has columns that the log has not: was it written by a newer program?")
    rows = await behavior.bring_back_month(
        conn, month=month, columns=contents.columns, source=archive_file.rows_of(path)
    )
    if rows != contents.rows:
        raise RestoreRefused(f"{path}: {rows} of {contents.rows} rows came back")
    await behavior.note_restored(
        conn, month=month, file=path.name, sha256=contents.sha256, size=contents.size, rows=rows
    )
    return rows


def _start(month: dt.date) -> dt.datetime:
    return dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)


def _next(month: dt.date) -> dt.date:
    return (month.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def _months_before(day: dt.date, months: int) -> dt.date:
    """The first day of the month that many months before the day's."""
    count = day.year * 12 + day.month - 1 - months
    return dt.date(count // 12, count % 12 + 1, 1)
