"""The two transactions of a message: `hear` stores it, `answer` acts on it. Nobody below begins or commits."""

from bot.turn.answer import Answerer
from bot.turn.context import House, Turn
from bot.turn.hearing import Door

__all__ = ["Answerer", "Door", "House", "Turn"]
