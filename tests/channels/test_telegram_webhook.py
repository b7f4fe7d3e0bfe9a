"""POST /telegram/webhook over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.channels.telegram import (
    BODY_LIMIT,
    PATH,
    SECRET_HEADER,
    Client,
    TelegramDoor,
    open_client,
    routes,
    set_up,
)
from bot.errors import DatabaseUnavailable
from bot.events import Channel, Event, Press, Text
from tests.fakes.bot_api import TOKEN, BotApi

SECRET = "correct-horse_42"
Web = TestClient[web.Request, web.Application]


class Inbox:
    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.letters: list[tuple[Mapping[str, Any], str]] = []
        self.down = False
        self.asked = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    async def hear(self, events: list[Event]) -> int:
        self.asked.set()
        await self.may_commit.wait()
        if self.down:
            raise DatabaseUnavailable("down")
        self.heard.extend(events)
        return len(events)

    async def bury(self, channel: Channel, payload: Mapping[str, Any], reason: str) -> None:
        if self.down:
            raise DatabaseUnavailable("down")
        self.letters.append((payload, reason))


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as running:
        yield running


@pytest.fixture
async def client(api: BotApi) -> AsyncIterator[Client]:
    opened = await open_client(TOKEN, api_url=api.url)
    yield opened
    await opened.shutdown()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(name="web")
async def serve(client: Client, inbox: Inbox, api: BotApi) -> AsyncIterator[Web]:
    door = TelegramDoor(client, hear=inbox.hear, dead_letter=inbox.bury)
    app = web.Application()
    app.add_routes(routes(secret=SECRET, door=door))
    async with TestClient(TestServer(app)) as served:
        api.deliver_to = str(served.make_url("")).rstrip("/")
        yield served
    await door.close()


async def post(web: Web, body: Any, *, secret: str | None = SECRET) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if secret is None else {SECRET_HEADER: secret}
    async with web.post(PATH, data=data, headers=headers) as response:
        return response.status


def update(**content: Any) -> dict[str, Any]:
    person = {"id": 42, "is_bot": False, "first_name": "سارة"}
    chat = {"id": 42, "type": "private"}
    return {
        "update_id": 5,
        "message": {"message_id": 1, "chat": chat, "from": person, "text": "أهلًا", **content},
    }


async def test_an_update_is_heard(web: Web, inbox: Inbox) -> None:
    assert await post(web, update()) == 200
    assert [event.content for event in inbox.heard] == [Text(text="أهلًا")]


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "سر"])
async def test_a_wrong_secret_is_sent_away(web: Web, inbox: Inbox, secret: str | None) -> None:
    assert await post(web, update(), secret=secret) == 403
    assert await post(web, b"{", secret=secret) == 403
    assert (inbox.heard, inbox.letters) == ([], [])


async def test_200_is_said_only_after_the_commit(web: Web, inbox: Inbox) -> None:
    inbox.may_commit.clear()
    answer = asyncio.create_task(post(web, update()))
    await asyncio.wait_for(inbox.asked.wait(), 5)
    assert not answer.done()
    inbox.may_commit.set()
    assert await asyncio.wait_for(answer, 5) == 200


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"{", {"body": "{"}),
        (b"\xff\0", {"body": "\ufffd"}),
        (b"[]", {"payload": []}),
        (b'"x"', {"payload": "x"}),
        (
            b'{"update_id": 5, "message": {"text": "\\u0000\\ud83d!"}}',
            {"update_id": 5, "message": {"text": "!"}},
        ),
    ],
)
async def test_what_is_odd_is_taken_and_kept(
    web: Web, inbox: Inbox, body: bytes, kept: dict[str, Any]
) -> None:
    assert await post(web, body) == 200
    ((payload, reason),) = inbox.letters
    assert payload == kept
    assert reason
    assert inbox.heard == []


async def test_a_body_over_the_limit_is_refused_with_and_without_its_length(web: Web, inbox: Inbox) -> None:
    assert await post(web, b" " * (BODY_LIMIT + 1)) == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * (BODY_LIMIT // 16)

    async with web.post(PATH, data=chunks(), headers={SECRET_HEADER: SECRET}) as response:
        assert response.status == 413
    assert await post(web, update(text="ط" * 30_000)) == 200
    assert len(inbox.heard) == 1


@pytest.mark.parametrize("body", [update(), b"{", []])
async def test_while_the_database_is_down_telegram_is_told_to_come_again(
    web: Web, inbox: Inbox, body: Any
) -> None:
    inbox.down = True
    assert await post(web, body) == 503
    inbox.down = False
    assert await post(web, body) == 200
    assert len(inbox.heard) + len(inbox.letters) == 1


async def test_from_a_press_in_telegram_to_its_answer(
    web: Web, inbox: Inbox, api: BotApi, client: Client
) -> None:
    await set_up(client, commands={}, public_url="https://rahhal.example", secret=SECRET)
    sara = api.user(42)
    await sara.send("أهلًا")
    keyboard = {"inline_keyboard": [[{"text": "نعم", "callback_data": "t"}]]}
    await client.call("sendMessage", {"chat_id": 42, "text": "هل أبدأ؟", "reply_markup": keyboard})
    pressed = await (await sara.one_message()).press("نعم")
    await pressed.answered()
    assert [event.content for event in inbox.heard] == [Text(text="أهلًا"), Press(token="t", label="نعم")]
    assert api.webhook_answers == [200, 200]
    await api.until(lambda: api.called("sendChatAction"), "typing")


async def test_a_failed_delivery_is_repeated_by_telegram(
    web: Web, inbox: Inbox, api: BotApi, client: Client
) -> None:
    await set_up(client, commands={}, public_url="https://rahhal.example", secret=SECRET)
    inbox.down = True
    await api.user(42).send("أهلًا")
    inbox.down = False
    await api.deliver()
    assert api.webhook_answers == [503, 200]
    assert len(inbox.heard) == 1


async def test_a_press_that_is_too_old_is_heard_all_the_same(web: Web, inbox: Inbox, api: BotApi) -> None:
    person = {"id": 42, "is_bot": False, "first_name": "سارة"}
    chat = {"id": 42, "type": "private"}
    query = {"id": "1", "from": person, "data": "t", "message": {"message_id": 1, "date": 0, "chat": chat}}
    assert await post(web, {"update_id": 6, "callback_query": query}) == 200
    await api.until(lambda: api.called("answerCallbackQuery"), "the attempt to answer")
    assert [event.content for event in inbox.heard] == [Press(token="t")]
    assert await post(web, update()) == 200
