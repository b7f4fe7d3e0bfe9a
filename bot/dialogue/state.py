"""What the dialogue remembers between messages: one versioned JSON document per conversation."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION = 1


class Asking(BaseModel):
    """A yes/no question outside any flow, and what each answer means (name, slots, args of a move).

    beside: the question of the frame in progress stands too, and free text may still answer that.
    """

    model_config = ConfigDict(extra="forbid")

    yes: dict[str, Any] | None = None
    no: dict[str, Any] | None = None
    beside: bool = False


class Frame(BaseModel):
    """One flow under way.

    slots: the flow's slots, JSON-ready.
    filled: names of asked slots in the order they were answered; «back» takes the last one out.
    agreed: names of the agreements given and still standing.
    asked: the step that was asked last.
    """

    model_config = ConfigDict(extra="forbid")

    flow: str
    slots: dict[str, Any] = Field(default_factory=dict)
    filled: list[str] = Field(default_factory=list)
    agreed: list[str] = Field(default_factory=list)
    asked: str | None = None


class Dialogue(BaseModel):
    """The whole state. The last frame is the one in progress; those below wait for it to end.

    memory: small facts that outlive a frame, by name (the last search, the hotels on show).
    expecting: what free text would answer when the last question belongs to no frame.
    left: the frame the traveler walked out of; «resume» brings it back.
    labels: the buttons of the latest answer, label → token: typing a button's words presses it.
    """

    model_config = ConfigDict(extra="forbid")

    version: int = VERSION
    frames: list[Frame] = Field(default_factory=list)
    left: Frame | None = None
    question: Asking | None = None
    expecting: str | None = None
    misses: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    memory: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def load(cls, document: dict[str, Any]) -> tuple[Self, bool]:
        """The stored document, and whether it could be read. One of another version or shape starts afresh."""
        if not document:
            return cls(), True
        try:
            state = cls.model_validate(document)
        except ValidationError:
            return cls(), False
        return (state, True) if state.version == VERSION else (cls(), False)

    @property
    def top(self) -> Frame | None:
        return self.frames[-1] if self.frames else None

    @property
    def asks_something(self) -> bool:
        """Whether a question outside the frames is open."""
        return self.question is not None or self.expecting is not None

    @property
    def asked(self) -> str | None:
        return self.top.asked if self.top else None
