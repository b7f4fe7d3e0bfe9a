"""Settings stop the start with one clear line, and .env.example knows them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.settings import describe, load

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No .env of the developer's, none of her variables."""
    monkeypatch.chdir(tmp_path)
    for name, _, _ in describe():
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"TELEGRAM_BOT_TOKEN": "s3cret"}, "TELEGRAM_BOT_TOKEN"),
        ({"DATABASE_URL": "mysql://u:s3cret@h/d"}, "DATABASE_URL"),
        ({"PORT": "s3cret"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"WHATSAPP_ACCESS_TOKEN": "s3cret"}, "WHATSAPP_APP_SECRET"),
        ({"TELEGRAM_BOT_TOKEN": "1:s3cret", "TELEGRAM_WEBHOOK_SECRET": "s3cret"}, "PUBLIC_URL"),
        ({"TELEGRAM_WEBHOOK_SECRET": "s3cret!"}, "TELEGRAM_WEBHOOK_SECRET"),
        (
            {"DATABASE_URL": "postgresql://u:s3cret@h/d", "RAHHAL_DB_POOLER": "transaction"},
            "RAHHAL_DIRECT_URL",
        ),
        ({"PUBLIC_URL": "s3cret"}, "PUBLIC_URL"),
        ({"RAHHAL_LOCALE": "arabic"}, "RAHHAL_LOCALE"),
        ({"DATABASE_URL": "postgresql://u:s3cret@h:s3cret/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:s3cret@h,[::1]:s3cret/d"}, "DATABASE_URL"),
        ({"RAHHAL_APP_DATABASE_URL": "postgresql://u:s3cret@h/d"}, "DATABASE_URL"),
        ({"RAHHAL_DIRECT_URL": "postgresql://u:s3cret@h/d"}, "DATABASE_URL"),
        ({"RAHHAL_OPERATORS_CHAT": "-100"}, "TELEGRAM_BOT_TOKEN"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_keeps_its_value(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load()
    line = str(caught.value)
    assert named in line
    assert "s3cret" not in line
    assert "\n" not in line


def test_everything_has_a_default() -> None:
    settings = load()
    assert not settings.telegram_enabled
    assert not settings.whatsapp_enabled


def test_a_dotenv_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1234\nRAHHAL_LOCALE=ar-SA\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "4321")
    settings = load()
    assert (settings.port, settings.locale) == (4321, "ar-SA")


def test_database_urls_of_every_form_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (
        "postgresql:///d?host=/run/postgresql&user=u",
        "postgresql://u:p%40:w@h:5432/d",
        "postgres://u@[::1]:5432,h2:6432/d?sslmode=require",
        "postgresql://h",
    ):
        monkeypatch.setenv("DATABASE_URL", url)
        given = load().database_url
        assert given is not None
        assert given.get_secret_value() == url


def test_a_dotenv_file_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(ConfigurationError, match=r"\.env"):
        load()


def test_the_example_file_documents_every_setting() -> None:
    documented = {
        line[1:].split("=")[0]
        for line in EXAMPLE.read_text("utf-8").splitlines()
        if line.startswith("#") and "=" in line
    }
    assert {name for name, _, _ in describe()} <= documented
