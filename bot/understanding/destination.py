"""Which place is meant: one for certain, several of one name, or none we know."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.understanding.gazetteer import Area, Place, gazetteer, rank
from bot.understanding.grammar import Context, Node

CLEAR_LEAD = 0.9
"""By how much the best place of a name must outrank the next to be taken without asking (see `gazetteer.rank`)."""

_FILLERS = ("word",)

NAMES_A_PLACE = frozenset({"place", "area", "journey"})

CORRECTS = frozenset({"no", "correction", "rejected"})
"""After one of these a second place is the one that is meant («الفيوم... لا خليها اسكندرية»); so is one said twice."""


@dataclass(slots=True)
class Destination:
    place: Place | None = None
    candidates: tuple[dict[str, Any], ...] = ()
    area: Area | None = None
    unknown: str | None = None


def find_destination(text: str, nodes: Sequence[Node], context: Context) -> Destination:
    found = Destination()
    if NAMES_A_PLACE.isdisjoint([node.kind for node in nodes]):
        doubtful = _doubtful_town(nodes)
        if doubtful:
            _choose(found, doubtful, context)
        else:
            found.unknown = _unknown_place(text, nodes, context)
        return found
    rejected = {place for node in nodes if node.kind == "rejected" for place in node.value}
    named: tuple[Place, ...] = ()
    corrected = False
    heard: set[tuple[Place, ...]] = set()
    for index, node in enumerate(nodes):
        if node.kind == "journey" and node.value:
            named = node.value
            break
        if named and (node.kind in CORRECTS or (node.kind == "cue" and node.value == "change")):
            corrected = True
        if node.kind == "place" and (not named or corrected or node.value in heard):
            if rejected.issuperset(node.value) or (index > 0 and nodes[index - 1].kind == "name_word"):
                continue
            leaving = index > 0 and nodes[index - 1].kind == "from"
            another = any(other.kind == "place" for other in nodes[index + 1 :])
            if not (leaving and another):
                named = tuple(place for place in node.value if place not in rejected)
                named = _with_its_marks(text[node.start : node.end], named)
                corrected = False
        elif node.kind == "area":
            area: Area = node.value[0]
            found.area = area
            if area.city and not any(other.kind == "place" for other in nodes):
                named = (area.city,)
        if node.kind == "place":
            heard.add(node.value)
    if not named and found.area is None:
        named = _doubtful_town(nodes)
    if named:
        _choose(found, named, context)
    elif found.area is None:
        found.unknown = _unknown_place(text, nodes, context)
    return found


_TELLS_A_STAY = frozenset({
    "rejected", "hotel", "stay_type", "room", "rooms", "travel", "duration", "date", "date_range", "arrival", "calendar_month",
    "party",
})  # fmt: skip


def _doubtful_town(nodes: Sequence[Node]) -> tuple[Place, ...]:
    """«العين», «دهب», «فاس»: words that mean something else too, and a town beside what tells of a stay."""
    if _TELLS_A_STAY.isdisjoint([node.kind for node in nodes]):
        return ()
    names = gazetteer().names
    for node in nodes:
        if node.kind == "word":
            towns = tuple(p for p in names.get(node.value, ()) if isinstance(p, Place) and p.asked_for)
            if towns:
                return towns
    return ()


def _with_its_marks(said: str, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """«عمّان» with its shadda is Amman and «عُمان» is Oman: marks, when typed, decide between names that fold alike."""
    if len(places) > 1 and any("\u064b" <= character <= "\u0652" for character in said):
        exact = tuple(place for place in places if place.name_ar == said)
        if exact:
            return exact
        shadda = "\u0651" in said
        return tuple(place for place in places if ("\u0651" in place.name_ar) == shadda) or places
    return places


def _choose(found: Destination, places: tuple[Place, ...], context: Context) -> None:
    best, *close = _likely(places, context.country)
    if close:
        found.candidates = tuple(_candidate(place) for place in (best, *close)[:5])
    else:
        found.place = best


@lru_cache(maxsize=4_096)
def _likely(places: tuple[Place, ...], country: str) -> tuple[Place, ...]:
    """The best place of a name seen from a country, and those too close to it to be left out."""
    # «تونس» and «الكويت» are the cities before they are the countries.
    cities = {place.country for place in places if place.kind != "country"}
    places = tuple(place for place in places if place.kind != "country" or place.country not in cities)
    one_each = {_same(place): place for place in sorted(places, key=lambda p: (p.asked_for, p.population))}
    ranked = sorted(one_each.values(), key=lambda place: -rank(place, country))
    best = rank(ranked[0], country)
    return ranked[0], *(place for place in ranked[1:] if best - rank(place, country) < CLEAR_LEAD)


def _same(place: Place) -> tuple[str, str, str]:
    return place.country, place.name_ar, place.kind


def _candidate(place: Place) -> dict[str, Any]:
    """`region` tells two places of one name apart: the country, in Arabic."""
    return {**place.as_json(), "region": gazetteer().countries.get(place.country, place.country)}


def _unknown_place(text: str, nodes: Sequence[Node], context: Context) -> str | None:
    """The words where a place was due: after «فندق في …» or «أسافر إلى …», or the whole answer to «إلى أين؟»."""
    wish = False
    for index, node in enumerate(nodes):
        if node.kind in ("hotel", "stay_type", "travel", "room", "want", "book"):
            wish = True
        elif (
            wish
            and node.kind in ("in", "to")
            and index + 1 < len(nodes)
            and nodes[index + 1].kind in _FILLERS
        ):
            end = index + 1
            while end + 1 < len(nodes) and end < index + 3 and nodes[end + 1].kind in _FILLERS:
                end += 1
            return text[nodes[index + 1].start : nodes[end].end]
    if context.asked == "destination":
        said = [
            node for node in nodes if node.kind not in ("stop", "question", "in", "to", "bi", "li", "and")
        ]
        if said and len(said) <= 3 and all(node.kind in _FILLERS for node in said):
            return text[said[0].start : said[-1].end]
    return None
