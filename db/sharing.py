"""Links that open for somebody else what a traveler was looking at; and the clicks on every link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import asyncpg
from asyncpg import Connection

Pool: TypeAlias = asyncpg.Pool
ContentType = Literal["results", "hotel", "trip"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What stands behind a link: `content_type` is None for a mere invitation. Amounts are in minor units.

    first_time: this visitor had not opened it before.
    """

    content_type: ContentType | None
    first_time: bool
    reward: int
    bonus: int
    currency: str


async def share(
    conn: Connection,
    *,
    content_type: ContentType,
    content_id: str,
    content_data: Mapping[str, Any],
    platform: str,
) -> str:
    """The code of a link that opens this; the same thing has the same code. At most 4 KiB of `content_data`."""
    code: str = await conn.fetchval(
        "SELECT app.share($1, $2, $3::jsonb, $4)", content_type, content_id, dict(content_data), platform
    )
    return code


async def open_link(conn: Connection, *, code: str, visitor: bytes | None) -> Opened | None:
    """What a code opens; None for one that is none. A click of `visitor` (16 bytes) is noted, once each."""
    found = await conn.fetchval("SELECT app.open_link($1, $2)", code, visitor)
    return None if found is None else Opened(**found)


async def count_links(conn: Connection) -> int:
    """Add the clicks since last time to their links (as rahhal_worker); how many."""
    counted: int = await conn.fetchval("SELECT app.count_links()")
    return counted
