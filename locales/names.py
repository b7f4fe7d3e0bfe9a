"""Guests' names: checked, tidied, and suggested in Latin letters for hotels that read no Arabic.

A name that people write in a settled way comes from `names.tsv`; any other is spelled letter by letter, with the short
vowels that Arabic leaves out put where the common patterns have them. It is a suggestion: the passport decides, so the
traveler is always asked.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from locales.bidi import clean

Usage = Literal["default", "egypt", "levant", "maghreb"]

SHORTEST: Final = 2
LONGEST: Final = 60
"""Letters of a whole name; longer ones do not fit suppliers' forms."""

_USAGES: Final[dict[str, Usage]] = {
    **dict.fromkeys(("EG", "SD"), "egypt"),
    **dict.fromkeys(("LB", "SY", "JO", "PS", "IQ"), "levant"),
    **dict.fromkeys(("MA", "DZ", "TN", "MR"), "maghreb"),
}
_COLUMNS: Final[tuple[Usage, ...]] = ("default", "egypt", "levant", "maghreb")

_MARKS: Final = re.compile(
    "[\u064b-\u0650\u0652-\u065f\u0670\u0640]"
)  # vowel signs and tatweel; the shadda is kept
_SHADDA: Final = "\u0651"
_FOLDED: Final = str.maketrans("أإآٱىة", "ااااي" + "ه", _SHADDA)
_ARABIC_WORD: Final = re.compile(
    r"[\u0621-\u063a\u0641-\u064a\u067e\u0686\u0698\u06a4\u06af\u06a9\u06cc\u0651]+"
)
_LATIN_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_APOSTROPHES: Final = str.maketrans("’‘ʼʻ`´", "''''''")
_DASHES: Final = str.maketrans("‐‑–−", "----")
_PARTICLES: Final = frozenset({"bin", "bint", "ibn"})
_LEADING: Final = frozenset({"ابو", "ام", "بن", "ابن", "بنت", "ال"})
"""Words that make one name with the next, folded; «ال» is how آل, a family, is mostly typed."""

_LETTERS: Final[dict[str, str]] = {
    "ب": "b", "پ": "p", "ت": "t", "ث": "th", "ج": "j", "چ": "ch", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r",
    "ز": "z", "ژ": "zh", "س": "s", "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "", "غ": "gh", "ف": "f",
    "ڤ": "v", "ق": "q", "ك": "k", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "w", "ي": "y",
    "ی": "y", "ء": "",
}  # fmt: skip
_LOCAL_LETTERS: Final[dict[Usage, dict[str, str]]] = {
    "default": {},
    "egypt": {"ج": "g", "ث": "s", "ذ": "z"},
    "levant": {"ذ": "z"},
    "maghreb": {"ش": "ch", "و": "ou", "ق": "k"},
}
_VOWELS: Final[dict[str, str]] = {
    "ا": "a",
    "أ": "a",
    "إ": "i",
    "آ": "a",
    "ى": "a",
    "ة": "a",
    "ئ": "e",
    "ؤ": "o",
}


def clean_name(text: str) -> str | None:
    """A person's name, tidied, or None when it is none: at least two names, 2 to 60 letters, spaces, hyphens and
    apostrophes, all in Latin or all in Arabic letters (ask `is_latin_name` which). Latin names are capitalized."""
    tidy = clean(unicodedata.normalize("NFC", text[: LONGEST * 4])).replace("ٱ", "ا")
    tidy = tidy.translate(_APOSTROPHES).translate(_DASHES)
    tidy = " ".join(tidy.replace(".", " ").split())
    if not SHORTEST <= len(tidy) <= LONGEST or len(text) > LONGEST * 4:
        return None
    if _is_arabic(tidy):
        name = " ".join(_MARKS.sub("", tidy).split())
        return name if len(_joined(name)) > 1 else None
    words = tidy.split(" ")
    if len(words) < 2 or len(tidy) < len(words) + 2 or not all(_is_latin_word(word) for word in words):
        return None
    return " ".join(_capitalized(word, first=i == 0) for i, word in enumerate(words))


def is_latin_name(text: str) -> bool:
    """Whether the text is a usable name in Latin letters."""
    name = clean_name(text)
    return name is not None and not _is_arabic(name)


def suggest(name: str, country: str) -> str:
    """A Latin spelling of an Arabic name as usual in `country` (ISO 3166 alpha-2): محمد is Mohamed in EG, Mohammed in SA.

    A name in Latin letters comes back tidied; words that are neither are left out, so the result may be empty.
    """
    usage = _USAGES.get(country.upper(), "default")
    tidy = clean(name)[: LONGEST * 4]
    if not _has_arabic(tidy):
        return clean_name(tidy) or tidy
    words = [word for word in _MARKS.sub("", tidy).replace("-", " ").split() if _ARABIC_WORD.fullmatch(word)]
    latin = [_spelled(part, usage) for part in _joined(" ".join(words))]
    return " ".join(word for word in latin if word)


def _is_arabic(text: str) -> bool:
    return all(_ARABIC_WORD.fullmatch(word) for word in _MARKS.sub("", text).split())


def _has_arabic(text: str) -> bool:
    return any(unicodedata.bidirectional(letter) == "AL" for letter in text)


def _is_latin_word(word: str) -> bool:
    return bool(_LATIN_WORD.fullmatch(word)) and all(
        letter in "'-" or unicodedata.name(letter, "").startswith("LATIN") for letter in word
    )


def _capitalized(word: str, *, first: bool) -> str:
    """«AL-AHMAD» and «al-ahmad» → «Al-Ahmad»; a word with capitals of its own («McDonald») stays."""
    if not first and word.lower() in _PARTICLES:
        return word.lower()
    if word != word.lower() and word != word.upper():
        return word
    return re.sub(r"[^\W\d_]+", lambda part: part[0][0].upper() + part[0][1:].lower(), word)


def _joined(name: str) -> list[str]:
    """The names in a name: «عبد الله» and «نور الدين» are one each, «أبو بكر» too."""
    parts: list[str] = []
    for word in name.split():
        last = parts[-1].rpartition(" ")[2].translate(_FOLDED) if parts else ""
        if last == "عبد" or (last and word.translate(_FOLDED) in ("الدين", "الله")):
            parts[-1] += word
        elif last in _LEADING:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def _spelled(part: str, usage: Usage) -> str:
    first, _, rest = part.partition(" ")
    if rest:
        return f"{_particle(first, usage)} {_spelled(rest, usage)}"
    known = _names().get(part.translate(_FOLDED))
    if known:
        return known[usage]
    bare = part.replace(_SHADDA, "")
    if bare.startswith("عبدال") and len(bare) > 6:
        prefix = "Abdel" if usage in ("egypt", "maghreb") else "Abdul"
        return prefix + _spelled(bare[5:], usage).lower()
    if bare.startswith("ال") and len(bare) > 3:
        return f"{'El' if usage == 'maghreb' else 'Al'} {_spelled(_without_article(part), usage)}"
    return _by_letters(part, usage).capitalize()


def _without_article(word: str) -> str:
    """«الشّمري» → «شمري»: the shadda of a sun letter belongs to the article."""
    rest = word[2:]
    return rest[0] + rest[1:].removeprefix(_SHADDA)


def _particle(word: str, usage: Usage) -> str:
    western = usage in ("egypt", "maghreb")
    match word.translate(_FOLDED):
        case "بن":
            return "Ben" if western else "bin"
        case "ابن":
            return "Ibn"
        case "بنت":
            return "bint"
        case "ابو":
            return "Abou" if western else "Abu"
        case "ام":
            return "Om" if western else "Umm"
        case "عبد":
            return "Abd"
        case _:
            return "Al"  # آل, a family


def _by_letters(word: str, usage: Usage) -> str:
    """Consonants and long vowels as written, short vowels by pattern: فعلان → Fa3lan, فاعل → Fa3il, فعل → Fa3al."""
    sounds = _sounds(word, usage)
    latin: list[str] = []
    run = 0  # consonants since the last vowel
    for i, (sound, vowel) in enumerate(sounds):
        following = sounds[i + 1] if i + 1 < len(sounds) else None
        latin.append(sound)
        run = 0 if vowel else run + 1
        if vowel or following is None or following[1]:
            continue
        last_two = i + 2 == len(sounds)
        opens = i == 0
        after_long = i > 0 and sounds[i - 1][1]
        if opens or (last_two and (after_long or run > 1)) or run > 2:
            latin.append("i" if last_two and after_long and sounds[i - 1][0] == "a" else "a")
            run = 0
    return "".join(latin)


def _sounds(word: str, usage: Usage) -> list[tuple[str, bool]]:
    """Each letter as (Latin, is it a vowel). و and ي are vowels except at the start and beside another vowel."""
    local = _LOCAL_LETTERS[usage]
    sounds: list[tuple[str, bool]] = []
    for i, letter in enumerate(word):
        before = sounds[-1] if sounds else None
        following = word[i + 1] if i + 1 < len(word) else ""
        if letter == _SHADDA:
            if before and not before[1]:
                sounds[-1] = (before[0] * 2, False)
        elif letter in _VOWELS:
            if letter == "ا" and before and before[1]:
                continue
            sounds.append((_VOWELS[letter], True))
        elif letter in "ويی":
            glides = i == 0 or (following and following in "اةىوي") or (before is not None and before[1])
            if glides:
                sounds.append((local.get(letter, _LETTERS[letter]) if i == 0 else _LETTERS[letter], False))
            else:
                long_u = "u" if usage == "default" else "ou"
                sounds.append((long_u if letter == "و" else "i", True))
        else:
            sounds.append((local.get(letter, _LETTERS.get(letter, "")), False))
    return sounds


@cache
def _names() -> dict[str, dict[Usage, str]]:
    """Folded Arabic → spelling by usage."""
    names: dict[str, dict[Usage, str]] = {}
    for line in files("locales").joinpath("names.tsv").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        arabic, default, *local = line.split("\t")
        spellings = (default, *local)
        names[arabic.translate(_FOLDED)] = {
            usage: spelling or default for usage, spelling in zip(_COLUMNS, spellings, strict=True)
        }
    return names
