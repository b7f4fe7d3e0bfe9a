"""What the web chat brings to the page, over HTTP and against the real database."""

from __future__ import annotations

import asyncio
import itertools
from uuid import uuid4

import aiohttp
import pytest

from bot.channels.webchat import stream
from bot.events import Reply
from db import webchat as database
from db.pool import Role, as_role
from tests.fakes.webchat_client import Browser, texts
from tests.fakes.webchat_house import House, button


async def test_what_is_read_counts_as_sent_and_can_be_read_again(house: House, browser: Browser) -> None:
    await browser.visit()
    await browser.send("واحد")
    await house.take_turn()
    [message] = await browser.after(0)
    assert message["edits"] is None
    assert message["at"]
    async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
        row = await conn.fetchrow("SELECT sent_at, external_id FROM outbox")
    assert row["sent_at"] is not None
    assert row["external_id"] == str(message["sequence"])
    assert await browser.after(0) == [message]
    assert await browser.after(message["sequence"]) == []


async def test_reading_goes_on_where_it_stopped(house: House, browser: Browser) -> None:
    await browser.visit()
    await browser.send("أ")
    await house.take_turn()
    first = await browser.after(0)
    await house.say(await house.visitor(), *(Reply(key="k", text=f"رسالة {n}") for n in range(120)))
    seen, last = [], first[-1]["sequence"]
    while batch := await browser.after(last):
        assert len(batch) <= stream.BATCH
        seen += texts(batch)
        last = batch[-1]["sequence"]
    assert seen == [f"رسالة {n}" for n in range(120)]


async def test_a_reader_is_answered_as_soon_as_there_is_something(house: House, browser: Browser) -> None:
    await browser.visit()
    await browser.send("أ")
    reading = asyncio.create_task(browser.after(0, wait=20))
    await house.take_turn()
    assert texts(await asyncio.wait_for(reading, 10)) == ["وصل: أ"]


async def test_a_socket_brings_what_was_missed_and_what_comes(house: House, browser: Browser) -> None:
    await browser.visit()
    await browser.send("قبل")
    await house.take_turn()
    async with browser.session.ws_connect("/chat/socket?after=0") as socket:
        first = await asyncio.wait_for(socket.receive_json(), 10)
        assert texts(first["messages"]) == ["وصل: قبل"]
        await browser.send("بعد")
        await house.take_turn()
        second = await asyncio.wait_for(socket.receive_json(), 10)
        assert texts(second["messages"]) == ["وصل: بعد"]
    after = second["messages"][-1]["sequence"]
    await house.say(await house.visitor(), Reply(key="k", text="في الغياب"))
    async with browser.session.ws_connect(f"/chat/socket?after={after}") as socket:
        third = await asyncio.wait_for(socket.receive_json(), 10)
        assert texts(third["messages"]) == ["في الغياب"]


async def test_a_socket_looks_by_itself_when_nobody_wakes_it(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "QUICK", 0.05)
    monkeypatch.setattr(house.bells, "ring", lambda *_: None)
    await browser.visit()
    await browser.send("أ")
    async with browser.session.ws_connect("/chat/socket?after=0") as socket:
        await house.take_turn()
        assert texts((await asyncio.wait_for(socket.receive_json(), 10))["messages"]) == ["وصل: أ"]


async def test_an_idle_socket_looks_at_once_when_the_page_waits(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ATTENTIVE", -1.0)
    monkeypatch.setattr(stream, "SLOW", 3600.0)
    monkeypatch.setattr(house.bells, "ring", lambda *_: None)
    await browser.visit()
    async with browser.session.ws_connect("/chat/socket?after=0") as socket:
        await socket.send_str("ping")
        assert await asyncio.wait_for(socket.receive_json(), 10) == {"type": "pong"}
        await browser.send("أ")
        await house.take_turn()
        await socket.send_str("waiting")
        assert texts((await asyncio.wait_for(socket.receive_json(), 10))["messages"]) == ["وصل: أ"]


async def test_an_edit_names_what_it_replaces(house: House, browser: Browser) -> None:
    await browser.visit()
    token = uuid4().hex
    house.answer = lambda content: [
        Reply(key="k", text="مارس", buttons=((button("التالي", token),),))
        if content["type"] == "text"
        else Reply(key="k", text="أبريل", edit=True)
    ]
    await browser.send("متى؟")
    await house.take_turn()
    await browser.send({"type": "press", "token": token})
    await house.take_turn()
    march, april = await browser.after(0)
    assert (march["edits"], april["edits"]) == (None, march["sequence"])


async def test_history_is_the_end_of_both_directions(house: House, browser: Browser) -> None:
    await browser.visit()
    assert await browser.history() == {"known": True, "after": 0, "items": []}
    for n in range(28):
        await browser.send(f"س{n}")
        await house.take_turn()
    await browser.send("بلا جواب بعد")
    found = await browser.history()
    assert len(found["items"]) == 50
    assert found["items"][-1]["content"]["text"] == "بلا جواب بعد"
    said = [item for item in found["items"] if "payload" in item]
    assert found["after"] == said[-1]["sequence"]
    pairs = list(zip(found["items"][1:-1:2], found["items"][2:-1:2], strict=False))
    assert all(
        theirs["payload"]["text"] == f"وصل: {mine['content']['text']}"
        for mine, theirs in pairs
        if "content" in mine
    )
    async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
        assert await conn.fetchval("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0


async def test_a_sequence_is_a_number(browser: Browser) -> None:
    await browser.visit()
    wrong = ("-1", "x", "1.5", "9" * 30, "٥")
    for path, after in itertools.product(("/chat/messages", "/chat/socket"), wrong):
        async with browser.session.get(path, params={"after": after}) as answer:
            assert answer.status == 400


async def test_five_sockets_a_visitor(browser: Browser) -> None:
    await browser.visit()
    sockets = [await browser.session.ws_connect("/chat/socket") for _ in range(5)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.session.ws_connect("/chat/socket")
    assert refused.value.status == 429
    assert await asyncio.wait_for(browser.after(0, wait=25), 10) == []  # not held beyond the limit
    await sockets.pop().close()
    async with asyncio.timeout(10):
        while True:
            try:
                sockets.append(await browser.session.ws_connect("/chat/socket"))
                break
            except aiohttp.WSServerHandshakeError:
                await asyncio.sleep(0.01)
    for socket in sockets:
        await socket.close()


async def test_a_frame_has_a_limit(browser: Browser) -> None:
    await browser.visit()
    async with browser.session.ws_connect("/chat/socket") as socket:
        await socket.send_str("x" * 2000)
        frame = await asyncio.wait_for(socket.receive(), 10)
        assert (frame.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_a_visitor_forgotten_meanwhile_is_told_so(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await browser.visit()
    async with browser.session.ws_connect("/chat/socket") as socket:
        async with house.pool.acquire() as conn, as_role(conn, Role.SERVICE):
            await conn.execute("DELETE FROM webchat_visitors")
        await socket.send_str("waiting")
        frame = await asyncio.wait_for(socket.receive(), 10)
        assert (frame.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, stream.UNKNOWN_VISITOR)


async def test_sockets_are_sent_away_when_the_server_stops(house: House, browser: Browser) -> None:
    await browser.visit()
    async with browser.session.ws_connect("/chat/socket") as socket:
        closing = asyncio.create_task(house.server.close())
        frame = await asyncio.wait_for(socket.receive(), 10)
        assert (frame.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1001)
        await asyncio.wait_for(closing, 10)


async def test_what_nobody_came_back_for_does_not_wait_in_the_outbox(house: House, browser: Browser) -> None:
    await browser.visit()
    await browser.send("أ")
    await house.take_turn()
    async with house.pool.acquire() as conn:
        async with as_role(conn, Role.SERVICE):
            await conn.execute("UPDATE outbox SET created_at = now() - interval '2 hours'")
        async with as_role(conn, Role.WORKER):
            assert await database.sweep(conn) == 0
        async with as_role(conn, Role.SERVICE):
            assert await conn.fetchval("SELECT sent_at IS NOT NULL FROM outbox")
    assert texts(await browser.after(0)) == ["وصل: أ"]
