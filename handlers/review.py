"""The last steps of a booking: the room is held, everything is read back, and only the words of the button book."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.dialogue.flow import DONE, Outcome
from bot.dialogue.moves import Move
from bot.domain import booking as domain
from bot.domain.behavior import Action
from bot.events import Do as Meaning
from bot.events import Reply
from bot.payments.at_hotel import AtHotel
from bot.suppliers import (
    Guest,
    Held,
    HoldOver,
    HoldRef,
    Offer,
    OfferId,
    PriceChanged,
    SoldOut,
    Stay,
    TooShort,
)
from bot.suppliers.inventory import Inventory
from bot.turn.context import Turn, with_buttons
from bot.turn.reading import plain
from db import bookings, people
from db.hotels import Hotel
from handlers import offers as wording
from handlers.request import Request
from handlers.request import people as party
from handlers.reservation import Booking, booked_stay, hotel_of
from handlers.start import MOST_CONSENT_QUESTIONS, ask_consent
from locales import Money

CONSENT = "confirm_booking"
CONSENTING = frozenset(
    map(plain, ("أؤكد الحجز", "أكد الحجز", "أأكد الحجز", "نؤكد الحجز", "تأكيد الحجز", "أكدي الحجز", "أكد لي الحجز",
                "أكدلي الحجز", "confirm the booking", "confirm booking", "confirm my booking"))
)  # fmt: skip
"""The words of the button in the spellings people type; nothing shorter books."""

_BEFORE = "نعم|اي|ايوه|ايوا|اه|تمام|اوكي|طيب|خلاص|يلا|yes|ok|okay"
_AFTER = "من فضلك|لو سمحت|لو سمحتي|شكرا|please|thanks|thank you"
_AROUND = re.compile(rf"^(?:(?:{_BEFORE}) )*(.+?)(?: (?:{_AFTER}))*$")
"""What people say around the words without taking anything back: «نعم، أؤكد الحجز لو سمحت ✅»."""

_NAMED = re.compile(r"(?:^|\s)(?:ال|ب|بال)?اسم|\bname\b")
"""«أؤكد الحجز بس غير الاسم»: the name is not right yet."""

_KEEPING = re.compile(r"^(?:لا|ما|مش|مو) ?(?:ال)?تلغ|^(?:do not|don'?t) cancel")
"""«لا تلغي الحجز»: a «no» to leaving, where nobody spoke of it."""


def consents(text: str) -> bool:
    """Whether these are the words of the button, and nothing but a «yes» and a «please» with them."""
    bare = plain(text.translate(_ORNAMENTS))
    said = _AROUND.match(plain(" ".join(bare.split())))
    return said is not None and said[1] in CONSENTING


_ORNAMENTS = str.maketrans(dict.fromkeys("✅👍🙏🏻🏼🏽🏾🏿\ufe0f،,", " "))


async def review(turn: Turn, booking: Booking) -> Reply | Outcome:
    """Hold the room, then show everything that is agreed to: the full price, what is due where, the terms."""
    hotel, stay = await hotel_of(turn, booking), booked_stay(booking)
    assert hotel is not None
    assert stay is not None
    assert booking.room is not None
    assert booking.guest_name is not None
    supplier = Inventory(turn.conn)
    if booking.hold:
        if turn.again and (held := await _held(turn, booking, stay)):
            return _last_step(turn, hotel, held)
        await supplier.release(HoldRef(booking.hold))
        turn.keep(hold=None)
    quote = await domain.quote(turn.conn, hotel=hotel, offer=OfferId(booking.room), stay=stay, now=turn.now)
    if isinstance(quote, SoldOut):
        return _gone(turn, hotel)
    agreed = (
        Money(booking.agreed, quote.offer.total.currency) if booking.agreed is not None else quote.offer.total
    )
    key = secrets.token_urlsafe(16)
    guest = Guest(name=booking.guest_name, phone=turn.person.phone)
    match await domain.hold(turn.conn, quote=quote, guest=guest, agreed=agreed, key=key, now=turn.now):
        case Held(ref=ref, total=total, until=until):
            turn.keep(hold=ref, agreed=total.minor)
            turn.log(
                Action.BOOKING_STARTED, hotel=hotel.identifier, total=total.minor, currency=total.currency
            )
            return _review(turn, booking, quote.offer, total, until)
        case PriceChanged(total=new):
            turn.keep(agreed=None)
            return _price_changed(turn, agreed, new)
        case TooShort(nights=nights):
            turn.say(
                "booking.min_stay",
                hotel=wording.hotel_name(turn, hotel),
                nights=turn.texts.count("night", nights),
            )
            return Outcome(clear=("room", "agreed"))
        case SoldOut() | HoldOver():
            return _gone(turn, hotel)


async def _held(turn: Turn, booking: Booking, stay: Stay) -> Money | None:
    """The price of the hold, while it stands and is for this room, these nights and this name."""
    mine = await bookings.find(
        turn.conn, booking=bookings.BookingId(UUID(booking.hold)), user_id=turn.person.id
    )
    stands = (
        mine is not None
        and mine.status is bookings.BookingStatus.HELD
        and mine.expires_at > turn.now
        and str(mine.room_type_id) == booking.room
        and (mine.check_in, mine.check_out, mine.rooms) == (stay.check_in, stay.check_out, stay.rooms)
        and mine.guest_name == booking.guest_name
    )
    return Money(mine.price_minor, mine.currency) if mine is not None and stands else None


def _last_step(turn: Turn, hotel: Hotel, total: Money) -> Reply:
    """The review in one sentence, for who saw it already."""
    name = wording.hotel_name(turn, hotel)
    return _consenting(turn, turn.reply("booking.agree", hotel=name, total=total))


def _review(turn: Turn, booking: Booking, offer: Offer, total: Money, until: dt.datetime) -> Reply:
    texts, hotel, stay = turn.texts, offer.hotel, offer.stay
    lines = [
        texts.say(
            "booking.line.hotel", hotel=wording.hotel_name(turn, hotel), city=wording.city_name(turn, hotel)
        ),
        texts.say(
            "booking.line.room",
            room=offer.room.name(texts.language),
            board=wording.board(turn, offer.room.board),
        ),
        texts.say(
            "booking.line.dates",
            dates=wording.stay_dates(turn, stay),
            nights=texts.count("night", stay.nights),
        ),
        texts.say("booking.line.people", people=party(texts, Request.model_validate(booking.stay))),
        texts.say("booking.line.name", name=booking.guest_name or ""),
        texts.say(
            "booking.line.total_before_fees" if offer.local_fees.minor else "booking.line.total", total=total
        ),
    ]
    if offer.local_fees.minor:
        grand = Money(total.minor + offer.local_fees.minor, total.currency)
        lines.append(texts.say("booking.line.local_fees", local_fees=offer.local_fees, grand_total=grand))
    lines += wording.terms_lines(turn, offer.terms, total, hotel)
    if hotel.demo:
        lines.append(texts.say("demo.notice"))
    lines.append(
        texts.say("booking.hold", until_time=until.astimezone(ZoneInfo(turn.person.timezone)).time())
    )
    reply = turn.compose(
        "booking.review",
        texts.say("booking.review", lines=texts.lines(lines)),
        {"hotel": hotel.identifier, "total": total.minor, "currency": total.currency},
    )
    return _consenting(turn, reply)


def _consenting(turn: Turn, reply: Reply) -> Reply:
    """The buttons of a review; consent is to what is held now, and to nothing that is held later."""
    frame = turn.dialogue.top
    assert frame is not None
    args = {"asked": "booking:booking", "under": {"hold": frame.slots["hold"]}}
    buttons = (
        (turn.button("button.confirm_booking", CONSENT, args=args, once=True),),
        (turn.button("button.edit_name", "write_name"), turn.button("button.leave", "leave")),
    )
    return with_buttons(reply, *buttons, expects="confirm")


async def insist(turn: Turn, booking: Booking, move: Move) -> Move | Outcome | None:
    """«نعم» alone books nothing: the words of the button do. To a new price it means: show me the booking at that price."""
    if booking.hold is None:
        return Outcome(clear=("agreed",))
    if consents(turn.heard):
        return Move(CONSENT)
    if _NAMED.search(plain(turn.heard)):
        return Move("write_name")
    if "booking" in move.args and (hotel := await hotel_of(turn, booking)) and booking.agreed is not None:
        turn.add(_last_step(turn, hotel, Money(booking.agreed, hotel.currency)))
    else:
        turn.add(_consenting(turn, turn.reply("booking.yes_is_not_consent")))
    return None


async def decline(turn: Turn, booking: Booking, move: Move) -> Outcome | Move:
    """No: nothing was booked, and the hold is given back with the frame. «لا تلغي الحجز» is the contrary: it goes on."""
    if _KEEPING.search(plain(turn.heard)):
        return Move("resume")
    buttons = (
        turn.button("button.similar_hotels", "show_results"),
        turn.button("button.new_search", "new_search"),
    )
    turn.add(with_buttons(turn.reply("booking.declined"), buttons))
    turn.question(yes=Meaning(name="show_results"), no=Meaning(name="no_thanks"))
    return DONE


async def book(turn: Turn, booking: Booking) -> Outcome:
    """The hold becomes a booking."""
    hotel, stay = await hotel_of(turn, booking), booked_stay(booking)
    assert hotel is not None
    assert stay is not None
    assert booking.guest_name is not None
    if booking.hold is None:  # an old button, pressed when the price had changed: the review comes first
        return Outcome(clear=("agreed",))
    confirmed = await Inventory(turn.conn).confirm(HoldRef(booking.hold), payment=AtHotel.name, now=turn.now)
    if isinstance(confirmed, HoldOver):
        turn.say("booking.hold_expired_checking", hotel=wording.hotel_name(turn, hotel))
        return Outcome(clear=("hold",))
    mine = await bookings.find(
        turn.conn, booking=bookings.BookingId(UUID(booking.hold)), user_id=turn.person.id
    )
    assert mine is not None
    await people.remember_name(turn.conn, user=turn.person.id, full_name=booking.guest_name)
    total = Money(mine.price_minor, mine.currency)
    turn.log(
        Action.BOOKING_COMPLETED,
        hotel=hotel.identifier,
        booking=str(mine.id),
        destination=hotel.city_en,
        nights=stay.nights,
        total=total.minor,
        budget=float(Money(round(total.minor / stay.nights / stay.rooms), total.currency).major),
        currency=total.currency,
        demo=hotel.demo or None,
    )
    turn.add(_confirmed(turn, hotel, stay, booking.guest_name, confirmed.number, mine, total))
    turn.dialogue.memory.pop("open", None)
    turn.dialogue.memory["booked"] = str(mine.id)
    if (
        turn.person.consented is None
        and turn.dialogue.memory.get("consent_asked", 0) < MOST_CONSENT_QUESTIONS
    ):
        ask_consent(turn)
    return DONE


async def give_back(turn: Turn, booking: Booking) -> None:
    """Whoever walks out leaves the room to others at once, not when the hold runs out. A confirmed booking stays."""
    if booking.hold:
        await Inventory(turn.conn).release(HoldRef(booking.hold))


def _confirmed(
    turn: Turn, hotel: Hotel, stay: Stay, name: str, number: str, mine: bookings.Booking, total: Money
) -> Reply:
    texts = turn.texts
    if mine.free_until is not None and mine.free_until > turn.now:
        cancellation = texts.say(
            "booking.line.cancel_free", deadline=wording.deadline(turn, mine.free_until, hotel)
        )
    elif mine.penalty_minor >= total.minor:
        cancellation = texts.say("booking.line.non_refundable")
    else:
        cancellation = texts.say("booking.line.cancel_fee_now", fee=Money(mine.penalty_minor, mine.currency))
    if mine.local_fees_minor:
        fees = Money(mine.local_fees_minor, mine.currency)
        grand = Money(total.minor + fees.minor, total.currency)
        cancellation = texts.lines(
            [texts.say("booking.line.local_fees", local_fees=fees, grand_total=grand), cancellation]
        )
    text = texts.say(
        "booking.confirmed",
        hotel=wording.hotel_name(turn, hotel),
        code=number,
        check_in=texts.date(stay.check_in),
        check_in_time=hotel.check_in_from,
        check_out=texts.date(stay.check_out),
        name=name,
        total=total,
        cancellation_line=cancellation,
    )
    if hotel.demo:
        text = texts.lines([text, texts.say("demo.notice")])
    buttons = (
        turn.button("button.my_trips", "trips"),
        turn.button("button.map", "map", args={"hotel": hotel.identifier}),
        turn.button("button.new_search", "new_search"),
    )
    values = {"hotel": hotel.identifier, "code": number, "total": total.minor, "currency": total.currency}
    return with_buttons(turn.compose("booking.confirmed", text, values), buttons)


def _price_changed(turn: Turn, old: Money, new: Money) -> Reply:
    texts = turn.texts
    change = abs(new.minor - old.minor) / old.minor if old.minor else 0
    direction = "booking.price_up" if new.minor > old.minor else "booking.price_down"
    reply = turn.reply(
        "booking.price_changed",
        old=old,
        new=new,
        change=texts.say(direction, percent=texts.percent(change)),
    )
    buttons = (
        turn.button(
            "button.accept_price", "fill", slots={"agreed": new.minor}, args={"asked": "booking:booking"}
        ),
        turn.button("button.other_rooms", "other_rooms"),
        turn.button("button.similar_hotels", "show_results"),
    )
    return with_buttons(reply, buttons)


def _gone(turn: Turn, hotel: Hotel) -> Outcome:
    buttons = (turn.button("button.similar_hotels", "show_results"),)
    turn.add(with_buttons(turn.reply("booking.sold_out", hotel=wording.hotel_name(turn, hotel)), buttons))
    return Outcome(clear=("room", "agreed", "hold"))
