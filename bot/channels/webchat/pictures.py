"""Hotel pictures, from wherever the picture reader has them. A source never changes what it shows."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from aiohttp import web

from bot.events import PictureReader

_SOURCE: Final = re.compile(r"[A-Za-z0-9_-]{1,128}(?:/[A-Za-z0-9_-]{1,128}){1,3}")


class Pictures:
    def __init__(self, read: PictureReader) -> None:
        self._read = read

    async def show(self, request: web.Request) -> web.StreamResponse:
        source = request.match_info["source"]
        if not _SOURCE.fullmatch(source):
            raise web.HTTPNotFound
        try:
            jpeg = await self._read(source)
        except LookupError:
            raise web.HTTPNotFound from None
        etag = sha256(jpeg).hexdigest()[:32]
        response = web.Response(headers={"Cache-Control": "public, max-age=31536000, immutable"})
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.etag = etag
        if any(tag.value == etag for tag in request.if_none_match or ()):
            response.set_status(304)
        else:
            response.content_type = "image/jpeg"
            response.body = jpeg
        return response
