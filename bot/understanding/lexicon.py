"""The words we know, read from `words/*.tsv`, and how a message's tokens become nodes.

A line of a word file is `kind <tab> value <tab> phrase | phrase | …` («-» = no value; `#` starts a comment).
Phrases are folded when read, so one spelling is enough. A word is also found behind the usual prefixes
(و ف ب ل ك ع ه and ال): these become nodes of their own, exactly as if they had been typed apart.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from bot.understanding.normalize import fold

WORDS = Path(__file__).parent / "words"

PREFIXES = {"و": "and", "ف": "in", "ب": "bi", "ل": "li", "ك": "as", "ع": "on", "ه": "this", "م": "from"}


class Meaning(NamedTuple):
    rest: tuple[str, ...]  # the words that must follow
    kind: str
    value: str | int | None


class Form(NamedTuple):
    """One way of reading a word: prefixes as kinds, their folded length, and what remains."""

    stem: str
    prefixes: tuple[str, ...]
    cut: int


class Entry(NamedTuple):
    """What a word means alone, and the phrases it opens by what may stand next, longer ones first.

    A person may write each further word with its article, and a long one with «و».
    """

    alone: Meaning | None
    phrases: dict[str, tuple[Meaning, ...]]


@cache
def meanings() -> dict[str, list[Meaning]]:
    """Meanings by first word, longer phrases first; of two meanings of one phrase the first one read."""
    known: dict[str, dict[tuple[str, ...], Meaning]] = {}
    for path in sorted(WORDS.glob("*.tsv")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                kind, value, phrases = line.split("\t")
            except ValueError:
                raise ValueError(f"{path.name}:{number}: expected three columns separated by tabs") from None
            for phrase in phrases.split("|"):
                first, *rest = (fold(word) or word for word in (phrase.strip().rstrip("~") or phrase).split())
                meaning = Meaning(tuple(rest), kind, _value(value))
                known.setdefault(first, {}).setdefault(meaning.rest, meaning)
    return {
        word: sorted(each.values(), key=lambda meaning: -len(meaning.rest)) for word, each in known.items()
    }


@cache
def lexicon() -> dict[str, Entry]:
    entries = {}
    for word, known in meanings().items():
        phrases: dict[str, list[Meaning]] = {}
        for meaning in known:
            if meaning.rest:
                for said in ways_of_writing(meaning.rest[0]):
                    phrases.setdefault(said, []).append(meaning)
        entries[word] = Entry(
            known[-1] if not known[-1].rest else None,
            # Of two phrases of one length the one that has this very word, not the word behind an article.
            {
                said: tuple(sorted(opened, key=lambda meaning: (-len(meaning.rest), meaning.rest[0] != said)))
                for said, opened in phrases.items()
            },
        )
    return entries


def ways_of_writing(word: str) -> tuple[str, ...]:
    """A word of a phrase as it may be typed: bare, with its article, behind «و» when it is long enough to be told."""
    return (word, "ال" + word, "و" + word) if len(word) > 3 else (word, "ال" + word)


_LATIN_SOUNDS = (
    ("kh", "5"), ("gh", "8"), ("sh", "x"), ("ch", "x"), ("th", "t"), ("dh", "d"), ("ou", "u"), ("oo", "u"), ("7", "h"),
    ("9", "2"), ("q", "2"), ("p", "b"), ("v", "f"), ("c", "k"), ("ay", "i"), ("ai", "i"), ("ei", "i"), ("ey", "i"),
    ("ee", "i"), ("e", "i"), ("y", "i"), ("o", "u"), ("'", ""), ("\u2019", ""),
)  # fmt: skip


def sound(word: str) -> str:
    """How a Latin spelling of Arabic sounds: layali, layaly and lyali are one."""
    for written, heard in _LATIN_SOUNDS:
        word = word.replace(written, heard)
    heard = "".join(letter for index, letter in enumerate(word) if index == 0 or letter != word[index - 1])
    return heard[:-1] if heard.endswith(("ah", "ih")) else heard


@cache
def sounds() -> dict[str, str]:
    """The Latin words of the lexicon by their sound, where only one sounds so."""
    heard: dict[str, set[str]] = {}
    for word in lexicon():
        if len(word) > 3 and word.isascii():
            heard.setdefault(sound(word), set()).add(word)
    return {key: next(iter(words)) for key, words in heard.items() if len(words) == 1}


def _value(text: str) -> str | int | None:
    if text == "-":
        return None
    return int(text) if text.lstrip("-").isdigit() else text


@lru_cache(maxsize=16_384)
def forms(word: str) -> tuple[Form, ...]:
    """The readings of a word, the whole word first, then with less and less of its beginning."""
    readings = [Form(word, (), 0)]
    if word[0] not in PREFIXES and not word.startswith("ال"):
        if len(word) > 3 and word[-1] == "ا":
            readings.append(Form(word[:-1], (), 0))
        return tuple(readings)
    starts: list[tuple[str, tuple[str, ...]]] = [("", ())]
    if word[0] in "وف" and len(word) > 2:
        starts.append((word[0], (PREFIXES[word[0]],)))
    for prefix, kinds in list(starts):
        rest = word[len(prefix) :]
        if len(rest) > 2 and rest[0] in "بلكعهف" and not (prefix and rest[0] == "ف"):
            starts.append((prefix + rest[0], (*kinds, PREFIXES[rest[0]])))
        if rest.startswith("مال") and len(rest) > 4:
            starts.append((prefix + "م", (*kinds, "from")))
    bare: list[Form] = []
    for prefix, kinds in starts:
        rest, cut = word[len(prefix) :], len(prefix)
        if prefix:
            readings.append(Form(rest, kinds, cut))
        if prefix.endswith("ل") and rest.startswith("ل") and len(rest) > 2:  # للجمعة = ل + الجمعة
            readings.append(Form("ا" + rest, kinds, cut))
            bare.append(Form(rest[1:], kinds, cut + 1))
        if rest.startswith("ال") and len(rest) > 3:
            bare.append(Form(rest[2:], kinds, cut + 2))
    readings += bare
    readings += [
        Form(r.stem[:-1], r.prefixes, r.cut) for r in readings[:] if len(r.stem) > 3 and r.stem[-1] == "ا"
    ]
    return tuple(readings)
