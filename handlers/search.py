"""Search: by one free sentence or step by step; every value can be corrected at any time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bot.dialogue.flow import DONE, Agree, Ask, Do, Flow, Outcome
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.domain.stays import MAX_GUESTS, MAX_NIGHTS, MAX_ROOMS
from bot.events import Do as Meaning
from bot.events import Menu, Reply
from bot.turn.context import Turn, with_buttons
from db import bookings, hotels, places
from db.bookings import BookingId
from handlers.calendar import month_calendar
from handlers.request import (
    HORIZON_DAYS,
    STAY,
    Destination,
    Request,
    country_name,
    home_currency,
    merge,
    summary,
)
from handlers.results import city_buttons, other_places, show_results
from locales import Phrase

MOST_PLACES = 6
CITIES_SUGGESTED = 5

ACCEPTED = frozenset(Request.model_fields) | {"guests", "budget_delta", "no_budget", "bare_days", "drop"}

OF_A_PLACE = frozenset({"destination", "area", "hotel_name", "amenities"})
"""What was said about one place and means nothing at another."""

BOOKKEEPING = frozenset({"candidates", "unknown_place", "nowhere", "offered", "problems", "changing", "unsettled",
                         "month", "nights"})  # fmt: skip
"""Slots that are no wishes: a change of one of them corrects nothing."""


def seed(memory: Mapping[str, Any], incoming: Mapping[str, Any]) -> Mapping[str, Any]:
    """A new search keeps what the last one knew and this one does not say: nobody repeats herself.

    A new destination keeps dates, people and budget; what was wished for in the other city goes.
    """
    last = memory.get("search")
    if not isinstance(last, Mapping) or incoming.get("fresh"):
        return {}
    if not incoming and "booked" in memory:
        return {}  # the last search is done with
    kept = {name: value for name, value in last.items() if name not in incoming.get("without", ())}
    if incoming.keys() & {"destination", "candidates", "unknown_place"}:
        kept = {name: value for name, value in kept.items() if name not in OF_A_PLACE}
    return kept


# ---------------------------------------------------------------------------------------------- questions


async def ask_destination(turn: Turn, request: Request) -> Reply:
    """Where to: a place that is not clear is asked about, otherwise the question is open."""
    if request.candidates:
        candidates = [Destination.model_validate(found) for found in request.candidates[:MOST_PLACES]]
        name = candidates[0].name(turn.texts.language)
        rows = tuple(
            turn.row(
                place.name(turn.texts.language),
                turn.texts.say("description.place", region=country_name(turn.texts.language, place.country)),
                "fill",
                slots={"destination": place.model_dump()},
            )
            for place in candidates
        )
        reply = turn.reply("search.ambiguous_destination", name=name)
        return with_buttons(
            reply, menu=Menu(opener=turn.texts.say("button.list_open"), rows=rows), expects="destination"
        )
    if request.nowhere:
        return (await other_places(turn, request.nowhere)).model_copy(update={"expects": "destination"})
    if request.unknown_place:
        return _expecting(
            turn.reply("search.unknown_destination", name=request.unknown_place[:60]), "destination"
        )
    cities = await places.popular_cities(turn.conn, country=turn.person.country, most=CITIES_SUGGESTED)
    asked = turn.reply("change.destination" if request.changing else "search.ask_destination")
    asked = _led_by(turn, _problem(turn, request), asked)
    return with_buttons(asked, *city_buttons(turn, cities), expects="destination")


async def ask_check_in(turn: Turn, request: Request) -> Reply:
    month = dt.date.fromisoformat(f"{request.month}-01") if request.month else turn.today
    return _check_in_question(turn, request, month)


async def ask_check_out(turn: Turn, request: Request) -> Reply:
    assert request.check_in is not None
    return _check_out_question(turn, request, request.check_in + dt.timedelta(days=1))


def _check_in_question(turn: Turn, request: Request, month: dt.date) -> Reply:
    assert request.destination is not None
    name = request.destination.name(turn.texts.language)
    if request.changing:
        asked = turn.reply("change.dates")
    elif request.month:
        said = turn.texts.month_title(*map(int, request.month.split("-")))
        asked = turn.reply("search.ask_days", destination=name, month=said)
    else:
        asked = turn.reply("search.ask_dates", destination=name)
    latest = _horizon(turn) - dt.timedelta(days=1)
    calendar = month_calendar(turn, slot="check_in", earliest=turn.today, latest=latest, month=month)
    asked = _date_problem(turn, request) or _led_by(turn, _problem(turn, request), asked)
    return with_buttons(asked, calendar=calendar, expects="dates")


def _check_out_question(turn: Turn, request: Request, month: dt.date) -> Reply:
    assert request.check_in is not None
    asked = turn.reply("search.ask_check_out", check_in=turn.texts.date(request.check_in))
    earliest = request.check_in + dt.timedelta(days=1)
    latest = min(request.check_in + dt.timedelta(days=MAX_NIGHTS), _horizon(turn))
    calendar = month_calendar(turn, slot="check_out", earliest=earliest, latest=latest, month=month)
    asked = _date_problem(turn, request) or _led_by(turn, _problem(turn, request), asked)
    return with_buttons(asked, calendar=calendar, expects="check_out")


async def ask_guests(turn: Turn, request: Request) -> Reply:
    asked = turn.reply("change.guests" if request.changing else "search.ask_guests")
    buttons = (
        turn.button("button.guests_one", "fill", slots={"adults": 1, "rooms": 1}),
        turn.button("button.guests_two", "fill", slots={"adults": 2, "rooms": 1}),
    )
    own = None if "too_many_guests" in request.problems else _people_problem(turn, request)
    return with_buttons(own or _led_by(turn, _problem(turn, request), asked), buttons, expects="guests")


def _led_by(turn: Turn, problem: Reply | None, asked: Reply) -> Reply:
    """The question, after what could not be used of the last message."""
    if problem is None:
        return asked
    return asked.model_copy(update={"text": turn.texts.lines([Phrase(problem.text), Phrase(asked.text)])})


async def confirm(turn: Turn, request: Request) -> Reply:
    """Read the request back; what could not be used of the last message is said first."""
    understood = summary(turn.texts, request)
    problem = _problem(turn, request)
    if problem:
        asked = _led_by(turn, problem, turn.reply("search.as_it_stands", summary=understood))
    elif turn.again:
        asked = turn.reply("search.confirm_again", summary=understood)
    elif turn.corrected - BOOKKEEPING:
        asked = turn.reply("search.corrected", summary=understood)
    else:
        asked = turn.reply("search.confirm", summary=understood)
    buttons = (
        turn.button("button.search_now", "affirm", args={"asked": "search:search"}),
        turn.button("button.edit", "change"),
    )
    return with_buttons(asked, buttons, expects="confirm")


async def what_to_change(turn: Turn, _request: Request, _move: Move) -> None:
    await change(turn, Move("change"))


CLEARED = {
    "destination": ("destination", "candidates", "unknown_place", "area", "hotel_name", "amenities"),
    "dates": ("check_in", "check_out", "nights", "month"),
    "guests": ("adults", "children", "child_ages", "rooms"),
}


async def change(turn: Turn, move: Move) -> Outcome | Move | None:
    """«أعدّل الطلب»: ask again for what should change, or first which thing it is."""
    what = str(move.args.get("what"))
    top = turn.dialogue.top
    if top is None and what in {"dates", "guests"} and (booked := turn.dialogue.memory.get("booked")):
        await _change_booked(turn, BookingId(UUID(booked)))
        return None
    if what == "budget":
        button = turn.button("button.no_budget", "fill", slots={"no_budget": True})
        turn.add(with_buttons(turn.reply("change.budget"), (button,), expects="budget"))
        turn.dialogue.expecting = "budget"
        return None
    if what in CLEARED:
        if top is not None and top.flow == "search":
            turn.keep(changing=what)
            return Outcome(clear=CLEARED[what])
        return Move("search", slots={"changing": what}, args={"without": list(CLEARED[what])})
    choices = ("destination", "dates", "guests", "budget")
    buttons = tuple(turn.button(f"button.edit_{name}", "change", args={"what": name}) for name in choices)
    turn.add(with_buttons(turn.reply("change.ask_what"), buttons[:2], buttons[2:]))
    turn.dialogue.expecting = "change"
    return None


async def _change_booked(turn: Turn, booked: BookingId) -> None:
    """What was just booked is changed by people, for now; it stands as it is until then."""
    mine = await bookings.find(turn.conn, booking=booked, user_id=turn.person.id)
    assert mine is not None
    hotel = (await hotels.read(turn.conn, ids=[mine.hotel_id]))[mine.hotel_id]
    name = hotel.name_ar if turn.texts.language == "ar" else hotel.name_en
    buttons = (turn.button("button.human", "human"), turn.button("button.new_search", "new_search"))
    turn.add(with_buttons(turn.reply("change.booked_needs_human", hotel=name), buttons))


async def turn_page(turn: Turn, move: Move) -> Move | None:
    """The calendar shows another month, in place."""
    frame = turn.dialogue.top
    slot = move.args.get("slot")
    if frame is None or frame.flow != "search" or slot not in {"check_in", "check_out"}:
        return Move("revive")
    request = Request.model_validate(frame.slots)
    month = dt.date.fromisoformat(str(move.args["month"]))
    if slot == "check_out" and request.check_in is not None:
        question = _check_out_question(turn, request, month)
    elif request.destination is not None:
        question = _check_in_question(turn, request, month)
    else:
        return Move("revive")
    turn.add(question.model_copy(update={"edit": True}))
    return None


async def new_search(turn: Turn, _move: Move) -> Move:
    return Move("search", args={"fresh": True})


async def revive(turn: Turn, _move: Move) -> None:
    """A button that no longer stands: the search behind it is kept, and fresh prices are offered."""
    last = turn.dialogue.memory.get("search")
    if not last or turn.dialogue.frames:
        turn.aside("stale.unknown")
        return
    request = Request.model_validate(last)
    buttons = (
        turn.button("button.show_prices", "show_results"),
        turn.button("button.new_search", "new_search"),
    )
    turn.add(with_buttons(turn.reply("stale.revived", summary=summary(turn.texts, request)), buttons))
    turn.question(yes=Meaning(name="show_results"), no=Meaning(name="no_thanks"))


CHANGES = {
    "destination": Action.DESTINATION_CHANGED,
    "check_in": Action.DATES_CHANGED,
    "check_out": Action.DATES_CHANGED,
    "adults": Action.GUESTS_CHANGED,
    "children": Action.GUESTS_CHANGED,
    "rooms": Action.GUESTS_CHANGED,
    "budget_max": Action.BUDGET_CHANGED,
    "budget_min": Action.BUDGET_CHANGED,
}


async def note_change(turn: Turn, corrected: frozenset[str]) -> None:
    """Each kind of change is one row of the log, however many slots it touched."""
    for action in sorted({CHANGES[name] for name in corrected if name in CHANGES}):
        turn.log(action)


# ---------------------------------------------------------------------------------------------- the search itself


async def _named(turn: Turn, request: Request, name: str) -> Outcome | Move:
    """The hotel that was asked for by name; when the city has none of that name, the others."""
    assert request.destination is not None
    others = request.model_copy(update={"hotel_name": None})
    turn.dialogue.memory["search"] = others.model_dump(mode="json", exclude_none=True)
    names = (name, name.lower(), f"فندق {name}", f"{name.lower()} hotel")
    found = await places.named_hotel(turn.conn, names=names, city=request.destination.geonameid)
    if found:
        return Move("open_hotel", args={"hotel": found[0]})
    city = request.destination.name(turn.texts.language)
    turn.say("hotel.unknown_here", name=name[:60], destination=city)
    return await show_results(turn, others)


async def search(turn: Turn, request: Request) -> Outcome | Move:
    """Everything is agreed: look, and show; unless what was said last could not be used."""
    assert request.destination is not None
    if problem := _problem(turn, request):
        expects = "budget" if "budget_unclear" in request.problems else None
        turn.dialogue.memory["search"] = request.model_dump(mode="json", exclude_none=True)
        turn.add(problem.model_copy(update={"expects": expects}))
        return DONE
    turn.log(
        Action.SEARCH_STARTED,
        destination=request.destination.geonameid,
        check_in=request.check_in,
        nights=request.stay_nights,
        adults=request.adults,
        children=request.children,
        rooms=request.room_count,
        budget_max=float(request.budget_max) if request.budget_max else None,
        currency=request.currency,
    )
    turn.dialogue.memory.pop("booked", None)
    if request.hotel_name:
        return await _named(turn, request, request.hotel_name)
    turn.dialogue.memory["search"] = request.model_dump(mode="json", exclude_none=True)
    return await show_results(turn, request)


async def settle(turn: Turn, request: Request) -> None:
    """What words alone do not tell: whether there are hotels, whose money is meant, which days are still to come."""
    found: dict[str, Any] = {"unsettled": None}
    if request.destination and not await _has_hotels(turn, request.destination):
        found |= dict.fromkeys(CLEARED["destination"]) | {"nowhere": request.destination}
    if request.currency is None and (request.budget_min or request.budget_max):
        found["currency"] = home_currency(turn.person.country)
    if request.check_in and (problem := _out_of_reach(turn, request.check_in, request.check_out)):
        kept = request.stay_nights or request.nights
        found |= {"check_in": None, "check_out": None, "nights": kept, "problems": [problem]}
    turn.keep(**found)


async def _has_hotels(turn: Turn, destination: Destination) -> bool:
    city = destination.geonameid
    return city is not None and await places.has_hotels(turn.conn, city=city)


def _out_of_reach(turn: Turn, check_in: dt.date, check_out: dt.date | None) -> str | None:
    if check_in < turn.today:
        return "past_date"
    return "beyond_horizon" if (check_out or check_in) > _horizon(turn) else None


def _horizon(turn: Turn) -> dt.date:
    return turn.today + dt.timedelta(days=HORIZON_DAYS)


def _expecting(reply: Reply, expects: str) -> Reply:
    return reply.model_copy(update={"expects": expects})


def _date_problem(turn: Turn, request: Request) -> Reply | None:
    for problem in () if turn.again else request.problems:
        match problem:
            case "past_date":
                return turn.reply("search.past_date_unnamed")
            case "check_out_before_check_in" if request.check_in:
                return turn.reply(
                    "search.check_out_before_check_in", check_in=turn.texts.date(request.check_in)
                )
            case "stay_too_long":
                return turn.reply("search.stay_too_long", max_nights=turn.texts.count("night", MAX_NIGHTS))
            case "beyond_horizon":
                return turn.reply("search.beyond_horizon", last_date=turn.texts.date(_horizon(turn)))
    return None


def _people_problem(turn: Turn, request: Request) -> Reply | None:
    for problem in () if turn.again else request.problems:
        match problem:
            case "too_many_guests":
                return turn.reply("search.too_many_guests", max_guests=turn.texts.count("guest", MAX_GUESTS))
            case "too_many_rooms":
                return turn.reply("search.too_many_rooms", max_rooms=turn.texts.count("room", MAX_ROOMS))
            case "no_guests" | "no_rooms":
                return turn.reply("search.no_guests")
            case "no_adults":
                return turn.reply("search.no_adults")
            case "bad_age":
                return turn.reply("search.bad_age")
            case "more_rooms_than_guests":
                return turn.reply("search.ask_rooms", guests=turn.texts.count("guest", request.people))
    return None


def _problem(turn: Turn, request: Request) -> Reply | None:
    if "budget_unclear" in request.problems and not turn.again:
        return turn.reply("search.budget_unclear")
    return _date_problem(turn, request) or _people_problem(turn, request)


SEARCH = Flow(
    "search",
    Request,
    (
        Ask("settled", settle, missing=lambda request: request.unsettled is not None),
        Ask("destination", ask_destination, clears=("candidates", "unknown_place", "area", "hotel_name")),
        Ask("check_in", ask_check_in, expects="dates", clears=("check_out", "nights", "month")),
        Ask("check_out", ask_check_out, expects="check_out", clears=("nights",)),
        Ask("adults", ask_guests, expects="guests", clears=("children", "child_ages", "rooms")),
        Agree("search", confirm, on_deny=what_to_change, covers=STAY),
        Do(search),
    ),
    begins=frozenset({"search"}),
    actions={"change": change, "calendar": turn_page, "new_search": new_search, "revive": revive},
    accepts=ACCEPTED,
    merge=merge,
    seed=seed,
    on_corrected=note_change,
    goes_on=True,
    replaces=frozenset({"booking", "cancel", "outcome"}),
)
