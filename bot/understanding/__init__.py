"""Arabic as travelers write it, turned into one intent and its slots.

    text ─ tokens ─ words, places, numerals ─ NUMBERS ─ VALUES ─ RANGES ─ REQUESTS ─ slots, intent, mood

Pure and deterministic: the same text, clock and question always give the same answer. Words are data (`words/*.tsv`,
`places/*.tsv`, `moods.tsv`); rules are patterns over kinds of words (`rules/`), run by `grammar.py`.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bot.understanding.confidence import calibrated, evidence
from bot.understanding.destination import Destination, find_destination
from bot.understanding.grammar import Context, Node, parse
from bot.understanding.intents import Intent, intent_of
from bot.understanding.model import Entity, Understanding
from bot.understanding.mood import mood_of
from bot.understanding.negation import without_the_denied
from bot.understanding.past import without_the_past
from bot.understanding.reading import read
from bot.understanding.rules import dates, feasts, money, numbers, people, places, ranges, wants  # noqa: F401 - they register
from bot.understanding.rules.stages import NUMBERS, RANGES, REQUESTS, VALUES
from bot.understanding.slots import Filling, fill
from bot.understanding.tokens import Token

__all__ = ["Entity", "Understanding", "understand"]

NOTHING = 0.6
"""The judges' confidence in «out of scope» when they only lack anything that speaks for a stay."""

SHARED = frozenset({"choices", "hotel_name", "destination", "area"})

ENTITY_TYPES = {
    "date": "date",
    "date_range": "date_range",
    "calendar_month": "date_range",
    "duration": "duration",
    "number": "number",
    "year": "number",
    "ordinal": "ordinal",
    "money": "money",
    "place": "place",
    "party": "person_count",
    "percent": "percent",
}


def understand(
    text: str,
    *,
    now: datetime,
    timezone: str = "Africa/Cairo",
    locale: str = "ar-EG",
    asked: str | None = None,
) -> Understanding:
    """What `text` says, heard at `now` (local time in `timezone` when naive) after the bot asked for `asked`.

    Never raises, whatever the text: what cannot be read is out of scope.
    """
    heard = hear(text, now=now, timezone=timezone, locale=locale, asked=asked)
    return Understanding(
        intent=heard.intent.name,
        slots=heard.filling.slots,
        entities=_entities(text, heard.context.found),
        emotional_state=mood_of(text, heard.tokens),
        confidence=calibrated(evidence(heard.intent, [node.kind for node in heard.nodes])),
        candidates=heard.destination.candidates,
        unknown_place=heard.destination.unknown,
        problems=tuple(heard.filling.problems),
        unrecognized=heard.intent.name == "out_of_scope" and heard.intent.confidence <= NOTHING,
    )


class Heard(NamedTuple):
    """Everything that led to an understanding; `explanation.py` tells it."""

    tokens: list[Token]
    nodes: list[Node]
    destination: Destination
    filling: Filling
    intent: Intent
    context: Context


def hear(text: str, *, now: datetime, timezone: str, locale: str, asked: str | None) -> Heard:
    today = (now.astimezone(ZoneInfo(timezone)) if now.tzinfo else now).date()
    country = locale.replace("_", "-").rpartition("-")[2].upper()
    context = Context(today, country, asked)
    tokens, nodes = read(text, context)
    nodes = without_the_denied(text, without_the_past(nodes))
    context.places = tuple([node.value[0].country for node in nodes if node.kind == "place" and node.value])
    nodes = parse(nodes, (NUMBERS, VALUES, RANGES, REQUESTS), context)
    destination = find_destination(text, nodes, context)
    price_asked = any(node.kind == "cue" and node.value in ("ask_price", "ask_night") for node in nodes)
    filling = fill(text, nodes, destination, context, price_asked=price_asked)
    intent = intent_of(nodes, filling.slots, destination, context)
    if intent.name == "out_of_scope" and filling.problems:
        intent = Intent("inform", 0.8, "problem")
    elif intent.name == "out_of_scope" or intent.name == "human":
        filling.slots = {}
    elif intent.name == "share":  # with whom a hotel is shared does not travel
        filling.slots = {name: value for name, value in filling.slots.items() if name in SHARED}
    if asked == "name" and (name := filling.slots.get("guest_name") or _person_name(text, intent)):
        filling.slots = {"guest_name": name}
        intent = Intent("inform", 0.9, "name")
    return Heard(tokens, nodes, destination, filling, intent, context)


NOT_A_COMMAND = frozenset({"out_of_scope", "inform", "search_hotels", "greet"})
ANSWERS = frozenset({"affirm", "deny", "leave", "back", "stop", "human", "help", "thanks", "resume"})
"""What may answer «in whose name?» besides a name, and is often one or two words with capitals («No Thanks»)."""


def _person_name(text: str, intent: Intent) -> str | None:
    """The text as a name, when it is made of two to six words of letters and is no command."""
    opening, comma, rest = text.replace("،", ",").partition(",")
    introduced = bool(comma and rest.strip() and len(opening.split()) == 1)  # «بالطبع، Jesse»
    said = " ".join((rest if introduced else text).split())
    latin = said.istitle() and not any("\u0600" <= letter <= "\u06ff" for letter in said)
    if intent.name not in NOT_A_COMMAND and not (latin and (introduced or intent.name not in ANSWERS)):
        return None
    for opening in ("اسمي هو ", "اسمي ", "باسم ", "أنا ", "انا ", "my name is ", "i am ", "i'm "):
        if said.lower().startswith(opening):
            said = said[len(opening) :]
    words = said.strip(" .،,!").split()
    looks_right = 1 <= len(words) <= 6 and all(
        unicodedata.category(c)[0] in "LM" or c in "-'’." for word in words for c in word
    )
    return " ".join(words) if looks_right and len(said) <= 80 else None


def _entities(text: str, found: Sequence[Node]) -> tuple[Entity, ...]:
    spans: dict[tuple[str, int, int], Entity] = {}
    for node in found:
        kind = ENTITY_TYPES.get(node.kind)
        if kind and (kind, node.start, node.end) not in spans:
            said = text[node.start : node.end]
            entity = Entity(kind, node.start, node.end, said, _value(kind, node), node.rule)
            spans[kind, node.start, node.end] = entity
    return tuple(sorted(spans.values(), key=_place_in_text))


def _place_in_text(entity: Entity) -> tuple[int, int, str]:
    return entity.start, -entity.end, entity.type


def _value(kind: str, node: Node) -> Any:
    if kind == "number":
        return {"value": getattr(node.value, "value", node.value)}
    if kind in ("ordinal", "percent"):
        return {"value": node.value}
    if kind == "place":
        return node.value[0].as_json() if node.value else {}
    if kind == "person_count":
        return {"value": node.value.value}
    return node.value.as_json()
