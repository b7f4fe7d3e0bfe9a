"""«شارك»: a link that opens for somebody else what is on show here: a search, a hotel, or a trip. And what such a link,
or an invitation, does for who comes by it.

A link tells nothing about who made it. A trip's link opens the same hotel and dates, without its guest or its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.domain.links import forward_on_telegram, forward_on_whatsapp
from bot.events import Button, Channel
from bot.turn.context import Turn, with_buttons
from db import bookings, hotels, referrals, sharing, trips
from db.hotels import Hotel
from db.referrals import Arrival, Arrived
from db.sharing import ContentType
from db.trips import Trip
from handlers import offers as wording
from handlers.request import Destination, Request, summary
from handlers.results import last_request, nth, pointed_at, stay_of
from handlers.start import Nothing, hello, welcome
from locales import Money, Phrase

MOST_TRIPS = 9
OF_A_SEARCH = frozenset(
    {
        *("destination", "check_in", "check_out", "adults", "children", "child_ages", "rooms", "area", "amenities"),
        *("budget_min", "budget_max", "currency", "budget_per", "stars", "price_level", "rating_min", "sort"),
        "free_cancellation",
    }
)  # fmt: skip
"""What of a search its link opens: all that was asked for, and nothing of how the conversation went."""
OF_A_STAY = frozenset({"destination", "check_in", "check_out", "adults", "children", "child_ages", "rooms"})


# ---------------------------------------------------------------------------------------------- handing on


def hand_on(
    turn: Turn, key: str, lines: Sequence[Phrase], *, code: str, words: Phrase, more: Sequence[Button] = ()
) -> None:
    """Say `lines` with the link of a code below them, and the ways to send it on with `words`.

    On WhatsApp a second message is there to be forwarded as it is.
    """
    texts = turn.texts
    asked = texts.say("share.bot_words", code=Phrase(code))
    link = turn.house.addresses.link(code, words=asked, channel=turn.channel)
    shown = Phrase(link) if link else texts.say("share.code", code=code)
    reply = turn.compose(key, texts.lines([*lines, shown]), {"code": code})
    forwards: tuple[Button, ...] = ()
    if link and turn.channel in {Channel.TELEGRAM, Channel.WEBCHAT}:
        forwards = (
            Button(label=texts.say("button.send_telegram"), url=forward_on_telegram(link, words)),
            Button(label=texts.say("button.send_whatsapp"), url=forward_on_whatsapp(link, words)),
        )
    rows = [forwards, tuple(more)]
    turn.add(with_buttons(reply, *(row for row in rows if row)))
    if link and turn.channel is Channel.WHATSAPP:
        turn.add(turn.compose("share.forward", texts.lines([words, Phrase(link)])))


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shared: its sentence, the words that go along with the link, and what the link opens."""

    kind: ContentType
    id: str
    opens: Mapping[str, Any]
    said: Phrase
    words: Phrase


async def share(turn: Turn, move: Move) -> None:
    """Of what is pointed at, what is open, or the results on show; with nothing on show, an invitation is offered."""
    found = await _shown(turn, move)
    if found is None:
        buttons = (
            turn.button("button.new_search", "new_search"),
            turn.button("button.invite", "referral"),
        )
        turn.add(with_buttons(turn.reply("share.nothing"), buttons))
        return
    code = await sharing.share(
        turn.conn,
        content_type=found.kind,
        content_id=found.id,
        content_data=found.opens,
        platform=turn.channel.value,
    )
    turn.log(Action.RESULTS_SHARED, content=found.kind)
    others = found.kind == "hotel" and "shown" in turn.dialogue.memory
    more = (turn.button("button.share_results", "share", args={"what": "results"}),) if others else ()
    hand_on(turn, f"share.{found.kind}", [found.said], code=code, words=found.words, more=more)


async def _shown(turn: Turn, move: Move) -> Shown | None:
    if move.args.get("what") == "results":
        return _results(turn)
    if trip := await _trip(turn, move):
        return await _of_trip(turn, trip)
    memory = turn.dialogue.memory
    identifier = pointed_at(memory, move.args) or _open(memory)
    if identifier and (hotel := await hotels.find(turn.conn, identifier=identifier)) and hotel.listed:
        return _of_hotel(turn, hotel)
    return _results(turn)


def _open(memory: Mapping[str, Any]) -> str | None:
    """The hotel whose card was shown last, unless another search came after it."""
    opened = memory.get("open")
    shown = memory.get("shown", {}).get("hotels")
    return str(opened) if opened and (shown is None or opened in shown) else None


async def _trip(turn: Turn, move: Move) -> Trip | None:
    """The trip that was pointed at: by its reference, by its place in the list, or because it was just booked."""
    memory = turn.dialogue.memory
    reference = move.args.get("trip") or nth(memory.get("listed", {}).get("trips", ()), move.args)
    if isinstance(reference, str):
        return await trips.find(turn.conn, user_id=turn.person.id, reference=reference)
    if move.args or "booked" not in memory:
        return None
    found = await trips.of_person(turn.conn, user_id=turn.person.id, now=turn.now, limit=MOST_TRIPS)
    return next((trip for trip in found if str(trip.booking_id) == memory["booked"]), None)


def _results(turn: Turn) -> Shown | None:
    request = last_request(turn)
    if request is None or stay_of(request) is None:
        return None
    assert request.destination is not None
    opens = request.model_dump(mode="json", exclude_defaults=True, include=set(OF_A_SEARCH))
    return Shown(
        "results",
        str(request.destination.geonameid),
        {"search": opens},
        turn.texts.say("share.results", summary=summary(turn.texts, request)),
        turn.texts.say("share.words.results", destination=request.destination.name(turn.texts.language)),
    )


def _of_hotel(turn: Turn, hotel: Hotel) -> Shown:
    request = last_request(turn)
    ours = request is not None and request.destination is not None
    opens = {}
    if request is not None and ours and request.destination and request.destination.geonameid == hotel.city:
        opens = {"search": request.model_dump(mode="json", exclude_defaults=True, include=set(OF_A_STAY))}
    name = wording.hotel_name(turn, hotel)
    return Shown(
        "hotel",
        hotel.identifier,
        opens,
        turn.texts.say("share.hotel", hotel=name),
        turn.texts.say("share.words.hotel", hotel=name),
    )


async def _of_trip(turn: Turn, trip: Trip) -> Shown | None:
    mine = await bookings.find(turn.conn, booking=trip.booking_id, user_id=turn.person.id)
    hotel = (await hotels.read(turn.conn, ids=[trip.hotel_id]))[trip.hotel_id]
    if mine is None or not hotel.listed:
        return None
    place = Destination(
        name_en=hotel.city_en, name_ar=hotel.city_ar, country=hotel.country, geonameid=hotel.city
    )
    stay = Request(
        destination=place,
        check_in=trip.check_in,
        check_out=trip.check_out,
        adults=mine.adults,
        children=mine.children,
        child_ages=list(mine.child_ages),
        rooms=mine.rooms,
    )
    opens = {
        "hotel": hotel.identifier,
        "search": stay.model_dump(mode="json", exclude_defaults=True, include=set(OF_A_STAY)),
    }
    name = wording.hotel_name(turn, hotel)
    return Shown(
        "trip",
        str(trip.id),
        opens,
        turn.texts.say("share.trip", hotel=name),
        turn.texts.say("share.words.trip", hotel=name),
    )


# ---------------------------------------------------------------------------------------------- coming by a link


async def follow_link(turn: Turn, move: Move) -> Move | None:
    """Whoever is new becomes the guest of who sent the link; and what was shared opens for everybody."""
    arrived = await referrals.arrive(
        turn.conn, code=str(move.args["code"]), platform=turn.channel.value, now=turn.now
    )
    joined = arrived.outcome is Arrival.JOINED
    if joined:
        turn.log(Action.REFERRAL, step="joined", content=arrived.content_type)
    if arrived.content_type is not None:
        return await _open_shared(turn, arrived)
    match arrived.outcome:
        case Arrival.JOINED:
            lines = [turn.texts.say("referral.joined"), *_promised(turn, arrived)]
            welcome(
                turn, link="referral", invitation=turn.compose("referral.joined", turn.texts.lines(lines))
            )
        case Arrival.OWN:
            turn.say("referral.own")
        case Arrival.NOT_NEW:
            turn.say("referral.not_new")
        case Arrival.UNKNOWN:
            welcome(turn)
    return None


async def _open_shared(turn: Turn, arrived: Arrived) -> Move | None:
    """The same search, or the same hotel with the same dates, at today's prices."""
    if turn.newcomer:
        await hello(turn, Move("hello"))
    if arrived.outcome is not Arrival.OWN:
        said = turn.texts.say(f"share.opened.{arrived.content_type}")
        if arrived.outcome is Arrival.JOINED:
            said = turn.texts.lines([said, *_promised(turn, arrived)])
        turn.add(turn.compose("share.opened", said, {"content": arrived.content_type}))
    data = arrived.content_data or {}
    try:
        request = Request.model_validate(data["search"]) if "search" in data else None
    except ValidationError:
        request = None  # of a time when a search looked different
    identifier = str(data.get("hotel") or arrived.content_id) if arrived.content_type != "results" else None
    hotel = await hotels.find(turn.conn, identifier=identifier) if identifier else None
    if (
        (request is None or stay_of(request) is None)
        if identifier is None
        else (hotel is None or not hotel.listed)
    ):
        turn.aside("share.gone")
        return None
    for name in ("booked", "open", "shown", "listed"):
        turn.dialogue.memory.pop(name, None)
    if request is not None:
        turn.dialogue.memory["search"] = request.model_dump(mode="json", exclude_none=True)
    return Move("open_hotel", args={"hotel": identifier}) if identifier else Move("show_results")


def _promised(turn: Turn, arrived: Arrived) -> list[Phrase]:
    """What coming by an invitation is worth, as it was when the link was shown to who sent it."""
    lines = []
    if arrived.reward:
        lines.append(turn.texts.say("referral.promise", reward=Money(arrived.reward, arrived.currency)))
    if arrived.reward and arrived.bonus:
        bonus = Money(arrived.bonus, arrived.currency)
        lines.append(turn.texts.say("referral.promise_bonus", bonus=bonus))
    return lines


SHARE = Flow("share", Nothing, actions={"share": share, "follow_link": follow_link})
