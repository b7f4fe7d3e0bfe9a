"""`rahhal understand`: JSON lines in, JSON lines out, in order, one line at a time and no database."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO, TypedDict
from zoneinfo import ZoneInfo

from bot.understanding import explanation, understand

LONGEST_LINE = 262_144
"""Code points of one line that are read; a longer line is answered with an error."""

CAIRO = "Africa/Cairo"


def main(stdin: TextIO, stdout: TextIO, explain: bool = False) -> None:
    """Answer each line; a line that cannot be read answers {"id": …, "error": …} and the next one is read.

    `explain` adds to each answer "explanation": what each rule found, where each slot comes from, and who decided the intent.
    """
    for line in _lines(stdin):
        answer = {"id": None, "error": "line too long"} if line is None else _answer(line, explain=explain)
        # A lone surrogate may come in escaped; it can only go out the same way.
        written = json.dumps(answer, ensure_ascii=False)
        if not written.isprintable() and any("\ud800" <= character <= "\udfff" for character in written):
            written = json.dumps(answer)
        stdout.write(written + "\n")
        stdout.flush()


def _lines(stdin: TextIO) -> Iterator[str | None]:
    """Lines without their ends, blank ones skipped; None for one that is too long."""
    if (reconfigure := getattr(stdin, "reconfigure", None)) is not None:
        reconfigure(encoding="utf-8", errors="replace")
    while line := stdin.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE and not line.endswith("\n"):
            while (rest := stdin.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield None
        elif line.strip():
            yield line


def _answer(line: str, *, explain: bool) -> dict[str, Any]:
    identity: Any = None
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict):
            return {"id": None, "error": "expected a JSON object"}
        identity = asked.get("id")
        text, circumstances = _question(asked)
        said = understand(text, **circumstances)
    except (ValueError, RecursionError) as error:
        return {"id": identity, "error": str(error) or type(error).__name__}
    answer = {"id": identity, **said.as_json()}
    if explain:
        answer["explanation"] = explanation.explain(text, **circumstances)
    return answer


class Circumstances(TypedDict):
    now: datetime
    timezone: str
    locale: str
    asked: str | None


def _question(asked: dict[str, Any]) -> tuple[str, Circumstances]:
    """The text and what surrounds it. Raises ValueError when a field is missing or of the wrong type."""
    text = asked.get("text")
    if not isinstance(text, str):
        raise ValueError("«text» must be a string")  # noqa: TRY004 - one kind of error for a malformed line
    timezone = _text(asked, "timezone") or CAIRO
    try:
        zone = ZoneInfo(timezone)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"unknown timezone {timezone!r}") from None
    said_now = _text(asked, "now")
    now = datetime.fromisoformat(said_now) if said_now else datetime.now(zone)
    return text, Circumstances(
        now=now,
        timezone=timezone,
        locale=_text(asked, "locale") or "ar-EG",
        asked=_text(asked, "asked"),
    )


def _text(asked: dict[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"«{name}» must be a string")
    return value or None
