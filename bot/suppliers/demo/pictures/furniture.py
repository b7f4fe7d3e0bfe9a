"""What stands in rooms and on terraces."""

from __future__ import annotations

from math import cos, pi, sin

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures.buildings import ACCENT, LAMP
from bot.suppliers.demo.pictures.canvas import Canvas, Colour, Point, hexed, mix
from bot.suppliers.demo.pictures.light import Light

WALLS = tuple(map(hexed, ("efe4d2", "e6dccb", "dfe3d8", "ead5c3", "d9dfe0", "e9d9b8")))
WOODS = tuple(map(hexed, ("a97c55", "8a6244", "c29a6f", "6f4f3b")))
THROWS = (ACCENT, ACCENT, *map(hexed, ("c77b4f", "d7a24f", "8b5d6b", "5b7f95")))
LINEN, PLANT, STONE = hexed("fbf7ef"), hexed("4c7a5c"), hexed("d8cdbb")


def indoor(light: Light, colour: Colour) -> Colour:
    """A colour in a lit room: the evening makes it warmer and a little darker, not blue."""
    warm = {"night": 0.3, "dusk": 0.24, "golden": 0.14, "dawn": 0.1}.get(light.name, 0.0)
    return mix(colour, hexed("b9814e"), warm)


def bed(
    canvas: Canvas, light: Light, draw: Draw, span: tuple[float, float], floor: float, wood: Colour
) -> None:
    start, end = span
    linen, throw = indoor(light, LINEN), indoor(light, draw.pick(THROWS))
    board = mix(wood, throw, 0.75) if draw.chance(45) else mix(wood, hexed("3a2c24"), 0.1)
    canvas.disc(
        (start + end) / 2, floor + 0.09, (end - start) / 2 + 0.02, mix(wood, hexed("2e221c"), 0.25), flat=0.06
    )
    for x in (start + 0.05, end - 0.06):
        canvas.rect(x, floor + 0.02, x + 0.018, floor + 0.085, mix(wood, hexed("2e221c"), 0.3))
    canvas.rect(end - 0.03, floor - 0.36, end + 0.03, floor + 0.07, board, 0.02)
    canvas.rect(start, floor - 0.02, end, floor + 0.05, mix(wood, hexed("2e221c"), 0.1), 0.01)
    canvas.rect(
        start + 0.005, floor - 0.11, end - 0.01, floor + 0.005, mix(linen, hexed("cbbfae"), 0.25), 0.02
    )
    canvas.rect(start - 0.01, floor - 0.14, end - 0.28, floor - 0.005, linen, 0.03)
    canvas.rect(end - 0.33, floor - 0.15, end - 0.24, floor - 0.05, mix(linen, hexed("cbbfae"), 0.18), 0.025)
    canvas.rect(start + 0.06, floor - 0.147, start + 0.27, floor + 0.005, throw, 0.012)
    for stripe in range(4):
        x = start + 0.085 + stripe * 0.05
        canvas.rect(x, floor - 0.145, x + 0.006, floor + 0.003, mix(throw, linen, 0.35))
    for number, colour in ((0, mix(linen, hexed("cbbfae"), 0.12)), (1, linen), (2, mix(throw, linen, 0.15))):
        x, tall = end - 0.035 - 0.062 * number, 0.13 - 0.022 * number
        points = [
            (x - 0.075, floor - 0.12),
            (x - 0.06, floor - 0.12 - tall * 0.9),
            (x - 0.02, floor - 0.125 - tall),
            (x, floor - 0.12 - tall * 0.7),
            (x, floor - 0.115),
        ]
        canvas.shape(points, colour)


def lamp(canvas: Canvas, light: Light, draw: Draw, x: float, top: float, wood: Colour) -> None:
    """A small table by the bed and its lamp."""
    lit = light.lit >= 15
    canvas.rect(x - 0.055, top + 0.11, x + 0.07, top + 0.125, mix(wood, hexed("2e221c"), 0.15))
    canvas.rect(x - 0.045, top + 0.125, x + 0.06, top + 0.24, mix(wood, hexed("2e221c"), 0.05))
    canvas.rect(x - 0.035, top + 0.17, x + 0.05, top + 0.176, mix(wood, hexed("2e221c"), 0.3))
    if lit:
        canvas.glow(x, top, 0.28, LAMP, 0.85)
    canvas.disc(x, top + 0.085, 0.024, mix(ACCENT, LINEN, draw.between(0.1, 0.6)), flat=1.1)
    canvas.rect(x - 0.004, top + 0.02, x + 0.004, top + 0.08, wood)
    shade = mix(hexed("f2e6cf"), LAMP, 0.7 if lit else 0.1)
    canvas.shape(
        [(x - 0.03, top - 0.06), (x + 0.03, top - 0.06), (x + 0.055, top + 0.03), (x - 0.055, top + 0.03)],
        shade,
    )


def rug(canvas: Canvas, light: Light, draw: Draw, x: float, y: float) -> None:
    colour = indoor(
        light,
        draw.pick((hexed("d9c4a1"), hexed("c9b4a0"), mix(ACCENT, hexed("ffffff"), 0.6), hexed("d7a98a"))),
    )
    half = draw.between(0.4, 0.5)
    for share, fill in (
        (1.0, colour),
        (0.86, mix(colour, LINEN, 0.55)),
        (0.8, mix(colour, hexed("7b5a45"), 0.08)),
    ):
        canvas.disc(x, y, half * share, fill, flat=0.12)


def plant(canvas: Canvas, light: Light, draw: Draw, x: float, foot: float) -> None:
    """Broad leaves in a pot."""
    leaf = indoor(light, PLANT)
    top = foot - 0.1
    for number in range(draw.whole(8, 11)):
        angle = pi * draw.between(0.12, 0.88)
        length = draw.between(0.14, 0.27)
        tip = (x + cos(angle) * length * 0.62, top - sin(angle) * length)
        side: Point = (sin(angle) * 0.028, cos(angle) * 0.028)
        belly = (x + (tip[0] - x) * 0.55, top + (tip[1] - top) * 0.55)
        canvas.shape(
            [
                (x, top),
                (belly[0] - side[0], belly[1] - side[1]),
                tip,
                (belly[0] + side[0], belly[1] + side[1]),
            ],
            mix(leaf, light.sun, 0.12 * (number % 3)),
        )
    pot = indoor(light, draw.pick((hexed("c98a63"), hexed("efe6d6"), mix(ACCENT, hexed("ffffff"), 0.25))))
    canvas.shape(
        [(x - 0.055, top - 0.012), (x + 0.055, top - 0.012), (x + 0.04, foot), (x - 0.04, foot)], pot
    )
    canvas.rect(x - 0.06, top - 0.022, x + 0.06, top - 0.004, mix(pot, (255, 255, 255), 0.2))


def chair(canvas: Canvas, light: Light, draw: Draw, x: float, foot: float) -> None:
    """An armchair."""
    cloth = indoor(light, draw.pick((*THROWS, hexed("e8dcc8"))))
    dark = mix(cloth, hexed("2e221c"), 0.22)
    for leg in (-0.1, 0.09):
        canvas.line([(x + leg, foot - 0.05), (x + leg * 1.12, foot + 0.02)], hexed("6f4f3b"), 0.01)
    canvas.rect(x - 0.11, foot - 0.29, x + 0.11, foot - 0.05, dark, 0.05)
    canvas.rect(x - 0.1, foot - 0.13, x + 0.1, foot - 0.04, mix(cloth, LINEN, 0.15), 0.025)
    for arm in (-0.135, 0.085):
        canvas.rect(x + arm, foot - 0.18, x + arm + 0.05, foot - 0.035, cloth, 0.025)


def print_(canvas: Canvas, light: Light, draw: Draw, x: float, y: float, wood: Colour) -> None:
    """An abstract print over the bed."""
    half = draw.between(0.075, 0.1)
    paper = indoor(light, hexed("f8f1e3"))
    canvas.rect(x - half, y - half * 1.2, x + half, y + half * 1.2, mix(wood, hexed("2e221c"), 0.2))
    canvas.rect(x - half + 0.01, y - half * 1.2 + 0.01, x + half - 0.01, y + half * 1.2 - 0.01, paper)
    one, two = (indoor(light, colour) for colour in draw.shuffled(THROWS)[:2])
    canvas.disc(x + draw.between(-0.02, 0.02), y - half * 0.35, half * draw.between(0.3, 0.42), one)
    wave = [
        (
            x - half * 0.85 + half * 1.7 * step / 12,
            y + half * (0.4 + 0.15 * sin(step / 12 * pi * 2 + draw.between(0, 1))),
        )
        for step in range(13)
    ]
    canvas.shape([*wave, (x + half * 0.85, y + half * 1.05), (x - half * 0.85, y + half * 1.05)], two)


def lounger(canvas: Canvas, light: Light, x: float, foot: float, size: float, cloth: Colour) -> None:
    wood = light.on(hexed("8a6244"))
    canvas.disc(x, foot + 0.006, size * 0.9, light.on(hexed("a89a86")), flat=0.08)
    for leg in (-0.7, 0.3):
        canvas.rect(x + leg * size, foot - 0.02, x + leg * size + 0.008, foot + 0.006, wood)
    canvas.shape(
        [
            (x - size * 0.9, foot - 0.028),
            (x + size * 0.35, foot - 0.028),
            (x + size * 0.8, foot - 0.085),
            (x + size * 0.86, foot - 0.075),
            (x + size * 0.4, foot - 0.012),
            (x - size * 0.9, foot - 0.012),
        ],
        cloth,
    )
    canvas.shape(
        [
            (x - size * 0.9, foot - 0.016),
            (x + size * 0.4, foot - 0.016),
            (x + size * 0.4, foot - 0.01),
            (x - size * 0.9, foot - 0.01),
        ],
        wood,
    )


def umbrella(
    canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, tall: float, cloth: Colour
) -> None:
    canvas.line([(x, foot), (x, foot - tall)], light.on(hexed("8a6244")), 0.006)
    half = tall * 0.62
    top = foot - tall * 1.08
    rim = foot - tall * 0.82
    canvas.shape([(x - half, rim), (x, top), (x + half, rim)], cloth)
    canvas.shape(
        [(x + half * 0.2, rim), (x, top), (x + half, rim)], mix(cloth, light.on(hexed("4a4450")), 0.2)
    )
    canvas.rect(
        x - half,
        rim,
        x + half,
        rim + 0.008,
        mix(cloth, light.on(hexed("4a4450")), 0.12 + draw.between(0, 0.1)),
    )


def lanterns(canvas: Canvas, light: Light, draw: Draw) -> None:
    """A cord of small lamps across the top."""
    count = draw.whole(9, 13)
    sag = draw.between(0.06, 0.11)
    dark = light.on(hexed("4d4044"))
    cord = [(canvas.wide * step / 30, 0.06 + sag * sin(pi * step / 30)) for step in range(31)]
    canvas.line(cord, dark, 0.003)
    for number in range(count):
        t = (number + 0.5) / count
        x, y = canvas.wide * t, 0.06 + sag * sin(pi * t)
        if light.lit >= 15:
            canvas.glow(x, y + 0.022, 0.08, LAMP, 0.8)
        canvas.disc(
            x, y + 0.022, 0.013, mix(light.on(hexed("f4ead6")), LAMP, 0.9 if light.lit >= 15 else 0.2)
        )


def table(canvas: Canvas, light: Light, draw: Draw, x: float, foot: float) -> None:
    wood, cloth = light.on(draw.pick(WOODS)), light.on(draw.pick(THROWS))
    for turn in (-1, 1):
        seat = x + turn * 0.25
        for leg in (-0.06, 0.06):
            canvas.line([(seat + leg, foot - 0.14), (seat + leg * 1.1, foot + 0.01)], wood, 0.009)
        canvas.rect(seat - 0.075, foot - 0.165, seat + 0.075, foot - 0.13, cloth, 0.012)
        back = seat + turn * 0.062
        canvas.rect(back - 0.014, foot - 0.33, back + 0.014, foot - 0.14, wood, 0.01)
        canvas.rect(
            back - 0.014 - turn * 0.012,
            foot - 0.31,
            back + 0.014 - turn * 0.012,
            foot - 0.19,
            mix(cloth, light.sun, 0.12),
            0.01,
        )
    canvas.disc(x, foot, 0.09, mix(wood, hexed("2e221c"), 0.2), flat=0.16)
    canvas.rect(x - 0.01, foot - 0.2, x + 0.01, foot, wood)
    canvas.disc(x, foot - 0.205, 0.145, mix(wood, light.sun, 0.18), flat=0.14)
    canvas.disc(x, foot - 0.212, 0.137, light.on(LINEN), flat=0.13)
    brass = light.on(hexed("c79a4b"))  # a coffee pot and two cups
    canvas.shape(
        [
            (x - 0.028, foot - 0.215),
            (x - 0.016, foot - 0.275),
            (x + 0.016, foot - 0.275),
            (x + 0.028, foot - 0.215),
        ],
        brass,
    )
    canvas.shape([(x + 0.014, foot - 0.265), (x + 0.055, foot - 0.278), (x + 0.022, foot - 0.24)], brass)
    canvas.shape(
        [(x - 0.012, foot - 0.275), (x, foot - 0.305), (x + 0.012, foot - 0.275)],
        mix(brass, (255, 255, 255), 0.2),
    )
    for cup in (-0.08, 0.085):
        canvas.rect(
            x + cup - 0.012,
            foot - 0.228,
            x + cup + 0.012,
            foot - 0.206,
            light.on(mix(ACCENT, LINEN, 0.3)),
            0.005,
        )


def pendant(canvas: Canvas, light: Light, x: float, y: float) -> None:
    brass = indoor(light, hexed("b58a45"))
    canvas.line([(x, 0), (x, y)], brass, 0.003)
    if light.lit >= 15:
        canvas.glow(x, y + 0.04, 0.2, LAMP, 0.8)
    glass = mix(hexed("f3e7cf"), LAMP, 0.8 if light.lit >= 15 else 0.2)
    canvas.shape(
        [
            (x - 0.012, y),
            (x + 0.012, y),
            (x + 0.036, y + 0.04),
            (x + 0.018, y + 0.085),
            (x - 0.018, y + 0.085),
            (x - 0.036, y + 0.04),
        ],
        glass,
    )
    canvas.line([(x - 0.036, y + 0.04), (x + 0.036, y + 0.04)], brass, 0.005)
    canvas.shape([(x - 0.012, y), (x, y - 0.02), (x + 0.012, y)], brass)


def sofa(canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, half: float) -> None:
    """A low sofa with cushions."""
    base = indoor(light, draw.pick((hexed("e8dcc8"), hexed("d9c9b0"), hexed("c9b9a4"))))
    canvas.disc(x, foot, half * 1.06, mix(base, hexed("5b4636"), 0.5), flat=0.05)
    canvas.rect(x - half, foot - 0.2, x + half, foot - 0.04, mix(base, hexed("7a6350"), 0.16), 0.03)
    canvas.rect(x - half, foot - 0.1, x + half, foot - 0.015, base, 0.02)
    canvas.rect(
        x - half - 0.03, foot - 0.15, x - half + 0.05, foot - 0.01, mix(base, (255, 255, 255), 0.12), 0.03
    )
    canvas.rect(
        x + half - 0.05, foot - 0.15, x + half + 0.03, foot - 0.01, mix(base, (255, 255, 255), 0.12), 0.03
    )
    for number, colour in enumerate(draw.shuffled(THROWS)[:4]):
        place = x + (number - 1.5) * half * 0.42
        canvas.rect(
            place - 0.05,
            foot - 0.185,
            place + 0.05,
            foot - 0.085,
            indoor(light, mix(colour, base, 0.15)),
            0.018,
        )
