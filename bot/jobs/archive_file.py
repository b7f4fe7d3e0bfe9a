"""One month of the behavior log in one file: gzip of PostgreSQL's COPY text format, the SHA-256 beside it.

The first line names the columns; every further line is one row, before which stands PostgreSQL's hash of it, so that the
sum of the hashes tells whether file and table hold the same rows in whatever order. No line contains a line end: the
text format escapes them. `FILE.sha256` is what sha256sum writes and checks.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import os
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.errors import OperationFailed, RestoreRefused

CHECKSUM_SUFFIX = ".sha256"
HASH_COLUMN = "row_hash"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a whole file holds. `content` is the SHA-256 of the lines, `sha256` and `size` are the compressed file's.

    hashes: the sum of the rows' hashes, of any size and sign.
    """

    columns: tuple[str, ...]
    rows: int
    hashes: int
    content: str
    sha256: str
    size: int


def name_of(month: date) -> str:
    return f"user_behavior_log_{month:%Y_%m}.tsv.gz"


class ArchiveWriter:
    """Takes what COPY gives, compresses it in a thread, and has it on disk after `close`."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        """Raises OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._raw = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._packed = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0)
        self._content = hashlib.sha256()
        self._problem: OSError | None = None
        self._waiting = bytearray("\t".join((HASH_COLUMN, *columns)).encode() + b"\n")

    async def write(self, data: bytes) -> None:
        """Never raises: that would break off a COPY in a way that costs the connection. `close` tells."""
        if self._problem:
            return
        self._waiting += data
        if len(self._waiting) >= _BLOCK:
            try:
                await asyncio.to_thread(self._pack)
            except OSError as error:
                self._problem = error

    async def close(self) -> str:
        """Everything is on disk; the SHA-256 of the lines. Raises OSError, a full disk for example."""
        if self._problem:
            raise self._problem

        def finish() -> None:
            self._pack()
            self._packed.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()

        await asyncio.to_thread(finish)
        return self._content.hexdigest()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        for stream in (self._packed, self._raw):
            with contextlib.suppress(OSError, ValueError):
                stream.close()

    def _pack(self) -> None:
        data, self._waiting = bytes(self._waiting), bytearray()
        self._content.update(data)
        self._packed.write(data)


def read(path: Path) -> Contents:
    """Read a file from end to end. Raises RestoreRefused where it is damaged, OSError where it cannot be read."""
    sha, content = hashlib.sha256(), hashlib.sha256()
    columns: tuple[str, ...] = ()
    size = rows = hashes = 0
    with path.open("rb") as raw:
        while block := raw.read(_BLOCK):
            sha.update(block)
            size += len(block)
    for lines in _lines(path):
        content.update(lines)
        each = lines.split(b"\n")
        each.pop()  # after the last line end
        if not columns:
            name, *columns_found = each.pop(0).decode(errors="replace").split("\t")
            columns = tuple(columns_found)
            if name != HASH_COLUMN or not columns:
                raise RestoreRefused(f"{path} is no month of the behavior log")
        try:
            hashes += sum(int(line[: line.index(b"\t")]) for line in each)
        except ValueError:
            raise RestoreRefused(f"{path} is damaged: a line without its hash") from None
        rows += len(each)
    if not columns:
        raise RestoreRefused(f"{path} is empty")
    return Contents(columns, rows, hashes, content.hexdigest(), sha.hexdigest(), size)


async def rows_of(path: Path) -> AsyncIterator[bytes]:
    """The rows as COPY … FROM takes them, without their hashes, in blocks."""
    blocks = _lines(path)
    first = True
    while (lines := await asyncio.to_thread(next, blocks, None)) is not None:
        each = lines.split(b"\n")
        each.pop()
        yield b"".join(line.partition(b"\t")[2] + b"\n" for line in (each[1:] if first else each))
        first = False


def _lines(path: Path) -> Iterator[bytes]:
    """Blocks of whole lines."""
    rest = b""
    try:
        with gzip.open(path, "rb") as packed:
            while block := packed.read(_BLOCK):
                end = block.rfind(b"\n") + 1
                if end:
                    yield rest + block[:end]
                    rest = block[end:]
                else:
                    rest += block
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise RestoreRefused(f"{path} is damaged: it cannot be unpacked to its end") from None
    if rest:
        raise RestoreRefused(f"{path} is damaged: its last line has no end")


def publish(part: Path, final: Path, sha256: str) -> None:
    """Give a finished file its name, with its checksum beside it, so that both survive a loss of power. Raises OSError."""
    checksum = checksum_file(final)
    beside = checksum.with_name(checksum.name + ".part")
    try:
        with beside.open("w") as stream:
            stream.write(f"{sha256}  {final.name}\n")
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(final)
        beside.replace(checksum)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def checksum_file(path: Path) -> Path:
    return path.with_name(path.name + CHECKSUM_SUFFIX)


def written_checksum(path: Path) -> str | None:
    """What `FILE.sha256` says; None where there is none."""
    try:
        words = checksum_file(path).read_text(errors="replace").split()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperationFailed(f"{checksum_file(path)}: {error.strerror}") from None
    return words[0] if words else ""
