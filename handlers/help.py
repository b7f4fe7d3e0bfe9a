"""What can be done here, and a polite word for everything that cannot."""

from __future__ import annotations

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.events import Do
from bot.turn.context import Turn, with_buttons
from db import people
from handlers.start import Nothing

MEDIA = {
    "photo": "media.photo",
    "voice": "media.voice",
    "audio": "media.voice",
    "video": "media.video",
    "document": "media.document",
    "sticker": "media.sticker",
    "contact": "media.contact",
    "contacts": "media.contact",
}


async def show_help(turn: Turn, _move: Move) -> None:
    turn.log(Action.HELP_ASKED)
    buttons = (
        turn.button("button.new_search", "new_search"),
        turn.button("button.my_trips", "trips"),
        turn.button("button.human", "human"),
    )
    turn.add(with_buttons(turn.reply("help.text"), buttons))


async def thanks(turn: Turn, _move: Move) -> None:
    turn.say("thanks.reply")


async def no_thanks(turn: Turn, _move: Move) -> None:
    """«لا» to an offer."""
    turn.say("no_thanks")


async def out_of_scope(turn: Turn, _move: Move) -> None:
    turn.aside("out_of_scope.reply")


async def empty(turn: Turn, _move: Move) -> None:
    turn.aside("empty")


async def media(turn: Turn, move: Move) -> None:
    """A photo or voice note where text was expected: say so kindly; the question stands."""
    turn.aside(MEDIA.get(str(move.args.get("kind")), "media.unsupported"))


async def later(turn: Turn, _move: Move) -> None:
    """Understood, but not offered here."""
    turn.say("later.feature")


async def stop(turn: Turn, _move: Move) -> None:
    """«إيقاف»: nothing that was not asked for is sent any more."""
    await people.stop(turn.conn, conversation=turn.talk.id, at=turn.now)
    turn.log(Action.STOPPED)
    turn.dialogue.left = turn.dialogue.top
    turn.dialogue.frames.clear()
    turn.say("stop.done")


async def delete_my_data(turn: Turn, _move: Move) -> None:
    """Deletion is a right; people of the team carry it out after looking at open bookings."""
    yes, no = Do(name="human"), Do(name="human_declined")
    buttons = (turn.button("button.yes", yes.name), turn.button("button.human_no", no.name))
    turn.add(with_buttons(turn.reply("privacy.delete_ask"), buttons))
    turn.question(yes=yes, no=no)


async def privacy(turn: Turn, _move: Move) -> None:
    """What is kept and whether it may be learned from, with the choice to change it."""
    buttons = (
        turn.button("button.agree", "consent", args={"consented": True}),
        turn.button("button.disagree", "consent", args={"consented": False}),
    )
    reply = turn.compose(
        "consent.ask", turn.texts.lines([turn.texts.say("start.terms"), turn.texts.say("consent.ask")])
    )
    turn.add(with_buttons(reply, buttons))
    turn.question(
        yes=Do(name="consent", args={"consented": True}), no=Do(name="consent", args={"consented": False})
    )


HELP = Flow(
    "help",
    Nothing,
    actions={
        "help": show_help,
        "thanks": thanks,
        "no_thanks": no_thanks,
        "out_of_scope": out_of_scope,
        "empty": empty,
        "media": media,
        "stop": stop,
        "privacy": privacy,
        "privacy_delete": delete_my_data,
        "compare_hotels": later,
        "save_favourite": later,
    },
)
