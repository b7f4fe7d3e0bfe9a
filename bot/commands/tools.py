"""`rahhal understand | bench | import`: what needs no travelers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.commands.arguments import count
from bot.commands.running import Adder, go
from bot.errors import ConfigurationError

IMPORTS = ("hotels", "rates", "allotments")


def register(add: Adder) -> None:
    understanding = add("understand", _understand, "JSON lines in, what they mean out; needs no database")
    understanding.add_argument("--explain", action="store_true", help="also which rule found what")

    benching = add("bench", _bench, "how fast, beside a peer measured in the same run")
    benching.add_argument("name", nargs="?", help="one bench, for example understanding; all by default")
    benching.add_argument("--json", action="store_true", help="a list of measures instead of lines")
    benching.add_argument(
        "--rows", type=count, metavar="N", help="measure at this size too, where a bench has sizes"
    )

    importing = add("import", _import, "bring your own hotels, rates or allotments from a CSV file")
    importing.add_argument("kind", choices=(*IMPORTS, "template"))
    importing.add_argument(
        "file", metavar="FILE", help="the CSV file; for template: hotels, rates or allotments"
    )


def _understand(arguments: argparse.Namespace) -> None:
    from bot.understanding import commandline

    commandline.main(sys.stdin, sys.stdout, explain=arguments.explain)


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
    return go(_bring_in(arguments.kind, Path(arguments.file)))


async def _bring_in(kind: str, path: Path) -> int:
    from bot import database
    from bot.settings import load

    settings = load()
    async with database.opened(settings) as place:
        await database.prepare(settings, place, demo=False)
        report = await database.bring_in(place, kind, path)
    for line in report.lines():
        print(line)
    return 1 if report.problems else 0
