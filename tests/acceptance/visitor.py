"""A visitor of the web chat, by HTTP: what its page does, without a page."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import aiohttp

PATIENCE = 5.0
LOOK = 0.05


class Visitor:
    """Writes by POST and reads from the socket, which is opened anew after the last sequence whenever it goes down."""

    def __init__(self, url: str) -> None:
        self.sequence = 0
        self.received: list[int] = []
        self._session = aiohttp.ClientSession(
            base_url=url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": url}
        )
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._unread: deque[dict[str, Any]] = deque()

    async def __aenter__(self) -> Self:
        async with self._session.post("/chat/visit") as answer:
            assert answer.status == 200
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket:
            await self._socket.close()
        await self._session.close()

    async def send(self, text: str) -> UUID:
        return await self.post({"type": "text", "text": text})

    async def post(self, content: dict[str, Any], *, key: UUID | None = None) -> UUID:
        """Bring a message until it was taken, as the page does, under one id."""
        key = key or uuid4()
        async with asyncio.timeout(4 * PATIENCE):
            while (status := await self.post_once(content, key=key)) != 200:
                assert status in (0, 503), status
                await asyncio.sleep(LOOK)
        return key

    async def post_once(self, content: dict[str, Any], *, key: UUID) -> int:
        """The status of one attempt; 0 when nobody answered."""
        body = {"id": str(key), "content": content, "language": "ar-EG"}
        try:
            async with self._session.post("/chat/messages", json=body) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def one_message(self) -> WebMessage:
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._unread:
                    await self._receive()
        except TimeoutError:
            raise AssertionError("waited in vain for a message in the web chat") from None
        return WebMessage(self, self._unread.popleft())

    async def _receive(self) -> None:
        if self._socket is None or self._socket.closed:
            try:
                self._socket = await self._session.ws_connect(f"/chat/socket?after={self.sequence}")
            except aiohttp.ClientError:
                await asyncio.sleep(LOOK)
                return
        frame = await self._socket.receive()
        if frame.type is not aiohttp.WSMsgType.TEXT:
            await self._socket.close()
            return
        for message in frame.json().get("messages", ()):
            self.sequence = message["sequence"]
            self.received.append(message["sequence"])
            self._unread.append(message["payload"])


@dataclass(frozen=True)
class WebMessage:
    """A message as the page shows it."""

    reader: Visitor
    payload: dict[str, Any]

    @property
    def text(self) -> str:
        cards = [
            "\n".join([f"الخيار {number}: {card['title']}", *card["lines"]])
            for number, card in enumerate(self.payload.get("cards", ()), start=1)
        ]
        return "\n\n".join([self.payload["text"], *cards])

    @property
    def buttons(self) -> list[str]:
        return [choice["label"] for choice in self._choices]

    async def press(self, label: str) -> UUID:
        """The button of this label, or the only one that contains it. A card's title presses its first button."""
        return await self.reader.post(self.content(self.choice(label)))

    def choice(self, label: str) -> dict[str, Any]:
        found = [c for c in self._choices if c["label"] == label]
        found = found or [c for c in self._choices if label in c["label"]]
        assert found, f"no button «{label}» among {self.buttons}"
        return found[0]

    @staticmethod
    def content(choice: dict[str, Any]) -> dict[str, Any]:
        return {"type": "press", "token": choice["token"], "label": choice["label"]}

    @property
    def _choices(self) -> list[dict[str, Any]]:
        shown = [button for row in self.payload.get("buttons", ()) for button in row if "token" in button]
        shown += [
            {"label": row["title"], "token": row["token"]}
            for row in self.payload.get("menu", {}).get("rows", ())
        ]
        for card in self.payload.get("cards", ()):
            shown += [{"label": card["title"], "token": card["buttons"][0]["token"]}]
        return shown
