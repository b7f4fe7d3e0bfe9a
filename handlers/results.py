"""The hotels found: a page at a time, sorted, each one a tap away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.dialogue.flow import DONE, Flow, Outcome
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.domain.money import Approximate, approximate
from bot.domain.search import Budget, Found, Relax, Relaxation, Search, find
from bot.events import Button, Card, Menu, Reply
from bot.suppliers import Offer, Stay
from bot.turn.context import Turn, with_buttons
from db import places
from db.inventory import Sort
from db.places import City
from handlers import offers as wording
from handlers.proof import rating_lines, shown_for
from handlers.request import Destination, Request, amenity_names, budget, summary
from handlers.start import Nothing
from locales import Money, Phrase, minor_units

PAGE = 3
MOST_CITIES = 6

MOST_IDEAS = 3
LEVELS = {"moderate": (3, 4), "expensive": (5, 5)}
"""Price levels as classes of hotels, from and to; «cheap» needs none, the cheapest come first anyway."""

SORTS = {"price": Sort.PRICE, "rating": Sort.RATING, "stars": Sort.STARS, "distance": Sort.DISTANCE}


def stay_of(request: Request) -> Stay | None:
    """The stay of a request, once it is complete."""
    if request.check_in is None or request.check_out is None or request.adults is None:
        return None
    return Stay(
        check_in=request.check_in,
        check_out=request.check_out,
        adults=request.adults,
        children=request.children,
        child_ages=tuple(request.child_ages) if len(request.child_ages) == request.children else (),
        rooms=request.room_count,
    )


async def show_results(
    turn: Turn, request: Request, *, offset: int = 0, lead: Phrase | None = None, reordered: bool = False
) -> Outcome:
    """Search, and show one page, led by `lead`, by its new order or by the request; when there is nothing, what would help."""
    assert request.destination is not None
    turn.dialogue.memory.pop("card", None)
    if request.destination.geonameid is None:
        turn.add(await other_places(turn, request.destination))
        return DONE
    wanted = _search(request, city=request.destination.geonameid)
    found = await find(turn.conn, search=wanted, now=turn.now, limit=PAGE, offset=offset)
    if not found.has_hotels:
        turn.add(await other_places(turn, request.destination))
        return DONE
    if not found.offers:
        turn.dialogue.memory.pop("shown", None)
        _nothing_found(turn, request, found)
        return DONE
    shown = turn.dialogue.memory.get("shown", {}).get("hotels", []) if offset else []
    named = turn.dialogue.memory.get("shown", {}).get("names", []) if offset else []
    identifiers = [*shown[:offset], *(offer.hotel.identifier for offer in found.offers)]
    names = [*named[:offset], *([offer.hotel.name_ar, offer.hotel.name_en] for offer in found.offers)]
    turn.dialogue.memory.pop("listed", None)
    turn.dialogue.memory["shown"] = {"hotels": identifiers, "names": names, "matches": found.matches}
    turn.log(
        Action.RESULTS_SHOWN,
        destination=wanted.city,
        hotels=[offer.hotel.identifier for offer in found.offers],
        matches=found.matches,
        offset=offset,
    )
    turn.add(await _page(turn, request, found, offset=offset, lead=lead, reordered=reordered))
    return DONE


def _search(request: Request, *, city: int) -> Search:
    """The request in the words of the domain. A level of price is read as a class of hotel."""
    stay = stay_of(request)
    assert stay is not None
    most = budget(request, request.budget_max)
    low, high = LEVELS.get(request.price_level or "", (None, None))
    return Search(
        city=city,
        stay=stay,
        budget=Budget(most, request.budget_per) if most else None,
        stars_min=request.stars or low,
        stars_max=None if request.stars else high,
        amenities=tuple(request.amenities),
        area=request.area,
        free_cancellation=request.free_cancellation,
        sort=SORTS.get(request.sort or ("rating" if request.rating_min else "price"), Sort.PRICE),
    )


async def _page(
    turn: Turn, request: Request, found: Found, *, offset: int, lead: Phrase | None, reordered: bool
) -> Reply:
    texts, offers, matches = turn.texts, found.offers, found.matches
    told = await shown_for(turn, [offer.hotel for offer in offers])
    ratings = [rating_lines(turn, told.get(offer.hotel.id)) for offer in offers]
    if reordered:
        lead = _order(turn, request, rated=bool(told))
    elif lead is None and offset:
        lead = texts.say("results.header_more", page=offset // PAGE + 1, pages=-(-matches // PAGE))
    elif lead is None:
        lead = texts.say(
            "results.header", hotels=texts.count("hotel", matches), summary=summary(texts, request)
        )
        lead = Phrase(f"{lead} {_order(turn, request, rated=bool(told))}") if matches > 1 else lead
    lines = [lead]
    if request.rating_min and offset == 0:
        lines.append(texts.say("results.rating_not_filtered" if told else "results.no_ratings_yet"))
    if any(offer.hotel.demo for offer in offers):
        lines.append(texts.say("demo.label"))
    near = [await _near(turn, request, wording.nightly(offer)) for offer in offers]
    if (some := next(filter(None, near), None)) is not None:
        shown = await _legible(turn, some)
        day = texts.date(shown.as_of, weekday=False)
        lines.append(texts.say("results.approximate", date=day, one=shown.one, rate=shown.rate))
    lead = texts.lines(lines)
    numbered = list(enumerate(offers, start=offset + 1))
    blocks = [
        wording.result_text(turn, offer, number, worth, rating)
        for (number, offer), worth, rating in zip(numbered, near, ratings, strict=True)
    ]
    rows = tuple(
        turn.row(
            wording.hotel_name(turn, offer.hotel),
            texts.say(
                "description.hotel",
                stars=texts.count("star", offer.hotel.stars),
                price=wording.price(turn, offer),
            ),
            "open_hotel",
            args={"hotel": offer.hotel.identifier},
        )
        for _, offer in numbered
    )
    cards = tuple(
        Card(
            title=wording.hotel_name(turn, offer.hotel),
            lines=wording.result_lines(turn, offer, worth, rating),
            picture=wording.picture(turn, offer.hotel),
            buttons=(
                turn.button("button.details", "open_hotel", args={"hotel": offer.hotel.identifier}),
                turn.button("button.book", "book", args={"hotel": offer.hotel.identifier}),
            ),
        )
        for offer, worth, rating in zip(offers, near, ratings, strict=True)
    )
    more = matches > offset + len(offers)
    buttons = tuple(
        button
        for button in (
            turn.button("button.more", "more") if more else None,
            turn.button("button.sort", "sort") if matches > 1 else None,
            turn.button("button.edit", "change"),
        )
        if button
    )
    text = "\n\n".join([lead, *blocks, texts.say("results.pick" if more else "results.pick_last")])
    return turn.compose("results.page", text, {"hotels": len(offers), "matches": matches}).model_copy(
        update={
            "menu": Menu(opener=texts.say("button.list_open"), rows=rows),
            "cards": cards,
            "lead": lead,
            "buttons": (buttons,),
            "expects": "hotel",
        }
    )


async def _legible(turn: Turn, near: Approximate) -> Approximate:
    """The rate the way round that says more: «1 دولار ≈ 42 ليرة», not «1 ليرة ≈ 0.02 دولار»."""
    if near.rate.major >= 1:
        return near
    one = Money(10 ** minor_units(near.rate.currency), near.rate.currency)
    return await approximate(turn.conn, one, currency=near.one.currency) or near


def _order(turn: Turn, request: Request, *, rated: bool) -> Phrase:
    """What the order of the list is; distances need a point that nobody named. rated: enough guests told of some hotel."""
    match request.sort:
        case "stars":
            return turn.texts.say("results.sorted_by.stars")
        case "rating":
            return turn.texts.say("results.sorted_by.rating" if rated else "results.sorted_by.no_ratings")
        case _:
            return turn.texts.say("results.sorted_by.price")


async def _near(turn: Turn, request: Request, price: Money) -> Approximate | None:
    """About what a price is in the money the budget was said in."""
    if request.currency is None or not (request.budget_min or request.budget_max):
        return None
    return await approximate(turn.conn, price, currency=request.currency)


async def other_places(turn: Turn, destination: Destination) -> Reply:
    """No hotels in that place: it may be a country, or near one where there are some."""
    name = destination.name(turn.texts.language)
    cities = await places.cities_of(turn.conn, country=destination.country, most=MOST_CITIES)
    if not cities:
        buttons = (turn.button("button.new_search", "new_search"),)
        return with_buttons(turn.reply("search.no_hotels_near", destination=name), buttons)
    names = [city.name(turn.texts.language) for city in cities]
    key, values = (
        ("search.country_destination", {"country": name})
        if destination.kind == "country"
        else ("search.no_hotels_there", {"destination": name, "nearby": turn.texts.join(names)})
    )
    return with_buttons(turn.reply(key, **values), *city_buttons(turn, cities))


def city_buttons(turn: Turn, cities: Sequence[City]) -> list[tuple[Button, ...]]:
    """Cities to choose from, two in a row; an ordinal points at them too."""
    destinations = [
        {"name_ar": city.name_ar, "name_en": city.name_en, "country": city.country, "geonameid": city.id}
        for city in cities
    ]
    if turn.dialogue.top is not None and turn.dialogue.top.flow == "search":
        turn.keep(offered=destinations)
    buttons = [
        turn.button(
            "row.place", "fill", slots={"destination": destination}, place=city.name(turn.texts.language)
        )
        for city, destination in zip(cities, destinations, strict=True)
    ]
    return [tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2)]


def _nothing_found(turn: Turn, request: Request, found: Found) -> None:
    """Say so, and offer the smallest changes that would find something, as buttons."""
    texts = turn.texts
    ideas = [_idea(turn, relaxation) for relaxation in found.relaxations[:MOST_IDEAS]]
    if ideas:
        suggestions = texts.join([suggestion for suggestion, _ in ideas], last="or")
        reply = turn.reply("results.none", summary=summary(texts, request), suggestions=suggestions)
        turn.add(with_buttons(reply, *((button,) for _, button in ideas)))
        return
    buttons = (
        turn.button("button.edit_dates", "change", args={"what": "dates"}),
        turn.button("button.new_search", "new_search"),
    )
    turn.add(with_buttons(turn.reply("results.none_plain", summary=summary(texts, request)), buttons))


def _at_least(offer: Offer) -> Money:
    """A budget a night, in whole units, that the offer fits in."""
    unit = 10 ** minor_units(offer.total.currency)
    return Money(-(-offer.total.minor // (offer.stay.nights * unit)) * unit, offer.total.currency)


def _idea(turn: Turn, relaxation: Relaxation) -> tuple[Phrase, Button]:
    """A change that would find something, in words and as a button."""
    texts, changed, best = turn.texts, relaxation.search, relaxation.best
    name = f"results.relax.{relaxation.relax.value}"
    match relaxation.relax:
        case Relax.BUDGET:
            price = _at_least(best)
            slots: dict[str, Any] = {
                "budget_max": str(price.major),
                "currency": price.currency,
                "budget_per": "night",
            }
            return texts.say(name, budget=price), turn.button("button.raise_budget", "fill", slots=slots)
        case Relax.DATES:
            dates = texts.date_range(changed.stay.check_in, changed.stay.check_out)
            slots = {
                "check_in": changed.stay.check_in.isoformat(),
                "check_out": changed.stay.check_out.isoformat(),
            }
            return texts.say(name, dates=dates), turn.button("button.these_dates", "fill", slots=slots)
        case Relax.AMENITIES:
            wished = last_request(turn)
            names = amenity_names(texts, wished.amenities if wished else [])
            suggestion = texts.say(name, amenities=texts.join(names))
            return suggestion, turn.button("button.drop_amenities", "fill", slots={"drop": ["amenities"]})
        case Relax.STARS:
            slots = {"drop": ["stars", "price_level"]}
            return texts.say(name), turn.button("button.any_class", "fill", slots=slots)
        case Relax.AREA:
            destination = wording.city_name(turn, best.hotel)
            suggestion = texts.say(name, destination=destination)
            return suggestion, turn.button("button.whole_city", "fill", slots={"drop": ["area"]})
        case Relax.ROOMS:
            return texts.say(name), turn.button(
                "button.more_rooms", "fill", slots={"rooms": changed.stay.rooms}
            )
        case Relax.WISHES:
            wishes = [
                "amenities",
                "stars",
                "price_level",
                "area",
                "free_cancellation",
                "budget_max",
                "budget_min",
            ]
            wished = last_request(turn)
            slots = {"drop": wishes}
            if wished is None or changed.stay.rooms != wished.room_count:
                slots["rooms"] = changed.stay.rooms
            return texts.say(name), turn.button("button.all_hotels", "fill", slots=slots)
        case Relax.FREE_CANCELLATION:
            slots = {"drop": ["free_cancellation"]}
            return texts.say(name), turn.button("button.any_cancellation", "fill", slots=slots)


# ---------------------------------------------------------------------------------------------- moving about


def last_request(turn: Turn) -> Request | None:
    """The search whose results are on show."""
    last = turn.dialogue.memory.get("search")
    return Request.model_validate(last) if isinstance(last, Mapping) else None


async def more(turn: Turn, move: Move) -> Move | None:
    """The next page."""
    if turn.dialogue.top is not None and turn.dialogue.top.flow == "search":
        return Move("resume")
    request, shown = last_request(turn), turn.dialogue.memory.get("shown")
    if request is None or not shown or stay_of(request) is None:
        return Move("search")
    if len(shown["hotels"]) >= shown["matches"]:
        turn.say("results.end")
        return None
    if _gone(turn, request):
        return Move("revive")
    await show_results(turn, request, offset=len(shown["hotels"]))
    return None


async def ask_price(turn: Turn, move: Move) -> Move:
    """«بكم؟»: of what is pointed at or open; otherwise it is a search."""
    if move.slots.keys() - {"budget_per"}:
        return Move("search", slots=move.slots, args=move.args)
    if "choices" in move.args or "hotel_name" in move.args:
        return Move("choose", args=move.args)
    if turn.dialogue.top is not None and turn.dialogue.top.flow == "booking":
        return Move("booking_price")
    return Move("open_hotel" if turn.dialogue.memory.get("open") else "show_results")


async def again(turn: Turn, move: Move) -> Move | None:
    """The results once more, with the latest prices."""
    request = last_request(turn)
    if request is None or stay_of(request) is None or _gone(turn, request):
        return Move("change", args={"what": "dates"}) if request else Move("search")
    await show_results(turn, request)
    return None


async def sort(turn: Turn, move: Move) -> Move | None:
    """Another order; without one said, the choice of orders."""
    request = last_request(turn)
    by = move.args.get("sort") or move.slots.get("sort")
    if by is None or by == "distance":
        buttons = (
            turn.button("button.sort_price", "sort", args={"sort": "price"}),
            turn.button("button.sort_rating", "sort", args={"sort": "rating"}),
            turn.button("button.sort_stars", "sort", args={"sort": "stars"}),
        )
        turn.add(with_buttons(turn.reply("results.ask_sort"), buttons))
        return None
    searching = turn.dialogue.top is not None and turn.dialogue.top.flow == "search"
    if searching or request is None or stay_of(request) is None:
        return Move("fill", slots={"sort": by})
    request = request.model_copy(update={"sort": by})
    turn.dialogue.memory["search"] = request.model_dump(mode="json", exclude_none=True)
    turn.log(Action.RESULTS_SORTED, sort=str(by))
    await show_results(turn, request, reordered=True)
    return None


async def choose(turn: Turn, move: Move) -> Move | None:
    """«الثاني»: the second hotel on show, or the second room when rooms are on show."""
    top, memory = turn.dialogue.top, turn.dialogue.memory
    match (top.flow, top.asked) if top else None:
        case "booking", "room":
            return Move("choose_room", args=move.args)
        case "booking", "hotel" if hotel := pointed_at(memory, move.args):
            return Move("fill", slots={"hotel": hotel})
        case "search", _ if top and (on_show := _places_on_show(top.slots)):
            place = nth(on_show, move.args)
            return Move("fill", slots={"destination": place}) if place else Move("miss")
        case None if trip := nth(memory.get("listed", {}).get("trips", ()), move.args):
            return Move(memory["listed"]["move"], args={"trip": trip})
    identifier = pointed_at(memory, move.args)
    if identifier and top is None and memory.get("listed", {}).get("move") == "read_reviews":
        return Move("read_reviews", args={"hotel": identifier})
    if identifier:
        return Move("open_hotel", args={"hotel": identifier})
    if "hotel_name" in move.args:
        return Move("open_hotel", args={"hotel_name": move.args["hotel_name"]})
    shown = turn.dialogue.memory.get("shown", {}).get("hotels", [])
    if not shown:
        return Move("miss")
    if len(shown) == 1:
        turn.say("results.only_option")
    else:
        turn.say("results.no_such_option", hotels=turn.texts.count("hotel", len(shown)))
    return None


def pointed_at(memory: Mapping[str, Any], args: Mapping[str, Any]) -> str | None:
    """The hotel that was pointed at: by identifier, or by its place among those on show (1 is the first, -1 the last)."""
    if isinstance(args.get("hotel"), str):
        return str(args["hotel"])
    shown = memory.get("shown", {}).get("hotels", [])
    for choice in args.get("choices", ()):
        if choice == "next":
            current = memory.get("open")
            index = shown.index(current) + 1 if current in shown else 0
        else:
            index = choice - 1 if choice > 0 else len(shown) + choice
        if 0 <= index < len(shown):
            return str(shown[index])
    return None


def in_hand(turn: Turn) -> str | None:
    """The hotel that is meant where none is named: the one being booked, or the one opened last."""
    top = turn.dialogue.top
    booked = top.slots.get("hotel") if top is not None and top.flow == "booking" else None
    return booked or turn.dialogue.memory.get("open")


def _places_on_show(slots: Mapping[str, Any]) -> list[Any]:
    """The places a search offers as choices, until one is chosen."""
    if slots.get("destination"):
        return []
    return list(slots.get("candidates") or slots.get("offered") or ())


def nth(shown: Sequence[Any], args: Mapping[str, Any]) -> Any:
    """What an ordinal points at among the things on show; None when at nothing."""
    for choice in args.get("choices", ()):
        index = choice - 1 if isinstance(choice, int) and choice > 0 else choice
        if isinstance(index, int) and -len(shown) <= index < len(shown):
            return shown[index]
    return None


def _gone(turn: Turn, request: Request) -> bool:
    """Whether the search is about days that have passed."""
    return request.check_in is not None and request.check_in < turn.today


RESULTS = Flow(
    "results",
    Nothing,
    actions={"ask_price": ask_price, "more": more, "show_results": again, "sort": sort, "choose": choose},
)
