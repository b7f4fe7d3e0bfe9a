"""After the stay: how was it? One question at a time, each may be skipped, and what was said is kept after each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.dialogue.flow import DONE, Ask, Do, Flow, Outcome
from bot.dialogue.moves import FILL, Move
from bot.domain import outcomes as domain
from bot.domain.behavior import Action
from bot.domain.outcomes import Highlight, PainPoint, Told
from bot.errors import DomainError
from bot.events import Button, Menu, Reply
from bot.events import Do as Meaning
from bot.turn.context import Turn, with_buttons
from bot.turn.reading import SCORE
from db import outcomes, trips
from db.outcomes import Recorded
from db.trips import Trip, TripStatus
from handlers.foreseen import foreseen
from handlers.outcome_words import Family, named

MOST_ROWS = 9
"""Words on show at once; the tenth row ends the question."""


class Telling(BaseModel):
    """The slots of a survey. trip: its reference; settled: questions that were answered or skipped, by their slot.

    bad_score: the mark that was given is none from 1 to 10.
    """

    model_config = ConfigDict(extra="ignore")

    trip: str | None = None
    score: int | None = None
    bad_score: bool = False
    rebook: bool | None = None
    exceeded: bool | None = None
    liked: list[str] = Field(default_factory=list)
    missed: list[str] = Field(default_factory=list)
    note: str | None = None
    settled: list[str] = Field(default_factory=list)


WORDS: dict[str, tuple[Family, type[Highlight] | type[PainPoint]]] = {
    "liked": ("highlight", Highlight),
    "missed": ("pain_point", PainPoint),
}
QUESTIONS = ("rebook", "exceeded", "liked", "missed", "note")


def take(telling: Telling, incoming: Mapping[str, Any]) -> Telling:
    """What an answer changes. said: words for the open question that stands; skip: the name of a question to leave."""
    known = telling.model_dump()
    if incoming.get("trip") is not None:
        known["trip"] = incoming["trip"]
    if incoming.get("score") is not None:
        score = int(incoming["score"] + 0.5)  # «8.5»
        known["score"] = score if 1 <= score <= 10 else None
        known["bad_score"] = known["score"] is None
    for name in ("rebook", "exceeded"):
        if incoming.get(name) is not None:
            known[name] = bool(incoming[name])
            known["settled"].append(name)
    for name in WORDS:
        if incoming.get(name) is not None:
            known[name] = list(dict.fromkeys([*known[name], str(incoming[name])]))[: domain.MOST_WORDS]
    if said := incoming.get("said"):
        _hear(known, str(said))
    if (skipped := incoming.get("skip")) in QUESTIONS:
        known["settled"].append(skipped)
    known["settled"] = list(dict.fromkeys(known["settled"]))
    return Telling.model_validate(known)


def _hear(known: dict[str, Any], said: str) -> None:
    """Her own words: the praise or the drawbacks they name, and otherwise a note, so that nothing she wrote is lost."""
    asked = next((name for name in QUESTIONS if name not in known["settled"]), "note")
    if asked in WORDS and (found := named(said, WORDS[asked][0])):
        known[asked] = list(dict.fromkeys([*known[asked], *found]))[: domain.MOST_WORDS]
    else:
        known["note"] = f"{known['note']}\n{said}" if known["note"] else said
    known["settled"].append(asked)


def seed(memory: Mapping[str, Any], incoming: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stay that was asked about, where the answer does not say which."""
    stay = memory.get("stay")
    return {} if "trip" in incoming or stay is None else {"trip": stay}


# ---------------------------------------------------------------------------------------------- asking


async def invite(turn: Turn, move: Move) -> None:
    """The day after: the first question. Nothing where the stay is not to be told of any more."""
    trip = await _trip(turn, str(move.args.get("argument", "")))
    if trip is None or trip.status is not TripStatus.COMPLETED:
        return
    if await outcomes.find(turn.conn, booking=trip.booking_id, user_id=turn.person.id) is not None:
        return
    turn.dialogue.memory["stay"] = trip.reference
    turn.add(_score_question(turn, trip))
    turn.dialogue.expecting = SCORE  # also where another question still waits below


async def ask_score_again(turn: Turn, move: Move) -> None:
    """The answer to the first question was no mark: it is put again, without the greeting."""
    trip = await _trip(turn, turn.dialogue.memory.get("stay"))
    if trip is None:
        turn.say("not_understood.first")
        return
    turn.add(_score_question(turn, trip, "outcome.score_unclear"))
    turn.dialogue.expecting = SCORE


async def ask_trip(turn: Turn, telling: Telling) -> Outcome | None:
    """Nothing was pointed at: the latest stay that is over."""
    found = await trips.of_person(turn.conn, user_id=turn.person.id, now=turn.now, limit=50)
    over = [trip for trip in found if trip.status is TripStatus.COMPLETED]
    if not over:
        turn.say("outcome.which")
        return DONE
    turn.keep(trip=max(over, key=lambda trip: trip.check_out).reference)
    return None


async def ask_score(turn: Turn, telling: Telling) -> Reply | Outcome:
    trip = await _trip(turn, telling.trip)
    if trip is None:
        turn.say("trips.not_found")
        return DONE
    turn.dialogue.memory["stay"] = trip.reference
    if turn.again:
        return _score_question(turn, trip, "outcome.ask_score_again")
    return _score_question(turn, trip, "outcome.score_unclear" if telling.bad_score else "outcome.ask_score")


def _score_question(turn: Turn, trip: Trip, key: str = "outcome.ask_score") -> Reply:
    def button(score: int) -> Button:
        return turn.button(
            "button.score", "rate_stay", slots={"trip": trip.reference, "score": score}, n=score
        )

    rows = tuple(button(score) for score in range(1, 6)), tuple(button(score) for score in range(6, 11))
    reply = turn.reply(key, hotel=_hotel_name(turn, trip))
    return with_buttons(reply, *rows, expects=SCORE)


async def ask_rebook(turn: Turn, telling: Telling) -> Reply | Outcome:
    if not await _keep(turn, telling):
        return DONE
    assert telling.score is not None
    if turn.again:
        reply = turn.reply("outcome.ask_rebook_again")
    else:
        reply = turn.reply("outcome.ask_rebook", rating=turn.texts.rating(telling.score))
    yes, no = _answer(turn, "button.yes", rebook=True), _answer(turn, "button.no", rebook=False)
    return with_buttons(reply, (yes, no, _answer(turn, "button.skip", skip="rebook")))


async def ask_exceeded(turn: Turn, telling: Telling) -> Reply | Outcome:
    if not await _keep(turn, telling):
        return DONE
    buttons = (
        _answer(turn, "button.exceeded", exceeded=True),
        _answer(turn, "button.as_expected", exceeded=False),
        _answer(turn, "button.below", exceeded=False),
    )
    return with_buttons(turn.reply("outcome.ask_exceeded"), buttons)


async def ask_liked(turn: Turn, telling: Telling) -> Reply | Outcome:
    return await _ask_words(turn, telling, "liked")


async def ask_missed(turn: Turn, telling: Telling) -> Reply | Outcome:
    return await _ask_words(turn, telling, "missed")


async def _ask_words(turn: Turn, telling: Telling, name: str) -> Reply | Outcome:
    """A list to choose from, again after each choice; words of her own settle it at once."""
    if not await _keep(turn, telling):
        return DONE
    texts, (family, codes) = turn.texts, WORDS[name]
    chosen: list[str] = getattr(telling, name)
    left = [code for code in codes if code not in chosen][:MOST_ROWS]
    rows = [turn.row(texts.say(f"{family}.{code}"), "", FILL, slots={name: code}) for code in left]
    rows.append(turn.row(texts.say("button.that_is_all"), "", FILL, slots={"skip": name}))
    if chosen:
        words = texts.join(texts.say(f"{family}.{code}") for code in chosen)
        reply = turn.reply("outcome.more", words=words)
    else:
        reply = turn.reply("outcome.ask_liked" if name == "liked" else "outcome.ask_missed")
    return with_buttons(
        reply, menu=Menu(opener=texts.say("button.list_open"), rows=tuple(rows)), expects="words"
    )


async def ask_note(turn: Turn, telling: Telling) -> Reply | Outcome:
    if not await _keep(turn, telling):
        return DONE
    reply = turn.reply("outcome.ask_note")
    return with_buttons(reply, (_answer(turn, "button.no_more", skip="note"),), expects="note")


async def thank(turn: Turn, telling: Telling) -> Outcome:
    if await _keep(turn, telling) and (trip := await _trip(turn, telling.trip)) is not None:
        assert telling.score is not None
        rating = turn.texts.rating(telling.score)
        thanks = turn.texts.say("outcome.thanks", hotel=_hotel_name(turn, trip), rating=rating)
        lines = [thanks, await foreseen(turn, trip.booking_id)]
        turn.add(turn.compose("outcome.thanks", turn.texts.lines(lines), {"score": telling.score}))
    return DONE


# ---------------------------------------------------------------------------------------------- answering


def _answer(turn: Turn, label_key: str, **slots: Any) -> Button:
    """A button that answers the question of this survey only."""
    top = turn.dialogue.top
    assert top is not None
    return Button(
        label=turn.texts.say(label_key),
        do=Meaning(name=FILL, slots=slots, args={"asked": f"outcome:{top.asked}"}),
    )


async def no_rebook(turn: Turn, telling: Telling, move: Move) -> Move:
    return Move(FILL, slots={"rebook": False})


async def no_better(turn: Turn, telling: Telling, move: Move) -> Move:
    return Move(FILL, slots={"exceeded": False})


async def nothing_liked(turn: Turn, telling: Telling, move: Move) -> Move:
    return Move(FILL, slots={"skip": "liked"})


async def nothing_missed(turn: Turn, telling: Telling, move: Move) -> Move:
    return Move(FILL, slots={"skip": "missed"})


async def no_note(turn: Turn, telling: Telling, move: Move) -> Move:
    return Move(FILL, slots={"skip": "note"})


async def _keep(turn: Turn, telling: Telling) -> bool:
    """Write what was said so far: who stops half-way has told something. False when it is not to be told any more."""
    trip = await _trip(turn, telling.trip)
    if trip is None or telling.score is None:
        turn.say("trips.not_found")
        return False
    before = await outcomes.find(turn.conn, booking=trip.booking_id, user_id=turn.person.id)
    try:
        done = await domain.record(
            turn.conn, booking=trip.booking_id, told=_told(telling, before), now=turn.now
        )
    except DomainError as refusal:
        turn.say(refusal.tell)
        return False
    if done is Recorded.RECORDED:
        turn.log(
            Action.OUTCOME,
            hotel=trip.hotel_identifier,
            booking=str(trip.booking_id),
            score=telling.score,
            demo=trip.demo or None,
        )
    return True


def _told(telling: Telling, before: outcomes.Outcome | None) -> Told:
    """What she says now; where she has not come to a question yet, what she said before."""
    settled = telling.settled

    def now_or_before(name: str, now: Any, earlier: Any) -> Any:
        return now if name in settled or now or before is None else earlier

    return Told(
        score=telling.score or 0,
        would_rebook=now_or_before("rebook", telling.rebook, before and before.would_rebook),
        exceeded=now_or_before("exceeded", telling.exceeded, before and before.exceeded_expectations),
        highlights=now_or_before("liked", tuple(map(Highlight, telling.liked)), before and before.highlights),
        pain_points=now_or_before(
            "missed", tuple(map(PainPoint, telling.missed)), before and before.pain_points
        ),
        ratings={domain.Aspect(aspect): mark for aspect, mark in before.ratings.items()} if before else {},
        note=now_or_before("note", telling.note, before and before.note),
    )


async def _trip(turn: Turn, reference: str | None) -> Trip | None:
    return await trips.find(turn.conn, user_id=turn.person.id, reference=reference) if reference else None


def _hotel_name(turn: Turn, trip: Trip) -> str:
    return trip.hotel_ar if turn.texts.language == "ar" else trip.hotel_en


def _owed(name: str) -> Any:
    return lambda telling: name not in telling.settled


OUTCOME = Flow(
    "outcome",
    Telling,
    (
        Ask("trip", ask_trip),
        Ask("score", ask_score, expects=SCORE),
        Ask(
            "rebook",
            ask_rebook,
            expects="confirm",
            missing=_owed("rebook"),
            on_affirm=lambda _: {"rebook": True},
            on_deny=no_rebook,
        ),
        Ask(
            "exceeded",
            ask_exceeded,
            expects="confirm",
            missing=_owed("exceeded"),
            on_affirm=lambda _: {"exceeded": True},
            on_deny=no_better,
        ),
        Ask("liked", ask_liked, expects="words", missing=_owed("liked"), on_deny=nothing_liked),
        Ask("missed", ask_missed, expects="words", missing=_owed("missed"), on_deny=nothing_missed),
        Ask("note", ask_note, expects="note", missing=_owed("note"), on_deny=no_note),
        Do(thank),
    ),
    begins=frozenset({"rate_stay"}),
    actions={"due_survey": invite, f"missed_{SCORE}": ask_score_again},
    accepts=frozenset({"rebook", "exceeded", "liked", "missed", "said", "skip"}),
    merge=take,
    seed=seed,
)
