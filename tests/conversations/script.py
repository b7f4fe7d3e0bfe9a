"""A conversation file: what a traveler says, and what the bot is expected to answer.

    ; locale ar-SA                    notes lead the world (see `Note`); anything else after «; » is for the reader
    > فندق في جدة غدًا ليلتين         she writes
    # أبدأ البحث                      she presses a button, by its label or number
    < فهمتُ طلبك: جدة، … هل أبدأ البحث، أو هناك ما يحتاج إلى تعديل؟
    <   [1] أبدأ البحث  [2] …

Within a line «…» stands for anything; a line «< …» for any number of lines; «< [search.confirm]» for the beginning of the
answer with that key, and however much of it the next line leaves out. The rest is compared word by word, apart from
no-break spaces and direction marks, which have tests of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ANYTHING = "…"
_KEY = re.compile(r"\[([a-z_]+(?:\.[a-z_0-9]+)*)\]")
NOTES = (
    # Where and who: before what they speak of.
    "now", "locale", "user",
    # Instead of words.
    "text", "times", "location", "photo", "voice", "sticker", "contact", "again", "stranger", "follow", "due",
    # What happens meanwhile.
    "prices", "rooms", "stays",
)  # fmt: skip


@dataclass(slots=True)
class Step:
    """One line that does something: «>» text, «#» button, or a note by its name; and the lines expected after it."""

    line: int
    kind: str
    words: str
    expected: list[str] = field(default_factory=list)


def read(path: Path) -> list[Step]:
    """The steps of a file. Raises ValueError for a line of no known kind, and for an answer to nothing."""
    steps: list[Step] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        where = f"{path.name}:{number}"
        if line.startswith((">", "#")):
            steps.append(Step(number, line[0], line[2:]))
        elif line.startswith("<"):
            if not steps:
                raise ValueError(f"{where}: an answer to nothing")
            steps[-1].expected.append(line[2:])
        elif line.startswith(";"):
            name, _, words = line[1:].strip().partition(" ")
            if name in NOTES:
                steps.append(Step(number, name, words))
        elif line.strip():
            raise ValueError(f"{where}: a line begins with «> », «# », «< » or «; »")
    return steps


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the bot: its key and its lines, the buttons the last of them."""

    key: str
    lines: tuple[str, ...]


def fits(expected: Sequence[str], answers: Sequence[Answer]) -> bool:
    """Whether the answers are what the lines expect, all of them and nothing else."""
    said: list[tuple[str, int]] = []  # a line, and where its message ends; for a key, the key in brackets
    for answer in answers:
        end = len(said) + 1 + len(answer.lines)
        said.append((f"[{answer.key}]", end))
        said += [(plain(line), -1) for line in answer.lines]
    wanted = [plain(line) for line in expected]

    @cache
    def follows(i: int, j: int) -> bool:
        if i == len(wanted):
            return j == len(said)
        if wanted[i] == ANYTHING:
            return follows(i + 1, j) or (j < len(said) and follows(i, j + 1))
        if j == len(said):
            return False
        line, end = said[j]
        if _KEY.fullmatch(wanted[i]):
            return line == wanted[i] and end > 0 and any(follows(i + 1, k) for k in range(j + 1, end + 1))
        if end > 0:
            return follows(i, j + 1)
        return _alike(wanted[i], line) and follows(i + 1, j + 1)

    return follows(0, 0)


def plain(line: str) -> str:
    """A line without no-break spaces, direction marks and spaces at its ends."""
    shown = "".join(c for c in line if unicodedata.category(c) != "Cf")
    return " ".join(shown.replace("\u00a0", " ").split())


def _alike(wanted: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, wanted.split(ANYTHING))), line) is not None
