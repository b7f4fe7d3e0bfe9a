"""What the web chat asks of the database: who holds a token, and what was said to her."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

Pool: TypeAlias = asyncpg.Pool


@dataclass(frozen=True, slots=True)
class History:
    """The end of a conversation, oldest first, and the sequence to go on from.

    items: {at, id, content} for what the visitor wrote, {at, sequence, edits, payload} for what she was told.
    """

    after: int
    items: list[dict[str, Any]]


async def admit(connection: asyncpg.Connection, *, token_hash: bytes, lifetime: timedelta) -> UUID:
    """Let a new visitor in; returns who she is."""
    visitor: UUID = await connection.fetchval("SELECT app.webchat_admit($1, $2)", token_hash, lifetime)
    return visitor


async def visitor_of(
    connection: asyncpg.Connection, *, token_hash: bytes, lifetime: timedelta
) -> UUID | None:
    """Who holds this token, which lives on for `lifetime`; None when nobody does."""
    visitor: UUID | None = await connection.fetchval(
        "SELECT app.webchat_visitor($1, $2)", token_hash, lifetime
    )
    return visitor


async def messages_after(
    connection: asyncpg.Connection, *, token_hash: bytes, after: int, most: int
) -> list[dict[str, Any]] | None:
    """Up to `most` {sequence, edits, at, payload} after a sequence, now counted as sent; None for an unknown token."""
    found: list[dict[str, Any]] | None = await connection.fetchval(
        "SELECT app.webchat_after($1, $2, $3)", token_hash, after, most
    )
    return found


async def history(connection: asyncpg.Connection, *, token_hash: bytes, most: int) -> History | None:
    """The last `most` messages of both directions; None for an unknown token."""
    found = await connection.fetchval("SELECT app.webchat_history($1, $2)", token_hash, most)
    return None if found is None else History(after=found["after"], items=found["items"])


async def sweep(connection: asyncpg.Connection) -> int:
    """Forget expired tokens and settle what nobody came back for (as `rahhal_worker`, about hourly)."""
    forgotten: int = await connection.fetchval("SELECT app.webchat_sweep()")
    return forgotten
