"""From an event to moves: text through understanding, buttons through their tokens, everything else by its kind."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import Connection

from bot.dialogue.moves import AFFIRM, BACK, DENY, FILL, LEAVE, MISS, RESUME, Move
from bot.dialogue.state import Dialogue
from bot.domain.links import code_in
from bot.events import Command, Due, Event, Location, Media, Press, Text, Unsupported
from bot.understanding import Understanding
from db import turns

MOST_READ = 2_000
"""Code points of one text that are understood; a sentence about a trip is far shorter, and nobody is answered about an essay."""

MOVE_OF_COMMAND = {
    "start": "start",
    "search": "new_search",
    "trips": "trips",
    "invite": "referral",
    "language": "language",
    "help": "help",
    "human": "human",
    "cancel": LEAVE,
    "privacy": "privacy",
    "link": "join_logins",
}

MOVE_OF_INTENT = {
    "search_hotels": "search",
    "my_trips": "trips",
    "affirm": AFFIRM,
    "deny": DENY,
    "leave": LEAVE,
    "back": BACK,
    "resume": RESUME,
    "inform": FILL,
    "hotel_details": "open_hotel",
}
"""Where the two vocabularies differ; every other intent is a move of its own name."""

CHANGES = {
    "change_dates": "dates",
    "change_budget": "budget",
    "change_destination": "destination",
    "change_guests": "guests",
}

SCORE = "rating"
OPEN = frozenset({"words", "note"})
"""Questions that are answered in whatever words (`expects`), as long as they are about nothing else."""
SPOKEN = frozenset({"inform", "out_of_scope", "unsure", "search_hotels", "read_reviews"})
"""Intents that a guest's own words about a stay may look like."""
ELSEWHERE = frozenset({"destination", "check_in", "check_out", "month", "guest_name"})

UNANSWERED = frozenset({"reaction", "number_changed"})
"""What nobody expects an answer to."""

POINTERS = frozenset({"choices", "language", "hotel_name"})
"""Slots that point at something on show instead of describing a stay."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one event means. `transcript`: how it reads in the transcript; `pressed`: the outbox row whose button it was."""

    moves: tuple[Move, ...]
    transcript: str
    pressed: int | None = None
    fate: str = "ok"
    emotional_state: str = "neutral"
    cut: bool = False


Understand = Callable[[str], Understanding]


async def read(
    conn: Connection,
    event: Event,
    *,
    conversation: UUID,
    dialogue: Dialogue,
    understand: Understand,
    expects: str | None = None,
) -> Read:
    """Read an event within its conversation. expects: what its text would answer."""
    match event.content:
        case Text(text=text):
            token = dialogue.labels.get(plain(text))
            if token:
                return await _press(conn, token, text, conversation)
            if code := join_code(text):
                return Read((Move("join_code", slots={"join_code": code}),), "[LINK-…]")
            if code := code_in(text):  # a wa.me link carries it in the words it brings
                return Read((Move("start", args={"argument": code}),), text)
            said = _text(text, understand, expects)
            if place := _named(text, dialogue):
                books = said.moves[0].name == "book" or _BOOKS.search(text) is not None
                pointing = Move("book" if books else "choose", args={"choices": [place]})
                return dataclasses.replace(said, moves=(pointing,))
            return said
        case Command(name=name, argument=argument):
            move = MOVE_OF_COMMAND.get(name)
            transcript = f"/{name} {argument}".strip()
            if move is None:
                return Read((Move("help"),), transcript)
            return Read((Move(move, args={"argument": argument} if argument else {}),), transcript)
        case Press(token=token, label=label):
            return await _press(conn, token, label, conversation)
        case Location() as place:
            args = {"latitude": place.latitude, "longitude": place.longitude}
            return Read((Move("location", args=args),), f"[{place.name or 'location'}]")
        case Media(kind=kind, caption=caption):
            if caption.strip():
                said = _text(caption, understand, expects)
                return Read(
                    said.moves,
                    f"[{kind}] {said.transcript}",
                    emotional_state=said.emotional_state,
                    cut=said.cut,
                )
            return Read((Move("media", args={"kind": kind}),), f"[{kind}]")
        case Due(name=name, argument=argument):
            return Read((Move(f"due_{name}", args={"argument": argument}),), "")
        case Unsupported(kind=kind) if kind in UNANSWERED:
            return Read((), f"[{kind}]")
        case Unsupported(kind=kind):
            return Read((Move("media", args={"kind": kind}),), f"[{kind}]")


async def _press(conn: Connection, token: str, label: str, conversation: UUID) -> Read:
    base, dot, day = token.partition(".")
    pressed = await turns.press(conn, conversation=conversation, token=base)
    if pressed.command is None or pressed.fate != "ok":
        return Read((), label or "[button]", fate=pressed.fate)
    command = Move(**pressed.command)
    if dot:
        slot, chosen = command.args.get("slot"), _day(day)
        if slot is None or chosen is None:
            return Read((), label or "[button]", fate="unknown")
        command = Move(command.name, slots={**command.slots, str(slot): chosen}, args=command.args)
    return Read((command,), label or pressed.label, pressed=pressed.outbox_id)


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def join_code(text: str) -> str | None:
    """The code within a text that joins two logins, as `LINK-XXXX-XXXX-XXXX` is written by people; 12 letters and digits.

    It is kept out of the transcript.
    """
    found = _JOIN_CODE.search(_latin_digits(text[:MOST_READ]))
    return re.sub(r"\W|_", "", found[1]).upper() if found else None


def _latin_digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


_JOIN_CODE = re.compile(r"(?i)(?<![a-z0-9])link((?:[\W_]*[2-9a-hjkmnp-z]){12})(?![a-z0-9])")


def _named(text: str, dialogue: Dialogue) -> int | None:
    """The place of the hotel on show that is called by its name, or by all of it but «فندق»; only of one."""
    said = plain(text)
    shown = enumerate(dialogue.memory.get("shown", {}).get("names", ()), start=1)
    called = [place for place, names in shown if any(_KIND.sub("", plain(name)) in said for name in names)]
    return called[0] if len(called) == 1 else None


_KIND = re.compile(r"^(?:فندق|منتجع|نزل|شقق) | (?:hotel|resort|inn|residence)$")
_BOOKS = re.compile(r"(?i)(?:^|\s)(?:[اأن]?حجز\w*|book|reserve)(?:\s|$)")
_CONFIRMS = re.compile(r"(?:كد|كيد)\w* (?:لي )?(?:ال)?حجز|confirm\w* (?:\w+ )?(?:booking|reservation)")
_QUESTION = re.compile(r"[?؟]|^\s*(?:هل|واش)\s")


def _text(text: str, understand: Understand, expects: str | None) -> Read:
    if not text.strip():
        return Read((Move("empty"),), text)
    found = understand(text[:MOST_READ])
    moves = _answer(found, text[:MOST_READ], expects) or moves_of(found)
    if moves[0].name == MISS and expects == SCORE:
        moves = (Move(MISS),)  # «كان وسخًا» is said of a stay, not of us
    if moves[0] in (Move(MISS), Move("out_of_scope")) and _only_pictures(text):
        moves = (Move("media", args={"kind": "sticker"}),)
    if moves[0].name == AFFIRM and _CONFIRMS.search(plain(text)):
        # «أؤكد الحجز» sent twice is no «yes» to the question that came in between.
        moves = (Move("book"),)
    elif moves[0].name == FILL and moves[0].slots.keys() == {"amenities"} and found.intent == "inform":
        args = {"question": _QUESTION.search(text) is not None}
        moves = (Move("ask_amenities", slots=moves[0].slots, args=args),)
    return Read(moves, text, emotional_state=found.emotional_state, cut=len(text) > MOST_READ)


def _only_pictures(text: str) -> bool:
    """«🙂🙂»: nothing but emojis, which nobody expects to be read."""
    kinds = {unicodedata.category(c) for c in text if not c.isspace()}
    return "So" in kinds and kinds <= {"So", "Sk", "Mn", "Cf"}


def _answer(found: Understanding, text: str, expects: str | None) -> tuple[Move, ...]:
    """The text as the answer to a question about a stay that is over; nothing where it is about something else."""
    if expects == SCORE and found.slots.keys() == {"rating_min"}:
        return (Move("rate_stay", slots={"score": found.slots["rating_min"]}),)
    elsewhere = found.slots.keys() & ELSEWHERE or found.intent not in SPOKEN
    if expects in OPEN and (not elsewhere or (found.intent == "affirm" and len(text.split()) > 1)):
        return (Move(FILL, slots={"said": text.strip()}),)
    return ()


def moves_of(found: Understanding) -> tuple[Move, ...]:
    """The moves of an understood text.

    Values that come with a «yes» or «no» win over it: «yes, but in Medina» corrects and consents to nothing.
    """
    slots: dict[str, Any] = {name: value for name, value in found.slots.items() if name not in POINTERS}
    if found.candidates and "destination" not in slots:
        slots["candidates"] = list(found.candidates)
    if found.unknown_place and "destination" not in slots:
        slots["unknown_place"] = found.unknown_place
    if found.problems:
        slots["problems"] = list(found.problems)
    if slots.keys() & {"check_in", "check_out"} and _bare_days(found):
        slots["bare_days"] = True
    args = {name: found.slots[name] for name in POINTERS if name in found.slots}
    intent = found.intent
    if intent == "out_of_scope" and not slots and found.emotional_state == "frustrated":
        return (Move(MISS, args={"frustrated": True}),)
    if intent == "out_of_scope" and found.unrecognized and not slots:
        return (Move(MISS),)
    if intent in CHANGES and not slots:
        return (Move("change", args={"what": CHANGES[intent]}),)
    if intent in CHANGES or (intent in {"affirm", "deny", "out_of_scope"} and slots):
        return (Move(FILL, slots=slots),)
    if intent == "inform":
        return _informed(slots, args)
    if intent == "search_hotels" and "hotel_name" in args:
        slots["hotel_name"] = args["hotel_name"]
    return (Move(MOVE_OF_INTENT.get(intent, intent), slots=slots, args=args),)


def _informed(slots: Mapping[str, Any], args: Mapping[str, Any]) -> tuple[Move, ...]:
    if slots:
        return (Move(FILL, slots=slots, args=args),)
    if "choices" in args or "hotel_name" in args:
        return (Move("choose", args=args),)
    return (Move(MISS),)


def _bare_days(found: Understanding) -> bool:
    """Whether the dates were said as mere days of some month: «من 10 إلى 14»."""
    said = [entity.text for entity in found.entities if entity.type in {"date", "date_range", "number"}]
    return bool(said) and all(_BARE_DAYS.fullmatch(text) for text in said)


_BARE_DAYS = re.compile(r"(?:\d{1,2}|من|الى|إلى|لـ?|حتى|لغاية|لين|يوم|from|to|till|until|the|[\s،,-])+")


def plain(text: str) -> str:
    """A label as people retype it: no vowel marks, no tatweel, no case, no outer punctuation; but a
    question stays a question: «أؤكّد الحجز؟» presses nothing."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c) and c != "ـ"
    )
    return " ".join(bare.casefold().split()).strip(" .!،")
