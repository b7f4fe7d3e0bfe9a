"""Numbers in words and digits, ordinals, percentages."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.stages import NUMBERS, RANGES

BELOW_HUNDRED = "(unit and ten | unit | ten)"
BELOW_THOUSAND = f"(hundred (and {BELOW_HUNDRED})? | hundred {BELOW_HUNDRED} | {BELOW_HUNDRED})"
THOUSANDS = f"(({BELOW_THOUSAND} | digits | year) (thousand | alfa) | thousand_dual | thousand | alfa)"
MILLIONS = f"(({BELOW_THOUSAND} | digits) million | million_dual | million)"

SHORTHAND = {"half": 0.5, "quarter": 0.25}


class Number(NamedTuple):
    value: int | float
    typed: bool  # in digits: a day or an amount; a small number in words more often counts something


def _sum(nodes: Sequence[Node]) -> int | float:
    """Read a compound: what stands before «ألف» or «مليون» multiplies it, the rest is added."""
    total: int | float = 0
    group: int | float = 0
    scale: int | float = 1
    for node in nodes:
        match node.kind:
            case "thousand" | "million":
                scale = node.value
                total += (group or 1) * scale
                group = 0
            case "alfa":  # «خمسين ألفا», but «ألفا ريال» are two thousand
                scale = node.value
                total += (group or 2) * scale
                group = 0
            case "thousand_dual" | "million_dual":
                scale = node.value // 2
                total += node.value
            case "half" | "quarter":
                total += group
                group = 0
                total += SHORTHAND[node.kind] * scale
            case "hundred":
                group = group * 100 if group and node.value == 100 and group < 10 else group + node.value
            case "and":
                pass
            case _:
                group += node.value
    total += group
    return int(total) if total == int(total) else round(total, 2)


@NUMBERS.rule("number", f"{MILLIONS} (and {THOUSANDS})? (and ({BELOW_THOUSAND} | digits))?")
@NUMBERS.rule("number", f"{THOUSANDS} (and ({BELOW_THOUSAND} | digits) !thousand)?")
@NUMBERS.rule("number", BELOW_THOUSAND)
def _number_words(nodes: Sequence[Node], _: Context) -> Number:
    return Number(_sum(nodes), has(nodes, "digits"))


@NUMBERS.rule("number", f"({MILLIONS} | {THOUSANDS} | digits) and (half | quarter)")
@NUMBERS.rule("number", "(half | quarter) (million | thousand)")
def _number_and_fraction(nodes: Sequence[Node], _: Context) -> Number:
    if nodes[0].kind in ("half", "quarter"):
        return Number(int(SHORTHAND[nodes[0].kind] * nodes[1].value), False)
    return Number(_sum(nodes), has(nodes, "digits"))


@NUMBERS.rule("number", "unit and (half | quarter)")
def _unit_and_fraction(nodes: Sequence[Node], _: Context) -> Number:
    """«ثمانية ونصف»."""
    return Number(nodes[0].value + SHORTHAND[nodes[2].kind], False)


@NUMBERS.rule("number", "budget thousand")
def _eight_thousand(nodes: Sequence[Node], _: Context) -> Number | None:
    """«ثمن» is a price and, before what it counts, an eight."""
    return Number(nodes[0].value * nodes[1].value, False) if nodes[0].value else None


@NUMBERS.rule("number", "digits")
def _digits(nodes: Sequence[Node], _: Context) -> Number:
    return Number(nodes[0].value, True)


@NUMBERS.rule("percent", "(digits | unit | ten | hundred) percent_sign")
def _percent(nodes: Sequence[Node], _: Context) -> int | float:
    return _sum(nodes[:1])


@NUMBERS.rule("ordinal", "ordinal_word and (ordinal_ten | ten)")
@NUMBERS.rule("ordinal", "ordinal_word | ordinal_ten")
def _ordinal(nodes: Sequence[Node], _: Context) -> int:
    return sum(values(nodes, "ordinal_word", "ordinal_ten", "ten"))


@NUMBERS.rule("ordinal", "rank_word (digits | unit)")
def _ranked(nodes: Sequence[Node], _: Context) -> int:
    return int(nodes[1].value)


@RANGES.rule(
    "rejected_number",
    "(not | swap) (from | in | bi | li)? (number | ordinal | money | people | adults | children | rooms | duration)",
)
@RANGES.rule("rejected_number", "no number")
def _not_so_many(nodes: Sequence[Node], context: Context) -> str | None:
    """«٤ مش ٣», «خمس ليالٍ بدلًا من ثلاث»; after a question «لا ٣» is the answer 3."""
    return nodes[-1].kind if nodes[0].kind != "no" or context.asked is None else None
