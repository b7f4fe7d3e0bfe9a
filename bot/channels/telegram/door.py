"""Where updates come in, by polling or by webhook: parsed, stored, then acknowledged. Nothing odd stops what is good."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.channels.telegram.client import Client
from bot.channels.telegram.parse import parse
from bot.channels.telegram.wire import storable
from bot.errors import DatabaseUnavailable, OddPayload
from bot.events import Channel, DeadLetter, Event, Hear

_AT_ONCE: Final = 200
"""Acknowledgements under way; beyond that they are left out. They are a courtesy, not a message."""

log = structlog.get_logger(__name__)


class TelegramDoor:
    """Takes updates in. `hear` and `dead_letter` are the application's."""

    def __init__(self, client: Client, *, hear: Hear, dead_letter: DeadLetter) -> None:
        self._client = client
        self._hear = hear
        self._dead_letter = dead_letter
        self._courtesies: set[asyncio.Task[None]] = set()

    async def take_in(self, updates: Sequence[Any]) -> None:
        """Returns once every update is stored, as an event or as a dead letter; acknowledges in the background.

        Raises DatabaseUnavailable: then the whole batch is to be given again (what was stored already is recognized).
        """
        heard: list[tuple[Any, list[Event]]] = []
        for update in updates:
            try:
                heard.append((update, parse(update, username=self._client.known_as)))
            except OddPayload as odd:
                await self.bury(update, str(odd))
        events = [event for _, spoken in heard for event in spoken]
        if events:
            try:
                await self._hear(events)
            except DatabaseUnavailable:
                raise
            except Exception:
                log.exception("telegram batch refused, storing it one by one", updates=len(heard))
                await self._hear_one_by_one(heard)
        for update, _ in heard:
            self._acknowledge_soon(update)

    async def bury(self, update: Any, reason: str) -> None:
        """Keep what cannot be understood. Raises DatabaseUnavailable."""
        try:
            payload = storable(update)
        except RecursionError:
            payload = {"payload": "nested too deep"}
        await self._dead_letter(
            Channel.TELEGRAM, payload if isinstance(payload, dict) else {"payload": payload}, reason
        )

    async def acknowledge(self, update: Mapping[str, Any]) -> None:
        """Stop the pressed button's spinner, or show that we are typing. Best effort: «query is too old» is done too."""
        query, message = update.get("callback_query"), update.get("message")
        with contextlib.suppress(TelegramError, LookupError, TypeError):
            if query is not None:
                await self._client.answer_callback_query(query["id"])
            elif message is not None:
                await self._client.send_chat_action(message["chat"]["id"], ChatAction.TYPING)

    async def close(self) -> None:
        """Leave no acknowledgement running."""
        for task in self._courtesies:
            task.cancel()
        await asyncio.gather(*self._courtesies, return_exceptions=True)

    async def _hear_one_by_one(self, heard: list[tuple[Any, list[Event]]]) -> None:
        """So that the one event that cannot be stored becomes a dead letter and the others become answers."""
        for update, spoken in heard:
            try:
                if spoken:
                    await self._hear(spoken)
            except DatabaseUnavailable:
                raise
            except Exception as error:
                await self.bury(update, f"could not be stored: {type(error).__name__}")

    def _acknowledge_soon(self, update: Mapping[str, Any]) -> None:
        if len(self._courtesies) < _AT_ONCE:
            task = asyncio.create_task(self.acknowledge(update))
            self._courtesies.add(task)
            task.add_done_callback(self._courtesies.discard)
