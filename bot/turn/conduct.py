"""Lead one message through the engine: it says what is due, this calls it and lets the flow answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.dialogue.engine import MISSES_BEFORE_HUMAN, Call, Engine, Go, Said
from bot.dialogue.flow import Agree, Ask, Outcome
from bot.dialogue.moves import AFFIRM, DENY, FILL, MISS, Move
from bot.dialogue.state import Asking, Frame
from bot.errors import DomainError
from bot.events import Button, Do, Reply
from bot.turn.context import Turn
from bot.turn.reading import Read
from locales import Phrase

HELLO = "hello"
WELCOMES = frozenset({"start", "greet", "language"})
"""Moves that greet by themselves, or come before any greeting."""


class Conduct:
    """Lead one message through the engine, calling what it says is due."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._engine = engine
        self._turn = turn

    async def follow(self, got: Read) -> None:
        turn = self._turn
        match got.fate:
            case "pressed":
                turn.say("already_done")
                return
            case "foreign":
                turn.say("not_mine")
                return
            case "unknown":
                await self._stale()
                return
        frames = list(turn.dialogue.frames)
        for move in self._welcomed(got.moves):
            await self._follow(move)
        turn.newcomer = False
        await self._let_go(frames)
        self._listen()

    def _welcomed(self, moves: tuple[Move, ...]) -> tuple[Move, ...]:
        """Who begins with a request is greeted in a line and answered; who begins with anything unclear is welcomed."""
        known = not self._turn.newcomer or not self._engine.answers(HELLO)
        if known or not moves or moves[0].name in WELCOMES:
            return moves
        return (Move("start"),) if moves[0].name == MISS else (Move(HELLO), *moves)

    async def _let_go(self, before: list[Frame]) -> None:
        """Tell the flows whose frames are gone, so that they give back what those held."""
        turn = self._turn
        for frame in before:
            given_up = self._engine.flows[frame.flow].given_up
            if given_up and all(frame is not kept for kept in turn.dialogue.frames):
                await given_up(turn, self._engine.slots(frame))

    def _listen(self) -> None:
        """Where no frame waits, free text answers what the last reply was about, or points at the hotels on show."""
        turn = self._turn
        if turn.replies and turn.dialogue.top is None and not turn.dialogue.asks_something:
            on_show = "hotel" if "shown" in turn.dialogue.memory else None
            turn.dialogue.expecting = turn.replies[-1].expects or on_show

    async def _follow(self, move: Move) -> None:
        turn = self._turn
        owed, misses = self._owed(), turn.dialogue.misses
        decision = self._engine.take(turn.dialogue, move)
        try:
            match decision:
                case Go(corrected=corrected):
                    # A new search that differs from the last one corrects nothing.
                    await self._note(corrected if move.name == FILL else frozenset())
                    await self._advance()
                    if owed is not None and self._owed() == owed:
                        self._not_answered(misses + 1)
                case Call(handler=handler, move=called, in_frame=True):
                    frame = turn.dialogue.top
                    assert frame is not None
                    outcome = await handler(turn, self._engine.slots(frame), called)
                    if isinstance(outcome, Outcome):
                        self._engine.finish(turn.dialogue, frame, outcome)
                        await self._advance()
                    elif isinstance(outcome, Move):
                        await self._follow(outcome)
                case Call(handler=handler, move=called):
                    await self._digress(handler, called)
                case _:
                    await self._respond(decision, move)
        except DomainError as refusal:
            turn.say(refusal.tell, **_in_words(turn, refusal.values))

    def _owed(self) -> tuple[Frame, str, tuple[str, ...]] | None:
        """The question that waits for a value: its frame, its step, and what is answered beside it.

        Consent may be asked for as often as it takes.
        """
        frame = self._turn.dialogue.top
        step = self._engine.due(frame) if frame is not None and frame.asked else None
        if frame is None or not isinstance(step, Ask) or step.name != frame.asked:
            return None
        return frame, step.name, tuple(frame.filled)

    def _not_answered(self, misses: int) -> None:
        """What was said could be read, but nothing is answered by it: going in circles is a miss too."""
        self._turn.dialogue.misses = misses
        if misses >= MISSES_BEFORE_HUMAN:
            self._offer_human()

    async def _note(self, corrected: frozenset[str]) -> None:
        turn = self._turn
        turn.corrected = corrected
        told = self._engine.flows[turn.dialogue.top.flow].on_corrected if turn.dialogue.top else None
        if told and corrected:
            await told(turn, corrected)

    async def _digress(self, handler: Any, move: Move) -> None:
        """An action beside the flow; the flow's question is put again after it, unless the action asked one of its own."""
        turn = self._turn
        waiting = turn.dialogue.top
        outcome = await handler(turn, move)
        if isinstance(outcome, Move):
            await self._follow(outcome)
        elif isinstance(outcome, Outcome) and waiting is not None:
            self._engine.finish(turn.dialogue, waiting, outcome)
            await self._advance()
        elif waiting is not None and turn.dialogue.top is waiting and not turn.dialogue.asks_something:
            await self._ask_again("digression.return")

    async def _advance(self) -> None:
        """Run the frame in progress until it asks something or is over; then the one below it."""
        turn = self._turn
        for _ in range(16):
            frame = turn.dialogue.top
            if frame is None:
                return
            step = self._engine.due(frame)
            slots = self._engine.slots(frame)
            match step:
                case Ask(prompt=prompt, name=name) | Agree(prompt=prompt, name=name):
                    frame.asked = name
                    reply = await prompt(turn, slots)
                    if isinstance(reply, Reply):
                        turn.add(reply)
                        return
                    if isinstance(reply, Move):
                        self._engine.finish(turn.dialogue, frame, Outcome())
                        await self._follow(reply)
                        return
                    if isinstance(reply, Outcome):
                        self._engine.finish(turn.dialogue, frame, reply)
                case None:
                    self._engine.finish(turn.dialogue, frame, Outcome())
                case _:
                    outcome = await step.run(turn, slots)
                    self._engine.finish(
                        turn.dialogue, frame, outcome if isinstance(outcome, Outcome) else Outcome()
                    )
                    if isinstance(outcome, Move):
                        await self._follow(outcome)
                        return
            if frame not in turn.dialogue.frames and turn.dialogue.top is not None:
                await self._ask_again("digression.return")
                return
        raise RuntimeError("a flow went round in circles")

    async def _ask_again(self, key: str) -> None:
        """Put the question of the frame in progress again, led by the sentence `key`."""
        turn = self._turn
        frame = turn.dialogue.top
        if frame is None:
            return
        before = len(turn.replies)
        turn.again = True
        await self._advance()
        turn.again = False
        for index in range(before, len(turn.replies)):
            reply = turn.replies[index]
            led = turn.texts.say(key, question=Phrase(reply.text))
            turn.replies[index] = reply.model_copy(update={"text": led})
            return

    async def _respond(self, said: Said, move: Move) -> None:
        turn = self._turn
        match said:
            case Said.UNANSWERED if move.name in {AFFIRM, DENY} and self._turn.dialogue.top is None:
                turn.dialogue.misses = 0  # «تمام», «👍»: nothing was asked, and nothing is unclear
                turn.say("no_thanks" if move.name == DENY else "at_hand")
            case Said.MISSED | Said.UNANSWERED:
                await self._missed()
            case Said.STALE:
                await self._stale()
            case Said.LEFT:
                turn.add(
                    turn.reply("left").model_copy(
                        update={"buttons": ((turn.button("button.resume", "resume"),),)}
                    )
                )
            case Said.WENT_BACK | Said.NOTHING_BACK | Said.RESUMED:
                await self._ask_again(said.value)
            case Said.NOTHING_TO_LEAVE if self._engine.answers(said.value):
                await self._follow(Move(said.value))
            case Said.NOTHING_TO_RESUME if "shown" in turn.dialogue.memory:
                await self._follow(Move("show_results"))
            case Said.NOTHING_TO_LEAVE | Said.NOTHING_TO_RESUME:
                turn.say(said.value)

    async def _missed(self) -> None:
        turn = self._turn
        if turn.dialogue.misses >= MISSES_BEFORE_HUMAN:
            self._offer_human()
        elif turn.dialogue.top is not None:
            await self._ask_again("not_understood.asked")
        elif self._engine.answers(again := f"missed_{turn.dialogue.expecting}"):
            misses = turn.dialogue.misses
            await self._follow(Move(again))
            turn.dialogue.misses = misses
        else:
            turn.say("not_understood.first" if turn.dialogue.misses <= 1 else "not_understood.second")

    def _offer_human(self) -> None:
        turn = self._turn
        turn.dialogue.misses = 0
        offer = turn.reply("not_understood.human_offer")
        yes, no = Do(name="human", args={"reason": "not_understood"}), Do(name="human_declined")
        buttons = (
            Button(label=turn.texts.say("button.human_yes"), do=yes),
            Button(label=turn.texts.say("button.human_no"), do=no),
        )
        turn.add(offer.model_copy(update={"buttons": (buttons,)}))
        turn.dialogue.question = Asking(yes=yes.model_dump(), no=no.model_dump(), beside=True)

    async def _stale(self) -> None:
        if self._engine.answers("revive"):
            await self._follow(Move("revive"))
        else:
            self._turn.say("stale.unknown")


COUNTED = {
    "max_nights": "night",
    "max_guests": "guest",
    "max_rooms": "room",
    "rooms": "room",
    "guests": "guest",
}
"""Numbers a refusal carries that people read as counted nouns."""


def _in_words(turn: Turn, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: turn.texts.count(COUNTED[name], value) if name in COUNTED and isinstance(value, int) else value
        for name, value in values.items()
    }
