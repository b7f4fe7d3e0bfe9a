"""Words of a stay with a slip of the finger: a letter too many, one too few, or two swapped, inside the word.

Only words that hardly resemble others are looked for, and neither a first nor a last letter is corrected: endings and
prefixes make other words («مكتب» and «مكتبة»), slips inside a long word seldom do.
"""

from functools import cache, lru_cache

from bot.understanding.lexicon import lexicon

SHORTEST = 5
LONGEST = 20
KINDS = frozenset({
    "hotel", "stay_type", "amenity", "dual_night", "dual_week", "month", "relative_day", "currency", "free_cancellation",
})  # fmt: skip


def _without_one(word: str) -> set[str]:
    return {word[:index] + word[index + 1 :] for index in range(1, len(word) - 1)}


@cache
def _index() -> dict[str, str | None]:
    """Words by each form that lacks one inner letter; None where two of different meaning share a form."""
    found: dict[str, str | None] = {}
    words = lexicon()
    for word, entry in words.items():
        if (
            len(word) < SHORTEST
            or word.startswith("ال")
            or entry.alone is None
            or entry.alone.kind not in KINDS
        ):
            continue
        for form in _without_one(word):
            other = found.setdefault(form, word)
            if other is not None and words[other].alone != entry.alone:
                found[form] = None
    return found


@lru_cache(maxsize=4_096)
def meant(key: str) -> str | None:
    """The word of the lexicon that an unknown one was meant to be, if only one comes into question."""
    if not SHORTEST - 1 <= len(key) <= LONGEST or key.startswith("ال"):
        return None  # the article is read apart, and says nothing of the word
    words = lexicon()
    swapped = {key[:i] + key[i + 1] + key[i] + key[i + 2 :] for i in range(1, len(key) - 2)}
    close = {word for word in (*_without_one(key), *swapped) if _may_be_meant(word)}
    missing = _index().get(key)
    if missing:
        close.add(missing)
    meanings = {words[word].alone for word in close}
    return min(close) if len(meanings) == 1 else None


def _may_be_meant(word: str) -> bool:
    entry = lexicon().get(word)
    return (
        len(word) >= SHORTEST
        and not word.startswith("ال")
        and entry is not None
        and entry.alone is not None
        and entry.alone.kind in KINDS
    )
