"""One hotel: its card, its pictures, its place on the map."""

from __future__ import annotations

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.events import Button, Do, Place
from bot.suppliers.inventory import Inventory
from bot.turn.context import Turn, with_buttons
from db import hotels, places
from db.hotels import Hotel
from handlers import offers as wording
from handlers.proof import proof_lines, shown_for
from handlers.request import amenity_names
from handlers.results import in_hand, last_request, pointed_at, stay_of
from handlers.start import Nothing

MOST_PICTURES = 3
MEALS = frozenset({"breakfast", "half_board", "full_board", "all_inclusive"})
"""Amenities that a hotel may have and a room's price not include."""


async def open_hotel(turn: Turn, move: Move) -> Move | None:
    """The card of the hotel that was pointed at or named, with prices when the dates are known."""
    hotel = await _hotel(turn, move)
    if hotel is None:
        name = str(move.args.get("hotel_name") or "")
        if isinstance(move.args.get("hotel"), str):  # a button of a hotel that was taken off since
            turn.aside("stale.unknown")
            return None
        if not name:
            return Move("choose", args=move.args)
        buttons = (
            turn.button("button.show_prices", "show_results"),
            turn.button("button.new_search", "new_search"),
        )
        turn.add(with_buttons(turn.reply("hotel.unknown", name=name[:60]), buttons))
        turn.question(yes=Do(name="show_results"), no=Do(name="no_thanks"))
        return None
    turn.dialogue.memory |= {"open": hotel.identifier, "card": hotel.identifier}
    turn.dialogue.memory.pop("listed", None)
    request = last_request(turn)
    stay = stay_of(request) if request else None
    known = stay is not None and stay.check_in >= turn.today
    found = await Inventory(turn.conn).offers(hotel, stay) if stay is not None and known else []
    turn.log(Action.HOTEL_VIEWED, hotel=hotel.identifier, offers=len(found))
    told = (await shown_for(turn, [hotel])).get(hotel.id)
    opinions = [*proof_lines(turn, told), turn.texts.say("proof.more")] if told else []
    wished = request.amenities if request else []
    lines = wording.hotel_lines(turn, hotel, found, opinions, wished=wished)
    text = turn.texts.say("hotel.card", hotel=wording.hotel_name(turn, hotel), lines=turn.texts.lines(lines))
    if known and not found:
        text = turn.texts.lines(
            [text, turn.texts.say("hotel.sold_out", hotel=wording.hotel_name(turn, hotel))]
        )
    pointer = {"hotel": hotel.identifier}
    first = turn.button("button.book", "book", args=pointer) if found or not known else None
    # Three at most, so that WhatsApp can show them under the picture.
    second = turn.button("button.photos", "photos", args=pointer)
    third = turn.button("button.map", "map", args=pointer)
    rows = ((first or turn.button("button.back_to_results", "show_results"),), (second, third))
    reply = turn.compose("hotel.card", text, {"hotel": hotel.identifier, "offers": len(found)})
    turn.add(with_buttons(reply, *rows, picture=wording.picture(turn, hotel)))
    return None


async def ask_amenities(turn: Turn, move: Move) -> Move | None:
    """«هل يوجد مسبح؟» of the hotel that is being booked, or whose card is on show; anywhere else it is a wish."""
    top, asked = turn.dialogue.top, move.slots["amenities"]
    if top is not None:
        identifier = top.slots.get("hotel") if top.flow == "booking" else None
    else:
        identifier = turn.dialogue.memory.get("card") if move.args.get("question") else None
    hotel = await hotels.find(turn.conn, identifier=identifier) if identifier else None
    if hotel is None:
        return Move("fill", slots=move.slots)
    texts, name = turn.texts, wording.hotel_name(turn, hotel)
    has = amenity_names(texts, [amenity for amenity in asked if amenity in hotel.amenities])
    lacks = amenity_names(texts, [amenity for amenity in asked if amenity not in hotel.amenities])
    lines = []
    if has:
        lines.append(texts.say("hotel.has", hotel=name, amenities=texts.join(has)))
    if lacks:
        lines.append(texts.say("hotel.has_not", hotel=name, amenities=texts.join(lacks)))
    if MEALS.intersection(asked):
        lines.append(texts.say("hotel.meals_by_room"))
    reply = turn.compose("hotel.amenities", texts.lines(lines), {"hotel": hotel.identifier})
    turn.add(with_buttons(reply, _onward(turn, hotel)))
    return None


async def photos(turn: Turn, move: Move) -> None:
    """The other pictures; the first one stood on the card."""
    hotel = await _hotel(turn, move)
    if hotel is None or len(hotel.pictures) < 2:
        turn.say("hotel.no_photos")
        return
    last = min(len(hotel.pictures), MOST_PICTURES) - 1
    for number in range(1, last + 1):
        reply = turn.compose(
            "hotel.photo", turn.texts.say("hotel.photo_alt", hotel=wording.hotel_name(turn, hotel))
        )
        buttons = (_onward(turn, hotel),) if number == last else ()
        turn.add(with_buttons(reply, *buttons, picture=wording.picture(turn, hotel, number)))


async def show_map(turn: Turn, move: Move) -> None:
    """Where it is."""
    hotel = await _hotel(turn, move)
    if hotel is None:
        turn.aside("stale.unknown")
        return
    name = wording.hotel_name(turn, hotel)
    line = turn.texts.say(
        "hotel.line.location", area=wording.area_name(turn, hotel), city=wording.city_name(turn, hotel)
    )
    place = Place(latitude=hotel.latitude, longitude=hotel.longitude, title=name, address=str(line))
    turn.add(with_buttons(turn.compose("hotel.map", line), _onward(turn, hotel), place=place))


def _onward(turn: Turn, hotel: Hotel) -> tuple[Button, ...]:
    """From its pictures or its map to booking it, or back to the others; nothing while another question waits."""
    if turn.dialogue.frames or "shown" not in turn.dialogue.memory:
        return ()
    book = turn.button("button.book", "book", args={"hotel": hotel.identifier})
    return (book, turn.button("button.back_to_results", "show_results"))


async def _hotel(turn: Turn, move: Move) -> Hotel | None:
    identifier = pointed_at(turn.dialogue.memory, move.args)
    if identifier is None and (name := move.args.get("hotel_name")):
        request = last_request(turn)
        city = request.destination.geonameid if request and request.destination else None
        said = str(name).strip()
        named = await places.named_hotel(turn.conn, names=(said, said.lower(), f"فندق {said}"), city=city)
        identifier = named[0] if named else None
    if identifier is None and not move.args:
        identifier = in_hand(turn)
    found = await hotels.find(turn.conn, identifier=identifier) if identifier else None
    return found if found is not None and found.listed else None


HOTEL = Flow(
    "hotel",
    Nothing,
    actions={"open_hotel": open_hotel, "ask_amenities": ask_amenities, "photos": photos, "map": show_map},
)
