"""What the Cloud API takes: the limits of Meta's message reference, and the errors it answers with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

TEXT, BODY, CAPTION = 4096, 1024, 1024
BUTTONS, ROWS, SECTIONS = 3, 10, 10
TITLE, ROW_TITLE, ROW_DESCRIPTION, OPENER, SECTION_TITLE = 20, 24, 72, 20, 24
BUTTON_ID, ROW_ID = 256, 200
PLACE = 1000
PICTURE_BYTES = 5 * 1024 * 1024
MEDIA_DAYS = 30
PAIR_BURST, PAIR_SECONDS = 10, 6.0

WORDS = {
    100: "Invalid parameter",
    190: "Access token has expired",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131051: "Unsupported message type",
    131052: "Media download error",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
}
STATUS = {190: 401, 130429: 429, 131048: 429, 131056: 429, 131000: 500}


class Refused(Exception):
    """The API's error answer."""

    def __init__(self, code: int, details: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details
        self.status = status or STATUS.get(code, 400)

    @property
    def wire(self) -> dict[str, Any]:
        return {
            "error": {
                "message": f"(#{self.code}) {WORDS.get(self.code, 'Error')}",
                "type": "OAuthException",
                "code": self.code,
                "error_data": {"messaging_product": "whatsapp", "details": self.details},
                "fbtrace_id": "AFakeTraceId",
            }
        }


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check_message(body: dict[str, Any]) -> None:
    """A message as posted, its addressee included."""
    kind = body.get("type")
    allowed = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", kind}
    _only("message", body, allowed)
    if body.get("recipient_type") not in (None, "individual"):
        raise Refused(100, "recipient_type must be individual")
    check = _KINDS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise Refused(131051, f"type {kind}")
    content = body.get(str(kind))
    if not isinstance(content, dict):
        raise Refused(131008, f"{kind} is missing")
    check(content)


def check_upload(content: bytes, mime: str) -> None:
    if mime not in ("image/jpeg", "image/png"):
        raise Refused(100, f"Param file must be a file with one of the supported types, not {mime}")
    if len(content) > PICTURE_BYTES:
        raise Refused(131053, "the file is larger than 5 MB")
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        raise Refused(131053, "the file is not an image")


def image_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """The image object of a message that has passed `check_message`."""
    if body["type"] == "image":
        return dict(body["image"])
    header = body["interactive"].get("header") if body["type"] == "interactive" else None
    return dict(header["image"]) if header and header["type"] == "image" else None


def _text(text: dict[str, Any]) -> None:
    _only("text", text, {"body", "preview_url"})
    _words("text.body", text.get("body"), TEXT)


def _image(image: dict[str, Any]) -> None:
    _only("image", image, {"id", "link", "caption"})
    if ("id" in image) == ("link" in image):
        raise Refused(100, "image takes one of id and link")
    if "link" in image and not re.match(r"https?://", str(image["link"])):
        raise Refused(100, "image.link is not a URL")
    if "caption" in image:
        _words("image.caption", image["caption"], CAPTION)


def _location(place: dict[str, Any]) -> None:
    _only("location", place, {"latitude", "longitude", "name", "address"})
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not isinstance(latitude, int | float) or not -90 <= latitude <= 90:
        raise Refused(131009, "location.latitude")
    if not isinstance(longitude, int | float) or not -180 <= longitude <= 180:
        raise Refused(131009, "location.longitude")
    for name in ("name", "address"):
        if name in place:
            _words(f"location.{name}", place[name], PLACE)


def _template(template: dict[str, Any]) -> None:
    _words("template.name", template.get("name"), 512)
    _words("template.language.code", template.get("language", {}).get("code"), 16)


def _interactive(interactive: dict[str, Any]) -> None:
    _only("interactive", interactive, {"type", "header", "body", "footer", "action"})
    kind, action = interactive.get("type"), interactive.get("action")
    if not isinstance(action, dict):
        raise Refused(131008, "interactive.action")
    _words("interactive.body.text", interactive.get("body", {}).get("text"), BODY)
    header = interactive.get("header")
    if header is not None:
        if kind == "list" and header.get("type") != "text":
            raise Refused(131009, "a list takes a header of text only")
        if header.get("type") == "image":
            _image(header["image"])
            if "caption" in header["image"]:
                raise Refused(100, "a header has no caption")
    match kind:
        case "button":
            _buttons(action)
        case "list":
            _list(action)
        case "cta_url":
            _link(action)
        case _:
            raise Refused(131009, f"interactive.type {kind}")


def _buttons(action: dict[str, Any]) -> None:
    _only("action", action, {"buttons"})
    buttons = action.get("buttons", [])
    if not 1 <= len(buttons) <= BUTTONS:
        raise Refused(131009, f"Buttons count: {len(buttons)}")
    replies = [button["reply"] for button in buttons if button.get("type") == "reply"]
    if len(replies) != len(buttons):
        raise Refused(131009, "Button type")
    for reply in replies:
        _only("reply", reply, {"id", "title"})
        _line("button.reply.title", reply.get("title"), TITLE)
        _line("button.reply.id", reply.get("id"), BUTTON_ID)
    _distinct("button titles", (reply["title"] for reply in replies))
    _distinct("button ids", (reply["id"] for reply in replies))


def _list(action: dict[str, Any]) -> None:
    _only("action", action, {"button", "sections"})
    _line("action.button", action.get("button"), OPENER)
    sections = action.get("sections", [])
    if not 1 <= len(sections) <= SECTIONS:
        raise Refused(131009, f"Sections count: {len(sections)}")
    for section in sections:
        _line("section.title", section.get("title"), SECTION_TITLE)
    rows = [row for section in sections for row in section.get("rows", [])]
    if not 1 <= len(rows) <= ROWS:
        raise Refused(131009, f"Total row count exceed max allowed count: {len(rows)}")
    for row in rows:
        _only("row", row, {"id", "title", "description"})
        _line("row.title", row.get("title"), ROW_TITLE)
        _line("row.id", row.get("id"), ROW_ID)
        if "description" in row:
            _line("row.description", row["description"], ROW_DESCRIPTION)
    _distinct("row ids", (row["id"] for row in rows))


def _link(action: dict[str, Any]) -> None:
    parameters = action.get("parameters", {})
    if action.get("name") != "cta_url":
        raise Refused(131009, "action.name")
    _line("display_text", parameters.get("display_text"), TITLE)
    if not re.fullmatch(r"https?://[^\s/]+\S*", str(parameters.get("url"))):
        raise Refused(131009, "action.parameters.url is not a URL")


def _only(where: str, given: dict[str, Any], allowed: Iterable[object]) -> None:
    if unknown := set(given) - set(allowed):
        raise Refused(100, f"Unexpected key {sorted(unknown)} on {where}")


def _words(where: str, value: object, most: int) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Refused(131008, f"{where} is required")
    if units(value) > most:
        raise Refused(131009, f"{where} is {units(value)} long, at most {most}")


def _line(where: str, value: object, most: int) -> None:
    _words(where, value, most)
    if "\n" in str(value) or str(value) != str(value).strip():
        raise Refused(131009, f"{where} has a line break or a space at an end")


def _distinct(what: str, values: Iterable[str]) -> None:
    seen = list(values)
    if len(set(seen)) != len(seen):
        raise Refused(131009, f"duplicated {what}")


_KINDS = {
    "text": _text,
    "image": _image,
    "location": _location,
    "interactive": _interactive,
    "template": _template,
}
