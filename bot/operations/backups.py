"""`rahhal db backup FILE` and `rahhal db restore FILE`: the whole database in one file with a checksum beside it.

A backup is pg_dump's custom format, made as `rahhal_owner` with row security on: the only role that every policy lets
see every row. Roles belong to a cluster and are in no dump; restore makes them first, as the first migration does.

A restore goes through a script that psql runs in one transaction, so that it happens wholly or not at all, and so that
an archive written by newer programs fits an older server (see `_pour`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bot.errors import DatabaseUnavailable, OperationFailed, RestoreRefused
from bot.operations import programs
from db import migrate
from db.pool import Role

CHECKSUM_SUFFIX = ".sha256"
SCHEMAS = ("public", "app")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: its size in bytes and its SHA-256 in hexadecimal."""

    file: Path
    size: int
    sha256: str


async def backup(dsn: str, file: Path) -> Backup:
    """Write the database at `dsn` to `file`, and `file`.sha256 as sha256sum writes it. Neither existed before.

    The file appears under its name only when it is whole and on disk. Raises OperationFailed (disk full, no program,
    pg_dump's complaint) and leaves nothing behind then.
    """
    checksum_file = file.with_name(file.name + CHECKSUM_SUFFIX)
    for wanted in (file, checksum_file):
        if wanted.exists():
            raise OperationFailed(f"{wanted} is there already; a backup never replaces another")
    where = programs.target(dsn)
    tools = await programs.fitting(await _server_major(dsn))
    partial = await asyncio.to_thread(_open_partial, file)
    try:
        await programs.run(
            [
                tools["pg_dump"],
                "--format=custom",
                "--no-password",
                "--enable-row-security",
                f"--role={Role.OWNER.value}",
                *(f"--schema={name}" for name in SCHEMAS),
                f"--file={partial}",
                f"--dbname={where.url}",
            ],
            where.environment,
        )
        digest = await asyncio.to_thread(_to_disk, partial)
        size = partial.stat().st_size
        await asyncio.to_thread(_publish, partial, file, checksum_file, digest)
    except OSError as error:
        raise OperationFailed(f"{file}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return Backup(file, size, digest)


async def restore(dsn: str, file: Path) -> None:
    """Bring `file` into the empty database at `dsn`, then apply the migrations that are newer than it.

    Raises RestoreRefused when the checksum is wrong or missing, the file is no backup or the database is not empty,
    and OperationFailed when PostgreSQL refuses something; the database is as empty as before in both cases.
    """
    await asyncio.to_thread(_verify, file)
    major = await _server_major(dsn)
    where = programs.target(dsn)
    tools = await programs.fitting(major)
    contents = (await programs.run([tools["pg_restore"], "--list", file], where.environment)).decode()
    await _prepare(dsn, file)
    with tempfile.TemporaryDirectory(prefix="rahhal-restore-") as folder:
        chosen = Path(folder) / "contents"
        # The schema `public` is in every database already, and belongs to whoever made that.
        chosen.write_text(
            "\n".join(line for line in contents.splitlines() if " SCHEMA - public " not in line)
        )
        await _script(tools, where, file, chosen)
    await migrate.migrate(dsn)
    connection = await _connect(dsn)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _script(tools: programs.Programs, where: programs.Target, file: Path, chosen: Path) -> None:
    """pg_restore writes the script, psql runs it, and commits only when pg_restore has ended well."""
    source = await asyncio.create_subprocess_exec(
        tools["pg_restore"],
        "--enable-row-security",  # the materialized views are filled again by their owner, whom policies let in
        f"--use-list={chosen}",
        "--file=-",
        file,
        env=where.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    sink = await asyncio.create_subprocess_exec(
        tools["psql"],
        "--no-psqlrc",
        "--no-password",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        f"--dbname={where.url}",
        env=where.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        source_errors, sink_errors, _ = await asyncio.gather(
            _read_all(source.stderr), _read_all(sink.stderr), _pour(source, sink)
        )
        code = await sink.wait()
    except BaseException:
        for process in (source, sink):
            if process.returncode is None:
                process.kill()
                await process.wait()
        raise
    if code != 0:
        raise programs.complaint("psql", code, sink_errors)
    if source.returncode != 0:
        raise programs.complaint("pg_restore", source.returncode, source_errors)


async def _read_all(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    return await stream.read()


async def _pour(source: Process, sink: Process) -> None:
    """The whole script between BEGIN and COMMIT; without the COMMIT psql's end is a rollback."""
    assert source.stdout is not None and sink.stdin is not None
    script, runner = source.stdout, sink.stdin
    try:
        runner.write(b"BEGIN;\n")
        started = False
        while not started and (line := await script.readline()):
            started = line.startswith((b"CREATE", b"ALTER", b"COPY"))
            # Programs from 17 on set this first of all, and an older server does not know it.
            if not line.startswith(b"SET transaction_timeout"):
                runner.write(line)
        while chunk := await script.read(_CHUNK):
            runner.write(chunk)
            await runner.drain()
        if await source.wait() == 0:
            runner.write(b"\nCOMMIT;\n")
        runner.close()
        await runner.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        # psql stopped at an error, and says which; pg_restore need not go on.
        if source.returncode is None:
            source.kill()
            await source.wait()


async def _prepare(dsn: str, file: Path) -> None:
    """Refuse a database that holds something; make the roles the backup speaks of."""
    connection = await _connect(dsn)
    try:
        taken = await connection.fetchval(
            """
            SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('public', 'app') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
            ORDER BY 1 LIMIT 1
            """
        )
        if taken is not None:
            raise RestoreRefused(
                f"{file}: the database is not empty (it has {taken}); restore into a new one"
            )
        await connection.execute(migrate.cluster_ground())
    except asyncpg.PostgresError as error:
        raise OperationFailed(f"the roles could not be made: {error}") from error
    finally:
        await connection.close()


async def _connect(dsn: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=30, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"no connection to PostgreSQL: {error}") from error


async def _server_major(dsn: str) -> int:
    connection = await _connect(dsn)
    try:
        return int(connection.get_server_version().major)
    finally:
        await connection.close()


def _open_partial(file: Path) -> Path:
    """An empty file beside the wanted one, for our eyes only: pg_dump writes into it and keeps its mode."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent)
    except OSError as error:
        raise OperationFailed(f"{file.parent}: {error.strerror}") from None
    os.close(handle)
    return Path(name)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _to_disk(partial: Path) -> str:
    """The checksum of what is on the disk by then."""
    with partial.open("rb+") as stream:
        os.fsync(stream.fileno())
    return _digest(partial)


def _publish(partial: Path, file: Path, checksum_file: Path, digest: str) -> None:
    """The backup under its name, then its checksum: a backup without one is what a crash in between leaves."""
    os.link(partial, file)  # unlike a rename, it never replaces a file that appeared meanwhile
    with checksum_file.open("x", encoding="utf-8") as stream:
        stream.write(f"{digest}  {file.name}\n")
        stream.flush()
        os.fsync(stream.fileno())
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _verify(file: Path) -> None:
    checksum_file = file.with_name(file.name + CHECKSUM_SUFFIX)
    try:
        said = checksum_file.read_text(encoding="utf-8").partition(" ")[0].strip()
    except FileNotFoundError:
        raise RestoreRefused(
            f"{checksum_file} is missing; if the backup is known to be whole: "
            f"(cd {file.parent} && sha256sum {file.name} > {checksum_file.name})"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RestoreRefused(f"{checksum_file}: {error}") from None
    try:
        found = _digest(file)
    except OSError as error:
        raise RestoreRefused(f"{file}: {error.strerror}") from None
    if found != said:
        raise RestoreRefused(f"{file} is not what was backed up: its SHA-256 is {found}, not {said[:64]}")
