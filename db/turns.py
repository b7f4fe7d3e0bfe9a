"""The doors of a message: hear, begin, press, end, fail. Each is one function of schema `app`, one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class Person:
    """Whose turn it is, as stored in `users`."""

    id: UUID
    full_name: str | None
    phone: str | None
    email: str | None
    preferred_language: str
    language_chosen: bool
    country: str
    digits: Literal["latn", "arab"]
    timezone: str
    suspended: bool
    role: str
    consented: bool | None


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversation of a turn."""

    id: UUID
    channel: str
    address: str
    dialogue: dict[str, Any]
    human_wanted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unanswered message: the event as it was stored, and how often answering it has failed."""

    id: int
    event: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a turn begins with."""

    talk: Talk
    person: Person
    newcomer: bool
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button meant. `command` is None when it is not ours to follow (fate foreign or unknown)."""

    fate: Literal["ok", "pressed", "foreign", "unknown"]
    command: dict[str, Any] | None = None
    label: str = ""
    outbox_id: int | None = None
    created_at: datetime | None = None


async def hear(conn: Connection, *, events: Sequence[Mapping[str, Any]]) -> int:
    """Transaction 1: store events; returns how many were new."""
    heard: int = await conn.fetchval("SELECT app.hear($1::jsonb)", list(events))
    return heard


async def begin_turn(
    conn: Connection, *, channels: Sequence[str] | None = None, most: int = 20, thread: str | None = None
) -> Claim | None:
    """Claim the longest waiting conversation that nobody is answering; None when nothing waits. `thread`: only this one."""
    found = await conn.fetchval("SELECT app.begin_turn($1::text[], $2, $3)", channels, most, thread)
    if found is None:
        return None
    talk, user = found["conversation"], found["user"]
    return Claim(
        talk=Talk(
            id=UUID(talk["id"]),
            channel=talk["channel"],
            address=talk["address"],
            dialogue=talk["dialogue"],
            human_wanted_at=datetime.fromisoformat(talk["human_wanted_at"])
            if talk["human_wanted_at"]
            else None,
        ),
        person=person_of(user),
        newcomer=found["newcomer"],
        waiting=tuple(
            Waiting(id=m["id"], event=m["event"], attempts=m["attempts"]) for m in found["messages"]
        ),
    )


def person_of(user: Mapping[str, Any]) -> Person:
    """A person from her row of `users` as JSON."""
    return Person(
        id=UUID(user["id"]),
        full_name=user["full_name"],
        phone=user["phone"],
        email=user["email"],
        preferred_language=user["preferred_language"],
        language_chosen=user["language_chosen"],
        country=user["country"],
        digits=user["digits"],
        timezone=user["timezone"],
        suspended=user["account_status"] != "active",
        role=user["role"],
        consented=user["consented"],
    )


async def press(conn: Connection, *, conversation: UUID, token: str) -> Pressed:
    """Resolve and authorize a button; marks it pressed."""
    found = await conn.fetchval("SELECT app.press($1, $2)", conversation, token)
    return Pressed(
        fate=found["fate"],
        command=found.get("command"),
        label=found.get("label", ""),
        outbox_id=found.get("outbox_id"),
        created_at=datetime.fromisoformat(found["created_at"]) if found.get("created_at") else None,
    )


async def end_turn(
    conn: Connection,
    *,
    conversation: UUID,
    answered: Sequence[int],
    dialogue: Mapping[str, Any],
    answers: Sequence[Mapping[str, Any]],
    heard: Sequence[Mapping[str, Any]],
    actions: Sequence[Mapping[str, Any]],
) -> list[int]:
    """Write what the turn leaves; the ids of its outbox rows in order. The caller commits."""
    rows: list[int] = await conn.fetchval(
        "SELECT app.end_turn($1, $2::bigint[], $3::jsonb, $4::jsonb, $5::jsonb, $6::jsonb)",
        conversation,
        list(answered),
        dict(dialogue),
        list(answers),
        list(heard),
        list(actions),
    )
    return rows


async def set_aside(conn: Connection, *, channels: list[str], thread: str | None, pause: timedelta) -> bool:
    """Put the conversation that would be claimed next behind the others; whether there was one."""
    done: bool = await conn.fetchval("SELECT app.set_aside($1, $2, $3)", channels, thread, pause)
    return done


async def fail_turn(
    conn: Connection,
    *,
    conversation: UUID,
    message: int,
    problem: str,
    pause: timedelta,
    apology: Mapping[str, Any],
) -> int:
    """Count a failed attempt at a message; at the third it is buried and the apology goes out. Returns the attempts."""
    tried: int = await conn.fetchval(
        "SELECT app.fail_turn($1, $2, $3, $4, $5::jsonb)",
        conversation,
        message,
        problem,
        pause,
        dict(apology),
    )
    return tried


async def tell_operators(
    conn: Connection, *, chat: str, key: str, locale: str, payloads: Sequence[Mapping[str, Any]]
) -> None:
    """Queue a message to the operators' Telegram chat, in this transaction."""
    await conn.execute("SELECT app.tell_operators($1, $2, $3, $4::jsonb)", chat, key, locale, list(payloads))


async def bury(conn: Connection, *, channel: str, reason: str, payload: Mapping[str, Any]) -> None:
    """Keep something verified that could not be understood."""
    await conn.execute("SELECT app.bury($1, $2, $3::jsonb)", channel, reason, dict(payload))


async def store_statuses(conn: Connection, *, statuses: Sequence[Mapping[str, Any]]) -> int:
    """Store delivery statuses, keyed (channel, external_id, status); returns how many were new."""
    stored: int = await conn.fetchval("SELECT app.store_statuses($1::jsonb)", list(statuses))
    return stored
