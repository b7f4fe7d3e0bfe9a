"""Who opens a link, how often that counts, and what a browser is told about the page."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from aiohttp import web

from bot.channels.webchat import identity
from bot.channels.webchat.limits import Buckets
from bot.domain.links import Addresses, code_of
from bot.errors import DatabaseUnavailable
from bot.landing.page import Page
from db import sharing
from db.pool import Role, visit
from db.sharing import Pool

COOKIE: Final = "rahhal_click"
_COOKIE_DAYS: Final = 90
_TOKEN: Final = 22
"""Characters of 16 bytes in unpadded base64url."""
_MACHINES: Final = ("bot", "crawl", "spider", "preview", "facebookexternalhit", "whatsapp/", "curl/", "wget/")
"""In the User-Agent of who fetches a page for a preview, or all day: no visitor."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the code
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

Clicked = Callable[[bytes | None, str | None, str | None], None]
"""A visitor opened a link for the first time: the hash of her web chat cookie, what it opens, the host she came from.
Never waits and never fails."""


class Landing:
    """`register` it on the application once. secure: cookies go over https only; assets: where the web chat's files lie."""

    def __init__(
        self,
        *,
        pool: Pool,
        addresses: Addresses,
        locale: str,
        assets: str,
        secure: bool,
        clicked: Clicked | None = None,
    ) -> None:
        self._pool = pool
        self._addresses = addresses
        self._page = Page(locale=locale, assets=assets)
        self._secure = secure
        self._clicked = clicked
        self._allowed = Buckets(capacity=60, per_second=1.0)  # mobile carriers put a city behind one address

    def register(self, app: web.Application) -> None:
        app.router.add_get("/r/{code}", self.show)

    async def show(self, request: web.Request) -> web.Response:
        """The page of the link; 404 with a polite line, and a way to the web chat, for a code that is none."""
        if wait := self._allowed.take(identity.address_of(request)):
            return self._plain("landing.slow_down", status=429, wait=math.ceil(wait))
        code = code_of(request.match_info["code"])
        token = _token_of(request) or secrets.token_urlsafe(16)
        opened = None
        if code is not None:
            visitor = _visitor(token, code) if _is_person(request) else None
            try:
                async with visit(self._pool, Role.APP) as connection:
                    opened = await sharing.open_link(connection, code=code, visitor=visitor)
            except DatabaseUnavailable:
                return self._plain("landing.away", status=503, wait=2)
        written = self._page.write(opened, code=code or "", addresses=self._addresses)
        response = web.Response(
            text=written, content_type="text/html", status=404 if opened is None else 200, headers=_HEADERS
        )
        if opened is not None and opened.first_time:
            self._give(response, token)
            if self._clicked:
                known = identity.token_of(request)
                self._clicked(
                    identity.hash_of(known) if known else None,
                    opened.content_type,
                    identity.referrer_of(request),
                )
        return response

    def _give(self, response: web.Response, token: str) -> None:
        response.set_cookie(
            COOKIE,
            token,
            max_age=_COOKIE_DAYS * 86_400,
            path="/r",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def _plain(self, key: str, *, status: int, wait: int) -> web.Response:
        return web.Response(
            text=self._page.notice(key), status=status, headers={**_HEADERS, "Retry-After": str(wait)}
        )


def _token_of(request: web.Request) -> str | None:
    """The browser's own random token; None for none, or for one that we cannot have issued."""
    token = request.cookies.get(COOKIE, "")
    return token if len(token) == _TOKEN and token.isascii() else None


def _visitor(token: str, code: str) -> bytes:
    """One visitor of one link: the same browser is somebody else behind another link."""
    return sha256(f"{token}:{code}".encode()).digest()[:16]


def _is_person(request: web.Request) -> bool:
    if request.method != "GET" or request.headers.get("Sec-Purpose", "").startswith("prefetch"):
        return False
    agent = request.headers.get("User-Agent", "")[:500].lower()
    return not any(machine in agent for machine in _MACHINES)
