"""A PostgreSQL of a bench's own: the embedded one, durable as in production, migrated, gone afterwards."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from db import embedded, migrate


@contextlib.asynccontextmanager
async def scratch_server() -> AsyncIterator[embedded.Embedded]:
    """A fresh server with a migrated, empty database; `dsn` and `bin_dir` (psql) are what a bench needs of it."""
    with tempfile.TemporaryDirectory(prefix="rahhal-bench-") as folder:
        server = await embedded.start(Path(folder))
        try:
            await migrate.migrate(server.dsn)
            yield server
        finally:
            await server.stop()
