"""The embedded PostgreSQL: one server per data directory, shared by every process that asks for it.

Three advisory locks (flock: the kernel drops them when their holder dies, however it dies) replace all guessing:

- `gate`, exclusive: held while a server is started or stopped, so that these happen one at a time;
- `users`, shared: held by each process that uses the server, so that the last one to leave knows it is the last;
- `server.lock`: inherited by the server and all its children, so that a free lock proves that none of them is left.
  Whatever pid file or socket still lies there is then stale, also when its pid belongs to somebody else by now.

The server runs in a session of its own: a Ctrl-C in the terminal reaches us first, and our death does not reach it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg

from bot.errors import EmbeddedError
from db import server_files
from db.server_files import DATABASE, HERE, LOGIN, PORT, Account, Home

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "port": str(PORT),
    "cluster_name": "rahhal",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A week of logs, one file a day, without what people wrote: no statements, no values of violated keys.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_POLL = 0.03
_GATE_PATIENCE = 180.0  # recovery of a large database after a crash, started by somebody else
_START_PATIENCE = 150.0
_STOP_PATIENCE = 30.0


@dataclass
class Embedded:
    """This process's use of the server. `dsn` is the maintenance URL for psql and asyncpg alike."""

    dsn: str
    data_dir: Path
    bin_dir: Path
    settings: Mapping[str, str]
    _users: int | None = field(repr=False)

    def release(self) -> None:
        """Stop using the server and leave it up."""
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def leave_up(self) -> None:
        """Stop using the server and let it run until `stop` of this module: whoever leaves last leaves it up too.

        Raises EmbeddedError when the server is gone or its folder takes no note.
        """
        home = server_files.open_home(self.data_dir)
        try:
            (home.root / "kept_up").write_text(_this_run(home))
        except OSError as error:
            raise EmbeddedError(f"the server in {home.root} cannot be left up: {error.strerror}") from None
        finally:
            self.release()

    async def stop(self) -> bool:
        """Stop using the server, and stop it when nobody else does and nobody left it up. True when it is down afterwards."""
        self.release()
        home = server_files.open_home(self.data_dir)
        return _server_is_gone(home) if _kept_up(home) else await stop(self.data_dir)

    async def keep_running(self) -> None:
        """Bring the server back whenever it dies. Returns when it was stopped on purpose.

        A server that ends in order removes its pid file; one that was killed leaves it.
        """
        home = server_files.open_home(self.data_dir)
        while True:
            await _wait_for_end(home)
            async with _gate(home):  # inside, nobody is stopping it this very moment
                if self._users is None or not home.pid_file.exists():
                    return
                await _bring_up(home, self.settings)


async def start(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> Embedded:
    """Start the server of `data_dir`, or join the one that runs, creating the database the first time.

    `settings` are further server settings; those of whoever starts the server count.
    Raises EmbeddedError with one line for the operator.
    """
    settings = settings or {}
    home = await asyncio.to_thread(server_files.open_home, data_dir)
    async with _gate(home):
        dsn, bin_dir = await _bring_up(home, settings)
        users = _lock(home.root / "users", fcntl.LOCK_SH)
    return Embedded(dsn, data_dir, bin_dir, settings, users)


async def _bring_up(home: Home, settings: Mapping[str, str]) -> tuple[str, Path]:
    """Have it running, started or joined, by whoever holds the gate. Returns the URL and the programs' folder."""
    account = await asyncio.to_thread(server_files.server_account, home)
    bin_dir = await asyncio.to_thread(server_files.binaries, home, account)
    dsn = await asyncio.to_thread(_dsn, home)
    if (server_lock := await _claim_server(home, dsn)) is not None:
        process = await asyncio.to_thread(_launch, home, bin_dir, account, settings, server_lock)
        await _wait_until_ready(home, process)
    await _check_login(home, dsn)
    return dsn, bin_dir


async def stop(data_dir: Path, *, in_use: bool = False) -> bool:
    """Stop the server of `data_dir` in order, unless processes use it. True when it is down afterwards.

    `in_use=True` stops it under its users: their transactions are rolled back and their connections end.
    """
    if not await asyncio.to_thread((data_dir / "postgres").exists):
        return True
    home = await asyncio.to_thread(server_files.open_home, data_dir)
    async with _gate(home):
        users = _lock(home.root / "users", fcntl.LOCK_EX)
        if users is None and not in_use:
            return _server_is_gone(home)
        try:
            await _shut_down(home)
        finally:
            if users is not None:
                os.close(users)
    return True


def _dsn(home: Home) -> str:
    return f"postgresql://{LOGIN}@/{DATABASE}?host={quote(str(server_files.socket_folder(home)))}&port={PORT}"


def _lock(path: Path, kind: int) -> int | None:
    """An open lock, or None while somebody else holds it. Closing the descriptor gives it back."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise EmbeddedError(f"{path} cannot be locked: {error.strerror}") from None
    return handle


@contextlib.asynccontextmanager
async def _gate(home: Home) -> AsyncIterator[None]:
    handle: int | None = None

    async def entered() -> bool:
        nonlocal handle
        handle = _lock(home.root / "gate", fcntl.LOCK_EX)
        return handle is not None

    if not await _until(entered, _GATE_PATIENCE):
        raise EmbeddedError(f"another process has been starting or stopping {home.root} for minutes")
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


async def _until(condition: Callable[[], Awaitable[bool]], patience: float) -> bool:
    """Wait for another process, seconds at most."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while not await condition():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(_POLL)
    return True


def _server_is_gone(home: Home) -> bool:
    handle = _lock(home.root / "server.lock", fcntl.LOCK_EX)
    if handle is not None:
        os.close(handle)
    return handle is not None


def _postmaster(home: Home) -> int | None:
    """The pid of the living server: the pid file's word counts only for a process that stands in our cluster."""
    try:
        pid = int(home.pid_file.read_text().split("\n", 1)[0])
        return pid if Path(f"/proc/{pid}/cwd").samefile(home.cluster) else None
    except (OSError, ValueError):
        return None


def _this_run(home: Home) -> str:
    """What no other run of the server has: its pid, where it is and since when (lines 1 to 3 of postmaster.pid)."""
    return "\n".join(home.pid_file.read_text().split("\n")[:3])


def _kept_up(home: Home) -> bool:
    """Whether the run that is on was left up; that an earlier one was says nothing."""
    try:
        return (home.root / "kept_up").read_text() == _this_run(home)
    except OSError:
        return False


def _status(home: Home) -> str:
    """`starting`, `stopping`, `ready` (line 8 of postmaster.pid, as pg_ctl reads it), or empty."""
    with contextlib.suppress(OSError):
        lines = home.pid_file.read_text().split("\n")
        return lines[7].strip() if len(lines) > 7 else ""
    return ""


async def _claim_server(home: Home, dsn: str) -> int | None:
    """The server's lock when none runs; None when one runs and accepts connections."""
    handle: int | None = None

    async def settled() -> bool:
        nonlocal handle
        handle = _lock(home.root / "server.lock", fcntl.LOCK_EX)
        if handle is not None:
            return True
        if _postmaster(home) is None:
            _end_orphans(home)
            return False
        return _status(home) == "ready" and await _answers(dsn)

    if not await _until(settled, _START_PATIENCE):
        raise EmbeddedError(f"a server runs in {home.root} and does not answer: see {home.cluster / 'log'}")
    return handle


async def _answers(dsn: str) -> bool:
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except asyncpg.InvalidAuthorizationSpecificationError:
        return True  # it answers; what it says is for _check_login
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


async def _check_login(home: Home, dsn: str) -> None:
    try:
        connection = await asyncpg.connect(dsn, timeout=30)
    except (OSError, asyncpg.PostgresError) as error:
        raise EmbeddedError(f"the server in {home.root} refuses us: {error}") from None
    await connection.close()


def _end_orphans(home: Home) -> None:
    """A killed server's children leave by themselves, but one deep in a query may take long: as after a crash."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            standing_here = entry.name.isdigit() and (entry / "cwd").samefile(home.cluster)
            if standing_here and (entry / "comm").read_text().strip() == "postgres":
                os.kill(int(entry.name), signal.SIGQUIT)


def _launch(
    home: Home, bin_dir: Path, account: Account, settings: Mapping[str, str], server_lock: int
) -> subprocess.Popen[bytes]:
    """Runs to its end in a thread even when its caller is cancelled; the lock is ours to close, the server has it."""
    options = [f"--{name}={value}" for name, value in {**_SETTINGS, **settings}.items()]
    try:
        _make_ready(home, bin_dir, account)
        with home.startup_log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own server, no shell
                [bin_dir / "postgres", "-D", HERE, *options],
                cwd=home.cluster,
                env=server_files.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
                pass_fds=[server_lock],
                **account.switch,
            )
    except OSError as error:
        raise EmbeddedError(f"the database in {home.root} cannot be started: {error.strerror}") from None
    finally:
        os.close(server_lock)


def _make_ready(home: Home, bin_dir: Path, account: Account) -> None:
    if not home.initialized:
        server_files.initialize(home, bin_dir, account)
    server_files.check_version(home)
    found = home.cluster.stat()
    if found.st_uid != account.uid or found.st_mode & 0o077:  # restored or copied by root
        server_files.give_to(home.cluster, account)
    for stale in (home.pid_file, *home.cluster.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)
    server_files.write_access_rules(home, account)


async def _wait_until_ready(home: Home, process: subprocess.Popen[bytes]) -> None:
    async def settled() -> bool:
        return process.poll() is not None or _status(home) == "ready"

    if not await _until(settled, _START_PATIENCE):
        raise EmbeddedError(f"the database in {home.root} is still recovering: see {home.cluster / 'log'}")
    if process.poll() is not None:
        reason = server_files.telling_line(_last_words(home)) or f"exit status {process.returncode}"
        raise EmbeddedError(f"the database in {home.root} does not start: {reason}")


def _last_words(home: Home) -> str:
    """What the server wrote since it was launched: its own log if it got that far, else its stderr."""
    launched = home.startup_log.stat().st_mtime
    logs = [log for log in (home.cluster / "log").glob("*.log") if log.stat().st_mtime >= launched]
    words = home.startup_log.read_text(errors="replace")
    for log in logs:
        words += log.read_text(errors="replace")[-4000:]
    return words


async def _shut_down(home: Home) -> None:
    """Politely first (fast shutdown), then as pg_ctl's immediate mode would."""

    async def gone() -> bool:
        return _server_is_gone(home)

    for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        pid = _postmaster(home)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, order)
        elif not await gone():
            _end_orphans(home)
        if await _until(gone, _STOP_PATIENCE):
            return
    raise EmbeddedError(f"the server in {home.root} does not stop (is it another container's?)")


async def _wait_for_end(home: Home) -> None:
    """Until the server's main process is gone. The kernel tells; nothing is polled."""
    pid = _postmaster(home)
    if pid is None:
        return
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
