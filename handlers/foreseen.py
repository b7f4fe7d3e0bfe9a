"""What was foreseen, where a traveler may read of it: only once predictions of its kind have proven right.

A word on the next trip at the end of «رحلاتي», with its reason, once; and what was expected of a stay beside what she said of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.domain import predictions
from bot.domain.behavior import Action
from bot.turn.context import Turn, with_buttons
from db.bookings import BookingId
from db.predictions import TripPrediction
from locales import Money, Phrase


async def foreseen(turn: Turn, booking: BookingId) -> Phrase:
    """«توقّعنا 8.5 من 10، وكان تقييمك 9»; empty, most of the time."""
    told = await predictions.told(turn.conn, user_id=turn.person.id, booking=booking)
    if told is None:
        return Phrase("")
    turn.log(Action.PREDICTION_SHOWN, booking=str(booking))
    return turn.texts.say(
        "prediction.told",
        rating=turn.texts.rating(round(told.predicted_satisfaction, 1)),
        value=told.actual_satisfaction,
    )


async def suggest_trip(turn: Turn) -> None:
    """Nothing, most of the time."""
    found = await predictions.suggestion(
        turn.conn, user_id=turn.person.id, consented=turn.person.consented, now=turn.now
    )
    if found is None:
        return
    texts = turn.texts
    days = {name: date.fromisoformat(day) for name, day in found.predicted_dates.items()}
    budget = found.predicted_budget_range
    text = texts.say(
        "prediction.next_trip",
        city=_city(turn, found),
        dates=texts.date_range(days["check_in"], days["check_out"]),
        low=Money(budget["low"], budget["currency"]),
        high=Money(budget["high"], budget["currency"]),
        reasons=texts.clauses([_reason(turn, found, each) for each in found.prediction_reasoning]),
    )
    turn.log(Action.PREDICTION_SHOWN, prediction=str(found.id), city=found.city)
    reply = turn.compose("prediction.next_trip", text, {"city": found.city})
    slots = {
        "destination": {
            "name_ar": found.city_ar,
            "name_en": found.city_en,
            "country": found.country,
            "geonameid": found.city,
        },
        "check_in": days["check_in"].isoformat(),
        "check_out": days["check_out"].isoformat(),
    }
    turn.add(with_buttons(reply, (turn.button("button.suggested_trip", "search", slots=slots),)))


def _city(turn: Turn, found: TripPrediction) -> str:
    return found.city_ar if turn.texts.language == "ar" else found.city_en


def _reason(turn: Turn, found: TripPrediction, given: Mapping[str, Any]) -> Phrase:
    texts = turn.texts
    values: dict[str, Any] = {}
    if "times" in given:
        values["stays"] = texts.count("stay", given["times"])
    if "city" in given:
        values["city"] = _city(turn, found)
    if "month" in given:
        values["month"] = texts.month(given["month"])
    if "season" in given:
        values["season"] = texts.say(f"season.{given['season']}")
    if "nights" in given:
        values["nights"] = texts.count("night", given["nights"])
    return texts.say(f"prediction.reason.{given['reason']}", **values)
