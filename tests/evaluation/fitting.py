"""Fits `bot/understanding/confidence.tsv`; see confidence.py for what it means."""

from collections.abc import Sequence
from itertools import pairwise

from bot.understanding import hear
from bot.understanding.confidence import TABLE, evidence
from tests.evaluation.corpus import Row, rows
from tests.evaluation.scoring import Judged, share

SMALLEST_STEP = 40
"""Sentences that a step of the table must rest on."""

SUREST = 0.99
"""So few sentences prove no certainty."""


def fit() -> None:
    judged = [Judged(row, row.heard()) for row in rows()]
    optimism = max(_odds_of_error(judged, "test") / _odds_of_error(judged, "dev"), 1.0)
    scored = sorted((_evidence(one.row), one.right) for one in judged if one.row.split == "dev")
    steps = _isotonic([(score, float(right)) for score, right in scored])
    lines = [
        "# evidence from which, share of messages wholly right; written by tests/evaluation, see confidence.py"
    ]
    lines += [f"{low:.3f}\t{_discounted(right, optimism):.3f}" for low, right in steps]
    TABLE.write_text("\n".join(lines) + "\n", "utf-8")


def _odds_of_error(judged: Sequence[Judged], split: str) -> float:
    right = share(one.right for one in judged if one.row.split == split).value
    return (1 - right) / right


def _discounted(right: float, optimism: float) -> float:
    sure = min(right, SUREST)
    return sure / (sure + (1 - sure) * optimism)


def _evidence(row: Row) -> float:
    heard = hear(row.text, now=row.now, timezone=row.timezone, locale=row.locale, asked=row.asked)
    return evidence(heard.intent, heard.nodes, heard.filling.slots)


def _isotonic(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Pool adjacent violators: (lowest score, share right) of every step, each at least `SMALLEST_STEP` long."""
    blocks: list[list[float]] = []  # lowest score, sum, count
    for index in range(0, len(points), SMALLEST_STEP):
        chunk = points[index : index + SMALLEST_STEP]
        blocks.append([chunk[0][0], sum(right for _, right in chunk), float(len(chunk))])
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            _, right, count = blocks.pop()
            blocks[-1][1] += right
            blocks[-1][2] += count
    steps = [(low, right / count) for low, right, count in blocks]
    assert all(before <= after for (_, before), (_, after) in pairwise(steps))
    return steps
