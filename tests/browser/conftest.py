"""A real Chromium before a real web chat that answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from playwright.async_api import async_playwright, expect

from tests.fakes.webchat_desk import FLAGS, Desk
from tests.fakes.webchat_house import House

expect.set_options(timeout=15_000)


@pytest.fixture
async def desk(pool: asyncpg.Pool, database: str, chromium: str) -> AsyncIterator[Desk]:
    async with House(pool, database).open() as house, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield Desk(house, browser)
        await browser.close()
