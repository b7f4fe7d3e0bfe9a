"""Lanes: order kept across workers, retries and crashes; what each typed error does; edits and limits."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from bot.errors import RecipientGone, SendLater, SendRefused, WindowClosed
from bot.events import Channel, Outgoing, Press, Sent
from bot.jobs import sending as sending_module
from bot.jobs.sending import Limit, Sending, send_forever
from db import outbox
from db.bells import Bells
from db.pool import Role, as_role
from tests.turn.toy import PATIENCE, Toy, ToySender, event, running, until, within


class Office:
    """One sender behind any number of workers."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.sender = ToySender()
        self.sending = self.worker("w0")

    def worker(self, name: str) -> Sending:
        return Sending(self.toy.pool, dict.fromkeys(Channel, self.sender), worker=name)

    async def write(self, *texts: str, who: str = "sara", **more: Any) -> None:
        """Have answers waiting to be sent."""
        await self.toy.hear(*(event(f"note {text}", who, **more) for text in texts))
        await self.toy.answer_all()

    async def broadcast(self, text: str, who: str = "sara") -> None:
        await self.toy.fetch(
            "INSERT INTO outbox (conversation_id, key, locale, payload, priority) "
            "SELECT id, 'news', 'ar-EG', $2, 1 FROM conversations WHERE thread = $1",
            who,
            {"text": f"noted: note {text}"},
        )

    async def send_all(self) -> list[str]:
        """Send until there is nothing more, not waiting out pauses; what went out, shortened."""
        already = len(self.sender.sent)
        for _ in range(100):
            await self.toy.fetch("UPDATE lanes SET not_before = '-infinity' WHERE not_before > now()")
            if not await within(self.sending.send()):
                return self.sent[already:]
        raise AssertionError("sending goes round in circles")

    @property
    def sent(self) -> list[str]:
        return [text.removeprefix("noted: note ") for text in self.sender.texts]

    def fail(self, *errors: BaseException, on: str = "") -> None:
        """Raise these, one after the other, for messages that contain `on`."""
        left = iter(errors)

        def refuse(message: Outgoing) -> None:
            if on in message.payload["text"] and (error := next(left, None)):
                raise error

        self.sender.refuse = refuse

    async def pause_of(self, who: str) -> float:
        """Seconds until this lane may be tried again."""
        found: float = await self.toy.value(
            "SELECT extract(epoch FROM not_before - clock_timestamp())::float8 FROM lanes l "
            "JOIN conversations c ON c.id = l.conversation_id WHERE c.thread = $1",
            who,
        )
        return found

    async def dead(self) -> list[str]:
        rows = await self.toy.fetch(
            "SELECT payload ->> 'text' AS text FROM outbox WHERE dead_at IS NOT NULL ORDER BY id"
        )
        return [row["text"].removeprefix("noted: note ") for row in rows]


@pytest.fixture
async def office(toy: Toy) -> Office:
    return Office(toy)


# ------------------------------------------------------------------------------------------------ order


async def test_what_was_sent_is_marked_with_the_channel_s_id(office: Office) -> None:
    await office.write("1", "2")
    assert await office.send_all() == ["1", "2"]
    rows = await office.toy.fetch("SELECT id, external_id, attempts, sent_at FROM outbox ORDER BY id")
    assert [(row["external_id"], row["attempts"]) for row in rows] == [(f"m{row['id']}", 1) for row in rows]
    assert all(row["sent_at"] for row in rows)
    assert await office.send_all() == []


async def test_many_workers_keep_each_lane_in_order(office: Office) -> None:
    dice = random.Random(5)
    people = [f"p{n}" for n in range(6)]
    for who in people:
        await office.write(*(f"{who}-{n}" for n in range(8)), who=who)
    under_way: Counter[str] = Counter()
    crowded: list[str] = []

    async def before(message: Outgoing) -> None:
        under_way[message.address] += 1
        if under_way[message.address] > 1:
            crowded.append(message.address)
        for _ in range(dice.randint(0, 5)):
            await asyncio.sleep(0)
        under_way[message.address] -= 1
        if dice.random() < 0.15:
            raise SendLater("busy", after=0.01)

    office.sender.before = before

    async def work(name: str) -> None:
        worker = office.worker(name)
        while len(office.sent) < 48:
            if not await worker.send():
                await asyncio.sleep(0.005)

    async with asyncio.timeout(40):
        await asyncio.gather(*(work(f"w{n}") for n in range(5)), _no_pauses(office, 48))
    lanes: dict[str, list[str]] = defaultdict(list)
    for text in office.sent:
        lanes[text.partition("-")[0]].append(text)
    assert lanes == {who: [f"{who}-{n}" for n in range(8)] for who in people}
    assert crowded == []


async def _no_pauses(office: Office, count: int) -> None:
    while len(office.sent) < count:
        await office.toy.fetch("UPDATE lanes SET not_before = '-infinity' WHERE not_before > now()")
        await asyncio.sleep(0.01)


async def test_a_retry_keeps_the_order(office: Office) -> None:
    await office.write("1", "2", "3")
    office.fail(SendLater("busy"), SendLater("busy"), on="2")
    await office.sending.send()
    assert office.sent == ["1"]
    await office.write("4")
    assert await office.sending.send() is False, "the lane waits"
    assert await office.send_all() == ["2", "3", "4"]


async def test_replies_go_before_broadcasts(office: Office) -> None:
    for who in ("a", "b", "c"):
        await office.write("hello", who=who)
    await office.send_all()
    await office.broadcast("news a", "a")
    await office.broadcast("news b", "b")
    await office.write("reply c", who="c")
    await office.write("reply b", who="b")
    sent = await office.send_all()
    assert sent[-1] == "news a", "who asked nothing comes last"
    assert sent.index("news b") < sent.index("reply b"), "within a lane the order stands"


async def test_a_lease_is_for_one_worker_until_it_runs_out(office: Office) -> None:
    await office.write("1", "2")
    first = await _lease(office, "w1", seconds=60)
    assert first is not None
    assert [row.payload["text"] for row in first.rows] == ["noted: note 1", "noted: note 2"]
    assert await _lease(office, "w2", seconds=60) is None
    await office.toy.fetch("UPDATE lanes SET leased_until = now()")
    second = await _lease(office, "w2", seconds=60)
    assert second is not None
    assert second.rows == first.rows
    async with office.toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
        await outbox.release_lane(conn, conversation=first.conversation_id, worker="w1")
    assert await _lease(office, "w3", seconds=60) is None, (
        "the late one gives back what is no longer hers: nothing"
    )


async def test_tasks_of_one_process_do_not_release_each_other_s_lanes(office: Office) -> None:
    """All sending tasks of a process share a name: a lease is told apart from the one after it all the same."""
    await office.write("1", "2")
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def before(message: Outgoing) -> None:
        office.sender.before = None
        arrived.set()
        await go_on.wait()

    office.sender.before = before
    async with running(office.sending.send()) as slow:
        await within(arrived.wait())
        await office.toy.fetch("UPDATE lanes SET leased_until = now()")
        held, quick_arrived = asyncio.Event(), asyncio.Event()

        async def hold(message: Outgoing) -> None:
            quick_arrived.set()
            await held.wait()

        office.sender.before = hold
        async with running(office.sending.send()):
            await within(quick_arrived.wait())
            office.sender.before = None
            go_on.set()
            await within(slow)
            assert await office.toy.count("lanes", "leased_until > now()") == 1, (
                "the second task is still at it"
            )
            held.set()


async def _lease(office: Office, worker: str, seconds: float) -> outbox.Lane | None:
    async with office.toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
        return await outbox.lease_lane(
            conn, channels=["terminal"], worker=worker, lease=dt.timedelta(seconds=seconds)
        )


async def test_only_the_sender_s_own_channels_are_leased(office: Office) -> None:
    await office.write("1", channel=Channel.WHATSAPP)
    alone = Sending(office.toy.pool, {Channel.TERMINAL: office.sender}, worker="w")
    assert await alone.send() is False


# ------------------------------------------------------------------------------------------------ typed errors


async def test_later_pauses_its_own_lane_only(office: Office) -> None:
    await office.write("1", who="sara")
    await office.write("1", who="omar")
    office.fail(SendLater("429", after=40, code="429"))
    assert await office.sending.send()
    assert await office.sending.send()
    assert office.sent == ["1"]
    assert await office.sending.send() is False
    assert 39 < await office.pause_of("sara") < 49
    assert await office.pause_of("omar") < 0
    row = (await office.toy.fetch("SELECT attempts, last_error FROM outbox WHERE sent_at IS NULL"))[0]
    assert tuple(row) == (1, "SendLater 429: 429")


async def test_pauses_double_with_the_attempts(office: Office) -> None:
    await office.write("1")
    office.fail(*(SendLater("down", after=0.5) for _ in range(6)))
    pauses = []
    for _ in range(6):
        await office.toy.fetch("UPDATE lanes SET not_before = '-infinity'")
        await office.sending.send()
        pauses.append(await office.pause_of("sara"))
    for earlier, later in itertools.pairwise(pauses):
        assert later > 1.5 * earlier
    assert pauses[-1] < 0.5 * 2**5 * 1.2


async def test_patience_ends_with_a_dead_letter_and_the_lane_goes_on(office: Office) -> None:
    await office.write("1", "2")
    office.fail(*(SendLater("down", after=0) for _ in range(sending_module.MOST_ATTEMPTS)), on="1")
    assert await office.send_all() == ["2"]
    assert await office.dead() == ["1"]
    assert await office.toy.value("SELECT payload ->> 'key' FROM dead_letters") == "noted"


async def test_a_whole_channel_that_asks_for_patience_gets_it(office: Office) -> None:
    for who in ("sara", "omar"):
        await office.write("telegram", who=who, channel=Channel.TELEGRAM)
    await office.write("whatsapp", who="0100", channel=Channel.WHATSAPP)
    office.fail(SendLater("flood", after=60, whole_channel=True), on="telegram")
    while await office.sending.send():
        pass
    assert office.sent == ["whatsapp"]
    assert 50 < await _wait_of(office, "telegram") <= 60
    assert await _wait_of(office, "whatsapp") == 0


async def test_a_shorter_request_for_patience_does_not_cut_a_longer_one_short(office: Office) -> None:
    async with office.toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
        await outbox.drain_bucket(conn, bucket="telegram", per_second=25, seconds=60)
        await outbox.drain_bucket(conn, bucket="telegram", per_second=25, seconds=1)
        assert 50 < await outbox.take_token(conn, bucket="telegram", capacity=5, per_second=25) <= 60


async def _wait_of(office: Office, bucket: str) -> float:
    async with office.toy.pool.acquire() as conn, as_role(conn, Role.WORKER):
        return await outbox.take_token(conn, bucket=bucket, capacity=5, per_second=25)


@pytest.mark.parametrize(
    "error", [SendRefused("bad markup", code="400"), WindowClosed("closed", code="131047")]
)
async def test_a_refused_message_is_a_dead_letter_and_the_lane_goes_on(
    office: Office, error: Exception
) -> None:
    await office.write("1", "2", "3")
    office.fail(error, on="2")
    assert await office.send_all() == ["1", "3"]
    assert await office.dead() == ["2"]
    letters = await office.toy.fetch(
        "SELECT channel, reason, payload ->> 'outbox_id' AS id FROM dead_letters"
    )
    assert len(letters) == 1
    assert letters[0]["reason"].startswith(type(error).__name__)


async def test_who_is_gone_is_not_written_to_until_she_writes(office: Office) -> None:
    await office.write("1", "2")
    office.fail(RecipientGone("blocked", code="403"))
    assert await office.send_all() == []
    assert await office.dead() == ["1", "2"]
    talk = await office.toy.conversation()
    assert talk["stopped_at"] is not None
    assert talk["stopped_because"] == "RecipientGone 403: blocked"
    await office.broadcast("news")
    assert await office.sending.send() is False, "nothing is even tried"
    await office.write("3")
    assert (await office.toy.conversation())["stopped_at"] is None
    assert await office.send_all() == ["news", "3"]


async def test_who_asked_for_silence_still_gets_her_answers(office: Office) -> None:
    await office.write("1")
    await office.toy.fetch("UPDATE conversations SET stopped_at = now(), stopped_because = 'asked'")
    await office.broadcast("news")
    assert await office.send_all() == ["1"]
    assert await office.toy.count("outbox", "sent_at IS NULL AND dead_at IS NULL") == 1


async def test_an_apology_reaches_who_came_back(office: Office) -> None:
    """Her turn was rolled back, but she did write."""
    await office.write("1")
    office.fail(RecipientGone("blocked"))
    await office.send_all()
    office.toy.behavior.fail.add("note 2")
    await office.write("2")
    assert len(await office.send_all()) == 1


async def test_the_operators_chat_is_tried_again_with_every_notice(office: Office) -> None:
    """Nobody writes from there, so nothing would ever lift a stop."""
    for text in ("1", "2"):
        async with office.toy.pool.acquire() as conn, as_role(conn, Role.APP):
            await conn.execute("SELECT app.tell_operators('-100', 'alarm', 'ar-EG', $1)", [{"text": text}])
        if text == "1":
            office.fail(RecipientGone("removed from the group"))
            assert await office.send_all() == []
    assert await office.send_all() == ["2"]


async def test_a_mistake_in_a_sender_stops_nobody_else(office: Office) -> None:
    await office.write("1", who="sara")
    await office.write("1", who="omar")
    office.fail(KeyError("params"))
    assert await office.sending.send()
    assert await office.sending.send()
    assert office.sent == ["1"]
    assert await office.pause_of("sara") > 0
    assert "KeyError" in await office.toy.value("SELECT last_error FROM outbox WHERE sent_at IS NULL")
    office.fail()
    assert await office.send_all() == ["1"]


async def test_a_send_without_end_is_given_up_before_its_lease(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sending_module.LEASE.total_seconds() > sending_module.ENOUGH + sending_module.SLOWEST
    monkeypatch.setattr(sending_module, "SLOWEST", 0.01)
    await office.write("1")

    async def never(_: Outgoing) -> Sent:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(office.sender, "send", never)
    assert await within(office.sending.send())
    assert await office.pause_of("sara") > 0
    assert "timeout" in await office.toy.value("SELECT last_error FROM outbox WHERE sent_at IS NULL")


# ------------------------------------------------------------------------------------------------ edits


async def test_an_edit_finds_the_message_it_replaces(office: Office) -> None:
    offer = (await office.toy.say("offer"))[0]
    await office.send_all()
    await office.toy.say(_replace(offer))
    await office.send_all()
    assert [message.edits for message in office.sender.sent] == [None, f"m{offer['id']}"]


async def test_an_edit_finds_a_message_sent_in_the_same_lease(office: Office) -> None:
    """She pressed before the send was marked: the worker died in between."""
    offer = (await office.toy.say("offer"))[0]
    await office.toy.say(_replace(offer))
    assert await office.sending.send()
    assert [message.edits for message in office.sender.sent] == [None, f"m{offer['id']}"]


async def test_an_edit_of_what_was_never_sent_is_a_message(office: Office) -> None:
    offer = (await office.toy.say("offer"))[0]
    office.fail(SendRefused("no"), on="offered")
    await office.toy.say(_replace(offer))
    await office.send_all()
    assert [(message.payload["text"], message.edits) for message in office.sender.sent] == [
        ("replaced", None)
    ]


def _replace(offer: dict[str, Any]) -> Press:
    return Press(token=offer["payload"]["tokens"][2])


# ------------------------------------------------------------------------------------------------ limits


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two messages a chat, then one in a hundred seconds."""
    monkeypatch.setitem(sending_module.PER_CHAT, Channel.TELEGRAM, Limit(2, 0.01))
    yield


async def test_a_chat_s_limit_makes_its_lane_wait_without_counting_a_failure(
    office: Office, tight: None
) -> None:
    await office.write("1", "2", "3", channel=Channel.TELEGRAM)
    await office.write("omar", who="omar", channel=Channel.TELEGRAM)
    assert await office.sending.send()
    assert office.sent == ["1", "2"]
    assert 90 < await office.pause_of("sara") <= 100
    assert await office.toy.value("SELECT attempts FROM outbox WHERE payload ->> 'text' LIKE '%3'") == 0
    assert await office.sending.send()
    assert office.sent == ["1", "2", "omar"]
    assert await office.sending.send() is False


async def test_a_group_has_a_limit_of_its_own(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sending_module.PER_CHAT, Channel.TELEGRAM, Limit(9, 9))
    monkeypatch.setattr(sending_module, "PER_GROUP", Limit(2, 0.01))
    await office.write("1", "2", "3", who="g", channel=Channel.TELEGRAM, address="-100200")
    await office.write("1", "2", "3", who="p", channel=Channel.TELEGRAM)
    while await office.sending.send():
        pass
    assert Counter(office.sent) == {"1": 2, "2": 2, "3": 1}


# ------------------------------------------------------------------------------------------------ the loop


async def test_a_ring_wakes_a_sender_and_a_stop_lets_it_finish(
    office: Office, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending_module, "LOOK_AGAIN", 600.0)
    bells, stopping = Bells(database), asyncio.Event()
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def before(message: Outgoing) -> None:
        arrived.set()
        await go_on.wait()

    office.sender.before = before
    async with running(send_forever(office.sending, bells, stopping)) as loop:
        await until(lambda: _subscribed(bells, "outbox"))
        await office.write("1")
        bells.ring("outbox")
        await within(arrived.wait())
        stopping.set()
        go_on.set()
        await within(loop)
    assert office.sent == ["1"]
    assert await office.toy.count("outbox", "sent_at IS NULL") == 0
    assert await office.toy.count("lanes", "leased_until > now()") == 0


async def _subscribed(bells: Bells, topic: str) -> bool:
    """Whether somebody waits, having looked."""
    return bool(bells._waiting.get((topic, "")))


async def test_a_sender_outlives_a_database_that_is_away(
    office: Office, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.write("1")
    real, calls = outbox.lease_lane, 0

    async def flaky(*args: Any, **given: Any) -> outbox.Lane | None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionRefusedError
        return await real(*args, **given)

    monkeypatch.setattr(outbox, "lease_lane", flaky)
    stopping, bells = asyncio.Event(), Bells(database)
    async with running(send_forever(office.sending, bells, stopping)) as loop:
        async with asyncio.timeout(PATIENCE):
            while not office.sent:
                bells.ring("outbox")
                await asyncio.sleep(0.01)
        stopping.set()
        await within(loop)
    assert office.sent == ["1"]
