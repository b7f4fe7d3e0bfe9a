"""From one day to another, arrival and departure, and one day put in the place of another."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.understanding import calendar
from bot.understanding.grammar import Context, Node, has, values
from bot.understanding.rules.days import (
    DAY,
    MONTH,
    SAYS_DAY,
    UNTIL,
    YEAR,
    Day,
    Duration,
    Span,
    dated,
    month_of,
    number,
    said_year,
)
from bot.understanding.rules.numbers import Number
from bot.understanding.rules.stages import RANGES, VALUES

LONGEST_ACROSS = 14
"""Nights a stay may have whose first day, said without a month, is in the month before: «from 29 to 2 April»."""
LONGEST_SAID = 120
"""Days beyond which a second date that had to roll into the next year was a mistake, not a stay."""


@VALUES.rule("date_range", f"(from | between)? {SAYS_DAY} {DAY} {UNTIL} {SAYS_DAY} {DAY} {MONTH} {YEAR}?")
def _days_of_one_month(nodes: Sequence[Node], context: Context) -> Span | None:
    days = [number(node) for node in nodes if node.kind in ("number", "ordinal")][:2]
    month = month_of(nodes[-3:]) or month_of(nodes)
    if month is None or None in days or (has(nodes, "and") and not has(nodes, "from", "to", "li", "between")):
        return None
    first, last = days
    end = dated(context, last or 0, month, said_year(nodes))
    if end is None or first is None:
        return None
    begins = calendar.add_months(
        end.date.replace(day=1), -1 if first > (last or 0) else 0
    )  # «from 29 to 2 April»
    if begins.month != month:
        start = calendar.make(begins.year, begins.month, first)
        if start and start >= context.today and (end.date - start).days <= LONGEST_ACROSS:
            return Span(start, end.date, year_said=end.year_said)
    start = calendar.make(end.date.year, month, first)
    if start and start < context.today and not end.year_said:
        start = calendar.make(end.date.year + 1, month, first)
        end = Day(calendar.make(end.date.year + 1, month, last or 0) or end.date)
    if start is None:
        return None
    context.found.append(_part(nodes, Day(end.date), last=True))
    return Span(start, end.date, year_said=end.year_said)


@VALUES.rule(
    "date_range", f"(from | between)? {SAYS_DAY} {DAY} (to | li | dash) {SAYS_DAY} {DAY} from? the_month"
)
def _days_of_this_month(nodes: Sequence[Node], context: Context) -> Span | None:
    """«من ٢٠ لـ ٢٧ الشهر»."""
    first, last = [number(node) for node in nodes if node.kind in ("number", "ordinal")][:2]
    start = calendar.next_day_of_month(context.today, first) if first and first <= 31 else None
    end = start and calendar.make(start.year, start.month, last or 0)
    return Span(start, end) if start and end and start < end else None


@VALUES.rule("date_range", "from number number (to | li | dash) number number")
def _days_and_months(nodes: Sequence[Node], context: Context) -> Span | None:
    """«من واحد اربعه لين تسعه اربعه»: days and months by their numbers."""
    first, first_month, last, last_month = (number(node) or 0 for node in nodes if node.kind == "number")
    start = dated(context, first, first_month, None) if first_month <= 12 else None
    end = calendar.next_day_of_year(start.date, last_month, last) if start and last_month <= 12 else None
    return Span(start.date, end) if start and end and (end - start.date).days <= LONGEST_SAID else None


@VALUES.rule("date_range", f"two_days {DAY} and {DAY} {MONTH} {YEAR}?")
def _two_days(nodes: Sequence[Node], context: Context) -> Span | None:
    """«يومي ٩ و١٠ أبريل»."""
    first, last = [number(node) for node in nodes if node.kind in ("number", "ordinal")][:2]
    month = month_of(nodes)
    start = dated(context, first, month, said_year(nodes)) if month and first else None
    end = dated(context, last, month, said_year(nodes)) if month and last else None
    return Span(start.date, end.date) if start and end and start.date < end.date else None


def _part(nodes: Sequence[Node], day: Day, *, last: bool) -> Node:
    """The entity of one end of a range that was matched as a whole."""
    said = [node for node in nodes if node.kind in ("number", "ordinal")]
    start = said[1] if last else said[0]
    return Node("date", start.start, nodes[-1].end if last else start.end, day, "end_of_range")


@VALUES.rule(
    "date_range",
    f"from? {SAYS_DAY} {DAY} {MONTH} {UNTIL} {SAYS_DAY} {DAY}"
    " !month !month_word !currency !unit_night !unit_day !person !room",
)
def _month_said_first(nodes: Sequence[Node], context: Context) -> Span | None:
    said = [node for node in nodes if node.kind in ("number", "ordinal")]
    first, last = said[0], said[-1]
    month = month_of(nodes)
    if month is None or number(first) is None or number(last) is None or len(said) < 2:
        return None
    typed = not isinstance(last.value, Number) or last.value.typed
    if has(nodes, "and") or (has(nodes, "li") and not typed and (number(last) or 0) <= 10):
        return None
    start = dated(context, number(first) or 0, month, None)
    end = start and calendar.make(start.date.year, month, number(last) or 0)
    if not start or not end or end <= start.date:
        return None
    return Span(start.date, end)


@RANGES.rule(
    "date_range",
    "from? (check_in from?)? date comma? and? (check_out | to | li | le | dash | and)* (in | on)? date",
)
@RANGES.rule("date_range", "between date and date")
@RANGES.rule("date_range", "from date no date")
def _two_dates(nodes: Sequence[Node], context: Context) -> Span | None:
    start, end = values(nodes, "date")
    if not has(nodes, "from", "to", "li", "le", "dash", "between", "check_out", "check_in"):
        return None
    if _one_day_twice(start, end) and not has(nodes, "to", "li", "le", "dash", "between", "check_out"):
        return None
    last = end.date
    if end.weekday:  # the second weekday follows the first
        behind = (start.date - last).days
        last += timedelta(7 * (behind // 7 + 1) if behind >= 0 else 0)
    elif last < start.date and (feast := _feast_after(nodes, start.date, context)):
        last = feast  # «من وقفة عرفات لرابع يوم العيد»: that of the same feast
    elif last < start.date and not end.year_said and end.whole:
        if not start.year_said:
            rolled = calendar.next_day_of_year(start.date, last.month, last.day) or last
            if (last.year, last.month) != (start.date.year, start.date.month) and (
                rolled - start.date
            ).days <= LONGEST_SAID:
                last = rolled
    elif end.year_said and not start.year_said and start.date > last:
        earlier = calendar.make(last.year, start.date.month, start.date.day)
        if earlier and context.today <= earlier < last:
            return Span(earlier, last, year_said=True)
    elif start.year_said and not end.year_said:
        last = calendar.next_day_of_year(start.date, last.month, last.day) or last
    return Span(start.date, last, year_said=start.year_said or end.year_said)


def _feast_after(nodes: Sequence[Node], start: date, context: Context) -> date | None:
    """The last day said, when it is a day of «the feast», of the one that comes after `start`."""
    said = [node for node in nodes if node.kind == "date"][-1]
    name = next((part.value for part in said.parts if part.kind == "holiday"), None)
    found = calendar.holiday(name, start, None, context.country) if name else None
    earlier = calendar.holiday(name, context.today, None, context.country) if name else None
    return found[0] + (said.value.date - earlier[0]) if found and earlier else None


@VALUES.rule(
    "date_range",
    f"from (part | ordinal) (from | month_word)? month (to | li | dash) {DAY} !currency {MONTH}?",
)
def _from_the_first(nodes: Sequence[Node], context: Context) -> Span | None:
    opening = nodes[1]
    if opening.value not in ("start", 1):
        return None
    start = dated(context, 1, month_of(nodes) or 0, None)
    until = next(number(node) for node in reversed(nodes) if node.kind in ("number", "ordinal"))
    last_month = [node for node in nodes if node.kind == "month"][-1].value
    end = start and calendar.next_day_of_year(start.date + timedelta(1), last_month, until or 0)
    return Span(start.date, end) if start and end else None


@RANGES.rule("date_range", "from date (to | li) number !currency")
@RANGES.rule("date_range", "from? date and? (to | li | dash) (number | ordinal) of_it")
@RANGES.rule("date_range", "from? date (to | dash) number !currency")
def _date_to_day(nodes: Sequence[Node], _: Context) -> Span | None:
    start = values(nodes, "date")[0]
    said = values(nodes, "number", "ordinal")[0]
    day = said.value if isinstance(said, Number) else said
    if not isinstance(day, int) or not 1 <= day <= 31:
        return None
    if has(nodes, "li") and not has(nodes, "of_it") and (not said.typed or day <= start.date.day):
        return None
    month = _hijri_month_of(next(node for node in nodes if node.kind == "date"))
    if month:
        end = calendar.hijri_to_gregorian(calendar.hijri_year(start.date), month, day)
        return Span(start.date, end) if end and end > start.date else None
    end = calendar.next_day_of_month(start.date + timedelta(1), day)
    return Span(start.date, end) if end else None


def _hijri_month_of(node: Node) -> int | None:
    return next((int(part.value) for part in node.parts if part.kind == "hijri_month"), None)


@RANGES.rule("date_range", "from day_word? number (to | li | dash) day_word? number !currency !person")
@RANGES.rule("date_range", "from (ordinal | day_word number) (to | li) (ordinal | day_word? number)")
def _bare_days(nodes: Sequence[Node], context: Context) -> Span | None:
    first, last = (number(node) for node in nodes if node.kind in ("number", "ordinal"))
    if first is None or last is None or not (1 <= first <= 31 and 1 <= last <= 31):
        return None
    start = calendar.next_day_of_month(context.today, first)
    end = start and calendar.next_day_of_month(start + timedelta(1), last)
    return Span(start, end) if start and end else None


@RANGES.rule(
    "date",
    "(day_word | check_in day_word? | from day_word?) (number | ordinal)"
    " !unit_night !currency !person !room !star !to !number !money",
)
def _day_number(nodes: Sequence[Node], context: Context) -> Day | None:
    day = number(nodes[-1])
    if day is None or not 1 <= day <= 31 or (has(nodes, "from") and not has(nodes, "day_word")):
        return None
    if (
        day <= 2 and isinstance(nodes[-1].value, Number) and not nodes[-1].value.typed
    ):  # «يوم واحد» lasts a day
        return None
    found = calendar.next_day_of_month(context.today, day)
    return Day(found) if found else None


@RANGES.rule(
    "date", "date number !unit_night !unit_day !currency !person !room !star !to !money !child !adult"
)
def _weekday_and_day(nodes: Sequence[Node], context: Context) -> Day | None:
    """«السبت ١٤»: the day of the month that is that weekday."""
    day = number(nodes[-1])
    found = calendar.next_day_of_month(context.today, day) if day and day <= 31 else None
    fits = nodes[0].value.weekday and found is not None and found.weekday() == nodes[0].value.date.weekday()
    return Day(found) if found and fits else None


@RANGES.rule("arrival", "(check_in | from) (in | on)? (date | calendar_month) !date")
@RANGES.rule("arrival", "check_in (in | on | comma)? date")
@RANGES.rule("arrival", "check_in to date !(to | li | dash)")
def _arrival(nodes: Sequence[Node], _: Context) -> Any:
    return nodes[-1].value


@RANGES.rule("duration", "duration and duration")
def _longer(nodes: Sequence[Node], _: Context) -> Duration | None:
    """«أسبوع وليلتين»."""
    longer, shorter = values(nodes, "duration")
    if longer.unit != "week" or shorter.unit not in ("night", "day"):
        return None
    return Duration(longer.n * 7 + shorter.n, "night")


@RANGES.rule("duration", "number (not | swap) duration")
def _instead(nodes: Sequence[Node], _: Context) -> Duration | None:
    """«خليها ٥ بدل ٣ ليالي»."""
    said = number(nodes[0])
    return Duration(said, nodes[-1].value.unit) if said else None


@RANGES.rule("extension", "raise duration")
@RANGES.rule("extension", "cue duration")
def _extension(nodes: Sequence[Node], _: Context) -> Any:
    """«زيدلي ليلة», «أجلها أسبوع»: so much longer or later, not so long."""
    if nodes[0].kind == "cue" and nodes[0].value != "change_dates":
        return None
    return nodes[-1].value


@RANGES.rule("rejected_date", "(not | swap) (in | bi | li)? date")
def _not_that_day(nodes: Sequence[Node], _: Context) -> Any:
    return values(nodes, "date")[0]


@RANGES.rule("arrival", "cue (to | li | on | in | from)? date !number")
def _moved_to(nodes: Sequence[Node], _: Context) -> Any:
    until = nodes[0].value == "change" and has(nodes, "to")
    moving = nodes[0].value in ("change_dates", "change", "dates_noun")
    return nodes[-1].value if moving and not until else None


@RANGES.rule("departure", "check_out (in | on | comma | to)? date")
@RANGES.rule("departure", "to date")
@RANGES.rule(
    "departure",
    "check_out (in | on | comma | li)? day_word? (number | ordinal) !(unit_night | unit_day | person | currency)",
)
def _departure(nodes: Sequence[Node], context: Context) -> Any:
    if nodes[-1].kind == "date":
        return nodes[-1].value
    day = number(nodes[-1])
    found = calendar.next_day_of_month(context.today, day) if day and day <= 31 else None
    return Day(found) if found else None


@RANGES.rule("date", "date (comma | from)? date")
def _day_said_twice(nodes: Sequence[Node], _: Context) -> Any:
    """«الجمعة ١٦/١٠»: a weekday and the date it falls on."""
    first, second = values(nodes, "date")
    return second if _one_day_twice(first, second) else None


def _one_day_twice(named: Day, dated: Day) -> bool:
    return (
        named.weekday and not dated.weekday and dated.whole and named.date.weekday() == dated.date.weekday()
    )


@RANGES.rule("date", "date no date")
@RANGES.rule("date", "date (comma | stop) (comma | stop)* no no* date")
def _rather(nodes: Sequence[Node], _: Context) -> Any:
    """«Saturday, not Friday» keeps the first; «on the 7th... no, the 17th» the second."""
    return values(nodes, "date")[1 if has(nodes, "comma", "stop") else 0]
