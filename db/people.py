"""The person of the turn: what she may change about herself, and her logins; people of the house and their roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from asyncpg import Connection, Record

from db.turns import Person, person_of


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


# ------------------------------------------------------------------------------------------------ several logins


@dataclass(frozen=True, slots=True)
class Found:
    """Whose code somebody wrote. `channels`: where that person is known; empty unless found.

    outcome: found; unknown (never was, used, or too old); same (her own); staff (people of the house keep their logins
    apart); too_many (wrong ones within the hour).
    """

    outcome: Literal["found", "unknown", "same", "staff", "too_many"]
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a join. `person`: who the turn is from now on; None unless merged.

    outcome: merged; busy (another chat of hers is at it); or one of `Found`.
    """

    outcome: Literal["merged", "busy", "unknown", "same", "staff", "too_many"]
    person: Person | None = None


async def make_join_code(conn: Connection, *, now: datetime) -> str | None:
    """A code of 12 letters and digits that joins another login to this turn's person within ten minutes, once.

    None after five within the hour. An earlier code is void from here on.
    """
    code: str | None = await conn.fetchval("SELECT app.make_join_code($1)", now)
    return code


async def join_code_owner(conn: Connection, *, code: str, now: datetime) -> Found:
    """Look at a code without using it. A wrong one is counted."""
    found = await conn.fetchval("SELECT app.join_code_owner($1, $2)", code, now)
    return Found(outcome=found["outcome"], channels=tuple(found.get("channels") or ()))


async def join(conn: Connection, *, code: str, now: datetime) -> Joined:
    """This turn's person becomes the one who asked for the code, with everything she has."""
    made = await conn.fetchval("SELECT app.merge_people($1, $2)", code, now)
    return Joined(outcome=made["outcome"], person=person_of(made["user"]) if "user" in made else None)


async def settle_joins(conn: Connection, *, within: timedelta) -> int:
    """Rows written late under a login that was joined to another lately follow it; of how many people that was looked at."""
    settled: int = await conn.fetchval("SELECT app.settle_merges($1)", within)
    return settled


# ------------------------------------------------------------------------------------------------ people of the house


@dataclass(frozen=True, slots=True)
class Login:
    """One identity of a person. `name`: as the channel shows it."""

    channel: str
    external_id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as the command line names her."""

    id: UUID
    full_name: str | None
    role: Literal["user", "operator", "admin"]
    last_login_at: datetime
    logins: tuple[Login, ...]


_KNOWN = """
    SELECT u.id, u.full_name, u.role, u.last_login_at,
           coalesce((
               SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'external_id', d.external_id, 'name', d.name)
                                ORDER BY d.channel, d.external_id)
               FROM user_identities d WHERE d.user_id = u.id), '[]') AS logins
    FROM users u
    WHERE u.account_status = 'active' AND CASE
        WHEN $1::uuid IS NOT NULL THEN u.id = $1
        WHEN $2::text IS NOT NULL THEN
            u.id IN (SELECT d.user_id FROM user_identities d WHERE d.channel = $2 AND d.external_id = $3::text)
        ELSE u.role <> 'user' END
    ORDER BY u.role, u.id
    """


async def find_person(conn: Connection, *, user: UUID) -> Known | None:
    """An active person by her id. As rahhal_owner."""
    row = await conn.fetchrow(_KNOWN, user, None, None)
    return _known(row) if row else None


async def find_login(conn: Connection, *, channel: str, external_id: str) -> Known | None:
    """An active person by one of her logins. As rahhal_owner."""
    row = await conn.fetchrow(_KNOWN, None, channel, external_id)
    return _known(row) if row else None


async def house(conn: Connection) -> list[Known]:
    """Operators and admins. As rahhal_owner."""
    return [_known(row) for row in await conn.fetch(_KNOWN, None, None, None)]


async def set_role(conn: Connection, *, user: UUID, role: str) -> str | None:
    """Give an active person a role; the one she had before, or None when there is no such person. As rahhal_owner."""
    before: str | None = await conn.fetchval("SELECT app.set_role($1, $2)", user, role)
    return before


def _known(row: Record) -> Known:
    logins = tuple(Login(**login) for login in row["logins"])
    return Known(**{**row, "logins": logins})
