"""What a frame may rely on: answers tied to their question, beginnings that go on, «no» to a question, misses counted."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from bot.dialogue.engine import Call, Engine, Go, Said
from bot.dialogue.flow import Agree, Ask, Do, Flow
from bot.dialogue.moves import Move
from bot.dialogue.state import Dialogue


class Stay(BaseModel):
    city: str | None = None
    nights: int | None = None
    children: int = 0


class Booking(BaseModel):
    room: str | None = None
    nights: int | None = None
    hold: str | None = None


async def _nothing(*_: Any) -> None:
    return None


async def _other_rooms(*_: Any) -> None:
    return None


STAY = Flow(
    "stay",
    Stay,
    (Ask("city", _nothing), Ask("nights", _nothing), Agree("look", _nothing, on_deny=_nothing), Do(_nothing)),
    begins=frozenset({"search"}),
    accepts=frozenset({"city", "nights", "children"}),
    goes_on=True,
)
BOOK = Flow(
    "book",
    Booking,
    (
        Ask("room", _nothing, on_deny=_other_rooms),
        Agree("pay", _nothing, on_deny=_nothing, by=frozenset({"confirm"})),
        Do(_nothing),
    ),
    begins=frozenset({"book"}),
    accepts=frozenset({"room", "nights"}),
)


@pytest.fixture
def engine() -> Engine:
    return Engine((STAY, BOOK))


def put(engine: Engine, dialogue: Dialogue) -> None:
    """Put the question that is due, the way a turn does."""
    frame = dialogue.top
    assert frame is not None
    step = engine.due(frame)
    assert isinstance(step, Ask | Agree)
    frame.asked = step.name


def test_beginning_again_goes_on_with_what_is_known(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي"}))
    engine.take(dialogue, Move("search", slots={"nights": 3}))
    assert [frame.slots for frame in dialogue.frames] == [{"city": "دبي", "nights": 3, "children": 0}]
    engine.take(dialogue, Move("search", args={"fresh": True}))
    assert [frame.slots for frame in dialogue.frames] == [{"children": 0}]


def test_beginning_another_booking_starts_over(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("book", slots={"room": "a", "nights": 2}))
    engine.take(dialogue, Move("book", slots={"room": "b"}))
    assert [frame.slots for frame in dialogue.frames] == [{"room": "b"}]


def test_a_value_goes_to_the_flow_that_knows_all_that_was_said(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي", "nights": 3}))
    engine.take(dialogue, Move("book", slots={"room": "a"}))
    engine.take(dialogue, Move("fill", slots={"nights": 4}))
    assert [frame.flow for frame in dialogue.frames] == ["stay", "book"]
    engine.take(dialogue, Move("fill", slots={"nights": 5, "city": "العين"}))
    assert [frame.flow for frame in dialogue.frames] == ["stay"]


def test_consent_is_to_what_it_stands_under(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("book", slots={"room": "a"}))
    put(engine, dialogue)
    top = dialogue.top
    assert top is not None
    top.slots["hold"] = "second"

    def consent(hold: str) -> Move:
        return Move("confirm", args={"asked": "book:pay", "under": {"hold": hold}})

    assert engine.take(dialogue, consent("first")) is Said.STALE
    assert top.agreed == []
    assert engine.take(dialogue, consent("second")) == Go()
    assert top.agreed == ["pay"]


def test_no_to_a_question(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("book"))
    put(engine, dialogue)
    assert engine.take(dialogue, Move("deny")) == Call(_other_rooms, Move("deny"), in_frame=True)
    other = Dialogue()
    engine.take(other, Move("search"))
    put(engine, other)
    assert engine.take(other, Move("deny")) is Said.UNANSWERED


def test_what_was_not_said_before_is_no_correction(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي"}))
    assert engine.take(dialogue, Move("fill", slots={"children": 2})) == Go()
    assert engine.take(dialogue, Move("fill", slots={"children": 1})) == Go(corrected=frozenset({"children"}))


def test_unanswered_moves_are_misses_in_a_row_until_something_is_understood(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("affirm"))
    engine.take(dialogue, Move("miss"))
    assert dialogue.misses == 2
    engine.take(dialogue, Move("search"))
    assert dialogue.misses == 0
