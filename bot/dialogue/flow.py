"""Flows are declared: which slots, which questions, what must be agreed to, what is done then.

    SEARCH = Flow("search", SearchSlots, (Ask("destination", ask_destination), …, Agree("search", confirm), Do(show_hotels)))

The functions a flow names are opaque to the engine: it says which one is due, the turn calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bot.dialogue.moves import AFFIRM

Handler = Callable[..., Any]
Merge = Callable[[Any, Mapping[str, Any]], Any]
Seed = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]


def _nothing(_memory: Mapping[str, Any], _incoming: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def _blend(slots: BaseModel, incoming: Mapping[str, Any]) -> BaseModel:
    """Default merge: known names overwrite, unknown ones are ignored."""
    known = {name: value for name, value in incoming.items() if name in type(slots).model_fields}
    return type(slots).model_validate({**slots.model_dump(), **known})


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a slot until it is there. A prompt that returns None has settled it without asking.

    expects: what free text means as an answer, in the words of `bot.understanding` (destination, dates, guests, name …).
    missing: whether the answer is still owed; by default, whether the slot of that name is None.
    clears: slots that «back» empties, besides the slot of the step's own name.
    on_affirm: what a plain «yes» fills in (accepting a suggestion); None or nothing when «yes» answers nothing here.
    on_deny: what to do on a plain «no»; None when «no» answers nothing here.
    """

    name: str
    prompt: Handler
    expects: str | None = None
    missing: Callable[[Any], bool] | None = None
    clears: tuple[str, ...] = ()
    on_affirm: Callable[[Any], Mapping[str, Any]] | None = None
    on_deny: Handler | None = None

    def owed(self, slots: BaseModel) -> bool:
        return self.missing(slots) if self.missing else getattr(slots, self.name) is None


@dataclass(frozen=True, slots=True)
class Agree:
    """Go on only after consent.

    by: the moves that count as consent. Where money is concerned a plain «yes» is not among them.
    covers: the slots this consent was about; a change of one of them withdraws it. Empty: any slot.
    on_affirm: what to say to a «yes» that is not consent; on_deny: what to do on «no».
    """

    name: str
    prompt: Handler
    on_deny: Handler
    by: frozenset[str] = frozenset({AFFIRM})
    covers: frozenset[str] = frozenset()
    on_affirm: Handler | None = None


@dataclass(frozen=True, slots=True)
class Do:
    """Do it. The function returns an Outcome."""

    run: Handler


Step = Ask | Agree | Do


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a Do step left behind.

    clear: slots to empty before asking again (the room that is gone); empty: the flow is over.
    """

    clear: tuple[str, ...] = ()


DONE = Outcome()


@dataclass(frozen=True, slots=True)
class Flow:
    """One conversation flow.

    begins: names of the moves that start it. actions: moves it answers at once, without a frame of its own.
    accepts: slot names a bare FILL may bring into it.
    merge: how incoming values change the slots (deriving nights from dates, resolving conflicts); pure.
    seed: the slots a new frame starts with, from the dialogue's memory.
        Not empty: the flow was agreed to before, so only a change of what an agreement covers asks for it again.
    on_corrected: told which slots of a frame got another value than they had.
    goes_on: beginning it again while it is under way goes on with what was said, unless `args.fresh` starts over.
    replaces: flows whose frames were built on this one and are dropped when it begins anew.
    given_up: called with the slots of a frame that a message made go, whatever the reason: what it holds is let go.
    """

    name: str
    slots: type[BaseModel]
    steps: tuple[Step, ...] = ()
    begins: frozenset[str] = frozenset()
    actions: Mapping[str, Handler] = field(default_factory=dict)
    accepts: frozenset[str] = frozenset()
    merge: Merge = _blend
    seed: Seed = _nothing
    on_corrected: Handler | None = None
    goes_on: bool = False
    replaces: frozenset[str] = frozenset()
    given_up: Handler | None = None
