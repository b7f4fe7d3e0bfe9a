"""By the sea: a beach, a lagoon with bungalows, a white town."""

from __future__ import annotations

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures import buildings, nature
from bot.suppliers.demo.pictures.canvas import Canvas, hexed, mix
from bot.suppliers.demo.pictures.light import Light

_ROCK = tuple(map(hexed, ("b5704f", "c08560", "a8674d")))
_WHITE = hexed("f6f0e4")


def bay(canvas: Canvas, light: Light, draw: Draw) -> None:
    """A beach in front, the sea, and a headland far away."""
    horizon = draw.between(0.4, 0.48)
    sun = nature.sun_over(canvas, draw, light, horizon)
    nature.sky(canvas, light, draw, down_to=horizon, sun=sun)
    if draw.chance(70):
        rock = light.on(draw.pick(_ROCK), 0.55)
        hills = nature.ridge(canvas, draw, horizon, draw.between(0.07, 0.15), rough=0.05)
        canvas.shade(nature.under(hills, horizon), (rock, mix(rock, light.haze, 0.5)))
    nature.sea(canvas, light, draw, top=horizon, bottom=0.86, sun_x=sun[0])
    shore = draw.between(0.7, 0.76)
    _beach(canvas, light, draw, shore)
    _shade_on_beach(canvas, light, draw)


def _beach(canvas: Canvas, light: Light, draw: Draw, shore: float) -> None:
    sand = light.on(draw.pick(nature.SAND))
    line = nature.ridge(canvas, draw, shore + 0.05, 0.09)
    if draw.chance(50):  # the water leaves towards one side
        line = [(x, y + 0.14 * x / canvas.wide) for x, y in line]
    else:
        line = [(x, y + 0.14 * (1 - x / canvas.wide)) for x, y in line]
    for away, colour in (
        (0.03, mix(light.water[-1], sand, 0.35)),
        (0.014, mix(light.water[0], (255, 255, 255), 0.6)),
        (0.006, mix(sand, light.water[-1], 0.22)),
    ):
        canvas.shape(nature.under([(x, y - away) for x, y in line], 1), colour)
    canvas.shade(nature.under(line, 1), (sand, mix(sand, light.sun, 0.2), mix(sand, hexed("c08d5f"), 0.22)))
    for _ in range(26):
        x, y = draw.between(0, canvas.wide), draw.between(shore + 0.12, 0.99)
        canvas.disc(
            x, y, draw.between(0.01, 0.05), mix(sand, hexed("a87c55"), draw.between(0.06, 0.16)), flat=0.1
        )


def _shade_on_beach(canvas: Canvas, light: Light, draw: Draw) -> None:
    side = draw.below(2)
    places = draw.shuffled((0.22, 0.42, 0.62, 0.8))[: draw.whole(1, 3)]
    for place in sorted(places):
        parasol(canvas, light, draw, place * canvas.wide, draw.between(0.9, 0.95), draw.between(0.12, 0.16))
    for number in range(draw.whole(2, 3)):
        x = draw.between(-0.02, 0.2) if side else canvas.wide - draw.between(-0.02, 0.2)
        nature.palm(canvas, light, draw, x, 1.04, draw.between(0.5, 0.78) - 0.09 * number)


def parasol(canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, size: float) -> None:
    """A straw or cloth parasol over a lounger."""
    cloth = light.on(draw.pick((hexed("f4e9d2"), buildings.ACCENT, hexed("d8b27c"), hexed("e7a977"))))
    canvas.disc(
        x + 0.02,
        foot + 0.004,
        size * 0.8,
        mix(light.on(hexed("8f6a4a")), light.on(nature.SAND[0]), 0.45),
        flat=0.12,
    )
    canvas.line([(x, foot), (x, foot - size)], light.on(hexed("7c5a42")), 0.007)
    top = foot - size * 1.12
    half = size * 0.72
    canvas.shape(
        [
            (x - half, foot - size * 0.8),
            (x - half * 0.5, top + 0.02),
            (x, top),
            (x + half * 0.5, top + 0.02),
            (x + half, foot - size * 0.8),
        ],
        cloth,
    )
    canvas.shape(
        [
            (x, top),
            (x + half * 0.5, top + 0.02),
            (x + half, foot - size * 0.8),
            (x + half * 0.25, foot - size * 0.8),
        ],
        mix(cloth, light.on(hexed("3c3a48")), 0.2),
    )
    wood = light.on(hexed("f2e8d8"))
    canvas.shape(
        [
            (x - size * 1.0, foot),
            (x + size * 0.15, foot),
            (x + size * 0.55, foot - size * 0.3),
            (x + size * 0.6, foot - size * 0.26),
            (x + size * 0.2, foot + 0.014),
            (x - size * 1.0, foot + 0.014),
        ],
        wood,
    )


def lagoon(canvas: Canvas, light: Light, draw: Draw) -> None:
    """Bungalows on stilts over shallow water."""
    horizon = draw.between(0.42, 0.5)
    sun = nature.sun_over(canvas, draw, light, horizon)
    nature.sky(canvas, light, draw, down_to=horizon, sun=sun)
    island = nature.ridge(canvas, draw, horizon, 0.04)
    canvas.shape(nature.under(island, horizon), light.on(nature.LEAF, 0.5))
    for _ in range(9):
        nature.palm(canvas, light, draw, draw.between(0, canvas.wide), horizon, draw.between(0.07, 0.12), 0.4)
    nature.sea(canvas, light, draw, top=horizon, bottom=1, sun_x=sun[0])
    right = draw.chance(50)
    count = draw.whole(3, 5)
    wood = light.on(hexed("8a664a"))
    for number in range(count):
        t = number / (count - 1)
        size = 0.05 + 0.1 * t
        x = (0.55 - 0.4 * t) if right else canvas.wide - (0.55 - 0.4 * t)
        foot = horizon + 0.06 + 0.36 * t
        canvas.veil(
            [
                (x - size, foot + size * 0.5),
                (x + size, foot + size * 0.5),
                (x + size * 0.8, foot + size * 1.3),
                (x - size * 0.8, foot + size * 1.3),
            ],
            light.on(hexed("0c3c48")),
            0.35,
        )
        for post in (-0.8, -0.3, 0.3, 0.8):
            canvas.rect(
                x + post * size - 0.004,
                foot,
                x + post * size + 0.004,
                foot + size * 0.6,
                mix(wood, hexed("2b2430"), 0.3),
            )
        canvas.rect(x - size, foot - size * 0.7, x + size, foot, wood)
        buildings.windows(
            canvas,
            light,
            draw,
            (x - size * 0.8, foot - size * 0.6, x + size * 0.8, foot - size * 0.05),
            3,
            1,
            wood,
        )
        straw = light.on(hexed("c9a36c"))
        canvas.shape(
            [
                (x - size * 1.35, foot - size * 0.6),
                (x - size * 0.25, foot - size * 1.6),
                (x + size * 0.25, foot - size * 1.6),
                (x + size * 1.35, foot - size * 0.6),
            ],
            straw,
        )
        canvas.shape(
            [
                (x + size * 0.1, foot - size * 1.6),
                (x + size * 0.25, foot - size * 1.6),
                (x + size * 1.35, foot - size * 0.6),
                (x + size * 0.5, foot - size * 0.6),
            ],
            mix(straw, hexed("5b3d2c"), 0.22),
        )
        canvas.rect(x - size * 1.1, foot, x + size * 1.1, foot + 0.012, mix(wood, light.sun, 0.2))
    nature.palm(canvas, light, draw, canvas.wide - 0.1 if right else 0.1, 1.05, draw.between(0.6, 0.8))


def shore_town(canvas: Canvas, light: Light, draw: Draw) -> None:
    """White houses climbing a slope from the water."""
    horizon = draw.between(0.54, 0.6)
    sun = nature.sun_over(canvas, draw, light, horizon)
    nature.sky(canvas, light, draw, down_to=horizon + 0.03, sun=sun)
    far = nature.ridge(canvas, draw, horizon, 0.1)
    canvas.shade(nature.under(far, horizon), (light.on(hexed("8c9c8b"), 0.6), light.on(nature.LEAF, 0.78)))
    nature.sea(canvas, light, draw, top=horizon, bottom=1, sun_x=sun[0])
    left = draw.chance(50)
    reach = canvas.wide * draw.between(0.52, 0.7)

    def slope(x: float) -> float:
        """How far the hill rises at a distance from its side of the picture."""
        return 0.3 * float(max(0.0, 1 - x / reach) ** 1.1)

    hill = light.on(mix(nature.LEAF, nature.SAND[0], 0.45), 0.2)
    edge = [(reach * step / 24, horizon + 0.035 - slope(reach * step / 24)) for step in range(25)]
    edge = edge if left else [(canvas.wide - x, y) for x, y in edge]
    side = 0.0 if left else canvas.wide
    canvas.shade([(side, horizon + 0.035), *edge], (mix(hill, light.sun, 0.15), hill))
    for row in range(4, -1, -1):
        share = row / 5
        x = draw.between(-0.08, 0.02)
        while x < reach * (1 - share) - 0.06:
            wide = draw.between(0.1, 0.19) * (1 - 0.28 * share)
            place = x if left else canvas.wide - x - wide
            foot = horizon + 0.035 - slope(x + wide) * share * 1.05 - draw.between(0, 0.012)
            if draw.chance(45):
                nature.palm(
                    canvas, light, draw, place + wide, foot, draw.between(0.1, 0.17), 0.15 + 0.2 * share
                )
            buildings.house(
                canvas,
                light,
                draw,
                place,
                foot,
                wide,
                draw.weighted(((1, 50), (2, 40), (3, 10))),
                draw.pick((_WHITE, _WHITE, hexed("efe0c8"), hexed("ecd2c0"))),
                0.08 + 0.3 * share,
            )
            if draw.chance(55):
                nature.bush(
                    canvas,
                    light,
                    draw,
                    place + draw.between(0, wide),
                    foot + 0.004,
                    0.018,
                    light.on(nature.LEAF, 0.2 * share),
                )
            x += wide * draw.between(0.9, 1.3)
    quay = light.on(hexed("d9c8ac"), 0.08)
    ends = (0.0, reach) if left else (canvas.wide - reach, canvas.wide)
    canvas.rect(ends[0], horizon + 0.033, ends[1], horizon + 0.047, quay)
    canvas.rect(ends[0], horizon + 0.047, ends[1], horizon + 0.053, mix(quay, hexed("3b3a44"), 0.45))
    for _ in range(draw.whole(2, 3)):
        sail(canvas, light, draw, draw.between(0.1, 0.9) * canvas.wide, draw.between(horizon + 0.13, 0.9))


def sail(canvas: Canvas, light: Light, draw: Draw, x: float, water: float) -> None:
    """A small boat with a lateen sail, larger when nearer."""
    size = 0.06 + (water - 0.5) * 0.42
    hull, cloth = light.on(hexed("7d4f3a")), light.on(hexed("fbf3e2"))
    turn = 1 if draw.chance(50) else -1
    canvas.veil(
        [
            (x - size * 0.6, water + 0.01),
            (x + size * 0.6, water + 0.01),
            (x + size * 0.3, water + size * 0.8),
            (x - size * 0.1, water + size * 0.8),
        ],
        cloth,
        0.22,
    )
    canvas.shape(
        [
            (x - size * 0.75, water - size * 0.14),
            (x + size * 0.75, water - size * 0.14),
            (x + size * 0.5, water + size * 0.1),
            (x - size * 0.55, water + size * 0.1),
        ],
        hull,
    )
    canvas.line([(x, water - size * 0.14), (x, water - size * 1.2)], hull, 0.005)
    canvas.shape(
        [
            (x - turn * size * 0.55, water - size * 0.22),
            (x + turn * size * 0.5, water - size * 1.75),
            (x + turn * size * 0.62, water - size * 0.35),
        ],
        cloth,
    )
    canvas.shape(
        [
            (x + turn * size * 0.1, water - size * 0.28),
            (x + turn * size * 0.5, water - size * 1.75),
            (x + turn * size * 0.62, water - size * 0.35),
        ],
        mix(cloth, light.tint, 0.25),
    )
