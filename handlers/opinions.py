"""«التقييمات»: what guests say of a hotel, and what was written of it."""

from __future__ import annotations

from decimal import Decimal

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.domain.proof import Shown
from bot.events import Reply
from bot.turn.context import Turn, with_buttons
from db import hotels, proof
from db.hotels import Hotel
from db.proof import EVERYBODY
from handlers import offers as wording
from handlers.proof import proof_lines, shown_for, stays_line
from handlers.results import in_hand, last_request, pointed_at
from handlers.start import Nothing
from locales import Phrase, shorten

MOST_NOTES = 2
MOST_OF_NOTE = 300


async def show_reviews(turn: Turn, move: Move) -> None:
    """«التقييمات»: everything five or more told of the hotel that is meant, and what was written of it."""
    memory = turn.dialogue.memory
    shown = memory.get("shown", {}).get("hotels", [])
    only = shown[0] if len(shown) == 1 else None
    identifier = pointed_at(memory, move.args) or in_hand(turn) or only
    hotel = await hotels.find(turn.conn, identifier=identifier) if identifier else None
    if hotel is None:
        memory["listed"] = {"move": "read_reviews"}  # an ordinal that comes now is the answer
        turn.say("reviews.which")
        return
    memory.pop("listed", None)
    texts, name = turn.texts, wording.hotel_name(turn, hotel)
    turn.log(Action.REVIEWS_READ, hotel=hotel.identifier)
    told = (await shown_for(turn, [hotel])).get(hotel.id)
    if told is None:
        turn.add(_onward(turn, hotel, texts.say("reviews.none", hotel=name), "reviews.none"))
        return
    lines = proof_lines(turn, told)
    if told.proof.exceeded_yes is not None and told.proof.exceeded_answers is not None:
        lines.insert(
            2, texts.say("proof.exceeded", yes=told.proof.exceeded_yes, answers=told.proof.exceeded_answers)
        )
    if told.like_her:  # and beside those like her, everybody
        everybody = (await proof.of_hotels(turn.conn, hotels=[hotel.id], persona=None))[hotel.id][EVERYBODY]
        of_all = Shown(everybody, like_her=False, persona=None)
        lines.append(
            texts.say("proof.all", rating=texts.rating(everybody.avg_rating), stays=stays_line(turn, of_all))
        )
    if marks := await proof.aspect_marks(turn.conn, hotel=hotel.id):
        aspects = [
            texts.say("reviews.aspect", aspect=texts.say(f"aspect.{aspect}"), value=Decimal(str(mark)))
            for aspect, mark in sorted(marks.items(), key=lambda item: -item[1])
        ]
        lines.append(texts.say("reviews.aspects", aspects=texts.clauses(aspects)))
    for note in await proof.notes_of(turn.conn, hotel=hotel.id, most=MOST_NOTES):
        month = texts.month(note.stayed_on.month)
        lines.append(
            texts.say(
                "reviews.note",
                month=month,
                rating=texts.rating(note.satisfaction_score),
                note=shorten(note.note, MOST_OF_NOTE),
            )
        )
    if hotel.demo:
        lines.append(texts.say("demo.label"))
    text = texts.say("reviews.card", hotel=name, lines=texts.lines(lines))
    turn.add(_onward(turn, hotel, text, "reviews.card"))


def _onward(turn: Turn, hotel: Hotel, text: Phrase, key: str) -> Reply:
    reply = turn.compose(key, text, {"hotel": hotel.identifier})
    if turn.dialogue.frames:
        return reply
    buttons = [turn.button("button.details", "open_hotel", args={"hotel": hotel.identifier})]
    if last_request(turn) is not None:
        buttons.append(turn.button("button.back_to_results", "show_results"))
    return with_buttons(reply, tuple(buttons))


OPINIONS = Flow("opinions", Nothing, actions={"read_reviews": show_reviews})
