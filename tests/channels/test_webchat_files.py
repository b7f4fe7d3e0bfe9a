"""The web chat's page, its files and its pictures."""

from __future__ import annotations

import re

import aiohttp
import asyncpg
import pytest

from bot.channels.webchat.page import preferred
from tests.fakes.webchat_client import Browser
from tests.fakes.webchat_house import House, jpeg


async def test_the_page_needs_nothing_from_elsewhere(browser: Browser) -> None:
    async with browser.session.get("/") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"""(?:src|href)="(?:https?:)?//""", page)
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))|<style|\son\w+=|\sstyle=", page)
    for url in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        async with browser.session.get(url) as answer:
            assert answer.status == 200, url
            assert "immutable" in answer.headers["Cache-Control"]


async def test_every_file_is_served_with_its_type_and_revalidated(browser: Browser) -> None:
    async with browser.session.get("/") as answer:
        page = await answer.text()
        tag = answer.headers["ETag"]
    async with browser.session.get("/", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    [script] = re.findall(r'src="(/[^"]+/chat.js)"', page)
    async with browser.session.get(script) as answer:
        assert answer.content_type in {"text/javascript", "application/javascript"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    old = re.sub(r"static/\w+/", "static/0123/", script)
    async with browser.session.get(old) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    for wrong in ("index.html", "../page.py", "%2e%2e/page.py", "nothing.js", "fonts"):
        async with browser.session.get(f"{script.rpartition('/')[0]}/{wrong}") as answer:
            assert answer.status == 404, wrong


@pytest.mark.parametrize(
    ("query", "accepted", "language", "direction"),
    [
        ("", "", "ar", "rtl"),
        ("", "fr,de;q=0.5", "ar", "rtl"),
        ("", "en-US,en;q=0.9", "en", "ltr"),
        ("", "en;q=0.3,ar-SA;q=0.8", "ar", "rtl"),
        ("?lang=en", "ar", "en", "ltr"),
        ("?lang=xx", "ar", "ar", "rtl"),
    ],
)
async def test_the_page_speaks_the_language_asked_for(
    browser: Browser, query: str, accepted: str, language: str, direction: str
) -> None:
    async with browser.session.get(f"/chat{query}", headers={"Accept-Language": accepted}) as answer:
        assert f'<html lang="{language}" dir="{direction}">' in await answer.text()
        assert answer.headers["Content-Language"] == language


async def test_a_chosen_language_is_remembered(browser: Browser) -> None:
    async with browser.session.get("/?lang=en") as answer:
        assert answer.status == 200
    async with browser.session.get("/", headers={"Accept-Language": "ar"}) as answer:
        assert answer.headers["Content-Language"] == "en"


def test_odd_language_headers_are_no_choice() -> None:
    assert preferred("en;q=x, ,;;,ar;q=0", ("ar", "en")) is None
    assert preferred("*", ("ar", "en")) is None


async def test_the_demo_says_so(pool: asyncpg.Pool, database: str, house: House, browser: Browser) -> None:
    async with browser.session.get("/") as answer:
        assert '<span class="demo" >بيانات تجريبية</span>' in await answer.text()
    real = House(pool, database, demo=False)
    async with (
        real.open(answering=False),
        aiohttp.ClientSession(real.url) as session,
        session.get("/") as answer,
    ):
        assert '<span class="demo" hidden>' in await answer.text()


async def test_pictures_are_kept_for_good(browser: Browser) -> None:
    async with browser.session.get("/pictures/hotel/nile-plaza/1.jpg") as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert await answer.read() == jpeg()
        assert "immutable" in answer.headers["Cache-Control"]
        tag = answer.headers["ETag"]
    async with browser.session.get(
        "/pictures/hotel/nile-plaza/1.jpg", headers={"If-None-Match": tag}
    ) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


@pytest.mark.parametrize(
    "source", ["none/x/1", "hotel/..%2f..%2fetc/1", "hotel/a b/1", "hotel", "https://x.example/1"]
)
async def test_pictures_we_do_not_have(browser: Browser, source: str) -> None:
    async with browser.session.get(f"/pictures/{source}.jpg") as answer:
        assert answer.status == 404
