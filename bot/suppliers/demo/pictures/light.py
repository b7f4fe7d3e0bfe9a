"""Times of day: what they do to the sky, the water and everything in between."""

from __future__ import annotations

from dataclasses import dataclass

from bot.suppliers.demo.pictures.canvas import Colour, hexed, mix


@dataclass(frozen=True, slots=True)
class Light:
    """sky: from the zenith to the horizon. sun: the disc and its glow. water: far and near.

    tint: the colour that lies over everything, by `veil` (0 to 1). lit: how many windows glow, in percent.
    """

    name: str
    sky: tuple[Colour, ...]
    sun: Colour
    water: tuple[Colour, ...]
    tint: Colour
    veil: float
    lit: int

    def on(self, colour: Colour, depth: float = 0) -> Colour:
        """The colour under this light; depth 1 is as far as the horizon, where everything turns to haze."""
        return mix(mix(colour, self.tint, self.veil), self.haze, depth)

    @property
    def haze(self) -> Colour:
        return self.sky[-1]

    @property
    def night(self) -> bool:
        return self.name == "night"


def _light(name: str, sky: str, sun: str, water: str, tint: str, veil: float, lit: int) -> Light:
    return Light(
        name,
        tuple(map(hexed, sky.split())),
        hexed(sun),
        tuple(map(hexed, water.split())),
        hexed(tint),
        veil,
        lit,
    )


LIGHTS = {
    light.name: light
    for light in (
        _light("dawn", "8fb7cf c7cfd6 f3cdbb fbe3c8", "fff3dc", "dcd3cf 93b9c0 4f93a0", "f0c3ad", 0.16, 15),
        _light("morning", "5aa9cf 93c8dc cfe5e4 f3eee0", "fffbea", "9ed3d3 3fa8b2 1c8796", "fff4de", 0.04, 0),
        _light("day", "3c97c9 74b9dc b5dbe6 e9f1ea", "fffdf2", "7fcfd2 25a3ae 0f7f8c", "ffffff", 0.0, 0),
        _light("golden", "6fa3b8 c9b7a2 f2c183 fbdd9f", "fff0c4", "eac698 8fa59a 3f7f86", "f6b872", 0.2, 20),
        _light("dusk", "33406f 77598a d0797f f6b28a", "ffd9a8", "d9978c 7d6788 3d4a72", "8a5a80", 0.36, 55),
        _light("night", "0d1730 1a2a4f 2c4069 51628a", "f4efd9", "41557e 243a63 14254a", "1b2a52", 0.56, 70),
    )
}
