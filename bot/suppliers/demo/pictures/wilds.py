"""In the open: dunes, sandstone, ridges, terraced slopes."""

from __future__ import annotations

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures import buildings, nature
from bot.suppliers.demo.pictures.canvas import Canvas, Colour, hexed, mix
from bot.suppliers.demo.pictures.light import Light

_DUNES = tuple(map(hexed, ("e0a469", "d99659", "e6b681")))
_ROCK = tuple(map(hexed, ("b5704f", "c08560", "a8674d")))


def dunes(canvas: Canvas, light: Light, draw: Draw) -> None:
    """Sand in long waves, with a camp or a caravan's path of palms."""
    horizon = draw.between(0.46, 0.54)
    sun = nature.sun_over(canvas, draw, light, horizon)
    nature.sky(canvas, light, draw, down_to=horizon + 0.08, sun=sun)
    sand = draw.pick(_DUNES)
    far = nature.ridge(canvas, draw, horizon + 0.06, 0.09)
    canvas.shape(nature.under(far, 1), light.on(sand, 0.62))
    camp_at = draw.below(3)
    for number, (base, high, depth) in enumerate(((0.68, 0.17, 0.4), (0.84, 0.22, 0.2), (1.08, 0.3, 0.04))):
        floor = nature.ridge(canvas, draw, base, 0.06)
        canvas.shade(
            nature.under(floor, 1.06), (light.on(mix(sand, light.sun, 0.12), depth), light.on(sand, depth))
        )
        nature.dune(canvas, light, draw, base, high * draw.between(0.85, 1.15), depth, sand)
        if number == camp_at and number < 2:
            middle = draw.between(0.3, 0.7) * canvas.wide
            size = 0.085 + 0.03 * number
            for each in range(draw.whole(2, 4)):
                buildings.tent(
                    canvas,
                    light,
                    draw,
                    middle + (each - 1) * size * 2.3,
                    base + 0.03 + draw.between(0, 0.03),
                    size,
                    depth * 0.4,
                )
    if draw.chance(60):
        _camels(canvas, light, draw, draw.between(0.25, 0.7) * canvas.wide, draw.between(0.8, 0.86))


def _camels(canvas: Canvas, light: Light, draw: Draw, x: float, foot: float) -> None:
    dark = light.on(hexed("5d3c2f"))
    for number in range(draw.whole(2, 4)):
        s = 0.05
        left = x + number * s * 1.9
        canvas.disc(left, foot - s * 0.62, s * 0.42, dark, flat=0.55)
        canvas.disc(left - s * 0.02, foot - s * 0.84, s * 0.17, dark)
        for leg in (-0.3, -0.18, 0.2, 0.32):
            canvas.line([(left + leg * s, foot - s * 0.55), (left + leg * s * 1.1, foot)], dark, 0.004)
        canvas.line(
            [
                (left + s * 0.34, foot - s * 0.62),
                (left + s * 0.5, foot - s * 0.66),
                (left + s * 0.58, foot - s * 1.02),
            ],
            dark,
            0.008,
        )
        canvas.disc(left + s * 0.66, foot - s * 1.02, s * 0.12, dark, flat=0.6)


def rocks(canvas: Canvas, light: Light, draw: Draw) -> None:
    """Sandstone walls over a flat valley, with tents or palms below."""
    valley = draw.between(0.7, 0.76)
    sun = nature.sun_over(canvas, draw, light, 0.5)
    nature.sky(canvas, light, draw, down_to=valley + 0.04, sun=sun)
    rock = draw.pick(_ROCK)
    ground = light.on(draw.pick(_DUNES), 0.06)
    canvas.gradient((mix(ground, light.haze, 0.25), ground, mix(ground, hexed("8c5a40"), 0.25)), valley, 1)
    for depth, high, count in ((0.62, 0.34, 5), (0.36, 0.42, 4), (0.12, 0.52, 2)):
        for _ in range(count):
            _mesa(
                canvas,
                light,
                draw,
                draw.between(-0.1, 1.05) * canvas.wide,
                valley + (0.62 - depth) * 0.08,
                high * draw.between(0.5, 1.0),
                depth,
                rock,
            )
    for _ in range(30):
        x, y = draw.between(0, canvas.wide), draw.between(valley + 0.05, 0.99)
        canvas.disc(
            x, y, draw.between(0.02, 0.12), mix(ground, hexed("8c5a40"), draw.between(0.05, 0.14)), flat=0.07
        )
    middle = draw.between(0.3, 0.7) * canvas.wide
    if draw.chance(65):
        for each in range(draw.whole(2, 3)):
            buildings.tent(
                canvas, light, draw, middle + (each - 1) * 0.25, valley + 0.1 + 0.05 * (each % 2), 0.09
            )
    for _ in range(draw.whole(2, 5)):
        nature.palm(
            canvas,
            light,
            draw,
            draw.between(0, canvas.wide),
            valley + draw.between(0.05, 0.1),
            draw.between(0.14, 0.22),
            0.08,
        )


def _mesa(
    canvas: Canvas,
    light: Light,
    draw: Draw,
    middle: float,
    foot: float,
    high: float,
    depth: float,
    rock: Colour,
) -> None:
    half = draw.between(0.14, 0.3)
    top = foot - high
    points = [(middle - half * 1.2, foot)]
    steps = draw.whole(4, 6)
    for step in range(steps + 1):
        t = step / steps
        points.append((middle - half + half * 2 * t, top + draw.between(0, 0.05) + 0.05 * abs(2 * t - 1)))
    points.append((middle + half * 1.25, foot))
    bright, dark = (
        light.on(mix(rock, light.sun, 0.2), depth),
        light.on(mix(rock, hexed("4d2f35"), 0.35), depth),
    )
    canvas.shade(points, (bright, mix(bright, dark, 0.35), mix(bright, light.haze, 0.3)))
    edge = draw.between(0.1, 0.4) * half
    canvas.shade(
        [
            (middle + edge, top + 0.03),
            *points[-3:-1],
            (middle + half * 1.25, foot),
            (middle + edge * 0.6, foot),
        ],
        (dark, mix(dark, light.haze, 0.35)),
    )
    for _ in range(4):
        y = draw.between(top + 0.08, foot - 0.02)
        canvas.line(
            [(middle - half * draw.between(0.5, 1), y), (middle + edge, y + draw.between(-0.01, 0.01))],
            mix(bright, dark, 0.25),
            0.004,
        )


def ridges(canvas: Canvas, light: Light, draw: Draw) -> None:
    """Hills behind hills with mist between, pines and a lodge in front."""
    sun = nature.sun_over(canvas, draw, light, 0.5)
    nature.sky(canvas, light, draw, down_to=0.7, sun=sun)
    green = draw.pick((hexed("55806b"), hexed("6b8f6a"), hexed("5b7d7b")))
    if draw.chance(55):
        snow = light.on(hexed("dfe6ea"), 0.45)
        peaks = nature.ridge(canvas, draw, 0.56, 0.34, rough=0.1, waves=1.5)
        canvas.shade(nature.under(peaks, 0.7), (snow, light.on(hexed("8ea0ae"), 0.5), light.haze))
    for base, high, depth in ((0.62, 0.2, 0.66), (0.72, 0.2, 0.44), (0.84, 0.2, 0.22)):
        hill = light.on(green, depth)
        outline = nature.ridge(canvas, draw, base, high, rough=0.03, waves=1.2)
        canvas.shade(nature.under(outline, 1), (mix(hill, light.sun, 0.12), hill, mix(hill, light.haze, 0.5)))
        if depth < 0.5:
            for x, y in outline[:: draw.whole(3, 5)]:
                nature.pine(canvas, light, draw, x, y + 0.012, draw.between(0.03, 0.06), depth)
        canvas.mist(base - 0.1, base + 0.02, light.haze, 0.5)
        canvas.mist(base + 0.02, base + 0.12, light.haze, 0.5, rising=False)
    meadow = light.on(mix(green, hexed("b9b56b"), 0.35))
    front = nature.ridge(canvas, draw, 0.96, 0.14)
    canvas.shade(nature.under(front, 1), (mix(meadow, light.sun, 0.15), meadow))
    place = draw.between(0.3, 0.7) * canvas.wide
    buildings.chalet(canvas, light, draw, place, 0.93, draw.between(0.11, 0.15))
    for _ in range(draw.whole(5, 9)):
        x = draw.between(0, canvas.wide)
        if abs(x - place) > 0.2:
            nature.pine(canvas, light, draw, x, draw.between(0.95, 1.02), draw.between(0.2, 0.4))


def terraces(canvas: Canvas, light: Light, draw: Draw) -> None:
    """Stone houses on stepped green slopes above the clouds."""
    sun = nature.sun_over(canvas, draw, light, 0.46)
    nature.sky(canvas, light, draw, down_to=0.64, sun=sun)
    for base, high, depth in ((0.56, 0.22, 0.7), (0.64, 0.18, 0.5)):
        hill = light.on(hexed("6f8791"), depth)
        canvas.shade(
            nature.under(nature.ridge(canvas, draw, base, high, rough=0.06), 0.76),
            (hill, mix(hill, light.haze, 0.7)),
        )
    canvas.mist(0.5, 0.66, mix(light.haze, (255, 255, 255), 0.3), 0.8)
    green = draw.pick((hexed("7f9b5d"), hexed("8aa368"), hexed("6f9270")))
    tilt = draw.between(0.08, 0.18) * (1 if draw.chance(50) else -1)
    village = draw.between(0.25, 0.6) * canvas.wide
    for step in range(6):
        base = 0.7 + step * 0.07 - tilt / 2
        outline = [(x, y + tilt * x / canvas.wide) for x, y in nature.ridge(canvas, draw, base, 0.06)]
        field = light.on(mix(green, hexed("c2b06b"), 0.14 * (step % 3)), 0.32 - step * 0.055)
        canvas.shade(nature.under(outline, 1.05), (mix(field, light.sun, 0.22), field, field))
        canvas.line(outline, light.on(hexed("a08e74"), 0.3 - step * 0.05), 0.008)
        for x, y in outline[3 :: draw.whole(5, 9)]:
            if draw.chance(60):
                nature.bush(
                    canvas,
                    light,
                    draw,
                    x,
                    y + 0.012,
                    draw.between(0.012, 0.028),
                    light.on(hexed("4c7355"), 0.2),
                )
        if step in {1, 2, 3}:
            for number in range(4 - step // 2):
                wide = draw.between(0.07, 0.12)
                x = village + (number - 1.5) * 0.125 + draw.between(-0.02, 0.02)
                foot = base + tilt * x / canvas.wide + 0.012
                wall = draw.pick((hexed("cbb493"), hexed("b79b7b"), hexed("d8c6aa")))
                buildings.house(canvas, light, draw, x, foot, wide, draw.whole(1, 2), wall, 0.2 - step * 0.04)
    for _ in range(draw.whole(2, 5)):
        nature.pine(
            canvas,
            light,
            draw,
            draw.between(0, canvas.wide),
            draw.between(0.98, 1.06),
            draw.between(0.18, 0.34),
        )
