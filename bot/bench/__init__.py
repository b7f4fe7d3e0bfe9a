"""`rahhal bench`: how fast we are, beside a peer measured in the same run on the same machine.

A bench is a function that yields measures; it registers itself under its name with `bench`. Absolute figures swing
with the machine: what counts is `ratio`, us against the peer, and the `target` it must reach.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TextIO

MODULES = ("activity", "audit", "booking", "log", "proof", "rls", "search", "understanding")
"""Modules of this package that hold benches; each is imported only when benches run."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. `ratio` is how many times better than `peer` (larger is better); without a peer, `value` is held to
    `target` itself. `ok` is None when there was nothing to hold it to."""

    bench: str
    metric: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None
    target: str | None = None
    ok: bool | None = None


SIZES = (10_000, 1_000_000)
"""Rows at which a bench over a growing table measures; `--rows N` adds one more."""

Sizes = Sequence[int]
Bench = Callable[[Sizes], Iterator[Measure]]
_BENCHES: dict[str, Bench] = {}


def bench(name: str) -> Callable[[Bench], Bench]:
    """Register a bench under the name that `rahhal bench NAME` takes. It is given the sizes to measure at."""

    def register(run: Bench) -> Bench:
        _BENCHES[name] = run
        return run

    return register


def names() -> tuple[str, ...]:
    for module in MODULES:
        import_module(f"{__name__}.{module}")
    return tuple(_BENCHES)


def main(name: str | None, out: TextIO, *, as_json: bool, sizes: Sizes = SIZES) -> int:
    """Run one bench, or all; 1 when a target was missed. `name` must be one of `names()`."""
    measures = [measure for each in names() if name in (None, each) for measure in _BENCHES[each](sizes)]
    if as_json:
        json.dump([asdict(measure) for measure in measures], out, ensure_ascii=False, indent=1)
        out.write("\n")
    else:
        out.writelines(_line(measure) + "\n" for measure in measures)
    return int(any(measure.ok is False for measure in measures))


def _line(measure: Measure) -> str:
    mark = {True: "ok", False: "MISSED", None: "-"}[measure.ok]
    beside = f"{measure.ratio:.1f} x {measure.peer}" if measure.ratio is not None else measure.peer or ""
    figure = f"{measure.value:,.2f} {measure.unit}"
    return (
        f"{measure.bench:<15}{measure.metric:<34}{figure:>16}  {beside:<44}{measure.target or '':<14}{mark}"
    )
