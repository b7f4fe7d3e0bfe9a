"""Answer waiting conversations, a few at a time."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.errors import RahhalError
from bot.turn import Answerer
from db.bells import Bells
from db.pool import UNREACHABLE

log = structlog.get_logger(__name__)

LOOK_AGAIN = 2.0
"""Seconds after which a task looks by itself: backing off ends, and wake-ups can be lost."""


async def answer_forever(answerer: Answerer, bells: Bells, stopping: asyncio.Event) -> None:
    """One task of answering. When `stopping` is set the answer in progress is finished first."""
    with bells.subscribe("inbox") as rung:
        while not stopping.is_set():
            rung.clear()
            try:
                if await answerer.answer():
                    continue
                pause = LOOK_AGAIN
            except (*UNREACHABLE, RahhalError) as error:
                log.warning("answering.paused", error=type(error).__name__)
                rung.clear()
                pause = 1.0
            except Exception:
                log.exception(
                    "answering.broken"
                )  # a mistake of ours must not end the task that answers everybody
                pause = 1.0
            await first_of(rung, stopping, pause)


async def first_of(rung: asyncio.Event, stopping: asyncio.Event, seconds: float) -> None:
    """Wait for a ring or for the end, `seconds` at most."""
    waits = [asyncio.ensure_future(rung.wait()), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await wait
