"""Who may speak and read in the web chat, against the real database."""

from __future__ import annotations

from hashlib import sha256

import aiohttp
import asyncpg
import pytest

from bot.channels.webchat.identity import COOKIE
from db import webchat as database
from db.pool import Role, as_role
from tests.fakes.webchat_client import Browser, texts
from tests.fakes.webchat_house import House


async def test_looking_at_the_page_leaves_no_trace(house: House, browser: Browser) -> None:
    for path in ("/", "/chat", "/chat/history"):
        async with browser.session.get(path) as answer:
            assert answer.status == 200
            assert COOKIE not in answer.cookies
    assert await house.count("webchat_visitors") == 0


async def test_the_cookie_is_out_of_reach_and_only_its_hash_is_kept(house: House, browser: Browser) -> None:
    async with browser.session.post("/chat/visit") as answer:
        cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert int(cookie["max-age"]) == 365 * 86_400
    assert not cookie["secure"]
    async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
        rows = await conn.fetch("SELECT token_hash FROM webchat_visitors")
    assert [row["token_hash"] for row in rows] == [sha256(cookie.value.encode()).digest()]
    assert len(cookie.value) == 43  # 256 bits


async def test_the_cookie_is_secure_where_the_world_comes_by_https(pool: asyncpg.Pool, database: str) -> None:
    house = House(pool, database, public_url="https://chat.example")
    async with house.open(answering=False), aiohttp.ClientSession(house.url) as session:
        async with session.post("/chat/visit", headers={"Origin": "https://chat.example"}) as answer:
            assert answer.cookies[COOKIE]["secure"]
        async with session.get("/") as answer:
            assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_a_second_visit_is_the_same_visitor(house: House, browser: Browser) -> None:
    await browser.visit()
    await browser.visit()
    assert await house.count("webchat_visitors") == 1


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "ا" * 43, "A" * 5000])
async def test_a_made_up_token_opens_nothing(house: House, token: str) -> None:
    headers = {"Origin": house.url, "Cookie": f"{COOKIE}={token}"}
    async with aiohttp.ClientSession(house.url, headers=headers) as session:
        async with session.get("/chat/messages?after=0") as answer:
            assert (answer.status, await answer.json()) == (401, {"error": "unknown_visitor"})
        async with session.post("/chat/messages", json={}) as answer:
            assert answer.status == 401
        async with session.get("/chat/history") as answer:
            assert await answer.json() == {"known": False, "after": 0, "items": []}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/chat/socket")
        assert refused.value.status == 401


async def test_an_expired_token_is_forgotten(house: House, browser: Browser) -> None:
    await browser.visit()
    async with house.pool.acquire() as conn:
        async with as_role(conn, Role.SERVICE):
            await conn.execute(
                "UPDATE webchat_visitors SET created_at = now() - interval '2 days', expires_at = now() - interval '1 second'"
            )
        assert (await browser.send("سلام")).status == 401
        async with as_role(conn, Role.WORKER):
            assert await database.sweep(conn) == 1
    assert await house.count("webchat_visitors") == 0


async def test_a_visit_prolongs_a_token_once_a_day(house: House, browser: Browser) -> None:
    await browser.visit()
    async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
        await conn.execute(
            "UPDATE webchat_visitors SET created_at = now() - interval '9 days', last_seen_at = now() - interval '9 days', "
            "expires_at = now() + interval '3 days'"
        )
    await browser.history()
    async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
        assert await conn.fetchval("SELECT expires_at > now() + interval '360 days' FROM webchat_visitors")


async def test_another_visitor_reads_nothing_of_mine(
    house: House, browser: Browser, stranger: Browser
) -> None:
    await browser.visit()
    await stranger.visit()
    await browser.send("سري")
    await house.take_turn()
    assert await stranger.after(0) == []
    assert (await stranger.history())["items"] == []
    assert texts(await browser.after(0)) == ["وصل: سري"]


async def test_turns_cannot_read_the_table_of_tokens(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        for role in (Role.APP, Role.WORKER, Role.ANALYTICS):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with as_role(conn, role):
                    await conn.fetch("SELECT * FROM webchat_visitors")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1@evil.example",
        "chat",
        "http://[::1",
    ],
)
async def test_other_sites_are_refused(house: House, browser: Browser, origin: str) -> None:
    await browser.visit()
    async with browser.session.post("/chat/visit", headers={"Origin": origin}) as answer:
        assert (answer.status, await answer.json()) == (403, {"error": "foreign_origin"})
    assert (await browser.send("سلام", Origin=origin)).status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.session.ws_connect("/chat/socket", headers={"Origin": origin})
    assert refused.value.status == 403
    assert await house.count("inbox") == 0


async def test_no_origin_is_no_page_of_ours(house: House) -> None:
    async with aiohttp.ClientSession(house.url) as session, session.post("/chat/visit") as answer:
        assert answer.status == 403
