"""Guests, children and their ages, rooms."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.days import number
from bot.understanding.rules.stages import RANGES, REQUESTS, VALUES


class Party(NamedTuple):
    guests: int | None = None
    adults: int | None = None
    children: int | None = None
    ages: tuple[int, ...] = ()

    @property
    def value(self) -> int:
        return self.guests or (self.adults or 0) + (self.children or 0)


COUNTED_STAY = "(unit_night | unit_day | unit_week | unit_month)"
COUNTED = (
    "(unit_night | unit_day | unit_week | unit_month | unit_year | month | currency"
    " | star | room | person | child | adult | adult_dual)"
)
COUNTED_AGE = (
    "(unit_night | unit_day | unit_week | unit_month | month | currency | star | room | person | adult)"
)
"""What a number before it counts: it then says nothing about what stands before the number."""


@VALUES.rule("people", "number from? person")
@VALUES.rule("people", "budget person")
@VALUES.rule("people", f"people_count (comma | in | to | li | bi | cue | became)* number !{COUNTED}")
@VALUES.rule("people", f"became number !({COUNTED} | in | bi | per_night | this_night | thousand)")
@VALUES.rule("people", f"cue (to | li | bi)* number !{COUNTED}")
@VALUES.rule("people", "people_count? became? person_dual | one_person")
@VALUES.rule("people", "person_dual number")
def _people(nodes: Sequence[Node], _: Context) -> Party | None:
    said = next((number(node) for node in nodes if node.kind == "number"), None)
    if nodes[0].kind == "cue" and nodes[0].value != "change_guests":
        return None
    if nodes[0].kind == "budget":  # «ثمن نفرات»
        return Party(guests=nodes[0].value) if nodes[0].value else None
    known = next(iter(values(nodes, "person_dual", "one_person")), None)
    if known is not None and said not in (None, known):
        return None
    guests = said if known is None else known
    return Party(guests=guests) if guests is not None else None


@VALUES.rule(
    "adults", "number person? (adult | adult_dual) | person_dual (adult | adult_dual) | adult_dual | me_only"
)
@VALUES.rule("adults", "(self | just_me) me_only | one_person adult number?")
@VALUES.rule("adults", "just_me !(and | comma | with_me | li)")
@VALUES.rule("adults", f"(adult | adult_dual) (comma | in)? number !{COUNTED}")
def _adults(nodes: Sequence[Node], _: Context) -> Party | None:
    counted = next((number(node) for node in nodes if node.kind == "number"), None)
    if nodes[0].kind == "adult_dual" and counted not in (None, 2) and not has(nodes, "comma"):
        return None
    if counted is None:
        counted = 1 if has(nodes, "me_only", "just_me", "one_person") else 2
    return Party(adults=counted)


@VALUES.rule("children", "weekday child | child weekday")
def _so_many_children(nodes: Sequence[Node], _: Context) -> Party | None:
    """«التلات عيال», «العيال الاتنين»: with an article small numbers are names of days."""
    count = values(nodes, "weekday")[0] + 2
    return Party(children=count) if 2 <= count <= 4 and not values(nodes, "child")[0] else None


@VALUES.rule("children", "number (child | infant) (child | infant)? | child_dual | no_children | infant")
@VALUES.rule("children", f"child_dual number !{COUNTED}")
@VALUES.rule("children", f"(child | infant) (comma | in)? number !{COUNTED}")
@VALUES.rule("children", "children_count (comma | in | to | li)* number")
def _children(nodes: Sequence[Node], _: Context) -> Party | None:
    counted = next((number(node) for node in nodes if node.kind == "number"), None)
    if nodes[0].kind == "child_dual" and counted not in (None, 2):
        return None
    said = next(iter(values(nodes, "child_dual", "no_children")), None)
    children = counted if counted is not None else said if said is not None else 1
    return Party(children=children, ages=())


@VALUES.rule("household", f"family (of_people | from | person | in)* number (person | !{COUNTED})")
def _family(nodes: Sequence[Node], _: Context) -> Party | None:
    counted = next(number(node) for node in nodes if node.kind == "number")
    return Party(guests=counted) if counted else None


@VALUES.rule("rooms", f"number room | room_dual | room number !{COUNTED}")
def _rooms(nodes: Sequence[Node], _: Context) -> int | None:
    counted = next((node for node in nodes if node.kind == "number"), None)
    if counted is None:
        return 2
    said = number(counted)
    if nodes[0].kind == "room" and said != 1:  # «غرفة واحدة», but «غرفة ٢٠٥» is a number on a door
        return None
    return said


@VALUES.rule(
    "ages_said",
    f"age_word in? (number !{COUNTED_STAY} | duration) ((comma | and) (comma | and)* number)* (unit_year | dual_year)?",
)
@VALUES.rule("ages_said", "age_word (dual_year | unit_year)")
def _ages(nodes: Sequence[Node], _: Context) -> tuple[int, ...]:
    if has(nodes, "dual_year"):
        return (2,)
    ages = [said for node in nodes if node.kind == "number" and (said := number(node)) is not None]
    return tuple(ages) or (1,)


@VALUES.rule("ages_said", "number ((comma | and) (comma | and)* number)* (unit_year | year_word)")
@VALUES.rule("ages_said", f"number unit_year ((comma | and) number unit_year? !{COUNTED_AGE})*")
@VALUES.rule("ages_said", "dual_year")
def _years_old(nodes: Sequence[Node], _: Context) -> tuple[int, ...] | None:
    if has(nodes, "dual_year"):
        return (2,)
    ages = [number(node) for node in nodes if node.kind == "number"]
    return tuple(age for age in ages if age is not None) if all((age or 0) < 18 for age in ages) else None


@RANGES.rule(
    "children",
    "(children | child | infant) (comma | and | has_word | number | ordinal)* ages_said"
    " ((comma | and | has_word | number | ordinal)* ages_said)*",
)
def _children_with_ages(nodes: Sequence[Node], _: Context) -> Party:
    ages = tuple(age for found in values(nodes, "ages_said") for age in found)
    said = next(iter(values(nodes, "children")), None)
    return Party(children=said.children if said else len(ages), ages=ages)


def _named_children(nodes: Sequence[Node]) -> list[int]:
    """One for «ابني», none for «العيال», whose number nobody said."""
    return [1 for node in nodes if node.kind == "infant" or (node.kind == "child" and node.value)]


@RANGES.rule("children", "(with_me | budget) (child | infant) ((and | comma)* (child | infant))*")
def _with_children(nodes: Sequence[Node], _: Context) -> Party | None:
    """«مع ابني»."""
    named = _named_children(nodes)
    return Party(children=len(named)) if named else None


@RANGES.rule(
    "company",
    "(self | just_me | people_count)"
    " ((and | comma | li | with_me | budget)* (relative | relatives | friends | children | child | infant | family))*"
    " (and | comma | li | with_me | budget)* (relative | relatives | children | child | infant | family)",
)
@RANGES.rule("company", "(self | just_me) ((and | comma)* relative)* (and | comma)* number friends")
@RANGES.rule("company", "bi? relative and self")
@RANGES.rule(
    "company",
    "(self | just_me) (travel | word | li | in)* with_me relative ((and | comma)* (relative | children))*",
)
@RANGES.rule(
    "company",
    "(with_me | budget) (relative | relatives) ((and | comma)* (relative | relatives | children | child | infant))*",
)
@RANGES.rule("company", "(li | to) and li? relative ((and | comma)* li? (relative | children))*")
def _company(nodes: Sequence[Node], _: Context) -> Party | None:
    """The speaker and who is named with them: adults, unless «my family» leaves the number open."""
    children = [party.children or 0 for party in values(nodes, "children")]
    if has(nodes, "family") or (has(nodes, "friends") and not has(nodes, "number")):
        return None
    count = 1 + len(values(nodes, "relative")) + 2 * len(values(nodes, "relatives"))
    friends = next((number(node) for node in nodes if node.kind == "number"), 0)
    children += _named_children(nodes)
    return Party(adults=count + (friends or 0), children=sum(children) if children else None)


@RANGES.rule(
    "people",
    f"(li | le | for_time) number !{COUNTED} !(to | dash | month_word | moving_month | hijri_month)",
)
def _for_so_many(nodes: Sequence[Node], _: Context) -> Party | None:
    said = number(nodes[1])
    return Party(guests=said) if said is not None and 1 <= said <= 12 else None


@REQUESTS.rule(
    "party",
    "(household | people | company | adults)"
    " ((and | comma | bi | with_me)* (people | company | adults | children | relative | child | infant))*",
)
@REQUESTS.rule("party", "children ((and | comma)* (adults | children | people | company))*")
def _party(nodes: Sequence[Node], _: Context) -> Party:
    family = next(iter(values(nodes, "household")), None)
    counted = [party.guests for party in values(nodes, "people")]
    told = [party.adults for party in values(nodes, "adults", "company") if party.adults is not None]
    adults = sum(told) + sum(node.kind == "relative" for node in nodes) if told else None
    people = sum(counted) + (0 if told else sum(node.kind == "relative" for node in nodes))
    children = [party for party in values(nodes, "children", "company") if party.children is not None]
    count = sum(party.children for party in children)
    alone = _named_children(nodes)
    count += sum(alone)
    ages = tuple(age for party in children for age in party.ages)
    has_children = bool(children or alone)
    if has_children and people and adults is None:  # «شخصين وطفل»: the two are adults
        return Party(family.guests if family else None, people, count, ages)
    guests = family.guests if family else people if counted or people else None
    return Party(guests, adults, count if has_children else None, ages)
