"""Booking: hotel, room, name; then the review and consent that nobody can give by accident."""

from __future__ import annotations

from bot.dialogue.flow import DONE, Agree, Ask, Do, Flow, Outcome
from bot.dialogue.moves import Move
from bot.domain import booking as domain
from bot.events import Do as Meaning
from bot.events import Menu, Reply
from bot.turn.context import Turn, with_buttons
from db import trips
from handlers import offers as wording
from handlers.reservation import CHANGING, Booking, booked_stay, hotel_of, seed, take
from handlers.results import last_request, nth, pointed_at, stay_of
from handlers.review import CONSENT, book, consents, decline, give_back, insist, review
from locales import Money, Phrase
from locales.names import suggest

MOST_ROOMS = 9


async def ask_hotel(turn: Turn, booking: Booking) -> Reply | Move:
    """Nothing was pointed at: which one of those on show?"""
    shown = turn.dialogue.memory.get("shown")
    if booking.stay is None or not shown:
        return Move("search")
    rows = tuple(
        turn.row(names[turn.texts.language != "ar"], "", "fill", slots={"hotel": identifier})
        for identifier, names in list(zip(shown["hotels"], shown["names"], strict=True))[-MOST_ROOMS:]
    )
    menu = Menu(opener=turn.texts.say("button.list_open"), rows=rows)
    return with_buttons(turn.reply("booking.nothing_to_book"), menu=menu, expects="hotel")


async def ask_another(turn: Turn, booking: Booking) -> Reply | None:
    """Somebody who has a booking there for some of these nights may have forgotten it."""
    stay = booked_stay(booking)
    found = await trips.of_person(turn.conn, user_id=turn.person.id, now=turn.now, cancellable=True)
    mine = next(
        (
            trip
            for trip in found
            if trip.hotel_identifier == booking.hotel
            and stay is not None
            and trip.check_in < stay.check_out
            and stay.check_in < trip.check_out
        ),
        None,
    )
    if mine is None:
        turn.keep(another=False)
        return None
    name = mine.hotel_ar if turn.texts.language == "ar" else mine.hotel_en
    yes, no = Meaning(name="fill", slots={"another": True}), Meaning(name="leave")
    buttons = (
        turn.button("button.another_room", yes.name, slots=yes.slots),
        turn.button("button.trip", "open_trip", args={"trip": mine.reference}),
        turn.button("button.leave", no.name),
    )
    turn.question(yes=yes, no=no)
    code = mine.confirmation_number or mine.reference
    return with_buttons(turn.reply("booking.already_have", hotel=name, code=code), buttons, expects="confirm")


async def ask_room(turn: Turn, booking: Booking) -> Reply | Outcome | Move:
    """The rooms that are free for the stay, each with its full price and terms."""
    hotel = await hotel_of(turn, booking)
    stay = booked_stay(booking)
    if booking.hold:  # for other nights or another room: her own must not count as taken
        await give_back(turn, booking)
        turn.keep(hold=None)
    if hotel is None:
        turn.say("hotel.unknown", name=booking.hotel or "")
        return DONE
    if stay is None or stay.check_in < turn.today:
        return Move("search", args={"without": ["check_in", "check_out", "nights"]} if stay else {})
    found = (await domain.offers(turn.conn, hotel=hotel, stay=stay, now=turn.now))[:MOST_ROOMS]
    name = wording.hotel_name(turn, hotel)
    if not found:
        buttons = (
            turn.button("button.similar_hotels", "show_results"),
            turn.button("button.edit_dates", "change", args={"what": "dates"}),
        )
        turn.add(with_buttons(turn.reply("hotel.sold_out", hotel=name), buttons))
        turn.question(yes=Meaning(name="show_results"), no=Meaning(name="no_thanks"))
        return DONE
    turn.keep(rooms=[(offer.id, offer.total.minor) for offer in found])
    turn.dialogue.memory["search"] = booking.stay
    texts = turn.texts
    blocks = "\n\n".join(
        wording.room_text(turn, offer, number) for number, offer in enumerate(found, start=1)
    )
    rooms = texts.say(
        "hotel.rooms",
        hotel=name,
        dates=wording.stay_dates(turn, stay),
        nights=texts.count("night", stay.nights),
        offers=Phrase(blocks),
    )
    rows = tuple(
        turn.row(
            offer.room.name(texts.language),
            texts.say(
                "description.room",
                board=wording.board(turn, offer.room.board),
                price=wording.price(turn, offer),
            ),
            "fill",
            slots={"room": offer.id, "agreed": offer.total.minor},
            args={"asked": "booking:room", "under": {"hotel": hotel.identifier}},
        )
        for offer in found
    )
    asked = "booking.ask_room" if len(found) > 1 else "booking.ask_only_room"
    question = texts.say(asked, hotel=name)
    text = question if turn.again else Phrase(f"{rooms}\n\n{question}")
    key = asked if turn.again else "hotel.rooms"
    reply = turn.compose(key, text, {"hotel": hotel.identifier, "rooms": len(found)})
    return with_buttons(reply, menu=Menu(opener=texts.say("button.list_open"), rows=rows), expects="choice")


async def choose_room(turn: Turn, move: Move) -> Move:
    """«الثانية»: the second room on show."""
    top = turn.dialogue.top
    chosen = nth(top.slots.get("rooms", ()) if top else (), move.args)
    return Move("fill", slots={"room": chosen[0], "agreed": chosen[1]}) if chosen else Move("miss")


def only_room(booking: Booking) -> dict[str, object]:
    """«نعم» chooses the room when it is the only one; of several it chooses none."""
    if len(booking.rooms) != 1:
        return {}
    room, total = booking.rooms[0]
    return {"room": room, "agreed": total}


async def ask_name(turn: Turn, booking: Booking) -> Reply:
    """The guest's name in Latin letters: last time's, or a suggestion from the Arabic, or an open question."""
    if booking.bad_name and not turn.again:
        return _expects_name(turn.reply("booking.bad_name"))
    if booking.said_name:
        suggestion = suggest(booking.said_name, turn.person.country)
        turn.keep(suggestion=suggestion)
        buttons = (
            turn.button(
                "button.name_ok",
                "fill",
                slots={"guest_name": suggestion},
                args={"asked": "booking:guest_name"},
            ),
            turn.button("button.name_other", "write_name"),
        )
        reply = turn.reply("booking.confirm_name", name=booking.said_name, suggestion=suggestion)
        return with_buttons(reply, buttons, expects="name")
    if turn.person.full_name and not booking.other_name:
        turn.keep(suggestion=turn.person.full_name)
        buttons = (
            turn.button(
                "button.yes",
                "fill",
                slots={"guest_name": turn.person.full_name},
                args={"asked": "booking:guest_name"},
            ),
            turn.button("button.name_other", "write_name"),
        )
        return with_buttons(
            turn.reply("booking.known_name", name=turn.person.full_name), buttons, expects="name"
        )
    return _expects_name(turn.reply("booking.ask_name"))


async def another_name(turn: Turn, booking: Booking, move: Move) -> Move:
    """«لا»: the name is not right."""
    return Move("write_name")


async def write_name(turn: Turn, move: Move) -> None:
    """Another name than the suggested one: it is typed."""
    turn.keep(suggestion=None, said_name=None, bad_name=None, other_name=True)
    turn.add(_expects_name(turn.reply("booking.ask_name")))
    turn.dialogue.expecting = "name"


async def begin(turn: Turn, move: Move) -> Move | None:
    """«احجز»: with something pointed at it begins; at the review it is as good as a «yes», at a cancellation as a «no»."""
    top = turn.dialogue.top
    pointed = pointed_at(turn.dialogue.memory, move.args)
    if not move.args and top is not None and top.flow == "cancel":
        return Move("deny")
    if not move.args and consents(turn.heard):
        if top is not None and top.flow == "search":
            return Move("affirm")
        if top is None and "booked" in turn.dialogue.memory:
            turn.add(with_buttons(turn.reply("booking.stands"), (turn.button("button.my_trips", "trips"),)))
            return None
    if top is not None and top.flow == "booking" and pointed is None and "hotel_name" not in move.args:
        return Move("affirm", args={"booking": True}) if top.asked == "booking" else Move("resume")
    if (
        top is not None
        and top.flow == "booking"
        and "choices" in move.args
        and top.asked in {"hotel", "room"}
    ):
        return Move("choose", args=move.args)
    if top is not None and top.flow == "search" and "choices" in move.args:
        return Move("choose", args=move.args)
    if "hotel_name" in move.args and pointed is None:
        return Move("open_hotel", args=move.args)
    request = last_request(turn)
    if request is None or stay_of(request) is None:
        return Move("search", slots=move.slots)
    return Move("begin_booking", slots=move.slots, args=move.args)


async def tell_price(turn: Turn, move: Move) -> Move | None:
    """«بكم؟» while booking: the chosen room's price in all; before that, the rooms with theirs."""
    top = turn.dialogue.top
    assert top is not None
    booking = Booking.model_validate(top.slots)
    hotel = await hotel_of(turn, booking)
    if hotel is None or booking.agreed is None:
        return Move("fill", slots={"room": None})
    if top.asked == "booking":
        return Move("resume")
    turn.say("booking.line.total_before_fees", total=Money(booking.agreed, hotel.currency))
    return None


async def other_rooms(turn: Turn, move: Move) -> Outcome:
    return Outcome(clear=("room", "agreed", "hold"))


def _expects_name(reply: Reply) -> Reply:
    return reply.model_copy(update={"expects": "name"})


BOOKING = Flow(
    "booking",
    Booking,
    (
        Ask("hotel", ask_hotel, expects="hotel", clears=("another", "room", "agreed"), on_deny=decline),
        Ask("another", ask_another, expects="confirm"),
        Ask(
            "room",
            ask_room,
            expects="choice",
            clears=("agreed",),
            on_affirm=only_room,
            on_deny=decline,
        ),
        Ask(
            "guest_name",
            ask_name,
            expects="name",
            clears=("said_name", "suggestion"),
            on_affirm=lambda booking: {"guest_name": booking.suggestion} if booking.suggestion else {},
            on_deny=another_name,
        ),
        Agree("booking", review, by=frozenset({CONSENT}), on_affirm=insist, on_deny=decline),
        Do(book),
    ),
    begins=frozenset({"begin_booking"}),
    replaces=frozenset({"cancel", "outcome"}),
    actions={
        "book": begin,
        "choose_room": choose_room,
        "write_name": write_name,
        "other_rooms": other_rooms,
        "booking_price": tell_price,
    },
    accepts=frozenset({"hotel", "another", "guest_name", "room", "agreed"}) | CHANGING,
    merge=take,
    seed=seed,
    given_up=give_back,
)
