"""The program dies in the middle of something, or the database does: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from db import embedded, migrate
from tests.acceptance.conftest import NewDatabase, fill, ledger_of
from tests.acceptance.ledger import Ledger
from tests.acceptance.program import LOOK, Program
from tests.acceptance.story import (
    CONFIRM,
    DONE_BOOKING,
    SENTENCE,
    START,
    Talk,
    assert_booked_once,
    beside_proof,
    search,
    to_the_review,
    told,
)
from tests.acceptance.visitor import Visitor
from tests.fakes.bot_api import TOKEN, BotApi
from tests.fakes.graph_api import ACCESS_TOKEN, APP_SECRET, PHONE_NUMBER_ID, VERIFY_TOKEN, GraphApi

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def telegram(api: BotApi) -> dict[str, str]:
    return {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": api.url}


def whatsapp(graph: GraphApi) -> dict[str, str]:
    return {
        "WHATSAPP_ACCESS_TOKEN": ACCESS_TOKEN,
        "WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
        "WHATSAPP_API_URL": graph.url,
    }


@pytest.fixture
async def ledger(new_database: NewDatabase) -> AsyncIterator[Ledger]:
    async with new_database() as dsn, ledger_of(dsn) as opened:
        yield opened


# ---------------------------------------------------------------------------------------------- kill -9


async def test_killed_while_sending(ledger: Ledger, tmp_path: Path, pictures: Path) -> None:
    """An answer was under way to Telegram and the next message waited behind it: both arrive, once and in order."""
    async with BotApi() as api:
        sara = api.user(1)
        talk = Talk(sara)
        program = Program(tmp_path, DATABASE_URL=ledger.dsn, RAHHAL_DATA_DIR=str(pictures), **telegram(api))
        async with program:
            under_way = api.fault("sendMessage", hang=True)
            await sara.send(SENTENCE)
            await under_way.met.wait()
            await sara.send("رحلاتي")
            await ledger.until(lambda: _answered(ledger, 2), "both messages to be answered")
            await program.kill()
            under_way.release.set()
            await ledger.minutes_later()
            await program.start()
            await talk.hear("هل أبدأ البحث")
            await talk.hear("لا رحلات لديك")
            await talk.press(START, hear="الخيار 1")
            await ledger.settled()
        texts = [str(message.get("text")) for message in sara.history() if message["from"]["is_bot"]]
        assert len(texts) == len(set(texts))
        # The dead process's last poll ends when the next one polls: nobody is there to read that refusal.
        assert [refusal for refusal in api.refused if refusal.method != "getUpdates"] == []


async def test_killed_while_booking(ledger: Ledger, tmp_path: Path, pictures: Path) -> None:
    """In the transaction that makes the hold a booking: the next start finds the message and books, once."""
    async with (
        Program(tmp_path, DATABASE_URL=ledger.dsn, RAHHAL_DATA_DIR=str(pictures)) as program,
        Visitor(program.url) as sara,
    ):
        talk = Talk(sara)
        await told(search(talk))
        await told(to_the_review(talk))
        async with ledger.locked("SELECT FROM bookings FOR UPDATE"):
            await talk.with_button(CONFIRM).press(CONFIRM)
            await ledger.until(ledger.somebody_waits, "the booking to stand still")
            await program.kill()
        await program.start()
        await talk.hear("حجزك مؤكّد")
        await assert_booked_once(ledger, await _only_person(ledger))


async def test_killed_between_hearing_and_answering(ledger: Ledger, tmp_path: Path, pictures: Path) -> None:
    """WhatsApp read 200, so it will not come again: the message is in the inbox and the next start answers it."""
    async with GraphApi() as graph:
        sara = graph.user("201000000001")
        talk = Talk(sara)
        program = Program(tmp_path, DATABASE_URL=ledger.dsn, RAHHAL_DATA_DIR=str(pictures), **whatsapp(graph))
        graph.deliver_to = f"{program.url}/whatsapp/webhook"
        async with program:
            await talk.say(SENTENCE, hear="هل أبدأ البحث")
            async with ledger.locked("SELECT FROM conversations FOR NO KEY UPDATE"):
                await talk.with_button(START).press(START)
                assert graph.answers == [200, 200]
                await program.kill()
            await ledger.minutes_later()
            await program.start()
            await talk.hear("الخيار 1")
            await ledger.settled()
            person = await ledger.person(sara.key)
            assert beside_proof(await ledger.actions(person)) == DONE_BOOKING[:3]
        assert graph.refused == []


async def test_web_and_worker_apart(ledger: Ledger, tmp_path: Path, pictures: Path) -> None:
    """As the Procfile starts them: what one process hears another answers. The worker dies and another takes over."""
    settings = {"DATABASE_URL": ledger.dsn, "RAHHAL_DATA_DIR": str(pictures)}
    web = Program(tmp_path / "web", command="web", **settings)
    worker = Program(tmp_path / "worker", command="worker", **settings)
    async with web, worker, Visitor(web.url) as sara:
        talk = Talk(sara)
        await told(search(talk))
        await worker.kill()
        await talk.with_button("أحجز هذا الفندق").press("أحجز هذا الفندق")
        await worker.start()
        await talk.hear("أي غرفة أحجز")
        await ledger.settled()


# ---------------------------------------------------------------------------------------------- the database goes


@pytest.fixture(scope="module")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory as the first start leaves it, for servers that may be killed."""
    folder = tmp_path_factory.mktemp("own") / "data"

    async def make() -> None:
        running = await embedded.start(folder, settings=FAST)
        await migrate.migrate(running.dsn)
        await fill(running.dsn)
        assert await running.stop()

    asyncio.run(make())
    yield folder
    asyncio.run(embedded.stop(folder, in_use=True))


async def test_the_embedded_server_is_killed(filled_folder: Path, tmp_path: Path) -> None:
    """The program brings its server back, and the conversation goes on where it was."""
    async with Program(tmp_path, RAHHAL_DATA_DIR=str(filled_folder)) as program, Visitor(program.url) as sara:
        talk = Talk(sara)
        await told(search(talk))
        await told(to_the_review(talk))
        program.calm = False
        pid_file = filled_folder / "postgres" / "cluster" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)
        await talk.press(CONFIRM, hear="حجزك مؤكّد")
        await program.until_ready()
        running = await embedded.start(filled_folder)
        try:
            async with ledger_of(running.dsn) as ledger:
                await assert_booked_once(ledger, await _only_person(ledger))
        finally:
            running.release()


async def test_the_database_is_away(filled_folder: Path, tmp_path: Path, pictures: Path) -> None:
    """Webhooks are told 503 and come again, the poller waits, the web chat keeps its message: then all is answered."""
    running = await embedded.start(filled_folder, settings=FAST)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(embedded.stop, filled_folder, in_use=True)
        api = await stack.enter_async_context(BotApi())
        graph = await stack.enter_async_context(GraphApi())
        program = Program(
            tmp_path,
            DATABASE_URL=running.dsn,
            RAHHAL_DATA_DIR=str(pictures),
            **telegram(api),
            **whatsapp(graph),
        )
        graph.deliver_to = f"{program.url}/whatsapp/webhook"
        await stack.enter_async_context(program)
        sara, mona = graph.user("201000000001"), api.user(1, name="منى")
        nour = await stack.enter_async_context(Visitor(program.url))
        talks = Talk(sara), Talk(mona), Talk(nour)
        for each in talks:
            await each.say(SENTENCE, hear="هل أبدأ البحث")

        program.calm = False
        running.release()
        assert await embedded.stop(filled_folder, in_use=True)
        assert await program.readiness() == 503
        webhook = {"contacts": [sara.contact()], "messages": [_text(sara.message("wamid.away"), "رحلاتي")]}
        body = orjson.dumps(graph.envelope({"metadata": {"phone_number_id": PHONE_NUMBER_ID}, **webhook}))
        assert await graph.post(body) == 503
        await mona.send("رحلاتي")
        key, content = uuid4(), {"type": "text", "text": "رحلاتي"}
        assert await nour.post_once(content, key=key) == 503

        running = await embedded.start(filled_folder, settings=FAST)
        stack.callback(running.release)
        await nour.post(content, key=key)
        async with asyncio.timeout(20):
            while await graph.post(body) != 200:
                await asyncio.sleep(LOOK)
        for each in talks:
            await each.hear("لا رحلات لديك")
        async with ledger_of(running.dsn) as ledger:
            await ledger.settled()
            for identity in (sara.key, "1"):
                assert await ledger.answered(await ledger.person(identity)) == 2


def _text(message: dict[str, object], body: str) -> dict[str, object]:
    return {**message, "type": "text", "text": {"body": body}}


async def _answered(ledger: Ledger, messages: int) -> bool:
    found = await ledger.value("SELECT count(*) FROM inbox WHERE answered_at IS NOT NULL")
    return bool(found == messages)


async def _only_person(ledger: Ledger) -> str:
    return str(await ledger.value("SELECT external_id FROM user_identities"))
