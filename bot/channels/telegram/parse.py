"""An update of the Bot API → what a person did. Fields and kinds that are new to us are passed over, never an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import ValidationError

from bot.errors import OddPayload
from bot.events import MAX_TEXT, Channel, Command, Content, Event, Location, Media, Press, Text, Unsupported

ALLOWED_UPDATES: Final = ("message", "callback_query")
"""The kinds of updates we ask Telegram for, by polling and by webhook."""

NOTHING: Final = "-"
"""callback_data of a button that does nothing: a blank day, a heading. Its press is answered and is no event."""

_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?\s*", re.DOTALL)

_MEDIA: Final[tuple[tuple[str, Literal["voice", "audio", "video", "document", "sticker"]], ...]] = (
    ("voice", "voice"),
    ("audio", "audio"),
    ("video", "video"),
    ("video_note", "video"),
    ("animation", "video"),  # before «document», which Telegram sets beside it
    ("document", "document"),
    ("sticker", "sticker"),
)

_UNSUPPORTED: Final = (
    "contact",
    "poll",
    "dice",
    "game",
    "story",
    "checklist",
    "paid_media",
    "invoice",
    "successful_payment",
    "web_app_data",
    "users_shared",
    "chat_shared",
    "gift",
    "giveaway",
)
"""What a person sends that has no meaning here. Everything else without text or media is a note of Telegram's own about
the chat (a pinned message, a new member, a changed title) and nobody waits for an answer to it."""


def parse(update: Mapping[str, Any], *, username: str | None = None) -> list[Event]:
    """The events in one update: one, or none where no person speaks to us (channel posts, edits, joins, other bots).

    username: ours; in groups a command that names another bot is then passed over. Raises OddPayload for what is not an
    update or lacks what every update has.
    """
    if not is_update(update):
        raise OddPayload("not an update")
    try:
        if "message" in update:
            message = update["message"]
            content = _said(message, username)
            return _event(update["update_id"], message["chat"], message.get("from"), content)
        if "callback_query" in update:
            query = update["callback_query"]
            chat = (query.get("message") or {}).get("chat")
            return _event(update["update_id"], chat, query["from"], _pressed(query))
    except (LookupError, TypeError, AttributeError, ValidationError) as error:
        raise OddPayload(f"an update of an unknown shape ({type(error).__name__})") from None
    return []


def is_update(value: object) -> bool:
    """Whether it has the one field every update has."""
    return isinstance(value, Mapping) and type(value.get("update_id")) is int


def _event(
    update_id: int, chat: Mapping[str, Any] | None, person: Mapping[str, Any] | None, content: Content | None
) -> list[Event]:
    if content is None or chat is None or person is None or person.get("is_bot"):
        return []
    if chat["type"] == "channel":
        return []
    address, sender = str(chat["id"]), str(person["id"])
    name = " ".join(part for part in (person.get("first_name"), person.get("last_name")) if part)
    return [
        Event(
            channel=Channel.TELEGRAM,
            external_id=str(update_id),
            thread=address if chat["type"] == "private" else f"{address}:{sender}",
            address=address,
            sender=sender,
            content=content,
            language=(person.get("language_code") or "")[:35] or None,
            sender_name=name[:200] or None,
        )
    ]


def _said(message: Mapping[str, Any], username: str | None) -> Content | None:
    if "text" in message:
        return _text_or_command(message["text"], username)
    caption = message.get("caption", "")[:MAX_TEXT]
    if "photo" in message:
        largest = message["photo"][-1]
        return Media(kind="photo", media_id=largest["file_id"], caption=caption)
    for field, kind in _MEDIA:
        if field in message:
            return Media(kind=kind, media_id=message[field]["file_id"], caption=caption)
    if "location" in message:  # a venue has one too
        point = message["location"]
        name = message.get("venue", {}).get("title", "")[:200]
        return Location(latitude=point["latitude"], longitude=point["longitude"], name=name)
    unsupported = next((field for field in _UNSUPPORTED if field in message), None)
    return Unsupported(kind=unsupported) if unsupported else None


def _text_or_command(text: str, username: str | None) -> Content | None:
    command = _COMMAND.fullmatch(text) if text.startswith("/") else None
    if command is None:
        return Text(text=text[:MAX_TEXT])
    name, addressed, argument = command.groups()
    if addressed and username and addressed.lower() != username.lower():
        return None
    return Command(name=name.lower(), argument=(argument or "").strip()[:MAX_TEXT])


def _pressed(query: Mapping[str, Any]) -> Content | None:
    token = query.get("data")
    if token is None or token == NOTHING:
        return None
    return Press(token=token[:256], label=_label(query.get("message") or {}, token)[:200])


def _label(message: Mapping[str, Any], token: str) -> str:
    for row in message.get("reply_markup", {}).get("inline_keyboard", ()):
        for button in row:
            if button.get("callback_data") == token:
                return str(button.get("text", ""))
    return ""
