"""Text within Telegram's limits, counted in UTF-16 units after entity parsing, and the fragments shown as code."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from locales.bidi import FSI, PDI
from locales.length import utf16_length

MESSAGE_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
"""Bot API: `text` of sendMessage and editMessageText, `caption` of sendPhoto."""

_PLACES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n\s*\n",  # between paragraphs
        r"\n",
        r"(?<=[.!?؟…؛])\s+",  # between sentences
        r"\s+",
    )
)
_CODE: Final = re.compile(f"{FSI}((?=[A-Z0-9-]*[0-9])(?=[A-Z0-9-]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*){PDI}")
_CODE_LENGTH: Final = 4


def split(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut between paragraphs, else lines, sentences, words. Empty text is no part."""
    parts = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        most = _fitting(rest, limit)
        end = _end(rest, most)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        parts.append(rest)
    return parts


def _fitting(text: str, limit: int) -> int:
    """How many code points of the beginning fit."""
    units = 0
    for count, letter in enumerate(text):
        units += 2 if ord(letter) > 0xFFFF else 1
        if units > limit:
            return count
    return len(text)


def _end(text: str, most: int) -> int:
    """Where to end the first part: the last good place in its second half."""
    for place in _PLACES:
        ends = [found.start() for found in place.finditer(text, most // 2, most + 1)]
        if ends:
            return ends[-1]
    end = most
    while end > 1 and _belongs_together(text[end - 1], text[end]):
        end -= 1
    return end if end > 1 else most


def _belongs_together(left: str, right: str) -> bool:
    """Whether a cut between the two would tear a letter from its marks or an emoji apart."""
    joined = "\u200d" in (left, right)
    return joined or unicodedata.category(right).startswith("M") or "\U0001f3fb" <= right <= "\U0001f3ff"


def runs_from_the_right(text: str) -> bool:
    """Whether the first strong letter is of a right-to-left script."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False


def code_entities(text: str) -> list[dict[str, Any]]:
    """Isolated references such as ⁨NP-48213⁩ as `code`, which a tap copies. The isolates stay outside, so the copy is clean."""
    return [
        {
            "type": "code",
            "offset": utf16_length(text[: found.start(1)]),
            "length": len(found[1]),
        }
        for found in _CODE.finditer(text)
        if len(found[1]) >= _CODE_LENGTH
    ]
