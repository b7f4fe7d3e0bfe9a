"""The picture inside a payload, and its way to Meta: uploaded once per content, sent by media id ever after.

A rendered payload names our own pictures as `{"source": "hotel/…"}`; sending turns that into `{"id": …}`. Media ids live
30 days; an https picture goes as `{"link": …}` and is fetched by Meta.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from bot.events import Channel, Payload, Picture, PictureReader, Uploads

MAX_PICTURE: Final = 5 * 1024 * 1024
"""Bytes of an image (Cloud API, supported media types)."""

Upload = Callable[[bytes], Awaitable[str]]
"""JPEG → media id."""


def image(picture: Picture) -> dict[str, Any]:
    """The image object of a payload."""
    kind = "link" if picture.source.startswith("https://") else "source"
    return {kind: picture.source}


def source_of(payload: Mapping[str, Any]) -> str | None:
    """The source of our own picture in a payload, if it holds one."""
    source = _image_of(payload).get("source")
    return source if isinstance(source, str) else None


def has_picture(payload: Mapping[str, Any]) -> bool:
    return bool(_image_of(payload))


def with_media(payload: Payload, media_id: str) -> Payload:
    """The payload with its picture by media id; the one given stays as it is (it may be sent again)."""
    if payload["type"] == "image":
        shown = {name: value for name, value in payload["image"].items() if name != "source"}
        return {**payload, "image": {"id": media_id, **shown}}
    header = {"type": "image", "image": {"id": media_id}}
    return {**payload, "interactive": {**payload["interactive"], "header": header}}


def without_picture(payload: Payload) -> Payload | None:
    """The same words without the picture; None where the picture was all there was."""
    if payload["type"] == "image":
        caption = payload["image"].get("caption")
        if not caption:
            return None
        return {"messaging_product": "whatsapp", "type": "text", "text": {"body": caption}}
    interactive = {name: value for name, value in payload["interactive"].items() if name != "header"}
    return {**payload, "interactive": interactive}


def _image_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    match payload:
        case {"type": "image", "image": dict(found)}:
            return found
        case {"type": "interactive", "interactive": {"header": {"type": "image", "image": dict(found)}}}:
            return found
    return {}


class Pictures:
    """Media ids of our own pictures, by the hash of their content."""

    def __init__(self, *, read: PictureReader, uploads: Uploads, upload: Upload) -> None:
        self._read = read
        self._uploads = uploads
        self._upload = upload
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def media_id(self, source: str, *, anew: bool = False) -> tuple[str, bool]:
        """The id to send, and whether it was known before. `anew` uploads again. Raises LookupError for an unknown source."""
        content = await self._read(source)
        if len(content) > MAX_PICTURE:
            raise LookupError(f"{source} is larger than {MAX_PICTURE} bytes")
        digest = hashlib.sha256(content).hexdigest()
        lock = self._locks.setdefault(digest, asyncio.Lock())
        async with lock:  # two conversations that show one picture upload it once
            known = None if anew else await self._uploads.find(Channel.WHATSAPP, digest)
            if known is not None:
                return known, True
            media_id = await self._upload(content)
            await self._uploads.remember(Channel.WHATSAPP, digest, media_id)
            return media_id, False
