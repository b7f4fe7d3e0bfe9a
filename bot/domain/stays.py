"""What a stay and its guest must be, whatever the supplier. Each rule says no with the text the traveler reads."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

from bot.errors import DomainError
from bot.suppliers import Guest, Stay

MAX_NIGHTS = 30
MAX_GUESTS = 30
MAX_ROOMS = 9
MAX_REQUESTS = 500
MAX_AGE = 17

_NAME = re.compile(r"[A-Za-zÀ-ÖØ-öø-ž]+(?:[ '’.-]{1,2}[A-Za-zÀ-ÖØ-öø-ž]+)+\.?")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


def check_stay(stay: Stay, *, today: date) -> None:
    """Raises DomainError for a stay nobody can book. today: the hotel's own date."""
    if stay.check_in < today:
        raise DomainError("search.past_date", date=stay.check_in)
    if stay.nights < 1:
        raise DomainError("search.check_out_before_check_in", check_in=stay.check_in)
    if stay.nights > MAX_NIGHTS:
        raise DomainError("search.stay_too_long", max_nights=MAX_NIGHTS)
    if stay.people < 1:
        raise DomainError("search.no_guests")
    if stay.adults < 1:
        raise DomainError("search.no_adults")
    if stay.people > MAX_GUESTS:
        raise DomainError("search.too_many_guests", max_guests=MAX_GUESTS)
    if stay.rooms > MAX_ROOMS:
        raise DomainError("search.too_many_rooms", max_rooms=MAX_ROOMS)
    if not 1 <= stay.rooms <= stay.adults:
        raise DomainError("search.more_rooms_than_guests", rooms=stay.rooms, guests=stay.adults)
    if any(not 0 <= age <= MAX_AGE for age in stay.child_ages):
        raise DomainError("search.bad_age")


def check_guest(guest: Guest) -> None:
    """Raises DomainError for a guest a hotel could not check in: first and family name, in Latin letters."""
    if not 2 <= len(guest.name) <= 60 or _NAME.fullmatch(guest.name) is None:
        raise DomainError("booking.bad_name")
    if guest.phone is not None and _PHONE.fullmatch(guest.phone) is None:
        raise DomainError("booking.bad_contact")
    if guest.requests is not None and len(guest.requests) > MAX_REQUESTS:
        raise DomainError("booking.requests_too_long", max_length=MAX_REQUESTS)


def youngest_today(now: datetime) -> date:
    """The date where it is earliest (UTC−12): a day before it has passed everywhere."""
    return now.astimezone(timezone(timedelta(hours=-12))).date()
