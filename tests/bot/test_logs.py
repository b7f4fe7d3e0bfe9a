"""Logs name what went wrong and where, and never repeat what a person wrote."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Literal

import asyncpg
import pytest
import structlog

from bot.errors import DatabaseUnavailable, SendRefused
from bot.events import Location
from bot.logs import set_up, told

SECRET = "+201001234567"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_told_by_type_and_place(
    capsys: pytest.CaptureFixture[str], style: Literal["json", "console"]
) -> None:
    set_up(level="info", style=style)
    try:
        Location.model_validate({"latitude": SECRET, "longitude": 0})
    except ValueError:
        structlog.get_logger().exception("turn.failed", message=7)
        logging.getLogger("library").exception("failed")
    said = capsys.readouterr().err
    assert said.count("ValidationError") == 2
    assert "test_logs.py" in said
    assert SECRET not in said


async def test_what_postgresql_refuses_is_told_by_code_and_constraint(conn: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as constrained:
        async with conn.transaction():
            await conn.execute("INSERT INTO users (phone) VALUES ('abc')")
    assert "23514 users_phone_check" in told(constrained.value)
    with pytest.raises(asyncpg.InvalidTextRepresentationError) as quoted:
        async with conn.transaction():
            await conn.execute(f"SELECT '{SECRET}'::uuid")
    assert SECRET in str(quoted.value)
    assert SECRET not in told(quoted.value)


def test_our_own_words_are_kept_and_a_channel_s_are_not() -> None:
    error = DatabaseUnavailable("no answer")
    error.__cause__ = KeyError(SECRET)
    said = told(error)
    assert "DatabaseUnavailable: no answer" in said
    assert "KeyError" in said
    assert SECRET not in said
    assert SECRET not in told(SendRefused(SECRET))


def test_an_address_that_sent_garbage_is_not_named(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(level="info", style="json")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "203.0.113.9")
    said = capsys.readouterr().err
    assert "a request failed" in said
    assert "203.0.113.9" not in said
