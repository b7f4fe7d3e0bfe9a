"""`make eval ARGS=predictions` (or `python -m tests.evaluation.predictions`): how well is foreseen what is foreseen?

Cancellations on real bookings, by time; next trips and marks on simulated travelers, whose truth is known. `--fit` writes the
table of cancellations anew. The data is looked for as for the rest of the evaluation (RAHHAL_EVAL_DATA).
"""

import argparse
import sys
from collections.abc import Sequence

from tests.evaluation import cancellations, development, travelers


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.predictions", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="write the table of cancellations anew")
    parser.add_argument("--people", type=int, default=4000, help="simulated people to judge on")
    chosen = parser.parse_args(arguments)
    print("== cancellations: real bookings, fitted before and judged after")
    data = development.folder()
    if data is None:
        print("skipped: no folder shared/data beside the checkout, and RAHHAL_EVAL_DATA names none")
    else:
        cancellations.report(data, write_table=chosen.fit)
    _trips(chosen.people)
    _marks(chosen.people)
    return 0


def _trips(people: int) -> None:
    found = travelers.judge_trips(people)
    print(f"\n== next trip: {people} simulated travelers (share right ± standard error)")
    print(f"{'city':<34}{found.city!s:>16}")
    print(f"{'  the most popular city':<34}{found.popular_city!s:>16}   gain {found.city_gain}")
    print(f"{'  her last city':<34}{found.last_city!s:>16}")
    print(f"{'city and four weeks':<34}{found.both!s:>16}")
    print(f"{'  popular city and month':<34}{found.both_guess!s:>16}   gain {found.both_gain}")
    print(f"{'price within the budget':<34}{found.budget!s:>16}")
    print("confidence, by quarters: " + ", ".join(f"said {a:.2f} was {b:.2f}" for a, b in found.calibration))


def _marks(people: int) -> None:
    print(f"\n== satisfaction: {people} simulated stays (mean distance from the mark ± standard error)")
    columns = ("ours", "everybody's", "the hotel's", "gain", "gain over hotel", "≤ 1: said", "was")
    print(f"{'world':<22}" + "".join(f"{column:>17}" for column in columns))
    for world in travelers.WORLDS:
        found = travelers.judge_marks(world, people)
        figures = (found.ours, found.population, found.hotel, found.gain, found.gain_over_hotel)
        print(
            f"{world.name:<22}"
            + "".join(f"{figure!s:>17}" for figure in figures)
            + f"{found.said_within_one:>17.3f}{found.was_within_one:>17.3f}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
