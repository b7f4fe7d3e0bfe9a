"""Folding: the many ways of typing one Arabic word become one key.

Only keys are folded. The text itself is never rewritten, so every span found keeps its place in what the
traveler wrote; `offset_of` gives back the place of a folded prefix inside a word.
"""

import re
import unicodedata
from functools import lru_cache

_LETTERS = {
    "أإآٱٲٳ": "ا",
    "ىیېےئ": "ي",
    "ةہھەۀۃ": "ه",
    "ؤۆۇۋ": "و",
    "کڭݣ": "ك",
    "گ": "ق",  # Iraqis and the Gulf write the sound of their ق with it (عگب، فندگ)
    "پ": "ب",
    "چ": "ج",
    "ژ": "ز",
    "ڤ": "ف",
    "ڨ": "ق",
    "ٹ": "ت",
    "ڈ": "د",
    "ڑ": "ر",
    "ںڼ": "ن",
}
_SILENT = "ءـ\u00ad\u034f\u061c\u180e\ufeff" + "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)))
)


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    # Presentation forms (ﻻ) and accented Latin letters (hôtel) reduce to their plain letters first.
    for code in (*range(0xC0, 0x250), *range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD), *range(0xFF10, 0xFF5B)):
        plain = "".join(c for c in unicodedata.normalize("NFKD", chr(code)) if not unicodedata.combining(c))
        if plain != chr(code) and " " not in plain:
            table[code] = plain
    for variants, letter in _LETTERS.items():
        table.update({ord(variant): letter for variant in variants})
    marks = (*range(0x300, 0x370), *range(0x610, 0x61B), *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6EE))
    table.update(dict.fromkeys(marks))
    table.update({ord(character): None for character in _SILENT})
    # Letters that a presentation form unfolds to are folded too, so that folding twice changes nothing.
    for code, unfolded in list(table.items()):
        if unfolded is not None:
            table[code] = "".join(table.get(ord(c), c) or "" for c in unfolded)
    for zero in (0x660, 0x6F0, 0x966, 0xFF10):
        table.update({zero + digit: str(digit) for digit in range(10)})
    return table


_FOLD = _table()
_TANWIN = re.compile("ًا|اً")
_ELONGATED = re.compile(r"([^\W\d_])\1{2,}|([اوي])\2+")


def fold(word: str) -> str:
    """The key of a word: no marks, one form per letter, elongation undone, Latin digits, lower case."""
    if "ً" in word:
        word = _TANWIN.sub("", word)
    return _ELONGATED.sub(lambda run: run[0][0], word.lower().translate(_FOLD))


@lru_cache(maxsize=4_096)
def offset_of(word: str, folded_length: int) -> int:
    """How many code points of `word` its first `folded_length` folded letters take, marks included."""
    for taken in range(folded_length, len(word)):
        if len(fold(word[:taken])) >= folded_length and fold(word[taken]):
            return taken
    return len(word)
