"""How hotels, rooms, prices and terms read, wherever they appear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bot.domain.money import Approximate
from bot.events import Picture
from bot.suppliers import Offer, Stay, Terms
from bot.turn.context import Turn
from db.hotels import Hotel
from handlers.request import amenity_names
from locales import Money, Phrase, minor_units

MOST_AMENITIES = 6

FEW_ROOMS = 2
"""So many rooms left are worth a word; more would only hurry people."""


def hotel_name(turn: Turn, hotel: Hotel) -> str:
    return hotel.name_ar if turn.texts.language == "ar" else hotel.name_en


def city_name(turn: Turn, hotel: Hotel) -> str:
    return hotel.city_ar if turn.texts.language == "ar" else hotel.city_en


def area_name(turn: Turn, hotel: Hotel) -> str:
    return hotel.area_ar if turn.texts.language == "ar" else hotel.area_en


def nightly(offer: Offer) -> Money:
    """The average night in whole units of its currency: the exact amount is the total beside it."""
    unit = 10 ** minor_units(offer.total.currency)
    average = offer.per_night
    return (
        Money(round(average.minor / unit) * unit, average.currency) if average.minor >= 10 * unit else average
    )


def price(turn: Turn, offer: Offer, near: Approximate | None = None) -> Phrase:
    """The average night: of all rooms when they are several, with its worth in the traveler's money when that is another."""
    texts = turn.texts
    said = texts.phrase(nightly(offer))
    if offer.stay.rooms > 1:
        rooms = texts.count("room", offer.stay.rooms, "after_preposition")
        said = texts.say("price.for_rooms", price=said, rooms=rooms)
    return texts.say("price.approximate", price=said, approximate=near.amount) if near else said


def result_text(
    turn: Turn, offer: Offer, number: int, near: Approximate | None = None, rating: Phrase | None = None
) -> Phrase:
    """One hotel among the results: name, class, what guests say, price a night and in all, cancellation."""
    stars = class_line(turn, offer.hotel)
    return turn.texts.say(
        "results.card",
        n=number,
        hotel=hotel_name(turn, offer.hotel),
        class_line=turn.texts.lines([stars, rating]) if rating else stars,
        price=price(turn, offer, near),
        total=offer.total,
        cancellation_line=cancellation_line(turn, offer),
    )


def result_lines(
    turn: Turn, offer: Offer, near: Approximate | None = None, rating: Phrase | None = None
) -> tuple[str, ...]:
    """The same, as the lines of a card."""
    _, stars, *others = result_text(turn, offer, 0, near, rating).split("\n")
    area = area_name(turn, offer.hotel)
    where = (
        [turn.texts.say("results.line.area", area=area, city=city_name(turn, offer.hotel))] if area else []
    )
    return (stars, *where, *others)


def class_line(turn: Turn, hotel: Hotel) -> Phrase:
    return turn.texts.say("hotel.line.stars", stars=turn.texts.count("star", hotel.stars))


def cancellation_line(turn: Turn, offer: Offer) -> Phrase:
    """«الإلغاء: مجاني حتى 18 مارس», by the hotel's calendar."""
    until = offer.terms.free_until
    if until is not None and until > turn.now:
        day = until.astimezone(ZoneInfo(offer.hotel.timezone)).date()
        return turn.texts.say("results.line.cancellation_free", until=turn.texts.date(day, weekday=False))
    if until is None and offer.terms.penalty.minor >= offer.total.minor:
        return turn.texts.say("results.line.cancellation_none")
    return turn.texts.say("results.line.cancellation_fee", fee=offer.terms.penalty)


def deadline(turn: Turn, moment: dt.datetime, hotel: Hotel) -> Phrase:
    """«الساعة 6:00 مساء الأربعاء 18 مارس بتوقيت القاهرة»"""
    local = moment.astimezone(ZoneInfo(hotel.timezone))
    return turn.texts.deadline(local, turn.texts.zone_city(hotel.timezone))


def terms_lines(turn: Turn, terms: Terms, total: Money, hotel: Hotel) -> list[Phrase]:
    """What cancelling costs and until when it costs nothing, in full, before anything is booked."""
    texts = turn.texts
    if terms.free_until is None and terms.penalty.minor >= total.minor:
        return [texts.say("booking.line.non_refundable")]
    after = (
        texts.say("booking.line.cancel_then_all")
        if terms.penalty.minor >= total.minor
        else texts.say("booking.line.cancel_then_fee", fee=terms.penalty)
    )
    if terms.free_until is not None and terms.free_until > turn.now:
        return [
            texts.say("booking.line.cancel_free", deadline=deadline(turn, terms.free_until, hotel)),
            after,
            texts.say("booking.line.no_show"),
        ]
    return [texts.say("booking.line.cancel_fee_now", fee=terms.penalty), texts.say("booking.line.no_show")]


def room_text(turn: Turn, offer: Offer, number: int) -> Phrase:
    """One room of a hotel: name, board, price a night and in all, terms in a few words."""
    until = offer.terms.free_until
    if until is not None and until > turn.now:
        day = until.astimezone(ZoneInfo(offer.hotel.timezone)).date()
        terms = turn.texts.say("hotel.terms.free_until", until=turn.texts.date(day, weekday=False))
    elif offer.terms.penalty.minor >= offer.total.minor:
        terms = turn.texts.say("hotel.terms.non_refundable")
    else:
        terms = turn.texts.say("hotel.terms.fee", fee=offer.terms.penalty)
    return turn.texts.say(
        "hotel.room_offer",
        n=number,
        room=offer.room.name(turn.texts.language),
        board=board(turn, offer.room.board),
        price=price(turn, offer),
        total=offer.total,
        cancellation=terms,
        rooms_line=rooms_left(turn, offer),
    )


def rooms_left(turn: Turn, offer: Offer) -> Phrase:
    """The supplier's own count, when it is small enough to matter."""
    left = offer.rooms_left
    if left is None or left > FEW_ROOMS:
        return Phrase("")
    return turn.texts.say("results.line.rooms_left", rooms=turn.texts.count("room", left))


def board(turn: Turn, code: str) -> Phrase:
    return turn.texts.say(f"board.{code}")


def hotel_lines(
    turn: Turn, hotel: Hotel, offers: list[Offer], opinions: Sequence[Phrase], *, wished: Sequence[str] = ()
) -> list[Phrase]:
    """What a hotel's card says. opinions: the lines of its proof; none where too few guests told.

    wished: amenities that were asked for; of those it has, they come first.
    """
    texts = turn.texts
    area = area_name(turn, hotel)
    lines = [
        class_line(turn, hotel),
        texts.say("hotel.line.location", area=area, city=city_name(turn, hotel))
        if area
        else texts.say("hotel.line.city", city=city_name(turn, hotel)),
        *(opinions or [texts.say("hotel.line.no_rating")]),
    ]
    if offers:
        cheapest = min(offers, key=lambda offer: offer.total.minor)
        lines.append(texts.say("hotel.line.price_from", price=price(turn, cheapest)))
        lines.append(cancellation_line(turn, cheapest))
    amenities = sorted(hotel.amenities, key=lambda amenity: amenity not in wished)
    if names := amenity_names(texts, amenities[:MOST_AMENITIES]):
        lines.append(texts.say("hotel.line.amenities", amenities=texts.clauses(names)))
    lines.append(
        texts.say(
            "hotel.line.check_times", check_in_time=hotel.check_in_from, check_out_time=hotel.check_out_until
        )
    )
    if hotel.demo:
        lines.append(texts.say("demo.label"))
    return lines


def picture(turn: Turn, hotel: Hotel, number: int = 0) -> Picture | None:
    """The hotel's picture of that place, described."""
    if number >= len(hotel.pictures):
        return None
    return Picture(
        source=hotel.pictures[number], alt=turn.texts.say("hotel.photo_alt", hotel=hotel_name(turn, hotel))
    )


def stay_dates(turn: Turn, stay: Stay) -> Phrase:
    return turn.texts.date_range(stay.check_in, stay.check_out)
