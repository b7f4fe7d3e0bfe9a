"""The webhook over real HTTP: handshake, signatures, what is stored before the 200, and what is answered when it cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.channels.whatsapp import routes, sign, verify
from bot.channels.whatsapp.routes import MAX_BODY, PATH
from bot.errors import BadSignature, DatabaseUnavailable
from bot.events import Channel, DeliveryStatus, Event, Press, Text, Unsupported
from tests.fakes.graph_api import GraphApi, Posted
from tests.fakes.graph_api_people import Message

SECRET = b"an-app-secret-for-tests"


@dataclass
class House:
    """What the door hands its finds to. `away`: the database does not answer, for the named kinds. `refused`: a text it
    cannot take."""

    events: dict[str, Event] = field(default_factory=dict)
    statuses: list[DeliveryStatus] = field(default_factory=list)
    buried: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    refused: str | None = None

    async def hear(self, events: list[Event]) -> int:
        self._reach("events")
        if self.refused and any(event.content == Text(text=self.refused) for event in events):
            raise ValueError("what the database cannot take")
        before = len(self.events)
        self.events.update({event.external_id: event for event in events})
        return len(self.events) - before

    async def store_statuses(self, statuses: list[DeliveryStatus]) -> None:
        self._reach("statuses")
        self.statuses += statuses

    async def bury(self, channel: Channel, payload: Mapping[str, Any], reason: str) -> None:
        self._reach("odd")
        self.buried.append((reason, payload))

    def _reach(self, kind: str) -> None:
        if kind in self.away:
            raise DatabaseUnavailable("no answer")

    @property
    def contents(self) -> list[Any]:
        return [event.content for event in self.events.values()]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def graph(house: House) -> AsyncIterator[GraphApi]:
    async with GraphApi() as graph:
        app = web.Application()
        app.add_routes(
            routes(
                phone_number_id=graph.phone_number_id,
                app_secret=graph.app_secret,
                verify_token=graph.verify_token,
                hear=house.hear,
                store_statuses=house.store_statuses,
                dead_letter=house.bury,
            )
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        graph.deliver_to = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        yield graph
        await runner.cleanup()


# ------------------------------------------------------------------------------------------------ handshake


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"hub.verify_token": "another word"}, 403),
        ({"hub.verify_token": "كلمة"}, 403),
        ({"hub.verify_token": None}, 403),
        ({"hub.mode": "unsubscribe"}, 403),
        ({"hub.mode": None}, 403),
        ({"hub.challenge": None}, 403),
    ],
)
async def test_the_handshake(graph: GraphApi, change: dict[str, str | None], status: int) -> None:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": graph.verify_token,
        "hub.challenge": "<b>1158201444",
    }
    query = {name: value for name, value in {**asked, **change}.items() if value is not None}
    async with aiohttp.ClientSession() as session, session.get(graph.deliver_to, params=query) as response:
        assert response.status == status
        if status == 200:
            assert await response.text() == "<b>1158201444"
            assert response.content_type == "text/plain"


# ------------------------------------------------------------------------------------------------ signatures


def test_a_signature_is_over_the_raw_body() -> None:
    # RFC 4231, test case 2
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    verify(b"Jefe", b"what do ya want for nothing?", f"sha256={digest}")
    assert sign(b"Jefe", b"what do ya want for nothing?") == f"sha256={digest}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        sign(SECRET, b"another body"),
        sign(b"another secret", b"{}"),
        sign(SECRET, b"{}").removeprefix("sha256="),
        sign(SECRET, b"{}").replace("sha256", "sha1"),
        sign(SECRET, b"{}") + "0",
        "sha256=كلمة",
        "sha256=\udc80",
    ],
)
def test_any_other_signature_is_bad(header: str | None) -> None:
    with pytest.raises(BadSignature):
        verify(SECRET, b"{}", header)


async def test_nothing_unsigned_is_stored(graph: GraphApi, house: House) -> None:
    body = b'{"object":"whatsapp_business_account"}'
    assert await graph.post(body, signature="sha256=00") == 401
    async with aiohttp.ClientSession() as session, session.post(graph.deliver_to, data=body) as response:
        assert response.status == 401
    assert not (house.events or house.buried)


# ------------------------------------------------------------------------------------------------ deliveries


async def test_what_people_do_is_heard(graph: GraphApi, house: House) -> None:
    sara = graph.user("201001234567")
    await sara.send("أهلًا")
    await sara.send_voice()
    await sara.send_photo("هنا")
    await sara.send_location(27.9, 34.3)
    await sara.send_content("reaction", {"message_id": "wamid.1", "emoji": "👍"})
    assert [content.type for content in house.contents] == [
        "text",
        "media",
        "media",
        "location",
        "unsupported",
    ]
    assert graph.answers == [200] * 5


async def test_a_press_comes_back_with_its_token(graph: GraphApi, house: House) -> None:
    sara = graph.user("201001234567")
    choices = [{"id": "tok-1", "title": "نعم"}, {"id": "tok-2", "title": "لا"}]
    action = {"buttons": [{"type": "reply", "reply": choice} for choice in choices]}
    body = {"type": "interactive", "interactive": {"type": "button", "body": {"text": "؟"}, "action": action}}
    await Message(sara, Posted("wamid.0", body)).press("لا")
    assert house.contents == [Press(token="tok-2", label="لا")]


async def test_a_person_without_a_phone_is_heard(graph: GraphApi, house: House) -> None:
    await graph.user(user_id="EG.13491208655302741918").send("أهلًا")
    [event] = house.events.values()
    assert (event.sender, event.phone) == ("EG.13491208655302741918", None)


async def test_a_batch_backwards_and_twice_is_heard_once(graph: GraphApi, house: House) -> None:
    sara, mona = graph.user("201001234567"), graph.user("966500000000", name="منى")
    graph.hold()
    await sara.send("أولًا")
    await mona.send("مرحبا")
    await sara.send("ثانيًا")
    await graph.release(backwards=True, times=2)
    assert graph.answers == [200, 200]
    assert {content.text for content in house.contents} == {"أولًا", "مرحبا", "ثانيًا"}


async def test_an_event_the_database_refuses_costs_the_others_of_its_batch_nothing(
    graph: GraphApi, house: House
) -> None:
    house.refused = "two"
    sara = graph.user("201001234567", name="Sara")
    graph.hold()
    for text in ("one", "two", "three"):
        await sara.send(text)
    await graph.release()
    assert house.contents == [Text(text="one"), Text(text="three")]
    assert [reason for reason, _ in house.buried] == ["refused by the database"]


async def test_statuses_bypass_the_inbox(graph: GraphApi, house: House) -> None:
    sara = graph.user("201001234567")
    for name in ("sent", "delivered", "read"):
        await graph.status("wamid.1", sara, name)
    await graph.status("wamid.2", sara, "failed", code=131026, details="Message Undeliverable.")
    assert [status.status for status in house.statuses] == ["sent", "delivered", "read", "failed"]
    assert (house.statuses[-1].error_code, house.statuses[-1].error) == ("131026", "Message Undeliverable.")
    assert not house.events


async def test_signed_but_odd_is_kept_and_acknowledged(graph: GraphApi, house: House) -> None:
    assert await graph.post(b"not json") == 200
    assert await graph.post(b'{"object":"page"}') == 200
    graph.phone_number_id = "999"
    await graph.user("201001234567").send("إلى رقم آخر")
    assert [reason for reason, _ in house.buried] == [
        "not JSON",
        "not about a WhatsApp account",
        "addressed to another number",
    ]
    assert not house.events


async def test_the_good_half_of_an_odd_batch_is_heard(graph: GraphApi, house: House) -> None:
    sara = graph.user("201001234567")
    await graph.push(
        contacts=[sara.contact()],
        messages=[
            {"type": "text"},
            {**sara.message("wamid.good"), "type": "text", "text": {"body": "أهلًا"}},
            {**sara.message("wamid.new"), "type": "hologram", "hologram": {}},
        ],
    )
    assert house.contents == [Text(text="أهلًا"), Unsupported(kind="hologram")]
    assert len(house.buried) == 1


@pytest.mark.parametrize("kind", ["events", "statuses", "odd"])
async def test_without_a_database_meta_is_asked_to_come_again(
    graph: GraphApi, house: House, kind: str
) -> None:
    sara = graph.user("201001234567")
    graph.hold()
    await sara.send("أهلًا")
    await graph.status("wamid.1", sara, "read")
    await graph.push(messages=["odd"])
    house.away = {kind}
    await graph.release()
    assert graph.answers == [503]
    house.away = set()
    graph.hold()
    await sara.send("مرة أخرى")
    await graph.status("wamid.1", sara, "read")
    await graph.push(messages=["odd"])
    await graph.release()
    assert graph.answers == [503, 200]
    assert house.events
    assert house.statuses
    assert house.buried


async def test_a_body_up_to_three_mebibytes_is_read_and_no_larger(graph: GraphApi, house: House) -> None:
    assert await graph.post(b" " * MAX_BODY) == 200
    assert await graph.post(b" " * (MAX_BODY + 1)) == 413
    assert len(house.buried) == 1

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 2):
            yield b" " * 65536

    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(graph.deliver_to, data=endless()) as response:
                assert response.status == 413
        except aiohttp.ClientConnectionError:
            pass  # closed on us while we were still talking, which says the same


async def test_a_flood_that_is_signed_is_never_limited(graph: GraphApi, house: House) -> None:
    sara = graph.user("201001234567")
    for number in range(200):
        await sara.send(str(number))
    assert graph.answers == [200] * 200
    assert len(house.events) == 200
