"""`make eval`: how well a message is understood, on our own corpus and on other people's data.

`python -m tests.evaluation` prints the figures; `--wrong [GROUP]` lists the dev sentences that came out wrong
(never a test sentence: rules are not tuned on those). `--hear-first FILE` takes new «dev» sentences before they join the
corpus: how they fare then is what the confidence is fitted on (`--fit`). `python -m tests.evaluation predictions` is about
predictions instead.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation import dateparser_peer, development, fitting, predictions
from tests.evaluation.corpus import rows, rows_of
from tests.evaluation.scoring import (
    DATE_SLOTS,
    NUMBER_SLOTS,
    Judged,
    all_right,
    by_group,
    calibration,
    confidences,
    share,
    slot_figures,
)


def main() -> int:
    if sys.argv[1:2] == ["predictions"]:
        return predictions.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--wrong", nargs="?", const="", metavar="GROUP", help="list wrong dev sentences")
    parser.add_argument("--fit", action="store_true", help="fit the weights of the confidence again")
    parser.add_argument(
        "--hear-first",
        type=Path,
        metavar="FILE",
        help="hear labelled sentences that no rule was written for yet",
    )
    arguments = parser.parse_args()
    if arguments.hear_first:
        heard = fitting.hear_first(list(rows_of(arguments.hear_first)))
        print(f"wholly right at the first hearing: {share(one.right for one in heard)}")
        return 0
    if arguments.fit:
        print(f"calibration error, each dialect by the others: {fitting.fit():.3f}")
        return 0
    if arguments.wrong is not None:
        _list_wrong(arguments.wrong)
        return 0
    for split in ("dev", "test"):
        judged = [Judged(row, row.heard()) for row in rows() if row.split == split]
        print(f"\n== {split}: {len(judged)} sentences")
        _report(judged)
    _development()
    _speed()
    return 0


def _report(judged: Sequence[Judged]) -> None:
    print(f"{'group':<14}{'whole':>18}{'intent':>18}{'dates':>18}{'numbers, money':>18}")
    for name, group in [*by_group(judged).items(), ("all", list(judged))]:
        columns = (
            share(one.right for one in group),
            share(one.intent_right for one in group),
            all_right(group, DATE_SLOTS),
            all_right(group, NUMBER_SLOTS),
        )
        print(f"{name:<14}" + "".join(f"{column!s:>18}" for column in columns))
    print(f"\n{'slot':<20}{'precision':>18}{'recall':>18}")
    for name, (precision, recall) in slot_figures(judged).items():
        print(f"{name:<20}{precision!s:>18}{recall!s:>18}")
    answers = [one for one in judged if one.row.asked]
    yes_or_no = [one for one in judged if one.row.intent in ("affirm", "deny")]
    refused = [one for one in judged if one.row.intent == "out_of_scope"]
    moods = [one for one in judged if one.row.mood]
    print(f"\nanswers to a question: {share(one.right for one in answers)}")
    print(f"yes and no:            {share(one.right for one in yes_or_no)}")
    print(f"out of scope refused:  {share(one.intent_right for one in refused)}")
    print(f"mood, where labelled:  {share(one.said.emotional_state == one.row.mood for one in moods)}")
    error, table = calibration(confidences(judged))
    print(f"calibration error:     {error:.3f}")
    for right, said in table:
        print(f"    said {said:.2f}  was {right}")
    print(f"days: ours             {dateparser_peer.ours(judged)}")
    print(f"days: dateparser       {dateparser_peer.theirs(judged) or 'not installed'}")


def _list_wrong(group: str) -> None:
    for row in rows():
        if row.split != "dev" or group not in row.group:
            continue
        judged = Judged(row, row.heard())
        if not judged.right:
            names = judged.wrong
            print(f"{row.id} [{row.asked or ''}] {row.text}   ({row.now:%Y-%m-%d %a}, {row.locale})")
            if not judged.intent_right:
                print(f"    intent: {row.intent} <> {judged.said.intent}")
            for name in names:
                print(f"    {name}: {row.slots.get(name)} <> {judged.said.slots.get(name)}")


def _development() -> None:
    data = development.folder()
    print("\n== other people's data")
    if data is None:
        print("skipped: no folder shared/data beside the checkout, and RAHHAL_EVAL_DATA names none")
        return
    for name, figure in development.figures(data):
        print(f"{name:<42}{figure}")


def _speed() -> None:
    sample = [row for row in rows() if row.split == "dev"]
    taken = []
    for row in sample:
        start = time.perf_counter()
        row.heard()
        taken.append(time.perf_counter() - start)
    if taken:
        print(f"\nmedian time a message: {statistics.median(taken) * 1e6:.0f} µs")


if __name__ == "__main__":
    sys.exit(main())
