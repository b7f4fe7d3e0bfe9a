"""The evaluation of predictions: its arithmetic, the fit against a truth that is known, and that estimates beat plain guesses."""

from __future__ import annotations

import gzip
from collections import Counter
from math import exp
from pathlib import Path
from random import Random

import pytest

from bot.domain.predictions.cancellation import EDGES
from tests.evaluation import cancellations, predictions, travelers
from tests.evaluation.logistic import Cell, auc, brier, fit, log_loss


def test_a_fit_finds_the_coefficients_behind_the_data() -> None:
    chance = Random(7)
    truth = [-1.0, 0.8, -0.6]
    seen: Counter[tuple[int, ...]] = Counter()
    events: Counter[tuple[int, ...]] = Counter()
    for _ in range(40_000):
        columns = tuple(column for column in range(2) if chance.random() < 0.5)
        odds = truth[0] + sum(truth[column + 1] for column in columns)
        seen[columns] += 1
        events[columns] += chance.random() < 1 / (1 + exp(-odds))
    found = fit([Cell(columns, n, events[columns]) for columns, n in seen.items()], 2)
    assert found == pytest.approx(truth, abs=0.06)


def test_what_always_happens_is_fitted_too() -> None:
    """The ridge keeps a band without a counterexample from running away."""
    intercept, always = fit([Cell((), 100, 20), Cell((0,), 50, 50)], 1)
    assert -1.39 < intercept < -1, "near the log-odds of 20 in 100"
    assert 2 < always < 10


def test_scores_of_chances() -> None:
    perfect, blind = [(1.0, 1), (0.0, 0)], [(0.5, 1), (0.5, 0)]
    assert brier(perfect) == 0
    assert brier(blind) == 0.25
    assert log_loss(blind) == pytest.approx(0.693, abs=0.001)
    assert auc([(0.9, 1), (0.1, 0), (0.4, 1), (0.6, 0)]) == 0.75
    assert auc(blind) == 0.5


HEADER = (
    "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,stays_in_weekend_nights,"
    "stays_in_week_nights,adults,children,babies,market_segment,deposit_type,previous_bookings_not_canceled,adr"
)


def test_only_what_travelers_book_themselves_is_read(tmp_path: Path) -> None:
    rows = [
        "Resort Hotel,1,40,2016,July,27,1,2,2,NA,1,Online TA,No Deposit,0,100",
        "City Hotel,0,3,2015,August,2,0,1,1,0,0,Direct,No Deposit,2,80",
        "City Hotel,1,3,2015,August,2,0,1,1,0,0,Groups,No Deposit,0,80",
        "City Hotel,1,3,2015,August,2,0,1,1,0,0,Direct,Non Refund,0,80",
        "City Hotel,0,3,2015,August,2,0,0,1,0,0,Direct,No Deposit,0,80",
        "City Hotel,0,3,2015,August,2,0,1,1,0,0,Direct,No Deposit,0,0",
    ]
    with gzip.open(tmp_path / cancellations.FILE, "wt", encoding="utf-8") as file:
        file.write("\n".join([HEADER, *rows]) + "\n")
    read = cancellations.load(tmp_path)
    assert read is not None
    first, second = read
    assert (first.features.lead_days, first.features.nights, first.features.children) == (40, 3, 1)
    assert first.features.resort
    assert (first.arrival - first.booked).days == 40
    assert (second.features.own_stays, second.cancelled) == (2, 0)
    card = cancellations.fitted(read)
    assert {name: len(points) for name, points in card.points.items()} == {
        name: len(edges) + 1 for name, edges in EDGES.items()
    }


def test_without_the_bookings_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAHHAL_EVAL_DATA", str(tmp_path / "nowhere"))
    assert predictions.main(["--people", "60"]) == 0
    said = capsys.readouterr().out
    assert "skipped: no folder" in said
    assert "next trip" in said
    assert "satisfaction" in said


def test_next_trips_beat_the_most_popular_city() -> None:
    found = travelers.judge_trips(300)
    assert found.city_gain.value > 4 * found.city_gain.error
    assert found.both_gain.value > 4 * found.both_gain.error
    surest, least = found.calibration[-1], found.calibration[0]
    assert surest[1] > least[1], "the surer it is, the more often it is right"


@pytest.mark.parametrize("world", travelers.WORLDS, ids=lambda world: world.name)
def test_marks_beat_the_mean_of_all_in_every_world(world: travelers.World) -> None:
    found = travelers.judge_marks(world, 1500)
    assert found.gain.value > 2 * found.gain.error


def test_what_is_known_of_people_helps_where_they_differ() -> None:
    found = travelers.judge_marks(travelers.WORLDS[2], 1500)
    assert found.gain_over_hotel.value > 4 * found.gain_over_hotel.error
