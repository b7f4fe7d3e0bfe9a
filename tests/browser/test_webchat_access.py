"""The web chat for everybody: contrast, names, fingers, languages, stillness, large text."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from bot.events import Do, Menu, MenuRow, Reply
from tests.fakes.webchat_desk import (
    Desk,
    ask_when,
    mine,
    ready,
    results,
    theirs,
    write,
)
from tests.fakes.webchat_house import button

pytestmark = pytest.mark.browser


def luminance(color: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


COLORS = """selector => {
  const element = document.querySelector(selector);
  let ground = element;
  while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
  return [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_contrast_is_enough_in_the_light_and_in_the_dark(desk: Desk, scheme: str) -> None:
    desk.house.answer = lambda content: (
        [
            *results(content),
            Reply(key="k", text="هل أبدأ؟", buttons=((button("أبدأ"),),)),
            *ask_when(content),
        ]
        if content["text"] == "دبي"
        else []
    )
    page = await desk.open(color_scheme=scheme, reduced_motion="reduce")
    await write(page, "دبي")
    await expect(page.locator(".calendar")).to_be_visible()
    await page.locator(".calendar td button[aria-label*='20 مارس']").evaluate(
        "e => e.setAttribute('aria-pressed', 'true')"
    )
    grounds = {}
    for selector in (
        ".names h1",
        ".names p",
        ".demo",
        ".language",
        ".theirs .words",
        ".mine .words",
        ".mine .meta",
        ".day",
        ".facts h3",
        ".facts .name",
        ".theirs > .choices .choice",
        ".card .choice",
        ".calendar th",
        ".calendar td button:not([aria-disabled])",
        ".calendar td button[aria-pressed]",
        "#text",
        ".send",
    ):
        color, ground = await page.evaluate(COLORS, selector)
        grounds[selector] = ground
        assert contrast(color, ground) >= 4.5, (selector, color, ground)
    assert (luminance(grounds[".names h1"]) > 0.5) == (scheme == "light")
    await write(page, "شكرًا")
    await expect(mine(page)).to_have_count(2)
    for selector in (".past > .choices .choice", ".past .card .choice"):
        color, ground = await page.evaluate(COLORS, selector)
        assert contrast(color, ground) >= 4.5, (selector, color, ground)


UNNAMED = """() => [...document.querySelectorAll("button, a, textarea, input, img, [role]")]
  .filter(e => e.checkVisibility() && e.role !== "status" && !(
    e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.labels?.length
    || e.textContent.trim() || e.hasAttribute("alt") || e.querySelector("img[alt]")))
  .map(e => e.outerHTML)"""

SMALL = """() => [...document.querySelectorAll("button, a, textarea")]
  .filter(e => e.checkVisibility() && !e.matches(".skip"))
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""


async def test_everything_has_a_name_and_room_for_a_finger(desk: Desk) -> None:
    rows = (MenuRow(title="طرابلس", do=Do(name="t"), token="t1-token"),)
    desk.house.answer = lambda content: [
        *results(content),
        Reply(key="k", text="أيّها؟", menu=Menu(opener="المدن", rows=rows)),
        *ask_when(content),
    ]
    page = await desk.open()
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(SMALL) == []
    await write(page, "دبي")
    await expect(page.locator(".calendar")).to_be_visible()
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(SMALL) == []
    log = page.get_by_role("log", name="الرسائل")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(page.get_by_role("textbox", name="نص الرسالة")).to_be_visible()
    assert await page.locator("h1").count() == 1
    assert await page.evaluate(
        "document.querySelectorAll('[id]').length === new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
    )


async def test_the_first_tab_skips_to_the_field(desk: Desk) -> None:
    page = await desk.open()
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("#text")).to_be_focused()


async def test_sentences_carry_their_own_language(desk: Desk) -> None:
    desk.house.answer = lambda content: [Reply(key="k", text="Your booking"), Reply(key="k", text="حجزك هنا")]
    page = await desk.open("/?lang=en")
    assert await page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
        "en",
        "ltr",
    ]
    await expect(page.locator("h1")).to_have_text("Rahhal")
    await write(page, "hello")
    await expect(theirs(page)).to_have_count(2)
    marks = await theirs(page).locator(".words").evaluate_all("all => all.map(e => [e.lang, e.dir])")
    assert marks == [["en", "ltr"], ["ar", "rtl"]]
    assert desk.house.heard[0].language == "en-GB"
    await page.get_by_role("link", name="العربية").click()
    await ready(page)
    assert await page.evaluate("document.documentElement.dir") == "rtl"
    await expect(theirs(page)).to_have_count(2)


async def test_who_asked_for_stillness_gets_it(desk: Desk) -> None:
    page = await desk.open(reduced_motion="reduce")
    await write(page, "دبي")
    await expect(theirs(page)).to_have_count(1)
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_text_twice_as_large_still_fits(desk: Desk) -> None:
    desk.house.answer = lambda content: [*results(content), *ask_when(content)]
    page = await desk.open(viewport={"width": 320, "height": 640})
    await write(page, "دبي")
    await expect(page.locator(".calendar")).to_be_visible()
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await expect(page.locator("#text")).to_be_in_viewport()
