"""Making words fit: cut and split where a reader would, never through a letter.

Lengths are UTF-16 units, the strictest of the ways WhatsApp's «characters» can be read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from locales import utf16_length
from locales.bidi import FSI, PDI

ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_BOUNDARIES: Final = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?؟…])\s+"),
)
_SPACE: Final = re.compile(r"\s+")


def graphemes(text: str) -> Iterator[str]:
    """Letters as people see them: marks, joined emoji and flags stay whole (what chat needs of UAX 29)."""
    cluster = ""
    for letter in text:
        if cluster and not _continues(cluster, letter):
            yield cluster
            cluster = ""
        cluster += letter
    if cluster:
        yield cluster


def _continues(cluster: str, letter: str) -> bool:
    if letter < "\u0300":
        return cluster == "\r" and letter == "\n"
    if unicodedata.category(letter) in ("Mn", "Me", "Mc") or letter in "\u200c\u200d":
        return True
    if "\U0001f3fb" <= letter <= "\U0001f3ff" or "\U000e0020" <= letter <= "\U000e007f":
        return True  # a skin tone, a tag of a regional flag
    if _is_flag_half(letter):
        return len(cluster) == 1 and _is_flag_half(cluster)
    return cluster[-1] == _JOINER


def _is_flag_half(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def one_line(text: str) -> str:
    """White space folded: button titles and rows may not hold a line break."""
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and «…», within `limit`; an isolate left open is closed."""
    if utf16_length(text) <= limit:
        return text
    room = limit - len(ELLIPSIS) - text.count(FSI)
    beginning = _within(text, room).rstrip(" \n،,؛:-")
    return beginning + ELLIPSIS + PDI * max(0, beginning.count(FSI) - beginning.count(PDI))


def split_beginning(text: str, limit: int) -> tuple[str, str]:
    """A beginning within `limit` and the rest, parted at a paragraph, a line, a sentence, a word, in that order."""
    if utf16_length(text) <= limit:
        return text, ""
    room = _within(text, limit)
    for boundary, least in (*((b, len(room) // 2) for b in _BOUNDARIES), (_SPACE, 1)):
        ends = [match for match in boundary.finditer(text, 0, len(room) + 1) if match.start() >= least]
        if ends:
            return text[: ends[-1].start()].rstrip(), text[ends[-1].end() :].lstrip()
    room = room or text[: limit // 2]  # one letter under a thousand marks
    return room, text[len(room) :]


def split_ending(text: str, limit: int) -> tuple[str, str]:
    """What comes before and an ending within `limit`: the longest that begins where something begins."""
    if utf16_length(text) <= limit:
        return "", text
    room, earliest = limit, len(text)
    while room >= utf16_length(text[earliest - 1]):
        earliest -= 1
        room -= utf16_length(text[earliest])
    for boundary in (*_BOUNDARIES, _SPACE):
        for match in boundary.finditer(text):
            if match.end() >= earliest and text[match.end() :].strip():
                return text[: match.start()].rstrip(), text[match.end() :]
    whole = earliest + len(next(graphemes(text[earliest:])))
    start = next((at for at in _starts(text) if earliest <= at <= whole), earliest)
    return text[:start], text[start:]


def _starts(text: str) -> Iterator[int]:
    at = 0
    for cluster in graphemes(text):
        yield at
        at += len(cluster)


def _within(text: str, room: int) -> str:
    kept: list[str] = []
    for cluster in graphemes(text):
        room -= utf16_length(cluster)
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept)
