"""The command line: `rahhal …` and `python -m bot …` are the same."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from bot import __version__
from bot.commands import database, knowing, people, serving, stays, tools
from bot.commands.running import adder
from bot.errors import RahhalError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Errors raised on purpose are one line on standard error."""
    # What people read and write here is Arabic, whatever the terminal's locale claims.
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                encoding="utf-8", errors="surrogateescape" if stream is sys.stdin else "replace"
            )
    arguments = parser().parse_args(argv)
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


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    made = argparse.ArgumentParser(
        prog="rahhal",
        description="Rahhal, an Arabic-first hotel booking companion. Without a command: run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"rahhal {__version__}")
    made.set_defaults(command=serving.run)
    add = adder(made)
    for kind in (serving, tools, knowing, people, stays, database):
        kind.register(add)
    return made


if __name__ == "__main__":
    sys.exit(main())
