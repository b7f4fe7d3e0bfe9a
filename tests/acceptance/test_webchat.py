"""The web chat over real HTTP and a real socket: the whole story, and a program that dies between any two messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import NewDatabase, ledger_of
from tests.acceptance.ledger import Ledger
from tests.acceptance.program import Program
from tests.acceptance.story import (
    BOOK,
    CANCEL,
    CANCEL_YES,
    CONFIRM,
    LATIN_NAME,
    NAME,
    SENTENCE,
    Message,
    Talk,
    assert_booked_once,
    assert_told,
    book,
    cancel,
    code_of,
    search,
    to_the_review,
    told,
)
from tests.acceptance.visitor import Visitor, WebMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class House:
    program: Program
    ledger: Ledger

    async def identity(self) -> str:
        """The newest visitor's id, which her page never learns."""
        return str(
            await self.ledger.value(
                "SELECT external_id FROM user_identities WHERE channel = 'webchat' ORDER BY created_at DESC LIMIT 1"
            )
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    new_database: NewDatabase, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with new_database() as dsn, ledger_of(dsn) as ledger:
        program = Program(tmp_path_factory.mktemp("webchat"), DATABASE_URL=dsn, RAHHAL_DATA_DIR=str(pictures))
        async with program:
            yield House(program, ledger)
            await ledger.settled()
        program.assert_says_nothing_of(NAME, LATIN_NAME, "شرم")


async def test_the_page_is_there(house: House) -> None:
    async with aiohttp.ClientSession(house.program.url) as session:
        for path in ("/", "/chat"):
            async with session.get(path) as answer:
                page = await answer.text()
            assert answer.status == 200 and 'lang="ar"' in page and 'dir="rtl"' in page
        async with session.get("/metrics") as answer:
            assert "rahhal_waiting" in await answer.text()
        async with session.get("/healthz") as answer:
            assert answer.status == 200


async def test_the_whole_story(house: House) -> None:
    async with Visitor(house.program.url) as sara:
        talk = Talk(sara)
        await told(search(talk))
        who = await house.identity()
        await told(to_the_review(talk))
        await talk.say("نعم", hear="لم أحجز شيئًا بعد")
        assert await house.ledger.bookings(await house.ledger.person(who)) == ["held"]
        confirmed = await talk.press(CONFIRM, hear="حجزك مؤكّد")
        await assert_booked_once(house.ledger, who)
        await told(cancel(talk, code_of(confirmed)))
        await assert_told(house.ledger, who)
        assert sara.received == sorted(set(sara.received))


async def test_pictures_of_the_hotels_are_served(house: House) -> None:
    async with Visitor(house.program.url) as sara, aiohttp.ClientSession(house.program.url) as session:
        talk = Talk(sara)
        await told(search(talk))
        shown = [
            source["url"]
            for message in talk.read
            if isinstance(message, WebMessage)
            for holder in (message.payload, *message.payload.get("cards", ()))
            if (source := holder.get("picture"))
        ]
        assert len(shown) >= 2
        for url in shown[:2]:
            async with session.get(url) as answer:
                assert answer.status == 200 and (await answer.read()).startswith(b"\xff\xd8\xff")


async def test_killed_between_messages(house: House) -> None:
    """kill -9 and a new start after every second answer: she notices nothing but the pause."""
    program, ledger = house.program, house.ledger
    async with Visitor(program.url) as sara:
        talk = Talk(sara)
        await talk.say("السلام عليكم", hear="أنا رحّال")
        who = await house.identity()
        exchanges = 0
        async for _ in book(talk, ledger, who):
            exchanges += 1
            if exchanges % 2 == 0:
                await program.kill()
                await program.start()
        assert exchanges >= 9
        await assert_booked_once(ledger, who)
        assert sara.received == sorted(set(sara.received))


async def test_the_same_message_brought_again(house: House) -> None:
    """The page repeats a message under its id until it reads 200."""
    async with Visitor(house.program.url) as sara:
        talk = Talk(sara)
        content, key = {"type": "text", "text": SENTENCE}, uuid4()
        statuses = await asyncio.gather(*(sara.post_once(content, key=key) for _ in range(4)))
        assert statuses == [200] * 4
        await talk.hear("هل أبدأ البحث")
        await talk.say("رحلاتي", hear="لا رحلات لديك")
        assert await house.ledger.answered(await house.ledger.person(await house.identity())) == 2


async def test_confirmed_twice_at_once(house: House) -> None:
    async with Visitor(house.program.url) as sara:
        talk = Talk(sara)
        await told(search(talk))
        await told(to_the_review(talk))
        review = talk.with_button(CONFIRM)
        await asyncio.gather(*(review.press(CONFIRM) for _ in range(4)))
        await talk.hear("حجزك مؤكّد")
        for _ in range(3):
            await talk.hear("وصلني اختيارك من قبل")
        await assert_booked_once(house.ledger, await house.identity())


async def test_somebody_elses_button(house: House) -> None:
    """A token that was stolen or guessed opens nothing."""
    async with Visitor(house.program.url) as sara, Visitor(house.program.url) as mona:
        talk, other = Talk(sara), Talk(mona)
        await told(search(talk))
        await told(to_the_review(talk))
        who = await house.identity()
        review = talk.with_button(CONFIRM)
        assert isinstance(review, WebMessage)
        await mona.post(review.content(review.choice(CONFIRM)))
        await other.hear("محادثة مسافر آخر")
        assert await house.ledger.bookings(await house.ledger.person(who)) == ["held"]
        await mona.post({"type": "press", "token": "x" * 12, "label": CONFIRM})
        await other.hear("لم يعد هذا الزر صالحًا")


async def test_the_button_of_another_review(house: House) -> None:
    """«أؤكّد الحجز» under what one hotel costs never books another, whose review came after it."""
    async with Visitor(house.program.url) as sara:
        talk = Talk(sara)
        await told(search(talk))
        await told(to_the_review(talk))
        old = talk.with_button(CONFIRM)
        await _room_in_another(talk, old)
        await talk.hear("باسم من يكون الحجز")
        await talk.say(LATIN_NAME, hear="هل أؤكّد الحجز؟")
        await old.press(CONFIRM)
        await house.ledger.settled()
        who = await house.ledger.person(await house.identity())
        assert "confirmed" not in await house.ledger.bookings(who)


async def test_the_button_under_other_terms(house: House) -> None:
    """«نعم، ألغوا الحجز» under one trip's terms never cancels another trip, whose terms were shown after it."""
    async with Visitor(house.program.url) as sara:
        talk = Talk(sara)
        await told(search(talk))
        await told(to_the_review(talk))
        first = await talk.press(CONFIRM, hear="حجزك مؤكّد")
        await _room_in_another(talk, first)
        await talk.hear("كالمرة السابقة")
        await talk.press("نعم", hear="هل أؤكّد الحجز؟")
        await talk.press(CONFIRM, hear="حجزك مؤكّد")
        trips = await talk.say("رحلاتي", hear="الرحلة 2")
        terms = []
        for hotel in trips.buttons[:2]:
            await trips.press(hotel)
            await talk.hear("تفاصيل رحلتك")
            terms.append(await talk.press(CANCEL, hear=f"حجزك في {hotel}"))
        await terms[0].press(CANCEL_YES)
        await house.ledger.settled()
        who = await house.ledger.person(await house.identity())
        assert await house.ledger.bookings(who) == ["confirmed", "confirmed"]


async def _room_in_another(talk: Talk, known: Message) -> None:
    """Choose a room in a hotel that was on show beside the one that `known` speaks of."""
    results = talk.with_button("المزيد")
    other = next(label for label in reversed(results.buttons) if label not in known.text)
    await results.press(other)
    await talk.hear(f"تفاصيل {other}")
    rooms = await talk.press(BOOK, hear=f"أي غرفة أحجز في {other}")
    await rooms.press(rooms.buttons[0])
