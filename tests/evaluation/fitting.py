"""Fits `bot/understanding/confidence.tsv`, on sentences as they were understood when they were first heard.

`first_heard.jsonl` keeps, for every sentence that was labelled before any rule saw it, what the intent's judge said, the
kinds of nodes that were left, and whether all was right. It is written once, when the sentence comes (`hear_first`), and
only ever from «dev» sentences: the figures of «test» are for printing.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.understanding import hear
from bot.understanding.confidence import WEIGHTS, Evidence, evidence, logistic
from bot.understanding.intents import Intent
from tests.evaluation.corpus import Row
from tests.evaluation.scoring import Judged, calibration

FIRST_HEARD = Path(__file__).parent / "first_heard.jsonl"

LATEST = 250
"""Hearings that count, the last ones: what came before was heard by a parser that knew less, and was wrong more often."""

SHRINKAGE = 1.0
"""Ridge penalty on every weight but the start: few sentences prove no extreme weight."""

ROUNDS = 12
"""Newton steps; six are enough."""


@dataclass(frozen=True, slots=True)
class FirstHearing:
    """A sentence at its first hearing. `id` begins with its group."""

    id: str
    right: bool
    intent: str
    judge: str
    confidence: float
    kinds: list[str]

    @property
    def evidence(self) -> Evidence:
        return evidence(Intent(self.intent, self.confidence, self.judge), self.kinds)


def first_hearings() -> list[FirstHearing]:
    return [FirstHearing(**json.loads(line)) for line in FIRST_HEARD.read_text("utf-8").splitlines()]


def hear_first(rows: Sequence[Row]) -> list[Judged]:
    """Hear labelled sentences that are new, and keep how they were understood; those already kept stay as they are."""
    known = {hearing.id for hearing in first_hearings()} if FIRST_HEARD.exists() else set()
    fresh = [Judged(row, row.heard()) for row in rows if row.split == "dev" and row.id not in known]
    with FIRST_HEARD.open("a", encoding="utf-8") as kept:
        for one in fresh:
            kept.write(json.dumps(asdict(_hearing(one)), ensure_ascii=False) + "\n")
    return fresh


def _hearing(one: Judged) -> FirstHearing:
    row = one.row
    heard = hear(row.text, now=row.now, timezone=row.timezone, locale=row.locale, asked=row.asked)
    name, confidence, judge = heard.intent
    return FirstHearing(
        row.id, one.right, name, judge, round(confidence, 3), [node.kind for node in heard.nodes]
    )


def fit() -> float:
    """Write the weights; the calibration error of predictions for each dialect by the others' weights."""
    hearings = first_hearings()[-LATEST:]
    fitted = regression(hearings)
    lines = [
        "# what each piece of evidence adds to the log odds that all is right; written by tests/evaluation, see confidence.py"
    ]
    lines += [f"{name}\t{weight:.2f}" for name, weight in zip(NAMES, fitted, strict=True)]
    WEIGHTS.write_text("\n".join(lines) + "\n", "utf-8")
    return cross_validated_error(hearings)


NAMES = ("start", *Evidence._fields)


def cross_validated_error(hearings: Sequence[FirstHearing]) -> float:
    groups = defaultdict(list)
    for hearing in hearings:
        groups[hearing.id.partition("-")[0]].append(hearing)
    predicted = []
    for held_out in groups.values():
        inside = {hearing.id for hearing in held_out}
        fitted = regression([hearing for hearing in hearings if hearing.id not in inside])
        predicted += [(_probability(fitted, _inputs(hearing)), hearing.right) for hearing in held_out]
    error, _ = calibration(predicted)
    return error


def _inputs(hearing: FirstHearing) -> list[float]:
    return [1.0, *hearing.evidence]


def _probability(fitted: Sequence[float], inputs: Sequence[float]) -> float:
    return logistic(sum(weight * value for weight, value in zip(fitted, inputs, strict=True)))


def regression(hearings: Sequence[FirstHearing]) -> list[float]:
    """The weights, in the order of `NAMES`, of a logistic regression.

    Newton's method on the penalized likelihood: step by the gradient, divided by the curvature.
    """
    size = len(NAMES)
    rows = [(_inputs(hearing), hearing.right) for hearing in hearings]
    fitted = [0.0] * size
    for _ in range(ROUNDS):
        penalty = [0.0] + [SHRINKAGE] * (size - 1)
        gradient = [-each * weight for each, weight in zip(penalty, fitted, strict=True)]
        curvature = [[penalty[i] * (i == j) for j in range(size)] for i in range(size)]
        for inputs, right in rows:
            likely = _probability(fitted, inputs)
            for i, value in enumerate(inputs):
                gradient[i] += (right - likely) * value
                for j, other in enumerate(inputs):
                    curvature[i][j] += likely * (1 - likely) * value * other
        step = _solve(curvature, gradient)
        fitted = [weight + each for weight, each in zip(fitted, step, strict=True)]
    return fitted


def _solve(matrix: list[list[float]], right_side: Sequence[float]) -> list[float]:
    """Gauss-Jordan elimination; the curvature of a penalized likelihood is positive definite, so no pivoting."""
    rows = [[*line, value] for line, value in zip(matrix, right_side, strict=True)]
    for i, pivot in enumerate(rows):
        pivot[:] = [value / pivot[i] for value in pivot]
        for other in rows:
            if other is not pivot:
                factor = other[i]
                other[:] = [a - factor * b for a, b in zip(other, pivot, strict=True)]
    return [line[-1] for line in rows]
