"""A Graph API on loopback, as strict as Meta's, and people who write to the business.

    async with GraphApi() as graph:
        graph.deliver_to = "http://127.0.0.1:8080/whatsapp/webhook"
        sara = graph.user("201001234567", name="سارة")
        await sara.send("أهلًا")
        message = await sara.one_message()
        await message.press("أوافق")

Messages are checked against the public limits, the 24-hour window and the pair rate (`graph.refused` lists the refusals);
the clock can be moved (`graph.advance`); `graph.fault(...)` makes a call fail on purpose.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import orjson
from aiohttp import web

from tests.fakes.graph_api_limits import (
    MEDIA_DAYS,
    PAIR_BURST,
    PAIR_SECONDS,
    Refused,
    check_message,
    check_upload,
    image_of,
)
from tests.fakes.graph_api_people import User

T = TypeVar("T")
ACCESS_TOKEN = "EAAFakeTokenForTests"
PHONE_NUMBER_ID = "106540352242922"
APP_SECRET = "an-app-secret-for-tests"
VERIFY_TOKEN = "a-word-of-our-own"
PATIENCE = 5.0


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of a kind: «message», «typing», «media» or «*».

    code: a Graph error, with its usual status unless given. drop: the connection is cut «before» or «after» the call took
    effect. hang: no answer until `release`. `met` is set when it struck.
    """

    kind: str
    code: int = 0
    status: int | None = None
    retry_after: int | None = None
    drop: str = ""
    hang: bool = False
    times: int = 1
    release: asyncio.Event = field(default_factory=asyncio.Event)
    met: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Posted:
    """One message that was taken: what was posted, under which id."""

    id: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    code: int
    details: str
    body: dict[str, Any]


class Cut(Exception):
    """The connection goes down without an answer."""


class GraphApi:
    """`deliver_to`: the bot's webhook. `url`: the base with version, as WHATSAPP_API_URL takes it."""

    def __init__(self, *, deliver_to: str = "", pair_burst: int = PAIR_BURST) -> None:
        self.deliver_to = deliver_to
        self.phone_number_id = PHONE_NUMBER_ID
        self.access_token = ACCESS_TOKEN
        self.app_secret = APP_SECRET
        self.verify_token = VERIFY_TOKEN
        self.url = ""
        self.sent: list[Posted] = []
        self.refused: list[Refusal] = []
        self.lost: list[dict[str, Any]] = []
        """Answered with 200 and delivered to nobody: a business-scoped id in `to`."""
        self.typing: list[str] = []
        self.media: dict[str, tuple[bytes, datetime]] = {}
        self.broken_links: set[str] = set()
        self.answers: list[int] = []
        """What the bot's webhook answered, in order."""
        self.people: dict[str, User] = {}
        self.unread: dict[str, deque[Posted]] = defaultdict(deque)
        self._held: list[dict[str, Any]] | None = None
        self._burst = pair_burst
        self._pairs: dict[str, tuple[float, datetime]] = {}
        self._shift = timedelta()
        self._faults: list[Fault] = []
        self._numbers = count(1)
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/{version}/{number}/messages", self._messages)
        app.router.add_post("/{version}/{number}/media", self._media)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v23.0"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fault in self._faults:
            fault.release.set()
        assert self._http is not None
        assert self._runner is not None
        await self._http.close()
        await self._runner.cleanup()

    # ------------------------------------------------------------------------------------------------ for tests

    def user(self, phone: str | None = None, *, name: str = "سارة", user_id: str | None = None) -> User:
        """A person, by phone number, by business-scoped user id, or (a number Meta still tells) by both."""
        person = User(self, phone=phone, user_id=user_id, name=name)
        for identity in (phone, user_id):
            if identity:
                self.people[identity] = person
        return person

    def fault(self, kind: str = "*", **what: Any) -> Fault:
        """The next matching call fails: see Fault."""
        fault = Fault(kind, **what)
        self._faults.append(fault)
        return fault

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def advance(self, **time: float) -> None:
        """Move the clock: the window, the pair rate and the age of media follow it."""
        self._shift += timedelta(**time)

    def new_id(self) -> str:
        return f"wamid.HBgMFake{next(self._numbers):08d}"

    async def until(self, ready: Callable[[], T | None], what: str, *, timeout: float = PATIENCE) -> T:
        """The first true value of `ready`, looked at whenever something happened here."""
        async with self._changed:
            try:
                async with asyncio.timeout(timeout):
                    while not (value := ready()):
                        await self._changed.wait()
            except TimeoutError:
                raise AssertionError(f"waited {timeout:g} s in vain for {what}") from None
            return value

    # ------------------------------------------------------------------------------------------------ webhooks

    def hold(self) -> None:
        """Keep webhooks back until `release`, which sends them as one batch."""
        self._held = []

    async def release(self, *, backwards: bool = False, times: int = 1) -> None:
        held, self._held = self._held or [], None
        envelope = self.envelope(*(reversed(held) if backwards else held))
        for _ in range(times):
            await self.post(orjson.dumps(envelope))

    async def push(self, **content: Any) -> int | None:
        """Something happened: a webhook with this `value`. What the bot answered; None while webhooks are held back."""
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": self.phone_number_id},
            **content,
        }
        if self._held is not None:
            self._held.append(value)
            return None
        return await self.post(orjson.dumps(self.envelope(value)))

    @staticmethod
    def envelope(*values: dict[str, Any]) -> dict[str, Any]:
        """One entry for each value."""
        entries = [{"id": "102290129340398", "changes": [{"field": "messages", "value": v}]} for v in values]
        return {"object": "whatsapp_business_account", "entry": entries}

    async def post(self, body: bytes, *, signature: str | None = None) -> int:
        """Post a raw body to the webhook, signed unless a signature is given; the status it was answered with."""
        assert self._http is not None
        signature = signature or self.signature(body)
        headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        async with self._http.post(self.deliver_to, data=body, headers=headers) as response:
            self.answers.append(response.status)
            return response.status

    def signature(self, body: bytes) -> str:
        return "sha256=" + hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()

    async def status(
        self, message_id: str, person: User, name: str, *, code: int = 0, details: str = ""
    ) -> int | None:
        """What became of a message: sent, delivered, read, failed."""
        status = {"id": message_id, "status": name, "timestamp": str(int(self.now().timestamp()))}
        recipient = {"recipient_id": person.phone} if person.phone else {"recipient_user_id": person.user_id}
        errors = {"errors": [Refused(code, details).wire["error"]]} if code else {}
        return await self.push(statuses=[{**status, **recipient, **errors}])

    # ------------------------------------------------------------------------------------------------ the API

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        kind = "typing" if "status" in body else "message"
        act = self._read_mark if kind == "typing" else self._take
        return await self._answer(request, kind, lambda: act(body), body)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        return await self._answer(request, "media", lambda: self._store(dict(form)), {})

    async def _answer(
        self, request: web.Request, kind: str, act: Callable[[], dict[str, Any]], body: dict[str, Any]
    ) -> web.StreamResponse:
        fault = self._next_fault(kind)
        try:
            if fault is not None:
                return await self._strike(fault, act)
            self._authorize(request)
            return web.json_response(act())
        except Refused as refused:
            self.refused.append(Refusal(refused.code, refused.details, body))
            headers = {"Retry-After": str(fault.retry_after)} if fault and fault.retry_after else {}
            return web.json_response(refused.wire, status=refused.status, headers=headers)
        except Cut:
            if request.transport:
                request.transport.abort()
            return web.Response()
        finally:
            async with self._changed:
                self._changed.notify_all()

    async def _strike(self, fault: Fault, act: Callable[[], dict[str, Any]]) -> web.Response:
        fault.met.set()
        if fault.hang:
            await fault.release.wait()
        if fault.drop == "after":
            act()
        if fault.drop or fault.hang:
            raise Cut
        if fault.code:
            raise Refused(fault.code, "a fault of the test's making", status=fault.status)
        return web.Response(status=fault.status or 500, text="<html>upstream error</html>")

    def _next_fault(self, kind: str) -> Fault | None:
        fault = next((f for f in self._faults if f.kind in (kind, "*") and f.times), None)
        if fault:
            fault.times -= 1
        return fault

    def _authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.access_token}":
            raise Refused(190, "Invalid OAuth access token")
        if request.match_info["number"] != self.phone_number_id:
            raise Refused(100, "Object with this id does not exist")

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("messaging_product") != "whatsapp":
            raise Refused(100, "messaging_product is required")
        check_message(body)
        address = body.get("to") or body.get("recipient")
        if not isinstance(address, str):
            raise Refused(131008, "to or recipient is required")
        posted = Posted(self.new_id(), body)
        answer = {"messaging_product": "whatsapp", "messages": [{"id": posted.id}]}
        if "to" in body and not body["to"].removeprefix("+").isdigit():
            self.lost.append(body)
            return answer
        person = self.people.get(address.removeprefix("+"))
        if person is None or person.unreachable:
            raise Refused(131026, "Message Undeliverable.")
        self._check_window(body, person)
        self._check_picture(body)
        self._check_pace(person)
        self.sent.append(posted)
        self.unread[person.key].append(posted)
        return answer

    def _check_window(self, body: dict[str, Any], person: User) -> None:
        open_until = person.last_wrote + timedelta(hours=24) if person.last_wrote else None
        if body["type"] != "template" and (open_until is None or open_until <= self.now()):
            raise Refused(131047, "More than 24 hours have passed since the customer last replied")

    def _check_picture(self, body: dict[str, Any]) -> None:
        image = image_of(body)
        if image is None:
            return
        if image.get("link") in self.broken_links:
            raise Refused(131053, "Downloading media from the link failed")
        known = self.media.get(image.get("id", ""))
        if "id" in image and (known is None or known[1] + timedelta(days=MEDIA_DAYS) <= self.now()):
            raise Refused(131053, "The media id does not exist or has expired")

    def _check_pace(self, person: User) -> None:
        """A bucket for each person, one more message every six seconds."""
        left, since = self._pairs.get(person.key, (float(self._burst), self.now()))
        left = min(self._burst, left + (self.now() - since).total_seconds() / PAIR_SECONDS)
        if left < 1:
            raise Refused(131056, "Too many messages to this number in a short time")
        self._pairs[person.key] = (left - 1, self.now())

    def _read_mark(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("status") != "read" or not isinstance(body.get("message_id"), str):
            raise Refused(131009, "status must be read, of a message")
        if body.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
            raise Refused(131009, "typing_indicator")
        self.typing.append(body["message_id"])
        return {"success": True}

    def _store(self, form: dict[str, Any]) -> dict[str, Any]:
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            raise Refused(100, "messaging_product and file are required")
        content = file.file.read()
        check_upload(content, file.content_type)
        media_id = str(10**15 + next(self._numbers))
        self.media[media_id] = (content, self.now())
        return {"id": media_id}
