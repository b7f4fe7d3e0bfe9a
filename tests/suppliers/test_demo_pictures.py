"""The demo's pictures: all different, beach and city and desert told apart, small, and safe to ask for."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from bot.suppliers.demo import PictureStore, paint
from bot.suppliers.demo.hotels import PICTURES, catalogue
from bot.suppliers.demo.pictures import HEIGHT, WIDTH
from bot.suppliers.demo.pictures.light import LIGHTS
from bot.suppliers.demo.pictures.scene import Scene, image, scene
from bot.suppliers.demo.pictures.views import VIEWS
from bot.suppliers.demo.places import SETTINGS

SMALL = 36  # pixels wide: enough to tell pictures apart, and to paint all of them


def likeness(picture: Image.Image) -> bytes:
    """An average hash that keeps colour: what a person sees with eyes half closed."""
    return picture.resize((12, 8), Image.Resampling.BOX).quantize(64).convert("RGB").tobytes()


def mean(picture: Image.Image, box: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """The mean colour of a part, given in shares of the width and height."""
    wide, high = picture.size
    part = picture.crop((int(box[0] * wide), int(box[1] * high), int(box[2] * wide), int(box[3] * high)))
    red, green, blue = part.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # type: ignore[misc]
    return red, green, blue


def test_no_picture_is_asked_for_twice() -> None:
    sources = [source for hotel in catalogue() for source in hotel.facts.pictures]
    assert len(set(sources)) == len(sources) >= 1_200
    scenes = {
        scene(hotel.facts.identifier, n, hotel.setting, hotel.theme)
        for hotel in catalogue()
        for n in (1, 2, 3)
    }
    assert len({each.seed for each in scenes}) == len(sources)


def test_no_two_pictures_look_alike() -> None:
    seen: dict[bytes, str] = {}
    for hotel in catalogue()[::4]:  # all 1,563 pass as well, and take a quarter of a minute
        for n in range(1, PICTURES + 1):
            source = f"{hotel.facts.identifier}/{n}"
            small = likeness(image(scene(hotel.facts.identifier, n, hotel.setting, hotel.theme), SMALL))
            assert small not in seen, f"{source} looks like {seen[small]}"
            seen[small] = source
    assert len(seen) > 390


def test_every_view_stands_at_every_hour() -> None:
    for view in VIEWS:
        for light in LIGHTS:
            assert image(Scene("outside", view, light, ("each", 1)), SMALL).size == (SMALL, SMALL * 2 // 3)


@pytest.mark.parametrize("seed", range(8))
def test_the_sea_is_blue_and_the_dunes_are_not(seed: int) -> None:
    sea = mean(image(Scene("outside", "bay", "day", ("s", seed)), 96), (0, 0.5, 1, 0.62))
    sand = mean(image(Scene("outside", "dunes", "day", ("s", seed)), 96), (0, 0.7, 1, 1))
    assert sea[2] > sea[0] + 40
    assert sand[0] > sand[2] + 40


@pytest.mark.parametrize("seed", range(8))
def test_a_city_has_edges_where_dunes_and_sea_are_calm(seed: int) -> None:
    def edges(view: str) -> float:
        """The mean step of brightness from one pixel to the next in the middle of the picture."""
        grey = image(Scene("outside", view, "day", ("e", seed)), 240).convert("L")
        wide, high = grey.size
        rows = [grey.crop((0, y, wide, y + 1)).tobytes() for y in range(high // 2, high * 8 // 10)]
        steps = [abs(a - b) for row in rows for a, b in pairwise(row)]
        return sum(steps) / len(steps)

    assert edges("towers") > 2 * max(edges("dunes"), edges("bay"))


def test_night_is_darker_than_day() -> None:
    for view in VIEWS:
        day, night = (
            sum(mean(image(Scene("outside", view, light, ("n", 1)), 60), (0, 0, 1, 1)))
            for light in ("day", "night")
        )
        assert night < 0.75 * day


def test_pictures_of_a_hotel_show_the_place_a_room_and_something_else() -> None:
    for setting in SETTINGS.values():
        scenes = [scene("demo-any", n, setting) for n in (1, 2, 3)]
        assert [each.motif for each in scenes[:2]] == ["outside", "room"]
        assert scenes[2].motif in {"pool", "terrace", "arcade"}
        assert len({each.light for each in scenes}) == 3
        assert len({each.view for each in scenes}) == 1


def test_the_first_picture_is_never_dark() -> None:
    assert all(scene(hotel.facts.identifier, 1, hotel.setting).light != "night" for hotel in catalogue())


def test_a_picture_is_small_and_of_the_promised_size() -> None:
    for hotel in catalogue()[::75]:
        for n in (1, 2, 3):
            picture = paint(hotel.facts.identifier, n, hotel.setting, hotel.theme)
            assert 10_000 < len(picture) < 80_000
            opened = Image.open(BytesIO(picture))
            assert (opened.format, opened.size) == ("JPEG", (WIDTH, HEIGHT)) == ("JPEG", (960, 640))


def test_painting_twice_gives_the_same_bytes() -> None:
    assert paint("demo-twice", 1, "beach", "island") == paint("demo-twice", 1, "beach", "island")


async def test_the_store_paints_once_and_keeps(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    identifier = catalogue()[0].facts.identifier
    first = await store.read(f"hotel/{identifier}/1")
    kept = list((tmp_path / "pictures").iterdir())
    assert len(kept) == 1
    kept[0].write_bytes(b"as it was kept")
    assert await store.read(f"hotel/{identifier}/1") == b"as it was kept"
    assert await store.read(f"hotel/{identifier}/2") != first


@pytest.mark.parametrize(
    "source",
    [
        "",
        "hotel/demo-nobody/1",
        "hotel/{real}/0",
        "hotel/{real}/4",
        "hotel/{real}/1/",
        "hotel/{real}/01",
        "hotel/{real}/١",
        "hotel/{real}/1\n",
        "hotel/../{real}/1",
        "hotel/../../etc/passwd/1",
        "hotel/{real}%2f..%2f/1",
        "/hotel/{real}/1",
        "hotel\\{real}\\1",
        "hotel/{real}\x00/1",
        "https://example.com/1.jpg",
        "hotel/" + "a" * 10_000 + "/1",
    ],
)
async def test_anything_else_is_unknown_and_touches_no_file(tmp_path: Path, source: str) -> None:
    with pytest.raises(LookupError):
        await PictureStore(tmp_path).read(source.replace("{real}", catalogue()[0].facts.identifier))
    assert not list(tmp_path.iterdir())


async def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file stands where the folder should be")
    picture = await PictureStore(tmp_path).read(f"hotel/{catalogue()[0].facts.identifier}/1")
    assert picture.startswith(b"\xff\xd8")
