"""From what was found to the slots of the contract, leaving out what cannot be."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from bot.understanding import calendar
from bot.understanding.destination import Destination
from bot.understanding.grammar import Context, Node
from bot.understanding.rules.days import Day, Duration, Month, Span, number
from bot.understanding.rules.money import Budget, Money
from bot.understanding.rules.numbers import Number
from bot.understanding.rules.people import Party
from bot.understanding.rules.wants import eats_in

MAX_NIGHTS = 90
MAX_GUESTS = 30
MAX_ROOMS = 15
"""Beyond these a number was a slip of the finger; what can be booked is the search's own, tighter rule."""

MAX_AGE_OF_CHILD = 17
MOST_SHOWN = 50
"""The highest number by which a result can be pointed at."""


@dataclass(slots=True)
class Filling:
    """Slots under construction, and why some values were refused. `kinds` are those of the message's nodes."""

    context: Context
    kinds: frozenset[str]
    slots: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def refuse(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def fill(
    text: str, nodes: Sequence[Node], destination: Destination, context: Context, *, price_asked: bool
) -> Filling:
    filling = Filling(context, frozenset([node.kind for node in nodes]), problems=list(context.problems))
    if destination.place:
        filling.slots["destination"] = destination.place.as_json()
    if destination.area and destination.area.amenity:  # «near the Haram» is a wish, in whichever holy city
        filling.slots["amenities"] = [destination.area.amenity]
    elif destination.area:
        filling.slots["area"] = destination.area.name
    _stay(filling, nodes, price_asked=price_asked)
    _party(filling, nodes)
    _budget(filling, nodes, price_asked=price_asked)
    _wants(filling, nodes)
    _choices(filling, nodes)
    _names(filling, text, nodes)
    _bare_number(filling, nodes)
    _check_stay(filling)
    return filling


def _of(nodes: Iterable[Node], kind: str) -> list[Any]:
    return [node.value for node in nodes if node.kind == kind]


_TELLS_A_STAY = frozenset({"date", "date_range", "arrival", "departure", "calendar_month", "duration"})


def _stay(filling: Filling, nodes: Sequence[Node], *, price_asked: bool) -> None:
    if _TELLS_A_STAY.isdisjoint(filling.kinds):
        return
    slots, context = filling.slots, filling.context
    spans: list[Span] = _of(nodes, "date_range")
    days: list[Day] = []
    for index, node in enumerate(nodes):
        if node.kind == "arrival":
            _arrive(filling, node.value)
        elif node.kind == "departure":
            _leave(filling, node.value, bare=_without_month(node))
        elif node.kind == "calendar_month" and "month" not in slots:
            _month(filling, node.value)
        elif node.kind == "date" and not (_a_night(node) and (price_asked or _priced(nodes, index))):
            days.append(node.value)
    for span in spans:
        if span.stay and "check_in" not in slots:
            _span(filling, span)
        elif (
            span.month is None and (span.end - span.start).days <= 7 and "check_in" not in slots
        ):  # «the coming week»: from its first day
            slots["check_in"] = max(span.start, context.today).isoformat()
        elif "check_in" not in slots:
            slots.setdefault("month", span.month or _month_of(span, context.today))
    for day in days:
        if day.date < context.today:
            if day.year_said or context.asked in ("check_in", "check_out", "dates"):
                filling.refuse("past_date")
        elif context.asked == "check_out" and "check_in" not in slots and len(days) == 1:
            slots["check_out"] = day.date.isoformat()
        elif "check_in" not in slots:
            slots["check_in"] = day.date.isoformat()
        elif "check_out" not in slots and day.date.isoformat() > slots["check_in"]:
            slots["check_out"] = day.date.isoformat()
    if "check_in" in slots:
        slots.pop("month", None)
    for duration in _of(nodes, "duration"):
        _duration(filling, duration, price_asked=price_asked)


def _a_night(node: Node) -> bool:
    """«الليلة», which may mean tonight or per night."""
    return any(part.kind == "this_night" for part in node.parts)


def _priced(nodes: Sequence[Node], index: int) -> bool:
    """«سعر الليلة ٥٠٠», «الليلة ما تعبر ٦٠ دولار»: what stands right beside the night is a price."""
    return any(
        node.kind in ("budget", "budget_said")
        for node in (*nodes[max(index - 1, 0) : index], *nodes[index + 1 : index + 2])
    )


def _month_of(span: Span, today: date) -> str:
    """The month that holds most of a Hijri month; the first month of a season."""
    start = max(span.start, today)
    middle = start + (span.end - start) / 2 if (span.end - span.start).days <= 31 else start
    return f"{middle.year:04}-{middle.month:02}"


def _arrive(filling: Filling, said: Day | Month) -> None:
    if isinstance(said, Month):
        _month(filling, said)
    elif said.date >= filling.context.today:
        filling.slots["check_in"] = said.date.isoformat()
    elif said.year_said:
        filling.refuse("past_date")


def _without_month(node: Node) -> bool:
    """«ونطلع يوم ١٣»: whichever month follows the arrival."""
    return all(
        part.kind not in ("month", "moving_month", "hijri_month", "written_date") and _without_month(part)
        for part in node.parts
    ) and node.rule not in ("written_date", "relative_day", "weekday")


def _leave(filling: Filling, said: Day, *, bare: bool) -> None:
    arrival = filling.slots.get("check_in")
    if bare and arrival is not None and said.date.isoformat() <= arrival:
        later = calendar.next_day_of_month(date.fromisoformat(arrival) + timedelta(1), said.date.day)
        said = Day(later or said.date)
    if said.date >= filling.context.today:
        filling.slots["check_out"] = said.date.isoformat()
    elif said.year_said:
        filling.refuse("past_date")


def _month(filling: Filling, month: Month) -> None:
    today = filling.context.today
    if (month.year, month.month) < (today.year, today.month):
        filling.refuse("past_date")
    else:
        filling.slots["month"] = month.slot


def _span(filling: Filling, span: Span) -> None:
    if span.start < filling.context.today and span.year_said:
        filling.refuse("past_date")
        return
    start = max(span.start, filling.context.today)
    filling.slots["check_in"] = start.isoformat()
    if span.end <= span.start:
        filling.refuse("check_out_before_check_in")
    else:
        filling.slots["check_out"] = span.end.isoformat()


def _duration(filling: Filling, duration: Duration, *, price_asked: bool) -> None:
    slots = filling.slots
    if "nights" in slots or (price_asked and duration == (1, "night")):
        return
    nights: float
    match duration.unit:
        case "night":
            nights = duration.n
        case "week":
            nights = duration.n * 7
        case "day" if filling.context.asked == "nights":
            nights = duration.n
        case "month" if "check_in" in slots and isinstance(duration.n, int) and duration.n <= 12:
            arrival = date.fromisoformat(slots["check_in"])
            nights = (calendar.add_months(arrival, duration.n) - arrival).days
        case "month" if filling.context.asked == "nights":
            nights = duration.n * 30
        case _:
            return
    _nights(filling, int(nights))


def _nights(filling: Filling, nights: int) -> None:
    if nights < 1:
        filling.refuse("check_out_before_check_in")
    elif nights > MAX_NIGHTS:
        filling.refuse("stay_too_long")
    else:
        filling.slots["nights"] = nights


def _check_stay(filling: Filling) -> None:
    slots = filling.slots
    if "check_in" not in slots or "check_out" not in slots:
        return
    nights = (date.fromisoformat(slots["check_out"]) - date.fromisoformat(slots["check_in"])).days
    if nights < 1:
        del slots["check_out"]
        filling.refuse("check_out_before_check_in")
    elif nights > MAX_NIGHTS:
        del slots["check_out"]
        filling.refuse("stay_too_long")


def _count(filling: Filling, slot: str, value: int | None, most: int, few: str, many: str) -> None:
    if value is None:
        return
    if value < (0 if slot == "children" else 1):
        filling.refuse(few)
    elif value > most:
        filling.refuse(many)
    else:
        filling.slots.setdefault(slot, value)


_TELLS_A_PARTY = frozenset({"party", "ages_said", "rooms", "room"})


def _party(filling: Filling, nodes: Sequence[Node]) -> None:
    if _TELLS_A_PARTY.isdisjoint(filling.kinds):
        return
    ages: list[int] = []
    for party in _of(nodes, "party"):
        _party_counts(filling, party)
        ages += party.ages
    for said in _of(nodes, "ages_said"):
        ages += said
    ages = [age for age in ages if age <= MAX_AGE_OF_CHILD]
    if ages:
        filling.slots["child_ages"] = ages
        filling.slots.setdefault("children", len(ages))
    for rooms in _of(nodes, "rooms"):
        _count(filling, "rooms", rooms, MAX_ROOMS, "no_rooms", "too_many_rooms")
    for before, node in pairwise(nodes):
        if filling.context.asked and node.kind == "room" and before.kind == "cue" and before.value == "book":
            filling.slots.setdefault(
                "rooms", 1
            )  # «أرغب بحجز غرفة»; a room that is only wished for counts nothing


def _party_counts(filling: Filling, party: Party) -> None:
    _count(filling, "guests", party.guests, MAX_GUESTS, "no_guests", "too_many_guests")
    _count(filling, "adults", party.adults, MAX_GUESTS, "no_guests", "too_many_guests")
    _count(filling, "children", party.children, MAX_GUESTS, "no_guests", "too_many_guests")


_TELLS_A_BUDGET = frozenset({"budget_said", "open_budget"})


def _budget(filling: Filling, nodes: Sequence[Node], *, price_asked: bool) -> None:
    asked = price_asked or filling.context.asked == "budget"
    if not asked and _TELLS_A_BUDGET.isdisjoint(filling.kinds):
        return
    slots, kinds = filling.slots, filling.kinds
    said: list[Budget] = _of(nodes, "budget_said")
    for budget in said:
        for slot, money in (
            ("budget_min", budget.minimum),
            ("budget_max", budget.maximum),
            ("budget_delta", budget.delta),
        ):
            if money is None:
                continue
            if money.value <= 0 and slot != "budget_delta":
                filling.refuse("budget_unclear")
                continue
            _money(slots, slot, money)
    open_ended = filling.context.asked == "budget" and "dont_care" in kinds and "price_level" not in kinds
    if "open_budget" in kinds or open_ended:
        slots["no_budget"] = True
    if said or asked:
        tonight = any(
            _a_night(node) or (node.kind == "duration" and node.value == (1, "night")) for node in nodes
        )
        priced = any(_a_night(node) and _priced(nodes, index) for index, node in enumerate(nodes))
        priced = priced or any(node.kind == "cue" and node.value == "ask_night" for node in nodes)
        if "per_night" in kinds or priced or (tonight and (price_asked or kinds & {"budget"})):
            slots["budget_per"] = "night"
        elif "per_stay" in kinds:
            slots["budget_per"] = "stay"
        for budget in said:
            for money in (budget.minimum, budget.maximum, budget.delta):
                if money is not None and money.per:
                    slots["budget_per"] = money.per


def _money(slots: dict[str, Any], slot: str, money: Money) -> None:
    slots.setdefault(slot, money.value)
    if money.currency:
        slots.setdefault("currency", money.currency)


def _names_a_place(following: Sequence[Node]) -> bool:
    return bool(following) and following[0].kind in ("place", "area")


SORTED_BY = {"rating_word": "rating", "budget": "price", "near": "distance"}


_TELLS_A_WANT = frozenset(
    {
        *(
            "amenity",
            "wish",
            "stars",
            "sort",
            "sort_said",
            "price_level",
            "level_said",
            "dear",
            "rating",
            "eatery",
        ),
        *("free_cancellation", "language_said"),
        *SORTED_BY,
    }
)


def _wants(filling: Filling, nodes: Sequence[Node]) -> None:
    if _TELLS_A_WANT.isdisjoint(filling.kinds):
        return
    slots = filling.slots
    dear = False
    sorting = any(node.kind == "cue" and node.value == "sort" for node in nodes)
    for index, node in enumerate(nodes):
        if sorting and node.kind in SORTED_BY:
            slots.setdefault("sort", SORTED_BY[node.kind])
        match node.kind:
            case "amenity" | "wish":
                amenities = slots.setdefault("amenities", [])
                if node.value not in amenities:
                    amenities.append(node.value)
            case "stars" | "sort":
                slots.setdefault(node.kind, node.value)
            case "eatery" if eats_in(nodes, index):
                amenities = slots.setdefault("amenities", [])
                if "restaurant" not in amenities:
                    amenities.append("restaurant")
            case "sort_said":
                slots.setdefault("sort", node.value)
            case "price_level" if node.value == "moderate" and _names_a_place(nodes[index + 1 :]):
                slots.setdefault("amenities", []).append("city_center")  # «وسط اسطنبول»
            case "price_level" | "level_said":
                slots["price_level"] = node.value  # «كل شي غالي، ابي اقتصادي»: the last one is the wish
            case "dear" if index and nodes[index - 1].kind in ("hotel", "stay_type", "room_type", "want"):
                slots["price_level"] = "expensive"  # «فندق غالي» is a wish
            case "dear":
                dear = True
            case "rating":
                slots.setdefault("rating_min", node.value)
            case "free_cancellation":
                slots["free_cancellation"] = True
            case "language_said":
                slots["language"] = node.value
    if dear and "price_level" not in slots:
        slots.setdefault("sort", "price")  # «غالي هواي» asks for cheaper ones
    if sorting and "price_level" in slots:  # «رتبهن من الرخيص»
        slots.setdefault("sort", "price")
    if slots.get("sort") == "price" and (sorting or slots.get("price_level") == "expensive"):
        slots.pop("price_level", None)  # «غالي، ما في أرخص؟»


_TELLS_A_CHOICE = frozenset({"ordinal", "ordinal_last", "ordinal_next", "after_next", "cue"})


def _choices(filling: Filling, nodes: Sequence[Node]) -> None:
    if _TELLS_A_CHOICE.isdisjoint(filling.kinds):
        return
    choices: list[int | str] = []
    for node in nodes:
        if node.kind == "ordinal" and node.value <= MOST_SHOWN:
            choices.append(node.value)
        elif node.kind == "ordinal_last":
            choices.append(-1)
        elif node.kind in ("ordinal_next", "after_next"):
            choices.append("next")
    if not choices and any(node.kind == "cue" and node.value == "compare_hotels" for node in nodes):
        said = [number(node) for node in nodes if node.kind == "number"]
        choices = [each for each in said if each is not None and 1 <= each <= MOST_SHOWN]
    if choices:
        filling.slots["choices"] = choices


_TELLS_A_NAME = frozenset({"name_word", "self", "brand", "hotel"})


def _names(filling: Filling, text: str, nodes: Sequence[Node]) -> None:
    if _TELLS_A_NAME.isdisjoint(filling.kinds):
        return
    for index, node in enumerate(nodes):
        if node.kind == "name_word":
            end = index + 1
            while end < len(nodes) and end <= index + 4 and nodes[end].kind not in _ENDS_A_NAME:
                end += 1
            if end > index + 1:
                filling.slots["guest_name"] = text[nodes[index + 1].start : nodes[end - 1].end].strip()
        elif node.kind == "self" and index + 1 < len(nodes) and nodes[index + 1].kind == "word":
            said = text[nodes[index + 1].start : nodes[index + 1].end]  # «أنا Mark»
            if said.isascii() and said.istitle():
                filling.slots.setdefault("guest_name", said)
        elif node.kind == "brand":
            filling.slots["hotel_name"] = _KIND_OF_HOUSE.sub("", text[node.start : node.end])
        elif node.kind == "hotel" and (name := _named_after(text, nodes, index)):
            filling.slots.setdefault("hotel_name", name)


def _named_after(text: str, nodes: Sequence[Node], index: int) -> str | None:
    """«فندق الفور سيزن»: a hotel without its article, then a word with it that we do not know, is a name."""
    end = index + 1
    while end < len(nodes) and end <= index + 3 and nodes[end].kind == "word":
        end += 1
    if end == index + 1 or text[: nodes[index].start].endswith("ال"):
        return None
    first = text[nodes[index + 1].start : nodes[index + 1].end]
    if not (first.startswith("ال") and len(first) > 4) and not (first.isascii() and first.istitle()):
        return None
    return text[nodes[index + 1].start : nodes[end - 1].end]


_KIND_OF_HOUSE = re.compile(r"^(?:فندق|[أا]وتيل|hotel)\s+", re.IGNORECASE)

_ENDS_A_NAME = frozenset(
    {"stop", "comma", "question", "and", "number", "rooms", "duration", "date", "in", "people", "party"}
)


def _bare_number(filling: Filling, nodes: Sequence[Node]) -> None:
    """A number with nothing beside it is what was just asked for."""
    slots, context = filling.slots, filling.context
    if context.asked is None:
        return
    said = next((node for node in nodes if node.kind in ("number", "year", "hijri_year")), None)
    if said is None:
        return
    value = said.value.value if isinstance(said.value, Number) else said.value
    if context.asked == "budget":
        if value > 0:
            slots.setdefault("budget_max", value)
        else:
            filling.refuse("budget_unclear")
    elif context.asked == "rating":
        if 0 <= value <= 10:
            slots.setdefault("rating_min", value)
    elif isinstance(value, int):
        _bare_count(filling, value)


def _bare_count(filling: Filling, value: int) -> None:
    slots, context = filling.slots, filling.context
    match context.asked:
        case "nights":
            if "nights" not in slots:
                _nights(filling, value)
        case "guests" | "adults" | "children":
            _count(filling, context.asked, value, MAX_GUESTS, "no_guests", "too_many_guests")
        case "rooms":
            _count(filling, "rooms", value, MAX_ROOMS, "no_rooms", "too_many_rooms")
        case "stars":
            if 1 <= value <= 7:
                slots.setdefault("stars", value)
        case "hotel" | "choice" | "results" | "destination":
            if 1 <= value <= MOST_SHOWN:
                slots.setdefault("choices", [value])
        case "dates" | "check_in" | "check_out":
            after = context.today + timedelta(context.asked == "check_out")
            day = calendar.next_day_of_month(after, value) if 1 <= value <= 31 else None
            slot = "check_out" if context.asked == "check_out" else "check_in"
            if day and slot not in slots and "month" not in slots:
                slots[slot] = day.isoformat()
        case "ages" | "child_ages":
            if value <= MAX_AGE_OF_CHILD:
                slots.setdefault("child_ages", [value])
        case _:
            pass
