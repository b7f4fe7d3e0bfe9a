"""Places in context: «طرابلس، لبنان», «من القاهرة إلى دبي», «المدينة وليس المنامة»."""

from collections.abc import Sequence
from typing import Any

from bot.understanding.gazetteer import Place
from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.stages import RANGES, REQUESTS

Places = tuple[Place, ...]


@RANGES.rule("place", "place (comma | in | bi)? place")
def _place_in_country(nodes: Sequence[Node], _: Context) -> Places | None:
    first, second = values(nodes, "place")
    orders = ((first, second),) if has(nodes, "comma") else ((first, second), (second, first))
    for inner, outer in orders:
        countries = {place.country for place in outer if place.kind in ("country", "region", "island")}
        inside = tuple(place for place in inner if place.country in countries and place.kind == "city")
        if inside and not any(place.kind == "city" for place in outer):
            return inside
    return None


@REQUESTS.rule(
    "rejected",
    "cue place !(to | li | bi | in) | (not | swap) (in | bi | li | to)? place"
    " | yes_or_not place | no yes_or_not (in | bi)? place",
)
def _not_there(nodes: Sequence[Node], _: Context) -> Any:
    """«مش شرم», «عوف اربيل»."""
    if nodes[0].kind == "cue" and nodes[0].value != "leave":
        return None
    return values(nodes, "place")[0]


@REQUESTS.rule("journey", "cue place no place")
def _this_not_that(nodes: Sequence[Node], _: Context) -> Places | None:
    """«أقصد العقبة لا عمّان»."""
    return values(nodes, "place")[0] if nodes[0].value == "change" else None


@REQUESTS.rule("journey", "from place (and)? (to | li | in | dash | bi) place")
@REQUESTS.rule("journey", "self from place")
@REQUESTS.rule("journey", "no place comma place")
@REQUESTS.rule("journey", "(cue | swap) place (to | li | bi | in) place")
def _journey(nodes: Sequence[Node], _: Context) -> Places | None:
    said = values(nodes, "place")
    if nodes[0].kind == "cue" and nodes[0].value != "change":
        return None
    return said[1] if len(said) > 1 else ()
