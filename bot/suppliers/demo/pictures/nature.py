"""Sky, sea, sand, hills and what grows there."""

from __future__ import annotations

from math import cos, pi, sin

from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.pictures.canvas import Canvas, Colour, Point, hexed, mix
from bot.suppliers.demo.pictures.light import Light

SAND = tuple(map(hexed, ("ead2a6", "f0dcb8", "e2c193")))
LEAF = hexed("4f7f5c")
_TRUNK, _LEAF, _PINE = hexed("6b5140"), hexed("3f7357"), hexed("2f5d50")


def sky(canvas: Canvas, light: Light, draw: Draw, *, down_to: float, sun: Point) -> None:
    """Gradient, stars or clouds, and the sun or moon with its glow."""
    soft = canvas.coarser(4)  # nothing here has an edge, so a quarter of the size does
    soft.gradient(light.sky, 0, down_to)
    strength = 0.5 if light.night else 0.85
    soft.glow(*sun, 0.75, mix(light.sun, light.haze, 0.3), strength * 0.75)
    soft.glow(*sun, 0.22, light.sun, strength)
    for _ in range(draw.whole(1, 4)):
        cloud(soft, light, draw, draw.between(0, canvas.wide), draw.between(0.06, down_to * 0.72))
    canvas.fill_from(soft, down_to=down_to)
    if light.night or (light.name == "dusk" and draw.chance(40)):
        for _ in range(draw.whole(50, 90)):
            bright = draw.between(0.25, 0.85)
            x, y = draw.between(0, canvas.wide), draw.between(0, down_to * 0.8)
            canvas.disc(x, y, draw.between(0.0012, 0.0026), mix(light.sky[1], (255, 250, 235), bright))
    size = 0.034 if light.night else 0.043
    if light.night and draw.chance(60):
        canvas.crescent(*sun, size, mix(light.sun, (255, 255, 255), 0.35))
    else:
        canvas.disc(*sun, size, mix(light.sun, (255, 255, 255), 0.35))


def sun_over(canvas: Canvas, draw: Draw, light: Light, horizon: float) -> Point:
    """Where the sun stands: low in the early and late hours."""
    low = light.name in {"dawn", "golden", "dusk"}
    high = draw.between(0.62, 0.86) if low else draw.between(0.2, 0.42)
    return draw.between(0.2, 0.8) * canvas.wide, horizon * high


def cloud(canvas: Canvas, light: Light, draw: Draw, x: float, y: float) -> None:
    """A long thin streak of soft lobes."""
    colour = mix(light.haze, (255, 255, 255), 0.1 if light.night else 0.45)
    length = draw.between(0.2, 0.5)
    for _ in range(draw.whole(4, 7)):
        canvas.glow(
            x + draw.between(-length, length) / 2,
            y + draw.between(-0.008, 0.008),
            draw.between(0.1, 0.22),
            colour,
            0.16 if light.night else draw.between(0.3, 0.6),
            flat=draw.between(0.08, 0.16),
        )


def ridge(
    canvas: Canvas, draw: Draw, base: float, high: float, *, rough: float = 0.0, waves: float = 1.0
) -> list[Point]:
    """The outline of hills, from the left edge to the right one, about `high` tall over `base`."""
    parts = [(draw.between(0.7, 1.6) * waves, draw.between(0, 2 * pi), 1.0)]
    parts += [(draw.between(2.0, 3.8) * waves, draw.between(0, 2 * pi), 0.45)]
    parts += [(draw.between(6, 11) * waves, draw.between(0, 2 * pi), 0.16 + rough)]
    parts += [(draw.between(17, 29) * waves, draw.between(0, 2 * pi), 0.04 + rough * 0.7)]
    whole = sum(part for *_, part in parts)
    steps = 90
    outline = []
    for step in range(steps + 1):
        x = canvas.wide * step / steps
        rise = sum(part * sin(speed * x * 2 + phase) for speed, phase, part in parts) / whole
        outline.append((x, base - high * (0.55 + 0.45 * rise)))
    return outline


def under(outline: list[Point], bottom: float) -> list[Point]:
    """The outline closed down to `bottom`."""
    return [*outline, (outline[-1][0], bottom), (outline[0][0], bottom)]


def sea(canvas: Canvas, light: Light, draw: Draw, *, top: float, bottom: float, sun_x: float) -> None:
    """Water with the sun's path on it."""
    canvas.gradient(light.water, top, bottom)
    deep = bottom - top
    for _ in range(46):  # long quiet swells
        near = draw.between(0, 1) ** 1.6
        y = top + 0.006 + near * deep
        half = 0.02 + 0.12 * near * draw.between(0.4, 1)
        x = draw.between(0, canvas.wide)
        shade = light.water[0] if draw.chance(65) else light.water[-1]
        at = mix(light.water[1], light.water[-1], near)
        canvas.disc(x, y, half, mix(at, shade, 0.22), flat=0.018 + 0.012 * near)
    for _ in range(95):  # glitter
        near = draw.between(0, 1) ** 1.3
        y = top + 0.004 + near * deep * 0.96
        reach = 0.035 + 0.2 * near
        away = (draw.between(-1, 1) + draw.between(-1, 1)) / 2
        half = (0.004 + 0.022 * near) * draw.between(0.5, 1.3)
        at = mix(light.water[0], light.water[-1], near)
        bright = (0.5 if light.night else 0.85) * (1 - abs(away)) * (1 - 0.35 * near)
        canvas.disc(sun_x + away * reach, y, half, mix(at, light.sun, bright), flat=0.12)
    canvas.mist(top, top + 0.02, light.haze, 0.5, rising=False)


def palm(
    canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, tall: float, depth: float = 0
) -> None:
    """A date or coconut palm, leaning a little."""
    lean = draw.between(-0.16, 0.16) * tall
    trunk, leaf = light.on(_TRUNK, depth), light.on(_LEAF, depth)
    thick = 0.02 * tall
    left, right = [], []
    for step in range(9):
        t = step / 8
        middle = x + lean * t * t
        half = thick * (1.25 - 0.55 * t)
        left.append((middle - half, foot - tall * t))
        right.append((middle + half, foot - tall * t))
    canvas.shape([*left, *reversed(right)], trunk)
    crown = (x + lean, foot - tall)
    count = draw.whole(9, 12)
    for number in draw.shuffled(range(count)):
        angle = pi * (-0.14 + 1.28 * number / (count - 1)) + draw.between(-0.1, 0.1)
        _frond(
            canvas,
            draw,
            crown,
            angle,
            tall * draw.between(0.4, 0.52),
            mix(leaf, light.sun, 0.14 * (number % 3)),
        )


def _frond(canvas: Canvas, draw: Draw, crown: Point, angle: float, length: float, colour: Colour) -> None:
    """A leaf that starts along the angle (0 right, half a turn left) and droops."""
    droop = length * draw.between(0.5, 0.72)
    upper, lower = [], []
    for step in range(9):
        t = step / 8
        x = crown[0] + cos(angle) * length * t
        y = crown[1] - sin(angle) * length * 0.62 * t + droop * t * t
        half = length * 0.085 * sin(pi * min(1, t * 0.9 + 0.1)) ** 0.7
        upper.append((x, y - half * 0.55))
        lower.append((x + 0.18 * half, y + half * (1.25 if step % 2 else 0.5)))
    canvas.shape([*upper, *reversed(lower)], colour)


def pine(
    canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, tall: float, depth: float = 0
) -> None:
    """A conifer of stacked skirts."""
    colour = light.on(_PINE, depth)
    canvas.rect(x - 0.02 * tall, foot - 0.15 * tall, x + 0.02 * tall, foot, light.on(_TRUNK, depth))
    tiers = draw.whole(4, 5)
    for tier in range(tiers):
        t = tier / tiers
        half = tall * (0.22 - 0.15 * t)
        low = foot - tall * (0.1 + 0.74 * t)
        high = low - tall * (0.36 - 0.08 * t)
        canvas.shape([(x - half, low), (x, high), (x + half, low)], mix(colour, light.sun, 0.05 * tier))


def bush(
    canvas: Canvas, light: Light, draw: Draw, x: float, foot: float, size: float, colour: Colour
) -> None:
    """A rounded shrub of a few lobes, lighter on top."""
    for _ in range(6):
        away, up = draw.between(-1, 1), draw.between(0, 0.7)
        canvas.disc(
            x + away * size,
            foot - up * size * 0.8,
            size * draw.between(0.4, 0.6),
            mix(colour, light.sun, up * 0.18),
        )


def dune(
    canvas: Canvas, light: Light, draw: Draw, base: float, high: float, depth: float, sand: Colour
) -> None:
    """A dune with a sharp crest: one flank in the sun, one in the shade."""
    peak = draw.between(0.15, 0.85) * canvas.wide
    reach = draw.between(0.8, 1.5)
    top = base - high
    crest = [
        (peak - reach, base),
        (peak - reach * 0.55, base - high * 0.22),
        (peak - reach * 0.22, base - high * 0.66),
        (peak, top),
    ]
    fall = [
        (peak + reach * 0.2, base - high * 0.7),
        (peak + reach * 0.52, base - high * 0.3),
        (peak + reach, base),
    ]
    bright, dark = (
        light.on(mix(sand, light.sun, 0.22), depth),
        light.on(mix(sand, hexed("7a4a3a"), 0.34), depth),
    )
    canvas.shade([*_smooth(crest), *_smooth([crest[-1], *fall])], (bright, mix(bright, light.haze, 0.12)))
    foot = peak + draw.between(-0.32, 0.08) * reach
    spine = [
        (peak, top),
        (peak - 0.05 * reach, top + high * 0.3),
        (foot + 0.08 * reach, top + high * 0.62),
        (foot, base),
    ]
    canvas.shade(
        [*_smooth(spine), (peak + reach, base), *reversed(_smooth([crest[-1], *fall]))],
        (dark, mix(dark, bright, 0.55)),
    )


def _smooth(points: list[Point]) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    curve = []
    ends = [points[0], *points, points[-1]]
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for step in range(8):
            t = step / 8
            curve.append((_bend(a[0], b[0], c[0], d[0], t), _bend(a[1], b[1], c[1], d[1], t)))
    return [*curve, points[-1]]


def _bend(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
