"""What is seen from the hotel, by name."""

from __future__ import annotations

from collections.abc import Callable

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures import shores, towns, wilds
from bot.suppliers.demo.pictures.canvas import Canvas
from bot.suppliers.demo.pictures.light import Light

View = Callable[[Canvas, Light, Draw], None]

VIEWS: dict[str, View] = {
    "bay": shores.bay,
    "lagoon": shores.lagoon,
    "shore_town": shores.shore_town,
    "river": towns.river,
    "towers": towns.towers,
    "rooftops": towns.rooftops,
    "holy": towns.holy,
    "dunes": wilds.dunes,
    "rocks": wilds.rocks,
    "ridges": wilds.ridges,
    "terraces": wilds.terraces,
}
