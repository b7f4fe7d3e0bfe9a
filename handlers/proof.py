"""How proof reads: in counts, the drawback beside the praise, of those like her where five tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.domain.behavior import Action
from bot.domain.proof import Persona, Shown, for_traveler
from bot.turn.context import Turn
from db.hotels import Hotel, HotelId
from locales import Phrase

KINDS = {
    Persona.ECONOMY: "proof.persona.economy",
    Persona.MIDDLE: "proof.persona.middle",
    Persona.LUXURY: "proof.persona.luxury",
}


async def shown_for(turn: Turn, found: Sequence[Hotel]) -> Mapping[HotelId, Shown]:
    """What may be shown of these hotels; that it is shown goes into the log."""
    shown = await for_traveler(
        turn.conn,
        hotels=[hotel.id for hotel in found],
        user_id=turn.person.id,
        consented=turn.person.consented,
    )
    if shown:
        named = {hotel.id: hotel.identifier for hotel in found}
        like_her = next((one.persona for one in shown.values() if one.like_her), None)
        turn.log(
            Action.PROOF_SHOWN, hotels=[named[hotel] for hotel in shown], persona=like_her and like_her.value
        )
    return shown


def proof_lines(turn: Turn, shown: Shown) -> list[Phrase]:
    """The lines of a card: the mark and from how many stays, who would return, what they liked and what they did not."""
    texts, said = turn.texts, shown.proof
    rating, stays = texts.rating(said.avg_rating), stays_line(turn, shown)
    if shown.like_her and shown.persona:
        lines = [
            texts.say("proof.like_her", persona=texts.say(KINDS[shown.persona]), rating=rating, stays=stays)
        ]
    elif shown.persona:
        lines = [texts.say("proof.everybody", rating=rating, stays=stays)]
    else:
        lines = [texts.say("proof.all", rating=rating, stays=stays)]
    if said.rebook_yes is not None and said.rebook_answers is not None:
        lines.append(texts.say("proof.rebook", yes=said.rebook_yes, answers=said.rebook_answers))
    if said.highlights:
        lines.append(texts.say("proof.liked", words=_words(turn, "highlight", said.highlights)))
    if said.pain_points:
        lines.append(texts.say("proof.missed", words=_words(turn, "pain_point", said.pain_points)))
    return lines


def rating_lines(turn: Turn, shown: Shown | None) -> Phrase:
    """The same in two lines, among the results; nothing where there is nothing to say."""
    if shown is None:
        return Phrase("")
    texts, said = turn.texts, shown.proof
    rating, stays = texts.rating(said.avg_rating), stays_line(turn, shown)
    if shown.like_her:
        first = texts.say("results.line.rating_like_her", rating=rating, stays=stays)
    else:
        first = texts.say("results.line.rating", rating=rating, stays=stays)
    second = [
        texts.say("proof.liked", words=_words(turn, "highlight", said.highlights[:1]))
        if said.highlights
        else "",
        texts.say("proof.missed", words=_words(turn, "pain_point", said.pain_points[:1]))
        if said.pain_points
        else "",
    ]
    return texts.lines([first, Phrase(" ".join(filter(None, second)))])


def stays_line(turn: Turn, shown: Shown) -> Phrase:
    counted = turn.texts.count("verified_stay", shown.proof.total_bookings, "after_preposition")
    return turn.texts.say("proof.few", stays=counted) if shown.small else counted


def _words(turn: Turn, family: str, codes: Iterable[str]) -> Phrase:
    return turn.texts.join(turn.texts.say(f"{family}.{code}") for code in codes)
