"""Dropping a test's database."""

from __future__ import annotations

import asyncio

import asyncpg

_ATTEMPTS = 100
_PAUSE = 0.1


async def drop(admin: asyncpg.Connection, name: str) -> None:
    """Drop a database with whoever is connected to it.

    FORCE may not end an autovacuum worker, which is the superuser's; it is gone in a moment, so it is waited for.
    """
    for left in range(_ATTEMPTS, 0, -1):
        try:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            break
        except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectInUseError):
            if left == 1:
                raise
            await asyncio.sleep(_PAUSE)
