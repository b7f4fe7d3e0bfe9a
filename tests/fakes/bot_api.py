"""A Bot API on loopback, as strict as the real one, and people who write to the bot.

    async with BotApi() as api:
        sara = api.user(42, language="ar")
        await sara.send("أهلًا")
        message = await sara.one_message()
        await message.press("أوافق")

What the bot sends is checked against the public limits and refused in Telegram's words (`api.refused` lists the refusals),
what comes too fast is listed in `api.too_fast`, and `api.fault(...)` makes it fail on purpose.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from tests.fakes.bot_api_limits import (
    CALLBACK_ANSWER,
    SECRET,
    Pace,
    Refused,
    bad,
    check_caption,
    check_commands,
    check_keyboard,
    check_photo_bytes,
    check_point,
    check_text,
    units,
)
from tests.fakes.bot_api_people import Group, Person, User

T = TypeVar("T")
TOKEN = "42:FAKE-token_for_tests"
PATIENCE = 5.0


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of `method` («*»: any).

    status 0 with drop: the connection is cut, «before» or «after» the call took effect; hang: no answer until `release`.
    """

    method: str
    status: int = 0
    description: str = "Bad Gateway"
    parameters: dict[str, int] = field(default_factory=dict)
    drop: str = ""
    hang: bool = False
    times: int = 1
    release: asyncio.Event = field(default_factory=asyncio.Event)
    met: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Call:
    method: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    method: str
    description: str
    params: dict[str, Any]


class Cut(Exception):
    """The connection goes down without an answer."""


class BotApi:
    """`deliver_to`: where webhooks are really posted (http://127.0.0.1:PORT), whatever https host was registered."""

    def __init__(self, *, token: str = TOKEN, username: str = "rahhal_bot", deliver_to: str = "") -> None:
        self.token = token
        self.username = username
        self.deliver_to = deliver_to
        self.calls: list[Call] = []
        self.refused: list[Refusal] = []
        self.connections: set[object] = set()
        self.updates: list[dict[str, Any]] = []
        self.next_update_id = 1000
        self.webhook: dict[str, Any] = {}
        self.webhook_answers: list[int] = []
        self.files: dict[str, bytes] = {}
        self.commands: dict[str, dict[str, str]] = {}
        self.descriptions: dict[str, str] = {}
        self.answered: dict[str, dict[str, Any]] = {}
        self.waiting_callbacks: set[str] = set()
        self.chats: dict[int, dict[str, Any]] = {}
        self.forbidden: dict[int, str] = {}
        self.migrated: dict[int, int] = {}
        self.history: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.unread: dict[int, deque[dict[str, Any]]] = defaultdict(deque)
        self.delivering = asyncio.Lock()
        self._faults: list[Fault] = []
        self._pace = Pace()
        self._numbers = count(1)
        self._polls = 0
        self._changed = asyncio.Condition()
        self._allowed: list[str] = []
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
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

    # ------------------------------------------------------------------------------------------ for tests

    def user(self, user_id: int, *, language: str | None = "ar", name: str = "سارة") -> User:
        """A person in a private chat, which exists for the bot once she has written."""
        person = Person(user_id, name=name, language=language)
        return User(self, person, {"id": user_id, "type": "private", "first_name": name})

    def group(self, chat_id: int, *, title: str = "رحلة العائلة") -> Group:
        """A group the bot is a member of."""
        chat = {"id": chat_id, "type": "group", "title": title}
        self.chats[chat_id] = chat
        return Group(self, chat)

    def fault(self, method: str = "*", **what: Any) -> Fault:
        """The next matching call fails: see Fault."""
        fault = Fault(method, **what)
        self._faults.append(fault)
        return fault

    def flood(self, method: str, *, retry_after: int, times: int = 1) -> Fault:
        return self.fault(
            method,
            status=429,
            description=f"Too Many Requests: retry after {retry_after}",
            parameters={"retry_after": retry_after},
            times=times,
        )

    @property
    def too_fast(self) -> list[str]:
        """What broke the public rates. Telegram bears short bursts before it answers 429, so nothing is refused for it."""
        return self._pace.too_fast

    def called(self, method: str) -> list[dict[str, Any]]:
        return [call.params for call in self.calls if call.method == method]

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

    async def push(self, **content: Any) -> dict[str, Any]:
        """Something happened: a new update, by webhook where one is set, else for the next getUpdates."""
        update = {"update_id": self.next_update_id, **content}
        self.next_update_id += 1
        if self._allowed and not set(content) & set(self._allowed):
            return update
        self.updates.append(update)
        await self._notify()
        if self.webhook:
            await self.deliver()
        return update

    async def deliver(self) -> None:
        """Post what is pending to the webhook, in order, until one is not taken."""
        assert self._http is not None
        async with self.delivering:
            while self.updates and self.webhook:
                status = await self.post(self.updates[0])
                self.webhook_answers.append(status)
                await self._notify()
                if not 200 <= status < 300:
                    return
                self.updates.pop(0)

    async def post(self, update: Any) -> int:
        """One webhook delivery; the status it was answered with."""
        assert self._http is not None
        target = self.webhook["url"]
        if self.deliver_to:
            target = self.deliver_to + urlsplit(target).path
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret_token"]}
        async with self._http.post(target, json=update, headers=headers) as response:
            return response.status

    def new_number(self) -> int:
        return next(self._numbers)

    # ------------------------------------------------------------------------------------------ HTTP

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.transport is not None:
            self.connections.add(request.transport.get_extra_info("peername"))
        if request.match_info["token"] != self.token:
            return _refusal(Refused(401, "Unauthorized"))
        params = await _params(request)
        fault = self._take_fault(method)
        try:
            await self._meet(fault)
            result = await _action(method)(self, method, params)
        except Refused as error:
            if fault is None:
                self.refused.append(Refusal(method, error.description, params))
            return _refusal(error)
        except Cut:
            return self._cut(request)
        finally:
            self.calls.append(Call(method, params))
            await self._notify()
        if fault is not None and fault.drop == "after":
            return self._cut(request)
        return web.json_response({"ok": True, "result": result})

    async def _meet(self, fault: Fault | None) -> None:
        if fault is None:
            return
        fault.met.set()
        if fault.hang:
            await fault.release.wait()
            raise Cut
        if fault.drop == "before":
            raise Cut
        if fault.status:
            raise Refused(fault.status, fault.description, fault.parameters)

    def _take_fault(self, method: str) -> Fault | None:
        for fault in self._faults:
            if fault.times > 0 and fault.method in (method, "*"):
                fault.times -= 1
                return fault
        return None

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # ------------------------------------------------------------------------------------------ methods

    async def _get_me(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"id": 42, "is_bot": True, "first_name": "رحّال", "username": self.username}

    async def _get_updates(self, method: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self._polls += 1
        mine = self._polls
        await self._notify()
        if "allowed_updates" in params:
            self._allowed = params["allowed_updates"]
        offset = int(params.get("offset", 0))
        if offset > 0:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]
        elif offset < 0:
            self.updates = self.updates[offset:]
        deadline = time.monotonic() + float(params.get("timeout", 0))
        async with self._changed:
            while not self.updates and mine == self._polls and not self.webhook:
                try:
                    async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                        await self._changed.wait()
                except TimeoutError:
                    break
        if mine != self._polls or self.webhook:
            raise Refused(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        return self.updates[: int(params.get("limit", 100))]

    async def _set_webhook(self, method: str, params: dict[str, Any]) -> bool:
        if not params.get("url", "").startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        secret = params.get("secret_token", "")
        if secret and not SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        self.webhook = {"url": params["url"], "secret_token": secret}
        self._allowed = params.get("allowed_updates", self._allowed)
        if params.get("drop_pending_updates"):
            self.updates.clear()
        return True

    async def _delete_webhook(self, method: str, params: dict[str, Any]) -> bool:
        self.webhook = {}
        if params.get("drop_pending_updates"):
            self.updates.clear()
        return True

    async def _send_message(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(params)
        content: dict[str, Any] = {"text": check_text(params)}
        if params.get("entities"):
            content["entities"] = params["entities"]
        return self._keep(chat, params, content)

    async def _send_photo(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(params)
        caption = check_caption(params)
        file_id = self._photo(params.get("photo", ""))
        content: dict[str, Any] = {"photo": [{"file_id": file_id, "file_unique_id": f"u{file_id}"}]}
        if caption:
            content["caption"] = caption
        return self._keep(chat, params, content)

    def _photo(self, photo: Any) -> str:
        if isinstance(photo, bytes):
            check_photo_bytes(photo)
            file_id = f"photo-{self.new_number()}"
            self.files[file_id] = photo
            return file_id
        if photo.startswith(("http://", "https://")):
            if "unreachable" in photo:
                raise bad("failed to get HTTP URL content")
            return f"linked-{self.new_number()}"
        if photo not in self.files:
            raise bad("wrong file identifier/HTTP URL specified")
        return str(photo)

    async def _send_place(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(params)
        check_point(params, venue=method == "sendVenue")
        point = {"latitude": float(params["latitude"]), "longitude": float(params["longitude"])}
        content: dict[str, Any] = {"location": point}
        if method == "sendVenue":
            content["venue"] = {"location": point, "title": params["title"], "address": params["address"]}
        return self._keep(chat, params, content)

    async def _edit_text(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(params)
        text = check_text(params)
        check_keyboard(params.get("reply_markup"))
        message = self.history[chat["id"]].get(int(params["message_id"]))
        if message is None:
            raise bad("message to edit not found")
        if not message["from"]["is_bot"]:
            raise bad("message can't be edited")
        if "text" not in message:
            raise bad("there is no text in the message to edit")
        if (text, params.get("reply_markup")) == (message["text"], message.get("reply_markup")):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same"
                " as a current content and reply markup of the message"
            )
        message.update(text=text, edit_date=int(time.time()))
        for name in ("reply_markup", "entities"):
            message.pop(name, None)
            if params.get(name):
                message[name] = params[name]
        self.unread[chat["id"]].append(dict(message))
        return message

    async def _answer_callback(self, method: str, params: dict[str, Any]) -> bool:
        if units(params.get("text", "")) > CALLBACK_ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        if params["callback_query_id"] not in self.waiting_callbacks:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        self.waiting_callbacks.discard(params["callback_query_id"])
        self.answered[params["callback_query_id"]] = params
        return True

    async def _chat_action(self, method: str, params: dict[str, Any]) -> bool:
        self._chat(params)
        return True

    async def _set_commands(self, method: str, params: dict[str, Any]) -> bool:
        check_commands(params["commands"])
        self.commands[params.get("language_code", "")] = {
            command["command"]: command["description"] for command in params["commands"]
        }
        return True

    async def _set_description(self, method: str, params: dict[str, Any]) -> bool:
        if len(params.get("description", "")) > 512:
            raise bad("description is too long")
        self.descriptions[params.get("language_code", "")] = params.get("description", "")
        return True

    # ------------------------------------------------------------------------------------------ chats

    def _chat(self, params: dict[str, Any]) -> dict[str, Any]:
        try:
            chat_id = int(params["chat_id"])
        except (KeyError, ValueError):
            raise bad("chat_id is empty") from None
        if chat_id in self.migrated:
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": self.migrated[chat_id]},
            )
        if chat_id in self.forbidden:
            raise Refused(403, f"Forbidden: {self.forbidden[chat_id]}")
        if chat_id not in self.chats:
            raise bad("chat not found")
        return self.chats[chat_id]

    def _keep(self, chat: dict[str, Any], params: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        check_keyboard(params.get("reply_markup"))
        self._pace.note(chat["id"])
        message: dict[str, Any] = {
            "message_id": self.new_number(),
            "date": int(time.time()),
            "chat": chat,
            "from": {"id": 42, "is_bot": True, "first_name": "رحّال", "username": self.username},
            **content,
        }
        if params.get("reply_markup"):
            message["reply_markup"] = params["reply_markup"]
        self.history[chat["id"]][message["message_id"]] = message
        self.unread[chat["id"]].append(dict(message))
        return message


_Action = Callable[[BotApi, str, dict[str, Any]], Awaitable[Any]]
_METHODS: dict[str, _Action] = {
    "getMe": BotApi._get_me,
    "getUpdates": BotApi._get_updates,
    "setWebhook": BotApi._set_webhook,
    "deleteWebhook": BotApi._delete_webhook,
    "sendMessage": BotApi._send_message,
    "sendPhoto": BotApi._send_photo,
    "sendVenue": BotApi._send_place,
    "sendLocation": BotApi._send_place,
    "editMessageText": BotApi._edit_text,
    "answerCallbackQuery": BotApi._answer_callback,
    "sendChatAction": BotApi._chat_action,
    "setMyCommands": BotApi._set_commands,
    "setMyDescription": BotApi._set_description,
}


def _action(method: str) -> _Action:
    if method not in _METHODS:
        raise Refused(404, "Not Found")
    return _METHODS[method]


def _refusal(error: Refused) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": error.status, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return web.json_response(body, status=error.status)


async def _params(request: web.Request) -> dict[str, Any]:
    """Query, form or JSON; structured values in a form are JSON in a string."""
    if request.content_type == "application/json":
        return dict(await request.json())
    params: dict[str, Any] = dict(request.query)
    for name, value in (await request.post()).items():
        params[name] = value.file.read() if isinstance(value, web.FileField) else value
    for name, value in params.items():
        if isinstance(value, str) and value[:1] in ("[", "{"):
            params[name] = json.loads(value)
        elif value in ("true", "false"):
            params[name] = value == "true"
    return params
