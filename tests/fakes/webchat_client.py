"""What the web chat's page does over HTTP, without a page."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import aiohttp

from tests.fakes.webchat_house import House


class Browser:
    """One visitor's cookie jar and what its page does."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.session = aiohttp.ClientSession(
            base_url=house.url,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"Origin": house.url},
        )

    async def visit(self) -> None:
        async with self.session.post("/chat/visit") as answer:
            assert answer.status == 200

    async def send(self, content: Any, *, key: str | None = None, **headers: str) -> aiohttp.ClientResponse:
        content = {"type": "text", "text": content} if isinstance(content, str) else content
        body = {"id": key or str(uuid4()), "content": content, "language": "ar-EG"}
        answer = await self.session.post("/chat/messages", json=body, headers=headers)
        await answer.read()
        return answer

    async def after(self, sequence: int = 0, **query: int) -> list[dict[str, Any]]:
        async with self.session.get("/chat/messages", params={"after": sequence, **query}) as answer:
            assert answer.status == 200, await answer.text()
            messages: list[dict[str, Any]] = (await answer.json())["messages"]
            return messages

    async def history(self) -> dict[str, Any]:
        async with self.session.get("/chat/history") as answer:
            found: dict[str, Any] = await answer.json()
            return found


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["payload"]["text"] for message in messages]
