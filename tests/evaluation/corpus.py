"""The project's own labelled sentences, `tests/corpus/*.jsonl`: one JSON object a line.

`split` keeps a third of each group aside: rules are written looking at «dev» rows only, and of «test» rows only
the figures are ever printed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from bot.understanding import Understanding, understand

CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    group: str
    split: str
    text: str
    now: datetime
    timezone: str
    locale: str
    asked: str | None
    intent: str
    slots: dict[str, Any]
    mood: str | None

    def heard(self) -> Understanding:
        return understand(
            self.text, now=self.now, timezone=self.timezone, locale=self.locale, asked=self.asked
        )


@cache
def rows() -> tuple[Row, ...]:
    return tuple(row for path in sorted(CORPUS.glob("*.jsonl")) for row in rows_of(path))


def rows_of(path: Path) -> Iterator[Row]:
    """The sentences of one file, whose name is that of their group."""
    for line in path.read_text("utf-8").splitlines():
        said = json.loads(line)
        yield Row(
            id=said["id"],
            group=path.stem,
            split=said["split"],
            text=said["text"],
            now=datetime.fromisoformat(said["now"]),
            timezone=said["timezone"],
            locale=said["locale"],
            asked=said["asked"],
            intent=said["intent"],
            slots=said["slots"],
            mood=said.get("emotional_state"),
        )
