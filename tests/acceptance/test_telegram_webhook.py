"""Telegram by webhook: registered with its secret, the whole story, and deliveries that come again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import NewDatabase, ledger_of
from tests.acceptance.ledger import Ledger
from tests.acceptance.program import Program
from tests.acceptance.story import (
    LATIN_NAME,
    NAME,
    SENTENCE,
    Talk,
    assert_booked_once,
    assert_told,
    book,
    cancel,
    code_of,
    told,
)
from tests.fakes.bot_api import TOKEN, BotApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "a-secret_of-the-tests"
PUBLIC_URL = "https://rahhal.example"


@dataclass(frozen=True)
class House:
    api: BotApi
    program: Program
    ledger: Ledger


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    new_database: NewDatabase, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """The public address is https, as Telegram demands; the fake delivers to the port behind it."""
    async with new_database() as dsn, ledger_of(dsn) as ledger, BotApi() as api:
        program = Program(
            tmp_path_factory.mktemp("webhook"),
            DATABASE_URL=dsn,
            RAHHAL_DATA_DIR=str(pictures),
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_URL=api.url,
            TELEGRAM_WEBHOOK_SECRET=SECRET,
            PUBLIC_URL=PUBLIC_URL,
        )
        api.deliver_to = program.url
        async with program:
            await api.until(lambda: api.webhook, "the webhook to be registered")
            yield House(api, program, ledger)
            await ledger.settled()
        assert api.webhook["url"] == f"{PUBLIC_URL}/telegram/webhook"
        assert api.called("getUpdates") == []
        assert api.refused == []
        assert api.too_fast == []
        assert set(api.webhook_answers) == {200}
        program.assert_says_nothing_of(NAME, LATIN_NAME, TOKEN, SECRET, "شرم")


async def test_the_whole_story(house: House) -> None:
    talk = Talk(house.api.user(1))
    confirmed = await told(book(talk, house.ledger, "1"))
    await talk.hear("لن نفعل ذلك إلا بموافقتك")
    await assert_booked_once(house.ledger, "1")
    await told(cancel(talk, code_of(confirmed)))
    await assert_told(house.ledger, "1")


async def test_a_wrong_secret(house: House) -> None:
    update = {"update_id": 1, "message": {"text": SENTENCE}}
    url = f"{house.program.url}/telegram/webhook"
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "x"}):
            async with session.post(url, json=update, headers=headers) as answer:
                assert answer.status == 403


async def test_deliveries_come_again(house: House) -> None:
    """The same update five times at once, and once more after its answer: one message, one answer."""
    sara = house.api.user(2)
    talk = Talk(sara)
    update = await sara.send(SENTENCE)
    assert await asyncio.gather(*(house.api.post(update) for _ in range(5))) == [200] * 5
    await talk.hear("هل أبدأ البحث")
    assert await house.api.post(update) == 200
    await talk.say("رحلاتي", hear="لا رحلات لديك")
    assert await house.ledger.answered(await house.ledger.person("2")) == 2
