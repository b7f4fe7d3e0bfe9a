"""What is known of days before any rule: patterns of their parts, and the values that rules make of them."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from bot.understanding import calendar
from bot.understanding.grammar import Context, Node, values
from bot.understanding.rules.numbers import Number

NUMBER = "(number | year | hijri_year)"
DAY = "(number | ordinal)"
YEAR = "(comma? year_word? year)"
MONTH = (
    "((from | in)? month_word? month | (from | in)? moving_month"
    " | in? (month_word | the_month) number !(unit_night | unit_day | person | room))"
)
SAYS_DAY = "(weekday comma?)? (day_word | unit_night | le)?"
UNTIL = (
    "(to | li | le | dash | comma? and? to (day_word | weekday)? | and li | li (day_word | weekday) | and)"
)
UNIT = "(unit_night | unit_day | unit_week | unit_month | month_word)"
THE_MONTH = "(month_word | unit_month | the_month)"
LONG_UNIT = "(unit_week | unit_month)"
DUAL = "(dual_night | dual_day | dual_week | dual_month)"
COUNTED = "(unit_night | unit_day | unit_week | person | room | star | currency | adult | child)"


class Day(NamedTuple):
    date: date
    year_said: bool = False
    whole: bool = True  # a day of the calendar, not «today» or «tomorrow»
    weekday: bool = False

    def as_json(self) -> dict[str, str]:
        return {"date": self.date.isoformat()}


class Span(NamedTuple):
    """`stay`: the two ends are arrival and departure; otherwise a month, a season: days to choose from."""

    start: date
    end: date
    stay: bool = True
    month: str | None = None
    year_said: bool = False

    def as_json(self) -> dict[str, str]:
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}


class Duration(NamedTuple):
    n: int | float
    unit: str

    def as_json(self) -> dict[str, int | float | str]:
        return {"n": self.n, "unit": self.unit}


class Month(NamedTuple):
    year: int
    month: int

    @property
    def slot(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def as_json(self) -> dict[str, str]:
        year, month = calendar.next_month(self.year, self.month)
        return {"start": date(self.year, self.month, 1).isoformat(), "end": date(year, month, 1).isoformat()}


def number(node: Node) -> int | None:
    """The whole number a node holds, as a day or a count."""
    value = node.value.value if isinstance(node.value, Number) else node.value
    return value if isinstance(value, int) else None


def said_year(nodes: Sequence[Node]) -> int | None:
    return next(iter(values(nodes, "year")), None)


def month_of(nodes: Sequence[Node]) -> int | None:
    """The month said, by name or as «شهر سبعة»."""
    for index, node in enumerate(nodes):
        if node.kind in ("month", "moving_month"):
            return int(node.value)
        if (
            node.kind in ("month_word", "the_month")
            and index + 1 < len(nodes)
            and nodes[index + 1].kind == "number"
        ):
            said = number(nodes[index + 1])
            return said if said and 1 <= said <= 12 else None
    return None


def dated(context: Context, day: int, month: int, year: int | None) -> Day | None:
    found = calendar.make(year, month, day) if year else calendar.next_day_of_year(context.today, month, day)
    return Day(found, year_said=year is not None) if found else None
