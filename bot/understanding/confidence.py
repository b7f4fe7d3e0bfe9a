"""How sure we are that a message was wholly understood: its intent and every slot.

`evidence` is what speaks for and against it, and `confidence.tsv` holds what each piece of it weighs: a logistic
regression over sentences as they were understood the first time they were heard, before any rule or word was written
with them in view (`tests/evaluation/first_heard.jsonl`). Sentences that rules were written for come out right far more
often than new ones do, and would make us too sure. `python -m tests.evaluation --fit` writes the file.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from math import exp
from pathlib import Path
from typing import NamedTuple

from bot.understanding.intents import UNKNOWN, Intent

WEIGHTS = Path(__file__).parent / "confidence.tsv"

MANY_UNKNOWN = 4
"""Unknown words beyond which one more tells nothing."""

LOOSE = frozenset({"number", "year", "hijri_year"})
"""A value that no rule took up: something about it was not understood."""


class Evidence(NamedTuple):
    """What is known of a message besides its meaning; everything is between 0 and 1 but `doubt`."""

    elsewhere: float  # out of scope, because something else is asked for in as many words
    nothing: float  # out of scope, because nothing was recognized
    all_unknown: float  # so much the more if there are unknown words, as a share of `MANY_UNKNOWN`
    unknown: float  # in scope, yet with a word that we do not know
    unknowns: float  # how many such words, as a share of `MANY_UNKNOWN`
    doubt: float  # in scope: what the judge of the intent lacks to its usual 0.9, in tenths
    loose: float  # in scope, yet with a number left over


def evidence(intent: Intent, kinds: Iterable[str]) -> Evidence:
    """The evidence for an intent, from the kinds of the nodes that all rules left."""
    unknown = loose = 0
    for kind in kinds:
        if kind in UNKNOWN:
            unknown += 1
        elif kind in LOOSE:
            loose = 1
    unknowns = min(unknown, MANY_UNKNOWN) / MANY_UNKNOWN
    if intent.name != "out_of_scope":
        return Evidence(0, 0, 0, min(unknown, 1), unknowns, (0.9 - intent.confidence) * 10, loose)
    if intent.judge == "nothing":
        return Evidence(0, 1, unknowns, 0, 0, 0, 0)
    return Evidence(1, 0, 0, 0, 0, 0, 0)


@cache
def weights() -> Mapping[str, float]:
    """The weight of each field of `Evidence`, and the «start» they are added to."""
    rows = [line.split("\t") for line in WEIGHTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {name: float(weight) for name, weight in rows}


@lru_cache(maxsize=1_024)
def calibrated(seen: Evidence) -> float:
    """The probability that everything is right, to two decimals."""
    known = weights()
    return round(
        logistic(known["start"] + sum(known[name] * value for name, value in seen._asdict().items())), 2
    )


def logistic(odds: float) -> float:
    """The probability whose logarithm of odds this is."""
    return 1 / (1 + exp(-odds))
