"""The web chat's requests: who asks, whether she may, and what she gets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final
from uuid import UUID

from aiohttp import web

from bot.channels.webchat import frames, identity
from bot.channels.webchat.limits import MAX_BODY, Buckets
from bot.channels.webchat.page import Page
from bot.channels.webchat.pictures import Pictures
from bot.channels.webchat.stream import BATCH, Messages, Streams, Wakeups
from bot.errors import DatabaseUnavailable, OddPayload
from bot.events import Hear, PictureReader
from db import webchat
from db.pool import Role, visit
from db.webchat import Pool

HISTORY: Final = 50
_BODY_PATIENCE: Final = 20.0
_RETRY_AFTER: Final = "2"

Opened = Callable[[bytes | None, str | None], None]
"""The page was opened: the hash of her cookie, the host of the page she came from. Never waits and never fails."""

Handler = Callable[["WebChat", web.Request], Awaitable[web.StreamResponse]]


class WebChat:
    """The channel's HTTP side. `register` it on the application once; it closes its sockets when that shuts down.

    public_url: PUBLIC_URL; decides whether cookies are Secure, and is accepted as an Origin beside the Host asked for.
    locale, demo: RAHHAL_LOCALE and RAHHAL_DEMO, for the page. opened: is told of every opening of the page.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        hear: Hear,
        wakeups: Wakeups,
        pictures: PictureReader,
        public_url: str | None = None,
        locale: str = "ar-EG",
        demo: bool = False,
        opened: Opened | None = None,
    ) -> None:
        self._pool = pool
        self._hear = hear
        self._public_url = public_url
        self._secure = (public_url or "").startswith("https://")
        self._streams = Streams(wakeups)
        self._page = Page(locale=locale, demo=demo, secure=self._secure)
        self._pictures = Pictures(pictures)
        self._opened = opened
        self._openings_counted = Buckets(capacity=30, per_second=0.2)
        self._messages_allowed = Buckets(capacity=30, per_second=0.5)
        self._newcomers_allowed = Buckets(
            capacity=60, per_second=1.0
        )  # mobile carriers put a city behind one address

    @property
    def files(self) -> str:
        """Where the page's files lie: fonts, colours and the mark serve other pages too."""
        return f"/chat/static/{self._page.version}"

    def register(self, app: web.Application) -> None:
        app.router.add_get("/", self.show)
        app.router.add_get("/chat", self.show)
        app.router.add_get("/chat/static/{version}/{name:.+}", self._page.show_file)
        app.router.add_post("/chat/visit", _answered(WebChat.visit, self))
        app.router.add_get("/chat/history", _answered(WebChat.history, self))
        app.router.add_post("/chat/messages", _answered(WebChat.send, self))
        app.router.add_get("/chat/messages", _answered(WebChat.receive, self))
        app.router.add_get("/chat/socket", _answered(WebChat.socket, self))
        app.router.add_get("/pictures/{source:.+}.jpg", self._pictures.show)

        async def close(_: web.Application) -> None:
            await self._streams.close()

        app.on_shutdown.append(close)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page itself; its opening is noted, but not what a browser fetches in advance or a machine fetches all day."""
        response = await self._page.show(request)
        purpose = request.headers.get("Sec-Purpose", "")
        if self._opened and request.method == "GET" and not purpose.startswith("prefetch"):
            token = identity.token_of(request)
            if not self._openings_counted.take(identity.address_of(request)):
                self._opened(identity.hash_of(token) if token else None, identity.referrer_of(request))
        return response

    async def visit(self, request: web.Request) -> web.StreamResponse:
        """Become known. The row is made here, on somebody's first word, so that passing robots leave none."""
        self._require_own_page(request)
        token = identity.token_of(request)
        if token is None or await self._visitor_of(token) is None:
            wait = self._newcomers_allowed.take(identity.address_of(request))
            if wait:
                return _slow_down(wait)
            token = identity.new_token()
            async with visit(self._pool, Role.APP) as connection:
                await webchat.admit(
                    connection, token_hash=identity.hash_of(token), lifetime=identity.LIFETIME
                )
        response = _json({})
        identity.give(response, token, secure=self._secure)
        return response

    async def history(self, request: web.Request) -> web.StreamResponse:
        """{known, after, items}; to a browser we do not know, an empty one."""
        token = identity.token_of(request)
        if token is None or await self._visitor_of(token) is None:
            return _json({"known": False, "after": 0, "items": []})
        async with visit(self._pool, Role.APP) as connection:
            found = await webchat.history(connection, token_hash=identity.hash_of(token), most=HISTORY)
        if found is None:
            return _json({"known": False, "after": 0, "items": []})
        response = _json({"known": True, "after": found.after, "items": found.items})
        identity.give(response, token, secure=self._secure)
        return response

    async def send(self, request: web.Request) -> web.StreamResponse:
        """One message in: {id, content, language}. 200 means stored, however often the same id comes."""
        self._require_own_page(request)
        visitor, _ = await self._require_visitor(request)
        wait = self._messages_allowed.take(str(visitor))
        if wait:
            return _slow_down(wait)
        try:
            event = frames.parse(await _body(request), visitor)
        except OddPayload as odd:
            return _json({"error": "not_understood", "detail": str(odd)}, status=422)
        await self._hear([event])
        return _json({"id": event.external_id.partition(":")[2]})

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """{messages} after a sequence; with `wait`, held until there are some."""
        visitor, token_hash = await self._require_visitor(request)
        found = await self._streams.hold(
            visitor,
            after=_number(request, "after"),
            wait=_number(request, "wait"),
            fetch=self._fetcher(token_hash),
        )
        if found is None:
            raise _refusal(web.HTTPUnauthorized, "unknown_visitor")
        return _json({"messages": found})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        self._require_own_page(request)
        visitor, token_hash = await self._require_visitor(request)
        if self._streams.full(visitor):
            return _slow_down(60)
        return await self._streams.push(
            request, visitor, after=_number(request, "after"), fetch=self._fetcher(token_hash)
        )

    def _fetcher(self, token_hash: bytes) -> Callable[[int], Awaitable[Messages | None]]:
        async def fetch(after: int) -> Messages | None:
            async with visit(self._pool, Role.APP) as connection:
                return await webchat.messages_after(
                    connection, token_hash=token_hash, after=after, most=BATCH
                )

        return fetch

    def _require_own_page(self, request: web.Request) -> None:
        if not identity.is_ours(request, self._public_url):
            raise _refusal(web.HTTPForbidden, "foreign_origin")

    async def _require_visitor(self, request: web.Request) -> tuple[UUID, bytes]:
        token = identity.token_of(request)
        visitor = await self._visitor_of(token) if token else None
        if token is None or visitor is None:
            raise _refusal(web.HTTPUnauthorized, "unknown_visitor")
        return visitor, identity.hash_of(token)

    async def _visitor_of(self, token: str) -> UUID | None:
        async with visit(self._pool, Role.APP) as connection:
            return await webchat.visitor_of(
                connection, token_hash=identity.hash_of(token), lifetime=identity.LIFETIME
            )


def _answered(handler: Handler, chat: WebChat) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A database that does not answer is a 503: the page keeps the message and comes back."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(chat, request)
        except DatabaseUnavailable:
            return _json({"error": "unavailable"}, status=503, headers={"Retry-After": _RETRY_AFTER})

    return answer


async def _body(request: web.Request) -> bytes:
    """Raises a 413 beyond MAX_BODY, a 408 for a body that takes too long, a 400 for one that is not what it says."""
    received = bytearray()
    try:
        async with asyncio.timeout(_BODY_PATIENCE):
            async for chunk in request.content.iter_chunked(16 * 1024):
                received += chunk
                if len(received) > MAX_BODY:
                    raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=len(received))
    except TimeoutError:
        raise _refusal(web.HTTPRequestTimeout, "too_slow") from None
    except web.RequestPayloadError:
        raise _refusal(web.HTTPBadRequest, "bad_body") from None
    return bytes(received)


def _number(request: web.Request, name: str) -> int:
    """A query parameter that counts something: 0 when absent, 400 when it is no such number."""
    value = request.query.get(name, "0")
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise _refusal(web.HTTPBadRequest, f"bad_{name}")
    return int(value)


def _json(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    response = web.json_response(value, status=status, headers={"Cache-Control": "no-store"})
    response.headers.update(headers or {})
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.enable_compression()
    return response


def _slow_down(wait: float) -> web.Response:
    seconds = math.ceil(wait)
    return _json({"error": "rate_limited"}, status=429, headers={"Retry-After": str(seconds)})


def _refusal(kind: type[web.HTTPError], error: str) -> web.HTTPError:
    return kind(text=f'{{"error":"{error}"}}', content_type="application/json")
