"""A toy house on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import structlog

from tests.turn.toy import TABLE, Toy


@pytest.fixture
async def toy(pool: asyncpg.Pool) -> AsyncIterator[Toy]:
    await pool.execute(TABLE)
    with structlog.testing.capture_logs() as lines:
        yield Toy(pool, lines=lines)
