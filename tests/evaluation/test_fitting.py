"""The confidence is fitted on first hearings of dev sentences, and by a regression that finds what is there."""

import random

from bot.understanding.confidence import logistic, weights
from tests.evaluation.corpus import rows
from tests.evaluation.fitting import LATEST, NAMES, FirstHearing, first_hearings, regression


def test_first_hearings_are_of_dev_sentences_only() -> None:
    kept_apart = {row.id for row in rows() if row.split == "test"}
    assert kept_apart.isdisjoint(hearing.id for hearing in first_hearings())


def test_no_sentence_is_heard_for_the_first_time_twice() -> None:
    ids = [hearing.id for hearing in first_hearings()]
    assert len(set(ids)) == len(ids) >= LATEST


def test_the_shipped_weights_are_those_of_the_hearings() -> None:
    fitted = regression(first_hearings()[-LATEST:])
    assert {name: round(weight, 2) for name, weight in zip(NAMES, fitted, strict=True)} == weights()


def test_the_regression_finds_how_often_sentences_are_right() -> None:
    """With many hearings, what it predicts for each kind of evidence is the share that was right."""
    chance = random.Random(3)
    shares = {(): 0.9, ("word",): 0.6, ("word", "word", "word", "word"): 0.3}
    heard = [
        FirstHearing(f"eg-{n}", chance.random() < share, "book", "booking", 0.9, list(kinds))
        for kinds, share in shares.items()
        for n in range(4_000)
    ]
    fitted = dict(zip(NAMES, regression(heard), strict=True))
    assert abs(logistic(fitted["start"]) - 0.9) < 0.02
    assert abs(logistic(fitted["start"] + fitted["unknown"] + fitted["unknowns"] / 4) - 0.6) < 0.03
    assert abs(logistic(fitted["start"] + fitted["unknown"] + fitted["unknowns"]) - 0.3) < 0.03
