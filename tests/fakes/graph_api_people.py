"""The people on the other side of the fake Graph API, and what they see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.graph_api import GraphApi, Posted


class User:
    """One person on WhatsApp, known by phone, by business-scoped user id, or by both."""

    def __init__(self, graph: GraphApi, *, phone: str | None, user_id: str | None, name: str) -> None:
        assert phone or user_id, "nobody has neither"
        self._graph = graph
        self.phone = phone
        self.user_id = user_id
        self.name = name
        self.last_wrote: datetime | None = None
        self.unreachable = False

    @property
    def key(self) -> str:
        return self.phone or self.user_id or ""

    async def send(self, text: str) -> str:
        """A text; the id of the message."""
        return await self.send_content("text", {"body": text})

    async def send_photo(self, caption: str = "") -> str:
        image = {"id": "1003383421387256", "mime_type": "image/jpeg", "sha256": "vrDn64IQ="}
        return await self.send_content("image", {**image, **({"caption": caption} if caption else {})})

    async def send_voice(self) -> str:
        return await self.send_content(
            "audio", {"id": "1908647269898587", "mime_type": "audio/ogg", "voice": True}
        )

    async def send_location(self, latitude: float, longitude: float) -> str:
        return await self.send_content("location", {"latitude": latitude, "longitude": longitude})

    async def react(self, message: Message, emoji: str) -> str:
        return await self.send_content("reaction", {"message_id": message.id, "emoji": emoji})

    async def send_content(self, kind: str, content: dict[str, Any], **message: Any) -> str:
        """Anything a message may hold. It opens the window."""
        self.last_wrote = self._graph.now()
        message_id = self._graph.new_id()
        await self._graph.push(
            contacts=[self.contact()],
            messages=[{**self.message(message_id), "type": kind, kind: content, **message}],
        )
        return message_id

    def contact(self) -> dict[str, Any]:
        known = {"wa_id": self.phone, "user_id": self.user_id}
        return {"profile": {"name": self.name}, **{name: value for name, value in known.items() if value}}

    def message(self, message_id: str) -> dict[str, Any]:
        """What every message of theirs begins with."""
        known = {"from": self.phone, "from_user_id": self.user_id}
        return {
            **{name: value for name, value in known.items() if value},
            "id": message_id,
            "timestamp": str(int(self._graph.now().timestamp())),
        }

    async def one_message(self) -> Message:
        """The next message not read yet; waits for it."""
        unread = self._graph.unread[self.key]
        await self._graph.until(lambda: len(unread), f"a message to {self.name}")
        return Message(self, unread.popleft())

    async def messages(self, number: int) -> list[Message]:
        return [await self.one_message() for _ in range(number)]

    def block(self) -> None:
        """Nothing more gets through."""
        self.unreachable = True

    async def report(self, message: Message, name: str, *, code: int = 0, details: str = "") -> None:
        """Deliver a status: sent, delivered, read, failed."""
        await self._graph.status(message.id, self, name, code=code, details=details)


@dataclass(frozen=True)
class Message:
    """A message of the bot as its reader sees it."""

    reader: User
    posted: Posted

    @property
    def id(self) -> str:
        return self.posted.id

    @property
    def raw(self) -> dict[str, Any]:
        return self.posted.body

    @property
    def kind(self) -> str:
        """text, image, location, template, or the interactive type: button, list, cta_url."""
        return str(self._interactive.get("type", self.raw["type"]))

    @property
    def text(self) -> str:
        """What stands in it to be read."""
        body = self._interactive.get("body", {}).get("text")
        return str(
            body or self.raw.get("text", {}).get("body") or self.raw.get("image", {}).get("caption", "")
        )

    @property
    def picture(self) -> str | None:
        """The media id or link of its picture."""
        image = self.raw.get("image") or self._interactive.get("header", {}).get("image") or {}
        return image.get("id") or image.get("link")

    @property
    def buttons(self) -> list[str]:
        """What can be tapped, by its title: reply buttons, rows of a list, a link."""
        link = self._action.get("parameters", {}).get("display_text")
        return [choice["title"] for choice in self._choices] + ([link] if link else [])

    async def press(self, label: str) -> str:
        """The first choice with this title, or the first that contains it; the id of the message it sends."""
        found = [c for c in self._choices if c["title"] == label] or [
            c for c in self._choices if label in c["title"]
        ]
        assert found, f"no «{label}» among {self.buttons}"
        kind = "list_reply" if self.kind == "list" else "button_reply"
        reply = {"type": kind, kind: found[0]}
        return await self.reader.send_content("interactive", reply, context={"id": self.id})

    @property
    def _interactive(self) -> dict[str, Any]:
        return dict(self.raw.get("interactive", {}))

    @property
    def _action(self) -> dict[str, Any]:
        return dict(self._interactive.get("action", {}))

    @property
    def _choices(self) -> list[dict[str, Any]]:
        rows = [row for section in self._action.get("sections", []) for row in section["rows"]]
        return rows + [button["reply"] for button in self._action.get("buttons", [])]
