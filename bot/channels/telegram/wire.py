"""JSON from Telegram, read without trusting it."""

from __future__ import annotations

import json
from typing import Any

import orjson

from bot.events import clean


def read_json(body: bytes) -> Any:
    """The value, or ValueError.

    orjson refuses escaped lone surrogates, which Python's own reader takes: one such message must not stop the rest of
    its batch, and `clean` drops the surrogates later.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body.decode("utf-8", "replace"))


def storable(value: Any) -> Any:
    """The same JSON value with every string and key as PostgreSQL can keep it, for dead letters."""
    if isinstance(value, dict):
        return {clean(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return clean(value)
