"""A CSV file as rows of named cells, with the number of the line each row begins on."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from bot.domain.catalogue.report import Problem, Report
from bot.domain.catalogue.values import Column, Wrong
from bot.errors import ImportRefused

_DELIMITERS = (",", ";", "\t")
_LONGEST_CELL = 50_000
"""What lies beyond is not looked at: longer than any good cell, so that every parser refuses it anyway."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may hold."""

    rows: int = 100_000
    size: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: what its cells say, by column; a cell that is empty or has no column is not there."""

    line: int
    said: Mapping[str, object]


def read(
    stream: BinaryIO, columns: Sequence[Column], key: Sequence[str], report: Report, limits: Limits
) -> Iterator[Row]:
    """The good rows; what is wrong with the others goes to the report.

    key: the columns that together name a row; the second row with the same ones is a problem.
    Raises ImportRefused when the file cannot be read at all: encoding, size, header.
    """
    text = _decoded(stream, limits)
    above, header = _first_line(text)
    delimiter, names = _header(header, above + 1, columns, report)
    by_name = {column.name: column for column in columns}
    seen: dict[tuple[object, ...], int] = {}
    count = 0
    below = text.split("\n", above + 1)[above + 1 :]
    for line, cells in _records("".join(below), above + 1, delimiter, report):
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > limits.rows:
            raise ImportRefused(f"the file has more than {limits.rows} rows: split it")
        said = _said(line, cells, names, by_name, report)
        if said is None:
            report.refused += 1
            continue
        named = tuple(said.get(name) for name in key)
        if named in seen:
            report.problems.append(
                Problem(line, key[0], f"the same as line {seen[named]}: only that one is used")
            )
            report.refused += 1
            continue
        seen[named] = line
        yield Row(line, said)


def _decoded(stream: BinaryIO, limits: Limits) -> str:
    raw = stream.read(limits.size + 1)
    if len(raw) > limits.size:
        raise ImportRefused(f"the file is larger than {limits.size / 1024 / 1024:g} MB: split it")
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ImportRefused("this is a workbook, not text: save it as «CSV UTF-8»")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefused("the file is UTF-16: save it as UTF-8 («CSV UTF-8»)")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        if _looks_arabic(raw):
            raise ImportRefused(
                "the file is Windows-1256, not UTF-8: save it as UTF-8 («CSV UTF-8»)"
            ) from None
        raise ImportRefused(f"the file is not UTF-8 (line {line}): save it as UTF-8 («CSV UTF-8»)") from None
    if "\0" in text:
        raise ImportRefused(
            f"line {text.count(chr(10), 0, text.index(chr(0))) + 1} holds a NUL: this is not a text file"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _looks_arabic(raw: bytes) -> bool:
    """Whether the bytes above ASCII are mostly Arabic letters when read as Windows-1256."""
    high = bytes(byte for byte in raw if byte >= 0x80)
    letters = sum("\u0621" <= letter <= "\u064a" for letter in high.decode("cp1256"))
    return letters >= 0.8 * len(high)


def _first_line(text: str) -> tuple[int, str]:
    """(how many lines stand above the header, the header): empty lines and those that begin with # may stand above."""
    for number, line in enumerate(text.split("\n")):
        if line.strip() and not line.startswith("#"):
            return number, line
    raise ImportRefused("the file is empty: the first line must be the header")


def _header(first: str, line: int, columns: Sequence[Column], report: Report) -> tuple[str, list[str | None]]:
    """The delimiter, and for each place of the line the column that stands there."""
    known = {folded(name): column.name for column in columns for name in (column.name, *column.aliases)}

    def cells(delimiter: str) -> list[str]:
        return next(csv.reader([first], delimiter=delimiter))

    delimiter = max(
        _DELIMITERS, key=lambda each: (sum(folded(cell) in known for cell in cells(each)), len(cells(each)))
    )
    names: list[str | None] = []
    for cell in cells(delimiter):
        name = known.get(folded(cell))
        if name is None and cell.strip():
            report.notes.append(Problem(line, cell.strip()[:60], "unknown column, left out"))
        if name is not None and name in names:
            raise ImportRefused(f"the header has the column {name} twice")
        names.append(name)
    missing = [column.name for column in columns if column.required and column.name not in names]
    if missing:
        raise ImportRefused(f"the header lacks {', '.join(missing)}")
    return delimiter, names


def folded(name: str) -> str:
    """A name as it is compared: no case, no marks or tatweel, one kind of alef, underscores for spaces."""
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter) and letter != "\u0640")
    return "_".join(kept.replace("-", " ").replace("_", " ").split()).replace("ى", "ي").replace("ة", "ه")


def _records(text: str, above: int, delimiter: str, report: Report) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on. A malformed one is reported and skipped."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    while True:
        line = above + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = above + reader.line_num
            ends = f"; lines {line} to {last} were not read" if last > line else ""
            report.problems.append(Problem(line, "", f"not readable as CSV ({error}){ends}"))
            report.refused += 1
            continue
        yield line, cells


def _said(
    line: int, cells: list[str], names: list[str | None], columns: Mapping[str, Column], report: Report
) -> dict[str, object] | None:
    problems = []
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        problems.append(Problem(line, "", f"{len(cells)} cells under a header of {len(names)}"))
    said: dict[str, object] = {}
    for name, cell in zip(names, cells, strict=False):
        if name is None or not cell.strip():
            continue
        try:
            said[name] = columns[name].parse(cell.strip()[:_LONGEST_CELL])
        except Wrong as wrong:
            problems.append(Problem(line, name, str(wrong)))
    problems += [
        Problem(line, column.name, "empty")
        for column in columns.values()
        if column.required
        and column.name not in said
        and not any(each.column == column.name for each in problems)
    ]
    report.problems += problems
    return None if problems else said
