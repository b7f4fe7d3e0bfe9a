"""Sending: addresses, errors with their consequence, pictures uploaded once, typing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.channels.whatsapp import WhatsAppRenderer, WhatsAppSender, is_free_form
from bot.channels.whatsapp.refusals import PictureRefused, consequence
from bot.errors import DatabaseUnavailable, SendError, SendLater, SendRefused, WindowClosed
from bot.events import Button, Channel, ConversationId, Do, Menu, MenuRow, Outgoing, Payload, Picture, Reply
from tests.fakes.graph_api import GraphApi
from tests.fakes.graph_api_people import User

PHONE = "201001234567"
SCOPED = "EG.13491208655302741918"
JPEG = b"\xff\xd8\xff\xe0 a picture of a hotel"
TEXT: Payload = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "أهلًا"}}
TEMPLATE: Payload = {
    "messaging_product": "whatsapp",
    "type": "template",
    "template": {"name": "trip_reminder", "language": {"code": "ar"}},
}


@dataclass
class Shelf:
    """Pictures and the ids they are known by."""

    pictures: dict[str, bytes] = field(default_factory=lambda: {"hotel/nile/1": JPEG})
    known: dict[str, str] = field(default_factory=dict)

    async def read(self, source: str) -> bytes:
        return self.pictures[source]

    async def find(self, channel: Channel, sha256: str) -> str | None:
        return self.known.get(sha256)

    async def remember(self, channel: Channel, sha256: str, media_id: str) -> None:
        self.known[sha256] = media_id


@pytest.fixture
async def graph() -> AsyncIterator[GraphApi]:
    async with GraphApi() as graph:
        yield graph


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def sender(graph: GraphApi, shelf: Shelf) -> AsyncIterator[WhatsAppSender]:
    async with aiohttp.ClientSession() as session:
        yield WhatsAppSender(
            session,
            api_url=graph.url,
            phone_number_id=graph.phone_number_id,
            access_token=graph.access_token,
            pictures=shelf.read,
            uploads=shelf,
            now=graph.now,
        )


@pytest.fixture
def sara(graph: GraphApi) -> User:
    person = graph.user(PHONE)
    person.last_wrote = graph.now()
    return person


def outgoing(payload: Payload, address: str = PHONE) -> Outgoing:
    return Outgoing(
        id=1, conversation_id=ConversationId("c"), channel=Channel.WHATSAPP, address=address, payload=payload
    )


def illustrated(*buttons: str, menu: bool = False) -> Payload:
    """The payload that holds the picture."""
    reply = Reply(
        key="k",
        text="فندق النيل",
        picture=Picture(source="hotel/nile/1", alt="واجهة"),
        buttons=(tuple(Button(label=b, do=Do(name="go"), token=b) for b in buttons),),
        menu=Menu(opener="عرض", rows=(MenuRow(title="أ", do=Do(name="go"), token="r"),)) if menu else None,
    )
    return WhatsAppRenderer().render(reply)[0]


async def test_a_message_goes_to_a_phone_and_its_id_comes_back(
    sender: WhatsAppSender, graph: GraphApi, sara: User
) -> None:
    sent = await sender.send(outgoing(TEXT))
    message = await sara.one_message()
    assert sent.external_id == message.id
    assert message.raw == {**TEXT, "recipient_type": "individual", "to": PHONE}


async def test_a_scoped_id_is_a_recipient_and_never_in_to(sender: WhatsAppSender, graph: GraphApi) -> None:
    person = graph.user(user_id=SCOPED)
    person.last_wrote = graph.now()
    await sender.send(outgoing(TEXT, SCOPED))
    message = await person.one_message()
    assert message.raw["recipient"] == SCOPED
    assert "to" not in message.raw
    assert not graph.lost


# ------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("status", "code", "kind", "after", "whole_channel"),
    [
        (400, 131047, WindowClosed, None, None),
        (400, 131026, SendRefused, None, None),
        (400, 131056, SendLater, 6, False),
        (429, 131056, SendLater, 6, False),
        (429, 130429, SendLater, 5, True),
        (429, 131048, SendLater, 3600, True),
        (429, 80007, SendLater, 60, True),
        (400, 4, SendLater, 60, True),
        (401, 190, SendLater, 300, True),
        (400, 190, SendLater, 300, True),
        (403, 200, SendLater, 300, True),
        (403, 299, SendLater, 300, True),
        (403, 368, SendLater, 300, True),
        (403, 131031, SendLater, 300, True),
        (401, None, SendLater, 300, True),
        (429, None, SendLater, 5, True),
        (500, 131000, SendLater, 2, False),
        (400, 131016, SendLater, 2, False),
        (503, None, SendLater, 2, False),
        (302, None, SendLater, 2, False),
        (400, 131053, PictureRefused, None, None),
        (400, 131052, PictureRefused, None, None),
        (400, 100, SendRefused, None, None),
        (400, 131009, SendRefused, None, None),
        (400, 131051, SendRefused, None, None),
        (404, None, SendRefused, None, None),
    ],
)
def test_each_code_has_its_consequence(
    status: int, code: int | None, kind: type[SendError], after: float | None, whole_channel: bool | None
) -> None:
    error = consequence(status, {"message": "m", **({"code": code} if code is not None else {})})
    assert type(error) is kind
    assert error.code == (str(code) if code is not None else f"http {status}")
    if isinstance(error, SendLater):
        assert (error.after, error.whole_channel) == (after, whole_channel)


def test_a_longer_pause_that_the_answer_asks_for_is_kept() -> None:
    for asked, kept in ((30.0, 30.0), (1.0, 6.0)):
        error = consequence(429, {"code": 131056}, retry_after=asked)
        assert isinstance(error, SendLater)
        assert error.after == kept


def test_a_parameter_error_about_media_is_about_the_picture() -> None:
    error = {"code": 131009, "message": "(#131009)", "error_data": {"details": "Media ID 7 does not exist"}}
    assert isinstance(consequence(400, error), PictureRefused)


@pytest.mark.parametrize(
    ("what", "kind", "acted"),
    [
        ({"status": 502}, SendLater, 0),
        ({"drop": "before"}, SendLater, 0),
        ({"drop": "after"}, SendLater, 1),
        ({"code": 130429, "retry_after": 40}, SendLater, 0),
        ({"code": 100}, SendRefused, 0),
    ],
)
async def test_faults_of_the_network_and_the_api(
    sender: WhatsAppSender,
    graph: GraphApi,
    sara: User,
    what: dict[str, Any],
    kind: type[SendError],
    acted: int,
) -> None:
    graph.fault("message", **what)
    with pytest.raises(kind) as caught:
        await sender.send(outgoing(TEXT))
    assert len(graph.sent) == acted
    if isinstance(caught.value, SendLater) and "retry_after" in what:
        assert caught.value.after == 40
    assert (await sender.send(outgoing(TEXT))).external_id


async def test_an_answer_that_never_comes_is_a_retry(
    sender: WhatsAppSender, graph: GraphApi, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.whatsapp.send._TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    graph.fault("message", hang=True)
    with pytest.raises(SendLater):
        await sender.send(outgoing(TEXT))


async def test_nobody_listening_is_a_retry(sender: WhatsAppSender, graph: GraphApi, shelf: Shelf) -> None:
    async with aiohttp.ClientSession() as session:
        lonely = WhatsAppSender(
            session,
            api_url="http://127.0.0.1:1/v23.0",
            phone_number_id="1",
            access_token="t",
            pictures=shelf.read,
            uploads=shelf,
        )
        with pytest.raises(SendLater):
            await lonely.send(outgoing(TEXT))
        await lonely.show_typing(PHONE, last_message="wamid.1")


async def test_a_wrong_token_stops_the_channel_loudly(graph: GraphApi, shelf: Shelf, sara: User) -> None:
    async with aiohttp.ClientSession() as session:
        stranger = WhatsAppSender(
            session,
            api_url=graph.url,
            phone_number_id=graph.phone_number_id,
            access_token="a-stale-token",
            pictures=shelf.read,
            uploads=shelf,
        )
        with capture_logs() as logs, pytest.raises(SendLater) as caught:
            await stranger.send(outgoing(TEXT))
    assert caught.value.whole_channel
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("whatsapp.needs_operator", "error")]
    assert "a-stale-token" not in str(logs)
    assert PHONE not in str(logs)


async def test_an_unknown_or_blocking_recipient_is_refused_without_stopping(
    sender: WhatsAppSender, graph: GraphApi, sara: User
) -> None:
    with pytest.raises(SendRefused) as caught:
        await sender.send(outgoing(TEXT, "201009999999"))
    assert caught.value.code == "131026"
    sara.block()
    with pytest.raises(SendRefused):
        await sender.send(outgoing(TEXT))


async def test_too_many_to_one_person_wait_for_her_alone(
    sender: WhatsAppSender, graph: GraphApi, sara: User
) -> None:
    mona = graph.user("966500000000", name="منى")
    mona.last_wrote = graph.now()
    for _ in range(10):
        await sender.send(outgoing(TEXT))
    with pytest.raises(SendLater) as caught:
        await sender.send(outgoing(TEXT))
    assert not caught.value.whole_channel
    await sender.send(outgoing(TEXT, "966500000000"))
    graph.advance(seconds=caught.value.after)
    await sender.send(outgoing(TEXT))


# ------------------------------------------------------------------------------------------------ the 24 hours


async def test_free_text_after_the_window_is_refused_without_a_request(
    sender: WhatsAppSender, graph: GraphApi, sara: User
) -> None:
    until = graph.now() + timedelta(hours=24)
    await sender.send(replace(outgoing(TEXT), window_until=until))
    graph.advance(hours=25)
    with pytest.raises(WindowClosed):
        await sender.send(replace(outgoing(TEXT), window_until=until))
    assert not graph.refused
    with pytest.raises(WindowClosed):
        await sender.send(outgoing(TEXT))
    assert [refusal.code for refusal in graph.refused] == [131047]
    await sender.send(replace(outgoing(TEMPLATE), window_until=until))
    assert graph.sent[-1].body["type"] == "template"


def test_only_a_template_is_not_free_form() -> None:
    assert not is_free_form(TEMPLATE)
    assert is_free_form(TEXT)
    assert is_free_form(illustrated("احجز"))


# ------------------------------------------------------------------------------------------------ pictures


async def test_a_picture_is_uploaded_once_for_all_who_see_it(
    sender: WhatsAppSender, graph: GraphApi, sara: User, shelf: Shelf
) -> None:
    shelf.pictures["hotel/copy/1"] = JPEG
    payload = illustrated("احجز")
    await asyncio.gather(*(sender.send(outgoing(payload)) for _ in range(3)))
    same = {"type": "image", "image": {"source": "hotel/copy/1"}}
    await sender.send(outgoing({**payload, "interactive": {**payload["interactive"], "header": same}}))
    assert len(graph.media) == 1
    [media_id] = graph.media
    assert [message.picture for message in await sara.messages(4)] == [media_id] * 4
    assert graph.media[media_id][0] == JPEG
    assert payload["interactive"]["header"]["image"] == {"source": "hotel/nile/1"}  # may be sent again


async def test_a_picture_by_link_is_not_uploaded(sender: WhatsAppSender, graph: GraphApi, sara: User) -> None:
    link = "https://img.example/1.jpg"
    payload = {"messaging_product": "whatsapp", "type": "image", "image": {"link": link, "caption": "النيل"}}
    await sender.send(outgoing(payload))
    assert (await sara.one_message()).picture == link
    assert not graph.media


async def test_an_expired_media_id_is_uploaded_again_once(
    sender: WhatsAppSender, graph: GraphApi, sara: User, shelf: Shelf
) -> None:
    await sender.send(outgoing(illustrated()))
    graph.advance(days=31)
    sara.last_wrote = graph.now()
    await sender.send(outgoing(illustrated()))
    old, new = await sara.messages(2)
    assert old.picture != new.picture
    assert new.picture in shelf.known.values()
    assert new.text == "فندق النيل"
    assert [refusal.code for refusal in graph.refused] == [131053]


async def test_words_go_without_a_picture_that_cannot(
    sender: WhatsAppSender, graph: GraphApi, sara: User, shelf: Shelf
) -> None:
    shelf.pictures["hotel/nile/1"] = b"not a picture"
    await sender.send(outgoing(illustrated("احجز")))
    message = await sara.one_message()
    assert (message.kind, message.text, message.buttons, message.picture) == (
        "button",
        "فندق النيل",
        ["احجز"],
        None,
    )
    shelf.pictures.clear()
    await sender.send(outgoing(illustrated()))
    message = await sara.one_message()
    assert (message.kind, message.text) == ("text", "فندق النيل")
    graph.broken_links.add("https://img.example/1.jpg")
    image = {"link": "https://img.example/1.jpg", "caption": "النيل"}
    await sender.send(outgoing({"messaging_product": "whatsapp", "type": "image", "image": image}))
    assert (await sara.one_message()).kind == "text"


async def test_a_picture_without_words_that_cannot_go_is_refused(
    sender: WhatsAppSender, graph: GraphApi, sara: User, shelf: Shelf
) -> None:
    shelf.pictures.clear()
    with pytest.raises(SendRefused):
        await sender.send(outgoing(illustrated(menu=True)))


async def test_an_upload_that_fails_for_now_is_a_retry(
    sender: WhatsAppSender, graph: GraphApi, sara: User, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.fault("media", status=503)
    with pytest.raises(SendLater):
        await sender.send(outgoing(illustrated()))

    async def away(channel: Channel, sha256: str) -> str | None:
        raise DatabaseUnavailable("no answer")

    monkeypatch.setattr(shelf, "find", away)
    with pytest.raises(SendLater):
        await sender.send(outgoing(illustrated()))
    assert not graph.sent


# ------------------------------------------------------------------------------------------------ typing


async def test_typing_marks_the_message_read(sender: WhatsAppSender, graph: GraphApi) -> None:
    await sender.show_typing(PHONE, last_message="wamid.1")
    await sender.show_typing(PHONE)
    assert graph.typing == ["wamid.1"]


@pytest.mark.parametrize("what", [{"status": 500}, {"drop": "before"}, {"code": 190}, {"code": 131009}])
async def test_typing_never_fails(sender: WhatsAppSender, graph: GraphApi, what: dict[str, Any]) -> None:
    fault = graph.fault("typing", **what)
    await sender.show_typing(PHONE, last_message="wamid.1")
    assert fault.met.is_set()
    assert not graph.typing
