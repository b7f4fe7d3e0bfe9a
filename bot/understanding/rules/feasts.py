"""Hijri dates and feasts: «٢٧ رمضان», «ثاني يوم العيد», «قبل العيد بيومين»."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.understanding import calendar
from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.dates import how_long
from bot.understanding.rules.days import (
    DAY,
    DUAL,
    NUMBER,
    SAYS_DAY,
    UNIT,
    UNTIL,
    YEAR,
    Day,
    Duration,
    Span,
    number,
    said_year,
)
from bot.understanding.rules.stages import RANGES, VALUES


@VALUES.rule("date", f"{SAYS_DAY} {DAY} from? hijri_month comma? year_word? hijri_year? hijri_mark?")
def _hijri_day(nodes: Sequence[Node], context: Context) -> Day | None:
    day = next(number(n) for n in nodes if n.kind in ("number", "ordinal"))
    month = values(nodes, "hijri_month")[0]
    year = next(iter(values(nodes, "hijri_year")), None)
    if day is None or (nodes[0].kind == "weekday" and has(nodes, "ordinal") and day <= 4):
        return None  # «الخميس الأول من رمضان» is its first Thursday
    to_come = calendar.next_hijri(context.today, month, day)
    found = calendar.hijri_to_gregorian(year, month, day) if year else to_come
    return Day(found, year_said=year is not None) if found else None


@VALUES.rule("date_range", "hijri_month year_word? hijri_year? hijri_mark? next?")
def _hijri_month(nodes: Sequence[Node], context: Context) -> Span | None:
    month = values(nodes, "hijri_month")[0]
    year = next(iter(values(nodes, "hijri_year")), None)
    current = calendar.hijri_year(context.today)
    for candidate in [year] if year else (current, current + 1):
        span = calendar.hijri_month(candidate, month)
        if span and (year or span[1] > context.today):
            return Span(*span, stay=False)
    return None


def _feast(nodes: Sequence[Node], context: Context) -> tuple[date, date] | None:
    """First day of the feast or Hijri month said, and the day after its last."""
    for node in nodes:
        if node.kind == "holiday":
            for country in (*values(nodes, "nation"), context.country, *context.places, "SA"):
                found = calendar.holiday(node.value, context.today, said_year(nodes), country)
                if found:
                    return found
        elif node.kind == "hijri_month":
            year = next(iter(values(nodes, "hijri_year")), None) or calendar.hijri_year(context.today)
            for candidate in (year, year + 1):
                month = calendar.hijri_month(candidate, node.value)
                if month and month[1] > context.today:
                    return month
    return None


@VALUES.rule("date", f"(in | day_word | unit_night)* holiday nation? next? {YEAR}?")
def _holiday(nodes: Sequence[Node], context: Context) -> Day | None:
    """A feast is its first day; who wants more of it says for how many nights."""
    span = _feast(nodes, context)
    return Day(max(span[0], context.today)) if span else None


@VALUES.rule("date_range", f"(in | part)? long_holiday next? {YEAR}?")
def _long_holiday(nodes: Sequence[Node], context: Context) -> Span | None:
    span = calendar.holiday(values(nodes, "long_holiday")[0], context.today, said_year(nodes))
    return Span(*span) if span else None


NTH = "(nth | part | ordinal | first)"
OF = "(day_word | unit_day | from | in | bi | li)*"


@VALUES.rule("date", f"{NTH} {OF} (holiday | hijri_month) {YEAR}?")
@VALUES.rule("date", f"(half | part) {OF} hijri_month hijri_year?")
@VALUES.rule("date", f"(relative_day | day_word) ordinal {OF} (holiday | hijri_month) {YEAR}?")
@VALUES.rule("date", "holiday nth (day_word | unit_day)?")
def _nth_of_feast(nodes: Sequence[Node], context: Context) -> Day | None:
    """«ثاني يوم العيد», «اليوم الثاني من العيد», «غرة محرم», «نص رمضان»."""
    opening = next(node for node in nodes if node.kind in ("nth", "part", "ordinal", "first", "half"))
    numbers: dict[Any, int] = {"start": 1, "first": 1, "middle": 15}
    nth = 15 if opening.kind == "half" else numbers.get(opening.value, opening.value)
    span = _feast(nodes, context)
    if span is None or not isinstance(nth, int) or (nth == 15 and has(nodes, "holiday")):
        return None
    found = span[0] + timedelta(nth - 1)
    if found < context.today and has(nodes, "hijri_month") and not has(nodes, "hijri_year"):
        month = values(nodes, "hijri_month")[0]
        following = calendar.next_hijri(context.today, month, nth)
        return Day(following) if following else None
    return Day(found)


@VALUES.rule("date_range", "(first | part | nth) unit_week (from | in)* hijri_month hijri_year?")
def _week_of_hijri_month(nodes: Sequence[Node], context: Context) -> Span | None:
    """«أول أسبوع من شوال»: its first day, to choose from."""
    month = _feast(nodes, context)
    if month is None:
        return None
    if nodes[0].value == "end":
        return Span(month[1] - timedelta(7), month[1], stay=False)
    weeks: dict[Any, int] = {"first": 0, "start": 0, "middle": 1}
    week = weeks.get(nodes[0].value, nodes[0].value - 1 if isinstance(nodes[0].value, int) else 4)
    start = month[0] + timedelta(7 * week)
    return Span(start, start + timedelta(7), stay=False) if week < 4 else None


@VALUES.rule("date", f"(first | nth) weekday {OF} hijri_month hijri_year?")
@VALUES.rule("date", f"weekday ordinal {OF} hijri_month hijri_year?")
def _nth_weekday(nodes: Sequence[Node], context: Context) -> Day | None:
    """«أول خميس من رمضان», «الجمعة الثانية من رمضان»."""
    month = _feast(nodes, context)
    nth = next(
        1 if node.kind == "first" else node.value
        for node in nodes
        if node.kind in ("first", "nth", "ordinal")
    )
    if month is None or not isinstance(nth, int) or nth > 4:
        return None
    found = calendar.next_weekday(month[0], values(nodes, "weekday")[0]) + timedelta(7 * (nth - 1))
    return Day(found) if context.today <= found < month[1] else None


@VALUES.rule("date", f"(to | li) part {OF} hijri_month hijri_year?")
def _to_end_of_hijri_month(nodes: Sequence[Node], context: Context) -> Day | None:
    """«لآخر رمضان»."""
    month = _feast(nodes, context) if nodes[1].value == "end" else None
    return Day(month[1] - timedelta(1)) if month else None


@VALUES.rule("date", f"nth and nth {OF} holiday")
def _days_of_feast(nodes: Sequence[Node], context: Context) -> Day | None:
    """«ثاني وثالث العيد»: from the first of them."""
    span = _feast(nodes, context)
    return Day(span[0] + timedelta(nodes[0].value - 1)) if span else None


@VALUES.rule("date", f"(before | after) (holiday | hijri_month) bi ({NUMBER}? {UNIT} | {DUAL} | day_word)")
@VALUES.rule("date", f"({NUMBER}? {UNIT} | {DUAL}) (before | after) (holiday | hijri_month)")
def _beside_feast(nodes: Sequence[Node], context: Context) -> Day | None:
    """«قبل العيد بيومين»."""
    span = _feast(nodes, context)
    counted = [node for node in nodes if node.kind not in ("holiday", "hijri_month", "day_word")]
    duration = Duration(1, "day") if has(nodes, "day_word") else how_long(counted, context)
    if span is None or duration is None or not isinstance(duration.n, int) or duration.n > 60:
        return None
    days = duration.n * (7 if duration.unit == "week" else 1)
    found = span[0] - timedelta(days) if has(nodes, "before") else span[1] + timedelta(days - 1)
    return Day(found) if found >= context.today else None


@VALUES.rule("date", "after (holiday | hijri_month) !bi")
def _after_feast(nodes: Sequence[Node], context: Context) -> Day | None:
    span = _feast(nodes, context)
    return Day(span[1]) if span else None


@RANGES.rule("date_range", "from? date (to | li | dash) nth (day_word | unit_day)?")
def _to_nth_day(nodes: Sequence[Node], context: Context) -> Span | None:
    """«من تاني يوم العيد لحد خامس يوم»."""
    start = next(node for node in nodes if node.kind == "date")
    span = _feast(start.parts, context)
    end = span and span[0] + timedelta(values(nodes, "nth")[0] - 1)
    return Span(start.value.date, end) if end and end > start.value.date else None


@VALUES.rule(
    "date_range",
    f"from? {SAYS_DAY} {DAY} {UNTIL} {SAYS_DAY} {DAY} from? month_word? hijri_month year_word? hijri_year? hijri_mark?",
)
def _days_of_one_hijri_month(nodes: Sequence[Node], context: Context) -> Span | None:
    first, last = [number(node) for node in nodes if node.kind in ("number", "ordinal")][:2]
    month = values(nodes, "hijri_month")[0]
    if first is None or last is None or (has(nodes, "and") and not has(nodes, "from", "to", "li")):
        return None
    said = next(iter(values(nodes, "hijri_year")), None)
    current = calendar.hijri_year(context.today)
    for year in [said] if said else (current, current + 1):
        start = calendar.hijri_to_gregorian(year, month, first)
        end = calendar.hijri_to_gregorian(year, month, last)
        if start and end and (said or start >= context.today):
            return Span(start, end, year_said=said is not None)
    return None
