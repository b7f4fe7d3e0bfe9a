"""In the city: a river bank, towers, roofs, and the quiet skyline around a holy place."""

from __future__ import annotations

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures import buildings, nature, shores
from bot.suppliers.demo.pictures.canvas import Canvas, Colour, hexed, mix
from bot.suppliers.demo.pictures.light import Light


def river(canvas: Canvas, light: Light, draw: Draw) -> None:
    """A city along a wide river, with sails on it."""
    bank = draw.between(0.56, 0.62)
    sun = nature.sun_over(canvas, draw, light, bank)
    nature.sky(canvas, light, draw, down_to=bank, sun=sun)
    buildings.skyline(canvas, light, draw, foot=bank, high=draw.between(0.3, 0.4), depth=0.72)
    buildings.skyline(canvas, light, draw, foot=bank, high=draw.between(0.22, 0.3), depth=0.36, gap=0.05)
    green = light.on(nature.LEAF, 0.18)
    for _ in range(34):
        nature.bush(
            canvas, light, draw, draw.between(0, canvas.wide), bank + 0.004, draw.between(0.012, 0.03), green
        )
    for _ in range(7):
        nature.palm(
            canvas, light, draw, draw.between(0, canvas.wide), bank + 0.004, draw.between(0.09, 0.16), 0.14
        )
    nature.sea(canvas, light, draw, top=bank, bottom=1, sun_x=sun[0])
    for _ in range(60):  # the city's lights in the water
        x, y = draw.between(0, canvas.wide), bank + 0.006 + 0.2 * draw.between(0, 1) ** 2
        canvas.disc(
            x, y, draw.between(0.004, 0.016), mix(light.water[1], buildings.LAMP, light.lit / 130), flat=0.16
        )
    for _ in range(draw.whole(1, 3)):
        shores.sail(
            canvas, light, draw, draw.between(0.12, 0.88) * canvas.wide, draw.between(bank + 0.14, 0.92)
        )


def towers(canvas: Canvas, light: Light, draw: Draw) -> None:
    """A tall skyline behind a park and a boulevard."""
    ground = draw.between(0.8, 0.86)
    sun = nature.sun_over(canvas, draw, light, 0.6)
    nature.sky(canvas, light, draw, down_to=ground, sun=sun)
    for high, depth in ((0.68, 0.78), (0.56, 0.5), (0.4, 0.22)):
        buildings.skyline(
            canvas,
            light,
            draw,
            foot=ground,
            high=high * draw.between(0.88, 1.1),
            depth=depth,
            gap=0.06 * (1 - depth),
        )
    landmark = draw.between(0.2, 0.8) * canvas.wide
    buildings.tower(
        canvas, light, draw, landmark, ground, draw.between(0.09, 0.12), draw.between(0.56, 0.66), 0.14
    )
    canvas.gradient((light.on(hexed("9fae8c")), light.on(hexed("6f8c6d"))), ground, 1)
    green = light.on(nature.LEAF)
    for _ in range(46):
        nature.bush(
            canvas,
            light,
            draw,
            draw.between(0, canvas.wide),
            ground + draw.between(0.0, 0.04),
            draw.between(0.018, 0.042),
            mix(green, light.haze, draw.between(0, 0.25)),
        )
    road = light.on(hexed("8d8a8c"))
    canvas.shape([(0, 0.945), (canvas.wide, 0.915), (canvas.wide, 1), (0, 1)], mix(road, light.haze, 0.15))
    for number in range(9):
        x = number * canvas.wide / 8
        canvas.line([(x, 0.972), (x + 0.06, 0.971)], mix(road, (255, 255, 255), 0.6), 0.005)
        canvas.line([(x, 0.95), (x, 0.85)], light.on(hexed("54565e")), 0.004)
        if light.lit > 30:
            canvas.glow(x, 0.85, 0.09, buildings.LAMP, 0.65)
        canvas.disc(
            x,
            0.85,
            0.008,
            mix(light.on(hexed("e9e4d8")), buildings.LAMP, light.lit / 80 if light.lit < 80 else 1),
        )


def rooftops(canvas: Canvas, light: Light, draw: Draw) -> None:
    """An old town of pitched roofs and lanes, hills behind."""
    horizon = 0.5
    sun = nature.sun_over(canvas, draw, light, horizon)
    nature.sky(canvas, light, draw, down_to=0.62, sun=sun)
    for depth, high in ((0.75, 0.2), (0.55, 0.13)):
        hill = light.on(hexed("7f947c"), depth)
        canvas.shade(
            nature.under(nature.ridge(canvas, draw, 0.6, high + 0.06), 0.66),
            (hill, mix(hill, light.haze, 0.5)),
        )
    tiles = draw.pick((hexed("b8694a"), hexed("c57f5a"), hexed("7c7f8c"), hexed("d9c3a0")))
    flat = tiles == hexed("d9c3a0")
    for row in range(5):
        depth = 0.52 - row * 0.125
        foot = 0.64 + row * 0.11
        x = draw.between(-0.12, 0)
        while x < canvas.wide:
            wide = draw.between(0.09, 0.15) * (1 + row * 0.22)
            high = draw.between(0.11, 0.17) * (1 + row * 0.2)
            wall = light.on(draw.pick(buildings.WALLS), depth)
            top = foot - high
            canvas.shade(
                [(x, top), (x + wide, top), (x + wide, foot + 0.12), (x, foot + 0.12)],
                (mix(wall, light.sun, 0.1), mix(wall, light.on(hexed("4a4656")), 0.2)),
            )
            buildings.windows(
                canvas,
                light,
                draw,
                (x + wide * 0.1, top + high * 0.25, x + wide * 0.9, foot + 0.02),
                max(2, round(wide / 0.045)),
                2,
                wall,
            )
            roof = light.on(mix(tiles, hexed("8d5a48"), draw.between(0, 0.3)), depth)
            if flat:
                canvas.rect(x - 0.004, top - 0.012, x + wide + 0.004, top + 0.004, mix(wall, light.sun, 0.3))
            else:
                canvas.shape(
                    [
                        (x - 0.012, top + 0.006),
                        (x + wide * 0.28, top - high * 0.42),
                        (x + wide * 0.72, top - high * 0.42),
                        (x + wide + 0.012, top + 0.006),
                    ],
                    roof,
                )
                canvas.shape(
                    [
                        (x + wide * 0.5, top - high * 0.42),
                        (x + wide * 0.72, top - high * 0.42),
                        (x + wide + 0.012, top + 0.006),
                        (x + wide * 0.62, top + 0.006),
                    ],
                    mix(roof, light.on(hexed("40303c")), 0.22),
                )
            if draw.chance(22):
                nature.bush(
                    canvas, light, draw, x + wide, foot, 0.03 + row * 0.008, light.on(nature.LEAF, depth)
                )
            x += wide * draw.between(0.96, 1.12)


def holy(canvas: Canvas, light: Light, draw: Draw) -> None:
    """Cream-coloured towers in a granite valley, slender minarets far off, palms in front. No real building's likeness."""
    ground = draw.between(0.8, 0.86)
    sun = nature.sun_over(canvas, draw, light, 0.55)
    nature.sky(canvas, light, draw, down_to=ground, sun=sun)
    stone = hexed("8b7468")
    for base, high, depth in ((0.62, 0.24, 0.66), (0.72, 0.2, 0.46)):
        hill = light.on(stone, depth)
        canvas.shade(
            nature.under(nature.ridge(canvas, draw, base, high, rough=0.08), ground),
            (hill, mix(hill, light.haze, 0.5)),
        )
    middle = draw.between(0.4, 0.6) * canvas.wide
    cream = light.on(hexed("efe4cf"), 0.3)
    for away in draw.shuffled((-0.24, -0.13, 0.13, 0.24))[: draw.whole(2, 4)]:
        _minaret(canvas, light, middle + away, ground - 0.05, draw.between(0.36, 0.44), cream)
    canvas.glow(
        middle,
        ground - 0.12,
        0.4,
        mix(buildings.LAMP, light.sun, 0.5),
        0.55 if light.lit >= 15 else 0.25,
        flat=0.5,
    )
    x = -0.04
    while x < canvas.wide:
        wide = draw.between(0.09, 0.16)
        near = min(1.0, abs(x + wide / 2 - middle) / (canvas.wide / 2))
        high = 0.08 + 0.42 * near**1.4 * draw.between(0.75, 1.1)
        wall = light.on(draw.pick((hexed("e8d9bf"), hexed("f0e6d3"), hexed("dcc8a9"))), 0.12)
        canvas.shade(
            [(x, ground - high), (x + wide, ground - high), (x + wide, ground), (x, ground)],
            (mix(wall, light.sun, 0.2), mix(wall, light.haze, 0.2)),
        )
        canvas.rect(
            x - 0.004, ground - high - 0.012, x + wide + 0.004, ground - high, mix(wall, light.sun, 0.4)
        )
        buildings.windows(
            canvas,
            light,
            draw,
            (x + wide * 0.08, ground - high + 0.02, x + wide * 0.92, ground - 0.02),
            max(3, round(wide / 0.03)),
            max(2, round(high / 0.04)),
            wall,
        )
        x += wide + draw.between(0.004, 0.02)
    marble = light.on(hexed("efe8da"))
    canvas.gradient((mix(marble, light.haze, 0.3), marble), ground, 1)
    for number in range(12):  # paving that runs towards the middle
        foot = (number / 11 * 2 - 0.5) * canvas.wide
        canvas.line(
            [(middle + (foot - middle) * 0.25, ground), (foot, 1)], mix(marble, hexed("b9a88f"), 0.4), 0.003
        )
    for y in (0.02, 0.055, 0.11):
        canvas.line([(0, ground + y), (canvas.wide, ground + y)], mix(marble, hexed("b9a88f"), 0.4), 0.003)
    for _ in range(draw.whole(4, 7)):
        nature.palm(
            canvas,
            light,
            draw,
            draw.between(0, canvas.wide),
            ground + draw.between(0.02, 0.08),
            draw.between(0.2, 0.32),
        )


def _minaret(canvas: Canvas, light: Light, x: float, foot: float, high: float, wall: Colour) -> None:
    """A plain slender tower with two galleries and a pointed cap."""
    top = foot - high
    canvas.shade(
        [(x - 0.013, foot), (x - 0.011, top + 0.1), (x + 0.011, top + 0.1), (x + 0.013, foot)],
        (mix(wall, light.sun, 0.2), wall),
    )
    canvas.rect(x - 0.008, top + 0.04, x + 0.008, top + 0.1, wall)
    for y in (top + 0.1, top + 0.22):
        canvas.rect(x - 0.018, y, x + 0.018, y + 0.008, mix(wall, light.sun, 0.45))
        if light.lit >= 15:
            canvas.glow(x, y, 0.035, buildings.LAMP, 0.6)
    canvas.shape(
        [(x - 0.008, top + 0.04), (x, top), (x + 0.008, top + 0.04)], mix(wall, buildings.ACCENT, 0.4)
    )
