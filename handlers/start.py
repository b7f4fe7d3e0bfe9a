"""The first words: welcome, and consent asked apart from the terms."""

from __future__ import annotations

import dataclasses

from pydantic import BaseModel

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.domain.links import code_of
from bot.events import Do, Reply
from bot.turn.context import Turn, with_buttons
from db import people

MOST_CONSENT_QUESTIONS = 2
"""Who did not answer at the start is asked once more after a booking, and then left alone."""


async def start(turn: Turn, move: Move) -> Move | None:
    """Welcome a newcomer, greet who is back; `argument` is what a deep link carried, perhaps the code of somebody's link."""
    argument = str(move.args.get("argument") or "")
    if code := code_of(argument):
        return Move("follow_link", args={"code": code})
    welcome(turn, link=argument[:64] or None)
    return None


def welcome(turn: Turn, *, link: str | None = None, invitation: Reply | None = None) -> None:
    """What can be done here, and the question of consent; who has answered it is greeted. `invitation`: she came by one."""
    turn.log(Action.CONVERSATION_STARTED, link=link)
    if turn.person.consented is None:
        buttons = (
            turn.button("button.new_search", "new_search"),
            turn.button("button.help", "help"),
            turn.button(_other_language(turn), "language", args={"language": _other(turn)}),
        )
        first = turn.compose(
            "start.welcome",
            turn.texts.lines([turn.texts.say("start.welcome"), turn.texts.say("start.terms")]),
        )
        turn.add(with_buttons(first, buttons))
        if invitation:
            turn.add(invitation)
        ask_consent(turn)
        return
    if turn.person.full_name:
        turn.say("start.welcome_back", name=turn.person.full_name.split()[0])
    else:
        turn.say("start.welcome_back_unnamed")


def ask_consent(turn: Turn) -> None:
    """Ask whether behavior may serve suggestions. A «yes» counts only as the answer to this very question."""
    yes, no = Do(name="consent", args={"consented": True}), Do(name="consent", args={"consented": False})
    buttons = (
        turn.button("button.agree", yes.name, args=yes.args),
        turn.button("button.disagree", no.name, args=no.args),
    )
    turn.add(with_buttons(turn.reply("consent.ask"), buttons))
    turn.question(yes=yes, no=no)
    turn.dialogue.memory["consent_asked"] = turn.dialogue.memory.get("consent_asked", 0) + 1


async def consent(turn: Turn, move: Move) -> None:
    """Store the answer. It can be given again at any time: the latest counts."""
    consented = bool(move.args.get("consented"))
    await people.answer_consent(turn.conn, user=turn.person.id, consented=consented, at=turn.now)
    turn.person = dataclasses.replace(turn.person, consented=consented)  # it counts from this very message on
    turn.log(Action.CONSENT_ANSWERED, consented=consented)
    turn.aside("consent.given" if consented else "consent.refused")


async def greet(turn: Turn, move: Move) -> None:
    """«السلام عليكم»: a newcomer is welcomed, anybody else greeted."""
    if turn.newcomer:
        welcome(turn)
    else:
        turn.say("greet.again" if turn.dialogue.frames else "greet.reply")


async def hello(turn: Turn, move: Move) -> None:
    """One line before the answer to somebody's very first request."""
    turn.log(Action.CONVERSATION_STARTED)
    turn.say("start.hello")


def _other(turn: Turn) -> str:
    return "en" if turn.texts.language == "ar" else "ar"


def _other_language(turn: Turn) -> str:
    return f"button.language_{_other(turn)}"


class Nothing(BaseModel):
    """A flow without slots: it only answers."""


START = Flow("start", Nothing, actions={"start": start, "consent": consent, "greet": greet, "hello": hello})
