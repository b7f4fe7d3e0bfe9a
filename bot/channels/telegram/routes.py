"""POST /telegram/webhook. Telegram gives an update again until it reads 200, so that is said only once it is stored."""

from __future__ import annotations

import hmac
from typing import Final

from aiohttp import web

from bot.channels.telegram.door import TelegramDoor
from bot.channels.telegram.wire import read_json
from bot.errors import DatabaseUnavailable

PATH: Final = "/telegram/webhook"
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
BODY_LIMIT: Final = 1 << 20
"""Bytes. The longest updates are a few tens of kilobytes."""

_QUOTED: Final = 4000
"""Characters of an unreadable body that are kept for the operator."""


def routes(*, secret: str, door: TelegramDoor) -> list[web.RouteDef]:
    """403 on a wrong secret, 413 on a body over 1 MiB, 503 while the database is down, else 200 (also for what is odd)."""
    expected = secret.encode()

    async def webhook(request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            return web.Response(status=403)
        body = await _read(request)
        if body is None:
            return web.Response(status=413)
        try:
            await _take_in(body)
        except DatabaseUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})
        return web.Response()

    async def _take_in(body: bytes) -> None:
        try:
            update = read_json(body)
        except ValueError:
            await door.bury({"body": body.decode("utf-8", "replace")[:_QUOTED]}, "not JSON")
            return
        await door.take_in([update])

    return [web.post(PATH, webhook)]


async def _read(request: web.Request) -> bytes | None:
    """The body, or None where it is too long; what is too long is not read to its end."""
    if (request.content_length or 0) > BODY_LIMIT:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)
