"""The reader of conversation files and what it takes for a match."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.script import Answer, fits, read

ONE = Answer("search.confirm", ("فهمتُ طلبك: جدة، \u206820\u2069\u00a0ديسمبر.", "  [1] نعم  [2] لا"))
TWO = Answer("left", ("خرجنا.",))


@pytest.mark.parametrize(
    "expected",
    [
        ["فهمتُ طلبك: جدة، 20 ديسمبر.", "  [1] نعم  [2] لا", "خرجنا."],
        ["فهمتُ طلبك: …", "…", "خرجنا."],
        ["…"],
        ["[search.confirm]", "[left]"],
        ["[search.confirm]", "  [1] نعم  …", "[left]"],
        ["[search.confirm]", "خرجنا."],
        ["…", "[left]", "خرجنا."],
    ],
)
def test_it_fits(expected: list[str]) -> None:
    assert fits(expected, [ONE, TWO])


@pytest.mark.parametrize(
    "expected",
    [
        [],
        ["فهمتُ طلبك: جدة، 20 ديسمبر."],
        ["فهمتُ طلبك: جدة، 21 ديسمبر.", "…"],
        ["[search.confirm]"],
        ["[left]", "[search.confirm]"],
        ["[search.corrected]", "…"],
        ["خرجنا.", "…"],
        ["…", "خرجنا"],
        ["[search.confirm]", "[left]", "خرجنا.", "خرجنا."],
    ],
)
def test_it_does_not_fit(expected: list[str]) -> None:
    assert not fits(expected, [ONE, TWO])


def test_silence_fits_only_no_expectation() -> None:
    assert fits([], [])
    assert not fits(["[left]"], [])


def test_what_a_file_may_hold(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(
        "; A remark.\n; now 2026-11-21T10:00:00\n> أهلًا\n< [start.welcome]\n<\n# 1\n", encoding="utf-8"
    )
    steps = read(file)
    assert [(step.line, step.kind, step.words, step.expected) for step in steps] == [
        (2, "now", "2026-11-21T10:00:00", []),
        (3, ">", "أهلًا", ["[start.welcome]", ""]),
        (6, "#", "1", []),
    ]


@pytest.mark.parametrize("text", ["hello", "< answer to nothing", "> a\nb"])
def test_what_a_file_may_not_hold(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.txt:\d"):
        read(file)
