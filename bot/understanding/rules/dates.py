"""Single days, months and how long: «بكرة», «١٥ أبريل», «أسبوعين»."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.understanding import calendar
from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.days import (
    COUNTED,
    DAY,
    DUAL,
    LONG_UNIT,
    MONTH,
    NUMBER,
    SAYS_DAY,
    THE_MONTH,
    UNIT,
    YEAR,
    Day,
    Duration,
    Month,
    Span,
    dated,
    month_of,
    number,
    said_year,
)
from bot.understanding.rules.numbers import Number
from bot.understanding.rules.stages import NUMBERS, VALUES


@NUMBERS.rule("moving_month", f"{THE_MONTH} (next | after_next | current)")
@NUMBERS.rule("moving_month", f"(next | current) {THE_MONTH}")
def _moving_month(nodes: Sequence[Node], context: Context) -> int:
    """«الشهر القادم», as the number of that month."""
    ahead = 1 + has(nodes, "after_next") - has(nodes, "current")
    return calendar.add_months(context.today.replace(day=1), ahead).month


@VALUES.rule(
    "past_time",
    "(unit_week | unit_month | month_word | the_month | unit_year | year_word | month | weekday | season) past",
)
@VALUES.rule("past_time", f"before {NUMBER}? {UNIT}")
@VALUES.rule("past_time", f"before {DUAL}")
def _gone(nodes: Sequence[Node], _: Context) -> str:
    return nodes[0].kind


@VALUES.rule("date", "half from? the_month")
def _middle_of_this_month(_: Sequence[Node], context: Context) -> Day | None:
    """«نص الشهر»."""
    found = calendar.next_day_of_month(context.today, 15)
    return Day(found) if found else None


@VALUES.rule("date", f"day_word {DAY} from? (month_word | unit_month) !(number | unit)")
@VALUES.rule("date", f"{SAYS_DAY} {DAY} from? the_month")
def _day_of_this_month(nodes: Sequence[Node], context: Context) -> Day | None:
    """«يوم ١٥ الشهر»."""
    said = next(number(node) for node in nodes if node.kind in ("number", "ordinal"))
    found = calendar.next_day_of_month(context.today, said) if said and said <= 31 else None
    return Day(found) if found else None


@VALUES.rule("date", f"{SAYS_DAY} {DAY} {MONTH} {YEAR}?")
@VALUES.rule("date", f"{SAYS_DAY} {DAY} month_word !number {YEAR}?")
def _day_and_month(nodes: Sequence[Node], context: Context) -> Day | None:
    said = [number(node) for node in nodes if node.kind in ("number", "ordinal")]
    month = month_of(nodes)
    if month is None or said[0] is None:
        return None
    return dated(context, said[0], month, said_year(nodes))


@VALUES.rule(
    "date",
    f"{SAYS_DAY} month day_word? (number | ordinal) !unit_night !unit_day !unit_week !person !room !star {YEAR}?",
)
def _month_and_day(nodes: Sequence[Node], context: Context) -> Day | None:
    month, said = month_of(nodes), next((number(n) for n in nodes if n.kind in ("number", "ordinal")), None)
    return dated(context, said, month, said_year(nodes)) if month and said and said <= 31 else None


@VALUES.rule("date", "(day_word)? number bi ordinal")
def _day_of_the_nth_month(nodes: Sequence[Node], context: Context) -> Day | None:
    """«واحد بالسابع»: the first of July."""
    day, month = number(nodes[-3]), number(nodes[-1])
    return dated(context, day, month, None) if day and month and month <= 12 else None


@VALUES.rule("date_range", "season (next | current)?")
def _season(nodes: Sequence[Node], context: Context) -> Span:
    return Span(*calendar.season(nodes[0].value, context.today), stay=False)


@VALUES.rule("date", "unit_night? relative_day (next | current)?")
def _relative_day(nodes: Sequence[Node], context: Context) -> Day:
    return Day(context.today + timedelta(values(nodes, "relative_day")[0]), whole=False)


@VALUES.rule("date", "to part (from | month_word)* (month | moving_month | the_month)")
def _to_end_of_month(nodes: Sequence[Node], context: Context) -> Day | None:
    """«حتى نهاية الشهر»."""
    part = next(node for node in nodes if node.kind == "part")
    if part.value != "end":
        return None
    month = month_of(nodes)
    year = calendar.year_of_month(context.today, month) if month else context.today.year
    month = month or context.today.month
    return Day(date(year, month, calendar.days_in(year, month)))


@VALUES.rule("date", "from now")
@VALUES.rule("date", "li day_word !(number | ordinal | weekday | month | relative_day | hijri_month)")
def _from_now(_: Sequence[Node], context: Context) -> Day:
    return Day(context.today, whole=False)


@VALUES.rule("date", "from part (from | month_word)* (month | moving_month) !(to | li | dash)")
@VALUES.rule("date", f"from ordinal (from | month_word)* (month | moving_month) {YEAR}?")
@VALUES.rule("date", f"(first | nth) day_word? (from | month_word | in)* (month | moving_month) {YEAR}?")
@VALUES.rule("date", f"half (from | month_word)* (month | moving_month) {YEAR}?")
@VALUES.rule("date", f"relative_day ordinal (from | month_word | in)* (month | moving_month) {YEAR}?")
def _day_of_month_in_words(nodes: Sequence[Node], context: Context) -> Day | None:
    """«أول سبتمبر», «نص نيسان», «خامس يوم في مايو»."""
    month = month_of(nodes)
    opening = nodes[nodes[0].kind in ("from", "relative_day")]
    days: dict[Any, int] = {"start": 1, "first": 1, "middle": 15}
    day = 15 if opening.kind == "half" else days.get(opening.value, opening.value)
    return dated(context, day, month, said_year(nodes)) if month and isinstance(day, int) else None


@VALUES.rule("date", "tonight | this_night")
def _tonight(_: Sequence[Node], context: Context) -> Day:
    return Day(context.today, whole=False)


@VALUES.rule("date", "unit_night weekday next?")
@VALUES.rule("date", "current? weekday (next | current | after_next)?")
@VALUES.rule("date", "(next) weekday")
@VALUES.rule("date", "weekday and unit_week !number")
def _weekday(nodes: Sequence[Node], context: Context) -> Day:
    """«السبت الجاي»; of «خميس وجمعة» the first, and no week."""
    weekday = values(nodes, "weekday")[0]
    found = calendar.next_weekday(context.today, weekday, strictly=has(nodes, "next", "after_next"))
    return Day(found + timedelta(7 * has(nodes, "after_next")), weekday=True)


@VALUES.rule("date", f"after {NUMBER} {UNIT} (from (relative_day | now))?")
@VALUES.rule("date", f"after ({UNIT} | {DUAL}) (from (relative_day | now))?")
def _after(nodes: Sequence[Node], context: Context) -> Day | None:
    duration = how_long(
        [node for node in nodes[1:] if node.kind not in ("from", "relative_day", "now")], context
    )
    if duration is None or not isinstance(duration.n, int) or duration.n > 700:
        return None
    start = context.today + timedelta(sum(values(nodes, "relative_day")))
    if duration.unit == "month":
        return Day(calendar.add_months(start, duration.n), whole=False)
    return Day(start + timedelta(duration.n * (7 if duration.unit == "week" else 1)), whole=False)


@VALUES.rule("date_range", "(in | part)? weekend (next | current | after_next)?")
@VALUES.rule("date_range", "(in | current | next)? weekend")
def _weekend(nodes: Sequence[Node], context: Context) -> Span:
    start, end = calendar.weekend(context.today, context.country, strictly=has(nodes, "next", "after_next"))
    later = timedelta(7 * has(nodes, "after_next"))
    return Span(start + later, end + later)


@VALUES.rule("date_range", "(unit_week (next | after_next | current) | (next | current) unit_week)")
def _week(nodes: Sequence[Node], context: Context) -> Span:
    start, end = calendar.week_after(context.today, context.country)
    shift = timedelta(7 * has(nodes, "after_next") - 7 * has(nodes, "current"))
    return Span(start + shift, end + shift, stay=False)


@VALUES.rule("calendar_month", "in? moving_month")
def _next_month(nodes: Sequence[Node], context: Context) -> Month:
    month = values(nodes, "moving_month")[0]
    return Month(calendar.year_of_month(context.today, month), month)


@VALUES.rule("calendar_month", f"in? month_word? month !(number !{COUNTED}) {YEAR}?")
@VALUES.rule("calendar_month", f"in? month_word month next? {YEAR}?")
@VALUES.rule("calendar_month", f"(in | from)? month_word number !unit_night !unit_day !unit_week {YEAR}?")
@VALUES.rule("calendar_month", f"(in | from)? month (next | current) {YEAR}?")
def _month(nodes: Sequence[Node], context: Context) -> Month | None:
    month = month_of(nodes)
    if not month:
        return None
    year = said_year(nodes) or calendar.year_of_month(context.today, month)
    return Month(year, month)


@VALUES.rule(
    "date_range",
    f"(first | part | nth) (unit_week | day_word) (from | in)* month_word? (month | moving_month) {YEAR}?",
)
def _week_of_month(nodes: Sequence[Node], context: Context) -> Span | None:
    """«أول أسبوع في يوليو»: days to choose from, within that month."""
    month = _month(nodes, context)
    if month is None or not has(nodes, "unit_week"):
        return None
    weeks: dict[Any, int] = {"first": 0, "start": 0, "end": 3}
    week = weeks.get(nodes[0].value, nodes[0].value - 1 if isinstance(nodes[0].value, int) else 1)
    start = date(month.year, month.month, 1) + timedelta(7 * min(week, 3))
    return Span(start, start + timedelta(7), stay=False, month=month.slot) if week <= 3 else None


@VALUES.rule("date_range", f"half ordinal (from | month_word)* month {YEAR}?")
def _half_of_month(nodes: Sequence[Node], context: Context) -> Span | None:
    month = _month(nodes, context)
    if month is None or nodes[1].value not in (1, 2):
        return None
    first, last = (1, date(month.year, month.month, 15)) if nodes[1].value == 1 else (15, None)
    end = last or date(*calendar.next_month(month.year, month.month), 1)
    return Span(date(month.year, month.month, first), end, stay=False, month=month.slot)


@VALUES.rule(
    "date_range",
    f"(part | first) (from | month_word)? (month | moving_month | {THE_MONTH}) {YEAR}?",
)
def _part_of_month(nodes: Sequence[Node], context: Context) -> Span | None:
    part = nodes[0].value if nodes[0].kind == "part" else "start"
    if has(nodes, "month"):
        month = _month(nodes, context)
    elif has(nodes, "moving_month"):
        month = _next_month(nodes, context)
    else:
        month = Month(context.today.year, context.today.month)
    if month is None:
        return None
    first, last = {"start": (1, 10), "middle": (11, 20), "end": (21, 0)}[part]
    following = calendar.next_month(month.year, month.month)
    end = date(month.year, month.month, last) if last else date(*following, 1)
    return Span(date(month.year, month.month, first), end, stay=False, month=month.slot)


@VALUES.rule("duration", f"{NUMBER} {UNIT} !number !month")
@VALUES.rule("duration", "for_time month_word !number !month !next !current")
@VALUES.rule("duration", f"{UNIT} and (half | part)")
@VALUES.rule("duration", f"({UNIT} number !{UNIT} | {LONG_UNIT}) !next !after_next")
@VALUES.rule("duration", "one_night")
@VALUES.rule("duration", "number this_night")
@VALUES.rule("duration", "weekday (unit_night | unit_day)")
@VALUES.rule("duration", "quarter (unit_night | unit_day)")
@VALUES.rule("duration", "per_night number !currency")
@VALUES.rule("duration", "budget (unit_night | unit_day)")
@VALUES.rule("duration", DUAL)
@VALUES.rule("duration", f"{DUAL} number")
@VALUES.rule("duration", "unit_night | unit_day")
def how_long(nodes: Sequence[Node], _: Context) -> Duration | None:
    if nodes[0].kind == "per_night":  # «لليلة واحدة»
        return Duration(1, "night") if number(nodes[1]) == 1 else None
    if nodes[-1].kind == "this_night":  # «واحد الليلة» in the Maghreb is one night
        return Duration(1, "night") if number(nodes[0]) == 1 else None
    if nodes[0].kind == "weekday":  # «الاربع ليالي»: with an article small numbers are names of days
        return Duration(nodes[0].value + 2, str(nodes[1].value)) if nodes[0].value < 4 else None
    if nodes[0].kind == "budget":  # «ثمن ليالي»
        return Duration(nodes[0].value, str(nodes[1].value)) if nodes[0].value else None
    if nodes[0].kind == "one_night":
        return Duration(1, "night")
    unit = next(node for node in nodes if node.kind.startswith(("unit_", "dual_", "month_word")))
    if nodes[0].kind == "quarter":  # «ربع ليالي» in the Maghreb
        return Duration(4, str(unit.value))
    name = unit.value or "month"
    if unit.kind.startswith("dual_"):
        return (
            Duration(2, name) if all(number(node) == 2 for node in nodes if node.kind == "number") else None
        )
    if has(nodes, "half", "part"):
        return Duration(1.5, name)
    counted = next((node for node in nodes if node.kind in ("number", "year", "hijri_year")), None)
    if counted is None:
        return Duration(1, name)
    return Duration(counted.value.value if isinstance(counted.value, Number) else counted.value, name)
