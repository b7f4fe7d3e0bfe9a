"""Webhook payloads → events, delivery statuses, and what is neither.

Shapes after Meta's webhook reference for the `messages` field. Since 2026 a person who goes by a username may be known
by a business-scoped user id alone («EG.13491208655302741918»): `from` and `wa_id` are then missing, `from_user_id` and
`contacts[].user_id` carry it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

import orjson
from pydantic import ValidationError

from bot.errors import OddPayload
from bot.events import MAX_TEXT, Channel, DeliveryStatus, Event

_MOST_NAME: Final = 200
_MOST_KIND: Final = 64
_MOST_KEPT: Final = 4_000
"""Characters kept of a body that is not JSON at all."""

_MESSAGE_ID: Final = re.compile(r"[!-~]{1,256}")
_MEDIA_ID: Final = re.compile(r"[!-~]{1,512}")
_PHONE: Final = re.compile(r"[0-9]{5,20}")
_SCOPED_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_START: Final = re.compile(r"start[ _-]([A-Za-z0-9_-]{1,64})")
"""A wa.me link carries no metadata: what it should tell us stands in the prefilled text."""

_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_NUMBER_CHANGES: Final = frozenset({"user_changed_number", "user_changed_user_id", "customer_changed_number"})
_STATUSES: Final = frozenset({"sent", "delivered", "read", "failed"})


_Content = dict[str, Any]
"""What becomes one of the contents of an event, by its `type`."""
_Reader = Callable[[dict[str, Any]], _Content | None]


@dataclass(frozen=True, slots=True)
class Odd:
    """Signed, but not understood: the part that is odd, and why."""

    reason: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one webhook held. `odd` is for the dead letters; it never keeps the rest from being taken in."""

    events: list[Event] = field(default_factory=list)
    statuses: list[DeliveryStatus] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)


def parse(body: bytes | Mapping[str, Any], *, phone_number_id: str | None = None) -> Parsed:
    """Everything in a webhook, in the order it stands there. Never raises.

    phone_number_id: ours; what is addressed to another number of the same account is odd. None takes every number.
    """
    parsed = Parsed()
    try:
        envelope = _load(body) if isinstance(body, bytes) else dict(body)
    except (ValueError, RecursionError):
        text = cast(bytes, body).decode("utf-8", "replace").replace("\0", "")
        parsed.odd.append(Odd("not JSON", {"body": text[:_MOST_KEPT]}))
        return parsed
    if not isinstance(envelope, dict):
        parsed.odd.append(Odd("not an object", {"body": envelope}))
        return parsed
    if envelope.get("object") != "whatsapp_business_account":
        parsed.odd.append(Odd("not about a WhatsApp account", envelope))
        return parsed
    for entry in _items(envelope, "entry", parsed):
        for change in _items(entry, "changes", parsed):
            _take_change(change, phone_number_id, parsed)
    return parsed


def _load(body: bytes) -> Any:
    """JSON without NUL and without lone surrogates, which neither PostgreSQL nor UTF-8 can hold."""
    if b"\\u0000" in body:
        body = _NUL.sub(rb"\1", body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # orjson refuses an escaped lone surrogate; one such letter must not cost the whole batch.
        lenient = json.dumps(json.loads(body), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-8", "ignore"))


def _items(holder: dict[str, Any], name: str, parsed: Parsed) -> Sequence[dict[str, Any]]:
    """The objects of a list that may be absent; what is no list or no object is odd."""
    items = holder.get(name)
    if items is None:
        return ()
    if not isinstance(items, list):
        parsed.odd.append(Odd(f"{name} is not a list", {name: items}))
        return ()
    for item in items:
        if not isinstance(item, dict):
            parsed.odd.append(Odd(f"{name} holds no object", {name: item}))
    return [item for item in items if isinstance(item, dict)] if parsed.odd else items


def _take_change(change: dict[str, Any], phone_number_id: str | None, parsed: Parsed) -> None:
    value = change.get("value")
    if change.get("field") != "messages" or not isinstance(value, dict):
        parsed.odd.append(Odd(f"field {str(change.get('field'))[:_MOST_KIND]}", change))
        return
    metadata = value.get("metadata")
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    if phone_number_id is not None and number != phone_number_id:
        parsed.odd.append(Odd("addressed to another number", change))
        return
    if value.get("errors"):
        parsed.odd.append(Odd("errors of the account", {"errors": value["errors"]}))
    contacts = _items(value, "contacts", parsed)
    for message in _items(value, "messages", parsed):
        try:
            parsed.events.append(_event(message, contacts))
        except (OddPayload, ValidationError) as error:
            parsed.odd.append(Odd(_reason(error), message))
    for status in _items(value, "statuses", parsed):
        try:
            parsed.statuses.append(_status(status))
        except OddPayload as error:
            parsed.odd.append(Odd(str(error), status))


def _reason(error: OddPayload | ValidationError) -> str:
    if isinstance(error, OddPayload):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)
    )


# ------------------------------------------------------------------------------------------------ one message


def _event(message: dict[str, Any], contacts: Sequence[dict[str, Any]]) -> Event:
    external_id = message.get("id")
    if not isinstance(external_id, str) or not _MESSAGE_ID.fullmatch(external_id):
        raise OddPayload("a message without an id")
    if "group_id" in message:
        raise OddPayload("a message in a group")
    phone, scoped, contact = _sender(message, contacts)
    identity = phone or scoped
    if identity is None:
        raise OddPayload("a message from nobody")
    kind, content = _content(message)
    event = {
        "channel": Channel.WHATSAPP,
        "external_id": external_id,
        "thread": identity,
        "address": identity,
        "sender": identity,
        "sent_at": _time(message.get("timestamp")),
        "content": content,
        "sender_name": _name(contact),
        "phone": f"+{phone}" if phone else None,
    }
    try:
        return Event.model_validate(
            event
        )  # the event and its content at once: a fifth cheaper than one by one
    except ValidationError:
        return Event.model_validate({**event, "content": _unsupported(kind)})


def _sender(
    message: dict[str, Any], contacts: Sequence[dict[str, Any]]
) -> tuple[str | None, str | None, dict[str, Any]]:
    """The phone, else the business-scoped id, and the contact of whoever wrote.

    The phone comes first because it is what conversations were known by before there were such ids.
    """
    phone = _phone(message.get("from"))
    if phone:
        contact = next((contact for contact in contacts if contact.get("wa_id") == phone), {})
        return phone, None, contact
    scoped = _scoped(message.get("from_user_id"), message.get("user_id"), message.get("from"))
    if scoped:
        contact = next((contact for contact in contacts if contact.get("user_id") == scoped), {})
    else:
        # A message that names nobody can only be from the single contact beside it.
        contact = contacts[0] if len(contacts) == 1 else {}
    phone = _phone(contact.get("wa_id"))
    return phone, scoped or _scoped(contact.get("user_id"), contact.get("wa_id")), contact


def _name(contact: dict[str, Any]) -> str | None:
    profile = contact.get("profile")
    name = (profile.get("name") or profile.get("username")) if isinstance(profile, dict) else None
    return name[:_MOST_NAME] if isinstance(name, str) and name.strip() else None


def _phone(value: object) -> str | None:
    digits = _string(value).removeprefix("+")
    return digits if _PHONE.fullmatch(digits) else None


def _scoped(*values: object) -> str | None:
    for value in values:
        if isinstance(value, str) and _SCOPED_ID.fullmatch(value) and not _PHONE.fullmatch(value):
            return value
    return None


def _time(value: object) -> datetime | None:
    """Seconds since 1970, as a string (sometimes a number); None where it is anything else."""
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _content(message: dict[str, Any]) -> tuple[str, _Content]:
    """The type as Meta names it, and what it is here. Values are judged by the model afterwards."""
    kind = message.get("type")
    if not isinstance(kind, str) or not kind or not kind.isprintable():
        kind = "unknown"
    read, body = _READERS.get(kind), message.get(kind)
    content = read(body) if read is not None and isinstance(body, dict) else None
    return kind, content or _unsupported(kind)


def _unsupported(kind: str) -> _Content:
    return {"type": "unsupported", "kind": kind[:_MOST_KIND]}


def _text(body: dict[str, Any]) -> _Content | None:
    words = body.get("body")
    if not isinstance(words, str):
        return None
    if start := _START.fullmatch(words):
        return {"type": "command", "name": "start", "argument": start[1]}
    return {"type": "text", "text": words[:MAX_TEXT]}


def _interactive(body: dict[str, Any]) -> _Content | None:
    for kind in ("button_reply", "list_reply"):
        reply = body.get(kind)
        if isinstance(reply, dict):
            return _press(reply.get("id"), reply.get("title"))
    name = body.get("type")
    return _unsupported(name) if isinstance(name, str) and name.isprintable() else None


def _template_button(body: dict[str, Any]) -> _Content | None:
    return _press(body.get("payload"), body.get("text"))


def _press(token: object, label: object) -> _Content | None:
    """A button without a token we could have issued still says its label."""
    label = _string(label)
    if isinstance(token, str) and 0 < len(token) <= 256:
        return {"type": "press", "token": token, "label": label[:_MOST_NAME]}
    return {"type": "text", "text": label[:MAX_TEXT]} if label.strip() else None


def _location(body: dict[str, Any]) -> _Content:
    name = body.get("name") or body.get("address")
    return {
        "type": "location",
        "latitude": body.get("latitude"),
        "longitude": body.get("longitude"),
        "name": _string(name)[:_MOST_NAME],
    }


def _file(kind: str) -> _Reader:
    return lambda body: {
        "type": "media",
        "kind": "voice" if kind == "audio" and body.get("voice") is True else kind,
        "media_id": _media_id(body.get("id")),
        "caption": _string(body.get("caption"))[:MAX_TEXT],
    }


def _media_id(value: object) -> str:
    name = _string(value)
    return name if _MEDIA_ID.fullmatch(name) else ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _system(body: dict[str, Any]) -> _Content | None:
    return _unsupported("number_changed") if body.get("type") in _NUMBER_CHANGES else None


_READERS: Final[Mapping[str, _Reader]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _template_button,
    "location": _location,
    "image": _file("photo"),
    "video": _file("video"),
    "audio": _file("audio"),
    "document": _file("document"),
    "sticker": _file("sticker"),
    "system": _system,
}


# ------------------------------------------------------------------------------------------------ one status


def _status(status: dict[str, Any]) -> DeliveryStatus:
    message, name, at = status.get("id"), status.get("status"), _time(status.get("timestamp"))
    if not isinstance(message, str) or not _MESSAGE_ID.fullmatch(message):
        raise OddPayload("a status of no message")
    if not isinstance(name, str) or name not in _STATUSES:
        raise OddPayload(f"status {str(name)[:_MOST_KIND]}")
    if at is None:
        raise OddPayload("a status without a time")
    code, problem = _problem(status.get("errors"))
    return DeliveryStatus(
        channel=Channel.WHATSAPP,
        external_id=message,
        status=cast(Literal["sent", "delivered", "read", "failed"], name),
        at=at,
        recipient=_phone(status.get("recipient_id"))
        or _scoped(status.get("recipient_user_id"), status.get("recipient_id"))
        or "",
        error_code=code,
        error=problem,
    )


def _problem(errors: object) -> tuple[str, str]:
    """Code and words of the first error. `details` says more than the title, which Meta means to drop."""
    match errors:
        case [{"code": int() | str() as code, **rest}, *_]:
            match rest:
                case (
                    {"error_data": {"details": str(words)}} | {"message": str(words)} | {"title": str(words)}
                ):
                    return str(code)[:_MOST_KIND], words[:_MOST_NAME]
            return str(code)[:_MOST_KIND], ""
    return "", ""
