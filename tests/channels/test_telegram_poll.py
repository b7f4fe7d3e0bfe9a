"""The getUpdates loop: the offset never runs ahead of what is stored, and only one process polls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.channels.telegram import Client, TelegramDoor, TelegramPoller, open_client
from bot.errors import DatabaseUnavailable
from bot.events import Channel, Event, Text
from tests.fakes.bot_api import TOKEN, BotApi


class Keeper:
    """A lease and what was stored, as the database would keep them."""

    def __init__(self) -> None:
        self.ours = True
        self.stored: int | None = None
        self.dropped: list[float] = []
        self.heard: list[Event] = []
        self.letters: list[tuple[Mapping[str, Any], str]] = []
        self.down = False
        self.refuses: Callable[[Event], bool] = lambda event: False
        self.committing = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self.loses_the_lease = False

    async def hold(self) -> bool:
        self._up()
        return self.ours

    async def offset(self) -> int | None:
        self._up()
        return self.stored

    async def store_offset(self, offset: int) -> bool:
        self._up()
        if self.loses_the_lease:
            self.ours = False
            return False
        self.stored = offset
        return True

    async def drop(self, pause: float = 0.0) -> None:
        self._up()
        self.dropped.append(pause)

    async def hear(self, events: list[Event]) -> int:
        self.committing.set()
        await self.may_commit.wait()
        self._up()
        if any(self.refuses(event) for event in events):
            raise RuntimeError("a row the database does not take")
        known = {event.external_id for event in self.heard}
        new = [event for event in events if event.external_id not in known]
        self.heard.extend(new)
        return len(new)

    async def bury(self, channel: Channel, payload: Mapping[str, Any], reason: str) -> None:
        self._up()
        self.letters.append((payload, reason))

    def _up(self) -> None:
        if self.down:
            raise DatabaseUnavailable("down")

    @property
    def texts(self) -> list[str]:
        return [event.content.text for event in self.heard if isinstance(event.content, Text)]


class Pauses:
    """In place of sleeping: each pause is noted and lasts until the test lets it end."""

    def __init__(self) -> None:
        self._begun: asyncio.Queue[float] = asyncio.Queue()
        self._end = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self._begun.put_nowait(seconds)
        await self._end.acquire()

    async def next(self) -> float:
        return await asyncio.wait_for(self._begun.get(), 5)

    def end(self) -> None:
        self._end.release()


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as running:
        yield running


@pytest.fixture
async def client(api: BotApi) -> AsyncIterator[Client]:
    opened = await open_client(TOKEN, api_url=api.url)
    yield opened
    await opened.shutdown()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@asynccontextmanager
async def polling(
    client: Client, keeper: Keeper, pauses: Pauses, *, poll_seconds: int = 25
) -> AsyncIterator[asyncio.Task[None]]:
    door = TelegramDoor(client, hear=keeper.hear, dead_letter=keeper.bury)
    poller = TelegramPoller(client, door=door, lease=keeper, poll_seconds=poll_seconds, pause=pauses)
    task = asyncio.create_task(poller.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 3)
        await door.close()


async def offset_asked(api: BotApi, offset: int) -> None:
    """Wait until the poll that confirms everything before `offset` arrived."""
    await api.until(
        lambda: all(update["update_id"] >= offset for update in api.updates), f"updates confirmed to {offset}"
    )


async def test_the_offset_moves_only_after_the_commit(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.may_commit.clear()
    async with polling(client, keeper, pauses):
        await api.user(42).send("فندق في دبي")
        await asyncio.wait_for(keeper.committing.wait(), 5)
        assert keeper.stored is None
        assert len(api.updates) == 1
        keeper.may_commit.set()
        await offset_asked(api, 1001)
        assert keeper.stored == 1001
        assert keeper.texts == ["فندق في دبي"]


async def test_a_crash_before_the_commit_loses_nothing(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.may_commit.clear()
    async with polling(client, keeper, pauses):
        await api.user(42).send("قبل")
        await asyncio.wait_for(keeper.committing.wait(), 5)
    assert keeper.texts == []
    keeper.may_commit.set()
    async with polling(client, keeper, pauses):
        await offset_asked(api, 1001)
    assert keeper.texts == ["قبل"]


async def test_a_crash_after_the_commit_doubles_nothing(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.loses_the_lease = True  # the commit stood, the offset did not
    async with polling(client, keeper, pauses):
        await api.user(42).send("مرة واحدة")
        await pauses.next()
    assert (keeper.texts, keeper.stored) == (["مرة واحدة"], None)
    keeper.loses_the_lease, keeper.ours = False, True
    async with polling(client, keeper, pauses):
        await offset_asked(api, 1001)
    assert keeper.texts == ["مرة واحدة"]


async def test_polling_begins_at_the_stored_offset_after_removing_a_webhook(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    api.webhook = {"url": "https://old.example", "secret_token": "s"}
    keeper.stored = 1234
    async with polling(client, keeper, pauses):
        await api.until(lambda: api._polls, "a poll")
        api.next_update_id = 1234
        await api.user(42).send("أهلًا")
        await offset_asked(api, 1235)
    assert api.called("deleteWebhook") == [{"drop_pending_updates": False}]
    first = api.called("getUpdates")[0]
    assert (first["offset"], first["timeout"]) == (1234, 25)
    assert first["allowed_updates"] == ["message", "callback_query"]


async def test_after_silence_a_lower_number_is_heard(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.stored = 5000
    async with polling(client, keeper, pauses, poll_seconds=0):
        await api.until(lambda: len(api.called("getUpdates")) > 1, "an empty answer")
        await api.user(42).send("بعد أسبوع")
        await api.until(lambda: keeper.stored == 1001, "the lower offset")
    assert keeper.texts == ["بعد أسبوع"]


async def test_a_batch_is_heard_in_order_and_an_odd_update_does_not_stop_it(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    sara = api.user(42)
    await sara.send("أولًا")
    await api.push(message={"message_id": 1, "text": "بلا محادثة"})
    await sara.send("ثانيًا")
    async with polling(client, keeper, pauses):
        await offset_asked(api, 1003)
    assert keeper.texts == ["أولًا", "ثانيًا"]
    ((payload, reason),) = keeper.letters
    assert payload["update_id"] == 1001
    assert "unknown shape" in reason


async def test_what_cannot_be_stored_becomes_a_dead_letter(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.refuses = lambda event: event.external_id == "1001"
    for words in ("أولًا", "سم", "ثانيًا"):
        await api.user(42).send(words)
    async with polling(client, keeper, pauses):
        await offset_asked(api, 1003)
    assert keeper.texts == ["أولًا", "ثانيًا"]
    assert [payload["update_id"] for payload, _ in keeper.letters] == [1001]


async def test_while_the_database_is_down_nothing_moves_and_the_pauses_grow(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.may_commit.clear()
    async with polling(client, keeper, pauses):
        await api.user(42).send("انتظار")
        await asyncio.wait_for(keeper.committing.wait(), 5)
        keeper.down = True
        keeper.may_commit.set()
        waits = []
        for _ in range(8):
            waits.append(await pauses.next())
            pauses.end()
        assert waits[0] < 2 < waits[2] < waits[4]
        assert max(waits) <= 75
        await pauses.next()
        assert (keeper.stored, len(api.updates)) == (None, 1)
        keeper.down = False
        pauses.end()
        await offset_asked(api, 1001)
    assert keeper.texts == ["انتظار"]


async def test_network_failures_are_waited_out(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    await api.user(42).send("رغم كل شيء")
    api.fault("getUpdates", status=502)
    api.fault("getUpdates", drop="before")
    api.flood("getUpdates", retry_after=9)
    async with polling(client, keeper, pauses):
        first, second = await pauses.next(), None
        pauses.end()
        second = await pauses.next()
        pauses.end()
        assert await pauses.next() == 9
        pauses.end()
        await offset_asked(api, 1001)
    assert first < second
    assert keeper.texts == ["رغم كل شيء"]


async def test_a_second_poller_elsewhere_makes_us_step_down(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    async with polling(client, keeper, pauses):
        await api.until(lambda: api._polls, "our poll")
        stranger = await open_client(TOKEN, api_url=api.url)
        await stranger.call("getUpdates", {"timeout": 0})
        assert await pauses.next() == 30
        assert keeper.dropped == [30]
        await stranger.shutdown()


async def test_without_the_lease_nobody_polls(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.ours = False
    async with polling(client, keeper, pauses):
        assert await pauses.next() <= 6.25
        assert api.called("deleteWebhook") == []
        keeper.ours = True
        pauses.end()
        await api.until(lambda: api._polls, "a poll once it is ours")


async def test_a_lost_lease_ends_the_polling(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    keeper.loses_the_lease = True
    await api.user(42).send("أهلًا")
    async with polling(client, keeper, pauses):
        await pauses.next()
        assert len(api.called("getUpdates")) == 1


async def test_a_refused_token_is_tried_again_slowly(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    api.token = "42:ANOTHER"
    async with polling(client, keeper, pauses):
        assert await pauses.next() == 60


async def test_it_stops_in_the_middle_of_a_long_poll_and_gives_the_lease_back(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    async with polling(client, keeper, pauses) as task:
        await api.until(lambda: api._polls, "a long poll")
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=2)
    assert done
    assert keeper.dropped == [0]


async def test_a_press_is_answered_and_a_message_shows_typing(
    api: BotApi, client: Client, keeper: Keeper, pauses: Pauses
) -> None:
    sara = api.user(42)
    below = {"message_id": 5, "date": 0, "chat": sara.chat}
    async with polling(client, keeper, pauses):
        await sara.send("أهلًا")
        for data in ("token", "-"):
            pressed = await sara.press(below, data)
            assert await pressed.answered() == {"callback_query_id": pressed.query_id}
        await api.until(lambda: api.called("sendChatAction"), "typing")
    assert [event.content.type for event in keeper.heard] == ["text", "press"]
