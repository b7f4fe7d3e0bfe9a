"""How sure we are that a message was wholly understood: its intent and every slot.

A judge's own confidence orders messages well and means nothing as a probability. `evidence` lowers it for words we do
not know and for every further slot, and `confidence.tsv` says how often messages of that evidence came out right:
an isotonic regression (the larger the evidence, the larger the share) over the «dev» sentences of tests/corpus. Rules
were written looking at those sentences, which therefore come out right more often than new ones do; the odds
of an error are multiplied by one number, the ratio of those odds over all of «test» and of «dev».
`python -m tests.evaluation --fit` writes the file.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bot.understanding.grammar import Node
from bot.understanding.intents import Intent

TABLE = Path(__file__).parent / "confidence.tsv"

PER_UNKNOWN_WORD = 0.04
PER_SLOT = 0.015


def evidence(intent: Intent, nodes: Sequence[Node], slots: Mapping[str, Any]) -> float:
    """The judge's confidence, less for what was not understood and for all that could be wrong."""
    unknown = sum(node.kind in ("word", "opaque") for node in nodes)
    if intent.name == "out_of_scope":
        return intent.confidence
    return intent.confidence - PER_UNKNOWN_WORD * unknown - PER_SLOT * len(slots)


@cache
def _table() -> tuple[list[float], list[float]]:
    rows = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [float(low) for low, _ in rows], [float(share) for _, share in rows]


def calibrated(intent: Intent, nodes: Sequence[Node], slots: Mapping[str, Any]) -> float:
    lows, shares = _table()
    return shares[max(bisect_right(lows, evidence(intent, nodes, slots)) - 1, 0)]
