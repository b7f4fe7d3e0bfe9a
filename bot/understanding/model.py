"""What the understanding of a message consists of."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Entity(NamedTuple):
    """A span of the message and what it says; offsets count code points. `rule` tells who found it."""

    type: str
    start: int
    end: int
    text: str
    value: Any
    rule: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "value": self.value,
        }


@dataclass(frozen=True, slots=True)
class Understanding:
    """A message, understood.

    `slots` holds only what was said, JSON-ready. `candidates` are places of one name, best first, when no single
    one is certain: `slots` then has no destination. `unknown_place` is what stood where a destination belongs and is in
    no gazetteer. `problems` names values that were said and are left out of `slots` because they cannot be
    (past_date, check_out_before_check_in, stay_too_long, no_guests, too_many_guests …). `unrecognized`: it is out of scope
    because nothing in it was recognized, not because something else was asked for in as many words.
    """

    intent: str
    slots: dict[str, Any]
    entities: tuple[Entity, ...]
    emotional_state: str
    confidence: float
    candidates: tuple[dict[str, Any], ...] = ()
    unknown_place: str | None = None
    problems: tuple[str, ...] = ()
    unrecognized: bool = False

    def as_json(self) -> dict[str, Any]:
        """The answer of `rahhal understand`, without the id."""
        answer: dict[str, Any] = {
            "intent": self.intent,
            "slots": self.slots,
            "entities": [entity.as_json() for entity in self.entities],
            "emotional_state": self.emotional_state,
            "confidence": self.confidence,
        }
        if self.candidates:
            answer["candidates"] = list(self.candidates)
        if self.unknown_place is not None:
            answer["unknown_place"] = self.unknown_place
        if self.problems:
            answer["problems"] = list(self.problems)
        return answer
