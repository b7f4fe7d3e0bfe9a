"""Openings of the page are noted for the behavior log: whose cookie, from which site, and not more than happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.channels.webchat import WebChat
from db.bells import Bells
from tests.fakes.webchat_house import one_picture


@dataclass
class Noted:
    client: TestClient[web.Request, web.Application]
    openings: list[tuple[bytes | None, str | None]] = field(default_factory=list)


@pytest.fixture
async def noted(pool: asyncpg.Pool, database: str) -> AsyncIterator[Noted]:
    bells = Bells(database)

    async def hear(_: object) -> int:
        return 0

    app = web.Application()
    openings: list[tuple[bytes | None, str | None]] = []
    WebChat(
        pool=pool,
        hear=hear,
        wakeups=lambda visitor: bells.subscribe("webchat", visitor),
        pictures=one_picture,
        opened=lambda visitor, referrer: openings.append((visitor, referrer)),
    ).register(app)
    async with TestClient(TestServer(app)) as client:
        yield Noted(client, openings)


async def test_an_opening_tells_the_cookie_s_hash_and_the_other_site_s_host(noted: Noted) -> None:
    token = "t" * 43
    await noted.client.get("/")
    await noted.client.get("/chat", headers={"Cookie": f"rahhal_visitor={token}"})
    await noted.client.get("/chat", headers={"Referer": "https://Travel.example:8443/secret/path?who=sara"})
    hers = sha256(token.encode()).digest()
    assert noted.openings == [(None, None), (hers, None), (None, "travel.example")]


@pytest.mark.parametrize("referrer", ["http://127.0.0.1/chat?lang=en", "https://[broken", "", "word"])
async def test_our_own_pages_and_nonsense_are_no_referrer(noted: Noted, referrer: str) -> None:
    await noted.client.get("/", headers={"Referer": referrer})
    assert noted.openings == [(None, None)]


async def test_what_is_no_opening_is_not_noted(noted: Noted) -> None:
    await noted.client.head("/")
    await noted.client.get("/", headers={"Sec-Purpose": "prefetch;prerender"})
    await noted.client.get("/chat/history")
    assert noted.openings == []


async def test_one_address_is_noted_a_bounded_number_of_times_and_served_all_the_same(noted: Noted) -> None:
    for _ in range(50):
        assert (await noted.client.get("/")).status == 200
    assert 30 <= len(noted.openings) < 40
