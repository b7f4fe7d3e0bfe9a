"""Names of hotels that do not exist: two words of the place's world, natural in Arabic and in English, never given twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from unicodedata import normalize

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.places import City, Setting, rows

_SAID_EL = {"EG", "MA", "DZ", "TN", "LY"}
_TRANSLATED = {"turkey", "caucasus", "balkan", "tropics", "island", "europe"}
"""Themes whose names are English words («Tulip Garden») with an Arabic translation, instead of the other way round."""

KINDS = {
    "hotel": ("فندق {}", "{} Hotel"),
    "resort": ("منتجع {}", "{} Resort"),
    "apartments": ("شقق {} الفندقية", "{} Hotel Apartments"),
    "camp": ("مخيم {}", "{} Desert Camp"),
    "lodge": ("نُزل {}", "{} Lodge"),
    "riad": ("رياض {}", "Riad {}"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name without its kind: «شرفة النيل», «Sharfat El Nil»."""

    ar: str
    en: str


def theme_of(city: City, setting: Setting) -> str:
    """The words to name by: an area in the dunes or the hills of an Arab city has the words of its setting."""
    if city.theme in _TRANSLATED or setting not in {"desert", "mountain"}:
        return city.theme
    return setting


@cache
def _pairs(theme: str) -> tuple[tuple[tuple[str, str], tuple[str, str]], ...]:
    words = [row for row in rows("names") if row["theme"] == theme]
    first = [(row["name_ar"], row["name_en"]) for row in words if row["part"] == "first"]
    second = [(row["name_ar"], row["name_en"]) for row in words if row["part"] == "second"]
    return tuple((one, two) for one in first for two in second if one[1] not in two[1])


class Namer:
    """Gives names city by city; within a city no word comes back while others are left."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def name(self, city: City, setting: Setting, said: set[str], draw: Draw) -> Name:
        """A name nobody has. `said` are the words the city has used, and grows."""
        theme = theme_of(city, setting)
        pairs = draw.shuffled(_pairs(theme))
        fresh = [pair for pair in pairs if pair[0][1] not in said and pair[1][1] not in said]
        for one, two in fresh + pairs:
            name = self._join(one, two, theme, city)
            if self._given.isdisjoint((slug(name.en), name.ar)):
                self._given.update((slug(name.en), name.ar))
                said.update((one[1], two[1]))
                return name
        raise AssertionError(f"names.tsv has too few words for {theme}")

    @staticmethod
    def _join(one: tuple[str, str], two: tuple[str, str], theme: str, city: City) -> Name:
        if theme in _TRANSLATED:
            return Name(f"{one[0]} {two[0]}", f"{two[1]} {one[1]}")
        second = re.sub(r"^Al ", "El ", two[1]) if city.country in _SAID_EL else two[1]
        return Name(f"{one[0]} {two[0]}", f"{one[1]} {second}")


def slug(name: str) -> str:
    """The name in lower-case ASCII letters, digits and hyphens."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
