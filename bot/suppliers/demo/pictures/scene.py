"""One picture: what it shows, at what time of day, and the bytes of its JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures.canvas import Canvas
from bot.suppliers.demo.pictures.indoors import MOTIFS
from bot.suppliers.demo.pictures.light import LIGHTS
from bot.suppliers.demo.pictures.views import VIEWS
from bot.suppliers.demo.places import Setting

WIDTH, HEIGHT = 960, 640
_FINER = 2
"""Painted so many times larger and reduced, which smooths every edge."""

_VIEWS: dict[Setting, tuple[str, ...]] = {
    "beach": ("bay", "bay", "shore_town"),
    "city": ("towers", "rooftops", "river"),
    "desert": ("dunes", "rocks"),
    "mountain": ("ridges", "terraces"),
    "holy": ("holy",),
}
_OF_A_THEME: dict[tuple[str, Setting], tuple[str, ...]] = {
    ("nile", "city"): ("river", "river", "towers"),
    ("gulf", "city"): ("towers",),
    ("red_sea", "beach"): ("bay",),
    ("mediterranean", "beach"): ("bay", "shore_town"),
    ("island", "beach"): ("lagoon", "lagoon", "bay"),
    ("levant", "city"): ("rooftops", "towers"),
    ("maghreb", "city"): ("rooftops",),
    ("turkey", "city"): ("rooftops", "river"),
    ("caucasus", "city"): ("rooftops",),
    ("balkan", "city"): ("rooftops",),
    ("europe", "city"): ("rooftops", "river"),
    ("iraq", "city"): ("river", "towers"),
}
"""What is seen in parts of the world that have a view of their own."""
_THIRD: dict[Setting, tuple[str, ...]] = {
    "beach": ("pool", "pool", "terrace"),
    "city": ("arcade", "terrace", "pool"),
    "desert": ("terrace", "pool", "arcade"),
    "mountain": ("terrace",),
    "holy": ("arcade",),
}
_HOURS = ("dawn", "morning", "day", "golden", "dusk", "night")


@dataclass(frozen=True, slots=True)
class Scene:
    """What decides a picture. `seed` is what its details are drawn from."""

    motif: str
    view: str
    light: str
    seed: tuple[str, int]


def scene(identifier: str, n: int, setting: Setting, theme: str = "") -> Scene:
    """The first picture is the place, the second a room, the third a pool, a terrace or a hall."""
    hotel = Draw("place", identifier)
    view = hotel.pick(_OF_A_THEME.get((theme, setting), _VIEWS[setting]))
    hours = hotel.shuffled(_HOURS)
    if hours[0] == "night":  # the first picture stands on cards: it shows what there is to see
        hours.reverse()
    motif = ("outside", "room", hotel.pick(_THIRD[setting]))[(n - 1) % 3]
    return Scene(motif, view, hours[(n - 1) % len(hours)], (identifier, n))


def image(wanted: Scene, width: int = WIDTH) -> Image.Image:
    """The scene, some pixels wide, in the proportions 3:2."""
    canvas = Canvas(width * _FINER, width * _FINER * HEIGHT // WIDTH)
    details = Draw("details", *wanted.seed)
    MOTIFS[wanted.motif](canvas, LIGHTS[wanted.light], details, VIEWS[wanted.view])
    return canvas.image.reduce(_FINER)


def paint(identifier: str, n: int, setting: Setting, theme: str = "") -> bytes:
    """Picture n (from 1) of a hotel as a JPEG; the same bytes for the same arguments and Pillow.

    theme: the part of the world, as cities.tsv names it.
    """
    out = BytesIO()
    image(scene(identifier, n, setting, theme)).save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
