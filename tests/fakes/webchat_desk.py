"""A browser before the web chat's page, and answers worth looking at."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import date
from typing import Any

from playwright.async_api import Browser, Page

from bot.events import Calendar, Do, Picture, Place, Reply
from tests.fakes.webchat_house import House, button, card

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
LONGEST = "كلمة " * 1999 + "كلمات"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Desk:
    """A browser and the house it talks to. `faults` collects everything the page complained about."""

    def __init__(self, house: House, browser: Browser) -> None:
        self.house = house
        self.browser = browser
        self.faults: list[str] = []

    async def open(self, path: str = "/", *, viewport: dict[str, int] = PHONE, **more: Any) -> Page:
        context = await self.browser.new_context(
            viewport={"width": viewport["width"], "height": viewport["height"]},
            **({"locale": "ar-EG"} | more),
        )
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda line: self.faults.append(line.text) if line.type in {"error", "warning"} else None,
        )
        await page.goto(self.house.url + path)
        await ready(page)
        return page


async def ready(page: Page) -> None:
    await page.locator("html[data-ready]").wait_for(state="attached")


async def write(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def eventually(check: Callable[[], Any], wanted: Any, seconds: float = 10) -> None:
    """Wait for a coroutine function to answer what is wanted."""
    found = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (found := await check()) != wanted:
                await asyncio.sleep(0.02)
    assert found == wanted


def theirs(page: Page) -> Any:
    return page.locator(".message.theirs:not(.typing)")


def mine(page: Page) -> Any:
    return page.locator(".message.mine")


def month(year: int, number: int, title: str, token: str) -> Calendar:
    return Calendar(
        year=year,
        month=number,
        title=title,
        first_weekday=5,
        weekdays=("سبت", "أحد", "اثنين", "ثلاثاء", "أربعاء", "خميس", "جمعة"),
        earliest=date(2026, 3, 10),
        latest=date(2026, 12, 31),
        pick=Do(name="pick"),
        token=token,
        previous=button("الشهر السابق") if number > 3 else None,
        following=button("الشهر التالي"),
    )


def ask_when(content: dict[str, Any]) -> list[Reply]:
    if content["type"] == "text":
        return [Reply(key="k", text="متى الوصول؟", calendar=month(2026, 3, "مارس 2026", "march-token"))]
    if content["label"]:
        return [Reply(key="k", text=f"الوصول {content['label']}.")]
    return [
        Reply(key="k", text="متى الوصول؟", calendar=month(2026, 4, "أبريل 2026", "april-token"), edit=True)
    ]


def results(content: dict[str, Any]) -> list[Reply]:
    hotels = tuple(
        card(
            f"فندق {n}",
            "السعر: 1,240 ج.م",
            "الإلغاء: مجاني",
            source=f"hotel/h{n}/1",
            buttons=(button(f"عرض {n}"),),
        )
        for n in range(4)
    )
    if content["type"] == "text":
        return [Reply(key="k", text="…", lead="يناسب طلبك 4 فنادق.", cards=hotels)]
    place = Place(latitude=31.2, longitude=29.9, title="الفندق", address="الكورنيش")
    return [
        Reply(
            key="k", text="فندق النيل\nالسعر: 5 ج.م", picture=Picture(source="hotel/h/1", alt="واجهة الفندق")
        ),
        Reply(key="k", text="العنوان على الخريطة.", place=place),
    ]
