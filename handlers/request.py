"""What a traveler asks for: the slots of a search, how new words change them, and how they read back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from babel import Locale
from babel.numbers import get_territory_currencies
from pydantic import BaseModel, ConfigDict, Field

from bot.domain.stays import MAX_GUESTS, MAX_NIGHTS, MAX_ROOMS
from locales import Money, Phrase, Texts, UnknownCurrency, minor_units

HORIZON_DAYS = 548
"""Rates are known 18 months ahead."""

STAY = frozenset({"destination", "check_in", "check_out", "adults", "children", "rooms", "hotel_name"})
"""What a search stands on: a change of one of these is read back before the search goes on."""


class Destination(BaseModel):
    """A place of the gazetteer. geonameid: None for a region that GeoNames has no city for (الساحل الشمالي).

    twin: other places have its name, so its country is said with it.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    name_en: str
    name_ar: str
    country: str
    geonameid: int | None = None
    kind: str = "city"
    twin: bool = False

    def name(self, language: str) -> str:
        return self.name_ar if language == "ar" else self.name_en


class Request(BaseModel):
    """The slots of a search. Amounts are in major units, as said; dates are the hotel's local calendar.

    candidates / unknown_place: a place that is not clear yet, until one is. nowhere: a place without hotels, that another
        is asked for instead of. offered: the places on show as choices.
    problems: what could not be used of the last message; changing: what is asked for anew; gone with the next.
    unsettled: new words came in that nobody has held against the world yet (see `handlers.search.settle`).
    """

    model_config = ConfigDict(extra="ignore")

    destination: Destination | None = None
    check_in: dt.date | None = None
    check_out: dt.date | None = None
    month: str | None = None
    adults: int | None = None
    children: int = 0
    child_ages: list[int] = Field(default_factory=list)
    rooms: int | None = None
    budget_min: Decimal | None = None
    budget_max: Decimal | None = None
    currency: str | None = None
    budget_per: Literal["night", "stay"] = "night"
    stars: int | None = None
    amenities: list[str] = Field(default_factory=list)
    free_cancellation: bool = False
    sort: Literal["price", "stars", "rating", "distance"] | None = None
    price_level: Literal["cheap", "moderate", "expensive"] | None = None
    rating_min: Decimal | None = None
    area: str | None = None
    hotel_name: str | None = None
    nights: int | None = None
    candidates: list[dict[str, Any]] = Field(default_factory=list)
    unknown_place: str | None = None
    nowhere: Destination | None = None
    offered: list[Destination] = Field(default_factory=list)
    problems: list[str] = Field(default_factory=list)
    changing: str | None = None
    unsettled: bool | None = None

    @property
    def people(self) -> int:
        return (self.adults or 0) + self.children

    @property
    def room_count(self) -> int:
        """The rooms that were said, otherwise enough for three adults or four people each."""
        return self.rooms or max(1, -(-(self.adults or 1) // 3), -(-self.people // 4))

    @property
    def stay_nights(self) -> int | None:
        return (self.check_out - self.check_in).days if self.check_in and self.check_out else None


HARAM = frozenset({"الحرم", "Haram", "Al Haram"})

# ---------------------------------------------------------------------------------------------- merging


def merge(request: Request, incoming: Mapping[str, Any]) -> Request:
    """The request after a message: later words win, what hangs together moves together, impossible values become problems."""
    said = {name: value for name, value in incoming.items() if value is not None}
    found: dict[str, Any] = request.model_dump()
    found |= {"problems": list(said.get("problems", ())), "changing": said.get("changing"), "unsettled": True}
    for name in ("month", "budget_min", "budget_max", "currency", "budget_per", "stars", "sort", "price_level", "rating_min",
                 "area", "hotel_name"):  # fmt: skip
        if name in said:
            found[name] = said[name]
    for name in said.get("drop", ()):
        found[name] = Request.model_fields[name].get_default(call_default_factory=True)
    if said.get("free_cancellation"):
        found["free_cancellation"] = True
    if said.get("amenities"):
        found["amenities"] = list(dict.fromkeys([*found["amenities"], *said["amenities"]]))
    if found["area"] in HARAM and "near_haram" in found["amenities"]:
        found["area"] = None  # said once, meant once: the wish is the finer of the two
    _merge_place(found, said)
    _merge_budget(found, said)
    _merge_dates(found, said)
    _merge_people(found, said)
    return Request.model_validate(found)


def _merge_place(found: dict[str, Any], said: Mapping[str, Any]) -> None:
    if "destination" in said:
        said = {**said, "destination": _meant(found["candidates"], said["destination"])}
    if said.keys() & {"destination", "candidates", "unknown_place"}:
        found |= {"candidates": [], "unknown_place": None, "nowhere": None}
    if "destination" in said:
        before = found["destination"]
        found["destination"] = said["destination"]
        if before and before["geonameid"] != said["destination"]["geonameid"]:
            for name in ("area", "hotel_name"):
                found[name] = said.get(name)
            if (
                before["country"] != said["destination"]["country"]
                and "budget_max" not in said
                and not found["currency"]
            ):
                found |= {"budget_min": None, "budget_max": None}
    elif said.get("candidates"):
        found |= {"destination": None, "candidates": list(said["candidates"])}
    elif said.get("unknown_place"):
        found |= {"destination": None, "unknown_place": said["unknown_place"]}


def _meant(candidates: list[dict[str, Any]], said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of several places of one name, the one that was chosen, or the only one in the country that was named."""
    chosen = [place for place in candidates if place["geonameid"] == said["geonameid"]]
    if not chosen and said.get("kind") == "country":
        chosen = [place for place in candidates if place["country"] == said["country"]]
    return {**chosen[0], "twin": True} if len(chosen) == 1 else said


def _merge_budget(found: dict[str, Any], said: Mapping[str, Any]) -> None:
    if "budget_delta" in said and "budget_max" not in said:
        if found["budget_max"] is None:
            found["problems"].append("budget_unclear")
        else:
            changed = Decimal(str(found["budget_max"])) + Decimal(str(said["budget_delta"]))
            if changed > 0:
                found["budget_max"] = changed
            else:
                found["problems"].append("budget_unclear")
    if said.get("no_budget"):
        found |= {"budget_min": None, "budget_max": None, "price_level": None}
    low, high = found["budget_min"], found["budget_max"]
    if low is not None and high is not None and Decimal(str(low)) > Decimal(str(high)):
        found["budget_min" if "budget_max" in said else "budget_max"] = None


def _merge_dates(found: dict[str, Any], said: Mapping[str, Any]) -> None:
    nights = said.get("nights")
    check_in, check_out = _day(said.get("check_in")), _day(said.get("check_out"))
    if said.get("bare_days") and (month := said.get("month") or found["month"]):
        check_in, check_out = _within(month, check_in, check_out)
    if nights is not None and not 1 <= int(nights) <= MAX_NIGHTS:
        found["problems"].append("stay_too_long" if int(nights) > MAX_NIGHTS else "check_out_before_check_in")
        nights = None
    kept = found["nights"]
    if found["check_in"] and found["check_out"]:
        kept = (found["check_out"] - found["check_in"]).days
    first = check_in or found["check_in"]
    last = check_out
    if last is None and nights is not None and first is not None:
        last = _after(first, int(nights))
    if check_in is not None and "check_out_before_check_in" in found["problems"]:
        found["check_out"] = kept = None  # she said when she leaves, and it is asked for again
    if last is None and check_in is not None and kept:
        last = _after(check_in, kept)
    if last is None:
        last = found["check_out"]
    if check_out is not None and check_in is None and first is None and nights is not None:
        first = check_out - dt.timedelta(days=int(nights))
    if first and last and last <= first:
        found["problems"].append("check_out_before_check_in")
        last = None
    if first and last and (last - first).days > MAX_NIGHTS:
        found["problems"].append("stay_too_long")
        last = None
    if first is not None and check_in is not None:
        found["month"] = None
    found |= {
        "check_in": first,
        "check_out": last,
        "nights": nights if nights is not None else (kept if last is None else None),
    }
    if first and last:
        found["nights"] = (last - first).days


def _after(day: dt.date, days: int) -> dt.date:
    """So many days later; the calendar's last day where it ends before."""
    return day + dt.timedelta(days=min(days, (dt.date.max - day).days))


def _within(month: str, *days: dt.date | None) -> list[dt.date | None]:
    """«من 10 إلى 14», after «في أبريل»: the same days of that month, a later one before an earlier in the next."""
    year, number = map(int, month.split("-"))
    first = dt.date(year, number, 1)
    found: list[dt.date | None] = []
    for day in days:
        if day is not None:
            moved = first + dt.timedelta(days=day.day - 1)
            if found and found[-1] is not None and moved <= found[-1]:
                moved = _after(_after(first, 32).replace(day=1), day.day - 1)
            day = moved
        found.append(day)
    return found


def _merge_people(found: dict[str, Any], said: Mapping[str, Any]) -> None:
    children = said.get("children")
    adults = said.get("adults")
    if "child_ages" in said:
        found["child_ages"] = list(said["child_ages"])
        children = children if children is not None else len(found["child_ages"])
    if children is not None:
        found["children"] = int(children)
        if len(found["child_ages"]) > int(children):
            found["child_ages"] = found["child_ages"][: int(children)]
    if adults is None and "guests" in said:
        adults = int(said["guests"]) - (int(children) if children is not None else 0)
        if children is None:
            found |= {"children": 0, "child_ages": []}
    if adults is not None:
        if int(adults) < 1:
            found["problems"].append("no_adults" if found["children"] else "no_guests")
        else:
            found["adults"] = int(adults)
    if "rooms" in said:
        if 1 <= int(said["rooms"]) <= MAX_ROOMS:
            found["rooms"] = int(said["rooms"])
        else:
            found["problems"].append("too_many_rooms")
    if (found["adults"] or 0) + found["children"] > MAX_GUESTS:
        found["problems"].append("too_many_guests")
        found |= {"adults": None, "children": 0, "child_ages": []}
    if found["adults"] and found["rooms"] and found["rooms"] > found["adults"]:
        found["problems"].append("more_rooms_than_guests")
        found["rooms"] = None


def _day(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


# ---------------------------------------------------------------------------------------------- wording


def summary(texts: Texts, request: Request) -> Phrase:
    """«الإسكندرية، من الجمعة 20 إلى الاثنين 23 مارس (3 ليالٍ)، بالغان في غرفة واحدة، حتى 1,500 ج.م لليلة»"""
    parts: list[Phrase] = []
    if request.hotel_name:
        parts.append(texts.phrase(request.hotel_name))
    if request.destination:
        name = request.destination.name(texts.language)
        country = country_name(texts.language, request.destination.country)
        said = texts.say("search.part.place", place=name, region=country)
        parts.append(said if request.destination.twin else texts.phrase(name))
    if request.area:
        parts.append(texts.say("search.part.area", area=request.area))
    if request.check_in and request.check_out and (nights := request.stay_nights):
        dates = texts.date_range(request.check_in, request.check_out)
        parts.append(texts.say("search.part.dates", dates=dates, nights=texts.count("night", nights)))
    if request.adults:
        parts.append(people(texts, request))
    parts += _wants(texts, request)
    return texts.clauses(parts)


def people(texts: Texts, request: Request) -> Phrase:
    """«بالغان مع طفلين (العمر: 2 و6) في غرفة واحدة»"""
    adults = texts.count("adult", request.adults or 0)
    rooms = texts.count("room", request.room_count, "after_preposition")
    if not request.children:
        return texts.say("search.part.people", adults=adults, rooms=rooms)
    children = texts.count("child", request.children, "after_preposition")
    if not request.child_ages:
        return texts.say(
            "search.part.people_with_children_no_ages", adults=adults, children=children, rooms=rooms
        )
    ages = texts.join(request.child_ages)
    return texts.say(
        "search.part.people_with_children", adults=adults, children=children, ages=ages, rooms=rooms
    )


def _wants(texts: Texts, request: Request) -> list[Phrase]:
    parts: list[Phrase] = []
    low, high = budget(request, request.budget_min), budget(request, request.budget_max)
    if low and high:
        parts.append(texts.say("search.part.budget_range_night", budget_min=low, budget_max=high))
    elif high:
        parts.append(texts.say(f"search.part.budget_{request.budget_per}", budget=high))
    elif low:
        parts.append(texts.say("search.part.budget_from_night", budget_min=low))
    elif request.price_level:
        parts.append(texts.say(f"search.part.{request.price_level}"))
    if request.stars:
        parts.append(texts.say("search.part.stars", stars=texts.count("star", request.stars)))
    if request.rating_min:
        parts.append(texts.say("search.part.rating", rating=texts.rating(request.rating_min)))
    if wanted := amenity_names(texts, request.amenities):
        parts.append(texts.say("search.part.amenities", amenities=texts.join(wanted)))
    if request.free_cancellation:
        parts.append(texts.say("search.part.free_cancellation"))
    return parts


def amenity_names(texts: Texts, amenities: list[str] | tuple[str, ...]) -> list[Phrase]:
    """The amenities that have a name in this language."""
    return [texts.say(f"amenity.{name}") for name in amenities if texts.knows(f"amenity.{name}")]


def country_name(language: str, country: str) -> str:
    """The name of an ISO country, as CLDR has it."""
    if country == "PS":
        return "فلسطين" if language == "ar" else "Palestine"
    return str(Locale(language).territories.get(country, country))


def home_currency(country: str) -> str | None:
    """The currency that a bare amount means to somebody of that country."""
    return next(iter(get_territory_currencies(country)), None)


def budget(request: Request, amount: Decimal | None) -> Money | None:
    """An amount of the request as money; None while its currency is open."""
    if amount is None or request.currency is None:
        return None
    try:
        return Money(int(amount.scaleb(minor_units(request.currency)).to_integral_value()), request.currency)
    except UnknownCurrency:
        return None
