"""Places by name: an extract of GeoNames and our own corrections, loaded when the first message needs them."""

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bot.understanding.normalize import fold

PLACES = Path(__file__).parent / "places"

WELL_KNOWN = 100_000
"""Inhabitants from which a town's name counts as a place without a word such as «in» before it."""

ARAB_COUNTRIES = frozenset(
    re.findall("..", "EGSAAEKWQABHOMYEJOLBSYIQPSLYTNDZMASDMRSODJKM"),
)


NEIGHBOURS = tuple(
    frozenset(re.findall("..", codes)) for codes in ("JOPSSYLBIQ", "SAAEKWQABHOMYE", "MADZTNLYMR")
)


class Place(NamedTuple):
    geonameid: int | None
    country: str
    kind: str  # city, country, region or island
    population: int
    name_en: str
    name_ar: str
    asked_for: int  # 0-9: how much travelers ask for it, from curated.tsv

    @property
    def known(self) -> bool:
        return self.asked_for > 0 or self.population >= WELL_KNOWN

    def as_json(self) -> dict[str, Any]:
        """The shape of the slot `destination`."""
        shape = {
            "name_en": self.name_en,
            "name_ar": self.name_ar,
            "country": self.country,
            "geonameid": self.geonameid,
        }
        return shape if self.kind == "city" else shape | {"kind": self.kind}


class Area(NamedTuple):
    """A district or landmark, and the city it is in where only one city has it."""

    name: str
    city: Place | None
    amenity: str | None  # what asking for it also asks of a hotel


@dataclass(frozen=True, slots=True)
class Gazetteer:
    names: dict[str, tuple[Place | Area, ...]]
    longest: dict[str, int]  # first word of a name -> most words of a name that starts with it
    countries: dict[str, str]  # ISO code -> Arabic name
    common: frozenset[str]


def _rows(name: str) -> list[list[str]]:
    lines = (PLACES / name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line and line[0] != "#"]


@cache
def _key(name: str) -> str:
    return " ".join([fold(word) for word in re.split(r"[\s\u200c-]+", name) if word])


@cache
def gazetteer() -> Gazetteer:
    names: dict[str, list[Place | Area]] = {}
    by_id: dict[str, Place] = {}
    curated = {row[0]: row for row in _rows("curated.tsv") if row[0] != "-"}

    def add(place: Place | Area, keys: set[str]) -> None:
        for key in keys:
            if len(key) > 1:
                names.setdefault(key, []).append(place)

    for geonameid, country, kind, population, name_en, name_ar, further in _rows("gazetteer.tsv"):
        keys = {_key(name_en), _key(name_ar), *further.split("|")}
        asked_for = 0
        if geonameid in curated:
            _, _, _, asked, name_en, name_ar, more = curated.pop(geonameid)
            asked_for = int(asked)
            if asked_for < 0:  # a place nobody asks for, whose name means something else in a chat
                continue
            keys |= {_key(name) for name in (name_en, name_ar, *more.split("|"))}
        place = Place(int(geonameid), country, kind, int(population), name_en, name_ar, asked_for)
        by_id[geonameid] = place
        add(place, keys)
    fresh = [row for row in _rows("curated.tsv") if row[0] == "-" or row[0] in curated]
    for geonameid, country, kind, asked, name_en, name_ar, further in fresh:
        number = None if geonameid == "-" else int(geonameid)
        place = Place(number, country, kind, 0, name_en, name_ar, int(asked))
        by_id[geonameid] = place
        add(place, {_key(name) for name in (name_en, name_ar, *further.split("|"))})
    for geonameid, amenity, name, further in _rows("landmarks.tsv"):
        area = Area(
            name, by_id.get(geonameid) if geonameid != "-" else None, amenity if amenity != "-" else None
        )
        add(area, {_key(alias) for alias in (name, *further.split("|"))})
    _key.cache_clear()

    longest: dict[str, int] = {}
    for key in names:
        first, _, rest = key.partition(" ")
        longest[first] = max(longest.get(first, 1), 1 + rest.count(" ") + bool(rest))
    words = " ".join(
        line for line in (PLACES / "common_words.txt").read_text("utf-8").splitlines() if line[0] != "#"
    )
    return Gazetteer(
        {key: tuple(found) for key, found in names.items()},
        longest,
        {place.country: place.name_ar for place in by_id.values() if place.kind == "country"},
        frozenset(map(_key, words.split())),
    )


def rank(place: Place, home: str) -> float:
    """How likely a traveler from `home` means this place: one point is ten times the inhabitants."""
    score = math.log10(max(place.population, 1_000)) + place.asked_for / 3
    if place.country == home:
        score += 2
    elif any(home in near and place.country in near for near in NEIGHBOURS):
        score += 0.8
    if place.country in ARAB_COUNTRIES:
        score += 0.7
    if place.kind == "country":
        score -= 0.5
    return score


@cache
def _one_letter_less() -> tuple[dict[str, tuple[str, ...]], dict[str, float]]:
    """Deletion index: every name travelers are likely to type, under each form that lacks one letter; and its rank."""
    index: dict[str, tuple[str, ...]] = {}
    ranks: dict[str, float] = {}
    for key, places in gazetteer().names.items():
        if len(key) < 4 or not any(
            isinstance(place, Place) and (place.asked_for or place.population > 300_000) for place in places
        ):
            continue
        ranks[key] = max(rank(place, "") for place in places if isinstance(place, Place))
        for form in {key, *(key[:i] + key[i + 1 :] for i in range(len(key)))}:
            index[form] = (*index.get(form, ()), key)
    return index, ranks


def nearest_name(key: str) -> str | None:
    """The name one edit away from `key` (a letter missing, extra, wrong, or two swapped): the most asked for, if several."""
    index, ranks = _one_letter_less()
    best, highest = None, -1.0
    for position in range(-1, len(key)):
        form = key if position < 0 else key[:position] + key[position + 1 :]
        for name in index.get(form, ()):
            if ranks[name] > highest and name[0] == key[0] and _one_edit(key, name):
                best, highest = name, ranks[name]
    return best


def _one_edit(a: str, b: str) -> bool:
    if len(a) > len(b):
        a, b = b, a
    i = 0
    while i < len(a) and a[i] == b[i]:
        i += 1
    if len(a) < len(b):
        return a[i:] == b[i + 1 :]
    return a[i + 1 :] == b[i + 1 :] or (a[i : i + 2] == b[i : i + 2][::-1] and a[i + 2 :] == b[i + 2 :])


def city_named(name: str, country: str | None = None) -> Place | None:
    """The one city of this name or GeoNames id; None when it is unknown or, without a country, not certain."""
    if name.strip().isdecimal():
        wanted = int(name)
        every = (place for places in gazetteer().names.values() for place in places)
        return next((p for p in every if isinstance(p, Place) and p.geonameid == wanted), None)
    found = {
        place.geonameid: place
        for place in gazetteer().names.get(_key(name), ())
        if isinstance(place, Place)
        and place.kind == "city"
        and place.geonameid is not None
        and country in (None, place.country)
    }
    return next(iter(found.values())) if len(found) == 1 else None
