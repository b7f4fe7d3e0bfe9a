"""The behavior log beside the turn: events that belong to none, the log's state, and its months on their way out and back.

What a turn logs is written by `app.end_turn` in the turn's own transaction.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import UUID

from asyncpg import Connection

COLUMNS = (
    "id",
    "user_id",
    "session_id",
    "action_type",
    "action_data",
    "emotional_state",
    "device_type",
    "referrer_source",
    "timestamp",
    "hour_of_day",
    "day_of_week",
    "ip_country",
    "user_agent",
)
"""Of `user_behavior_log`, as an archive holds them."""

_ENTIRE_MONTH = """
SELECT hash_record_extended(l, 0) AS row_hash, l.id, l.user_id, l.session_id, l.action_type, l.action_data, l.emotional_state,
       l.device_type, l.referrer_source, l."timestamp", l.hour_of_day, l.day_of_week, l.ip_country, l.user_agent
FROM user_behavior_log AS l WHERE l."timestamp" >= $1 AND l."timestamp" < $2
"""

LONG = 6 * 3600.0
"""Seconds that a statement over a whole month may take."""

Retired = Literal["gone", "changed", "busy", "absent"]


class Occurrence(NamedTuple):
    """One row to be, of an event that belongs to no turn. `id` is made by whoever saw it, so that a retry is no second event.

    user_id: whose, where it is known; visitor: the SHA-256 of the web chat's cookie, where only that is known. The row
    names nobody who has not consented to analysis. `data` is JSON, `at` an aware datetime.
    """

    id: UUID
    at: datetime
    action: str
    data: str = "{}"
    user_id: UUID | None = None
    visitor: bytes | None = None
    device: str | None = None
    referrer: str | None = None


@dataclass(frozen=True, slots=True)
class LogHealth:
    """`in_default`: rows that found no month, counted to 10,000. `last_month`: the latest made. `archived`: months in files."""

    in_default: int
    last_month: date | None
    archived: int


@dataclass(frozen=True, slots=True)
class Archive:
    """A month in a file. `bytes` and `sha256` are the compressed file's; `restored_at` is set while it is back online."""

    month: date
    file: str
    sha256: str
    bytes: int
    rows: int
    archived_at: datetime
    restored_at: datetime | None


def new_id(at: datetime) -> UUID:
    """A UUIDv7 of that moment (RFC 9562, 5.7): 48 bits of milliseconds, the rest random but for version and variant."""
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    bits = milliseconds << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


async def append(conn: Connection, *, occurrences: Sequence[Occurrence]) -> int:
    """Write them in one statement; returns how many were new. As rahhal_worker."""
    new: int = await conn.fetchval(
        "SELECT app.log_behavior($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::bytea[], $7::text[], "
        "$8::text[])",
        *zip(*occurrences, strict=True),
    )
    return new


async def log_health(conn: Connection) -> LogHealth:
    """As rahhal_worker; a few reads of the catalog."""
    found = await conn.fetchval("SELECT app.log_health()")
    last = found["last_month"]
    return LogHealth(found["in_default"], date.fromisoformat(last) if last else None, found["archived"])


@dataclass(frozen=True, slots=True)
class Done:
    """Something a person did."""

    at: datetime
    action: str
    data: dict[str, Any]


async def recent(conn: Connection, *, user_id: UUID, since: datetime, most: int) -> list[Done]:
    """What a person did since then, newest first. Reads the months since then by her index, and no other."""
    rows = await conn.fetch(
        """
        SELECT "timestamp" AS at, action_type AS action, action_data AS data
        FROM user_behavior_log WHERE user_id = $1 AND "timestamp" >= $2 ORDER BY "timestamp" DESC LIMIT $3
        """,
        user_id,
        since,
        most,
    )
    return [Done(**row) for row in rows]


# ------------------------------------------------------------------------------------------------ months, as rahhal_owner


async def months(conn: Connection) -> list[date]:
    """The first days of the months that are online, oldest first."""
    rows = await conn.fetch(
        """
        SELECT to_date(right(c.relname::text, 7), 'YYYY_MM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'user_behavior_log'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
        ORDER BY 1
        """
    )
    return [row["month"] for row in rows]


async def archives(conn: Connection) -> list[Archive]:
    """All months that were ever archived, oldest first."""
    rows = await conn.fetch(
        "SELECT month, file, sha256, bytes, rows, archived_at, restored_at FROM log_archives ORDER BY month"
    )
    return [Archive(**row) for row in rows]


async def take_archive_lock(conn: Connection) -> bool:
    """Whether this transaction is the one that archives or restores; until its end."""
    ours: bool = await conn.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('rahhal.log-archive', 0))"
    )
    return ours


async def copy_out(conn: Connection, *, begins: datetime, ends: datetime, write: object) -> None:
    """COPY the rows of [begins, ends) to the coroutine function `write(bytes)`: lines of the text format, hash first."""
    await conn.copy_from_query(_ENTIRE_MONTH, begins, ends, output=write, format="text", timeout=LONG)


async def retire_month(conn: Connection, *, month: date, rows: int, hashes: int) -> Retired:
    """Detach and drop a month if it still holds exactly what was written: `rows` rows whose hashes add up to `hashes`."""
    fate: Retired = await conn.fetchval(
        "SELECT retire_log_month($1, $2, $3)", month, rows, Decimal(hashes), timeout=LONG
    )
    return fate


async def note_archive(
    conn: Connection, *, month: date, file: str, sha256: str, size: int, rows: int
) -> None:
    """Remember the file of a month; one that came back and left again has one file, the last."""
    await conn.execute(
        """
        INSERT INTO log_archives AS a (month, file, sha256, bytes, rows) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (month) DO UPDATE SET
            file = excluded.file, sha256 = excluded.sha256, bytes = excluded.bytes, rows = excluded.rows,
            archived_at = clock_timestamp(), restored_at = NULL
        """,
        month,
        file,
        sha256,
        size,
        rows,
    )


async def bring_back_month(conn: Connection, *, month: date, columns: Sequence[str], source: object) -> int:
    """Load a month from the text lines that `source` (an async iterator of bytes) gives, and attach it. Returns its rows.

    The month must not be online.
    """
    await conn.execute("SELECT make_log_month($1)", month)
    name = await conn.fetchval("SELECT log_month_name($1)::text", month)
    said = await conn.copy_to_table(
        name, schema_name="public", source=source, columns=columns, format="text", timeout=LONG
    )
    await conn.execute("SELECT attach_log_month($1)", month, timeout=LONG)
    return int(said.rpartition(" ")[2])


async def note_restored(
    conn: Connection, *, month: date, file: str, sha256: str, size: int, rows: int
) -> None:
    """Remember that a month is online again, also one whose file comes from another database."""
    await conn.execute(
        """
        INSERT INTO log_archives AS a (month, file, sha256, bytes, rows, restored_at)
        VALUES ($1, $2, $3, $4, $5, clock_timestamp())
        ON CONFLICT (month) DO UPDATE SET restored_at = clock_timestamp()
        """,
        month,
        file,
        sha256,
        size,
        rows,
    )
