"""`rahhal admin`: who is of the house. Operators and admins are people who talk to the bot like anybody, with a role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from uuid import UUID

from bot.errors import OperationFailed
from bot.events import Channel
from bot.operations.status import connect
from db import people
from db.people import Known
from db.pool import Role, as_role

Who = UUID | tuple[Channel, str]
"""A person by her id, or by one of her logins."""


async def give(dsn: str, who: Who, role: Literal["user", "operator", "admin"]) -> tuple[Known, str]:
    """Make somebody an operator, an admin, or (`user`) a traveler like everybody; the person as she is now, and her role before.

    Raises OperationFailed for somebody unknown, suspended or gone.
    """
    connection = await connect(dsn)
    try:
        async with as_role(connection, Role.OWNER):
            if isinstance(who, UUID):
                found = await people.find_person(connection, user=who)
            else:
                found = await people.find_login(connection, channel=who[0].value, external_id=who[1])
            before = await people.set_role(connection, user=found.id, role=role) if found else None
            now = await people.find_person(connection, user=found.id) if found else None
    finally:
        await connection.close()
    if now is None or before is None:
        raise OperationFailed(_unknown(who))
    return now, before


async def house(dsn: str) -> list[Known]:
    """Everybody with a role."""
    connection = await connect(dsn)
    try:
        async with as_role(connection, Role.OWNER):
            return await people.house(connection)
    finally:
        await connection.close()


def lines(found: Sequence[Known]) -> Iterator[str]:
    """One line a person; one line that says so where there is nobody."""
    if not found:
        yield "nobody: rahhal admin grant operator --telegram ID makes one"
    for known in found:
        yield line(known)


def line(known: Known) -> str:
    name = known.full_name or next((login.name for login in known.logins if login.name), "-")
    logins = ", ".join(f"{login.channel} {login.external_id}" for login in known.logins)
    return f"{known.role:<8} {known.id}  {name}  ({logins})  last seen {known.last_login_at:%F}"


def _unknown(who: Who) -> str:
    if isinstance(who, UUID):
        return f"no active person has the id {who}"
    channel, external_id = who
    return (
        f"nobody active is known as {channel.value} {external_id}: "
        "one message to the bot from that account makes a person known"
    )
