"""`rahhal understand`: one answer a line, in order, whatever the line."""

import io
import json
from typing import Any

from bot.understanding.commandline import LONGEST_LINE, main


def answers(*lines: str, explain: bool = False) -> list[dict[str, Any]]:
    out = io.StringIO()
    main(io.StringIO("\n".join(lines)), out, explain)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def line(**fields: Any) -> str:
    return json.dumps(
        {"id": "1", "now": "2026-01-14T10:00:00", "timezone": "Africa/Cairo", "locale": "ar-EG"} | fields
    )


def test_an_answer_has_the_contract_s_fields() -> None:
    (answer,) = answers(line(text="فندق في دبي", asked=None))
    assert list(answer)[:6] == ["id", "intent", "slots", "entities", "emotional_state", "confidence"]
    assert answer["slots"]["destination"]["country"] == "AE"
    assert answer["entities"] == [
        {"type": "place", "start": 8, "end": 11, "text": "دبي", "value": answer["slots"]["destination"]}
    ]


def test_order_is_kept_and_a_bad_line_does_not_stop_the_rest() -> None:
    said = answers(
        line(id="a", text="نعم"),
        "not json",
        "[1]",
        line(id="b"),
        line(id="c", text="لا", timezone="Nowhere/Land"),
        line(id="d", text="لا", timezone="../../etc/passwd"),
        line(id="e", text="لا", now="yesterday"),
        "",
        '{"id": "f", "text": "\\ud800", "now": "2026-01-14"}',
        "[" * 100_000,
        line(id=7, text="لا"),
    )
    assert [answer["id"] for answer in said] == ["a", None, None, "b", "c", "d", "e", "f", None, 7]
    assert ["error" in answer for answer in said] == [
        False,
        True,
        True,
        True,
        True,
        True,
        True,
        False,
        True,
        False,
    ]


def test_a_line_has_a_bounded_length() -> None:
    said = answers(line(id="long", text="ا" * LONGEST_LINE), line(id="next", text="نعم"))
    assert [answer.get("error") for answer in said] == ["line too long", None]


def test_now_may_carry_an_offset() -> None:
    (answer,) = answers(line(text="اليوم", now="2026-01-14T23:30:00+00:00", timezone="Asia/Riyadh"))
    assert answer["slots"] == {"check_in": "2026-01-15"}


def test_explain_names_the_rules() -> None:
    (answer,) = answers(line(text="من ٢٠ لـ ٢٣ مارس"), explain=True)
    assert any("days_of_one_month" in found for found in answer["explanation"])


def test_no_lone_surrogate_is_written() -> None:
    out = io.StringIO()
    main(io.StringIO('{"id": "\\ud800", "text": "فندق \\udfff في دبي", "now": "2026-01-14"}\n'), out)
    out.getvalue().encode("utf-8")
