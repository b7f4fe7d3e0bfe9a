"""What guests of the demo praise and miss, as far as a hotel's own facts allow it, and how they put it into words.

The codes are those of the survey (`app.highlight_codes`, `app.pain_point_codes`). A note is made of whole clauses from
`data/notes.tsv`: nominal sentences, so that each stands correctly after a comma, «و» or «لكن».
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.hotels import DemoHotel
from bot.suppliers.demo.places import rows

Kind = Literal["praise", "drawback"]


@dataclass(frozen=True, slots=True)
class Impression:
    """Something that can be said of a hotel that has one of `needs`, none of `lacks`, this setting and so many stars.

    against: what cannot be said of the same hotel as well.
    """

    kind: Kind
    code: str
    needs: frozenset[str]
    lacks: frozenset[str]
    settings: frozenset[str]
    min_stars: int
    max_stars: int
    weight: int
    against: str

    def fits(self, hotel: DemoHotel) -> bool:
        has = set(hotel.facts.amenities)
        return (
            (not self.needs or bool(self.needs & has))
            and not self.lacks & has
            and (not self.settings or hotel.setting in self.settings)
            and self.min_stars <= hotel.facts.stars <= self.max_stars
        )


@cache
def impressions() -> tuple[Impression, ...]:
    """All of them, in the order of the file."""
    kinds: dict[str, Kind] = {"praise": "praise", "drawback": "drawback"}
    return tuple(
        Impression(
            kinds[row["kind"]],
            row["code"],
            _names(row["needs"]),
            _names(row["lacks"]),
            _names(row["settings"]),
            int(row["min_stars"]),
            int(row["max_stars"]),
            int(row["weight"]),
            row["against"],
        )
        for row in rows("impressions")
    )


def character(hotel: DemoHotel, draw: Draw) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what it is praised for, what is missed): up to five and three codes, the most typical first, none against another."""
    drawbacks = _some(hotel, "drawback", 3, set(), draw)
    excluded = {each.against for each in impressions() if each.code in drawbacks} | {
        each.code for each in impressions() if each.against in drawbacks
    }
    return _some(hotel, "praise", 5, excluded, draw), drawbacks


def note(satisfaction: int, praised: Sequence[str], missed: Sequence[str], draw: Draw) -> str:
    """A guest's short note in Arabic, from the codes she marked. satisfaction: 1 to 10."""
    mood = (
        "delighted"
        if satisfaction >= 9
        else "pleased"
        if satisfaction >= 7
        else "fair"
        if satisfaction >= 5
        else "disappointed"
    )
    good = "، و".join(draw.pick(_phrases()["praise", code]) for code in praised[:2])
    bad = " و".join(draw.pick(_phrases()["drawback", code]) for code in missed[:2])
    opening = draw.pick(_phrases()["opening", mood])
    if bad and not good and satisfaction >= 7:
        return f"{opening}، لكن {bad}."
    return (
        ". ".join(part for part in (opening, "، لكن ".join(part for part in (good, bad) if part)) if part)
        + "."
    )


def _some(hotel: DemoHotel, kind: Kind, most: int, excluded: set[str], draw: Draw) -> tuple[str, ...]:
    left = [
        (each.code, each.weight)
        for each in impressions()
        if each.kind == kind and each.code not in excluded and each.fits(hotel)
    ]
    chosen: list[str] = []
    while left and len(chosen) < most:
        code = draw.weighted(left)
        chosen.append(code)
        left = [(other, weight) for other, weight in left if other != code]
    return tuple(chosen)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()


@cache
def _phrases() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows("notes"):
        key = (row["kind"], row["code"])
        found[key] = (*found.get(key, ()), row["text_ar"])
    return found
