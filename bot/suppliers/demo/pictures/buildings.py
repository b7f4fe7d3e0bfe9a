"""What people build: towers with lit windows, white seaside houses, tents, chalets."""

from __future__ import annotations

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures.canvas import Canvas, Colour, hexed, mix
from bot.suppliers.demo.pictures.light import Light

LAMP = hexed("ffd27a")
ACCENT = hexed("0f6f6c")
WALLS = tuple(map(hexed, ("e9dcc6", "dcc7a8", "f1e8d8", "cdb79c", "d9c9b8")))
GLASS = tuple(map(hexed, ("5f8797", "7ba0aa", "46707f", "8c99a6", "6d7f94")))


def windows(
    canvas: Canvas,
    light: Light,
    draw: Draw,
    box: tuple[float, float, float, float],
    across: int,
    down: int,
    wall: Colour,
) -> None:
    """A grid of windows; some glow when it is late."""
    left, top, right, bottom = box
    wide, high = (right - left) / across, (bottom - top) / down
    dark = mix(wall, light.on(hexed("34495a")), 0.45 if light.lit < 50 else 0.3)
    lamp = mix(LAMP, light.sky[-1], 0.1)
    for row in range(down):
        for column in range(across):
            x, y = left + column * wide, top + row * high
            fill = mix(wall, lamp, draw.between(0.55, 1)) if draw.chance(light.lit) else dark
            canvas.rect(x + wide * 0.26, y + high * 0.24, x + wide * 0.74, y + high * 0.76, fill)


def tower(
    canvas: Canvas, light: Light, draw: Draw, left: float, foot: float, wide: float, high: float, depth: float
) -> None:
    """A block of flats or offices: plain, stepped, rounded or with a spire."""
    glassy = high > 0.3 and draw.chance(65)
    wall = light.on(draw.pick(GLASS if glassy else WALLS), depth)
    top = foot - high
    body = (mix(wall, light.sun, 0.12), mix(wall, light.haze, 0.22))
    match draw.below(4) if high > 0.26 else 0:
        case 1:  # stepped
            inner = wide * 0.22
            canvas.shade(
                [
                    (left + inner, top - high * 0.14),
                    (left + wide - inner, top - high * 0.14),
                    (left + wide - inner, foot),
                    (left + inner, foot),
                ],
                body,
            )
        case 2:  # slanted roof
            canvas.shade(
                [(left, top), (left + wide, top - wide * 0.5), (left + wide, top + 0.01), (left, top + 0.01)],
                body,
            )
        case 3:  # spire
            middle = left + wide / 2
            canvas.shape(
                [(middle - wide * 0.05, top), (middle, top - high * 0.25), (middle + wide * 0.05, top)],
                body[0],
            )
    canvas.shade([(left, top), (left + wide, top), (left + wide, foot), (left, foot)], body)
    side = wide * draw.between(0.22, 0.36)
    canvas.veil(
        [(left + wide - side, top), (left + wide, top), (left + wide, foot), (left + wide - side, foot)],
        light.on(hexed("22344a")),
        0.2,
    )
    if depth < 0.6:
        across = max(2, round(wide / 0.021))
        windows(
            canvas,
            light,
            draw,
            (left + wide * 0.08, top + 0.012, left + wide * 0.92, foot - 0.01),
            across,
            max(3, round(high / 0.03)),
            wall,
        )


def skyline(
    canvas: Canvas, light: Light, draw: Draw, *, foot: float, high: float, depth: float, gap: float = 0.0
) -> None:
    """Towers side by side over the whole width."""
    x = -draw.between(0, 0.08)
    while x < canvas.wide:
        wide = draw.between(0.055, 0.13)
        tower(canvas, light, draw, x, foot, wide, high * draw.between(0.35, 1.0) ** 1.3, depth)
        x += wide + gap * draw.between(0, 1)


def house(
    canvas: Canvas,
    light: Light,
    draw: Draw,
    left: float,
    foot: float,
    wide: float,
    floors: int,
    wall: Colour,
    depth: float,
) -> None:
    """A low house with arched openings and balconies, as by many southern seas."""
    tall = 0.085
    top = foot - floors * tall
    face = light.on(wall, depth)
    canvas.shade(
        [(left, top), (left + wide, top), (left + wide, foot), (left, foot)],
        (mix(face, light.sun, 0.15), face),
    )
    canvas.rect(left - 0.006, top - 0.008, left + wide + 0.006, top + 0.004, mix(face, light.sun, 0.35))
    inside = mix(face, light.on(hexed("3b5060")), 0.62)
    count = max(2, round(wide / 0.085))
    step = wide / count
    for floor in range(floors):
        for number in range(count):
            middle = left + step * (number + 0.5)
            low = top + (floor + 1) * tall - 0.014
            half = step * 0.24
            fill = mix(inside, LAMP, draw.between(0.55, 0.95)) if draw.chance(light.lit) else inside
            canvas.disc(middle, low - tall * 0.45, half, fill)
            canvas.rect(middle - half, low - tall * 0.45, middle + half, low, fill)
            canvas.rect(middle - half * 1.4, low - 0.02, middle + half * 1.4, low, mix(face, ACCENT, 0.5))
    canvas.veil(
        [(left + wide * 0.78, top), (left + wide, top), (left + wide, foot), (left + wide * 0.78, foot)],
        light.on(hexed("31405a")),
        0.14,
    )


def tent(
    canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, size: float, depth: float = 0
) -> None:
    """A wide camp tent with an open, lit front."""
    cloth = light.on(draw.pick((hexed("efe3cc"), hexed("d9c3a0"), hexed("c9a982"))), depth)
    shade_ = mix(cloth, light.on(hexed("6a4a3c")), 0.32)
    tall = size * 0.62
    canvas.glow(x, foot, size * 1.3, LAMP, 0.45 if light.lit >= 20 else 0.12, flat=0.35)
    canvas.shape(
        [
            (x - size, foot),
            (x - size * 0.72, foot - tall * 0.55),
            (x - size * 0.2, foot - tall),
            (x + size * 0.45, foot - tall * 0.93),
            (x + size * 0.8, foot - tall * 0.5),
            (x + size, foot),
        ],
        cloth,
    )
    canvas.shape(
        [
            (x + size * 0.45, foot - tall * 0.93),
            (x + size * 0.8, foot - tall * 0.5),
            (x + size, foot),
            (x + size * 0.42, foot),
        ],
        shade_,
    )
    glow = mix(light.on(hexed("5a3f33")), LAMP, 0.75 if light.lit >= 20 else 0.25)
    canvas.shape(
        [(x - size * 0.42, foot), (x - size * 0.2, foot - tall * 0.78), (x + size * 0.14, foot)], glow
    )
    canvas.line([(x - size, foot), (x - size * 1.25, foot + 0.01)], shade_, 0.003)
    canvas.line([(x - size * 0.2, foot - tall), (x - size * 0.2, foot - tall * 1.14)], shade_, 0.004)


def chalet(
    canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, size: float, depth: float = 0
) -> None:
    """A gabled house of stone and wood."""
    stone, wood = (
        light.on(draw.pick((hexed("c9b8a3"), hexed("b9a892"))), depth),
        light.on(hexed("7d5a43"), depth),
    )
    tall = size * 0.55
    canvas.shade(
        [
            (x - size * 0.8, foot - tall),
            (x + size * 0.8, foot - tall),
            (x + size * 0.8, foot),
            (x - size * 0.8, foot),
        ],
        (stone, mix(stone, wood, 0.2)),
    )
    canvas.shape(
        [(x - size, foot - tall * 0.92), (x, foot - tall * 1.95), (x + size, foot - tall * 0.92)], wood
    )
    canvas.shape(
        [(x - size * 0.66, foot - tall), (x, foot - tall * 1.68), (x + size * 0.66, foot - tall)],
        mix(stone, light.sun, 0.1),
    )
    windows(
        canvas,
        light,
        draw,
        (x - size * 0.7, foot - tall * 0.9, x + size * 0.7, foot - tall * 0.15),
        4,
        1,
        stone,
    )
    windows(
        canvas,
        light,
        draw,
        (x - size * 0.3, foot - tall * 1.45, x + size * 0.3, foot - tall * 1.02),
        2,
        1,
        stone,
    )
