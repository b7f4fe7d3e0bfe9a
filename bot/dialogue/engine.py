"""One policy for all flows: fill, correct, digress, go back, leave, resume, and say so when nothing was understood.

Pure: the engine moves frames and says what is due; the turn calls the flows' functions and does the talking.

- A new value for a filled slot is a correction: agreement about it is withdrawn.
- «Yes, but in Medina» corrects and does not execute.
- A move that belongs elsewhere is a digression: the frame below waits and is taken up again.
- The third miss in a row offers a human, and so does the first of somebody who is angry.
- A frame whose flow is gone after a deploy is dropped, politely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.dialogue.flow import Agree, Ask, Do, Flow, Handler, Outcome, Step
from bot.dialogue.moves import AFFIRM, BACK, DENY, FILL, LEAVE, MISS, RESUME, Move
from bot.dialogue.state import Dialogue, Frame

MISSES_BEFORE_HUMAN = 3


class Said(Enum):
    """What the house itself says to a move, independent of any flow."""

    LEFT = "left"
    NOTHING_TO_LEAVE = "nothing_to_leave"
    WENT_BACK = "back"
    NOTHING_BACK = "nothing_back"
    RESUMED = "resumed"
    NOTHING_TO_RESUME = "nothing_to_resume"
    MISSED = "missed"
    UNANSWERED = "unanswered"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Call:
    """Call a flow's function now; when `in_frame`, with the slots of the frame in progress."""

    handler: Handler
    move: Move
    in_frame: bool = False


@dataclass(frozen=True, slots=True)
class Go:
    """Go on with the frame in progress. corrected: the slots that had a value before and have another now."""

    corrected: frozenset[str] = frozenset()


Decision = Call | Go | Said


class Engine:
    """The flows of the house, by what starts them and what they answer."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        self.flows: dict[str, Flow] = {}
        self._begins: dict[str, Flow] = {}
        self._actions: dict[str, Handler] = {}
        for flow in flows:
            if flow.name in self.flows:
                raise ValueError(f"two flows named {flow.name}")
            self.flows[flow.name] = flow
            for name in flow.begins:
                if self._begins.setdefault(name, flow) is not flow:
                    raise ValueError(f"two flows begin with {name}")
            for name, handler in flow.actions.items():
                if name in self._actions or name in self._begins:
                    raise ValueError(f"two flows answer {name}")
                self._actions[name] = handler

    def drop_lost(self, dialogue: Dialogue) -> bool:
        """Drop frames whose flow or slots no longer exist; whether any was dropped."""
        kept = [frame for frame in dialogue.frames if self._readable(frame)]
        lost = len(kept) < len(dialogue.frames)
        dialogue.frames = kept
        if dialogue.left and not self._readable(dialogue.left):
            dialogue.left = None
        return lost

    def _readable(self, frame: Frame) -> bool:
        flow = self.flows.get(frame.flow)
        if flow is None:
            return False
        try:
            flow.slots.model_validate(frame.slots)
        except ValidationError:
            return False
        return True

    def slots(self, frame: Frame) -> BaseModel:
        return self.flows[frame.flow].slots.model_validate(frame.slots)

    def expects(self, dialogue: Dialogue) -> str | None:
        """What free text would answer now, in the words of `bot.understanding`."""
        if dialogue.question and not (dialogue.question.beside and (dialogue.top or dialogue.expecting)):
            return "confirm"
        if dialogue.expecting:
            return dialogue.expecting
        step = self._asked(dialogue.top) if dialogue.top else None
        match step:
            case Ask():
                return step.expects or step.name
            case Agree():
                return "confirm"
            case _:
                return None

    def _asked(self, frame: Frame) -> Ask | Agree | None:
        for step in self.flows[frame.flow].steps:
            if isinstance(step, Ask | Agree) and step.name == frame.asked:
                return step
        return None

    # ------------------------------------------------------------------------------------------ taking a move

    def take(self, dialogue: Dialogue, move: Move) -> Decision:
        """Change the dialogue by one move and say what is due."""
        question, dialogue.question = dialogue.question, None
        expecting, dialogue.expecting = dialogue.expecting, None
        if question and move.name in {AFFIRM, DENY}:
            meant = question.yes if move.name == AFFIRM else question.no
            if meant is not None:
                return self.take(dialogue, Move(**meant))
        if move.name == MISS:
            dialogue.misses = MISSES_BEFORE_HUMAN if move.args.get("frustrated") else dialogue.misses + 1
            dialogue.question, dialogue.expecting = question, expecting
            return Said.MISSED
        if not self._fits(dialogue, move):
            return Said.STALE
        decision = self._decide(dialogue, move)
        if decision is Said.UNANSWERED:
            dialogue.misses += 1
        else:
            dialogue.misses = 0
        return decision

    def _decide(self, dialogue: Dialogue, move: Move) -> Decision:
        match move.name:
            case "leave":
                return self._leave(dialogue)
            case "back":
                return self._back(dialogue)
            case "resume":
                return self._resume(dialogue)
            case "deny":
                return self._deny(dialogue, move)
            case "fill":
                return self._fill(dialogue, move)
        if (consent := self._consent(dialogue, move)) is not None:
            return consent
        if flow := self._begins.get(move.name):
            return self._begin(dialogue, flow, move)
        if handler := self._actions.get(move.name):
            return Call(handler, move)
        return Said.UNANSWERED

    @staticmethod
    def _fits(dialogue: Dialogue, move: Move) -> bool:
        """A button that answers a question (`args.asked` = «flow:step») fits only while that question stands.

        `args.under`: the slots the question was asked about, and only about them the answer is.
        """
        asked = move.args.get("asked")
        if asked is None:
            return True
        flow, _, step = str(asked).partition(":")
        top = dialogue.top
        if top is None or top.flow != flow:
            return False
        under = move.args.get("under", {})
        if any(top.slots.get(name) != value for name, value in under.items()):
            return False
        return move.name == FILL or top.asked == step

    def _leave(self, dialogue: Dialogue) -> Decision:
        if not dialogue.frames:
            return Said.NOTHING_TO_LEAVE
        dialogue.left = dialogue.frames.pop()
        dialogue.frames.clear()
        return Said.LEFT

    def _resume(self, dialogue: Dialogue) -> Decision:
        if dialogue.left is not None:
            dialogue.frames.append(dialogue.left)
            dialogue.left = None
        return Said.RESUMED if dialogue.frames else Said.NOTHING_TO_RESUME

    def _back(self, dialogue: Dialogue) -> Decision:
        frame = dialogue.top
        if frame is None:
            return Said.NOTHING_TO_RESUME
        if not frame.filled:
            return Said.NOTHING_BACK
        name = frame.filled.pop()
        for step in self.flows[frame.flow].steps:
            if isinstance(step, Ask) and step.name == name:
                self.clear(frame, (name, *step.clears))
        return Said.WENT_BACK

    def clear(self, frame: Frame, names: Iterable[str]) -> None:
        """Empty some slots and withdraw every agreement."""
        for name in names:
            frame.slots.pop(name, None)
        frame.agreed.clear()

    def _deny(self, dialogue: Dialogue, move: Move) -> Decision:
        frame = dialogue.top
        step = self._asked(frame) if frame else None
        if step is not None and step.on_deny is not None:
            return Call(step.on_deny, move, in_frame=True)
        return Said.UNANSWERED

    def _consent(self, dialogue: Dialogue, move: Move) -> Decision | None:
        frame = dialogue.top
        step = self._asked(frame) if frame else None
        if frame is None or step is None:
            return None
        if isinstance(step, Agree):
            if move.name in step.by:
                frame.agreed.append(step.name)
                return Go()
            if move.name == AFFIRM and step.on_affirm:
                return Call(step.on_affirm, move, in_frame=True)
        elif move.name == AFFIRM and step.on_affirm and (meant := step.on_affirm(self.slots(frame))):
            return self._merge(frame, meant)
        return None

    def _fill(self, dialogue: Dialogue, move: Move) -> Decision:
        """To whom all of it is known, the frame in progress first; failing that, to whom some of it is."""
        names = set(move.slots)
        for fits in (names.issubset, names.intersection):
            for depth in range(len(dialogue.frames), 0, -1):
                frame = dialogue.frames[depth - 1]
                if names and fits(self.flows[frame.flow].accepts):
                    # What lies above was built on the old values.
                    del dialogue.frames[depth:]
                    return self._merge(frame, move.slots)
            for flow in self.flows.values():
                if names and flow.begins and fits(flow.accepts):
                    return self._begin(dialogue, flow, move)
        return Said.UNANSWERED

    def _begin(self, dialogue: Dialogue, flow: Flow, move: Move) -> Decision:
        dialogue.left = None
        dialogue.frames = [frame for frame in dialogue.frames if frame.flow not in flow.replaces]
        for depth, frame in enumerate(dialogue.frames):
            if frame.flow == flow.name and flow.goes_on and not move.args.get("fresh"):
                del dialogue.frames[depth + 1 :]
                return self._merge(frame, move.slots)
            if frame.flow == flow.name:
                del dialogue.frames[depth:]
                break
        slots = dict(flow.seed(dialogue.memory, {**move.slots, **move.args}))
        agreed = [step.name for step in flow.steps if isinstance(step, Agree)] if slots else []
        frame = Frame(flow=flow.name, slots=slots, agreed=agreed)
        dialogue.frames.append(frame)
        return self._merge(frame, move.slots)

    def _merge(self, frame: Frame, incoming: Mapping[str, Any]) -> Go:
        flow = self.flows[frame.flow]
        before = self.slots(frame)
        owed = [step for step in flow.steps if isinstance(step, Ask) and step.owed(before)]
        after = flow.merge(before, incoming)
        old, new = before.model_dump(mode="json"), after.model_dump(mode="json", exclude_none=True)
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        blank = flow.slots().model_dump(mode="json")
        corrected = frozenset(name for name in changed if old.get(name) != blank.get(name))
        frame.slots = new
        frame.filled += [step.name for step in owed if not step.owed(after) and step.name not in frame.filled]
        for step in flow.steps:
            if (
                isinstance(step, Agree)
                and step.name in frame.agreed
                and changed
                and (not step.covers or changed & step.covers)
            ):
                frame.agreed.remove(step.name)
        return Go(corrected=corrected)

    # ------------------------------------------------------------------------------------------ what is due

    def due(self, frame: Frame) -> Step | None:
        """The first step that is not done; None when the flow is over."""
        slots = self.slots(frame)
        for step in self.flows[frame.flow].steps:
            match step:
                case Ask() if step.owed(slots):
                    return step
                case Agree() if step.name not in frame.agreed:
                    return step
                case Do():
                    return step
        return None

    def finish(self, dialogue: Dialogue, frame: Frame, outcome: Outcome) -> None:
        """Take in what a Do step left: the flow ends, or some slots are asked again."""
        if outcome.clear:
            self.clear(frame, outcome.clear)
            return
        if frame in dialogue.frames:
            dialogue.frames.remove(frame)

    def answers(self, name: str) -> bool:
        """Whether any flow or the engine itself knows a move of this name."""
        return (
            name in {FILL, AFFIRM, DENY, LEAVE, BACK, RESUME, MISS}
            or name in self._begins
            or name in self._actions
        )
