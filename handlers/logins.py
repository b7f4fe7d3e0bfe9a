"""One person, several logins: a code asked for in one chat and written in the other makes them one."""

from __future__ import annotations

from pydantic import BaseModel

from bot.dialogue.flow import DONE, Agree, Do, Flow, Outcome
from bot.dialogue.moves import Move
from bot.events import Reply
from bot.turn.answer import texts_for
from bot.turn.context import Turn, with_buttons
from db import people

REFUSED = {
    "unknown": "join.unknown",
    "same": "join.same",
    "staff": "join.staff",
    "too_many": "join.too_many",
    "busy": "join.busy",
}
"""What is said when nothing was joined."""


class Joining(BaseModel):
    """The code that was written, kept until she agrees; it is worth nothing after ten minutes or one use."""

    join_code: str | None = None


async def give_code(turn: Turn, _move: Move) -> None:
    """A fresh code for her other chat."""
    code = await people.make_join_code(turn.conn, now=turn.now)
    if code is None:
        turn.say("join.too_many_codes")
        return
    turn.say("join.code", code="-".join(("LINK", code[:4], code[4:8], code[8:])))


async def ask(turn: Turn, slots: Joining) -> Reply | Outcome:
    """Whoever asked for the code will see her trips: she is told so, and asked."""
    found = await people.join_code_owner(turn.conn, code=slots.join_code or "", now=turn.now)
    if found.outcome != "found":
        turn.say(REFUSED[found.outcome])
        return DONE
    channels = [turn.texts.say(f"channel.{channel}") for channel in found.channels]
    asked = {"asked": "logins:join"}
    buttons = (
        turn.button("button.join", "affirm", args=asked),
        turn.button("button.join_no", "deny", args=asked),
    )
    return with_buttons(turn.reply("join.ask", channels=channels), buttons)


async def join(turn: Turn, slots: Joining) -> Outcome:
    """From here on the turn is of the person both logins are."""
    joined = await people.join(turn.conn, code=slots.join_code or "", now=turn.now)
    if joined.person is None:
        turn.say(REFUSED[joined.outcome])
        return DONE
    turn.person = joined.person
    turn.texts = texts_for(turn.person, turn.now)
    turn.add(with_buttons(turn.reply("join.done"), (turn.button("button.my_trips", "trips"),)))
    return DONE


async def stay_apart(turn: Turn, _slots: Joining, _move: Move) -> Outcome:
    turn.say("join.declined")
    return DONE


LOGINS = Flow(
    "logins",
    Joining,
    (Agree("join", ask, on_deny=stay_apart), Do(join)),
    begins=frozenset({"join_code"}),
    actions={"join_logins": give_code},
)
