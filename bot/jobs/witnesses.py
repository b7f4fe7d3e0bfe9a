"""Heads of the audit log's chain, kept in a file outside PostgreSQL: whoever cuts off the end of the log cannot cut it here.

One JSON object a line, appended and on disk before `append` returns. Only the last line is needed to tell whether the log
is whole; the earlier ones tell since when it is not. A line an operator accepted (`accepted`) says that what the lines
before it speak of is known to be gone, as after a restore.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import orjson

from bot.errors import OperationFailed
from db.audit import Witness

_LONGEST = 1 << 18
"""Bytes in which the last line surely is: it names the transactions that were under way."""


@dataclass(frozen=True, slots=True)
class Published:
    """One line of the file."""

    at: datetime
    seen: Witness
    accepted: bool = False


def append(file: Path, line: Published) -> None:
    """Raises OSError."""
    seen = line.seen
    text = orjson.dumps(
        {
            "at": line.at,
            "batch": seen.batch,
            "head": seen.head.hex(),
            "sealed_id": seen.sealed_id,
            "tail_id": seen.tail_id,
            "tail_rows": seen.tail_rows,
            "tail_root": seen.tail_root.hex(),
            "snapshot": seen.snapshot,
            "year": seen.year,
            "accepted": line.accepted,
        }
    )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        end = os.fstat(handle).st_size
        # After a line that a full disk or a crash cut short, begin a new one.
        torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
        whole = (b"\n" if torn else b"") + text + b"\n"
        if os.write(handle, whole) < len(whole):
            raise OSError(None, "the disk is full", str(file))
        os.fsync(handle)
    finally:
        os.close(handle)


def read(file: Path) -> Iterator[Published]:
    """The lines, oldest first; none when there is no file. A line cut short is passed over.

    Raises OperationFailed when the file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            yield from filter(None, map(_parse, stream))
    except FileNotFoundError:
        return
    except OSError as error:
        raise OperationFailed(f"{file}: {error.strerror}") from None


def last(file: Path) -> Published | None:
    """The last whole line, without reading the others. Raises OperationFailed when the file cannot be read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _LONGEST))
            end = stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperationFailed(f"{file}: {error.strerror}") from None
    return next(filter(None, map(_parse, reversed(end.splitlines()))), None)


def _parse(text: bytes) -> Published | None:
    try:
        row = orjson.loads(text)
        seen = Witness(
            batch=int(row["batch"]),
            head=bytes.fromhex(row["head"]),
            sealed_id=int(row["sealed_id"]),
            tail_id=int(row["tail_id"]),
            tail_rows=int(row["tail_rows"]),
            tail_root=bytes.fromhex(row["tail_root"]),
            snapshot=str(row["snapshot"]),
            year=date.fromisoformat(row["year"]) if row["year"] else None,
        )
        return Published(datetime.fromisoformat(row["at"]), seen, bool(row["accepted"]))
    except (ValueError, KeyError, TypeError):
        return None
