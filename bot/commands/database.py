"""`rahhal db …`: the database, its state, its backups, the months of the log and the audit."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import Any

from bot.commands.arguments import count, head, month, uuid
from bot.commands.running import Adder, roof, running, show
from bot.errors import ConfigurationError


def register(add_command: Adder) -> None:
    add = roof(add_command, "db", "the database: its URL, its state, backups")
    add("url", running(_url), "start the database if need be and print its URL; it stays up")
    add("stop", running(_stop), "stop the embedded server, unless a process uses it")
    status = add(
        "status",
        running(_status),
        "jobs, migrations, what waits, what is large; exit 1 when it needs somebody",
    )
    status.add_argument("--json", action="store_true", help="one JSON object")
    slow = add(
        "slow",
        running(_slow),
        "what has been running for long, what waits for locks, which indexes are missing",
    )
    slow.add_argument("--json", action="store_true", help="one JSON object")
    slow.add_argument("--seconds", type=float, default=1.0, help="how long is long (1)")
    backup = add("backup", running(_backup), "write everything to FILE, and its checksum to FILE.sha256")
    backup.add_argument("file", type=Path, metavar="FILE")
    restore = add("restore", running(_restore), "bring a backup into an empty database")
    restore.add_argument("file", type=Path, metavar="FILE")
    metrics = add(
        "metrics", running(_metrics), "what each day brought (days of UTC, demo travelers left out)"
    )
    metrics.add_argument("--days", type=count, default=7, help="how many, the latest first (7)")
    metrics.add_argument("--json", action="store_true", help="a list of JSON objects")
    analytics = add("analytics", running(_analytics), "what there is to tell about one person")
    analytics.add_argument("user", type=uuid, metavar="USER", help="the person's id")
    analytics.add_argument("--json", action="store_true", help="one JSON object")
    verify = add(
        "verify-audit", running(_verify_audit), "whether the audit log is what was written; exit 3 when not"
    )
    verify.add_argument("--json", action="store_true", help="one JSON object")
    verify.add_argument(
        "--head",
        type=head,
        action="append",
        default=[],
        metavar="BATCH:HEX",
        help="a head you know from elsewhere, such as the program's log (audit.head)",
    )
    verify.add_argument(
        "--accept",
        action="store_true",
        help="after a restore: what was published before and is not there is known to be gone",
    )
    archive = add(
        "archive", running(_archive), "months of the behavior log in files; exit 1 when some are due"
    )
    archive.add_argument("action", choices=("list", "run"), help="show them, or archive what is due now")
    back = add("restore-log", running(_restore_log), "bring a month of the behavior log back from its file")
    back.add_argument("month", type=month, metavar="YYYY-MM")


async def _url(_arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.settings import load

    async with database.opened(load(), leave_up=True) as place:
        print(place.direct)
    return 0


async def _stop(_arguments: argparse.Namespace) -> int:
    from bot.settings import load
    from db import embedded

    settings = load()
    if settings.database_url is not None:
        raise ConfigurationError("DATABASE_URL: that server is not ours to stop")
    stopped = await embedded.stop(settings.data_dir)
    print("stopped" if stopped else "still in use by another process")
    return 0 if stopped else 1


async def _status(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.jobs.schedule import jobs
    from bot.operations import status
    from bot.settings import load

    settings = load()
    async with database.opened(settings) as place:
        ours = jobs(demo=settings.demo, archive=settings.archive_folder, heads=settings.audit_heads)
        found = await status.read(place.direct, ours, now=dt.datetime.now(dt.UTC))
    show(status.as_json(found), status.lines(found), as_json=arguments.json)
    return 1 if found.alarms else 0


async def _slow(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import status
    from bot.settings import load

    async with database.opened(load()) as place:
        found = await status.slow(place.direct, longer_than=dt.timedelta(seconds=arguments.seconds))
    show(status.as_json(found), status.slow_lines(found), as_json=arguments.json)
    return 0


async def _backup(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import backups
    from bot.settings import load

    async with database.opened(load()) as place:
        made = await backups.backup(place.direct, arguments.file)
    print(f"{made.file}: {made.size} bytes, SHA-256 {made.sha256}")
    return 0


async def _restore(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import backups
    from bot.settings import load

    async with database.opened(load()) as place:
        await backups.restore(place.direct, arguments.file)
    print("restored; the database is up to date")
    return 0


async def _metrics(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import figures, status
    from bot.settings import load

    async with database.opened(load()) as place:
        found = await database.as_owner(place, lambda conn: figures.days(conn, most=arguments.days))
    show(status.as_json(found), figures.day_lines(found), as_json=arguments.json)
    return 0


async def _analytics(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import figures, status
    from bot.settings import load

    async with database.opened(load()) as place:
        found = await database.as_owner(
            place, lambda conn: figures.person(conn, arguments.user, now=dt.datetime.now(dt.UTC))
        )
    show(status.as_json(found), figures.person_lines(found), as_json=arguments.json)
    return 0


async def _verify_audit(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import audit, status
    from bot.settings import load

    settings = load()
    async with database.opened(settings) as place:
        if arguments.accept:
            await audit.accept(place.direct, settings.audit_heads, now=dt.datetime.now(dt.UTC))
        verdict = await audit.verify(place.direct, settings.audit_heads, known=arguments.head)
    show(status.as_json(verdict), audit.lines(verdict), as_json=arguments.json)
    return 3 if verdict.problems else 0


async def _archive(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.jobs import archiving
    from bot.settings import load

    settings = load()
    async with database.opened(settings) as place:
        if arguments.action == "run":
            async for outcome in database.archive_months(place, _archive_folder(settings)):
                print(outcome)
            return 0
        shelf = await database.as_owner(place, lambda conn: archiving.look(conn, now=dt.datetime.now(dt.UTC)))
    for archive in shelf.archives:
        state = "online again" if archive.restored_at else "archived"
        print(
            f"{archive.month:%Y-%m}  {state:<12}  {archive.rows:>12,} rows  {archive.bytes:>14,} bytes  {archive.file}"
        )
    for due in shelf.due:
        print(f"{due:%Y-%m}  due")
    return 1 if shelf.due else 0


async def _restore_log(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.jobs import archiving
    from bot.settings import load

    settings = load()
    folder = _archive_folder(settings)
    async with database.opened(settings) as place:
        rows = await database.as_owner(
            place, lambda conn: archiving.restore(conn, arguments.month, folder=folder)
        )
    print(f"{arguments.month:%Y-%m} is online again, {rows} rows; it is archived again after 30 days")
    return 0


def _archive_folder(settings: Any) -> Path:
    folder: Path | None = settings.archive_folder
    if folder is None:
        raise ConfigurationError("RAHHAL_ARCHIVE_DIR: with DATABASE_URL it says where archives are")
    return folder
