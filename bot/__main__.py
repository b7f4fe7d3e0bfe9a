"""The command line: `rahhal …` and `python -m bot …` are the same."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

from bot import __version__
from bot.errors import ConfigurationError, DatabaseUnavailable, RahhalError

IMPORTS = ("hotels", "rates", "allotments")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Errors raised on purpose are one line on standard error."""
    # What people read and write here is Arabic, whatever the terminal's locale claims.
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                encoding="utf-8", errors="surrogateescape" if stream is sys.stdin else "replace"
            )
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments) or 0)
    except RahhalError as error:
        sys.stderr.write(f"rahhal: {error}\n")
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rahhal",
        description="Rahhal, an Arabic-first hotel booking companion. Without a command: run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rahhal {__version__}")
    parser.set_defaults(command=_run)
    commands = parser.add_subparsers(title="commands", metavar="")

    def add(
        name: str, command: Callable[[argparse.Namespace], int | None], text: str, **more: Any
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, **more
        )
        sub.set_defaults(command=command)
        return sub

    add(
        "run",
        _run,
        "everything in one process: database, web chat, worker, Telegram",
        epilog=_settings_help(),
    )
    add("web", _web, "only the web side: web chat, webhooks, health")
    add("worker", _worker, "only the worker: answers, sends, scheduled jobs")

    migrate = add("migrate", _migrate, "bring the database up to date")
    migrate.add_argument(
        "--status", action="store_true", help="only show what is applied and what is pending"
    )

    chat = add("chat", _chat, "be a traveler in the terminal")
    chat.add_argument(
        "--script", type=Path, metavar="FILE", help="«> » text, «# » a button by its label or number"
    )
    chat.add_argument("--json", action="store_true", help="one JSON object per line of the script")
    chat.add_argument("--user", type=_name, metavar="NAME", help="come back as the same traveler")
    chat.add_argument("--locale", default="ar-EG", help="language and country, ar-EG by default")
    chat.add_argument(
        "--now", type=_moment, metavar="ISO", help="move the whole world of this run to that moment"
    )

    understanding = add("understand", _understand, "JSON lines in, what they mean out; needs no database")
    understanding.add_argument("--explain", action="store_true", help="also which rule found what")

    benching = add("bench", _bench, "how fast, beside a peer measured in the same run")
    benching.add_argument("name", nargs="?", help="one bench, for example understanding; all by default")
    benching.add_argument("--json", action="store_true", help="a list of measures instead of lines")
    benching.add_argument(
        "--rows", type=_count, metavar="N", help="measure at this size too, where a bench has sizes"
    )

    importing = add("import", _import, "bring your own hotels, rates or allotments from a CSV file")
    importing.add_argument("kind", choices=(*IMPORTS, "template"))
    importing.add_argument(
        "file", metavar="FILE", help="the CSV file; for template: hotels, rates or allotments"
    )

    inviting = add("referrals", _referrals, "invitations: how far they carry, and rewards that wait for you")
    inviting.add_argument("action", nargs="?", choices=("list", "grant", "refuse"), default="list")
    inviting.add_argument("referral", nargs="?", type=_uuid, metavar="ID", help="as the list shows it")
    inviting.add_argument("--json", action="store_true", help="the list as one JSON object")

    _people_commands(add("admin", _admin_help, "operators and admins: grant, revoke, list"))
    _stay_commands(add("stays", _stays_help, "what hotels report of stays, and what guests wrote"))
    foreseeing = add(
        "predictions", _predictions, "how good predictions have been, and which bookings are at risk"
    )
    foreseeing.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    _database_commands(add("db", _db_help, "the database: its URL, its state, backups"))
    return parser


def _stays_help(_arguments: argparse.Namespace) -> int:
    sys.stderr.write(
        "rahhal stays: one of list, no-show, came, paid, notes, show-note, hide-note (see rahhal stays --help)\n"
    )
    return 2


def _stay_commands(stays: argparse.ArgumentParser) -> None:
    actions = stays.add_subparsers(title="commands", metavar="")

    def add(
        name: str, command: Callable[[argparse.Namespace], Coroutine[Any, Any, int]], text: str
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        sub.set_defaults(command=lambda arguments: _go(command(arguments)), report=name)
        return sub

    listing = add("list", _stays_list, "stays under way, and those that ended lately")
    listing.add_argument("--days", type=_count, default=30, help="how far back (30)")
    for name, text in (
        ("no-show", "the guest did not come: the stay counts nowhere"),
        ("came", "the guest was there after all"),
        ("paid", "the guest paid at the hotel"),
        ("show-note", "let others read what the guest wrote"),
        ("hide-note", "others read it no longer"),
    ):
        reporting = add(name, _stays_note if name.endswith("-note") else _stays_report, text)
        reporting.add_argument("code", metavar="CODE", help="trip reference or confirmation number")
    notes = add("notes", _stays_notes, "what guests wrote and nobody has released yet")
    notes.add_argument("--shown", action="store_true", help="what others read already")


def _db_help(_arguments: argparse.Namespace) -> int:
    sys.stderr.write("rahhal db: what of it? (see rahhal db --help)\n")
    return 2


def _database_commands(database: argparse.ArgumentParser) -> None:
    actions = database.add_subparsers(title="commands", metavar="")

    def add(
        name: str, command: Callable[[argparse.Namespace], Coroutine[Any, Any, int]], text: str
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        sub.set_defaults(command=lambda arguments: _go(command(arguments)))
        return sub

    add("url", _db_url, "start the database if need be and print its URL; it stays up")
    add("stop", _db_stop, "stop the embedded server, unless a process uses it")
    status = add(
        "status", _db_status, "jobs, migrations, what waits, what is large; exit 1 when it needs somebody"
    )
    status.add_argument("--json", action="store_true", help="one JSON object")
    slow = add(
        "slow", _db_slow, "what has been running for long, what waits for locks, which indexes are missing"
    )
    slow.add_argument("--json", action="store_true", help="one JSON object")
    slow.add_argument("--seconds", type=float, default=1.0, help="how long is long (1)")
    backup = add("backup", _db_backup, "write everything to FILE, and its checksum to FILE.sha256")
    backup.add_argument("file", type=Path, metavar="FILE")
    restore = add("restore", _db_restore, "bring a backup into an empty database")
    restore.add_argument("file", type=Path, metavar="FILE")
    metrics = add("metrics", _db_metrics, "what each day brought (days of UTC, demo travelers left out)")
    metrics.add_argument("--days", type=_count, default=7, help="how many, the latest first (7)")
    metrics.add_argument("--json", action="store_true", help="a list of JSON objects")
    analytics = add("analytics", _db_analytics, "what there is to tell about one person")
    analytics.add_argument("user", type=_uuid, metavar="USER", help="the person's id")
    analytics.add_argument("--json", action="store_true", help="one JSON object")
    verify = add(
        "verify-audit", _db_verify_audit, "whether the audit log is what was written; exit 3 when not"
    )
    verify.add_argument("--json", action="store_true", help="one JSON object")
    verify.add_argument(
        "--head",
        type=_head,
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
    archive = add("archive", _db_archive, "months of the behavior log in files; exit 1 when some are due")
    archive.add_argument("action", choices=("list", "run"), help="show them, or archive what is due now")
    back = add("restore-log", _db_restore_log, "bring a month of the behavior log back from its file")
    back.add_argument("month", type=_month, metavar="YYYY-MM")


def _admin_help(_arguments: argparse.Namespace) -> int:
    sys.stderr.write("rahhal admin: one of grant, revoke, list (see rahhal admin --help)\n")
    return 2


def _people_commands(admin: argparse.ArgumentParser) -> None:
    actions = admin.add_subparsers(title="commands", metavar="")

    def add(
        name: str, command: Callable[[argparse.Namespace], Coroutine[Any, Any, int]], text: str
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        sub.set_defaults(command=lambda arguments: _go(command(arguments)))
        return sub

    grant = add("grant", _admin_grant, "give somebody who has written to the bot a role")
    grant.add_argument("role", choices=("operator", "admin"))
    revoke = add("revoke", _admin_revoke, "take the role away again")
    for parser in (grant, revoke):
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", type=_uuid, metavar="UUID", help="by the person's id")
        who.add_argument("--telegram", type=_login, metavar="ID", help="by the numeric id on Telegram")
        who.add_argument("--whatsapp", type=_login, metavar="ID", help="by the number or id on WhatsApp")
        who.add_argument("--webchat", type=_login, metavar="ID", help="by the visitor's id of the web chat")
        who.add_argument("--terminal", type=_login, metavar="NAME", help="by the name given to rahhal chat")
    listing = add("list", _admin_list, "everybody with a role")
    listing.add_argument("--json", action="store_true", help="a JSON list")


def _settings_help() -> str:
    from bot.settings import describe

    rows = [
        f"  {name}{f' [{default}]' if default else ''}\n      {text}" for name, default, text in describe()
    ]
    return "settings (environment or .env):\n" + "\n".join(rows)


def _name(text: str) -> str:
    name = text.replace("\0", "").encode("utf-8", "ignore").decode()
    if len(name) > 200:
        raise argparse.ArgumentTypeError("a name has at most 200 characters")
    return name


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a UUID: {text[:64]}") from None


def _login(text: str) -> str:
    login = _name(text.strip())
    if not login:
        raise argparse.ArgumentTypeError("an id has at least one character")
    return login


def _head(text: str) -> tuple[int, bytes]:
    number, _, head = text.partition(":")
    try:
        found = (int(number), bytes.fromhex(head))
    except ValueError:
        found = (0, b"")
    if not 0 < found[0] < 1 << 63 or len(found[1]) != 32:
        raise argparse.ArgumentTypeError(f"not a batch and its head (17:64 hexadecimal digits): {text[:80]}")
    return found


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**9):
        raise argparse.ArgumentTypeError(f"not a number above nothing: {text}")
    return int(text)


def _month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a month like 2025-03: {text}") from None


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not an ISO date and time: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _go(work: Coroutine[Any, Any, int | None]) -> int | None:
    import asyncpg
    import uvloop

    from db import pool

    try:
        return uvloop.run(work)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise pool.refusal(error) from error
    except pool.UNREACHABLE as error:
        first_line = str(error).partition("\n")[0]  # PostgreSQL quotes whole rows in the others
        raise DatabaseUnavailable(f"PostgreSQL: {first_line or type(error).__name__}") from error


# ---------------------------------------------------------------------------------------------- serving


def _run(_arguments: argparse.Namespace) -> int | None:
    return _go(_serve(with_web=True, with_worker=True))


def _web(_arguments: argparse.Namespace) -> int | None:
    return _go(_serve(with_web=True, with_worker=False))


def _worker(_arguments: argparse.Namespace) -> int | None:
    return _go(_serve(with_web=False, with_worker=True))


async def _serve(*, with_web: bool, with_worker: bool) -> None:
    from bot.settings import load

    settings = load()  # before everything else is loaded: a wrong setting is said at once
    from bot import app, logs

    logs.set_up(level=settings.log_level, style=settings.log_format)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def ready(address: str) -> None:
        print(f"رحّال: {address}", flush=True)

    async with app.database(settings) as place:
        await app.prepare(settings, place)
        await app.serve(settings, place, with_web=with_web, with_worker=with_worker, stop=stop, ready=ready)


# ---------------------------------------------------------------------------------------------- the database


def _migrate(arguments: argparse.Namespace) -> int | None:
    return _go(_migrations(only_status=arguments.status))


async def _migrations(*, only_status: bool) -> int:
    from bot import app
    from bot.settings import load
    from db import migrate

    async with app.database(load()) as place:
        if not only_status:
            for applied in await migrate.migrate(place.direct):
                print(f"applied {applied.version:04d}_{applied.name}.sql")
        states = await migrate.status(place.direct)
        if only_status:
            for state in states:
                print(f"{state.standing.value:<10} {state.file}")
        pending = any(state.standing is not migrate.Standing.APPLIED for state in states)
        if not only_status and not pending:
            print("the database is up to date")
    return 1 if pending else 0


async def _db_url(_arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.settings import load

    async with app.database(load(), leave_up=True) as place:
        print(place.direct)
    return 0


async def _db_stop(_arguments: argparse.Namespace) -> int:
    from bot.settings import load
    from db import embedded

    settings = load()
    if settings.database_url is not None:
        raise ConfigurationError("DATABASE_URL: that server is not ours to stop")
    stopped = await embedded.stop(settings.data_dir)
    print("stopped" if stopped else "still in use by another process")
    return 0 if stopped else 1


async def _db_status(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.jobs.schedule import jobs
    from bot.operations import status
    from bot.settings import load

    settings = load()
    async with app.database(settings) as place:
        ours = jobs(demo=settings.demo, archive=settings.archive_folder, heads=settings.audit_heads)
        found = await status.read(place.direct, ours, now=dt.datetime.now(dt.UTC))
    _show(status.as_json(found), status.lines(found), as_json=arguments.json)
    return 1 if found.alarms else 0


async def _db_slow(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import status
    from bot.settings import load

    async with app.database(load()) as place:
        found = await status.slow(place.direct, longer_than=dt.timedelta(seconds=arguments.seconds))
    _show(status.as_json(found), status.slow_lines(found), as_json=arguments.json)
    return 0


def _show(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    for line in lines:
        print(line)


def _referrals(arguments: argparse.Namespace) -> int | None:
    if (arguments.referral is None) != (arguments.action == "list"):
        sys.stderr.write("rahhal referrals: list, grant ID, or refuse ID\n")
        return 2
    return _go(_settle_referrals(arguments))


async def _settle_referrals(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import invitations
    from bot.settings import load

    async with app.database(load()) as place:
        if arguments.referral is not None:
            granted, now = arguments.action == "grant", dt.datetime.now(dt.UTC)
            done = await app.as_owner(
                place, lambda conn: invitations.decide(conn, arguments.referral, grant=granted, now=now)
            )
            print(done)
            return 0
        found = await app.as_owner(place, invitations.look)
    _show(invitations.as_json(found), invitations.lines(found), as_json=arguments.json)
    return 0


async def _db_backup(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import backups
    from bot.settings import load

    async with app.database(load()) as place:
        made = await backups.backup(place.direct, arguments.file)
    print(f"{made.file}: {made.size} bytes, SHA-256 {made.sha256}")
    return 0


async def _db_restore(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import backups
    from bot.settings import load

    async with app.database(load()) as place:
        await backups.restore(place.direct, arguments.file)
    print("restored; the database is up to date")
    return 0


async def _db_metrics(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import figures, status
    from bot.settings import load

    async with app.database(load()) as place:
        found = await app.as_owner(place, lambda conn: figures.days(conn, most=arguments.days))
    _show(status.as_json(found), figures.day_lines(found), as_json=arguments.json)
    return 0


async def _db_analytics(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import figures, status
    from bot.settings import load

    async with app.database(load()) as place:
        found = await app.as_owner(
            place, lambda conn: figures.person(conn, arguments.user, now=dt.datetime.now(dt.UTC))
        )
    _show(status.as_json(found), figures.person_lines(found), as_json=arguments.json)
    return 0


async def _db_verify_audit(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import audit, status
    from bot.settings import load

    settings = load()
    async with app.database(settings) as place:
        if arguments.accept:
            await audit.accept(place.direct, settings.audit_heads, now=dt.datetime.now(dt.UTC))
        verdict = await audit.verify(place.direct, settings.audit_heads, known=arguments.head)
    _show(status.as_json(verdict), audit.lines(verdict), as_json=arguments.json)
    return 3 if verdict.problems else 0


async def _db_archive(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.jobs import archiving
    from bot.settings import load

    settings = load()
    async with app.database(settings) as place:
        if arguments.action == "run":
            async for outcome in app.archive_months(place, _archive_folder(settings)):
                print(outcome)
            return 0
        shelf = await app.as_owner(place, lambda conn: archiving.look(conn, now=dt.datetime.now(dt.UTC)))
    for archive in shelf.archives:
        state = "online again" if archive.restored_at else "archived"
        print(
            f"{archive.month:%Y-%m}  {state:<12}  {archive.rows:>12,} rows  {archive.bytes:>14,} bytes  {archive.file}"
        )
    for month in shelf.due:
        print(f"{month:%Y-%m}  due")
    return 1 if shelf.due else 0


async def _db_restore_log(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.jobs import archiving
    from bot.settings import load

    settings = load()
    folder = _archive_folder(settings)
    async with app.database(settings) as place:
        rows = await app.as_owner(place, lambda conn: archiving.restore(conn, arguments.month, folder=folder))
    print(f"{arguments.month:%Y-%m} is online again, {rows} rows; it is archived again after 30 days")
    return 0


def _archive_folder(settings: Any) -> Path:
    folder: Path | None = settings.archive_folder
    if folder is None:
        raise ConfigurationError("RAHHAL_ARCHIVE_DIR: with DATABASE_URL it says where archives are")
    return folder


# ---------------------------------------------------------------------------------------------- people


async def _admin_grant(arguments: argparse.Namespace) -> int:
    return await _give_role(arguments, arguments.role)


async def _admin_revoke(arguments: argparse.Namespace) -> int:
    return await _give_role(arguments, "user")


async def _give_role(arguments: argparse.Namespace, role: Literal["user", "operator", "admin"]) -> int:
    from bot import app
    from bot.events import Channel
    from bot.operations import roles
    from bot.settings import load

    login = next(
        ((channel, named) for channel in Channel if (named := getattr(arguments, channel.value))), None
    )
    if login and login[0] is Channel.WHATSAPP:
        login = (login[0], login[1].lstrip("+"))  # WhatsApp's ids of phones have no plus
    settings = load()
    async with app.database(settings) as place:
        await app.prepare(settings, place, demo=False)
        known, before = await roles.give(place.direct, login or arguments.user, role)
    print(f"{roles.line(known)}  {'unchanged' if before == known.role else f'was {before}'}")
    return 0


async def _admin_list(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import roles, status
    from bot.settings import load

    settings = load()
    async with app.database(settings) as place:
        await app.prepare(settings, place, demo=False)
        found = await roles.house(place.direct)
    _show(status.as_json(found), roles.lines(found), as_json=arguments.json)
    return 0


async def _stays_list(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import stays
    from bot.settings import load

    async with app.database(load()) as place:
        found = await stays.listed(place.direct, now=dt.datetime.now(dt.UTC), days=arguments.days)
    _show(None, stays.lines(found), as_json=False)
    return 0


async def _stays_report(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import stays
    from bot.settings import load
    from db.outcomes import Report

    what = Report(arguments.report.replace("-", "_"))
    async with app.database(load()) as place:
        print(await stays.report(place.direct, code=arguments.code, what=what, now=dt.datetime.now(dt.UTC)))
    return 0


async def _stays_notes(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import stays
    from bot.settings import load

    async with app.database(load()) as place:
        found = await stays.notes(place.direct, shown=arguments.shown)
    _show(None, stays.note_lines(found), as_json=False)
    return 0


async def _stays_note(arguments: argparse.Namespace) -> int:
    from bot import app
    from bot.operations import stays
    from bot.settings import load

    shown = arguments.report == "show-note"
    async with app.database(load()) as place:
        print(await stays.release(place.direct, code=arguments.code, shown=shown))
    return 0


# ---------------------------------------------------------------------------------------------- the rest


def _chat(arguments: argparse.Namespace) -> int | None:
    return _go(_conversation(arguments))


async def _conversation(arguments: argparse.Namespace) -> int:
    from bot import app, logs, terminal
    from bot.settings import load

    settings = load(locale=arguments.locale)
    logs.set_up(level="error", style=settings.log_format)
    script = terminal.read_script(arguments.script) if arguments.script else None
    clock = app.moved_clock(arguments.now)
    async with contextlib.AsyncExitStack() as stack:
        place = await stack.enter_async_context(app.database(settings))
        await app.prepare(settings, place, now=clock())
        shared = await stack.enter_async_context(app.core(settings, place, clock=clock))
        traveler = terminal.Terminal(
            shared,
            name=arguments.user or uuid4().hex,
            locale=arguments.locale,
            as_json=arguments.json,
            out=sys.stdout,
        )
        if script is None:
            await traveler.run_dialog()
            return 0
        return 1 if await traveler.run_script(script) else 0


def _understand(arguments: argparse.Namespace) -> None:
    from bot.understanding import commandline

    commandline.main(sys.stdin, sys.stdout, explain=arguments.explain)


def _predictions(arguments: argparse.Namespace) -> int | None:
    return _go(_foresight(as_json=arguments.json))


async def _foresight(*, as_json: bool) -> None:
    from bot import app
    from bot.operations import predictions, status
    from bot.settings import load

    async with app.database(load()) as place:
        found = await app.as_owner(place, lambda conn: predictions.look(conn, now=dt.datetime.now(dt.UTC)))
    _show(status.as_json(found), found.lines(), as_json=as_json)


def _bench(arguments: argparse.Namespace) -> int:
    from bot import bench

    known = bench.names()
    if arguments.name not in (None, *known):
        raise ConfigurationError(f"no bench {arguments.name!r}: one of {', '.join(known)}")
    sizes = (*bench.SIZES, arguments.rows) if arguments.rows else bench.SIZES
    return bench.main(arguments.name, sys.stdout, as_json=arguments.json, sizes=sizes)


def _import(arguments: argparse.Namespace) -> int | None:
    from bot.domain import catalogue

    if arguments.kind == "template":
        if arguments.file not in IMPORTS:
            raise ConfigurationError(f"template: one of {', '.join(IMPORTS)}")
        sys.stdout.write(catalogue.template(arguments.file))
        return 0
    return _go(_bring_in(arguments.kind, Path(arguments.file)))


async def _bring_in(kind: str, path: Path) -> int:
    from bot import app
    from bot.settings import load

    settings = load()
    async with app.database(settings) as place:
        await app.prepare(settings, place, demo=False)
        report = await app.bring_in(place, kind, path)
    for line in report.lines():
        print(line)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
