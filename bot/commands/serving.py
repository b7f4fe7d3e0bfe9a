"""`rahhal run | web | worker | migrate | chat`: serve travelers, or be one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from uuid import uuid4

from bot.commands.arguments import moment, name
from bot.commands.running import Adder, go, running


def register(add: Adder) -> None:
    add(
        "run", run, "everything in one process: database, web chat, worker, Telegram", epilog=_settings_help()
    )
    add("web", _web, "only the web side: web chat, webhooks, health")
    add("worker", _worker, "only the worker: answers, sends, scheduled jobs")

    migrating = add("migrate", running(_migrate), "bring the database up to date")
    migrating.add_argument(
        "--status", action="store_true", help="only show what is applied and what is pending"
    )

    chat = add("chat", running(_chat), "be a traveler in the terminal")
    chat.add_argument(
        "--script", type=Path, metavar="FILE", help="«> » text, «# » a button by its label or number"
    )
    chat.add_argument("--json", action="store_true", help="one JSON object per line of the script")
    chat.add_argument("--user", type=name, metavar="NAME", help="come back as the same traveler")
    chat.add_argument("--locale", default="ar-EG", help="language and country, ar-EG by default")
    chat.add_argument(
        "--now", type=moment, metavar="ISO", help="move the whole world of this run to that moment"
    )


def _settings_help() -> str:
    from bot.settings import describe

    rows = [
        f"  {name}{f' [{default}]' if default else ''}\n      {text}" for name, default, text in describe()
    ]
    return "settings (environment or .env):\n" + "\n".join(rows)


def run(_arguments: argparse.Namespace) -> int | None:
    return go(_serve(with_web=True, with_worker=True))


def _web(_arguments: argparse.Namespace) -> int | None:
    return go(_serve(with_web=True, with_worker=False))


def _worker(_arguments: argparse.Namespace) -> int | None:
    return go(_serve(with_web=False, with_worker=True))


async def _serve(*, with_web: bool, with_worker: bool) -> None:
    from bot.settings import load

    settings = load()  # before everything else is loaded: a wrong setting is said at once
    from bot import app, database, logs

    logs.set_up(level=settings.log_level, style=settings.log_format)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def ready(address: str) -> None:
        print(f"رحّال: {address}", flush=True)

    async with database.opened(settings) as place:
        await database.prepare(settings, place)
        await app.serve(settings, place, with_web=with_web, with_worker=with_worker, stop=stop, ready=ready)


async def _migrate(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.settings import load
    from db import migrate

    async with database.opened(load()) as place:
        if not arguments.status:
            for applied in await migrate.migrate(place.direct):
                print(f"applied {applied.version:04d}_{applied.name}.sql")
        states = await migrate.status(place.direct)
        if arguments.status:
            for state in states:
                print(f"{state.standing.value:<10} {state.file}")
        pending = any(state.standing is not migrate.Standing.APPLIED for state in states)
        if not arguments.status and not pending:
            print("the database is up to date")
    return 1 if pending else 0


async def _chat(arguments: argparse.Namespace) -> int:
    from bot import app, database, logs, terminal
    from bot.settings import load

    settings = load(locale=arguments.locale)
    logs.set_up(level="error", style=settings.log_format)
    script = terminal.read_script(arguments.script) if arguments.script else None
    clock = app.moved_clock(arguments.now)
    async with contextlib.AsyncExitStack() as stack:
        place = await stack.enter_async_context(database.opened(settings))
        await database.prepare(settings, place, now=clock())
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
