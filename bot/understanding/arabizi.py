"""Arabic in Latin letters, heard as the Arabic word it spells: «ktir» is «كتير», «telghi» is «تلغي».

Everyone spells Arabizi differently, but the consonants are those of the Arabic word, in order, and a long vowel of the
Arabic word is a vowel of the same color. A word is found by its consonants and accepted when its vowels agree.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import product

from bot.understanding.gazetteer import Place, gazetteer
from bot.understanding.lexicon import Meaning, lexicon

FEWEST = 3
"""Consonants (and long vowels) that a word needs: shorter ones sound like too many others."""

_SOUNDS = {
    # Latin letters, longer spellings first, and the consonants they may stand for; «» is one that is not heard at all.
    "kh": "x", "sh": "S", "ch": "S", "gh": "g", "th": "Ttdz", "dh": "dzD", "ou": "W", "oo": "W", "ee": "Y", "ei": "Y",
    "ai": "Y", "ay": "Y", "3'": "g", "7'": "x", "9'": "d", "5": "x", "7": "h", "8": "gq", "9": "qs", "6": "t",
    "3": "3", "2": "q2", "q": "q", "g": "jqg", "j": "j", "x": "S", "k": "k", "c": "kS", "b": "b", "p": "b", "t": "tT",
    "d": "dD", "r": "r", "z": "zD", "s": "s", "f": "f", "v": "f", "l": "l", "m": "m", "n": "n", "h": "h",
    "w": "w", "y": "y", "u": "w", "o": "w", "i": "y", "e": "e", "a": "a", "'": "3",
}  # fmt: skip
_CONSONANTS = {
    "ب": "b", "ت": "t", "ث": "T", "ج": "j", "ح": "h", "خ": "x", "د": "d", "ذ": "D", "ر": "r", "ز": "z", "س": "s",
    "ش": "S", "ص": "s", "ض": "d", "ط": "t", "ظ": "D", "غ": "g", "ف": "f", "ق": "q", "ك": "k", "ل": "l", "م": "m",
    "ن": "n", "ه": "h", "ع": "3",
}  # fmt: skip
_VOWELS = {"ا": "a", "و": "w", "ي": "y"}
_LATIN = re.compile("|".join(sorted(map(re.escape, _SOUNDS), key=len, reverse=True)))
_SOFT = "aewyWY32"
"""Sounds that a spelling may leave out or add: short vowels, ع and the hamza."""

_AGREES = {"a": "ae2", "w": "wW", "y": "yYe"}
_LONG = ("W", "Y")
_MOST_READINGS = 64


def _arabic(word: str) -> tuple[str, tuple[str, ...]]:
    """The consonants of an Arabic word, and what stands before, between and after them."""
    bones, slots = "", [""]
    for position, letter in enumerate(word):
        sound = _CONSONANTS.get(letter) or _VOWELS.get(letter, "")
        if sound in _SOFT or (letter == "ه" and position == len(word) - 1):
            slots[-1] += "" if letter == "ه" else sound
        else:
            bones += sound
            slots.append("")
    return bones, tuple(slots)


def _latin(word: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The same of a Latin spelling, for each way of hearing it; a doubled consonant is one."""
    heard = [_SOUNDS[found[0]] for found in _LATIN.finditer(word)]
    single = [sounds for index, sounds in enumerate(heard) if index == 0 or sounds != heard[index - 1]]
    for count, reading in enumerate(product(*single)):
        if count == _MOST_READINGS:
            return
        bones, slots = "", [""]
        for position, sound in enumerate(reading):
            if sound in _SOFT or (sound == "h" and position == len(reading) - 1 and len(bones) > 2):
                slots[-1] += sound if sound != "h" else ""
            else:
                bones += sound
                slots.append("")
        yield bones, tuple(slots)


def _agree(arabic: Sequence[str], latin: Sequence[str]) -> bool:
    """Whether each long vowel was written, and nothing but short vowels where there is none.

    A word that starts with a vowel is written with an alif or ع, whichever vowel it is.
    """
    if bool(arabic[0]) != bool(latin[0]):
        return False
    for written, heard in zip(arabic[1:], latin[1:], strict=True):
        if written and not all(
            set(_AGREES.get(vowel, "ae3wyWY")) & set(heard) for vowel in written if vowel != "3"
        ):
            return False
        if not written and (len(heard) > 1 or heard in _LONG):
            return False
    return True


@cache
def _index() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for word, entry in lexicon().items():
        if entry.alone and not word.isascii() and entry.alone.kind != "brand":
            bones, slots = _arabic(word)
            if len(bones) + sum(map(bool, slots[1:-1])) >= FEWEST:
                found[bones].append((slots, word))
    return found


@cache
def _places() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """The same index over the places that travelers ask for."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for name, places in gazetteer().names.items():
        if name.isascii() or " " in name or len(name) < FEWEST:
            continue
        if any(isinstance(place, Place) and place.asked_for for place in places):
            for spelling in {name, name.removeprefix("ال")}:
                bones, slots = _arabic(spelling)
                found[bones].append((slots, name))
    return found


@lru_cache(maxsize=1_024)
def place_of(word: str) -> str | None:
    """The name of the place, as the gazetteer has it, that a Latin spelling sounds like: «tanja», «el8arda2a»."""
    if not word.isascii() or not FEWEST < len(word) <= 20:
        return None
    fits = {
        (len("".join(arabic)), name)
        for bones, slots in _latin(word)
        for arabic, name in _places().get(bones, ())
        if _agree(arabic, slots)
    }
    if fits:
        return max(fits)[1]
    return place_of(word[2:]) if word.startswith(("el", "al", "il")) else None


@lru_cache(maxsize=4_096)
def arabic_of(word: str) -> str | None:
    """The word of the lexicon that a Latin spelling sounds like; None when it is none, or several of different meaning."""
    if not word.isascii() or len(word) > 20:
        return None
    fits: dict[int, dict[Meaning, str]] = defaultdict(dict)
    for bones, slots in _latin(word):
        for arabic, key in _index().get(bones, ()):
            alone = lexicon()[key].alone
            if alone and key.startswith("و") == word.startswith("w") and _agree(arabic, slots):
                fits[len("".join(arabic))].setdefault(alone, key)
    closest = fits[max(fits)] if fits else {}
    if len(closest) == 1:
        return next(iter(closest.values()))
    return arabic_of(word[2:]) if not fits and word.startswith(("el", "al", "il")) else None
