"""`rahhal chat`: a traveler in the terminal, through the same inbox, turn and outbox as every channel."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import orjson

from bot.app import Core
from bot.channels.terminal import TerminalRenderer
from bot.errors import ConfigurationError
from bot.events import MAX_TEXT, Channel, Command, Event, Press, Text
from bot.turn.reading import plain
from db import terminal
from db.pool import Role, as_role
from locales import Texts

TEXT, BUTTON = "> ", "# "
PATIENCE = 0.2
"""Seconds before an unanswered message is looked at again: a failed turn is tried three times."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a script: its number there, whether it presses a button, and the words."""

    number: int
    pressed: bool
    words: str


def read_script(path: Path) -> list[Line]:
    """«> » text, «# » a button by its label or number. Blank lines, «< » (the bot's own) and «; » (notes) are passed over.

    Raises ConfigurationError for a line of no known kind.
    """
    lines = []
    try:
        script = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    for number, raw in enumerate(script.split("\n"), start=1):
        line = raw.rstrip("\r")
        if line.startswith((TEXT, BUTTON)):
            lines.append(Line(number, line.startswith(BUTTON), line[2:]))
        elif line.strip() in {">", "#"}:
            lines.append(Line(number, line.strip() == "#", ""))
        elif line.strip() and not line.startswith(("<", ";")):
            raise ConfigurationError(f"{path}:{number}: a line begins with «> », «# », «< » or «; »")
    return lines


class Terminal:
    """One traveler's conversation. `name` is her identity: the same name comes back to the same conversation."""

    def __init__(self, shared: Core, *, name: str, locale: str, as_json: bool, out: TextIO) -> None:
        self._shared = shared
        self._name = name
        self._locale = locale
        self._as_json = as_json
        self._out = out
        self._answerer = shared.answerer({Channel.TERMINAL: TerminalRenderer()}, thread=name)
        self._choices: list[dict[str, Any]] = []
        self._texts = Texts.for_locale(locale)

    async def run_script(self, lines: Iterable[Line]) -> bool:
        """Say every line and print the transcript; whether the program failed on one of them."""
        failed = False
        for line in lines:
            failed |= not await self._exchange(line)
        return failed

    async def run_dialog(self) -> None:
        """Read from the keyboard until the end of input."""
        self._print(self._texts.say("terminal.welcome"))
        await self._exchange(Line(0, False, "/start"))
        number = 0
        async for typed in _typed(f"{self._texts.say('terminal.prompt')}: "):
            number += 1
            pressed = typed.startswith("#")
            await self._exchange(Line(number, pressed, typed.removeprefix("#").strip() if pressed else typed))
        self._print(self._texts.say("terminal.bye"))

    async def _exchange(self, line: Line) -> bool:
        content = self._content(line)
        if content is None:
            problem = self._texts.say("terminal.unknown_button", label=line.words or "#")
            self._show(line, [{"key": "terminal.unknown_button", "text": problem, "choices": []}])
            return False
        event = Event(
            channel=Channel.TERMINAL,
            external_id=uuid4().hex,
            thread=self._name,
            address=self._name,
            sender=self._name,
            content=content,
            language=self._locale,
            sender_name=self._name[:200],
        )
        await self._shared.door.hear([event])
        fate = await self._answered(event.external_id)
        async with self._shared.workers.acquire() as conn, as_role(conn, Role.OWNER):
            said = await terminal.take_said(conn, thread=self._name)
        payloads = [row.payload for row in said]
        choices = [choice for payload in payloads for choice in payload["choices"]]
        if choices:
            self._choices = choices
        self._show(line, payloads)
        return fate == "answered"

    async def _answered(self, external_id: str) -> str:
        while True:
            while await self._answerer.answer():
                pass
            async with self._shared.workers.acquire() as conn, as_role(conn, Role.OWNER):
                fate = await terminal.fate(conn, external_id=external_id)
            if fate != "waiting":
                return fate
            await asyncio.sleep(PATIENCE)

    def _content(self, line: Line) -> Text | Command | Press | None:
        words = line.words[:MAX_TEXT]
        if line.pressed:
            choice = self._choice(words)
            return Press(token=choice["token"], label=choice["label"]) if choice else None
        if words.startswith("/") and words[1:2].isalpha():
            name, _, argument = words[1:].partition(" ")
            return Command(name=name.lower()[:64], argument=argument.strip())
        return Text(text=words)

    def _choice(self, words: str) -> dict[str, Any] | None:
        wanted = words.strip()
        numbered = [choice for choice in self._choices if choice.get("token")]
        if wanted.isdecimal():
            place = int(wanted) - 1
            return numbered[place] if 0 <= place < len(numbered) else None
        return next((choice for choice in numbered if plain(choice["label"]) == plain(wanted)), None)

    def _show(self, line: Line, payloads: list[dict[str, Any]]) -> None:
        if self._as_json:
            said = {"line": line.number, "pressed": line.pressed, "text": _printable(line.words)}
            self._print(orjson.dumps({"in": said, "replies": payloads}).decode())
            return
        if line.number:
            mark = BUTTON if line.pressed else TEXT
            self._print(f"\n{mark}{_printable(line.words)}")
        number = 0
        for payload in payloads:
            if alt := payload.get("picture"):
                self._print(f"< [{self._texts.say('terminal.photo', alt=alt)}]")
            for row in payload["text"].split("\n"):
                self._print(f"< {row}")
            labels = []
            for choice in payload["choices"]:
                if choice.get("token"):
                    number += 1
                    note = f" ({choice['note']})" if choice.get("note") else ""
                    labels.append(f"[{number}] {choice['label']}{note}")
            if labels:
                self._print(f"<   {'  '.join(labels)}")

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def _printable(text: str) -> str:
    """Lone surrogates (undecodable bytes of a script) cannot be printed."""
    return text.encode("utf-8", "replace").decode("utf-8")


async def _typed(prompt: str) -> AsyncIterator[str]:
    def ask() -> str | None:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None

    while (typed := await asyncio.to_thread(ask)) is not None:
        yield typed
