"""A Reply as Cloud API messages, within the limits of Meta's message reference.

The words next to the buttons are the end of the text (the question); what does not fit beside them goes before. A picture
stands in the header of reply buttons and links; a list has no room for one, so there it is a message of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.channels.whatsapp import fit
from bot.channels.whatsapp.pictures import image
from bot.events import Button, Menu, Payload, Place, Reply
from locales import Texts, utf16_length

MAX_MESSAGES: Final = 3
MAX_TEXT: Final = 4096
MAX_BODY: Final = 1024
MAX_CAPTION: Final = 1024
MAX_BUTTONS: Final = 3
MAX_ROWS: Final = 10
MAX_TITLE: Final = 20
MAX_ROW_TITLE: Final = 24
MAX_ROW_DESCRIPTION: Final = 72
MAX_OPENER: Final = 20
MAX_TOKEN: Final = 200
"""A list row's id; a reply button's may have 256."""
MAX_PLACE: Final = 1000

_EMPTY: Final = "…"
_WEB: Final = re.compile(r"https?://[^\s/]+\S*")


@dataclass(frozen=True, slots=True)
class _Action:
    """What can be tapped: `kind` is the interactive type, `body` its action object."""

    kind: str
    body: dict[str, Any]


class WhatsAppRenderer:
    """Replies to payloads: the JSON body of POST /{phone number id}/messages without its addressee."""

    def render(self, reply: Reply) -> list[Payload]:
        """One to three payloads; the one with the buttons comes last. A calendar and cards are left to the words."""
        text = reply.text.strip() or _EMPTY
        buttons = [button for row in reply.buttons for button in row]
        links = [button for button in buttons if button.url]
        rows = _rows(reply.menu, [button for button in buttons if not button.url])
        action: _Action | None = None
        if reply.menu or len(rows) > MAX_BUTTONS:
            texts = Texts.for_locale(_language(text))
            if len(rows) > MAX_ROWS:
                rows = rows[: MAX_ROWS - 1]
                text = f"{text}\n\n{texts.say('whatsapp.more_choices')}"
            action = _list(reply.menu.opener if reply.menu else texts.say("button.list_open"), rows)
        elif rows:
            action = _reply_buttons(rows)
        elif len(links) == 1 and _opens(links[0]):
            action = _link(links.pop())
        return _compose(reply, text, "\n".join(f"{link.label}:\n{link.url}" for link in links), action)


def _compose(reply: Reply, text: str, links: str, action: _Action | None) -> list[Payload]:
    picture = image(reply.picture) if reply.picture else None
    in_header = picture is not None and action is not None and action.kind != "list"
    apart = picture is not None and not in_header
    place = _location(reply.place) if reply.place else None

    whole = f"{text}\n\n{links}" if links else text
    if action is None:
        before, body = whole, ""
    elif utf16_length(whole) <= MAX_BODY:
        before, body = "", whole
    else:
        before, body = fit.split_ending(text, MAX_BODY)
        before = "\n\n".join(part for part in (before, links) if part)
    room = MAX_MESSAGES - apart - bool(place) - bool(action)
    parts = _fill(before, [MAX_CAPTION] * apart + [MAX_TEXT] * room)

    payloads: list[Payload] = []
    if apart and picture:
        payloads.append(_message("image", {**picture, "caption": parts.pop(0)} if parts else picture))
    payloads += [_message("text", {"body": part}) for part in parts]
    if place:
        payloads.append(_message("location", place))
    if action:
        header = {"header": {"type": "image", "image": picture}} if in_header else {}
        interactive = {"type": action.kind, **header, "body": {"text": body}, "action": action.body}
        payloads.append(_message("interactive", interactive))
    return payloads


def _message(kind: str, content: dict[str, Any]) -> Payload:
    return {"messaging_product": "whatsapp", "type": kind, kind: content}


def _fill(text: str, capacities: Sequence[int]) -> list[str]:
    """The text in as few parts as it needs; what the last one cannot hold is cut."""
    parts: list[str] = []
    for capacity in capacities[:-1]:
        part, text = fit.split_beginning(text, capacity)
        if part:
            parts.append(part)
    return [*parts, fit.cut(text, capacities[-1])] if text else parts


# ------------------------------------------------------------------------------------------------ what can be tapped


@dataclass(frozen=True, slots=True)
class _Row:
    token: str
    label: str
    description: str = ""


def _rows(menu: Menu | None, buttons: Iterable[Button]) -> list[_Row]:
    """Every choice once, in order. A choice without a token nobody could resolve, so it is not shown."""
    rows = [_Row(row.token, row.title, row.description) for row in menu.rows] if menu else []
    rows += [_Row(button.token, button.label) for button in buttons]
    by_token = {row.token: row for row in reversed(rows) if 0 < len(row.token) <= MAX_TOKEN}
    return [row for row in rows if by_token.get(row.token) is row]


def _list(opener: str, rows: Sequence[_Row]) -> _Action | None:
    if not rows:
        return None
    opener = _title(opener, MAX_OPENER)
    return _Action(
        "list",
        {"button": opener, "sections": [{"title": opener, "rows": [_list_row(row) for row in rows]}]},
    )


def _list_row(row: _Row) -> dict[str, str]:
    title = _title(row.label, MAX_ROW_TITLE)
    description = fit.one_line(row.description)
    if not description and title != row.label.strip():
        description = fit.one_line(row.label)  # the whole label of a button that a row has no room for
    shown = {"id": row.token, "title": title}
    return {**shown, "description": fit.cut(description, MAX_ROW_DESCRIPTION)} if description else shown


def _reply_buttons(rows: Sequence[_Row]) -> _Action:
    titles = _distinct(row.label for row in rows)
    replies = [{"id": row.token, "title": title} for row, title in zip(rows, titles, strict=True)]
    return _Action("button", {"buttons": [{"type": "reply", "reply": reply} for reply in replies]})


def _distinct(labels: Iterable[str]) -> Iterator[str]:
    """Titles within the limit; WhatsApp refuses two alike, which a cut can make of different labels."""
    taken: set[str] = set()
    for label in labels:
        title, number = _title(label, MAX_TITLE), 2
        while title in taken:
            suffix = f" {number}"
            title, number = _title(label, MAX_TITLE - len(suffix)) + suffix, number + 1
        taken.add(title)
        yield title


def _title(label: str, limit: int) -> str:
    return fit.cut(fit.one_line(label) or _EMPTY, limit)


def _opens(link: Button) -> bool:
    return bool(link.url and _WEB.fullmatch(link.url))


def _link(link: Button) -> _Action:
    parameters = {"display_text": _title(link.label, MAX_TITLE), "url": link.url}
    return _Action("cta_url", {"name": "cta_url", "parameters": parameters})


def _location(place: Place) -> dict[str, Any] | None:
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        return None
    shown = {"latitude": place.latitude, "longitude": place.longitude}
    named = {"name": place.title, "address": place.address}
    return {
        **shown,
        **{key: fit.cut(one, MAX_PLACE) for key, value in named.items() if (one := fit.one_line(value))},
    }


def _language(text: str) -> str:
    """The language a text is in, by its first letter with a direction: a reply says no more of it than its words."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return "en" if next((d for d in directions if d in ("L", "R", "AL")), "AL") == "L" else "ar"
