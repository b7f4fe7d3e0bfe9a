"""Payloads → Telegram: edits in place, photos uploaded once."""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import Any

from telegram import InputFile
from telegram.constants import ChatAction
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bot.channels.telegram.client import Client
from bot.channels.telegram.refusals import BAD_FILE, CANNOT_EDIT, NOT_MODIFIED, as_send_error, says
from bot.channels.telegram.text import MESSAGE_LIMIT
from bot.errors import DatabaseUnavailable
from bot.events import Channel, Outgoing, Payload, PictureReader, Sent, Uploads
from locales.length import shorten


class TelegramSender:
    """Implements bot.events.Sender.

    pictures: reads the bytes of our own pictures. uploads: file_ids of what Telegram already has.
    """

    def __init__(self, client: Client, *, pictures: PictureReader, uploads: Uploads) -> None:
        self._client = client
        self._pictures = pictures
        self._uploads = uploads

    async def send(self, message: Outgoing) -> Sent:
        """An edit whose target is gone or is not a text goes out as a new message; an edit that changes nothing is done.

        Raises SendLater, SendRefused or RecipientGone.
        """
        try:
            return await self._send(message.address, message.payload, message.edits)
        except TelegramError as error:
            raise as_send_error(error) from None

    async def show_typing(
        self,
        address: str,
        *,
        last_message: str | None = None,  # noqa: ARG002 - the protocol's, Telegram needs none
    ) -> None:
        """Telegram shows it for five seconds or until the next message."""
        with contextlib.suppress(TelegramError):
            await self._client.send_chat_action(chat_id=address, action=ChatAction.TYPING)

    async def tell_operators(self, chat_id: str, text: str) -> None:
        """A message to the operators' chat. Raises a SendError like `send`."""
        try:
            await self._client.send_message(chat_id=chat_id, text=shorten(text, MESSAGE_LIMIT))
        except TelegramError as error:
            raise as_send_error(error) from None

    async def _send(self, address: str, payload: Payload, edits: str | None) -> Sent:
        try:
            return await self._send_or_edit(address, payload, edits)
        except (
            ChatMigrated
        ) as moved:  # a group became a supergroup: its members are there now, its messages are not
            return await self._send_or_edit(str(moved.new_chat_id), payload, None)

    async def _send_or_edit(self, address: str, payload: Payload, edits: str | None) -> Sent:
        method: str = payload["method"]
        params = {"chat_id": address, **payload["params"]}
        if method == "sendPhoto":
            return await self._send_photo(params, payload["picture"])
        if method == "editMessageText":
            if edits is not None and edits.isdecimal() and await self._edit(params, int(edits)):
                return Sent(edits)
            method = "sendMessage"
        return _sent(await self._client.call(method, params))

    async def _edit(self, params: dict[str, Any], message_id: int) -> bool:
        """Whether the earlier message now reads like this."""
        try:
            await self._client.call("editMessageText", {**params, "message_id": message_id})
        except BadRequest as error:
            if says(error, NOT_MODIFIED):
                return True
            if says(error, *CANNOT_EDIT):
                return False
            raise
        return True

    async def _send_photo(self, params: dict[str, Any], picture: dict[str, str]) -> Sent:
        """The photo; without the file, its words alone: a missing picture costs nobody the message."""
        try:
            return await self._send_picture(params, picture["source"])
        except LookupError:
            pass
        except BadRequest as error:
            if not says(error, *BAD_FILE):
                raise
        words = {"text": params.pop("caption", "") or picture["alt"].strip() or "…", **params}
        if "caption_entities" in words:
            words["entities"] = words.pop("caption_entities")
        return _sent(await self._client.call("sendMessage", words))

    async def _send_picture(self, params: dict[str, Any], source: str) -> Sent:
        """By URL, by the file_id of an earlier upload, or by uploading. Raises LookupError for an unknown source."""
        if source.startswith(("https://", "http://")):
            return _sent(await self._client.call("sendPhoto", {**params, "photo": source}))
        content = await self._pictures(source)
        digest = sha256(content).hexdigest()
        known = None
        with contextlib.suppress(DatabaseUnavailable):
            known = await self._uploads.find(Channel.TELEGRAM, digest)
        if known is not None:
            try:
                return _sent(await self._client.call("sendPhoto", {**params, "photo": known}))
            except BadRequest as error:  # a file_id belongs to one bot: the token was changed to another's
                if not says(error, *BAD_FILE):
                    raise
        upload = InputFile(content, filename=f"{digest[:16]}.jpg")
        result = await self._client.call("sendPhoto", {**params, "photo": upload})
        with contextlib.suppress(DatabaseUnavailable):  # the photo has left: a retry would show it twice
            await self._uploads.remember(Channel.TELEGRAM, digest, result["photo"][-1]["file_id"])
        return _sent(result)


def _sent(result: dict[str, Any]) -> Sent:
    return Sent(str(result["message_id"]))
