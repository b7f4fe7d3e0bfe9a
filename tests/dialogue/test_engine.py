"""One repair policy for all flows: filling, correcting, digressing, going back, leaving, resuming, missing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from bot.dialogue.engine import MISSES_BEFORE_HUMAN, Call, Engine, Go, Said
from bot.dialogue.flow import Agree, Ask, Do, Flow, Outcome
from bot.dialogue.moves import Move
from bot.dialogue.state import Asking, Dialogue


class Stay(BaseModel):
    city: str | None = None
    nights: int | None = None
    budget: int | None = None


class Name(BaseModel):
    name: str | None = None


async def _nothing(*_: Any) -> None:
    return None


async def _refuse(*_: Any) -> None:
    return None


async def _insist(*_: Any) -> None:
    return None


def _last(memory: Any, incoming: Any) -> Any:
    return memory.get("stay", {}) if not incoming.get("fresh") else {}


STAY = Flow(
    "stay",
    Stay,
    (
        Ask("city", _nothing),
        Ask("nights", _nothing),
        Agree("look", _nothing, on_deny=_refuse, covers=frozenset({"city", "nights"})),
        Do(_nothing),
    ),
    begins=frozenset({"search"}),
    actions={"help": _nothing},
    accepts=frozenset({"city", "nights", "budget"}),
    seed=_last,
    replaces=frozenset({"book"}),
)
BOOK = Flow(
    "book",
    Name,
    (
        Ask("name", _nothing, on_affirm=lambda _: {"name": "Sara Al Ahmad"}),
        Agree("pay", _nothing, on_deny=_refuse, by=frozenset({"confirm"}), on_affirm=_insist),
        Do(_nothing),
    ),
    begins=frozenset({"book"}),
)


@pytest.fixture
def engine() -> Engine:
    return Engine((STAY, BOOK))


def asked(engine: Engine, dialogue: Dialogue) -> str | None:
    """What the frame in progress is due, noted as asked, the way a turn does it."""
    frame = dialogue.top
    assert frame is not None
    step = engine.due(frame)
    frame.asked = step.name if isinstance(step, Ask | Agree) else None
    return frame.asked or type(step).__name__


def test_one_sentence_fills_everything_and_only_consent_is_left(engine: Engine) -> None:
    dialogue = Dialogue()
    assert engine.take(dialogue, Move("search", slots={"city": "دبي", "nights": 3})) == Go()
    assert asked(engine, dialogue) == "look"
    assert engine.take(dialogue, Move("affirm")) == Go()
    assert asked(engine, dialogue) == "Do"


def test_steps_are_asked_in_order(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search"))
    assert asked(engine, dialogue) == "city"
    engine.take(dialogue, Move("fill", slots={"city": "جدة"}))
    assert asked(engine, dialogue) == "nights"


def test_a_new_value_corrects_and_withdraws_consent(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "المنامة", "nights": 3}))
    asked(engine, dialogue)
    engine.take(dialogue, Move("affirm"))
    assert engine.take(dialogue, Move("fill", slots={"city": "المدينة"})) == Go(corrected=frozenset({"city"}))
    assert asked(engine, dialogue) == "look"


def test_what_consent_does_not_cover_leaves_it_standing(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي", "nights": 3}))
    asked(engine, dialogue)
    engine.take(dialogue, Move("affirm"))
    engine.take(dialogue, Move("fill", slots={"budget": 500}))
    assert asked(engine, dialogue) == "Do"


def test_a_search_done_before_is_refined_without_asking_again(engine: Engine) -> None:
    dialogue = Dialogue(memory={"stay": {"city": "دبي", "nights": 3}})
    engine.take(dialogue, Move("fill", slots={"budget": 500}))
    assert asked(engine, dialogue) == "Do"
    other = Dialogue(memory={"stay": {"city": "دبي", "nights": 3}})
    assert engine.take(other, Move("fill", slots={"city": "العين"})) == Go(corrected=frozenset({"city"}))
    assert asked(engine, other) == "look"


def test_a_plain_yes_is_no_consent_where_money_is_concerned(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("book"))
    assert asked(engine, dialogue) == "name"
    engine.take(dialogue, Move("affirm"))
    assert asked(engine, dialogue) == "pay"
    assert engine.take(dialogue, Move("affirm")) == Call(_insist, Move("affirm"), in_frame=True)
    assert asked(engine, dialogue) == "pay"
    engine.take(dialogue, Move("confirm"))
    assert asked(engine, dialogue) == "Do"


def test_no_goes_to_the_agreement_in_question(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي", "nights": 3}))
    asked(engine, dialogue)
    assert engine.take(dialogue, Move("deny")) == Call(_refuse, Move("deny"), in_frame=True)


def test_a_digression_waits_below_and_an_action_leaves_the_frame_alone(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي"}))
    assert isinstance(engine.take(dialogue, Move("help")), Call)
    engine.take(dialogue, Move("book"))
    assert [frame.flow for frame in dialogue.frames] == ["stay", "book"]
    top = dialogue.top
    assert top is not None
    engine.finish(dialogue, top, Outcome())
    assert asked(engine, dialogue) == "nights"


def test_a_value_for_the_frame_below_drops_what_was_built_on_it(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي", "nights": 3}))
    engine.take(dialogue, Move("book"))
    engine.take(dialogue, Move("fill", slots={"nights": 4}))
    assert [frame.flow for frame in dialogue.frames] == ["stay"]


def test_a_new_search_replaces_the_booking_built_on_the_old_one(engine: Engine) -> None:
    dialogue = Dialogue(memory={"stay": {"city": "دبي", "nights": 3}})
    engine.take(dialogue, Move("book"))
    engine.take(dialogue, Move("search", slots={"city": "جدة"}))
    assert [frame.flow for frame in dialogue.frames] == ["stay"]


def test_leaving_keeps_the_frame_for_resuming(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي"}))
    assert engine.take(dialogue, Move("leave")) is Said.LEFT
    assert dialogue.top is None
    assert engine.take(dialogue, Move("resume")) is Said.RESUMED
    assert asked(engine, dialogue) == "nights"
    assert engine.take(Dialogue(), Move("leave")) is Said.NOTHING_TO_LEAVE
    assert engine.take(Dialogue(), Move("resume")) is Said.NOTHING_TO_RESUME


def test_back_takes_the_last_answer_out(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search"))
    engine.take(dialogue, Move("fill", slots={"city": "دبي"}))
    assert engine.take(dialogue, Move("back")) is Said.WENT_BACK
    assert asked(engine, dialogue) == "city"
    assert engine.take(dialogue, Move("back")) is Said.NOTHING_BACK


def test_misses_are_counted_until_something_is_understood(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search"))
    for count in (1, 2):
        assert engine.take(dialogue, Move("miss")) is Said.MISSED
        assert dialogue.misses == count
    engine.take(dialogue, Move("fill", slots={"city": "دبي"}))
    assert dialogue.misses == 0


def test_who_is_angry_is_offered_a_human_at_once(engine: Engine) -> None:
    dialogue = Dialogue()
    assert engine.take(dialogue, Move("miss", args={"frustrated": True})) is Said.MISSED
    assert dialogue.misses == MISSES_BEFORE_HUMAN


def test_an_open_question_gives_yes_and_no_their_meaning_once(engine: Engine) -> None:
    dialogue = Dialogue(question=Asking(yes={"name": "help"}, no={"name": "search"}))
    assert engine.take(dialogue, Move("affirm")) == Call(_nothing, Move("help"))
    assert dialogue.question is None
    assert engine.take(dialogue, Move("affirm")) is Said.UNANSWERED


def test_a_miss_keeps_the_open_question(engine: Engine) -> None:
    dialogue = Dialogue(question=Asking(yes={"name": "help"}))
    engine.take(dialogue, Move("miss"))
    assert isinstance(engine.take(dialogue, Move("affirm")), Call)


def test_a_button_of_a_question_that_no_longer_stands_is_stale(engine: Engine) -> None:
    dialogue = Dialogue()
    engine.take(dialogue, Move("search", slots={"city": "دبي", "nights": 3}))
    asked(engine, dialogue)
    button = Move("affirm", args={"asked": "stay:look"})
    assert engine.take(dialogue, button) == Go()
    dialogue.frames.clear()
    assert engine.take(dialogue, button) is Said.STALE


def test_frames_of_a_flow_that_a_deploy_removed_are_dropped(engine: Engine) -> None:
    dialogue = Dialogue.model_validate(
        {"frames": [{"flow": "gone"}, {"flow": "stay", "slots": {"nights": "x"}}]}
    )
    assert engine.drop_lost(dialogue)
    assert dialogue.frames == []
    assert not engine.drop_lost(dialogue)


@pytest.mark.parametrize("document", [{"version": 99}, {"frames": "?"}, {"unknown": 1}])
def test_a_document_of_another_shape_starts_afresh(document: dict[str, Any]) -> None:
    state, readable = Dialogue.load(document)
    assert not readable
    assert state == Dialogue()


def test_what_free_text_would_answer(engine: Engine) -> None:
    dialogue = Dialogue()
    assert engine.expects(dialogue) is None
    engine.take(dialogue, Move("search", slots={"city": "دبي"}))
    asked(engine, dialogue)
    assert engine.expects(dialogue) == "nights"
    dialogue.question = Asking(yes={"name": "help"})
    assert engine.expects(dialogue) == "confirm"


def test_two_flows_cannot_share_a_move() -> None:
    with pytest.raises(ValueError, match="begin"):
        Engine((STAY, Flow("other", Name, begins=frozenset({"search"}))))
    with pytest.raises(ValueError, match="answer"):
        Engine((STAY, Flow("other", Name, actions={"help": _nothing})))
