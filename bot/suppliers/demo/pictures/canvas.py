"""A surface to paint on, in units of its own height: x runs from 0 to `wide`, y from 0 (top) to 1 (bottom)."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

_GLOW = Image.radial_gradient("L").point(lambda distance: max(0, 255 - distance * 2))
"""A soft white disc on black, 256 × 256."""


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` 0 is the one colour, 1 the other."""
    return (
        round(one[0] + (other[0] - one[0]) * share),
        round(one[1] + (other[1] - one[1]) * share),
        round(one[2] + (other[2] - one[2]) * share),
    )


def hexed(code: str) -> Colour:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def _widened(column: Image.Image, width: int) -> Image.Image:
    return column.resize((width, column.height), Image.Resampling.NEAREST)


class Canvas:
    """Shapes and light on an RGB image. Edges are hard: paint at twice the size and reduce."""

    def __init__(self, width: int, height: int, fill: Colour = (255, 255, 255)) -> None:
        self.image = Image.new("RGB", (width, height), fill)
        self.unit = height
        self.wide = width / height
        self._draw = ImageDraw.Draw(self.image)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.unit, y * self.unit) for x, y in points]

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        self._draw.polygon(self._pixels(points), fill=fill)

    def rect(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, round_: float = 0
    ) -> None:
        if right <= left or bottom <= top:
            return
        box = (left * self.unit, top * self.unit, right * self.unit, bottom * self.unit)
        if round_:
            self._draw.rounded_rectangle(box, radius=round_ * self.unit, fill=fill)
        else:
            self._draw.rectangle(box, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, flat: float = 1) -> None:
        """An ellipse: `flat` is its height against its width."""
        r = radius * self.unit
        self._draw.ellipse(
            (x * self.unit - r, y * self.unit - r * flat, x * self.unit + r, y * self.unit + r * flat),
            fill=fill,
        )

    def line(self, points: Sequence[Point], fill: Colour, thick: float) -> None:
        self._draw.line(self._pixels(points), fill=fill, width=max(1, round(thick * self.unit)))

    def gradient(self, stops: Sequence[Colour], top: float, bottom: float) -> None:
        """Colours from top to bottom over the whole width."""
        first, last = round(top * self.unit), round(bottom * self.unit)
        if last <= first:
            return
        column = self._column(stops, last - first)
        self.image.paste(_widened(column, self.image.width), (0, first))

    def shade(self, points: Sequence[Point], stops: Sequence[Colour]) -> None:
        """A polygon filled from its top to its bottom."""
        left, top, right, bottom = self._bounds(points)
        if right <= left or bottom <= top:
            return
        mask = Image.new("1", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in self._pixels(points)], fill=1)
        column = self._column(stops, bottom - top)
        self.image.paste(_widened(column, right - left), (left, top), mask)

    def veil(self, points: Sequence[Point], fill: Colour, strength: float) -> None:
        """A translucent polygon; strength 0 to 1."""
        left, top, right, bottom = self._bounds(points)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon(
            [(x - left, y - top) for x, y in self._pixels(points)], fill=round(255 * strength)
        )
        self.image.paste(fill, (left, top), mask)

    def mist(self, top: float, bottom: float, fill: Colour, strength: float, *, rising: bool = True) -> None:
        """A band over the whole width that thickens downwards (or upwards)."""
        first, last = round(top * self.unit), round(bottom * self.unit)
        if last <= first:
            return
        ends = (0, round(255 * strength)) if rising else (round(255 * strength), 0)
        column = Image.new("L", (1, 2))
        column.putdata(ends)
        mask = _widened(column.resize((1, last - first), Image.Resampling.BILINEAR), self.image.width)
        self.image.paste(fill, (0, first), mask)

    def glow(
        self, x: float, y: float, radius: float, fill: Colour, strength: float = 1, flat: float = 1
    ) -> None:
        """Light that fades with the distance."""
        across, down = round(2 * radius * self.unit), round(2 * radius * flat * self.unit)
        if across < 2 or down < 2:
            return
        left, top = round(x * self.unit) - across // 2, round(y * self.unit) - down // 2
        seen = (
            max(0, left),
            max(0, top),
            min(self.image.width, left + across),
            min(self.image.height, top + down),
        )
        if seen[2] <= seen[0] or seen[3] <= seen[1]:
            return
        part = (
            (seen[0] - left) * 256 / across,
            (seen[1] - top) * 256 / down,
            (seen[2] - left) * 256 / across,
            (seen[3] - top) * 256 / down,
        )
        size = (seen[2] - seen[0], seen[3] - seen[1])
        faint = _GLOW.point([round(value * strength) for value in range(256)])
        self.image.paste(fill, seen[:2], faint.resize(size, Image.Resampling.BILINEAR, box=part))

    def crescent(self, x: float, y: float, radius: float, fill: Colour) -> None:
        r = radius * self.unit
        mask = Image.new("L", (round(2 * r), round(2 * r)))
        moon = ImageDraw.Draw(mask)
        moon.ellipse((0, 0, 2 * r, 2 * r), fill=255)
        moon.ellipse((0.55 * r, -0.25 * r, 2.25 * r, 1.45 * r), fill=0)
        self.image.paste(fill, (round(x * self.unit - r), round(y * self.unit - r)), mask)

    def coarser(self, times: int) -> Canvas:
        """An empty canvas of the same proportions with fewer pixels, for what is soft."""
        return Canvas(self.image.width // times, self.image.height // times)

    def fill_from(self, other: Canvas, *, down_to: float) -> None:
        """Cover what is above `down_to` with the same part of another canvas, stretched."""
        height = min(self.image.height, round(down_to * self.unit))
        part = (0, 0, other.image.width, height * other.unit / self.unit)
        stretched = other.image.resize((self.image.width, height), Image.Resampling.BILINEAR, box=part)
        self.image.paste(stretched)

    def inset(self, other: Canvas, left: float, top: float) -> None:
        self.image.paste(other.image, (round(left * self.unit), round(top * self.unit)))

    def _bounds(self, points: Sequence[Point]) -> tuple[int, int, int, int]:
        across = [x for x, _ in points]
        down = [y for _, y in points]
        return (
            max(0, int(min(across) * self.unit)),
            max(0, int(min(down) * self.unit)),
            min(self.image.width, int(max(across) * self.unit) + 1),
            min(self.image.height, int(max(down) * self.unit) + 1),
        )

    @staticmethod
    def _column(stops: Sequence[Colour], height: int) -> Image.Image:
        """One pixel wide; the stops are spread evenly and blended."""
        column = Image.new("RGB", (1, len(stops)))
        column.putdata(list(stops))
        if len(stops) == 1:
            return column.resize((1, height))
        steps = len(stops)
        # The first and the last stop reach the very edges: half a source pixel is cut off at each end.
        return column.resize((1, height), Image.Resampling.BILINEAR, box=(0, 0.5, 1, steps - 0.5))
