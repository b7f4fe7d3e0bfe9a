"""The web chat with nobody answering until a test says so, and two visitors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.fakes.webchat_client import Browser
from tests.fakes.webchat_house import House


@pytest.fixture
async def house(pool: asyncpg.Pool, database: str) -> AsyncIterator[House]:
    async with House(pool, database).open(answering=False) as opened:
        yield opened


@pytest.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    opened = Browser(house)
    yield opened
    await opened.session.close()


@pytest.fixture
async def stranger(house: House) -> AsyncIterator[Browser]:
    opened = Browser(house)
    yield opened
    await opened.session.close()
