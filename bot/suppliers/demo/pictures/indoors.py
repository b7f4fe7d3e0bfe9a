"""Inside the hotel and on its terraces: rooms, pools, arcades, each with the view of its place."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

from PIL import Image, ImageDraw

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures import furniture, nature
from bot.suppliers.demo.pictures.buildings import ACCENT, LAMP
from bot.suppliers.demo.pictures.canvas import Canvas, Colour, Point, hexed, mix
from bot.suppliers.demo.pictures.light import Light
from bot.suppliers.demo.pictures.views import View

Motif = Callable[[Canvas, Light, Draw, View], None]


def outside(canvas: Canvas, light: Light, draw: Draw, view: View) -> None:
    """The place itself."""
    view(canvas, light, draw)


def room(canvas: Canvas, light: Light, draw: Draw, view: View) -> None:
    """A bed, a lamp, and a window as wide as the wall allows."""
    wall, wood = (
        furniture.indoor(light, draw.pick(furniture.WALLS)),
        furniture.indoor(light, draw.pick(furniture.WOODS)),
    )
    mirrored = draw.chance(50)
    floor = 0.8
    canvas.gradient((mix(wall, (255, 255, 255), 0.12), wall), 0, floor)
    canvas.gradient((mix(wood, hexed("f3e3cd"), 0.3), mix(wood, hexed("f3e3cd"), 0.1)), floor, 1)
    for number in range(16):
        x = number / 15 * canvas.wide
        canvas.line(
            [
                (canvas.wide / 2 + (x - canvas.wide / 2) * 0.85, floor),
                (canvas.wide / 2 + (x - canvas.wide / 2) * 1.35, 1),
            ],
            mix(wood, hexed("f3e3cd"), 0.02),
            0.002,
        )
    canvas.rect(0, floor - 0.022, canvas.wide, floor, mix(wall, (255, 255, 255), 0.4))
    left = draw.between(0.07, 0.13)
    wide = draw.between(0.66, 0.8)
    top, bottom = draw.between(0.08, 0.13), draw.between(0.64, 0.7)
    _window(canvas, light, draw, view, (left, top, left + wide, bottom), wall, wood)
    bed = (draw.between(0.64, 0.72), 1.4)
    furniture.rug(canvas, light, draw, 0.95, 0.93)
    furniture.lamp(canvas, light, draw, 1.44, 0.6, wood)
    furniture.bed(canvas, light, draw, bed, floor, wood)
    furniture.plant(canvas, light, draw, left + wide * 0.02 - 0.01, floor + 0.06)
    if draw.chance(65):
        furniture.chair(canvas, light, draw, draw.between(0.26, 0.42), floor + 0.09)
    furniture.print_(canvas, light, draw, 1.12, 0.3, wood)
    if light.lit >= 20:
        canvas.glow(1.44, 0.42, 0.7, LAMP, 0.3)
    if mirrored:
        canvas.image = canvas.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _window(
    canvas: Canvas,
    light: Light,
    draw: Draw,
    view: View,
    box: tuple[float, float, float, float],
    wall: Colour,
    wood: Colour,
) -> None:
    left, top, right, bottom = box
    arched = draw.chance(30)
    frame = mix(wood, hexed("f8f2e6"), draw.pick((0.15, 0.85)))
    glass = Canvas(round((right - left) * canvas.unit), round((bottom - top) * canvas.unit))
    view(glass, light, draw)
    canvas.rect(left - 0.02, top - 0.02, right + 0.02, bottom + 0.02, frame)
    canvas.inset(glass, left, top)
    if arched:
        for x, turn in ((left, 1), (right, -1)):
            curve = [
                (x + turn * 0.14 * (1 - cos(pi / 2 * step / 10)), top + 0.14 * (1 - sin(pi / 2 * step / 10)))
                for step in range(11)
            ]
            canvas.shape([(x, top), *curve], frame)
    panes = draw.pick((2, 2, 3))
    for number in range(1, panes):
        x = left + (right - left) * number / panes
        canvas.rect(x - 0.006, top, x + 0.006, bottom, frame)
    canvas.rect(left - 0.035, bottom, right + 0.035, bottom + 0.028, mix(frame, (255, 255, 255), 0.35))
    cloth = furniture.indoor(
        light,
        mix(draw.pick((hexed("f6efe2"), hexed("e9dcc5"), mix(ACCENT, hexed("ffffff"), 0.55))), wall, 0.1),
    )
    for start, turn in ((left - 0.06, 1), (right + 0.06, -1)):
        for fold in range(5):
            x = start + turn * fold * 0.026
            canvas.shape(
                [
                    (x, top - 0.035),
                    (x + turn * 0.03, top - 0.035),
                    (x + turn * 0.026, bottom + 0.1),
                    (x - turn * 0.004, bottom + 0.1),
                ],
                mix(cloth, hexed("6b5a4c"), 0.12 * (fold % 2)),
            )
    canvas.rect(left - 0.08, top - 0.045, right + 0.08, top - 0.033, mix(wood, hexed("3a2c24"), 0.2))


def pool(canvas: Canvas, light: Light, draw: Draw, view: View) -> None:
    """A pool with loungers, and the place behind it."""
    view(canvas, light, draw)
    edge = draw.between(0.6, 0.66)
    stone = light.on(furniture.STONE)
    green = light.on(furniture.PLANT, 0.1)
    for _ in range(52):
        nature.bush(
            canvas,
            light,
            draw,
            draw.between(0, canvas.wide),
            edge + 0.012,
            draw.between(0.018, 0.04),
            mix(green, light.sun, draw.between(0, 0.12)),
        )
    canvas.gradient((mix(stone, light.haze, 0.25), stone), edge, 1)
    water = [mix(light.on(hexed(code)), (255, 255, 255), 0.06) for code in ("86d6d4", "3fb4bb", "1f929f")]
    left, right = draw.between(-0.1, 0.32), canvas.wide - draw.between(-0.1, 0.32)
    shape = [(left + 0.14, edge + 0.1), (right - 0.14, edge + 0.1), (right + 0.24, 1.02), (left - 0.24, 1.02)]
    rim = [
        (left + 0.12, edge + 0.085),
        (right - 0.12, edge + 0.085),
        (right + 0.28, 1.02),
        (left - 0.28, 1.02),
    ]
    canvas.shape(rim, mix(stone, (255, 255, 255), 0.35))
    canvas.shade(shape, water)
    for _ in range(60):
        near = draw.between(0, 1)
        y = edge + 0.115 + near * 0.28
        inner = left + 0.12 - near * 0.3 + 0.06, right - 0.12 + near * 0.3 - 0.06
        x = draw.between(*inner)
        canvas.disc(
            x,
            y,
            draw.between(0.012, 0.05) * (0.5 + near),
            mix(water[min(2, round(near * 2))], light.sun, draw.between(0.12, 0.42)),
            flat=0.09,
        )
    if light.lit >= 50:
        canvas.glow(canvas.wide / 2, 0.92, 0.55, hexed("9fe6df"), 0.5, flat=0.35)
    seats = draw.whole(3, 5)
    cloth = light.on(draw.pick((furniture.LINEN, mix(ACCENT, furniture.LINEN, 0.2), hexed("e7a977"))))
    for number in range(seats):
        x = canvas.wide * (number + 0.5) / seats + draw.between(-0.03, 0.03)
        furniture.lounger(canvas, light, x, edge + 0.072, 0.1, cloth)
        if number % 2 == 0:
            furniture.umbrella(canvas, light, draw, x + 0.06, edge + 0.07, draw.between(0.2, 0.25), cloth)
    for side in (0.05, canvas.wide - 0.05):
        nature.palm(canvas, light, draw, side, edge + 0.1, draw.between(0.36, 0.55))


def terrace(canvas: Canvas, light: Light, draw: Draw, view: View) -> None:
    """A table for two by the balustrade, lanterns over it."""
    view(canvas, light, draw)
    floor = draw.between(0.8, 0.84)
    stone = light.on(mix(furniture.STONE, draw.pick(furniture.WALLS), 0.4))
    rail = floor - 0.17
    canvas.gradient((mix(stone, light.haze, 0.2), stone), floor, 1)
    for number in range(14):
        x = (number / 13 * 1.8 - 0.4) * canvas.wide
        canvas.line(
            [(canvas.wide / 2 + (x - canvas.wide / 2) * 0.6, floor), (x, 1)],
            mix(stone, hexed("8d7c68"), 0.25),
            0.003,
        )
    canvas.line([(0, floor + 0.06), (canvas.wide, floor + 0.06)], mix(stone, hexed("8d7c68"), 0.25), 0.003)
    light_stone = mix(stone, (255, 255, 255), 0.3)
    if draw.chance(55):
        step = 0.062
        for number in range(int(canvas.wide / step) + 1):
            x = number * step + 0.03
            canvas.disc(x, rail + 0.095, 0.016, stone, flat=2.1)
            canvas.rect(x - 0.007, rail + 0.02, x + 0.007, floor, stone)
    else:
        for number in range(48):
            x = number * canvas.wide / 47
            canvas.line([(x, rail), (x, floor)], light.on(hexed("4d4a50")), 0.004)
    canvas.rect(0, rail, canvas.wide, rail + 0.022, light_stone)
    canvas.rect(0, floor - 0.012, canvas.wide, floor + 0.012, light_stone)
    furniture.lanterns(canvas, light, draw)
    middle = draw.between(0.42, 0.58) * canvas.wide
    if light.lit >= 50:
        canvas.glow(middle, floor, 0.6, LAMP, 0.32, flat=0.5)
    furniture.table(canvas, light, draw, middle, floor + 0.12)
    for side in draw.shuffled((0.1, canvas.wide - 0.1))[: draw.whole(1, 2)]:
        furniture.plant(canvas, light, draw, side, floor + 0.1)


def arcade(canvas: Canvas, light: Light, draw: Draw, view: View) -> None:
    """A hall of pointed arches open to the view, with lamps and a low seat."""
    view(canvas, light, draw)
    wall = furniture.indoor(light, draw.pick(furniture.WALLS))
    floor = 0.86
    count = draw.pick((2, 3, 3))
    margin, pier = 0.09, draw.between(0.07, 0.1)
    wide = (canvas.wide - 2 * margin - pier * (count - 1)) / count
    mask = Image.new("L", canvas.image.size, 255)
    cut = ImageDraw.Draw(mask)
    edges = []
    for number in range(count):
        left = margin + number * (wide + pier)
        arch = _arch(left, left + wide, 0.12, 0.4, floor)
        cut.polygon([(x * canvas.unit, y * canvas.unit) for x, y in arch], fill=0)
        edges.append(arch)
    face = Canvas(canvas.image.width, canvas.image.height)
    face.gradient((mix(wall, (255, 255, 255), 0.15), wall, mix(wall, hexed("9a7f66"), 0.14)), 0, 1)
    canvas.image.paste(face.image, (0, 0), mask)
    trim = mix(wall, ACCENT, 0.55) if draw.chance(50) else mix(wall, hexed("b98555"), 0.5)
    for arch in edges:
        canvas.line(arch, trim, 0.014)
        canvas.line(arch, mix(wall, (255, 255, 255), 0.5), 0.005)
    tile = furniture.indoor(light, draw.pick((hexed("e9dfcd"), hexed("d9c8b0"), hexed("cfd6d2"))))
    canvas.gradient((mix(tile, light.haze, 0.2), tile), floor, 1)
    for row in range(4):
        y = floor + 0.012 + 0.03 * row + 0.008 * row * row
        for number in range(26):
            x = (number + 0.5 * (row % 2)) / 25 * canvas.wide
            s = 0.012 + 0.004 * row
            canvas.shape(
                [(x - s, y), (x, y - s * 0.45), (x + s, y), (x, y + s * 0.45)], mix(tile, trim, 0.45)
            )
    for number in range(count):
        x = margin + number * (wide + pier) + wide / 2
        furniture.pendant(canvas, light, x, draw.between(0.2, 0.26))
    furniture.sofa(canvas, light, draw, canvas.wide * draw.between(0.4, 0.6), 0.97, draw.between(0.3, 0.38))
    for side in draw.shuffled((0.08, canvas.wide - 0.08))[: draw.whole(1, 2)]:
        furniture.plant(canvas, light, draw, side, 0.95)


def _arch(left: float, right: float, top: float, spring: float, floor: float) -> list[Point]:
    """A slightly pointed arch, from the left foot to the right one."""
    middle, half = (left + right) / 2, (right - left) / 2
    rise = [
        (left + half * (1 - cos(pi / 2 * t / 14)), spring - (spring - top) * sin(pi / 2 * t / 14) ** 0.92)
        for t in range(15)
    ]
    fall = [(2 * middle - x, y) for x, y in reversed(rise)]
    return [(left, floor), *rise, *fall, (right, floor)]


MOTIFS: dict[str, Motif] = {
    "outside": outside,
    "room": room,
    "pool": pool,
    "terrace": terrace,
    "arcade": arcade,
}
