"""The web chat as a traveler meets it: talking and choosing, in a real Chromium."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from bot.events import Do, Menu, MenuRow, Picture, Reply
from tests.fakes.webchat_desk import (
    DESKTOP,
    LONGEST,
    PHONE,
    Desk,
    ask_when,
    eventually,
    mine,
    ready,
    results,
    theirs,
    write,
)
from tests.fakes.webchat_house import button, one_picture

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_message_goes_and_an_answer_comes(desk: Desk, viewport: dict[str, int]) -> None:
    page = await desk.open(viewport=viewport)
    await expect(page.locator("h2")).to_be_visible()
    await write(page, "فندق في دبي")
    await expect(mine(page).locator(".words")).to_have_text("فندق في دبي")
    await expect(theirs(page).locator(".words")).to_have_text("وصل: فندق في دبي")
    await expect(mine(page)).to_have_attribute("data-status", "sent")
    await expect(page.locator("#opening")).to_be_hidden()
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator(".typing")).to_have_count(0)
    assert desk.faults == []


async def test_an_example_is_sent_as_it_stands(desk: Desk) -> None:
    page = await desk.open()
    example = page.locator(".examples button").first
    said = await example.inner_text()
    await example.click()
    await expect(theirs(page).locator(".words")).to_have_text(f"وصل: {said}")


async def test_the_three_dots_show_while_an_answer_is_on_its_way(desk: Desk) -> None:
    release = asyncio.Event()
    take_turn = desk.house.take_turn

    async def slowly() -> bool:
        await release.wait()
        return await take_turn()

    desk.house.take_turn = slowly  # type: ignore[method-assign]  # the worker of this one house takes its time
    page = await desk.open()
    await write(page, "سلام")
    await expect(page.locator(".typing .hidden")).to_have_text("رحّال يكتب…")
    release.set()
    await expect(theirs(page)).to_have_count(1)
    await expect(page.locator(".typing")).to_have_count(0)


async def test_nothing_anybody_wrote_is_read_as_markup(desk: Desk) -> None:
    nasty = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\"> &amp; **b**"
    desk.house.answer = lambda content: [
        Reply(
            key="k",
            text=nasty,
            buttons=((button(nasty[:60]),),),
            picture=Picture(source="hotel/a/1", alt=nasty),
        )
    ]
    page = await desk.open()
    title = await page.title()
    await write(page, nasty)
    await expect(theirs(page).locator("h3")).to_have_text(nasty)
    await expect(mine(page).locator(".words")).to_have_text(nasty)
    assert await page.locator("#log script, #log img:not(.picture img)").count() == 0
    assert await page.title() == title
    await page.reload()
    await ready(page)
    await expect(mine(page).locator(".words")).to_have_text(nasty)
    assert desk.faults == []


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_long_words_and_long_texts_stay_inside(desk: Desk, viewport: dict[str, int]) -> None:
    page = await desk.open(viewport=viewport)
    for text in (LONGEST, "س" * 1_500, "https://example.org/" + "a" * 500):
        await write(page, text)
        await expect(theirs(page).last).to_contain_text(text[-20:])
    assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    log = page.locator("#log")
    assert await log.evaluate("e => e.scrollWidth") <= await log.evaluate("e => e.clientWidth")
    assert len(desk.house.heard[0].content.text) == 10_000  # type: ignore[union-attr]  # it is a Text


async def test_a_text_that_is_too_long_stays_in_the_field(desk: Desk) -> None:
    page = await desk.open()
    await write(page, LONGEST + "س")
    await expect(page.locator("#state")).to_contain_text("10,000")
    assert len(await page.input_value("#text")) == 10_001
    await write(page, "س")
    await expect(theirs(page)).to_have_count(1)
    await expect(page.locator("#state")).to_be_empty()


async def test_enter_sends_and_shift_enter_goes_on(desk: Desk) -> None:
    page = await desk.open()
    await page.fill("#text", "سطر")
    await page.press("#text", "Shift+Enter")
    await page.keyboard.type("آخر")
    await page.click("#send")
    await expect(mine(page).locator(".words")).to_have_text("سطر\nآخر")
    await page.press("#text", "Enter")
    await expect(mine(page)).to_have_count(1)


async def test_a_deep_link_is_said_before_the_first_word(desk: Desk) -> None:
    page = await desk.open("/chat?start=REF-77")
    await write(page, "سلام")
    await expect(theirs(page)).to_have_count(2)
    first, second = (event.content for event in desk.house.heard)
    assert (first.type, getattr(first, "argument", None), second.type) == ("command", "REF-77", "text")
    assert "start" not in page.url


async def test_what_a_friend_s_link_opens_is_shown_at_once_and_once(desk: Desk) -> None:
    page = await desk.open("/chat?start=AMRIK-ABCDEFGHJK2345")
    await expect(theirs(page).locator(".words")).to_have_text("وصل: command")
    await expect(page.locator("#opening")).to_be_hidden()
    assert [event.content.model_dump() for event in desk.house.heard] == [
        {"type": "command", "name": "start", "argument": "AMRIK-ABCDEFGHJK2345"}
    ]
    await page.reload()
    await expect(theirs(page).locator(".words")).to_have_count(1)
    assert len(desk.house.heard) == 1


async def test_a_button_says_its_label_and_sends_its_token(desk: Desk) -> None:
    desk.house.answer = lambda content: (
        [
            Reply(
                key="k",
                text="هل أبدأ البحث؟",
                buttons=((button("أبدأ البحث", "the-token"), button("تعديل")),),
            )
        ]
        if content["type"] == "text"
        else [Reply(key="k", text="جارٍ البحث…")]
    )
    page = await desk.open()
    await write(page, "دبي")
    await page.get_by_role("button", name="أبدأ البحث").click()
    await expect(mine(page).last.locator(".words")).to_have_text("أبدأ البحث")
    await expect(theirs(page).last).to_contain_text("جارٍ البحث…")
    pressed = desk.house.heard[-1].content
    assert (pressed.type, getattr(pressed, "token", None)) == ("press", "the-token")
    await expect(theirs(page).first).to_have_class(re.compile("past"))


async def test_a_list_is_tapped(desk: Desk) -> None:
    rows = (
        MenuRow(title="طرابلس، لبنان", description="على البحر", do=Do(name="t"), token="tripoli-lb"),
        MenuRow(title="طرابلس، ليبيا", do=Do(name="t"), token="tripoli-ly"),
    )
    desk.house.answer = lambda content: (
        [Reply(key="k", text="أيّهما؟", menu=Menu(opener="المدن", rows=rows))]
        if content["type"] == "text"
        else [Reply(key="k", text="حسنًا.")]
    )
    page = await desk.open()
    await write(page, "طرابلس")
    await page.get_by_role("list", name="المدن").get_by_role("button", name="طرابلس، ليبيا").click()
    await expect(theirs(page).last).to_contain_text("حسنًا.")
    assert getattr(desk.house.heard[-1].content, "token", None) == "tripoli-ly"


async def test_a_day_is_picked_by_keyboard(desk: Desk) -> None:
    desk.house.answer = ask_when
    page = await desk.open()
    await write(page, "متى")
    grid = page.get_by_role("grid", name="مارس 2026")
    await expect(grid.get_by_role("columnheader").first).to_have_text("سبت")
    first = page.get_by_role("button", name="الثلاثاء، 10 مارس 2026")
    assert await grid.locator("[tabindex='0']").count() == 1
    await first.focus()
    await page.keyboard.press("ArrowLeft")  # the week runs from right to left
    await expect(page.get_by_role("button", name="الأربعاء، 11 مارس 2026")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("button", name="الأربعاء، 18 مارس 2026")).to_be_focused()
    await page.keyboard.press("Home")
    await expect(page.get_by_role("button", name="السبت، 14 مارس 2026")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("button", name="الجمعة، 20 مارس 2026")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(theirs(page).last).to_contain_text("الوصول الخميس، 19 مارس 2026.")
    assert getattr(desk.house.heard[-1].content, "token", None) == "march-token.2026-03-19"
    assert desk.faults == []


async def test_a_month_is_turned_in_place_and_keeps_the_focus(desk: Desk) -> None:
    desk.house.answer = ask_when
    page = await desk.open()
    await write(page, "متى")
    await page.get_by_role("button", name="الثلاثاء، 10 مارس 2026").focus()
    await page.keyboard.press("PageDown")
    await expect(page.get_by_role("grid", name="أبريل 2026")).to_be_visible()
    await expect(theirs(page)).to_have_count(1)
    await expect(mine(page)).to_have_count(1)
    assert await page.evaluate("document.activeElement.closest('.calendar') !== null")
    await page.reload()
    await ready(page)
    await expect(page.get_by_role("grid", name="أبريل 2026")).to_be_visible()
    await expect(theirs(page)).to_have_count(1)


async def test_a_day_that_is_closed_is_not_sent(desk: Desk) -> None:
    desk.house.answer = ask_when
    page = await desk.open()
    await write(page, "متى")
    closed = page.get_by_role("button", name="الاثنين، 9 مارس 2026")
    await expect(closed).to_have_attribute("aria-disabled", "true")
    await closed.click(force=True)
    await page.get_by_role("button", name="السبت، 14 مارس 2026").click()
    await expect(theirs(page).last).to_contain_text("14 مارس")
    assert len(desk.house.heard) == 2


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_hotels_are_cards_and_nothing_moves_when_pictures_come(
    desk: Desk, viewport: dict[str, int]
) -> None:
    arrived = asyncio.Event()

    async def late(source: str) -> bytes:
        await arrived.wait()
        return await one_picture(source)

    desk.house.answer = results
    desk.house.chat._pictures._read = late
    page = await desk.open(viewport=viewport)
    await write(page, "دبي")
    await expect(page.locator(".card")).to_have_count(4)
    place = "e => [e.offsetLeft, e.offsetTop, e.offsetWidth, e.offsetHeight]"
    before = await page.locator(".card").first.evaluate(place)
    arrived.set()
    await eventually(
        lambda: page.locator(".card img").first.evaluate("e => e.complete && e.naturalWidth > 0"), True
    )
    assert await page.locator(".card").first.evaluate(place) == before
    assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    await page.get_by_role("button", name="عرض 0").click()
    await expect(page.get_by_role("img", name="واجهة الفندق")).to_be_visible()
    await expect(page.get_by_role("link", name="عرض على الخريطة")).to_have_attribute(
        "href", re.compile(r"^https://www\.openstreetmap\.org/")
    )
    assert desk.faults == []


async def test_a_picture_is_enlarged_and_closed_by_keyboard(desk: Desk) -> None:
    desk.house.answer = lambda content: [
        Reply(key="k", text="فندق", picture=Picture(source="hotel/h/1", alt="واجهة الفندق"))
    ]
    page = await desk.open()
    await write(page, "دبي")
    picture = page.get_by_role("button", name="واجهة الفندق")
    await picture.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.get_by_role("button", name="إغلاق الصورة")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(picture).to_be_focused()


async def test_a_picture_that_does_not_come_says_so(desk: Desk) -> None:
    desk.house.answer = lambda content: [
        Reply(key="k", text="فندق", picture=Picture(source="nowhere/h/1", alt="واجهة"))
    ]
    page = await desk.open()
    await write(page, "دبي")
    await expect(page.locator(".no-picture")).to_have_text("تعذّر عرض الصورة")


async def test_a_location_is_shared(desk: Desk) -> None:
    page = await desk.open(geolocation={"latitude": 30.04, "longitude": 31.23}, permissions=["geolocation"])
    await page.get_by_role("button", name="مشاركة موقعي").click()
    await expect(theirs(page)).to_have_count(1)
    place = desk.house.heard[-1].content.model_dump()
    assert (place["type"], place["latitude"], place["longitude"]) == ("location", 30.04, 31.23)
    await expect(mine(page).locator(".words")).to_have_text("موقعي على الخريطة")
