"""Structured logs without personal data: events have names, ids and kinds, never texts, names, phones or tokens."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Literal

import structlog

from bot.errors import RahhalError, SendError


def set_up(*, level: str, style: Literal["auto", "json", "console"]) -> None:
    """One line per event on standard error: JSON, or colored for people on a terminal."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _tell_exception,
    ]
    final: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, final],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(_Formatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[others], force=True)


def told(error: BaseException | None) -> str:
    """An exception and what led to it: types, places, and PostgreSQL's code and constraint.

    The words of an error are left out unless they are ours: a refused row, a value that does not parse or a key that is
    missing is quoted in them, and that may be what a person wrote.
    """
    return "\n".join(_chain(error))


def _chain(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield _named(error)
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} {frame.name}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _named(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, RahhalError):
        return name if isinstance(error, SendError) else f"{name}: {error}"
    marks = [getattr(error, mark, None) for mark in ("sqlstate", "constraint_name")]
    return " ".join([name, *(mark for mark in marks if isinstance(mark, str))])


def _tell_exception(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    found = event.pop("exc_info", None)
    if isinstance(found, tuple):
        found = found[1]
    elif found and not isinstance(found, BaseException):
        found = sys.exc_info()[1]
    if found:
        event["exception"] = told(found)
    return event


class _Formatter(logging.Formatter):
    """What libraries log. aiohttp's server names the address of whoever sent what it cannot read: that stays out."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        if record.name == "aiohttp.server":
            record.message = "a request failed"
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        return told(ei[1] if isinstance(ei, tuple) else None)
