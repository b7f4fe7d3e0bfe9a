"""A person of the operator's team: the conversation is flagged and their Telegram chat is told."""

from __future__ import annotations

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.turn.context import Turn
from db import people
from handlers.start import Nothing

REASONS = frozenset({"asked", "not_understood", "cancel_failed"})


async def ask_human(turn: Turn, move: Move) -> None:
    """Flag the conversation once; tell the operators where they can be told."""
    said = move.args.get("reason")
    reason = said if said in REASONS else "asked"
    turn.log(Action.HUMAN_ASKED, reason=reason)
    if not await people.want_human(turn.conn, conversation=turn.talk.id, at=turn.now):
        turn.say("human.already")
        return
    if turn.house.operators_chat is None:
        turn.say("human.no_operators")
        return
    turn.tell_operators(
        "human.operator_notice",
        channel=turn.talk.channel,
        reference=str(turn.talk.id),
        reason=turn.texts.say(f"human.reason.{reason}"),
        text=turn.heard[:500] or "-",
    )
    turn.say("human.told")


async def declined(turn: Turn, _move: Move) -> None:
    turn.aside("human.declined")


HUMAN = Flow("human", Nothing, actions={"human": ask_human, "human_declined": declined})
