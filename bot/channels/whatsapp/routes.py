"""The door: GET /whatsapp/webhook (handshake) and POST /whatsapp/webhook."""

from __future__ import annotations

import hmac
from typing import Final

import structlog
from aiohttp import web

from bot.channels.whatsapp.parse import parse
from bot.channels.whatsapp.signature import verify
from bot.errors import BadSignature, DatabaseUnavailable
from bot.events import Channel, DeadLetter, Event, Hear, StoreStatuses

log = structlog.get_logger(__name__)

PATH: Final = "/whatsapp/webhook"
MAX_BODY: Final = 3 * 1024 * 1024
"""Bytes: what Meta says a webhook may hold."""


def routes(
    *,
    phone_number_id: str,
    app_secret: str,
    verify_token: str,
    hear: Hear,
    store_statuses: StoreStatuses,
    dead_letter: DeadLetter,
) -> list[web.RouteDef]:
    """Both routes. What is correctly signed is answered 200 once it is stored, 503 while it cannot be; never limited."""
    secret, token = app_secret.encode(), verify_token.encode()

    async def handshake(request: web.Request) -> web.Response:
        asked = request.query
        given = asked.get("hub.verify_token", "").encode("utf-8", "replace")
        ours = hmac.compare_digest(given, token)
        if not ours or asked.get("hub.mode") != "subscribe" or "hub.challenge" not in asked:
            return web.Response(status=403)
        return web.Response(text=asked["hub.challenge"], headers={"X-Content-Type-Options": "nosniff"})

    async def receive(request: web.Request) -> web.Response:
        body = await _bounded(request)
        if body is None:
            return web.Response(status=413, headers={"Connection": "close"})
        try:
            verify(secret, body, request.headers.get("X-Hub-Signature-256"))
        except BadSignature as error:
            log.warning("whatsapp.bad_signature", problem=str(error))
            return web.Response(status=401)
        parsed = parse(body, phone_number_id=phone_number_id)
        try:
            if parsed.events:
                await _hear_all(parsed.events)
            if parsed.statuses:
                await store_statuses(parsed.statuses)
            for odd in parsed.odd:
                await dead_letter(Channel.WHATSAPP, odd.payload, odd.reason)
        except DatabaseUnavailable:
            return web.Response(status=503)
        return web.Response()

    async def _hear_all(events: list[Event]) -> None:
        """A batch the database refuses is stored one by one: what it cannot take must not cost the others a week."""
        try:
            await hear(events)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("whatsapp.batch_refused", events=len(events))
            for event in events:
                try:
                    await hear([event])
                except DatabaseUnavailable:
                    raise
                except Exception:
                    log.exception("whatsapp.event_refused")
                    await dead_letter(
                        Channel.WHATSAPP, {"external_id": event.external_id}, "refused by the database"
                    )

    return [web.get(PATH, handshake, allow_head=False), web.post(PATH, receive)]


async def _bounded(request: web.Request) -> bytes | None:
    """The raw body, None when it is too large. The application's own limit (1 MiB by default) is not asked."""
    if (request.content_length or 0) > MAX_BODY:
        return None
    body = await request.content.readany()
    if request.content.at_eof():
        return body
    pieces, size = [body], len(body)
    while size <= MAX_BODY:
        piece = await request.content.readany()
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    return None
