"""Telegram by long polling: the whole story over real HTTP, and what people do besides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

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
    book,
    cancel,
    code_of,
    search,
    to_the_review,
    told,
)
from tests.fakes.bot_api import TOKEN, BotApi
from tests.fakes.bot_api_people import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class House:
    api: BotApi
    program: Program
    ledger: Ledger


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    new_database: NewDatabase, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """One running program for the tests of this file; each test has people of its own."""
    async with new_database() as dsn, ledger_of(dsn) as ledger, BotApi() as api:
        program = Program(
            tmp_path_factory.mktemp("telegram"),
            DATABASE_URL=dsn,
            RAHHAL_DATA_DIR=str(pictures),
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_URL=api.url,
        )
        async with program:
            yield House(api, program, ledger)
            await ledger.settled()
        assert api.refused == []
        assert api.too_fast == []
        assert api.waiting_callbacks == set(), "buttons whose spinner was never stopped"
        program.assert_says_nothing_of(NAME, LATIN_NAME, TOKEN, "شرم")


async def test_the_whole_story(house: House) -> None:
    talk = Talk(house.api.user(1))
    confirmed = await told(book(talk, house.ledger, "1"))
    await talk.hear("لن نفعل ذلك إلا بموافقتك")
    await assert_booked_once(house.ledger, "1")
    await told(cancel(talk, code_of(confirmed)))
    await assert_told(house.ledger, "1")
    assert len(house.api.called("sendPhoto")) >= 1


async def test_the_menu_of_commands_is_in_both_languages(house: House) -> None:
    """As a phone shows it beside the text field."""
    await house.api.until(lambda: len(house.api.commands) == 2, "the commands")
    arabic, english = house.api.commands[""], house.api.commands["en"]
    assert set(arabic) == set(english) >= {"start", "search", "trips", "help", "human", "language"}
    assert all("؀" <= text[0] <= "ۿ" for text in arabic.values())


async def test_start_with_a_deep_link(house: House) -> None:
    """Where it leads to is remembered with the action; the newcomer is welcomed and asked for consent, apart."""
    talk = Talk(house.api.user(2))
    welcome = await talk.say("/start summer-2027_x", hear="أنا رحّال")
    assert "بحث جديد" in welcome.buttons
    await talk.hear("لن نفعل ذلك إلا بموافقتك")
    person = await house.ledger.person("2")
    assert await house.ledger.actions(person) == ["بدء_محادثة"]
    link = "SELECT action_data ->> 'link' FROM user_behavior_log WHERE user_id = $1"
    assert await house.ledger.value(link, person) == "summer-2027_x"
    await talk.press("أوافق", hear="شكرًا")
    assert await house.ledger.value("SELECT consented FROM users WHERE id = $1", person) is True


async def test_a_photo_and_a_voice_note(house: House) -> None:
    """Answered in words, and the question that was open stays open. A caption is read like any text."""
    sara = house.api.user(3)
    talk = Talk(sara)
    await talk.say("السلام عليكم", hear="أنا رحّال")
    await sara.send_voice()
    await talk.hear("رسالتك الصوتية")
    await sara.send_photo()
    await talk.hear("وصلتني الصورة")
    await sara.send_photo(caption=SENTENCE)
    await talk.hear("هل أبدأ البحث")


async def test_pressed_twice(house: House) -> None:
    """Every button of the story twice, the last one in the same breath: one search, one hold, one booking."""
    talk = Talk(house.api.user(4))
    await told(search(talk))
    await told(to_the_review(talk))
    review = talk.with_button(CONFIRM)
    presses = await asyncio.gather(*(review.press(CONFIRM) for _ in range(3)))
    for press in presses:
        await press.answered()
    await talk.hear("حجزك مؤكّد")
    await talk.hear("وصلني اختيارك من قبل")
    await talk.hear("وصلني اختيارك من قبل")
    await assert_booked_once(house.ledger, "4")


async def test_an_old_button(house: House) -> None:
    """A button of an earlier question does nothing but answer the one that stands now; nothing is booked by it."""
    talk = Talk(house.api.user(5))
    await told(search(talk))
    await talk.say("غيّر الوجهة إلى الغردقة", hear="الغردقة")
    old = next(message for message in talk.read if START in message.buttons)
    pressed = await old.press(START)
    await pressed.answered()
    await talk.hear("الغردقة")
    person = await house.ledger.person("5")
    assert await house.ledger.bookings(person) == []


async def test_somebody_elses_button(house: House) -> None:
    """In a group everybody sees the buttons; only who was asked can press them."""
    family = house.api.group(-100)
    sara, mona = family.member(6, name="سارة"), family.member(7, name="منى")
    talk = Talk(sara)
    asked = await talk.say(f"@{house.api.username} {SENTENCE}", hear="هل أبدأ البحث")
    assert isinstance(asked, Message)
    token = asked.raw["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    pressed = await mona.press(asked.raw, token)
    await pressed.answered()
    await talk.hear("محادثة مسافر آخر")
    assert DONE_BOOKING[1] not in await house.ledger.actions(await house.ledger.person("6"))
    await talk.press(START, hear="الخيار 1")


async def test_an_update_given_twice(house: House) -> None:
    """Telegram gives an update again when it did not read our confirmation: it is recognized."""
    sara = house.api.user(8)
    talk = Talk(sara)
    update = await sara.send(SENTENCE)
    await talk.hear("هل أبدأ البحث")
    house.api.updates.append(update)
    await house.api.push(message={**update["message"], "message_id": 10_000, "text": "رحلاتي"})
    await talk.hear("لا رحلات لديك")
    assert await house.ledger.answered(await house.ledger.person("8")) == 2


async def test_told_to_slow_down(house: House) -> None:
    """After a 429 nothing is lost and nothing overtakes; the other chats are served meanwhile."""
    sara, mona = house.api.user(9), house.api.user(10, name="منى")
    talk, other = Talk(sara), Talk(mona)
    fault = house.api.flood("sendMessage", retry_after=3)
    await sara.send("السلام عليكم")
    await fault.met.wait()
    await other.say("السلام عليكم", hear="أنا رحّال")
    assert not talk.read and not house.api.unread[9]
    await sara.send("رحلاتي")
    first = await talk.hear("")
    assert "أنا رحّال" in first.text
    await talk.hear("لا رحلات لديك")
    await house.ledger.settled()
