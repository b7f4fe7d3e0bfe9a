"""WhatsApp by signed webhooks: the whole story over real HTTP, against a Graph API that enforces Meta's limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
import pytest
import pytest_asyncio

from tests.acceptance.conftest import NewDatabase, ledger_of
from tests.acceptance.ledger import Ledger
from tests.acceptance.program import Program
from tests.acceptance.story import (
    CONFIRM,
    DONE_BOOKING,
    LATIN_NAME,
    NAME,
    SENTENCE,
    START,
    Talk,
    assert_booked_once,
    assert_told,
    cancel,
    code_of,
    search,
    to_the_review,
    told,
)
from tests.fakes.graph_api import (
    ACCESS_TOKEN,
    APP_SECRET,
    PHONE_NUMBER_ID,
    VERIFY_TOKEN,
    GraphApi,
)
from tests.fakes.graph_api_people import Message, User

pytestmark = pytest.mark.asyncio(loop_scope="module")


def settings(graph: GraphApi) -> dict[str, str]:
    return {
        "WHATSAPP_ACCESS_TOKEN": ACCESS_TOKEN,
        "WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
        "WHATSAPP_API_URL": graph.url,
    }


@dataclass(frozen=True)
class House:
    graph: GraphApi
    program: Program
    ledger: Ledger

    async def minutes_later(self) -> None:
        """The pair of numbers may talk as much as at first, by our own count and by Meta's."""
        await self.ledger.settled()
        self.graph.advance(minutes=2)
        await self.ledger.refill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    new_database: NewDatabase, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """One running program for the tests of this file; each test has people of its own."""
    async with new_database() as dsn, ledger_of(dsn) as ledger, GraphApi() as graph:
        program = Program(
            tmp_path_factory.mktemp("whatsapp"),
            DATABASE_URL=dsn,
            RAHHAL_DATA_DIR=str(pictures),
            **settings(graph),
        )
        graph.deliver_to = f"{program.url}/whatsapp/webhook"
        async with program:
            yield House(graph, program, ledger)
            await ledger.settled()
        assert graph.refused == []
        assert graph.lost == []
        program.assert_says_nothing_of(NAME, LATIN_NAME, ACCESS_TOKEN, APP_SECRET, "20100000", "شرم")


async def test_the_whole_story(house: House) -> None:
    sara = house.graph.user("201000000001")
    talk = Talk(sara)
    await told(search(talk))
    await house.minutes_later()
    await told(to_the_review(talk))
    await talk.say("نعم", hear="لم أحجز شيئًا بعد")
    assert await house.ledger.bookings(await house.ledger.person(sara.key)) == ["held"]
    confirmed = await talk.press(CONFIRM, hear="حجزك مؤكّد")
    await talk.hear("لن نفعل ذلك إلا بموافقتك")
    await assert_booked_once(house.ledger, sara.key)
    await house.minutes_later()
    await told(cancel(talk, code_of(confirmed)))
    await assert_told(house.ledger, sara.key)
    assert house.graph.media, "no picture of the hotel"
    assert set(house.graph.answers) == {200}


async def test_the_handshake(house: House) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}
    async with aiohttp.ClientSession() as session:
        async with session.get(house.graph.deliver_to, params=asked) as answer:
            assert (answer.status, await answer.text()) == (200, "1158201444")
        async with session.get(house.graph.deliver_to, params={**asked, "hub.verify_token": "x"}) as answer:
            assert answer.status == 403


async def test_a_forged_webhook(house: House) -> None:
    """A wrong signature is refused and leaves no trace, whatever it says."""
    mallory = house.graph.user("201000000002")
    message = {**mallory.message("wamid.forged"), "type": "text", "text": {"body": SENTENCE}}
    body = orjson.dumps(house.graph.envelope({"messages": [message], "contacts": [mallory.contact()]}))
    assert await house.graph.post(body, signature="sha256=" + "0" * 64) == 401
    house.graph.answers.clear()
    assert await house.ledger.value("SELECT count(*) FROM inbox WHERE external_id = 'wamid.forged'") == 0


async def test_webhooks_come_again_and_in_batches(house: House) -> None:
    """Two people in one batch, delivered three times at once: each message is answered once."""
    graph = house.graph
    sara, mona = graph.user("201000000003"), graph.user("201000000004", name="منى")
    graph.hold()
    await sara.send(SENTENCE)
    await mona.send("السلام عليكم")
    await graph.release(times=3)
    talk, other = Talk(sara), Talk(mona)
    await talk.hear("هل أبدأ البحث")
    await other.hear("أنا رحّال")
    await house.ledger.settled()
    for person in (sara, mona):
        assert await house.ledger.answered(await house.ledger.person(person.key)) == 1


async def test_pressed_twice(house: House) -> None:
    """The confirmation, delivered twice, and pressed again: one booking."""
    graph, sara = house.graph, house.graph.user("201000000005")
    talk = Talk(sara)
    await told(search(talk))
    await house.minutes_later()
    await told(to_the_review(talk))
    await house.minutes_later()
    review = talk.with_button(CONFIRM)
    graph.hold()
    await review.press(CONFIRM)
    await review.press(CONFIRM)
    await asyncio.gather(graph.release(times=2))
    await talk.hear("حجزك مؤكّد")
    await talk.hear("وصلني اختيارك من قبل")
    await assert_booked_once(house.ledger, sara.key)


async def test_a_photo_a_voice_note_and_a_reaction(house: House) -> None:
    sara = house.graph.user("201000000006")
    talk = Talk(sara)
    asked = await talk.say(SENTENCE, hear="هل أبدأ البحث")
    await sara.send_voice()
    await talk.hear("رسالتك الصوتية")
    await sara.send_photo()
    await talk.hear("وصلتني الصورة")
    assert isinstance(asked, Message)
    await sara.react(asked, "👍")
    await talk.press(START, hear="الخيار 1")


async def test_somebody_elses_button(house: House) -> None:
    """A press that carries another person's token, as a modified client could send it."""
    sara, mona = house.graph.user("201000000007"), house.graph.user("201000000008", name="منى")
    talk, other = Talk(sara), Talk(mona)
    asked = await talk.say(SENTENCE, hear="هل أبدأ البحث")
    await other.say("السلام عليكم", hear="أنا رحّال")
    assert isinstance(asked, Message)
    await Message(mona, asked.posted).press(START)
    await other.hear("محادثة مسافر آخر")
    assert DONE_BOOKING[1] not in await house.ledger.actions(await house.ledger.person(sara.key))


async def test_somebody_without_a_number(house: House) -> None:
    """Known by a business-scoped id only: answered through `recipient`."""
    nour: User = house.graph.user(user_id="EG.13491208655302741918", name="نور")
    talk = Talk(nour)
    await talk.say(SENTENCE, hear="هل أبدأ البحث")
    await talk.press(START, hear="الخيار 1")


async def test_delivery_statuses(house: House) -> None:
    """Stored once however often they come, and never answered."""
    sara = house.graph.user("201000000009")
    talk = Talk(sara)
    asked = await talk.say("السلام عليكم", hear="أنا رحّال")
    assert isinstance(asked, Message)
    for name in ("delivered", "delivered", "read"):
        await sara.report(asked, name)
    stored = "SELECT status FROM delivery_statuses WHERE external_id = $1 ORDER BY status"
    assert await house.ledger.column(stored, asked.id) == ["delivered", "read"]
    assert await house.ledger.answered(await house.ledger.person(sara.key)) == 1
