"""What an import did, told to the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something about one line of the file. `line` counts from 1, the header included; `column` may be empty."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


@dataclass(slots=True)
class Report:
    """kept: rows that are in the database now. updated: those among them that changed what was there already.

    problems: why rows were refused. notes: what to know about rows that were kept.
    """

    kept: int = 0
    updated: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def lines(self, most: int = 200) -> Iterator[str]:
        """For the operator's terminal; after `most` problems the rest is only counted."""
        rows = "row" if self.kept == 1 else "rows"
        yield f"{self.kept} {rows} kept ({self.kept - self.updated} new, {self.updated} updated), {self.refused} refused."
        for title, many in (("Problems", self.problems), ("Notes", self.notes)):
            if many:
                yield f"{title}:"
                yield from (f"  {problem}" for problem in sorted(many)[:most])
                if len(many) > most:
                    yield f"  … and {len(many) - most} more."
