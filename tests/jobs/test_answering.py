"""The answering loop: woken by a ring, patient with an absent database, finished before it stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.jobs import answering
from bot.jobs.answering import answer_forever, first_of
from db import turns
from db.bells import Bells
from tests.turn.toy import PATIENCE, Toy, event, running, until, within


@pytest.fixture
def bells(database: str, toy: Toy) -> Bells:
    """Not started: they ring within this process."""
    bells = Bells(database)
    toy.door._wake = lambda: bells.ring("inbox")
    return bells


async def _waits(bells: Bells) -> bool:
    return bool(bells._waiting.get(("inbox", "")))


async def test_what_is_heard_is_answered_at_once(
    toy: Toy, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LOOK_AGAIN", 600.0)
    async with running(answer_forever(toy.answerer, bells, asyncio.Event())):
        await until(lambda: _waits(bells))
        for n in range(5):
            await toy.hear(event(f"note {n}"))
            await within(toy.behavior.began[f"note {n}"].wait())
        await until(lambda: _all_answered(toy))
    assert await toy.notes() == [f"note {n}" for n in range(5)]


async def test_what_was_heard_before_is_found_at_the_start(
    toy: Toy, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LOOK_AGAIN", 600.0)
    await toy.hear(*(event("note 1", f"p{n}") for n in range(5)))
    async with running(answer_forever(toy.answerer, bells, asyncio.Event())):
        await until(lambda: _all_answered(toy))


async def test_a_lost_wake_up_costs_a_moment_only(
    toy: Toy, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LOOK_AGAIN", 0.02)
    toy.door._wake = lambda: None
    async with running(answer_forever(toy.answerer, bells, asyncio.Event())):
        await until(lambda: _waits(bells))
        await toy.hear(event("note 1"))
        await until(lambda: _all_answered(toy))


async def test_a_stop_lets_the_answer_in_progress_finish(toy: Toy, bells: Bells) -> None:
    stopping = asyncio.Event()
    toy.behavior.hold.add("note 1")
    await toy.hear(event("note 1", "sara"), event("note 2", "omar"))
    async with running(answer_forever(toy.answerer, bells, stopping)) as loop:
        await within(toy.behavior.began["note 1"].wait())
        stopping.set()
        toy.behavior.released.set()
        await within(loop)
    assert await toy.notes() == ["note 1"], "and begins no other"


async def test_a_stop_ends_the_wait(toy: Toy, bells: Bells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "LOOK_AGAIN", 600.0)
    stopping = asyncio.Event()
    async with running(answer_forever(toy.answerer, bells, stopping)) as loop:
        await until(lambda: _waits(bells))
        stopping.set()
        await within(loop)


async def test_the_loop_outlives_a_database_that_is_away(
    toy: Toy, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = turns.begin_turn, [ConnectionRefusedError(), TimeoutError()]

    async def flaky(*args: Any, **given: Any) -> turns.Claim | None:
        if left:
            raise left.pop()
        return await real(*args, **given)

    monkeypatch.setattr(turns, "begin_turn", flaky)
    await toy.hear(event("note 1"))
    async with running(answer_forever(toy.answerer, bells, asyncio.Event())):
        async with asyncio.timeout(PATIENCE):
            while not await _all_answered(toy):
                bells.ring("inbox")
                await asyncio.sleep(0.01)


async def _all_answered(toy: Toy) -> bool:
    return await toy.count("inbox", "answered_at IS NULL") == 0


async def test_first_of_leaves_no_task_behind() -> None:
    rung, stopping = asyncio.Event(), asyncio.Event()
    before = asyncio.all_tasks()
    await first_of(rung, stopping, 0.01)
    rung.set()
    await first_of(rung, stopping, 600)
    rung.clear()
    stopping.set()
    await first_of(rung, stopping, 600)
    assert asyncio.all_tasks() == before
