"""`rahhal stays …`: what hotels report of stays, and what guests wrote."""

from __future__ import annotations

import argparse
import datetime as dt

from bot.commands.arguments import count
from bot.commands.running import Adder, roof, running, show


def register(add_command: Adder) -> None:
    add = roof(add_command, "stays", "what hotels report of stays, and what guests wrote")
    listing = add("list", running(_list), "stays under way, and those that ended lately")
    listing.add_argument("--days", type=count, default=30, help="how far back (30)")
    for name, text in (
        ("no-show", "the guest did not come: the stay counts nowhere"),
        ("came", "the guest was there after all"),
        ("paid", "the guest paid at the hotel"),
        ("show-note", "let others read what the guest wrote"),
        ("hide-note", "others read it no longer"),
    ):
        reporting = add(name, running(_note if name.endswith("-note") else _report), text)
        reporting.set_defaults(report=name)
        reporting.add_argument("code", metavar="CODE", help="trip reference or confirmation number")
    notes = add("notes", running(_notes), "what guests wrote and nobody has released yet")
    notes.add_argument("--shown", action="store_true", help="what others read already")


async def _list(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import stays
    from bot.settings import load

    async with database.opened(load()) as place:
        found = await stays.listed(place.direct, now=dt.datetime.now(dt.UTC), days=arguments.days)
    show(None, stays.lines(found), as_json=False)
    return 0


async def _report(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import stays
    from bot.settings import load
    from db.outcomes import Report

    what = Report(arguments.report.replace("-", "_"))
    async with database.opened(load()) as place:
        print(await stays.report(place.direct, code=arguments.code, what=what, now=dt.datetime.now(dt.UTC)))
    return 0


async def _notes(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import stays
    from bot.settings import load

    async with database.opened(load()) as place:
        found = await stays.notes(place.direct, shown=arguments.shown)
    show(None, stays.note_lines(found), as_json=False)
    return 0


async def _note(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import stays
    from bot.settings import load

    shown = arguments.report == "show-note"
    async with database.opened(load()) as place:
        print(await stays.release(place.direct, code=arguments.code, shown=shown))
    return 0
