"""The real program, as an operator starts it: `python -m bot run`, web or worker, in a process with an environment."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
LOOK = 0.05
READY_SECONDS = 40.0
STOP_SECONDS = 20.0
"""Bounds for a machine that does much else at the same time; on an idle one both take less than two seconds."""


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """The environment of a fresh machine: nothing of the developer's own settings, and the sources importable."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


class Program:
    """One installation: it keeps its port, folder and settings from start to start.

    folder: the working directory, empty so that no .env is found; holds the log of all runs together.
    command: run, web or worker (which has nobody to say that it is ready).
    """

    def __init__(self, folder: Path, *, command: str = "run", **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.command = command
        self.calm = True
        """False once a test took its database away: libraries may then complain in the log."""
        self.port = free_port()
        self.settings = {
            "RAHHAL_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "RAHHAL_DATA_DIR": str(folder / "data"),
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the program does not run"
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends in order, and asserts that it did, unless the test has failed already."""
        if self._process is None:
            return
        if error is not None:
            print(self.log)
            await self.kill()
        else:
            await self.stop()

    async def start(self) -> None:
        await self.launch()
        if self.command != "worker":
            await self.until_ready()

    async def launch(self) -> None:
        """Start it and do not wait."""
        assert self._process is None, "it runs already"
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                self.command,
                cwd=self.folder,
                env=environment(**self.settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def until_ready(self) -> None:
        """Wait until /readyz says 200."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(READY_SECONDS):
            while await self._readiness(session) != 200:
                assert self.process.returncode is None, f"ended with {self.process.returncode}:\n{self.log}"
                await asyncio.sleep(LOOK)

    async def readiness(self) -> int:
        """The status of /readyz; 0 while nothing answers."""
        async with aiohttp.ClientSession() as session:
            return await self._readiness(session)

    async def stop(self) -> None:
        """SIGTERM, as any supervisor stops it: it ends by itself, says 0, and has complained about nothing."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            raise AssertionError(f"did not end after SIGTERM:\n{self.log}") from None
        self._process = None
        assert code == 0, f"ended with {code}:\n{self.log}"
        if self.calm:
            self.assert_no_traceback()

    async def kill(self) -> None:
        """kill -9: nothing is finished, nothing is tidied up."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self._process = None

    def assert_no_traceback(self) -> None:
        for sign in ("Traceback", '"exception"', "never retrieved", "was never awaited"):
            assert sign not in self.log, self.log

    def assert_says_nothing_of(self, *words: str) -> None:
        """Logs hold no personal data and no secrets."""
        for word in words:
            assert word not in self.log, f"«{word}» stands in the log"

    async def _readiness(self, session: aiohttp.ClientSession) -> int:
        try:
            async with session.get(f"{self.url}/readyz") as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0
