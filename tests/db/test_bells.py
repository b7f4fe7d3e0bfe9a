"""Wake-ups: at once in this process, soon in the others, gathered, and back after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import orjson
import pytest

from db import bells as bells_module
from db.bells import CHANNEL, GATHER, MOST_BYTES, Bells

PATIENCE = 15.0


async def rings(event: asyncio.Event, seconds: float = PATIENCE) -> bool:
    """Wait for a ring and take it."""
    await asyncio.wait_for(event.wait(), seconds)
    event.clear()
    return True


class Exchange:
    """One database, any number of processes' bells, and somebody who listens in."""

    def __init__(self, dsn: str, stack: AsyncExitStack) -> None:
        self.dsn = dsn
        self._stack = stack
        self.payloads: list[str] = []

    async def bells(self) -> Bells:
        opened = Bells(self.dsn)
        before = await self.listening()
        await opened.start()
        self._stack.push_async_callback(opened.stop)
        await self.wait_for_listeners(before + 1)
        return opened

    async def listen_in(self) -> None:
        spy = await asyncpg.connect(self.dsn)
        self._stack.push_async_callback(spy.close)
        await spy.add_listener(CHANNEL, lambda *given: self.payloads.append(given[3]))

    async def ask(self, query: str) -> object:
        conn = await asyncpg.connect(self.dsn)
        try:
            return await conn.fetchval(query)
        finally:
            await conn.close()

    async def listening(self) -> int:
        found = await self.ask(
            "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'rahhal-bells' "
            "AND datname = current_database() AND state = 'idle' AND query LIKE ANY (ARRAY['LISTEN%', 'SELECT pg_notify%'])"
        )
        assert isinstance(found, int)
        return found

    async def wait_for_listeners(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.listening() != count:
                await asyncio.sleep(0.01)

    async def hang_up(self) -> None:
        assert await self.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = 'rahhal-bells' AND datname = current_database()"
        )


@pytest.fixture
async def exchange(database: str) -> AsyncIterator[Exchange]:
    async with AsyncExitStack() as stack:
        yield Exchange(database, stack)


def test_a_ring_wakes_who_waits_here_without_any_connection() -> None:
    bells = Bells("postgresql://nobody@/nowhere?host=/nonexistent")
    with bells.subscribe("inbox") as one, bells.subscribe("inbox") as two, bells.subscribe("outbox") as other:
        bells.ring("inbox")
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)
    bells.ring("inbox")


def test_a_key_is_heard_by_its_own_subscribers_alone() -> None:
    bells = Bells("postgresql://nobody@/nowhere?host=/nonexistent")
    with bells.subscribe("webchat", "sara") as sara, bells.subscribe("webchat", "omar") as omar:
        bells.ring("webchat", "sara")
        assert (sara.is_set(), omar.is_set()) == (True, False)


async def test_no_wake_up_is_lost_between_looking_and_waiting() -> None:
    """Clear, look, wait: a ring that falls between the look and the wait is found by the wait."""
    bells = Bells("postgresql://nobody@/nowhere?host=/nonexistent")
    with bells.subscribe("inbox") as rung:
        rung.clear()
        bells.ring("inbox")
        assert await rings(rung, 1)


async def test_a_ring_reaches_other_processes_and_is_not_echoed(exchange: Exchange) -> None:
    here, there = await exchange.bells(), await exchange.bells()
    with here.subscribe("inbox") as own, there.subscribe("inbox") as other:
        here.ring("inbox")
        assert await rings(own, 1)
        assert await rings(other)
        there.ring("inbox")
        assert await rings(own)
        assert other.is_set()
        # Two more trips forth and back: an echo of one's own ring would have arrived by then.
        other.clear()
        with here.subscribe("later") as later:
            there.ring("later")
            assert await rings(later)
        with there.subscribe("later") as later:
            here.ring("later")
            assert await rings(later)
        assert (own.is_set(), other.is_set()) == (False, False)


async def test_many_rings_travel_together(exchange: Exchange) -> None:
    await exchange.listen_in()
    here, there = await exchange.bells(), await exchange.bells()
    with there.subscribe("last") as last:
        for n in range(2_000):
            here.ring("inbox")
            here.ring("webchat", f"v{n % 50}")
        here.ring("last")
        assert await rings(last)

    def heard() -> set[tuple[str, ...]]:
        return {tuple(pair) for payload in exchange.payloads for pair in orjson.loads(payload)}

    # The listener that writes them down is a third connection: it may hear a moment later.
    async with asyncio.timeout(10):
        while len(heard()) < 52:
            await asyncio.sleep(0.01)
    assert len(heard()) == 52
    assert len(exchange.payloads) <= 2, "4,001 rings, 52 of them different"


async def test_one_notification_per_interval_at_most(exchange: Exchange) -> None:
    await exchange.listen_in()
    here = await exchange.bells()
    loop = asyncio.get_running_loop()
    began = loop.time()
    rung = 0
    while loop.time() - began < 10 * GATHER:
        here.ring("inbox")
        rung += 1
        await asyncio.sleep(0)
    took = loop.time() - began
    with here.subscribe("end") as end:
        other = await exchange.bells()
        other.ring("end")
        assert await rings(end)
    async with asyncio.timeout(10):
        while not exchange.payloads:
            await asyncio.sleep(0.01)
    assert rung > 100
    assert 1 <= len(exchange.payloads) <= took / GATHER + 3


@pytest.mark.parametrize("key", ["v" * 30, "مسافرة" * 20, '"\\\n' * 40])
async def test_payloads_stay_below_what_postgresql_takes(exchange: Exchange, key: str) -> None:
    await exchange.listen_in()
    here, there = await exchange.bells(), await exchange.bells()
    wanted = {("webchat", f"{n} {key}") for n in range(600)}
    async with AsyncExitStack() as stack:
        waiting = [stack.enter_context(there.subscribe(*one)) for one in wanted]
        for one in wanted:
            here.ring(*one)
        for event in waiting:
            assert await rings(event)
    assert len(exchange.payloads) > 1
    assert max(len(payload.encode()) for payload in exchange.payloads) <= MOST_BYTES < 8_000


async def test_a_key_too_long_to_travel_does_not_stop_the_others(exchange: Exchange) -> None:
    here, there = await exchange.bells(), await exchange.bells()
    with there.subscribe("inbox") as other:
        here.ring("webchat", "x" * 9_000)
        here.ring("inbox")
        assert await rings(other, 5)


async def test_a_lost_connection_is_opened_again(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of times: a success starts the pauses anew."""
    monkeypatch.setattr(bells_module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(bells_module, "LONGEST_PAUSE", 100)
    here, there = await exchange.bells(), await exchange.bells()
    with there.subscribe("inbox") as other:
        for _ in range(12):  # 0.01 s doubled twelve times would be 41 s
            await exchange.hang_up()
            await exchange.wait_for_listeners(2)
            other.clear()
            here.ring("inbox")
            assert await rings(other)


async def test_what_rings_without_a_connection_is_passed_on_with_the_next(exchange: Exchange) -> None:
    here, there = await exchange.bells(), await exchange.bells()
    with there.subscribe("inbox") as other, here.subscribe("inbox") as own:
        await exchange.hang_up()
        here.ring("inbox")
        assert await rings(own, 1), "here it needs no connection"
        assert await rings(other)


async def test_who_could_not_listen_for_a_while_looks(exchange: Exchange) -> None:
    """Whatever rang elsewhere meanwhile is gone: after coming back everybody looks once."""
    here = await exchange.bells()
    with here.subscribe("inbox") as own, here.subscribe("webchat", "sara") as page:
        await exchange.hang_up()
        assert await rings(own)
        assert await rings(page)


async def test_stopping_twice_or_unstarted_is_nothing(exchange: Exchange) -> None:
    unstarted = Bells(exchange.dsn)
    await unstarted.stop()
    here = await exchange.bells()
    await here.stop()
    await here.stop()
    await exchange.wait_for_listeners(0)
