"""People who write to the bot: what they send becomes updates, what the bot sends is what they read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.bot_api_limits import DEEP_LINK

if TYPE_CHECKING:
    from tests.fakes.bot_api import BotApi


@dataclass(frozen=True)
class Person:
    user_id: int
    name: str
    language: str | None

    @property
    def wire(self) -> dict[str, Any]:
        user: dict[str, Any] = {"id": self.user_id, "is_bot": False, "first_name": self.name}
        if self.language:
            user["language_code"] = self.language
        return user


class User:
    """One person in one chat."""

    def __init__(self, api: BotApi, person: Person, chat: dict[str, Any]) -> None:
        self._api = api
        self.person = person
        self.chat = chat

    @property
    def chat_id(self) -> int:
        return int(self.chat["id"])

    async def send(self, text: str) -> dict[str, Any]:
        """A text, or a command when it begins with a slash. The update as the bot gets it."""
        content: dict[str, Any] = {"text": text}
        if text.startswith("/"):
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        return await self.send_content(**content)

    async def start(self, payload: str = "") -> dict[str, Any]:
        """Press Start, perhaps through t.me/bot?start=payload."""
        assert not payload or DEEP_LINK.fullmatch(payload), "a deep link takes 1 to 64 of A-Z a-z 0-9 _ -"
        return await self.send(f"/start {payload}".strip())

    async def send_photo(self, caption: str = "") -> dict[str, Any]:
        sizes = [
            {"file_id": f"{size}-{self._api.new_number()}", "width": size, "height": size}
            for size in (90, 800)
        ]
        return await self.send_content(photo=sizes, **({"caption": caption} if caption else {}))

    async def send_voice(self) -> dict[str, Any]:
        return await self.send_content(voice={"file_id": f"voice-{self._api.new_number()}", "duration": 3})

    async def send_location(self, latitude: float, longitude: float) -> dict[str, Any]:
        return await self.send_content(location={"latitude": latitude, "longitude": longitude})

    async def send_content(self, **content: Any) -> dict[str, Any]:
        """Any message, by the Bot API's fields."""
        self._api.chats.setdefault(self.chat_id, self.chat)
        message: dict[str, Any] = {
            "message_id": self._api.new_number(),
            "date": int(time.time()),
            "chat": self.chat,
            "from": self.person.wire,
            **content,
        }
        self._api.history[self.chat_id][message["message_id"]] = message
        return await self._api.push(message=message)

    async def one_message(self) -> Message:
        """The next message not read yet, new or edited; waits for it."""
        unread = self._api.unread[self.chat_id]
        await self._api.until(lambda: len(unread), f"a message in chat {self.chat_id}")
        return Message(self, dict(unread.popleft()))

    async def messages(self, number: int) -> list[Message]:
        return [await self.one_message() for _ in range(number)]

    async def press(self, message: dict[str, Any], data: str) -> Pressed:
        """A press with any callback_data, as a modified client could send it."""
        query_id = str(10**15 + self._api.new_number())
        self._api.waiting_callbacks.add(query_id)
        query = {
            "id": query_id,
            "from": self.person.wire,
            "chat_instance": "1",
            "data": data,
            "message": message,
        }
        update = await self._api.push(callback_query=query)
        return Pressed(self._api, query_id, update)

    def block(self) -> None:
        self._api.forbidden[self.chat_id] = "bot was blocked by the user"

    def unblock(self) -> None:
        del self._api.forbidden[self.chat_id]

    def history(self) -> list[dict[str, Any]]:
        """The chat as it reads now, oldest first."""
        return list(self._api.history[self.chat_id].values())


class Group:
    def __init__(self, api: BotApi, chat: dict[str, Any]) -> None:
        self._api = api
        self.chat = chat

    def member(self, user_id: int, *, language: str | None = "ar", name: str = "منى") -> User:
        return User(self._api, Person(user_id, name=name, language=language), self.chat)

    def becomes_supergroup(self, chat_id: int) -> None:
        self._api.migrated[self.chat["id"]] = chat_id
        self._api.chats[chat_id] = {**self.chat, "id": chat_id, "type": "supergroup"}


@dataclass(frozen=True)
class Message:
    """A message of the bot as its reader sees it."""

    reader: User
    raw: dict[str, Any]

    @property
    def text(self) -> str:
        return str(self.raw.get("text", self.raw.get("caption", "")))

    @property
    def message_id(self) -> int:
        return int(self.raw["message_id"])

    @property
    def edited(self) -> bool:
        return "edit_date" in self.raw

    @property
    def photo(self) -> str | None:
        """The file_id of the photo."""
        return self.raw["photo"][-1]["file_id"] if "photo" in self.raw else None

    @property
    def rows(self) -> list[list[str]]:
        """Labels, as laid out."""
        return [[button["text"] for button in row] for row in self._keyboard()]

    @property
    def buttons(self) -> list[str]:
        return [label for row in self.rows for label in row]

    async def press(self, label: str) -> Pressed:
        """The first button with this label, or the only one that contains it."""
        choices = [button for row in self._keyboard() for button in row if "callback_data" in button]
        found = [button for button in choices if button["text"] == label]
        found = found or [button for button in choices if label in button["text"]]
        assert found, f"no button «{label}» among {self.buttons}"
        return await self.reader.press(self.raw, found[0]["callback_data"])

    def _keyboard(self) -> list[list[dict[str, Any]]]:
        rows: list[list[dict[str, Any]]] = self.raw.get("reply_markup", {}).get("inline_keyboard", [])
        return rows


@dataclass(frozen=True)
class Pressed:
    api: BotApi
    query_id: str
    update: dict[str, Any]

    async def answered(self) -> dict[str, Any]:
        """Waits until the bot stopped the button's spinner; what it answered with."""
        return await self.api.until(lambda: self.api.answered.get(self.query_id), "an answer to the press")
