"""What the web chat takes in, over HTTP and against the real database."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import aiohttp
import pytest

from bot.channels.webchat.frames import parse
from bot.channels.webchat.limits import Buckets
from bot.errors import OddPayload
from bot.events import MAX_TEXT, Command, Press, Text
from db.pool import Role, as_role
from tests.fakes.webchat_client import Browser
from tests.fakes.webchat_house import House


async def test_acknowledged_means_stored(house: House, browser: Browser) -> None:
    await browser.visit()
    key = str(uuid4())
    answer = await browser.send("فندق في دبي", key=key)
    assert (answer.status, await answer.json()) == (200, {"id": key})
    async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
        row = await conn.fetchrow("SELECT external_id, event FROM inbox")
    visitor = await house.visitor()
    assert row["external_id"] == f"{visitor}:{key}"
    assert row["event"]["content"] == {"type": "text", "text": "فندق في دبي"}
    assert {row["event"][name] for name in ("thread", "address", "sender")} == {visitor}
    assert row["event"]["language"] == "ar-EG"


async def test_the_same_id_is_the_same_message(house: House, browser: Browser) -> None:
    await browser.visit()
    key = str(uuid4())
    answers = await asyncio.gather(*(browser.send("سلام", key=key) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert (await browser.send("سلام", key=key.upper())).status == 200
    assert await house.count("inbox") == 1


async def test_without_a_database_nothing_is_acknowledged(house: House, browser: Browser) -> None:
    await browser.visit()
    house.down = True
    answer = await browser.send("سلام")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    house.down = False
    assert (await browser.send("سلام")).status == 200


async def test_a_closed_pool_is_a_503_everywhere(house: House, browser: Browser) -> None:
    await browser.visit()
    await house.pool.close()
    assert (await browser.send("سلام")).status == 503
    for path in ("/chat/history", "/chat/messages?after=0"):
        async with browser.session.get(path) as answer:
            assert (answer.status, await answer.json()) == (503, {"error": "unavailable"})
    async with browser.session.get("/") as answer:
        assert answer.status == 200


ODD: list[bytes] = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 60_000,
    b"[]",
    b"null",
    b'{"id":"1","content":{"type":"text","text":"a"}}',
    b'{"id":"%s","content":{"type":"text"}}',
    b'{"id":"%s","content":{"type":"text","text":5}}',
    b'{"id":"%s","content":{"type":"media","kind":"photo"}}',
    b'{"id":"%s","content":{"type":"press","token":"' + b"t" * 300 + b'"}}',
    b'{"id":"%s","content":{"type":"location","latitude":91,"longitude":0}}',
    b'{"id":"%s","content":{"type":"location","latitude":NaN,"longitude":0}}',
    b'{"id":"%s","content":{"type":"text","text":"a"},"language":"<script>"}',
    b'{"id":"%s","content":{"type":"text","text":"a"},"sender":"somebody"}',
    b'{"id":"%s","content":{"type":"text","text":"' + b"a" * (MAX_TEXT + 1) + b'"}}',
]


async def test_odd_bodies_are_refused_and_store_nothing(house: House, browser: Browser) -> None:
    await browser.visit()
    for odd in ODD:
        body = odd.replace(b"%s", str(uuid4()).encode())
        async with browser.session.post("/chat/messages", data=body) as answer:
            assert (answer.status, (await answer.json())["error"]) == (422, "not_understood"), odd[:80]
    assert await house.count("inbox") == 0


async def test_a_body_has_a_limit(house: House, browser: Browser) -> None:
    await browser.visit()
    async with browser.session.post("/chat/messages", data=b"a" * (64 * 1024 + 1)) as answer:
        assert answer.status == 413


async def test_a_body_that_is_not_what_it_says_is_a_bad_request(house: House, browser: Browser) -> None:
    await browser.visit()
    headers = {"Content-Encoding": "gzip"}
    async with browser.session.post("/chat/messages", data=b"not gzip", headers=headers) as answer:
        assert answer.status == 400


async def test_the_longest_text_fits(house: House, browser: Browser) -> None:
    await browser.visit()
    assert (await browser.send("ي" * MAX_TEXT)).status == 200
    assert len((await browser.history())["items"][0]["content"]["text"]) == MAX_TEXT


async def test_text_arrives_as_typed(house: House, browser: Browser) -> None:
    await browser.visit()
    typed = "<script>alert(1)</script> *b* \u202e \n سطر"
    await browser.send(typed + "\0")
    await browser.send({"type": "press", "token": "abc", "label": "نعم"})
    await browser.send({"type": "location", "latitude": 30.0, "longitude": 31.2})
    contents = [item["content"] for item in (await browser.history())["items"]]
    assert contents == [
        {"type": "text", "text": typed},
        {"type": "press", "token": "abc", "label": "نعم"},
        {"type": "location", "latitude": 30.0, "longitude": 31.2, "name": ""},
    ]


def test_a_lone_surrogate_is_dropped_and_not_refused() -> None:
    body = b'{"id":"%s","content":{"type":"text","text":"a\\ud83d b"}}' % str(uuid4()).encode()
    assert parse(body, uuid4()).content == Text(text="a b")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/trips", Command(name="trips")),
        (" /START ABC-1 ", Command(name="start", argument="ABC-1")),
        ("/", Text(text="/")),
        ("/مرحبا", Text(text="/مرحبا")),
        ("أو /trips", Text(text="أو /trips")),
    ],
)
def test_a_typed_slash_is_a_command(typed: str, meant: Command | Text) -> None:
    body = json.dumps({"id": str(uuid4()), "content": {"type": "text", "text": typed}}).encode()
    assert parse(body, uuid4()).content == meant


def test_what_is_refused_is_not_repeated_in_the_reason() -> None:
    body = b'{"id":"%s","content":{"type":"text","text":{"secret":1}}}' % str(uuid4()).encode()
    with pytest.raises(OddPayload) as odd:
        parse(body, uuid4())
    assert "secret" not in str(odd.value)


def test_a_press_of_a_calendar_day_is_its_token_and_date() -> None:
    content = {"type": "press", "token": "cal.2026-03-20", "label": "الجمعة"}
    body = json.dumps({"id": str(uuid4()), "content": content}).encode()
    assert parse(body, uuid4()).content == Press(token="cal.2026-03-20", label="الجمعة")


async def test_thirty_messages_a_minute(house: House, browser: Browser) -> None:
    await browser.visit()
    statuses = [(await browser.send("س")).status for _ in range(31)]
    assert statuses[:30] == [200] * 30
    assert statuses[30] == 429
    assert int((await browser.send("س")).headers["Retry-After"]) >= 1


async def test_one_address_does_not_fill_the_table(house: House) -> None:
    headers = {"Origin": house.url, "X-Forwarded-For": "198.51.100.7"}
    async with aiohttp.ClientSession(
        house.url, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        statuses = []
        for _ in range(65):
            async with session.post("/chat/visit") as answer:
                statuses.append(answer.status)
        assert statuses[:60] == [200] * 60
        assert 429 in statuses
        async with session.post("/chat/visit", headers={"X-Forwarded-For": "198.51.100.8"}) as answer:
            assert answer.status == 200


def test_a_bucket_fills_again_and_the_oldest_is_dropped() -> None:
    clock = [0.0]
    buckets = Buckets(capacity=2, per_second=0.5, most=2, clock=lambda: clock[0])
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]
    clock[0] = 2
    assert buckets.take("a") == 0
    buckets.take("b")
    buckets.take("c")
    assert buckets.take("a") == 0  # forgotten, so full
