"""What a message wants. One intent: of several, the one that changes most."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from bot.understanding.destination import Destination
from bot.understanding.grammar import Context, Node
from bot.understanding.rules.wants import eats_in

COMMANDS = (
    # Said in as many words, from the one that changes most.
    "privacy_delete", "cancel_booking", "compare_hotels", "read_reviews", "save_favourite", "referral", "share", "human",
    "join_logins",
)  # fmt: skip
CHANGES = ("change_dates", "change_budget", "change_destination", "change_guests")
KEYWORDS = ("leave", "back", "resume", "stop")
REQUESTS = ("new_search", "show_results", "hotel_details")
"""Asked in as many words, where no search is described beside them."""

SUBJECTS = {"picture": "photos", "map_word": "map", "other_room": "other_rooms", "times": "hotel_details"}
"""What of a hotel is asked about, by the kind that names it."""

STAY = frozenset({"check_in", "check_out", "nights", "month"})
GUESTS = frozenset({"guests", "adults", "children", "child_ages", "rooms"})
BUDGET = frozenset({"budget_min", "budget_max", "budget_delta"})
WISH = frozenset({"hotel", "stay_type", "room", "travel", "room_type", "brand"})
DETAILS = STAY | GUESTS | BUDGET | {"stars", "amenities", "price_level", "rating_min", "sort"}
SAID_BY_ANYBODY = STAY | BUDGET | {"stars", "currency", "choices"}
PUNCTUATION = frozenset({"stop", "comma", "question"})
UNKNOWN = frozenset({"word", "opaque", "when", "where"})
"""Kinds that tell nothing of what a message is about."""

HOUSING = frozenset({"hotel", "stay_type", "room", "rooms", "room_type", "brand", "stars"})
PASSED_OVER = frozenset({
    "want", "around", "thing", "generic", "in", "li", "to", "bi", "on", "from", "and", "self", "number", "comma",
    "current", "with_me", "as",
})  # fmt: skip
"""What may stand between a wish and its object: «عايز *احجز لي في* مطعم»."""

COUNTS = frozenset(
    {
        "number",
        "duration",
        "people",
        "party",
        "adults",
        "children",
        "self",
        "me_only",
        "rooms",
        "bi",
        "unit_night",
    }
)

HOUSED = GUESTS | {
    "nights", "stars", "amenities", "free_cancellation", "hotel_name", "choices", "price_level", "sort", "guest_name",
}  # fmt: skip
"""Slots that only a stay has."""


class Intent(NamedTuple):
    """`confidence` is the judge's own, before calibration; `judge` names who decided."""

    name: str
    confidence: float
    judge: str = ""


@dataclass(slots=True)
class Heard:
    """What the intent is judged by."""

    nodes: Sequence[Node]
    slots: dict[str, Any]
    destination: Destination
    asked: str | None
    kinds: frozenset[str]
    inner: set[str]  # also the kinds inside what was found, and the rules that found it
    cues: set[str]
    unknown: int  # words that we do not know
    known_share: float  # how much of the message we understood, by nodes


def _hear(nodes: Sequence[Node], slots: dict[str, Any], destination: Destination, context: Context) -> Heard:
    inner: set[str] = set()
    cues: set[str] = set()
    waiting = list(nodes)
    for node in waiting:  # grows while it is walked
        inner.add(node.kind)
        inner.add(node.rule)
        if node.kind == "cue":
            cues.add(str(node.value))
        if node.parts:
            waiting += node.parts
    if "ask_night" in cues:
        cues.add("ask_price")
    unknown = saying = 0
    for node in nodes:
        if node.kind not in PUNCTUATION:
            saying += 1
            unknown += node.kind in UNKNOWN
    kinds = frozenset([node.kind for node in nodes])
    if "eatery" in kinds and not all(
        node.kind != "eatery" or eats_in(nodes, index) for index, node in enumerate(nodes)
    ):
        kinds |= {"outside"}
    return Heard(
        nodes, slots, destination, context.asked, kinds, inner, cues, unknown, 1 - unknown / max(saying, 1)
    )


def intent_of(
    nodes: Sequence[Node], slots: dict[str, Any], destination: Destination, context: Context
) -> Intent:
    heard = _hear(nodes, slots, destination, context)
    for name, judge in JUDGES:
        found = judge(heard)
        if found:
            return Intent(found.name, found.confidence, name)
    return Intent("out_of_scope", 0.6, "nothing")


def _object_of_wish(nodes: Sequence[Node]) -> str | None:
    """The kind of what is wanted or booked: «بدي *دكتور* بعمان», «احجز لي *طاولة*», «محتاج *غرفة*»."""
    for index, node in enumerate(nodes):
        if node.kind == "want" or (node.kind == "cue" and node.value == "book"):
            for following in nodes[index + 1 :]:
                if following.kind not in PASSED_OVER and following.value != "book":
                    return str(following.value) if following.kind == "cue" else following.kind
    return None


COMPOSED = (
    # A verb and what it is done to, said apart: kinds and cues that must both be heard, and what they ask for together.
    ({"erase"}, {"my_data"}, "privacy_delete"),
    ({"leave"}, {"book", "my_trips"}, "cancel_booking"),
    ({"stop", "leave", "no"}, {"messages"}, "stop"),
    ({"say"}, {"person", "people"}, "read_reviews"),
    ({"where"}, {"offer"}, "map"),
    ({"disliked"}, {"want", "other", "more"}, "more"),
    ({"talk"}, {"somebody", "person", "one_person", "number"}, "human"),
)
COMPOSED_VERBS = frozenset().union(*(verbs for verbs, _, _ in COMPOSED))


def _command(heard: Heard) -> Intent | None:
    said = heard.kinds | heard.cues
    if not COMPOSED_VERBS.isdisjoint(said):
        for verbs, objects, name in COMPOSED:
            if said & verbs and said & objects and "outside" not in heard.kinds:
                return Intent(name, 0.9)
    if (
        "send" in heard.kinds
        and "outside" not in heard.kinds
        and heard.inner & {"relative", "relatives", "friends", "family"}
    ):
        return Intent("share", 0.9)
    pointed = len(heard.slots.get("choices", ()))
    if pointed > 1 and not heard.cues and heard.kinds & {"or", "and", "between", "comma"}:
        return Intent("compare_hotels", 0.85)
    for name in COMMANDS if heard.cues else ():
        if name in heard.cues and not ("outside" in heard.kinds and name not in ("privacy_delete", "human")):
            return Intent(name, 0.93)
    return None


def _subject(heard: Heard) -> Intent | None:
    """Pictures, the place on the map, other rooms, when one may come: of the hotel on show, or of the one pointed at."""
    described = "destination" in heard.slots and heard.kinds & {"hotel", "stay_type", "want"}
    if "outside" in heard.kinds or described:
        return None
    of_something = any(
        node.kind in ("picture", "map_word") and after.kind in ("word", "li")
        for node, after in pairwise(heard.nodes)
    )
    told = (
        not of_something
        or "where" in heard.kinds
        or heard.cues & {"offer"}
        or heard.kinds & HOUSING
        or "choices" in heard.slots
    )
    for kind, name in SUBJECTS.items():
        if kind in heard.kinds and (told or kind not in ("picture", "map_word")):  # «a picture of X» is X's
            return Intent(name, 0.9)
    if "picture" in heard.kinds and not told:
        return Intent("out_of_scope", 0.7)
    return next((Intent(name, 0.9) for name in REQUESTS if name in heard.cues), None)


def _outside(heard: Heard) -> Intent | None:
    if heard.kinds & {"clock", "time"} and not heard.kinds & (
        WISH | {"check_in", "check_out", "arrival", "departure"}
    ):
        return Intent("out_of_scope", 0.7)  # a table, an alarm, a film: a stay is not booked by the hour
    if "aside" in heard.kinds and not heard.kinds & (WISH | {"place", "want"}):
        return Intent("out_of_scope", 0.8)
    wanted = _object_of_wish(heard.nodes)
    if (
        wanted == "word"
        and heard.asked is None
        and not (heard.kinds & (HOUSING | {"travel"}) or heard.slots.keys() & HOUSED or heard.cues - {"book"})
        and not ("destination" in heard.slots and (heard.slots.keys() & STAY or heard.unknown == 1))
    ):
        return Intent("out_of_scope", 0.6)  # what is wished for is a thing we do not know
    if (
        "currency" in heard.kinds
        and "ask_price" in heard.cues
        and not heard.kinds & (HOUSING | {"per_night"})
    ):
        return Intent("out_of_scope", 0.75)  # «بشحال الأورو؟»: the price of money
    if "when" in heard.kinds and not heard.kinds & (WISH | {"area", "want"}) and not heard.cues:
        return Intent("out_of_scope", 0.7)  # when Ramadan starts, when the match is
    if "outside" not in heard.kinds or wanted in HOUSING:
        return None
    first = next(i for i, node in enumerate(heard.nodes) if node.kind in ("outside", "eatery"))
    before = {node.kind for node in heard.nodes[:first]}
    purpose = first > 0 and heard.nodes[first - 1].kind in ("li", "near")  # «القاهرة للعلاج، غرفة لنفرين»
    if purpose and "destination" in heard.slots and heard.kinds & (HOUSING | {"travel"}):
        return None
    if before & {"hotel", "stay_type", "room", "rooms"} and heard.kinds & {
        "place",
        "want",
        "area",
        "near",
        "budget_said",
    }:
        return None
    if heard.cues & {"my_trips", "cancel_booking"} and heard.known_share > 0.8:
        return None
    return Intent("out_of_scope", 0.9)


def _change(heard: Heard) -> Intent | None:
    for name in CHANGES:
        if name in heard.cues:
            return Intent(name, 0.93)
    slots = heard.slots
    if "extension" in heard.kinds:
        return Intent("change_dates", 0.88)
    if "budget_delta" in slots or (
        heard.inner & {"raise", "lower"} and ("budget" in heard.inner or BUDGET & slots.keys())
    ):
        return Intent("change_budget", 0.9)
    corrected = heard.inner & {"rejected", "rejected_date", "rejected_number", "rather", "instead"}
    fresh = heard.kinds & {"hotel", "stay_type"} and "destination" in slots and not corrected
    fresh = fresh or ("travel" in heard.kinds and corrected == {"rather"})
    refused = "no" in heard.kinds and (heard.asked == "confirm" or "want" in heard.kinds)
    sorry = ("correction" in heard.kinds or refused) and not heard.kinds & {"hotel", "stay_type", "travel"}
    if fresh or not (corrected or sorry or "became" in heard.inner or _wants_change(heard)):
        return None
    if "destination" in slots or heard.destination.candidates:
        return Intent("change_destination", 0.9)
    for said, intent in ((STAY, "change_dates"), (BUDGET, "change_budget"), (GUESTS, "change_guests")):
        if said & slots.keys():
            return Intent(intent, 0.88)
    return _changed_subject(heard) if _wants_change(heard) else None


def _wants_change(heard: Heard) -> bool:
    other = (
        "more" in heard.cues and heard.slots and heard.slots.keys() <= STAY | {"destination"}
    )  # «غيرها ليوم عشرة»
    other = other and not heard.kinds & HOUSING
    return "change" in heard.cues or "swap" in heard.kinds or _replaces(heard.nodes) or bool(other)


def _replaces(nodes: Sequence[Node]) -> bool:
    """Whether «غير» is the verb: before a count it says «only» in the Maghreb."""
    following = next((after.kind for node, after in pairwise(nodes) if node.kind == "except"), None)
    return following is not None and following not in COUNTS


def _changed_subject(heard: Heard) -> Intent | None:
    """«أغيّر موعد السفر»: what is to change, when no new value is said with it."""
    if heard.cues & {"dates_noun", "my_trips"} or heard.kinds & {"check_in", "check_out", "day_word"}:
        return Intent("change_dates", 0.88)
    if "budget" in heard.kinds:
        return Intent("change_budget", 0.85)
    if heard.kinds & {"people_count", "children_count", "person", "adult"}:
        return Intent("change_guests", 0.85)
    return Intent("change_destination", 0.8) if "generic" in heard.kinds else None


def _put_off(heard: Heard) -> Intent | None:
    """«أكد الحجز بكرة مو الحين» changes no date."""
    confirming = heard.cues & {"book", "book_it", "go_ahead"} or "settle" in heard.kinds
    if (
        confirming
        and "no" in heard.kinds
        and heard.slots.keys() == {"check_in"}
        and "relative_day" in heard.inner
    ):
        heard.slots.clear()
        return Intent("deny", 0.8)
    return None


def _booking(heard: Heard) -> Intent | None:
    if heard.asked == "confirm" and heard.kinds & {"yes"} and "resume" in heard.cues and not heard.slots:
        return Intent("affirm", 0.85)
    if "settle" in heard.kinds and ("choices" in heard.slots or "offer" in heard.cues):
        return Intent("book", 0.85)
    if heard.asked == "confirm" and "settle" in heard.kinds and not heard.slots and "no" not in heard.kinds:
        return Intent("affirm", 0.85)
    if (
        heard.asked == "confirm"
        and heard.cues & {"book", "book_it", "go_ahead"}
        and not heard.slots
        and "no" not in heard.kinds
    ):
        return Intent("affirm", 0.9)
    if "go_ahead" in heard.cues and "yes" in heard.kinds and not heard.slots and "offer" not in heard.cues:
        return Intent("affirm", 0.9)
    if heard.cues & {"book_it", "go_ahead"}:
        return Intent("book", 0.92)
    if "book" not in heard.cues:
        return None
    pointed = "offer" in heard.cues or heard.slots.keys() & {"choices", "hotel_name"}
    if pointed:
        return Intent("book", 0.92)
    if "my_trips" in heard.cues:
        return Intent("my_trips", 0.85)
    if heard.kinds & {"hotel", "stay_type", "place", "area", "journey"} or "destination" in heard.slots:
        return Intent("search_hotels", 0.9)
    if heard.slots or heard.kinds & WISH:
        return Intent("search_hotels", 0.75)
    return Intent("book", 0.75) if heard.known_share > 0.5 else None


def _question(heard: Heard) -> Intent | None:
    if "my_trips" in heard.cues and not (heard.kinds & {"hotel", "stay_type"} and heard.slots):
        return Intent("my_trips", 0.92)
    stays = (
        heard.kinds & {"hotel", "stay_type"} and "destination" in heard.slots and "offer" not in heard.cues
    )
    priced = heard.slots or heard.cues & {"offer"} or heard.kinds & (WISH | {"budget"})
    measured = not priced and heard.unknown > 1  # «كم تبلغ سرعة الضوء؟»
    only_a_day = heard.slots.keys() == {"check_in"} and not heard.kinds & (WISH | {"budget"})
    measured = measured or bool(
        only_a_day and heard.unknown and not heard.cues & {"offer"}
    )  # «شحال البنان اليوم»
    if "dear" in heard.kinds and heard.slots.get("sort") == "price" and not stays:
        return Intent("sort", 0.85)
    if "ask_price" in heard.cues and not stays and not measured and "no_budget" not in heard.slots:
        return Intent("ask_price", 0.9)
    if "more" in heard.cues:
        return Intent("more", 0.88)
    for cue in ("language_en", "language_ar"):
        said = cue in heard.cues and not heard.kinds & (WISH | {"outside"})
        if said and len(heard.nodes) <= 8:
            heard.slots["language"] = cue[-2:]
            return Intent("language", 0.93)
    if "language" in heard.cues:
        return Intent("language", 0.9)
    sorting = "sort" in heard.slots and not heard.kinds & (WISH | {"place", "area"})
    if "sort" in heard.cues or sorting:
        return Intent("sort", 0.88)
    return None


def _search(heard: Heard) -> Intent | None:
    slots = heard.slots
    where = (
        "destination" in slots or heard.destination.candidates or heard.destination.unknown or "area" in slots
    )
    if heard.asked == "budget" and slots and slots.keys() <= SAID_BY_ANYBODY | {"budget_per"}:
        return None
    if heard.asked == "destination" and where and not heard.kinds & {"hotel", "stay_type", "want"}:
        return None
    if heard.kinds & WISH and (
        heard.kinds & {"hotel", "stay_type", "travel", "brand"} or slots or "want" in heard.kinds
    ):
        answers = (heard.asked or heard.kinds & {"yes", "no"}) and not heard.kinds & {
            "hotel",
            "stay_type",
            "travel",
            "want",
        }
        if answers:
            return Intent("inform", 0.85)
        if heard.kinds & {"hotel", "stay_type"} or where or slots:
            return Intent("search_hotels", 0.75 + 0.2 * heard.known_share)
    only_when = slots.keys() <= STAY
    wished = "want" in heard.kinds and slots and (not where or heard.kinds & WISH)
    if wished and not heard.asked and heard.known_share >= (0.7 if only_when else 0.5):
        return Intent("search_hotels", 0.7 + 0.2 * heard.known_share)
    detailed = slots.keys() & DETAILS
    # A place beside words we do not know is as likely a question about that place.
    plain = heard.known_share >= 0.25 if detailed else heard.unknown == 0
    short = heard.kinds & {"yes", "no"} and len(heard.nodes) <= 4
    if where and not heard.asked and not short and (plain or heard.kinds & WISH):
        return Intent("search_hotels", 0.65 + 0.25 * heard.known_share)
    return None


def _keyword(heard: Heard) -> Intent | None:
    if heard.slots:
        return None
    if heard.asked == "confirm" and "leave" in heard.cues and heard.nodes[0].kind == "no":
        return Intent("deny", 0.85)  # «لا خليها بعدين»
    for name in KEYWORDS:
        begun = any(node.kind == "cue" and node.value == name for node in heard.nodes[:1])
        if name in heard.cues and heard.known_share >= (0.7 if name == "back" and not begun else 0.5):
            return Intent(name, 0.92)
    if "help" in heard.cues and "thanks" not in heard.cues and heard.known_share >= 0.5:
        return Intent("help", 0.9)
    return None


def _answer(heard: Heard) -> Intent | None:
    saying = [node.kind for node in heard.nodes if node.kind in ("yes", "yes_or_not", "no", "maybe")]
    if heard.slots or heard.destination.candidates:
        return None
    leading = any(node.kind == saying[0] for node in heard.nodes[:2]) if saying else False
    if saying and (leading or len(heard.nodes) <= 3) and heard.known_share >= (0.34 if heard.asked else 0.6):
        if "thanks" in heard.cues and saying[0] == "yes" and heard.asked is None:
            return Intent("thanks", 0.8)
        name = {"yes": "affirm", "yes_or_not": "affirm", "no": "deny", "maybe": "unsure"}[saying[0]]
        return Intent(name, 0.92 if len(heard.nodes) <= 4 else 0.75)
    if heard.kinds & {"denied", "disliked"}:
        return Intent("deny", 0.85)
    if "nothing_more" in heard.kinds and "thanks" not in heard.cues:
        return Intent("affirm", 0.7)
    if "bot_error" in heard.cues:
        return Intent("deny", 0.8)
    return None


def _courtesy(heard: Heard) -> Intent | None:
    if heard.slots or heard.known_share < 0.4:
        return None
    for name in ("thanks", "greet"):
        if name in heard.cues:
            return Intent(name, 0.93)
    return None


def _values(heard: Heard) -> Intent | None:
    anybody_says = heard.slots.keys() <= SAID_BY_ANYBODY
    only_when = heard.slots.keys() <= STAY
    needed = 0.75 if only_when else 0.6 if anybody_says else 0.34
    if heard.slots and not heard.asked and heard.known_share < needed:
        return None
    if (
        not heard.asked
        and "destination" in heard.slots
        and not heard.slots.keys() - {"destination", "area", "sort"}
    ):
        return None
    if heard.slots or heard.destination.candidates or heard.destination.unknown:
        return Intent("inform", 0.65 + 0.25 * heard.known_share if heard.asked is None else 0.9)
    if "dont_care" in heard.kinds:
        return Intent("inform", 0.7)
    if heard.kinds & {"want", "hotel"} and heard.known_share > 0.7:
        return Intent("search_hotels", 0.6)
    return None


JUDGES = tuple(
    (judge.__name__.strip("_"), judge)
    for judge in (
        _command,
        _subject,
        _outside,
        _put_off,
        _change,
        _booking,
        _question,
        _search,
        _keyword,
        _answer,
        _courtesy,
        _values,
    )
)
"""The first of them that finds an intent decides."""
