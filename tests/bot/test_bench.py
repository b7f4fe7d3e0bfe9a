"""`rahhal bench`: the registry and what it prints; the figures themselves are not a test's business."""

import importlib
import io
import json
from collections.abc import Iterator

import pytest

from bot import bench
from bot.__main__ import main


@pytest.fixture
def two_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(sizes: bench.Sizes) -> Iterator[bench.Measure]:
        yield bench.Measure("sample", "speed", 2.0, "µs", "a peer", 10.0, ">= 5 x", True)
        yield bench.Measure("sample", "size", 90.0, "MB", target="<= 60 MB", ok=False)

    monkeypatch.setattr(bench, "_BENCHES", {"sample": run})
    monkeypatch.setattr(bench, "MODULES", ())


@pytest.mark.usefixtures("two_measures")
def test_json_is_the_list_of_the_contract() -> None:
    out = io.StringIO()
    assert bench.main("sample", out, as_json=True) == 1
    first, second = json.loads(out.getvalue())
    assert first == {
        "bench": "sample",
        "metric": "speed",
        "value": 2.0,
        "unit": "µs",
        "peer": "a peer",
        "ratio": 10.0,
        "target": ">= 5 x",
        "ok": True,
    }
    assert second["ok"] is False


@pytest.mark.usefixtures("two_measures")
def test_lines_name_what_was_missed() -> None:
    out = io.StringIO()
    bench.main(None, out, as_json=False)
    speed, size = out.getvalue().splitlines()
    assert "10.0 x a peer" in speed
    assert speed.endswith("ok")
    assert size.endswith("MISSED")


@pytest.mark.usefixtures("two_measures")
def test_an_unknown_bench_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "nothing"]) != 0
    assert "no bench 'nothing': one of sample" in capsys.readouterr().err


def test_a_size_asked_for_is_added_to_the_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def run(sizes: bench.Sizes) -> Iterator[bench.Measure]:
        asked.append(tuple(sizes))
        yield from ()

    monkeypatch.setattr(bench, "_BENCHES", {"sample": run})
    monkeypatch.setattr(bench, "MODULES", ())
    assert main(["bench", "sample", "--json"]) == 0
    assert main(["bench", "sample", "--rows", "20000000", "--json"]) == 0
    assert asked == [bench.SIZES, (*bench.SIZES, 20_000_000)]


@pytest.mark.usefixtures("two_measures")
@pytest.mark.parametrize("rows", ["0", "-5", "many"])
def test_a_size_that_is_none_is_refused(rows: str) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "sample", "--rows", rows])


def test_the_benches_are_there() -> None:
    assert {"activity", "booking", "log", "understanding"} <= set(bench.names())


@pytest.mark.parametrize(
    ("name", "size", "smaller"),
    [
        ("rls", 400, {"LOOKS": 4, "SLOW_LOOKS": 2, "MONTHS": 2}),
        ("search", 60, {"LOOKS": 2, "SAMPLE": 5}),
        ("booking", 0, {"GUESTS": 3, "ROOMS": 6, "CATALOGUE": 1, "EACH": 2, "ROUNDS": 1}),
    ],
)
def test_a_bench_of_the_database_measures_what_it_says(
    monkeypatch: pytest.MonkeyPatch, name: str, size: int, smaller: dict[str, object]
) -> None:
    """On a database of its own, at a size where the figures mean nothing."""
    assert name in bench.names()
    module = importlib.import_module(f"bot.bench.{name}")
    for constant, value in smaller.items():
        monkeypatch.setattr(module, constant, value)
    measures = list(bench._BENCHES[name]([size]))
    assert all(measure.bench == name and measure.value >= 0 for measure in measures)
    assert any(measure.ratio is not None and measure.ratio > 0 for measure in measures)
    assert len({(measure.metric, measure.peer) for measure in measures}) == len(measures)
