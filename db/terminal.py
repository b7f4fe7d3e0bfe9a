"""What the terminal reads of its own conversation, as rahhal_owner: an operator's tool, not a channel of travelers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class Said:
    """One row of the outbox. `edits`: the row it replaces."""

    id: int
    payload: dict[str, Any]
    edits: int | None


async def fate(conn: Connection, *, external_id: str) -> Literal["waiting", "answered", "dead"]:
    """What became of a message of the terminal."""
    found = await conn.fetchrow(
        "SELECT answered_at, dead_at FROM inbox WHERE channel = 'terminal' AND external_id = $1", external_id
    )
    if found is None or (found["answered_at"] is None and found["dead_at"] is None):
        return "waiting"
    return "dead" if found["dead_at"] else "answered"


async def take_said(conn: Connection, *, thread: str) -> list[Said]:
    """What this conversation was told and did not show yet, in order; marked as sent."""
    rows = await conn.fetch(
        """
        WITH shown AS (
            UPDATE outbox o SET sent_at = clock_timestamp(), attempts = attempts + 1
            FROM conversations c
            WHERE c.id = o.conversation_id AND c.channel = 'terminal' AND c.thread = $1
              AND o.sent_at IS NULL AND o.dead_at IS NULL
            RETURNING o.id, o.payload, o.edits
        )
        SELECT id, payload, edits FROM shown ORDER BY id
        """,
        thread,
    )
    return [Said(id=row["id"], payload=row["payload"], edits=row["edits"]) for row in rows]
