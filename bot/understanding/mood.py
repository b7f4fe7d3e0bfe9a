"""How a message sounds: neutral, urgent, frustrated, excited or hesitant."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bot.understanding.normalize import fold
from bot.understanding.tokens import Token

STRENGTH = ("frustrated", "urgent", "excited", "hesitant")
"""When a message sounds of two, the first of these is told: it is the one that needs an answer most."""

DENIABLE = ("urgent", "excited")
"""«مش مستعجل» is not urgent; «مش زهقان» may well be annoyed."""

NEGATIONS = frozenset(
    fold(word) for word in ("مش", "مو", "مب", "ما", "لا", "ليس", "لست", "موش", "ماني", "مانيش", "ماشي", "not")
)


@cache
def _moods() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Words that open a phrase, also behind «و»; the words that follow; the mood."""
    moods: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for line in (Path(__file__).parent / "moods.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            _, mood, phrases = line.split("\t")
            for phrase in phrases.split("|"):
                first, *rest = (fold(word) or word for word in phrase.split())
                for opening in (first, "و" + first):
                    moods.setdefault(opening, []).append((tuple(rest), mood))
    return moods


def mood_of(text: str, tokens: Sequence[Token]) -> str:
    moods = _moods()
    keys = [token.key for token in tokens]
    heard: set[str] = set()
    if not moods.keys().isdisjoint(keys):
        for index, key in enumerate(keys):
            for rest, mood in moods.get(key, ()):
                if index and mood in DENIABLE and keys[index - 1] in NEGATIONS:
                    continue
                if tuple(keys[index + 1 : index + 1 + len(rest)]) == rest:
                    heard.add(mood)
    for mood in STRENGTH:
        if mood in heard:
            return mood
    return "frustrated" if "؟؟؟" in text or "???" in text else "excited" if "!!!" in text else "neutral"
