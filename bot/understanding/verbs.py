"""Verbs bend: «نحجزوا», «بتلغيه» and «ورجيهالي» are one stem each, whoever acts, whenever, and for whom.

What was done («حجزت») is no request and no form here. A phrase of `words/*.tsv` that ends in `~` is such a stem:
it is found behind the letters of tense and person of every dialect and before attached pronouns, and «ما…ش» around
it denies it.
"""

from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from bot.understanding.lexicon import WORDS, Meaning
from bot.understanding.normalize import fold

SHORTEST = 3
"""Letters of a stem that may bend: two letters are found inside too many other words."""

_TENSES = ("", "ب", "ه", "ح", "س", "ك", "د", "غا", "عم")
_PERSONS = ("", "ا", "ن", "ي", "ت", "من")
_BEFORE = frozenset("".join(parts) for parts in product(("", "و", "ف"), _TENSES, _PERSONS))
_AFTER = frozenset(
    "".join(parts)
    for parts in product(
        ("", "و", "وا", "ي", "ين", "ون"),
        ("", "ني", "نا", "ك", "كم", "ه", "ها", "هم", "هن", "هو", "ياه", "ياها"),
        ("", "لي", "لنا", "لو", "له", "لها", "لهم", "ليا", "لينا"),
        ("", "ياه", "ياها", "ياهم", "اه", "اها"),
    )
)
_LONGEST_BEFORE = max(map(len, _BEFORE))


class Bent(NamedTuple):
    """What a verb means in whatever form; `denied` by «ما…ش», «م…ش»."""

    meaning: Meaning
    denied: bool


@cache
def stems() -> dict[str, Meaning]:
    """The verbs of the lexicon by their stem."""
    found = {}
    for path in sorted(WORDS.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            if "~" not in line or line.startswith("#"):
                continue
            kind, value, phrases = line.split("\t")
            for phrase in phrases.split("|"):
                stem = fold(phrase.strip().rstrip("~"))
                if stem and phrase.strip().endswith("~"):
                    found[stem] = Meaning((), kind, None if value == "-" else value)
    return found


@lru_cache(maxsize=16_384)
def bent(key: str) -> Bent | None:
    """The verb that a folded word is a form of."""
    if len(key) > SHORTEST + 2 and key.endswith("ش") and key[0] == "م":
        for taken in (2, 1) if key[1] == "ا" else (1,):
            inner = key[taken:-1]
            denied = _form(inner) or _form(inner.removesuffix("و"))
            if denied:
                return Bent(denied, denied=True)
    said = _form(key)
    if said is None and key.endswith("ش"):  # «ما تلغيوش», its «ما» apart
        said = _form(key[:-1])
        return Bent(said, denied=True) if said else None
    return Bent(said, denied=False) if said else None


def _form(key: str) -> Meaning | None:
    known = stems()
    for taken in range(min(_LONGEST_BEFORE, len(key) - SHORTEST) + 1):
        if key[:taken] not in _BEFORE:
            continue
        for end in range(len(key), taken + SHORTEST - 1, -1):
            meaning = known.get(key[taken:end])
            if meaning and key[end:] in _AFTER:
                return meaning
    return None
