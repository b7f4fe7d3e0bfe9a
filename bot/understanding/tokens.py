"""Cutting a message into tokens that know where they stand."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.understanding.lexicon import lexicon
from bot.understanding.normalize import fold

READ_LIMIT = 2_000
"""Code points that are looked at: a booking request is short, and work per message stays bounded."""

_MARKS = r"\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u200b-\u200f\u202a-\u202e\u2060-\u206f\u00ad\ufeff"
_LETTER = r"[^\W\d_]"
_TOKEN = re.compile(
    rf"""
    (?P<link>https?://\S{{1,300}}|[A-Za-z0-9][A-Za-z0-9.+_-]{{0,63}}@[\w-]{{1,64}}\.[\w.-]{{2,64}})
  | (?P<date>\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)|\d{{1,2}}([-/.])\d{{1,2}}\3\d{{2,4}}(?!\d)|\d{{1,2}}/\d{{1,2}}(?![\d/]))
  | (?P<time>\d{{1,2}}:\d{{2}}(?!\d))
  | (?P<phone>\+\d[\d\ -]{{6,18}}\d|\d{{9,}}|\b[A-Za-z]{{2,5}}-\d{{3,}})
  | (?P<number>\d{{1,3}}(?:[,٬،]\d{{3}})+(?!\d)(?:[.٫]\d+)?|\d+(?:[.٫]\d+)?)
    (?P<glued>(?=[A-Za-z'])[A-Za-z0-9']+)?
  | (?P<word>{_LETTER}+(?:{_LETTER}+|[{_MARKS}]+|(?<=[A-Za-z])['’\d](?=[A-Za-z])|(?<=[A-Za-z])[2-9])*)
  | (?P<mark>[^\s\w]\ufe0f?[\U0001f3fb-\U0001f3ff]?(?:\u200d[^\s\w]\ufe0f?)*)
    """,
    re.VERBOSE,
)
_ENGLISH_ORDINALS = {"st", "nd", "rd", "th", "er", "eme", "ème"}
_LATIN_RUNS = re.compile(r"\d+|[^\d]+")


_CACHED_LENGTH = 40
"""Longer runs without a space are links or noise, and do not come twice."""


@dataclass(slots=True)
class Token:
    kind: str  # word, number, date, time, phone, link or mark
    key: str
    start: int
    end: int


Piece = tuple[str, str, int, int]
"""A token's kind and key, and where it stands in what was cut."""


def tokenize(text: str) -> list[Token]:
    """Tokens of the first `READ_LIMIT` code points.

    No token has a space in it but a telephone number, which then starts with «+»: every other text is cut at its
    spaces, and what stands between two spaces is known from the last time it was typed.
    """
    if "+" in text:
        return [Token(*piece) for piece in cut(text[:READ_LIMIT])]
    tokens = []
    end = 0
    for said in text[:READ_LIMIT].split():
        start = text.index(said, end)
        end = start + len(said)
        for kind, key, first, last in _cut_again(said) if end - start <= _CACHED_LENGTH else cut(said):
            tokens.append(Token(kind, key, start + first, start + last))
    return tokens


def cut(text: str) -> tuple[Piece, ...]:
    """The tokens of a text; the lexicon decides between Arabizi (3ayez) and a number glued to a word (3nights)."""
    known = lexicon()
    pieces: list[Piece] = []
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "mark"
        start, end = found.span()
        if kind == "glued" or (kind == "word" and not found["word"].isalpha() and found["word"].isascii()):
            whole = fold(found[0])
            if whole in known or not _splits(found[0]):
                pieces.append(("word", whole, start, end))
                continue
            for run in _LATIN_RUNS.finditer(found[0]):
                if run[0].lower() in _ENGLISH_ORDINALS and run.start():
                    continue
                run_kind = "number" if run[0].isdecimal() else "word"
                pieces.append((run_kind, fold(run[0]), start + run.start(), start + run.end()))
        else:
            key = found[0] if kind in _RAW else fold(found[0])
            if key:
                pieces.append((kind, key, start, end))
    return tuple(pieces)


_cut_again = lru_cache(maxsize=16_384)(cut)


def _splits(said: str) -> bool:
    """Whether digits and letters typed together are two things (3nights, 5th) rather than Arabizi (7agz, masba7)."""
    known = lexicon()
    runs = [run[0].lower() for run in _LATIN_RUNS.finditer(said)]
    words = [run for run in runs if not run.isdecimal()]
    return len(runs) == 2 and all(word in known or word in _ENGLISH_ORDINALS for word in words)


_RAW = {"link", "mark"}


def parse_number(key: str) -> int | float | None:
    """The value of a numeral as typed: 1,500 · 1500 · 2.5 · 1.500 (three decimals are thousands)."""
    if key.isdecimal():
        return int(key) if len(key) <= 9 else None
    digits = re.sub("[,٬،]", "", key).replace("٫", ".")
    whole, _, decimals = digits.partition(".")
    if len(whole) > 9:
        return None
    if not decimals:
        return int(whole)
    return int(whole + decimals) if len(decimals) == 3 and whole != "0" else float(f"{whole}.{decimals}")
