"""How a command is run, and what it prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from bot.errors import DatabaseUnavailable

Command = Callable[[argparse.Namespace], int | None]
Work = Callable[[argparse.Namespace], Coroutine[Any, Any, int | None]]


class Adder(Protocol):
    """Adds one command under its name, with the text of its help."""

    def __call__(self, name: str, command: Command, text: str, /, **more: Any) -> argparse.ArgumentParser: ...


def adder(parser: argparse.ArgumentParser) -> Adder:
    """For the commands of `parser`."""
    commands = parser.add_subparsers(title="commands", metavar="")

    def add(name: str, command: Command, text: str, /, **more: Any) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, **more
        )
        sub.set_defaults(command=command)
        return sub

    return add


def roof(add_command: Adder, name: str, text: str) -> Adder:
    """A command that is only a roof over others: called by itself, it says which."""
    under: list[str] = []

    def ask(_arguments: argparse.Namespace) -> int:
        sys.stderr.write(f"rahhal {name}: one of {', '.join(under)} (see rahhal {name} --help)\n")
        return 2

    add = adder(add_command(name, ask, text))

    def add_under(inner: str, command: Command, about: str, /, **more: Any) -> argparse.ArgumentParser:
        under.append(inner)
        return add(inner, command, about, **more)

    return add_under


def running(work: Work) -> Command:
    """The command that runs `work` in an event loop."""
    return lambda arguments: go(work(arguments))


def go(work: Coroutine[Any, Any, int | None]) -> int | None:
    """Run to the end. What PostgreSQL says against it becomes one line: ConstraintViolated or DatabaseUnavailable."""
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


def show(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print `value` as JSON, or the lines that say the same to people."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    for line in lines:
        print(line)
