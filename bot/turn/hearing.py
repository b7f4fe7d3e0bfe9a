"""Transaction 1: nothing but an INSERT into the inbox. It never waits for a running answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import orjson

from bot.events import Channel, DeliveryStatus, Event
from db import turns
from db.pool import Role, visit

MOST_KEPT = 4_000
"""Characters kept of a payload that can be kept only as text."""


class Door:
    """Where channels hand over what they received. `wake` is called after the commit of something new."""

    def __init__(self, pool: asyncpg.Pool, *, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._wake = wake

    async def hear(self, events: list[Event]) -> int:
        """Store events durably; how many were new. Raises DatabaseUnavailable: the channel delivers them again."""
        if not events:
            return 0
        rows = [
            {
                "channel": event.channel.value,
                "external_id": event.external_id,
                "thread": event.thread,
                "address": event.address,
                "sent_at": event.sent_at.isoformat() if event.sent_at else None,
                "event": event.model_dump(mode="json", exclude_none=True),
            }
            for event in events
        ]
        async with visit(self._pool, Role.APP) as conn:
            new = await turns.hear(conn, events=rows)
        if new:
            self._wake()
        return new

    async def bury(self, channel: Channel, payload: Mapping[str, Any], reason: str) -> None:
        """Keep a verified but odd payload, as text where jsonb cannot hold it. Raises DatabaseUnavailable."""
        payload = _storable(payload)
        async with visit(self._pool, Role.APP) as conn:
            await turns.bury(conn, channel=channel.value, reason=reason, payload=payload)

    async def store_statuses(self, statuses: list[DeliveryStatus]) -> None:
        """Store delivery statuses; they bypass inbox and turn. Raises DatabaseUnavailable."""
        rows = [
            {
                "channel": status.channel.value,
                "external_id": status.external_id,
                "status": status.status,
                "at": status.at.isoformat(),
                "error_code": status.error_code,
                "error": status.error,
            }
            for status in statuses
        ]
        if rows:
            async with visit(self._pool, Role.APP) as conn:
                await turns.store_statuses(conn, statuses=rows)


def _storable(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload, unless it is nested too deep to be written as JSON or holds what jsonb does not (NUL, surrogates)."""
    try:
        if b"\\u0000" not in orjson.dumps(payload):
            return payload
    except TypeError:  # orjson.JSONEncodeError is one
        pass
    try:
        return {"text": json.dumps(payload)[:MOST_KEPT]}
    except RecursionError:
        return {"text": "nested too deep"}
