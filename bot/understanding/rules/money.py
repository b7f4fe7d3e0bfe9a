"""Prices and budgets, and which currency a shared name means."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.numbers import Number
from bot.understanding.rules.stages import RANGES, VALUES

NUMBER = "(number | year | hijri_year)"

COUNTED = "(unit_night | unit_day | person | star | room)"
LEAST_CHANGED = 100
"""An amount from which «make it …» means the price."""

LEAST_BARE = 32
"""An amount from which a number without a currency can be a price: smaller ones are days, nights, guests."""

FAMILIES = {
    # What a shared name means by the traveler's country; «*» elsewhere.
    "riyal": {"SA": "SAR", "QA": "QAR", "OM": "OMR", "YE": "YER", "IR": "IRR", "*": "SAR"},
    "pound": {"EG": "EGP", "SD": "SDG", "GB": "GBP", "LB": "LBP", "SY": "SYP", "*": "EGP"},
    "dinar": {
        "KW": "KWD", "BH": "BHD", "JO": "JOD", "IQ": "IQD", "LY": "LYD", "TN": "TND", "DZ": "DZD", "PS": "JOD", "*": "KWD",
    },
    "dirham": {"AE": "AED", "MA": "MAD", "EH": "MAD", "*": "AED"},
    "lira": {"LB": "LBP", "SY": "SYP", "TR": "TRY", "*": "TRY"},
}  # fmt: skip


class Money(NamedTuple):
    value: int | float
    currency: str | None  # an ISO code, a family still to be decided by country, or None: a bare amount
    per: str | None = None  # «night» when it was said in the same breath

    def as_json(self) -> dict[str, Any]:
        return {"value": self.value, "currency": self.currency}


class Budget(NamedTuple):
    minimum: Money | None = None
    maximum: Money | None = None
    delta: Money | None = None
    per: str | None = None


def currency_of(name: str, countries: Sequence[str]) -> str | None:
    """The ISO code of a currency name; for a shared name the first country that uses it decides."""
    if name == "money":
        return None
    family = FAMILIES.get(name)
    if family is None:
        return name
    return next((family[country] for country in countries if country in family), family["*"])


def _amount(node: Node) -> int | float:
    return node.value.value if isinstance(node.value, Number) else node.value


@VALUES.rule("money", f"{NUMBER} currency")
@VALUES.rule("money", f"currency {NUMBER}")
@VALUES.rule("money", f"{NUMBER} currency (in | bi | li | on)? this_night")
@VALUES.rule("money", f"{NUMBER} currency (in | bi | li) unit_night !number")
def _money(nodes: Sequence[Node], context: Context) -> Money:
    amount = next(node for node in nodes if node.kind in ("number", "year", "hijri_year"))
    name = values(nodes, "currency")[0]
    per = "night" if has(nodes, "this_night", "unit_night") else None  # «٧٠٠ درهم الليلة»
    return Money(_amount(amount), currency_of(name, (context.country, *context.places)), per)


@VALUES.rule("money", f"this_night (bi | in | li) {NUMBER} currency?")
def _night_for(nodes: Sequence[Node], context: Context) -> Money | None:
    """«الليلة بميتين درهم»."""
    amount = next(node for node in nodes if node.kind in ("number", "year", "hijri_year"))
    name = next(iter(values(nodes, "currency")), "money")
    if name == "money" and _amount(amount) < LEAST_BARE:
        return None
    return Money(_amount(amount), currency_of(name, (context.country, *context.places)), "night")


@VALUES.rule("money", f"{NUMBER} currency nation")
def _money_of_a_country(nodes: Sequence[Node], _: Context) -> Money:
    """«٤٠ ريالا عمانيا»."""
    return Money(_amount(nodes[0]), currency_of(values(nodes, "currency")[0], values(nodes, "nation")))


@VALUES.rule("money", f"{NUMBER} le !(number | month)")
def _pounds(nodes: Sequence[Node], _: Context) -> Money:
    """«500 LE»; «le 3 octobre» is French."""
    return Money(_amount(nodes[0]), "EGP")


@VALUES.rule("money", f"{NUMBER} (in | bi | li)? (this_night | per_night | per_stay)")
def _amount_per_night(nodes: Sequence[Node], _: Context) -> Money | None:
    """«بألف ونص الليلة»: no currency, but nothing except a price goes by the night."""
    amount = _amount(nodes[0])
    return (
        Money(amount, None, "stay" if has(nodes, "per_stay") else "night") if amount >= LEAST_BARE else None
    )


def _as_money(node: Node, currency: str | None = None) -> Money:
    if isinstance(node.value, Money):
        return node.value
    return Money(_amount(node), currency)


@RANGES.rule("budget_said", f"from? (between)? ({NUMBER} | ordinal | money) (to | li | dash | and) money")
@RANGES.rule(
    "budget_said", f"budget? (in | bi | on)? (from | between) {NUMBER} (to | li | and | dash) {NUMBER}"
)
def _between(nodes: Sequence[Node], _: Context) -> Budget | None:
    low, high = (node for node in nodes if node.kind in ("number", "ordinal", "year", "hijri_year", "money"))
    top = _as_money(high)
    bottom = _as_money(low, top.currency)
    if has(nodes, "and") and not has(nodes, "between"):
        return None
    if bottom.value >= top.value or (top.currency is None and top.value <= 31 and not has(nodes, "budget")):
        return None
    return Budget(bottom, top)


@RANGES.rule(
    "budget_said",
    f"(not | no | neg) (want | word | budget | in | bi)* (exceed | at_least) (on | in | from)? (money | {NUMBER}) !{COUNTED}",
)
def _no_more_than(nodes: Sequence[Node], _: Context) -> Budget:
    """«ما بدي أدفع أكتر من ٢٠٠»: a denied «more than» is a maximum."""
    return Budget(maximum=_as_money(nodes[-1]))


@RANGES.rule("budget_said", f"at_least ({NUMBER} | money) and? (no | or)? at_most (in | on)? money")
def _from_least_to_most(nodes: Sequence[Node], _: Context) -> Budget:
    low, high = (node for node in nodes if node.kind in ("number", "year", "hijri_year", "money"))
    top = _as_money(high)
    return Budget(_as_money(low, top.currency), top)


@RANGES.rule("budget_said", "at_most around? money")
@RANGES.rule("budget_said", f"budget (in | bi | on | comma)? at_most (in | on)? (money | {NUMBER})")
@RANGES.rule("budget_said", "to money")
@RANGES.rule("budget_said", f"(money | {NUMBER}) at_most")
@RANGES.rule("budget_said", "at_most (number | year) !unit_night !unit_day !person !star !room")
def _maximum(nodes: Sequence[Node], context: Context) -> Budget | None:
    said = next(node for node in nodes if node.kind in ("money", "number", "year", "hijri_year"))
    if (
        said.kind == "number"
        and not has(nodes, "budget")
        and context.asked != "budget"
        and _amount(said) < 50
    ):
        return None
    return Budget(maximum=_as_money(said))


@RANGES.rule("budget_said", "(at_least | from) money at_least?")
@RANGES.rule("budget_said", "money at_least")
@RANGES.rule("budget_said", f"({NUMBER} at_least | at_least {NUMBER}) !{COUNTED}")
@RANGES.rule("budget_said", f"budget (in | bi | on)? at_least (in | on)? (money | {NUMBER})")
def _minimum(nodes: Sequence[Node], context: Context) -> Budget | None:
    if not has(nodes, "money", "budget") and context.asked != "budget":
        return None
    said = next(node for node in nodes if node.kind in ("money", "number", "year", "hijri_year"))
    return Budget(minimum=_as_money(said))


@RANGES.rule(
    "budget_said",
    f"budget (in | bi | on | comma | li | became)* around? (in | bi)? (money | {NUMBER}) !{COUNTED}",
)
@RANGES.rule("budget_said", "around (in | bi)? money")
@RANGES.rule("budget_said", "money around")
def _about(nodes: Sequence[Node], _: Context) -> Budget | None:
    said = next(node for node in nodes if node.kind in ("money", "number", "year", "hijri_year"))
    return Budget(maximum=_as_money(said))


@RANGES.rule(
    "budget_said",
    f"(raise | lower) (budget | bi | on | in | day_word | from)* (money | {NUMBER}) !unit_night !unit_day !person",
)
@RANGES.rule(
    "budget_said", f"(raise | lower) (budget | on | in)* (li | to) (money | {NUMBER}) !unit_night !unit_day"
)
@RANGES.rule("budget_said", f"cue (li | bi | to | in)? (money | {NUMBER}) !unit_night !unit_day !person")
def _change(nodes: Sequence[Node], _: Context) -> Budget | None:
    said = _as_money(nodes[-1])
    so_much = nodes[-1].kind in ("number", "money") and said.value >= LEAST_CHANGED  # «خليها ألف»
    if (
        nodes[0].kind == "cue"
        and nodes[0].value != "change_budget"
        and not (nodes[0].value == "change" and so_much)
    ):
        return None
    if nodes[0].kind == "cue" or has(nodes, "li", "to"):
        return Budget(maximum=said)
    return Budget(delta=said._replace(value=-said.value) if nodes[0].kind == "lower" else said)


@RANGES.rule("budget_said", "money")
def _plain_money(nodes: Sequence[Node], _: Context) -> Budget:
    return Budget(maximum=nodes[0].value)
