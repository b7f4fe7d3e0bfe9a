"""Comparing what was understood with what a labeller heard, and counting."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.understanding import Understanding
from bot.understanding.gazetteer import Area, Place, gazetteer
from bot.understanding.normalize import fold
from tests.evaluation.corpus import Row

BINS = 10
"""Bins of the calibration error: the usual ten of equal width."""

DATE_SLOTS = ("check_in", "check_out", "month")
NUMBER_SLOTS = ("nights", "guests", "adults", "children", "child_ages", "rooms", "stars", "rating_min",
                "budget_min", "budget_max", "budget_delta", "currency", "budget_per")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    row: Row
    said: Understanding

    @property
    def wrong(self) -> list[str]:
        """Slots that are missing, too many, or of another value."""
        labelled, found = self.row.slots, self.said.slots
        return sorted(
            name
            for name in labelled.keys() | found.keys()
            if comparable(name, labelled.get(name)) != comparable(name, found.get(name))
        )

    @property
    def intent_right(self) -> bool:
        return self.said.intent == self.row.intent

    @property
    def right(self) -> bool:
        return self.intent_right and not self.wrong


def comparable(name: str, value: Any) -> Any:
    """A slot's value such that two spellings of one meaning are equal."""
    if value is None:
        return frozenset() if name == "amenities" else None
    match name:
        case "destination":
            return _one_place(value["name_en"], value["country"])
        case "amenities":
            return frozenset(SAME_WISH.get(wish, wish) for wish in value) & LABELLED_WISHES
        case "area":
            return _one_area(value)
        case "hotel_name" | "guest_name":
            return _key(value)
        case _:
            return value


SAME_WISH = {"family": "family_friendly"}
"""Two names of one wish: the labellers' and the product's."""


LABELLED_WISHES = {
    "pool", "private_pool", "kids_pool", "wifi", "parking", "breakfast", "beach", "near_beach", "gym",
    "spa", "kitchen", "airport_transfer", "family_friendly", "quiet", "prayer_room", "halal",
    "near_haram", "sea_view", "city_view", "nile_view", "kaaba_view", "haram_view", "balcony",
    "air_conditioning", "elevator", "accessible", "non_smoking", "pets", "restaurant", "room_service",
    "washing_machine",
}  # fmt: skip
"""The wishes labellers could name; what else is heard (all_inclusive, near_airport) is neither right nor wrong."""


def _key(text: str) -> str:
    return " ".join(fold(word) for word in re.split(r"[\s-]+", text) if word)


def _one_place(name: str, country: str) -> object:
    """GeoNames' id where the name is in the gazetteer, so that «Al-Ula» and «AlUla» are one place."""
    known = [
        place
        for place in gazetteer().names.get(_key(name), ())
        if isinstance(place, Place) and place.country == country
    ]
    best = max(
        known, key=lambda place: (place.kind == "city", place.asked_for, place.population), default=None
    )
    plain = re.sub("[^a-z]", "", fold(best.name_en if best else name))
    return country, plain.removesuffix("city")


def _one_area(name: str) -> str:
    areas = [place for place in gazetteer().names.get(_key(name), ()) if isinstance(place, Area)]
    return areas[0].name if areas else _key(name)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 1.0

    def __str__(self) -> str:
        return f"{self.value:6.1%} ({self.part}/{self.whole})" if self.whole else "     - "


def share(truths: Iterable[bool]) -> Share:
    said = list(truths)
    return Share(sum(said), len(said))


def slot_figures(judged: Sequence[Judged]) -> dict[str, tuple[Share, Share]]:
    """Precision and recall of every slot that was labelled or found."""
    right: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for one in judged:
        labelled.update(one.row.slots.keys())
        found.update(one.said.slots.keys())
        wrong = set(one.wrong)
        right.update(name for name in one.row.slots if name not in wrong)
    return {
        name: (Share(right[name], found[name]), Share(right[name], labelled[name]))
        for name in sorted(labelled | found, key=lambda name: -labelled[name])
    }


def all_right(judged: Sequence[Judged], names: Sequence[str]) -> Share:
    """Of the sentences that say one of these slots, those in which all of them are right."""
    about = [one for one in judged if one.row.slots.keys() & set(names)]
    return share(not set(one.wrong) & set(names) for one in about)


def by_group(judged: Iterable[Judged]) -> dict[str, list[Judged]]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.row.group].append(one)
    return dict(sorted(groups.items()))


def calibration(predicted: Sequence[tuple[float, bool]]) -> tuple[float, list[tuple[Share, float]]]:
    """The expected calibration error of (confidence, right), and per bin: the share right and the mean confidence."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in predicted:
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
    table = [
        (
            share(right for _, right in bins[index]),
            sum(confidence for confidence, _ in bins[index]) / len(bins[index]),
        )
        for index in sorted(bins)
    ]
    error = sum(right.whole * abs(right.value - said) for right, said in table) / max(len(predicted), 1)
    return error, table


def confidences(judged: Iterable[Judged]) -> list[tuple[float, bool]]:
    return [(one.said.confidence, one.right) for one in judged]
