"""Praise and drawbacks in a guest's own words: «الفطور والموقع» names two of them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Literal

from bot.turn.reading import plain

Family = Literal["highlight", "pain_point"]

_FOLD = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ئ": "ي", "ؤ": "و"})
"""Spellings people mix: hamza, ta marbuta, alif maqsura."""


def named(text: str, family: Family) -> tuple[str, ...]:
    """The codes a text names, in its order, each once."""
    said = _fold(text)
    return tuple(dict.fromkeys(_words(family)[match["word"]] for match in _pattern(family).finditer(said)))


def _fold(text: str) -> str:
    return plain(text).translate(_FOLD)


@cache
def _words(family: Family) -> dict[str, str]:
    """Spelling → code."""
    found: dict[str, str] = {}
    for line in files("handlers").joinpath("outcome_words.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, code, spellings = line.split("\t")
            if kind == family:
                found |= {_fold(spelling): code for spelling in spellings.split("|")}
    return found


@cache
def _pattern(family: Family) -> re.Pattern[str]:
    longest_first = sorted(_words(family), key=len, reverse=True)
    words = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<!\w)(?:[وفبلك]?(?:ال|لل)?)(?P<word>{words})(?:ه|ها|هم|ات|ين)?(?!\w)")
