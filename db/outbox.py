"""Sending: lanes, what became of each row, the channels' token buckets, leases and uploads. Run as rahhal_worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class Row:
    """One message to send. `replaces`: the row it replaces; `edits`: the channel's id of that message, if it was sent by now."""

    id: int
    payload: dict[str, Any]
    attempts: int
    replaces: int | None
    edits: str | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A conversation's way out, leased as a whole; its rows in order."""

    conversation_id: UUID
    channel: str
    address: str
    window_until: datetime | None
    rows: tuple[Row, ...]


async def lease_lane(
    conn: Connection, *, channels: Sequence[str], worker: str, lease: timedelta, most: int = 10
) -> Lane | None:
    """Lease one lane with something to send, replies before broadcasts; None when there is none."""
    found = await conn.fetchval(
        "SELECT app.lease_lane($1::text[], $2, $3, $4)", list(channels), worker, lease, most
    )
    if found is None:
        return None
    return Lane(
        conversation_id=UUID(found["conversation_id"]),
        channel=found["channel"],
        address=found["address"],
        window_until=datetime.fromisoformat(found["window_until"]) if found["window_until"] else None,
        rows=tuple(
            Row(
                id=row["id"],
                payload=row["payload"],
                attempts=row["attempts"],
                replaces=row["replaces"],
                edits=row["edits"],
            )
            for row in found["rows"]
        ),
    )


async def mark_sent(conn: Connection, *, row: int, external_id: str | None) -> None:
    await conn.execute("SELECT app.mark_sent($1, $2)", row, external_id)


async def mark_retry(conn: Connection, *, row: int, pause: timedelta, problem: str) -> int:
    """The lane waits, its order stands. Returns how often this row was tried."""
    tried: int = await conn.fetchval("SELECT app.mark_retry($1, $2, $3)", row, pause, problem)
    return tried


async def mark_dead(conn: Connection, *, row: int, problem: str) -> None:
    await conn.execute("SELECT app.mark_dead($1, $2)", row, problem)


async def pause_lane(conn: Connection, *, conversation: UUID, pause: timedelta) -> None:
    """Wait without counting a failure: a limit of the channel is used up for now."""
    await conn.execute("SELECT app.pause_lane($1, $2)", conversation, pause)


async def stop_lane(conn: Connection, *, conversation: UUID, because: str) -> None:
    """The person cannot be reached: nothing of this lane is tried again."""
    await conn.execute("SELECT app.stop_lane($1, $2)", conversation, because)


async def release_lane(conn: Connection, *, conversation: UUID, worker: str) -> None:
    await conn.execute("SELECT app.release_lane($1, $2)", conversation, worker)


async def take_token(conn: Connection, *, bucket: str, capacity: float, per_second: float) -> float:
    """0 when a token was taken, otherwise the seconds until there is one."""
    wait: float = await conn.fetchval("SELECT app.take_token($1, $2, $3)", bucket, capacity, per_second)
    return wait


async def drain_bucket(conn: Connection, *, bucket: str, per_second: float, seconds: float) -> None:
    """The channel itself said to wait: no token for so many seconds."""
    await conn.execute("SELECT app.drain_bucket($1, $2, $3)", bucket, per_second, seconds)


async def hold_lease(conn: Connection, *, name: str, worker: str, lease: timedelta) -> bool:
    """Take or renew a lease; whether it is ours."""
    ours: bool = await conn.fetchval("SELECT app.hold_lease($1, $2, $3)", name, worker, lease)
    return ours


async def drop_lease(conn: Connection, *, name: str, worker: str, pause: timedelta = timedelta(0)) -> None:
    """Give a lease up; nobody takes it before `pause` is over."""
    await conn.execute("SELECT app.drop_lease($1, $2, $3)", name, worker, pause)


async def lease_value(conn: Connection, *, name: str) -> Any:
    return await conn.fetchval("SELECT app.lease_value($1)", name)


async def set_lease_value(conn: Connection, *, name: str, worker: str, value: Any) -> bool:
    """Store the value that outlives the holder; False when the lease is no longer ours."""
    kept: bool = await conn.fetchval("SELECT app.set_lease_value($1, $2, $3::jsonb)", name, worker, value)
    return kept


async def uploaded(conn: Connection, *, channel: str, sha256: str) -> str | None:
    found: str | None = await conn.fetchval("SELECT app.uploaded($1, $2)", channel, sha256)
    return found


async def remember_upload(conn: Connection, *, channel: str, sha256: str, media_id: str) -> None:
    await conn.execute("SELECT app.remember_upload($1, $2, $3)", channel, sha256, media_id)


async def claim_job(conn: Connection, *, job: str, every: timedelta) -> bool:
    """Whether this worker is to run the periodic job now."""
    ours: bool = await conn.fetchval("SELECT app.claim_job($1, $2)", job, every)
    return ours


async def finish_job(conn: Connection, *, job: str, outcome: str) -> None:
    await conn.execute("SELECT app.finish_job($1, $2)", job, outcome)


async def backlog(conn: Connection) -> dict[str, int]:
    """How much waits: inbox, outbox, dead_letters, humans_wanted."""
    found: dict[str, int] = await conn.fetchval("SELECT app.backlog()")
    return found
