"""The page and its files, read once, served with the headers they deserve."""

from __future__ import annotations

import gzip
import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Final

from aiohttp import web

from bot.events import MAX_TEXT
from locales import Texts

_TEMPLATE: Final = "index.html"
_YEAR: Final = 31_536_000
LANGUAGE_COOKIE: Final = "rahhal_language"

_SCRIPT_TEXTS: Final = {
    "bot": "webchat.bot",
    "calendar": "webchat.calendar",
    "close": "webchat.photo_close",
    "connected": "webchat.connected",
    "connecting": "webchat.connecting",
    "location_failed": "webchat.location_failed",
    "my_location": "webchat.my_location",
    "not_sent": "webchat.not_sent",
    "offline": "webchat.offline",
    "options": "webchat.options",
    "photo_alt": "webchat.photo_alt",
    "photo_failed": "webchat.photo_failed",
    "place": "webchat.location",
    "rate_limited": "webchat.rate_limited",
    "reconnecting": "webchat.reconnecting",
    "refused": "webchat.refused",
    "retry": "webchat.retry",
    "sending": "webchat.sending",
    "sent": "webchat.sent",
    "today": "webchat.today",
    "typing": "webchat.typing",
    "yesterday": "webchat.yesterday",
    "you": "webchat.you",
}
"""What the scripts say, by the name they know it by."""

_PAGE_TEXTS: Final = {
    "title": "webchat.title",
    "description": "webchat.description",
    "header": "webchat.header",
    "tagline": "webchat.tagline",
    "skip": "webchat.skip",
    "messages": "webchat.messages",
    "question": "webchat.placeholder",
    "input_label": "webchat.input_label",
    "send": "webchat.send",
    "share_location": "webchat.share_location",
    "new_messages": "webchat.new_messages",
    "language": "webchat.language",
    "noscript": "webchat.noscript",
    "demo": "demo.label",
    "examples": "webchat.examples",
    "example_1": "webchat.example.weekend",
    "example_2": "webchat.example.family",
    "example_3": "webchat.example.makkah",
}
"""What stands in the page itself."""

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "img-src 'self' https:",  # a supplier's pictures stay on the supplier's server
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes | None
    content_type: str
    etag: str

    @classmethod
    def of(cls, name: str, body: bytes) -> _File:
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if name.endswith(".woff2"):
            return cls(body, None, "font/woff2", _digest(body))
        return cls(body, gzip.compress(body, 9, mtime=0), content_type, _digest(body))

    def answer(self, request: web.Request, *, cache: str) -> web.Response:
        response = web.Response(headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff"})
        response.etag = self.etag
        if self.packed is not None:
            response.headers["Vary"] = "Accept-Encoding"
        if any(tag.value == self.etag for tag in request.if_none_match or ()):
            response.set_status(304)
            return response
        response.content_type = self.content_type
        if self.content_type.startswith("text/"):
            response.charset = "utf-8"
        if self.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.headers["Content-Encoding"] = "gzip"
            response.body = self.packed
        else:
            response.body = self.body
        return response


class Page:
    """`locale` decides the language where the browser asks for neither of ours, and the country of the Arabic page.

    demo: the hotels are fictional, and the page says so.
    """

    def __init__(self, *, locale: str = "ar-EG", demo: bool = False, secure: bool = False) -> None:
        folder = files("bot.channels.webchat") / "static"
        sources = dict(sorted(_walk(folder, "")))
        template = Template(sources.pop(_TEMPLATE).decode())
        self._default = locale.partition("-")[0]
        self._secure = secure
        self._files = {name: _File.of(name, body) for name, body in sources.items()}
        self.version = _digest("".join(f"{n}:{f.etag}\n" for n, f in self._files.items()).encode())[:12]
        self._pages = {
            language: _File.of(_TEMPLATE, self._write(template, texts, demo=demo).encode())
            for language, texts in {
                "ar": Texts.for_locale(locale if self._default == "ar" else "ar-EG"),
                "en": Texts.for_locale(locale if self._default == "en" else "en-GB"),
            }.items()
        }

    async def show(self, request: web.Request) -> web.StreamResponse:
        asked = request.query.get("lang", "")
        language = asked if asked in self._pages else self._language(request)
        response = self._pages[language].answer(request, cache="no-cache")
        response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
        response.headers["Content-Language"] = language
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), payment=(), geolocation=(self)"
        if self._secure:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
        if asked == language:
            response.set_cookie(
                LANGUAGE_COOKIE,
                language,
                max_age=_YEAR,
                path="/",
                secure=self._secure,
                httponly=True,
                samesite="Lax",
            )
        return response

    async def show_file(self, request: web.Request) -> web.StreamResponse:
        """A page from before a deploy may ask for an older version: it gets today's file, but does not keep it."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        current = request.match_info["version"] == self.version
        return file.answer(request, cache=f"public, max-age={_YEAR}, immutable" if current else "no-cache")

    def _language(self, request: web.Request) -> str:
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        if chosen in self._pages:
            return chosen
        return preferred(request.headers.get("Accept-Language", ""), tuple(self._pages)) or self._default

    def _write(self, template: Template, texts: Texts, *, demo: bool) -> str:
        other = "en" if texts.language == "ar" else "ar"
        data = {
            "locale": f"{texts.tag}-u-nu-{texts.digits}",
            "language": texts.tag,
            "maxText": MAX_TEXT,
            "texts": {name: texts.say(key) for name, key in _SCRIPT_TEXTS.items()}
            | {"too_long": texts.say("webchat.too_long", max_length=MAX_TEXT)},
        }
        written = {name: escape(texts.say(key)) for name, key in _PAGE_TEXTS.items()}
        return template.substitute(
            written,
            lang=texts.language,
            dir="rtl" if texts.rtl else "ltr",
            other=other,
            demo_hidden="" if demo else "hidden",
            files=f"/chat/static/{self.version}",
            data=_as_data_block(data),
        )


def preferred(accepted: str, ours: tuple[str, ...]) -> str | None:
    """The best of our languages by an Accept-Language header; None when it names none of them."""
    best: tuple[float, str] | None = None
    for part in accepted[:1000].split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.partition("-")[0].lower()
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in ours and quality > 0 and (best is None or quality > best[0]):
            best = (quality, language)
    return best[1] if best else None


def _as_data_block(data: object) -> str:
    """JSON that cannot end the script element around it."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
