"""The public limits of the Bot API, enforced: what Telegram would refuse is refused here, in its words.

Sources: core.telegram.org/bots/api for texts, captions, callback_data, commands, answers and secrets, core.telegram.org/bots/faq
for the rates; the sizes of keyboards (8 in a row, 100 in all) are enforced by Telegram without being documented.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

TEXT = 4096
CAPTION = 1024
CALLBACK_DATA = 64
ROW = 8
KEYBOARD = 100
CALLBACK_ANSWER = 200
PHOTO_BYTES = 10 * 1024 * 1024
DEEP_LINK = re.compile(r"[A-Za-z0-9_-]{1,64}")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, description: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = dict(parameters or {})


class Pace:
    """Notes what is faster than 1 message a second in a chat, 20 a minute in a group, 30 a second in all."""

    def __init__(self) -> None:
        self.too_fast: list[str] = []
        self._sent_at: dict[int, list[float]] = defaultdict(list)
        self._all_sent_at: list[float] = []

    def note(self, chat_id: int) -> None:
        now = time.monotonic()
        here, everywhere = self._sent_at[chat_id], self._all_sent_at
        if here and now - here[-1] < 0.9:
            self.too_fast.append(f"chat {chat_id}: {now - here[-1]:.2f} s after its last message")
        if chat_id < 0 and len(here) >= 20 and now - here[-20] < 60:
            self.too_fast.append(f"group {chat_id}: more than 20 messages in a minute")
        if len(everywhere) >= 30 and now - everywhere[-30] < 1:
            self.too_fast.append("all chats: more than 30 messages in a second")
        here.append(now)
        everywhere.append(now)


def bad(description: str) -> Refused:
    return Refused(400, f"Bad Request: {description}")


def units(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_text(params: Mapping[str, Any]) -> str:
    text = _string(params, "text")
    if not text.strip():
        raise bad("message text is empty")
    if units(text) > TEXT:
        raise bad("message is too long")
    _check_entities(text, params.get("entities"))
    _no_markup(params)
    return text


def check_caption(params: Mapping[str, Any]) -> str:
    caption = _string(params, "caption")
    if units(caption) > CAPTION:
        raise bad("message caption is too long")
    _check_entities(caption, params.get("caption_entities"))
    _no_markup(params)
    return caption


def check_keyboard(markup: Any) -> None:
    if markup is None:
        return
    if not isinstance(markup, dict) or set(markup) != {"inline_keyboard"}:
        raise bad("object expected as reply markup")
    rows = markup["inline_keyboard"]
    if any(len(row) > ROW for row in rows) or sum(len(row) for row in rows) > KEYBOARD:
        raise bad("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button)


def check_point(params: Mapping[str, Any], *, venue: bool) -> None:
    if not (-90 <= float(params["latitude"]) <= 90 and -180 <= float(params["longitude"]) <= 180):
        raise bad("wrong latitude or longitude specified")
    if venue and not (_string(params, "title").strip() and _string(params, "address").strip()):
        raise bad("title and address must be non-empty")


def check_photo_bytes(content: bytes) -> None:
    if not content:
        raise bad("file must be non-empty")
    if len(content) > PHOTO_BYTES:
        raise bad("file is too big")
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        raise bad("IMAGE_PROCESS_FAILED")


def check_commands(commands: Any) -> None:
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad("can't parse BotCommand")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"]):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")


def _check_button(button: Mapping[str, Any]) -> None:
    if not str(button.get("text", "")).strip():
        raise bad("text buttons are unallowed in the inline keyboard")
    if ("url" in button) == ("callback_data" in button):
        raise bad("can't parse inline keyboard button: exactly one action is expected")
    if "url" in button and not _is_link(button["url"]):
        raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= CALLBACK_DATA:
        raise bad("BUTTON_DATA_INVALID")


def _is_link(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "tg" or (parts.scheme in ("http", "https") and "." in (parts.hostname or ""))


def _check_entities(text: str, entities: Any) -> None:
    for entity in entities or ():
        if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > units(text):
            raise bad("ENTITY_BOUNDS_INVALID")


def _no_markup(params: Mapping[str, Any]) -> None:
    """Nothing here parses HTML or Markdown, so a length after parsing could not be checked."""
    if params.get("parse_mode"):
        raise bad("can't parse entities: this fake knows no parse_mode")


def _string(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name, "")
    if not isinstance(value, str):
        raise bad(f'field "{name}" must be of type String')
    return value
