"""The web chat on a real database and a real port, with somebody behind it who answers what a test tells her to."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from bot.channels.webchat import WebChat, WebchatRenderer
from bot.errors import DatabaseUnavailable
from bot.events import Button, Card, Do, Event, Picture, Reply
from db import turns
from db.bells import Bells
from db.pool import Role, as_role

Answer = Callable[[dict[str, Any]], list[Reply]]
"""The content of an event → what is said to it."""


def echo(content: dict[str, Any]) -> list[Reply]:
    said = content.get("text") or content.get("label") or content["type"]
    return [Reply(key="echo", text=f"وصل: {said}")]


def button(label: str, token: str = "", **more: Any) -> Button:
    """A button as the turn hands it to a renderer: with its token."""
    return Button(label=label, do=Do(name="test"), token=token or uuid4().hex[:16], **more)


def jpeg(color: tuple[int, int, int] = (200, 150, 90)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 64), color).save(out, "JPEG")
    return out.getvalue()


async def one_picture(source: str) -> bytes:
    if not source.startswith("hotel/"):
        raise LookupError(source)
    return jpeg()


@dataclass
class House:
    """`answer` says what comes back; `down` makes the database seem away to whoever brings a message."""

    pool: asyncpg.Pool
    dsn: str
    answer: Answer = echo
    demo: bool = True
    public_url: str | None = None
    pictures: Callable[[str], Any] = one_picture
    down: bool = False
    heard: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bells = Bells(self.dsn)  # not started: it rings within this process
        self.renderer = WebchatRenderer()
        self.chat = WebChat(
            pool=self.pool,
            hear=self.hear,
            wakeups=lambda visitor: self.bells.subscribe("webchat", visitor),
            pictures=self.pictures,
            public_url=self.public_url,
            demo=self.demo,
        )
        self.app = web.Application()
        self.chat.register(self.app)
        self.server = TestServer(self.app)
        self._waiting = asyncio.Event()

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def hear(self, events: list[Event]) -> int:
        if self.down:
            raise DatabaseUnavailable("down for the test")
        self.heard += events
        rows = [
            {
                "channel": e.channel.value,
                "external_id": e.external_id,
                "thread": e.thread,
                "address": e.address,
                "sent_at": None,
                "event": e.model_dump(mode="json", exclude_none=True),
            }
            for e in events
        ]
        async with self.pool.acquire() as conn, as_role(conn, Role.APP):
            new = await turns.hear(conn, events=rows)
        self._waiting.set()
        return new

    async def take_turn(self) -> bool:
        """Answer the conversation that has waited longest; False when nobody waits."""
        async with self.pool.acquire() as conn, as_role(conn, Role.APP):
            claim = await turns.begin_turn(conn, channels=["webchat"])
            if claim is None:
                return False
            answers: list[dict[str, Any]] = []
            for message in claim.waiting:
                content = message.event["content"]
                pressed = (
                    await turns.press(conn, conversation=claim.talk.id, token=content["token"].split(".")[0])
                    if content["type"] == "press"
                    else None
                )
                row = pressed.outbox_id if pressed else None
                answers += [self._written(reply, row) for reply in self.answer(content)]
            await turns.end_turn(
                conn,
                conversation=claim.talk.id,
                answered=[message.id for message in claim.waiting],
                dialogue={},
                answers=answers,
                heard=[{"inbox_id": message.id, "text": "…"} for message in claim.waiting],
                actions=[],
            )
        self.bells.ring("webchat", claim.talk.address)
        return True

    async def say(self, visitor: str, *replies: Reply) -> None:
        """Say something unasked, as a job would."""
        async with self.pool.acquire() as conn, as_role(conn, Role.SERVICE):
            for reply in replies:
                for payload in self.renderer.render(reply):
                    await conn.execute(
                        "INSERT INTO outbox (conversation_id, key, locale, payload) "
                        "SELECT id, $2, 'ar-EG', $3::jsonb FROM conversations WHERE channel = 'webchat' AND thread = $1",
                        visitor,
                        reply.key,
                        payload,
                    )
        self.bells.ring("webchat", visitor)

    async def visitor(self) -> str:
        """The only visitor there is."""
        async with self.pool.acquire() as conn, as_role(conn, Role.SERVICE):
            found: str = await conn.fetchval("SELECT visitor::text FROM webchat_visitors")
            return found

    async def count(self, table: str) -> int:
        async with self.pool.acquire() as conn, as_role(conn, Role.SERVICE):
            n: int = await conn.fetchval(f"SELECT count(*) FROM {table}")
            return n

    @contextlib.asynccontextmanager
    async def open(self, *, answering: bool = True) -> AsyncIterator[House]:
        await self.server.start_server()
        worker = asyncio.create_task(self._answer_all()) if answering else None
        try:
            yield self
        finally:
            if worker:
                worker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await worker
            await self.server.close()

    async def _answer_all(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while await self.take_turn():
                pass

    def _written(self, reply: Reply, pressed: int | None) -> dict[str, Any]:
        return {
            "key": reply.key,
            "values": {},
            "locale": "ar-EG",
            "edits": pressed if reply.edit else None,
            "text": reply.text,
            "payloads": self.renderer.render(reply),
            "buttons": [
                {"token": token, "label": label, "command": {"name": "test"}, "once": False}
                for token, label in tokens_of(reply)
            ],
        }


def tokens_of(reply: Reply) -> list[tuple[str, str]]:
    found = [(b.token, b.label) for row in reply.buttons for b in row if b.token]
    found += [(b.token, b.label) for card in reply.cards for b in card.buttons if b.token]
    if reply.menu:
        found += [(row.token, row.title) for row in reply.menu.rows]
    if reply.calendar:
        found.append((reply.calendar.token, reply.calendar.title))
        found += [(b.token, b.label) for b in (reply.calendar.previous, reply.calendar.following) if b]
    return found


def card(title: str, *lines: str, source: str | None = None, buttons: tuple[Button, ...] = ()) -> Card:
    picture = Picture(source=source, alt=title) if source else None
    return Card(title=title, lines=lines, picture=picture, buttons=buttons)
