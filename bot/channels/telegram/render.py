"""A Reply → Bot API calls within Telegram's limits, complete but for the chat.

A payload is {"method", "params"}. A photo's payload has {"source", "alt"} under "picture" instead of `photo` in its
params: the sender finds or uploads the file.
"""

from __future__ import annotations

from typing import Any

from bot.channels.telegram.keyboard import button_rows, calendar_rows, is_public, keyboard, menu_rows
from bot.channels.telegram.text import (
    CAPTION_LIMIT,
    MESSAGE_LIMIT,
    code_entities,
    runs_from_the_right,
    split,
)
from bot.events import Menu, Payload, Picture, Place, Reply, clean
from locales.bidi import embed
from locales.length import utf16_length


class TelegramRenderer:
    """Implements bot.events.Renderer. A token that is empty or too long is a mistake of the turn and raises ValueError."""

    def render(self, reply: Reply) -> list[Payload]:
        payloads: list[Payload] = []
        text = _text(reply)
        if reply.place is not None:
            payloads.append(_place(reply.place))
        if reply.picture is not None:
            captioned = utf16_length(text) <= CAPTION_LIMIT
            payloads.append(_photo(reply.picture, text if captioned else ""))
            text = "" if captioned else text
        for part in split(text, MESSAGE_LIMIT):
            payloads.append(_message(part, edit=reply.edit and not payloads))
        markup = keyboard(
            [
                *(calendar_rows(reply.calendar) if reply.calendar is not None else ()),
                *(menu_rows(reply.menu.rows) if reply.menu is not None else ()),
                *button_rows(reply.buttons),
            ]
        )
        if markup is not None:
            payloads[-1]["params"]["reply_markup"] = markup
        return payloads


def _text(reply: Reply) -> str:
    parts = [str(clean(reply.text)).strip() or "…"]
    if reply.menu is not None:
        parts.extend(_descriptions(reply.menu, reply.text))
    links = [button for row in reply.buttons for button in row if button.url and not is_public(button.url)]
    parts.extend(f"{button.label}\n{button.url}" for button in links)
    return str(clean("\n\n".join(parts)))


def _descriptions(menu: Menu, text: str) -> list[str]:
    """What WhatsApp shows under a row's title: here one line a row above the buttons, unless the text names them all."""
    if all(row.title.removesuffix("…") in text for row in menu.rows):
        return []
    rtl = runs_from_the_right(text)
    lines = [f"{embed(row.title, rtl=rtl)} — {row.description}" for row in menu.rows if row.description]
    return ["\n".join(lines)] if lines else []


def _message(text: str, *, edit: bool) -> Payload:
    params: dict[str, Any] = {"text": text, "link_preview_options": {"is_disabled": True}}
    if entities := code_entities(text):
        params["entities"] = entities
    return {"method": "editMessageText" if edit else "sendMessage", "params": params}


def _photo(picture: Picture, caption: str) -> Payload:
    params: dict[str, Any] = {}
    if caption:
        params["caption"] = caption
    if entities := code_entities(caption):
        params["caption_entities"] = entities
    return {
        "method": "sendPhoto",
        "params": params,
        "picture": {"source": picture.source, "alt": clean(picture.alt)},
    }


def _place(place: Place) -> Payload:
    point = {"latitude": place.latitude, "longitude": place.longitude}
    title, address = str(clean(place.title)).strip(), str(clean(place.address)).strip()
    if not (title and address):  # a venue needs both
        return {"method": "sendLocation", "params": point}
    return {"method": "sendVenue", "params": {**point, "title": title, "address": address}}
