"""Arabic or English, at any moment."""

from __future__ import annotations

import dataclasses

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.turn.answer import texts_for
from bot.turn.context import Turn, with_buttons
from db import people
from handlers.start import Nothing

LANGUAGES = ("ar", "en")


async def choose(turn: Turn, move: Move) -> None:
    """Change the language when one was named, otherwise ask which."""
    language = move.args.get("language")
    if language not in LANGUAGES:
        buttons = tuple(
            turn.button(f"button.language_{code}", "language", args={"language": code}) for code in LANGUAGES
        )
        turn.add(with_buttons(turn.reply("language.ask"), buttons))
        turn.dialogue.expecting = "language"  # nothing else is asked in the same breath
        return
    await people.choose_language(turn.conn, user=turn.person.id, language=language)
    turn.log(Action.LANGUAGE_CHANGED, language=language)
    turn.person = dataclasses.replace(turn.person, preferred_language=language, language_chosen=True)
    turn.texts = texts_for(turn.person, turn.now)
    turn.say("language.changed")


LANGUAGE = Flow("language", Nothing, actions={"language": choose})
