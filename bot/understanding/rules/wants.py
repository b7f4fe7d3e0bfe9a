"""Stars, rating: what is asked of the hotel itself."""

from collections.abc import Sequence

from bot.understanding.grammar import Context, Node, values
from bot.understanding.rules.days import number
from bot.understanding.rules.numbers import Number
from bot.understanding.rules.stages import RANGES, REQUESTS, VALUES


def eats_in(nodes: Sequence[Node], index: int) -> bool:
    """Whether the restaurant at `index` is one that a hotel should have, and not one to book or to be near."""
    return nodes[index - 1].kind != "near" and any(
        node.kind in ("hotel", "stay_type") for node in nodes[:index]
    )


@VALUES.rule("stars", "number star | star_dual | stars_known | star number !unit_night")
def _stars(nodes: Sequence[Node], _: Context) -> int | None:
    known = values(nodes, "star_dual", "stars_known")
    said = known[0] if known else next(number(node) for node in nodes if node.kind == "number")
    return said if said is not None and 1 <= said <= 7 else None


@VALUES.rule(
    "rating",
    "rating_word (bi | in | on | from | not | stop)* (at_least | at_most | raise)*"
    " number ((out_of | from | on) number)? at_least?",
)
@VALUES.rule("rating", "at_least rating_word (in | on | from | word)? number")
@VALUES.rule("rating", "number (out_of | from | on) number rating_word?")
def _rating(nodes: Sequence[Node], _: Context) -> int | float | None:
    value, *scale = (node.value.value for node in nodes if isinstance(node.value, Number))
    if scale not in ([], [10]):
        return None
    return value if 0 <= value <= 10 else None


@VALUES.rule(
    "wish",
    "view (word | room)? (on | bi | li | in | to | from | of_it)* (amenity | area | place | generic | nile)",
)
def _view(nodes: Sequence[Node], _: Context) -> str | None:
    """«تطل غرفته على الكعبة», «فيو بحر»."""
    seen = nodes[-1]
    if seen.kind == "amenity":
        views = {"beach": "sea_view", "near_beach": "sea_view", "near_haram": "haram_view"}
        return views.get(seen.value, str(seen.value))
    if seen.kind == "area":
        holy = "kaaba_view" if "كعبة" in seen.value[0].name else "haram_view"
        return holy if seen.value[0].amenity else None
    return "nile_view" if seen.kind == "nile" else "city_view"


@VALUES.rule("wish", "carry (word | self)? (from | to | li | in | bi)* (and (to | li))? airport")
def _fetched(_: Sequence[Node], __: Context) -> str:
    return "airport_transfer"


@VALUES.rule("wish", "near (in | from | li | bi | to | on)* amenity")
def _near_the_beach(nodes: Sequence[Node], _: Context) -> str | None:
    """«greeb mn el ba7r»."""
    return "near_beach" if nodes[-1].value == "beach" else None


@VALUES.rule("wish", "(on | near) nile")
def _on_the_nile(_: Sequence[Node], __: Context) -> str:
    return "nile_view"


@RANGES.rule("rejected_wish", "(no | not | neg | without) (in | bi)? amenity")
def _unwanted(nodes: Sequence[Node], _: Context) -> str:
    """«بلاش فطار», «مش لازم مسبح»."""
    return str(nodes[-1].value)


@RANGES.rule("rejected_level", "not price_level")
def _not_that_level(nodes: Sequence[Node], _: Context) -> str:
    return str(nodes[-1].value)


@VALUES.rule("level_said", "(not | neg | no | without) dear")
def _not_dear(_: Sequence[Node], __: Context) -> str:
    return "cheap"


@VALUES.rule("sort_said", "rating_word high | high rating_word")
def _best_rated(_: Sequence[Node], __: Context) -> str:
    """«اللي تقييمهم عالي»."""
    return "rating"


@RANGES.rule(
    "sort_said",
    "price_level (word | current)* (first | ordinal) !(month | moving_month | day_word | unit_week | from | in)",
)
def _this_level_first(nodes: Sequence[Node], _: Context) -> str | None:
    """«الرخاص اللولين»."""
    first = nodes[-1].kind == "first" or nodes[-1].value == 1
    return "price" if nodes[0].value == "cheap" and first else None


@REQUESTS.rule("times", "when (word | in | bi | to | want)* (check_in | check_out)")
@REQUESTS.rule("times", "(check_in | check_out) (word | in)? when")
def _times(_: Sequence[Node], __: Context) -> str:
    """«متى وقت الدخول؟»."""
    return "times"


@RANGES.rule("stars", "(at_least | from) stars | stars (at_least)?")
def _stars_at_least(nodes: Sequence[Node], _: Context) -> int:
    return int(values(nodes, "stars")[0])
