"""A month to pick a day from, in the traveler's language and her country's week."""

from __future__ import annotations

import calendar as months
import datetime as dt

from bot.events import Calendar, Do
from bot.turn.context import Turn


def month_calendar(
    turn: Turn,
    *,
    slot: str,
    earliest: dt.date,
    latest: dt.date,
    month: dt.date,
    selected: dt.date | None = None,
) -> Calendar:
    """The month of `month` for picking `slot`; only days in [earliest, latest] can be chosen."""
    shown = min(max(month.replace(day=1), earliest.replace(day=1)), latest.replace(day=1))

    last_day = shown.replace(day=months.monthrange(shown.year, shown.month)[1])
    before, after = (shown - dt.timedelta(days=1)).replace(day=1), last_day + dt.timedelta(days=1)
    return Calendar(
        year=shown.year,
        month=shown.month,
        title=turn.texts.say(
            f"calendar.choose_{slot}", month=turn.texts.month_title(shown.year, shown.month)
        ),
        first_weekday=turn.texts.weekday_start(),
        weekdays=tuple(turn.texts.weekdays()),
        earliest=earliest,
        latest=latest,
        selected=selected,
        pick=Do(name="fill", args={"slot": slot}),
        previous=(
            turn.button("calendar.previous", "calendar", args={"slot": slot, "month": before.isoformat()})
            if before >= earliest.replace(day=1)
            else None
        ),
        following=(
            turn.button("calendar.next", "calendar", args={"slot": slot, "month": after.isoformat()})
            if after <= latest
            else None
        ),
    )
