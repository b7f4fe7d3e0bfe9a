"""Who a browser is: a random token in a cookie; and whether a request comes from our own page."""

from __future__ import annotations

import ipaddress
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

COOKIE: Final = "rahhal_visitor"
LIFETIME: Final = timedelta(days=365)
_TOKEN_BYTES: Final = 32
_TOKEN_LENGTH: Final = 43
"""Of 32 bytes in unpadded base64url."""


def new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    return sha256(token.encode()).digest()


def token_of(request: web.Request) -> str | None:
    """The token as the browser sent it; None for none, or for one that we cannot have issued."""
    token = request.cookies.get(COOKIE, "")
    return token if len(token) == _TOKEN_LENGTH and token.isascii() else None


def give(response: web.StreamResponse, token: str, *, secure: bool) -> None:
    """Set or renew the cookie: out of reach of scripts, sent by no other site."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def is_ours(request: web.Request, public_url: str | None) -> bool:
    """Whether the Origin is this server's own: the host the browser asked for, or PUBLIC_URL. No Origin is not ours."""
    try:
        origin = urlsplit(request.headers.get("Origin", ""))
    except ValueError:
        return False
    if origin.scheme not in {"http", "https"} or not origin.netloc:
        return False
    if origin.netloc.lower() == request.headers.get("Host", "").lower():
        return True
    ours = urlsplit(public_url or "")
    return (origin.scheme, origin.netloc.lower()) == (ours.scheme, ours.netloc.lower())


def address_of(request: web.Request) -> str:
    """Where a request comes from, for counting. A peer in a private network is a proxy: it says who called it, last."""
    peer = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if not forwarded:
        return peer
    try:
        return str(ipaddress.ip_address(forwarded)) if ipaddress.ip_address(peer).is_private else peer
    except ValueError:
        return peer


def referrer_of(request: web.Request) -> str | None:
    """The host of another site's page that led here; its path and query are nobody's business."""
    try:
        host = urlsplit(request.headers.get("Referer", "")).hostname
        ours = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    except ValueError:
        return None
    return host if host != ours else None
