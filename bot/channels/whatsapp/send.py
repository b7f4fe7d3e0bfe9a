"""The network half: POST /{phone number id}/messages and /media of the Graph API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import orjson
import structlog

from bot.channels.whatsapp.pictures import Pictures, has_picture, source_of, with_media, without_picture
from bot.channels.whatsapp.refusals import PictureRefused, consequence, needs_operator
from bot.errors import DatabaseUnavailable, SendError, SendLater, SendRefused, WindowClosed
from bot.events import Outgoing, Payload, PictureReader, Sent, Uploads

log = structlog.get_logger(__name__)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=20, connect=5)
_UPLOAD_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, connect=5)
_TYPING_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_NETWORK_PAUSE: Final = 2.0


def is_free_form(payload: Mapping[str, Any]) -> bool:
    """Whether WhatsApp takes this only within 24 hours of the person's last message; a template goes at any time."""
    return payload.get("type") != "template"


def addressed(address: str) -> dict[str, str]:
    """The fields that say who a message is for.

    A business-scoped user id has a field of its own: in `to` it is answered with 200 and never delivered.
    """
    field = "to" if address.isascii() and address.isdigit() else "recipient"
    return {"recipient_type": "individual", field: address}


class WhatsAppSender:
    """Sends rendered payloads. The session is the caller's to open and close; so is waiting between attempts.

    api_url: with the version, without a slash at the end. now: the clock that the 24-hour window is held against.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        phone_number_id: str,
        access_token: str,
        pictures: PictureReader,
        uploads: Uploads,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session = session
        self._base = f"{api_url}/{phone_number_id}"
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._pictures = Pictures(read=pictures, uploads=uploads, upload=self._upload)
        self._now = now

    async def send(self, message: Outgoing) -> Sent:
        """Send one payload; a picture that cannot go is left out rather than the words with it.

        Free text after `message.window_until`, the end of the 24 hours, is refused without a request.
        Raises a subclass of SendError. WhatsApp has no editing: `message.edits` is a new message here.
        """
        payload = message.payload
        if message.window_until is not None and is_free_form(payload) and message.window_until <= self._now():
            raise WindowClosed("the 24 hours since the last message are over", code="131047")
        if not has_picture(payload):
            return await self._deliver(payload, message.address)
        try:
            return await self._send_picture(payload, message.address)
        except PictureRefused as refused:
            log.warning("whatsapp.picture_refused", code=refused.code, outbox_id=message.id)
            plain = without_picture(payload)
            if plain is None:
                raise
            return await self._deliver(plain, message.address)

    async def show_typing(self, address: str, *, last_message: str | None = None) -> None:  # noqa: ARG002 - Sender's
        """Mark the message as read and show typing until the answer, 25 seconds at most. Best effort."""
        if last_message is None:
            return
        body = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": last_message,
            "typing_indicator": {"type": "text"},
        }
        try:
            await self._post("messages", _json(body), _TYPING_TIMEOUT)
        except (SendError, RuntimeError) as error:  # RuntimeError: the session is closed, we are stopping
            log.debug("whatsapp.typing_failed", problem=type(error).__name__)

    async def _send_picture(self, payload: Payload, address: str) -> Sent:
        source = source_of(payload)
        if source is None:
            return await self._deliver(payload, address)
        media_id, known = await self._media_id(source)
        try:
            return await self._deliver(with_media(payload, media_id), address)
        except PictureRefused:
            if not known:
                raise
        media_id, _ = await self._media_id(source, anew=True)  # a cached id expires after 30 days
        return await self._deliver(with_media(payload, media_id), address)

    async def _media_id(self, source: str, *, anew: bool = False) -> tuple[str, bool]:
        try:
            return await self._pictures.media_id(source, anew=anew)
        except LookupError as error:
            raise PictureRefused("there is no such picture") from error
        except SendRefused as error:
            raise PictureRefused(str(error), code=error.code) from error
        except (DatabaseUnavailable, OSError) as error:
            raise SendLater("the picture cannot be read now", after=_NETWORK_PAUSE) from error

    async def _deliver(self, payload: Payload, address: str) -> Sent:
        answer = await self._post("messages", _json({**payload, **addressed(address)}), _TIMEOUT)
        match answer:
            case {"messages": [{"id": str(external_id)}, *_]}:
                return Sent(external_id)
        return Sent(None)

    async def _upload(self, content: bytes) -> str:
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", "image/jpeg")
        form.add_field("file", content, filename="picture.jpg", content_type="image/jpeg")
        match await self._post("media", form, _UPLOAD_TIMEOUT):
            case {"id": str(media_id)} if media_id:
                return media_id
        raise SendLater("an upload was answered without a media id", after=_NETWORK_PAUSE)

    async def _post(
        self, path: str, data: aiohttp.Payload | aiohttp.FormData, limits: aiohttp.ClientTimeout
    ) -> Any:
        """The answer's JSON (None where a success is not JSON). Raises SendError."""
        try:
            async with self._session.post(
                f"{self._base}/{path}",
                data=data,
                headers=self._headers,
                timeout=limits,
                allow_redirects=False,
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SendLater(type(error).__name__, after=_NETWORK_PAUSE, code="network") from error
        answer = _read(raw)
        if 200 <= response.status < 300:
            return answer
        problem = answer.get("error") if isinstance(answer, dict) else None
        refusal = consequence(
            response.status,
            problem if isinstance(problem, dict) else {},
            retry_after=_seconds(response.headers.get("Retry-After")),
        )
        if needs_operator(refusal):
            log.error("whatsapp.needs_operator", code=refusal.code, problem=str(refusal))
        raise refusal


def _json(body: Mapping[str, Any]) -> aiohttp.BytesPayload:
    return aiohttp.BytesPayload(orjson.dumps(body), content_type="application/json")


def _read(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None
