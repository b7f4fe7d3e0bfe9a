"""The person of the turn: what she may change about herself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from asyncpg import Connection


async def settle_in(
    conn: Connection, *, user: UUID, language: str, country: str, timezone: str, phone: str | None
) -> None:
    """What the first contact tells about a newcomer: language, country, clock and, where the channel gives it, a phone."""
    await conn.execute(
        """
        UPDATE users SET preferred_language = $2, country = $3, timezone = $4, phone = coalesce(phone, $5), updated_at = now()
        WHERE id = $1
        """,
        user,
        language,
        country,
        timezone,
        phone,
    )


async def choose_language(conn: Connection, *, user: UUID, language: str, chosen: bool = True) -> None:
    """`language` is «ar» or «en»; not `chosen` when it is only what she writes in."""
    await conn.execute(
        "UPDATE users SET preferred_language = $2, language_chosen = $3, updated_at = now() WHERE id = $1",
        user,
        language,
        chosen,
    )


async def answer_consent(conn: Connection, *, user: UUID, consented: bool, at: datetime) -> None:
    """Consent to learning from behavior, given or refused; it can be changed at any time."""
    await conn.execute(
        "UPDATE users SET consented = $2, consented_at = $3, updated_at = now() WHERE id = $1",
        user,
        consented,
        at,
    )


async def remember_name(conn: Connection, *, user: UUID, full_name: str) -> None:
    """The guest's name in Latin letters, as in the passport."""
    await conn.execute("UPDATE users SET full_name = $2, updated_at = now() WHERE id = $1", user, full_name)


async def want_human(conn: Connection, *, conversation: UUID, at: datetime) -> bool:
    """Flag the conversation for the operators; whether it was not flagged within the last day already."""
    flagged = await conn.fetchval(
        """
        UPDATE conversations SET human_wanted_at = $2
        WHERE id = $1 AND (human_wanted_at IS NULL OR human_wanted_at < $2::timestamptz - interval '1 day')
        RETURNING true
        """,
        conversation,
        at,
    )
    return bool(flagged)


async def stop(conn: Connection, *, conversation: UUID, at: datetime) -> None:
    """No message that was not asked for goes to this conversation until she writes again."""
    await conn.execute(
        "UPDATE conversations SET stopped_at = $2, stopped_because = 'asked' WHERE id = $1", conversation, at
    )
