"""SQLAlchemy's ORM as a peer of `rahhal bench log`, where it is installed; the product never imports it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import asyncpg
import orjson

from db.behavior import Occurrence


def installed() -> bool:
    return find_spec("sqlalchemy") is not None


@contextlib.asynccontextmanager
async def orm_writer(
    connect: Callable[[], Awaitable[asyncpg.Connection]], *, table: str, connections: int
) -> AsyncIterator[Callable[[Occurrence], Awaitable[None]]]:
    """What writes one event as the documentation does it: a session, an object, a commit."""
    sql: Any = import_module("sqlalchemy")
    postgresql: Any = import_module("sqlalchemy.dialects.postgresql")
    ext: Any = import_module("sqlalchemy.ext.asyncio")
    orm: Any = import_module("sqlalchemy.orm")

    class Row:
        """Mapped below."""

    registry = orm.registry()
    columns = (
        sql.Column("id", sql.Uuid, primary_key=True),
        sql.Column("timestamp", sql.DateTime(timezone=True), primary_key=True),
        sql.Column("user_id", sql.Uuid),
        sql.Column("action_type", sql.Text),
        sql.Column("action_data", postgresql.JSONB),
        sql.Column("device_type", sql.Text),
        sql.Column("hour_of_day", sql.SmallInteger),
        sql.Column("day_of_week", sql.SmallInteger),
    )
    registry.map_imperatively(Row, sql.Table(table, registry.metadata, *columns))
    engine = ext.create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=connections, max_overflow=0, pool_timeout=60
    )
    sessions = ext.async_sessionmaker(engine)

    async def write(event: Occurrence) -> None:
        row: Any = Row()
        row.id, row.timestamp, row.user_id, row.action_type = event.id, event.at, event.user_id, event.action
        row.action_data, row.device_type = orjson.loads(event.data), event.device
        row.hour_of_day, row.day_of_week = 12, 3
        async with sessions() as session:
            session.add(row)
            await session.commit()

    try:
        yield write
    finally:
        await engine.dispose()
