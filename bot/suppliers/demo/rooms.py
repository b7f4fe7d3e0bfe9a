"""The rooms of a demo hotel: which kinds stand beside each other, whom they sleep, what they cost against each other."""

from __future__ import annotations

from dataclasses import dataclass

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.places import City, Setting
from db.hotels import RoomTypeFacts


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of room. `percent`: its price against the plain double's."""

    code: str
    name_ar: str
    name_en: str
    kind: str
    adults: int
    children: int
    beds: str
    percent: int


_DOUBLE = Kind("double", "غرفة مزدوجة قياسية", "Standard double room", "double", 2, 1, "1 queen", 100)
_TWIN = Kind("twin", "غرفة بسريرين منفصلين", "Twin room", "twin", 2, 1, "2 single", 102)
_DELUXE = Kind("deluxe", "غرفة ديلوكس", "Deluxe room", "deluxe", 2, 1, "1 king", 128)
_TRIPLE = Kind("triple", "غرفة ثلاثية", "Triple room", "triple", 3, 1, "3 single", 128)
_QUAD = Kind("quadruple", "غرفة رباعية", "Quadruple room", "quadruple", 4, 1, "4 single", 150)
_FAMILY = Kind("family", "غرفة عائلية", "Family room", "family", 3, 2, "1 king, 2 single", 155)
_JUNIOR = Kind("junior-suite", "جناح جونيور", "Junior suite", "junior_suite", 2, 2, "1 king, 1 sofa bed", 175)
_SUITE = Kind(
    "suite", "جناح بغرفة معيشة", "Suite with a sitting room", "suite", 3, 2, "1 king, 1 sofa bed", 215
)
_STUDIO = Kind("studio", "استوديو", "Studio", "studio", 2, 1, "1 queen", 105)
_ONE_BEDROOM = Kind(
    "one-bedroom", "شقة بغرفة نوم", "One-bedroom apartment", "apartment", 3, 2, "1 king, 1 sofa bed", 140
)
_TWO_BEDROOM = Kind(
    "two-bedroom",
    "شقة بغرفتي نوم",
    "Two-bedroom apartment",
    "apartment",
    4,
    3,
    "1 king, 2 single, 1 sofa bed",
    200,
)
_BUNGALOW = Kind("bungalow", "بنغالو", "Bungalow", "bungalow", 2, 2, "1 king", 140)
_VILLA = Kind("pool-villa", "فيلا بمسبح خاص", "Villa with a private pool", "villa", 4, 2, "2 king", 260)
_TENT = Kind("tent", "خيمة مكيّفة", "Air-conditioned tent", "tent", 2, 1, "1 queen", 100)
_FAMILY_TENT = Kind("family-tent", "خيمة عائلية", "Family tent", "tent", 4, 2, "1 king, 2 single", 160)
_CHALET = Kind("chalet", "شاليه جبلي", "Mountain chalet", "chalet", 4, 2, "1 king, 2 single", 175)

_OF_A_KIND: dict[str, tuple[Kind, ...]] = {
    "apartments": (_STUDIO, _ONE_BEDROOM, _TWO_BEDROOM),
    "camp": (_TENT, _FAMILY_TENT, _SUITE),
    "riad": (_DOUBLE, _DELUXE, _SUITE, _FAMILY),
    "lodge": (_DOUBLE, _TWIN, _FAMILY, _CHALET),
}
_OF_A_SETTING: dict[Setting, tuple[Kind, ...]] = {
    "beach": (_DOUBLE, _DELUXE, _FAMILY, _BUNGALOW, _JUNIOR),
    "city": (_DOUBLE, _TWIN, _DELUXE, _FAMILY, _SUITE),
    "desert": (_DOUBLE, _DELUXE, _FAMILY, _JUNIOR),
    "mountain": (_DOUBLE, _TWIN, _FAMILY, _CHALET),
    "holy": (_DOUBLE, _TRIPLE, _QUAD, _FAMILY, _SUITE),
}


def kinds(kind: str, setting: Setting, stars: int, draw: Draw) -> list[Kind]:
    """Two to four kinds of room, the cheapest first; five stars by the sea or in the dunes may have villas."""
    offered = _OF_A_KIND.get(kind) or _OF_A_SETTING[setting]
    if stars <= 2:
        offered = tuple(each for each in offered if each.percent <= 160)
    chosen = [offered[0], *draw.shuffled(offered[1:])[: draw.whole(1, 3)]]
    if stars == 5 and kind == "resort" and setting in {"beach", "desert"} and draw.chance(60):
        chosen = [*chosen[:3], _VILLA]
    return sorted(chosen, key=lambda each: each.percent)


def view(city: City, setting: Setting, area_en: str, draw: Draw) -> str:
    """What the better rooms look at, in the words of the amenities; empty when nothing worth naming."""
    if setting == "beach":
        return "sea_view" if draw.chance(75) else ""
    if setting == "holy":
        near = area_en in {"Ajyad", "Northern Central Area", "Southern Central Area"}
        return "haram_view" if near and draw.chance(60) else ""
    if city.theme == "nile" and setting == "city":
        return "nile_view" if area_en in {"Zamalek", "Garden City", "Corniche", "Elephantine Island"} else ""
    return "city_view" if setting == "city" and draw.chance(40) else ""


def facts(kind: Kind, *, board: str, seen: str, stars: int, draw: Draw) -> RoomTypeFacts:
    """The room type as the catalogue keeps it. The plain kinds look at nothing in particular."""
    rooms = (
        draw.whole(6, 24)
        if kind.percent < 130
        else draw.whole(2, 8)
        if kind.percent < 200
        else draw.whole(1, 3)
    )
    return RoomTypeFacts(
        code=kind.code,
        name_ar=kind.name_ar,
        name_en=kind.name_en,
        kind=kind.kind,
        capacity=kind.adults + kind.children,
        max_adults=kind.adults,
        max_children=kind.children,
        beds=kind.beds,
        board=board,
        view=seen if kind.percent >= 120 else "",
        allotment=rooms if stars >= 3 else max(2, rooms // 2),
    )
