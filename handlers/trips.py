"""«رحلاتي»: what is booked, and cancelling with the terms shown first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from bot.dialogue.flow import DONE, Agree, Ask, Do, Flow, Outcome
from bot.dialogue.moves import Move
from bot.domain import booking as domain
from bot.domain.behavior import Action
from bot.events import Button, Menu, Reply
from bot.events import Do as Meaning
from bot.suppliers import Terms
from bot.turn.context import Turn, with_buttons
from bot.turn.reading import plain
from db import bookings, hotels, trips
from db.bookings import BookingId, BookingStatus
from db.trips import Trip, TripStatus
from handlers import offers as wording
from handlers.foreseen import suggest_trip
from handlers.start import Nothing
from locales import Money, Phrase

MOST_TRIPS = 9
CANCEL = "confirm_cancel"
YES = frozenset(
    map(
        plain,
        (
            "نعم",
            "اي نعم",
            "ايوه",
            "ايوا",
            "أيوة",
            "اي",
            "إيه",
            "ايه",
            "آه",
            "اه",
            "أجل",
            "بلى",
            "yes",
            "oui",
            "نعم نعم",
        ),
    )
)
"""What cancels when it is the whole message: the question was asked in so many words."""


# ---------------------------------------------------------------------------------------------- looking


async def show_trips(turn: Turn, move: Move) -> None:
    """What is ahead first; each one a tap away."""
    booked = await trips.of_person(turn.conn, user_id=turn.person.id, now=turn.now, limit=MOST_TRIPS)
    found = [trip for trip in booked if trip.booking_status is not BookingStatus.HELD]
    turn.log(Action.TRIPS_VIEWED, trips=len(found))
    if not found:
        turn.aside("trips.none")
        await suggest_trip(turn)
        return
    texts = turn.texts
    items = [
        texts.say(
            "trips.item",
            n=number,
            hotel=_hotel_name(turn, trip),
            dates=_dates(turn, trip),
            status=_status(turn, trip),
        )
        for number, trip in enumerate(found, start=1)
    ]
    _list(turn, found, "open_trip")
    header = texts.say("trips.header", bookings=texts.count("booking", len(found)))
    reply = turn.compose("trips.header", texts.lines([header, *items]), {"trips": len(found)})
    turn.add(with_buttons(reply, menu=_menu(turn, found, "open_trip"), expects="choice"))
    await suggest_trip(turn)


async def open_trip(turn: Turn, move: Move) -> None:
    """One trip in full."""
    trip = await trips.find(turn.conn, user_id=turn.person.id, reference=str(move.args.get("trip", "")))
    if trip is None:
        turn.say("trips.not_found")
        return
    texts = turn.texts
    mine = await bookings.find(turn.conn, booking=trip.booking_id, user_id=turn.person.id)
    hotel = (await hotels.read(turn.conn, ids=[trip.hotel_id]))[trip.hotel_id]
    lines: list[Phrase] = [
        texts.say("booking.line.hotel", hotel=_hotel_name(turn, trip), city=_city(turn, trip)),
        texts.say("booking.line.dates", dates=_dates(turn, trip), nights=texts.count("night", trip.nights)),
        texts.say("booking.line.total", total=Money(trip.total_minor, trip.currency)),
    ]
    if trip.status is not TripStatus.CANCELLED:
        paid = "pay_at_hotel" if trip.payment_method == "at_hotel" else trip.payment_status
        lines.append(texts.say("trips.line.payment", payment=texts.say(f"status.{paid}")))
    if mine is not None:
        lines.insert(1, texts.say("booking.line.name", name=mine.guest_name))
        if mine.status is BookingStatus.CONFIRMED:
            terms = Terms(free_until=mine.free_until, penalty=Money(mine.penalty_minor, mine.currency))
            lines += wording.terms_lines(turn, terms, Money(mine.price_minor, mine.currency), hotel)
    if trip.demo:
        lines.append(texts.say("demo.label"))
    text = texts.say(
        "trips.card",
        destination=_city(turn, trip),
        status=_status(turn, trip),
        code=trip.confirmation_number or trip.reference,
        lines=texts.lines(lines),
    )
    buttons: list[Button] = []
    if trip.status is TripStatus.CONFIRMED and trip.starts_at > turn.now:
        buttons.append(turn.button("button.cancel_booking", "cancel_booking", args={"trip": trip.reference}))
    if trip.status is TripStatus.COMPLETED:
        buttons.append(turn.button("button.rate_stay", "rate_stay", slots={"trip": trip.reference}))
    buttons.append(turn.button("button.map", "map", args={"hotel": trip.hotel_identifier}))
    if trip.status is not TripStatus.CANCELLED:
        buttons.append(turn.button("button.share", "share", args={"trip": trip.reference}))
    turn.add(with_buttons(turn.compose("trips.card", text, {"trip": trip.reference}), tuple(buttons)))


# ---------------------------------------------------------------------------------------------- cancelling


class Cancelling(BaseModel):
    """The slots of a cancellation. trip: its reference; booking: its key, once found; fee: as shown, in minor units."""

    model_config = ConfigDict(extra="ignore")

    trip: str | None = None
    booking: str | None = None
    fee: int | None = None


async def cancel_booking(turn: Turn, move: Move) -> Move | None:
    """«إلغاء الحجز»: of the trip that was pointed at, the only one there is, or the one chosen from the list."""
    top = turn.dialogue.top
    if top is not None and top.flow == "booking" and not move.args:
        return Move("leave")  # there is nothing to cancel yet: she walks out of what she is booking
    if isinstance(trip := move.args.get("trip"), str):
        return Move("begin_cancel", slots={"trip": trip})
    found = await trips.of_person(
        turn.conn, user_id=turn.person.id, now=turn.now, cancellable=True, limit=MOST_TRIPS
    )
    if not found and await _in_progress(turn):
        turn.say("cancel.too_late")
        return None
    if not found:
        turn.add(
            with_buttons(turn.reply("cancel.nothing"), (turn.button("button.new_search", "new_search"),))
        )
        return None
    for choice in move.args.get("choices", ()):
        if isinstance(choice, int) and 0 < choice <= len(found):
            return Move("begin_cancel", slots={"trip": found[choice - 1].reference})
    if len(found) == 1:
        return Move("begin_cancel", slots={"trip": found[0].reference})
    _list(turn, found, "cancel_booking")
    menu = _menu(turn, found, "cancel_booking")
    turn.add(with_buttons(turn.reply("cancel.which"), menu=menu, expects="choice"))
    return None


async def _in_progress(turn: Turn) -> bool:
    """Whether she is on one of her trips now."""
    found = await trips.of_person(turn.conn, user_id=turn.person.id, now=turn.now, limit=MOST_TRIPS)
    return any(trip.status is TripStatus.CONFIRMED and trip.check_out >= turn.today for trip in found)


async def nothing_to_leave(turn: Turn, move: Move) -> None:
    """«إلغاء» where no step is open: perhaps a booking was meant, which is cancelled only by the question for it."""
    found = await trips.of_person(turn.conn, user_id=turn.person.id, now=turn.now, cancellable=True, limit=1)
    if not found:
        turn.say("nothing_to_leave")
        return
    buttons = (
        turn.button("button.cancel_booking", "cancel_booking", args={"trip": found[0].reference}),
        turn.button("button.my_trips", "trips"),
    )
    turn.add(with_buttons(turn.reply("leave.booked_hint", hotel=_hotel_name(turn, found[0])), buttons))
    yes = Meaning(name="cancel_booking", args={"trip": found[0].reference})
    turn.question(yes=yes, no=Meaning(name="no_thanks"))


async def which_trip(turn: Turn, cancelling: Cancelling) -> Move:
    return Move("cancel_booking")


async def show_terms(turn: Turn, cancelling: Cancelling) -> Reply | Outcome:
    """What cancelling costs now; only then the question."""
    trip = await trips.find(turn.conn, user_id=turn.person.id, reference=cancelling.trip or "")
    if trip is None:
        turn.say("trips.not_found")
        return DONE
    terms = await domain.cancellation_terms(
        turn.conn, user_id=turn.person.id, booking=trip.booking_id, now=turn.now
    )
    texts, name = turn.texts, _hotel_name(turn, trip)
    if isinstance(terms, domain.AlreadyCancelled):
        turn.say("cancel.already", hotel=name)
        return DONE
    turn.keep(booking=str(trip.booking_id), fee=terms.fee_now.minor)
    dates = _dates(turn, trip)
    if terms.fee_now.minor == 0 and terms.free_until is not None:
        deadline = wording.deadline(turn, terms.free_until, terms.hotel)
        said = texts.say("cancel.terms_free", hotel=name, dates=dates, deadline=deadline)
    elif terms.fee_now.minor >= terms.total.minor:
        said = texts.say("cancel.terms_non_refundable", hotel=name, dates=dates, total=terms.total)
    elif terms.free_until is None:
        said = texts.say(
            "cancel.terms_never_free", hotel=name, dates=dates, fee=terms.fee_now, total=terms.total
        )
    else:
        said = texts.say("cancel.terms_fee", hotel=name, dates=dates, fee=terms.fee_now, total=terms.total)
    reply = turn.compose(
        "cancel.ask",
        texts.lines([said, texts.say("cancel.ask")]),
        {"trip": trip.reference, "fee": terms.fee_now.minor},
    )
    return _asking(turn, reply, booking=str(trip.booking_id), fee=terms.fee_now.minor)


def _asking(turn: Turn, reply: Reply, *, booking: str, fee: int) -> Reply:
    """With the two buttons; the first is good for these terms only."""
    buttons = (
        turn.button("button.cancel_yes", CANCEL, args=_consent(booking, fee), once=True),
        turn.button("button.cancel_no", "deny", args={"asked": "cancel:cancel"}),
    )
    return with_buttons(reply, buttons, expects="confirm")


def _consent(booking: str, fee: int) -> dict[str, Any]:
    return {"asked": "cancel:cancel", "under": {"booking": booking, "fee": fee}}


async def insist(turn: Turn, cancelling: Cancelling, move: Move) -> Move | None:
    """A «yes» and nothing else answers the question; a «yes» with anything beside it («نعم أبقوه») cancels nothing."""
    assert cancelling.booking is not None
    assert cancelling.fee is not None
    if plain(turn.heard) in YES:
        return Move(CANCEL, args=_consent(cancelling.booking, cancelling.fee))
    reply = turn.reply("cancel.not_sure")
    turn.add(_asking(turn, reply, booking=cancelling.booking, fee=cancelling.fee))
    return None


async def keep(turn: Turn, cancelling: Cancelling, move: Move) -> Outcome:
    """«لا، أبقوه»"""
    trip = await trips.find(turn.conn, user_id=turn.person.id, reference=cancelling.trip or "")
    kept = turn.reply("cancel.kept", hotel=_hotel_name(turn, trip)) if trip else turn.reply("trips.not_found")
    turn.add(with_buttons(kept, (turn.button("button.my_trips", "trips"),)))
    return DONE


async def cancel(turn: Turn, cancelling: Cancelling) -> Outcome:
    """Cancel by the terms that were shown; when they changed meanwhile, show the new ones and ask again."""
    assert cancelling.booking is not None
    assert cancelling.trip is not None
    booking = BookingId(UUID(cancelling.booking))
    terms = await domain.cancellation_terms(turn.conn, user_id=turn.person.id, booking=booking, now=turn.now)
    if isinstance(terms, domain.CancellationTerms) and terms.fee_now.minor != cancelling.fee:
        return Outcome(clear=("fee",))
    done = await domain.cancel(turn.conn, user_id=turn.person.id, booking=booking, now=turn.now)
    trip = await trips.find(turn.conn, user_id=turn.person.id, reference=cancelling.trip)
    assert trip is not None
    name, code = _hotel_name(turn, trip), trip.confirmation_number or trip.reference
    if done.again:
        turn.say("cancel.already", hotel=name)
        return DONE
    turn.log(
        Action.BOOKING_CANCELLED,
        hotel=trip.hotel_identifier,
        booking=str(booking),
        fee=done.fee.minor,
        currency=done.fee.currency,
        demo=trip.demo or None,
    )
    if done.fee.minor:
        told = turn.reply("cancel.done_fee", hotel=name, code=code, fee=done.fee)
    else:
        told = turn.reply("cancel.done_free", hotel=name, code=code)
    turn.dialogue.memory.pop("booked", None)
    buttons = (turn.button("button.new_search", "new_search"), turn.button("button.my_trips", "trips"))
    turn.add(with_buttons(told, buttons))
    return DONE


# ---------------------------------------------------------------------------------------------- wording


def _list(turn: Turn, found: list[Trip], move: str) -> None:
    """These trips are on show: an ordinal points at them, until something else is."""
    turn.dialogue.memory["listed"] = {"trips": [trip.reference for trip in found], "move": move}


def _menu(turn: Turn, found: list[Trip], move: str) -> Menu:
    rows = tuple(
        turn.row(
            _hotel_name(turn, trip),
            turn.texts.say(
                "description.trip",
                dates=turn.texts.date_range(trip.check_in, trip.check_out, weekday=False),
                status=_status(turn, trip),
            ),
            move,
            args={"trip": trip.reference},
        )
        for trip in found
    )
    return Menu(opener=turn.texts.say("button.list_open"), rows=rows)


def _hotel_name(turn: Turn, trip: Trip) -> str:
    return trip.hotel_ar if turn.texts.language == "ar" else trip.hotel_en


def _city(turn: Turn, trip: Trip) -> str:
    return trip.city_ar if turn.texts.language == "ar" else trip.city_en


def _dates(turn: Turn, trip: Trip) -> Phrase:
    return turn.texts.date_range(trip.check_in, trip.check_out)


def _status(turn: Turn, trip: Trip) -> Phrase:
    return turn.texts.say(f"status.{trip.status}")


TRIPS = Flow(
    "trips",
    Nothing,
    actions={
        "trips": show_trips,
        "open_trip": open_trip,
        "cancel_booking": cancel_booking,
        "nothing_to_leave": nothing_to_leave,
    },
)

CANCELLATION = Flow(
    "cancel",
    Cancelling,
    (
        Ask("trip", which_trip),
        Agree("cancel", show_terms, on_deny=keep, by=frozenset({CANCEL}), on_affirm=insist),
        Do(cancel),
    ),
    begins=frozenset({"begin_cancel"}),
)
