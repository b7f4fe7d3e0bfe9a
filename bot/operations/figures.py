"""`rahhal db metrics` and `rahhal db analytics USER`: what days brought, and what there is to tell about one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Connection

from bot.errors import OperationFailed
from db import behavior, metrics
from db.behavior import Done
from db.metrics import Day

MONTH = dt.timedelta(days=30)
MOST_ACTIONS = 20


@dataclass(frozen=True, slots=True)
class Analytics:
    """`summary` is what get_user_analytics tells; `recent` her latest actions of 30 days, newest first."""

    summary: dict[str, Any]
    recent: tuple[Done, ...]


async def days(conn: Connection, *, most: int) -> list[Day]:
    return await metrics.days(conn, most=most)


def day_lines(found: Sequence[Day]) -> Iterator[str]:
    """A line for each figure, a column for each day, the latest first."""
    if not found:
        yield "no day was counted yet"
        return
    width = max(len(field.name) for field in fields(Day))
    for field in fields(Day):
        if field.name != "built_at":
            cells = (_cell(field.name, getattr(day, field.name)) for day in found)
            yield f"{field.name:<{width}}" + "".join(f"{cell:>12}" for cell in cells)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Decimal) and name != "viral_coefficient":
        return f"{value:+.1%}" if name.endswith("lift") else f"{value:.1%}"
    return str(value)


async def person(conn: Connection, user: UUID, *, now: dt.datetime) -> Analytics:
    """Raises OperationFailed where nobody has that id."""
    summary = await metrics.user_analytics(conn, user_id=user)
    if summary is None:
        raise OperationFailed(f"nobody has the id {user}")
    recent = await behavior.recent(conn, user_id=user, since=now - MONTH, most=MOST_ACTIONS)
    return Analytics(summary, tuple(recent))


def person_lines(found: Analytics) -> Iterator[str]:
    for name, value in found.summary.items():
        yield f"{name:<18}{_plain(value)}"
    for done in found.recent:
        yield f"{done.at:%Y-%m-%d %H:%M}  {done.action}  {_plain(done.data)}"


def _plain(value: Any) -> str:
    match value:
        case None:
            return "-"
        case dict():
            return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items()) or "-"
        case list():
            return "; ".join(_plain(inner) for inner in value) or "-"
        case _:
            return str(value)
