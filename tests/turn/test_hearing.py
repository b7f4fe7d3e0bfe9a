"""Transaction 1: durable, once, never in the way of a running answer."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from bot.errors import DatabaseUnavailable
from bot.events import Channel, DeliveryStatus, Event
from bot.turn import Door
from db import embedded
from db.pool import open_pool
from tests.turn.toy import NOW, Toy, event, running, within


async def test_what_was_heard_is_stored_before_hear_returns(toy: Toy, database: str) -> None:
    heard = event("note a", sent_at=NOW)
    assert await toy.hear(heard) == 1
    other = await asyncpg.connect(database)
    await other.execute("SET ROLE rahhal_owner")
    row = await other.fetchrow("SELECT channel, external_id, event::text, sent_at, answered_at FROM inbox")
    await other.close()
    assert (row["channel"], row["external_id"], row["sent_at"]) == ("terminal", heard.external_id, NOW)
    assert row["answered_at"] is None
    assert type(heard).model_validate_json(row["event"]) == heard


async def test_repetitions_are_dropped_within_a_batch_and_across_batches(toy: Toy) -> None:
    one, two = event("note 1"), event("note 2")
    assert await toy.hear(one, one, two, one) == 2
    assert await toy.hear(two, one) == 0
    assert await toy.hear(one, event("note 3")) == 1
    same_id_elsewhere = one.model_copy(update={"channel": Channel.WHATSAPP})
    assert await toy.hear(same_id_elsewhere) == 1
    await toy.answer_all()
    assert await toy.notes() == ["note 1", "note 2", "note 3", "note 1"]


async def test_a_repetition_after_the_answer_is_not_answered_again(toy: Toy) -> None:
    one = event("note 1")
    await toy.hear(one)
    await toy.answer_all()
    assert await toy.hear(one) == 0
    assert await toy.answer_all() == 0
    assert await toy.notes() == ["note 1"]


async def test_a_wake_up_comes_only_with_something_new_and_after_the_commit(toy: Toy) -> None:
    seen: list[int] = []

    async def look() -> None:
        seen.append(await toy.count("inbox"))

    looks: list[asyncio.Task[None]] = []
    door = Door(toy.pool, wake=lambda: looks.append(asyncio.create_task(look())))
    one = event("note 1")
    assert await door.hear([]) == 0
    assert looks == []
    await door.hear([one])
    await asyncio.gather(*looks)
    assert seen == [1]
    await door.hear([one])
    assert len(looks) == 1


async def test_one_new_conversation_heard_on_many_connections_at_once(toy: Toy) -> None:
    events = [event(f"note {n}", "new") for n in range(12)]
    heard = await within(asyncio.gather(*(toy.door.hear([one]) for one in events)))
    assert heard == [1] * 12
    assert await toy.count("conversations") == 1
    await toy.answer_all()
    assert sorted(await toy.notes("new")) == sorted(f"note {n}" for n in range(12))


async def test_the_same_event_on_many_connections_is_new_once(toy: Toy) -> None:
    one = event("note once", "new")
    assert sum(await within(asyncio.gather(*(toy.door.hear([one]) for _ in range(12))))) == 1
    assert await toy.count("inbox") == 1


async def test_overlapping_batches_never_lose_or_double(toy: Toy) -> None:
    events = [event(f"note {n}", f"p{n % 5}") for n in range(40)]
    dice = random.Random(7)
    batches = [dice.sample(events, len(events)) for _ in range(8)]
    heard = await within(asyncio.gather(*(_insisting(toy, batch) for batch in batches)))
    assert sum(heard) == len(events)
    assert await toy.count("inbox") == len(events)


async def test_two_deliveries_that_block_each_other_are_brought_again(toy: Toy) -> None:
    """A channel that gathers its repetitions in another order deadlocks with itself: that must read as «again, please»."""
    await toy.hear(event("note 0"))
    await toy.fetch(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(0.15); RETURN NEW; END'"
    )
    await toy.fetch("CREATE TRIGGER linger BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION linger()")
    one, two = event("note 1"), event("note 2")
    heard = await within(asyncio.gather(_insisting(toy, [one, two]), _insisting(toy, [two, one])))
    assert sorted(heard) == [0, 2]


async def _insisting(toy: Toy, batch: list[Event]) -> int:
    """Bring a batch again while the door says that the database is away, as every channel does."""
    while True:
        try:
            return await toy.door.hear(batch)
        except DatabaseUnavailable:
            await asyncio.sleep(0)


async def test_hearing_does_not_wait_for_a_running_answer(toy: Toy) -> None:
    toy.behavior.hold.add("note slow")
    await toy.hear(event("note slow"))
    async with running(toy.answerer.answer()) as answering:
        await within(toy.behavior.began["note slow"].wait())
        assert await asyncio.wait_for(toy.door.hear([event("note next")]), 3) == 1
        assert not answering.done()
        toy.behavior.released.set()
        await within(answering)
    await toy.answer_all()
    assert await toy.notes() == ["note slow", "note next"]


async def test_a_database_that_cannot_be_reached_is_said_so(data_dir: Path) -> None:
    server = await embedded.start(data_dir, settings={"fsync": "off"})
    pool = await open_pool(server.dsn, min_size=1, max_size=2)
    door = Door(pool, wake=lambda: pytest.fail("nothing was heard"))
    assert await server.stop()
    status = DeliveryStatus(Channel.WHATSAPP, "wamid.1", "sent", NOW)
    with pytest.raises(DatabaseUnavailable):
        await within(door.hear([event("note lost")]))
    with pytest.raises(DatabaseUnavailable):
        await within(door.bury(Channel.WHATSAPP, {}, "odd"))
    with pytest.raises(DatabaseUnavailable):
        await within(door.store_statuses([status]))
    pool.terminate()


async def test_a_connection_lost_in_the_middle_is_unavailable_and_the_next_one_works(toy: Toy) -> None:
    async with toy.pool.acquire() as holder:
        await holder.execute("BEGIN; SET LOCAL ROLE rahhal_owner; LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        async with running(toy.door.hear([event("note again")])) as hearing:
            async with asyncio.timeout(10):
                while not await toy.pool.fetchval(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = 'inbox'::regclass"
                ):
                    await asyncio.sleep(0.01)
            with pytest.raises(DatabaseUnavailable):
                await within(hearing)
        await holder.execute("ROLLBACK")
    assert await toy.hear(event("note again")) == 1


async def test_what_cannot_be_stored_is_not_taken_for_an_absent_database(toy: Toy) -> None:
    """«Unavailable» makes a channel deliver again, forever; only another try that may succeed is worth it."""
    with pytest.raises(asyncpg.UntranslatableCharacterError):
        await toy.hear(event("note a", thread="\0"))


@pytest.mark.parametrize(
    "payload",
    [
        orjson.loads(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"),
        orjson.loads(b'{"a":' * 900 + b"1" + b"}" * 900),
        {"a": "\0"},
        {"\ud800": "\ud800"},
    ],
    ids=["nested", "deeply nested", "NUL", "surrogate"],
)
async def test_what_jsonb_cannot_hold_is_buried_as_text(toy: Toy, payload: dict[str, Any]) -> None:
    await toy.door.bury(Channel.WHATSAPP, payload, "odd")
    assert list(await toy.value("SELECT payload FROM dead_letters")) == ["text"]


async def test_statuses_are_stored_once_and_odd_payloads_kept(toy: Toy) -> None:
    sent = DeliveryStatus(Channel.WHATSAPP, "wamid.1", "sent", NOW)
    read = DeliveryStatus(Channel.WHATSAPP, "wamid.1", "read", NOW)
    await toy.door.store_statuses([sent, read, sent])
    await toy.door.store_statuses([read])
    await toy.door.store_statuses([])
    assert await toy.count("delivery_statuses") == 2
    await toy.door.bury(Channel.WHATSAPP, {"what": "?"}, "odd")
    assert await toy.value("SELECT payload FROM dead_letters WHERE reason = 'odd'") == {"what": "?"}
    assert toy.rung == 0
