"""Sending through the fake Bot API: edits, photos, refusals and what they mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import Bot
from telegram.error import NetworkError, TimedOut

from bot.channels.telegram import AiohttpRequest, Client, TelegramSender, open_client, set_up
from bot.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    RecipientGone,
    SendError,
    SendLater,
    SendRefused,
)
from bot.events import Channel, ConversationId, Outgoing, Payload
from tests.fakes.bot_api import TOKEN, BotApi
from tests.fakes.bot_api_people import User

JPEG = b"\xff\xd8\xff\xe0 a picture"
OTHER_JPEG = b"\xff\xd8\xff\xe0 another picture"
PICTURES = {"hotel/1/1": JPEG, "hotel/1/2": JPEG, "hotel/2/1": OTHER_JPEG}


async def read_picture(source: str) -> bytes:
    return PICTURES[source]


class Shelf:
    """Uploads in memory; `down` as when the database is."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.down = False

    async def find(self, channel: Channel, sha256: str) -> str | None:
        if self.down:
            raise DatabaseUnavailable("down")
        return self.kept.get(sha256)

    async def remember(self, channel: Channel, sha256: str, media_id: str) -> None:
        if self.down:
            raise DatabaseUnavailable("down")
        self.kept[sha256] = media_id


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
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def sender(client: Client, shelf: Shelf) -> TelegramSender:
    return TelegramSender(client, pictures=read_picture, uploads=shelf)


@pytest.fixture
async def sara(api: BotApi) -> User:
    user = api.user(42)
    await user.start()
    return user


def outgoing(payload: Payload, *, address: str = "42", edits: str | None = None) -> Outgoing:
    return Outgoing(
        id=1,
        conversation_id=ConversationId("c"),
        channel=Channel.TELEGRAM,
        address=address,
        payload=payload,
        edits=edits,
    )


def text(words: str = "أهلًا", *, method: str = "sendMessage", **params: Any) -> Payload:
    return {"method": method, "params": {"text": words, **params}}


def edit(words: str) -> Payload:
    return text(words, method="editMessageText")


def photo(source: str = "hotel/1/1", **params: Any) -> Payload:
    return {"method": "sendPhoto", "params": params, "picture": {"source": source, "alt": "واجهة الفندق"}}


async def test_a_message_arrives_as_rendered(sender: TelegramSender, sara: User) -> None:
    keyboard = {"inline_keyboard": [[{"text": "نعم", "callback_data": "y"}]]}
    sent = await sender.send(outgoing(text("هل أبدأ؟ 🎉", reply_markup=keyboard)))
    message = await sara.one_message()
    assert (message.text, message.rows) == ("هل أبدأ؟ 🎉", [["نعم"]])
    assert sent.external_id == str(message.message_id)


async def test_places_arrive(sender: TelegramSender, sara: User) -> None:
    point = {"latitude": 27.9, "longitude": 34.3}
    await sender.send(outgoing({"method": "sendVenue", "params": {**point, "title": "ن", "address": "ش"}}))
    await sender.send(outgoing({"method": "sendLocation", "params": point}))
    venue, location = await sara.messages(2)
    assert venue.raw["venue"]["title"] == "ن"
    assert location.raw["location"] == point


async def test_an_edit_happens_in_place_and_twice_is_once(sender: TelegramSender, sara: User) -> None:
    first = await sender.send(outgoing(text("قديم")))
    again = [await sender.send(outgoing(edit("جديد"), edits=first.external_id)) for _ in range(2)]
    assert [sent.external_id for sent in again] == [first.external_id] * 2
    assert [message["text"] for message in sara.history()][1:] == ["جديد"]


async def test_an_edit_that_cannot_be_is_a_new_message(sender: TelegramSender, sara: User) -> None:
    pictured = await sender.send(outgoing(photo()))
    hers = str(sara.history()[0]["message_id"])
    for target in (pictured.external_id, hers, "999999", "not-a-number", None):
        sent = await sender.send(outgoing(edit("جديد"), edits=target))
        assert sent.external_id != target
    assert [message.get("text") for message in sara.history()[2:]] == ["جديد"] * 5


async def test_a_photo_is_uploaded_once_whatever_its_source(
    api: BotApi, sender: TelegramSender, sara: User, shelf: Shelf
) -> None:
    for source in ("hotel/1/1", "hotel/1/2", "hotel/2/1"):
        await sender.send(outgoing(photo(source, caption="الفندق")))
    first, second, third = await sara.messages(3)
    assert first.photo == second.photo != third.photo
    assert first.text == "الفندق"
    assert list(api.files.values()) == [JPEG, OTHER_JPEG]
    assert set(shelf.kept.values()) == set(api.files)


async def test_a_file_id_of_another_bot_is_uploaded_anew(
    api: BotApi, sender: TelegramSender, sara: User, shelf: Shelf
) -> None:
    await sender.send(outgoing(photo()))
    (digest,) = shelf.kept
    shelf.kept[digest] = "of-another-bot"
    await sender.send(outgoing(photo()))
    assert shelf.kept[digest] in api.files
    assert len(api.files) == 2


async def test_a_photo_leaves_while_the_database_is_down(
    sender: TelegramSender, sara: User, shelf: Shelf
) -> None:
    shelf.down = True
    await sender.send(outgoing(photo()))
    assert (await sara.one_message()).photo


@pytest.mark.parametrize("source", ["hotel/9/9", "https://pictures.unreachable.example/1.jpg"])
async def test_words_go_without_a_picture_that_cannot_be_had(
    sender: TelegramSender, sara: User, source: str
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "نعم", "callback_data": "y"}]]}
    entities = [{"type": "code", "offset": 0, "length": 2}]
    await sender.send(
        outgoing(photo(source, caption="الفندق", caption_entities=entities, reply_markup=keyboard))
    )
    await sender.send(outgoing(photo(source)))
    captioned, bare = await sara.messages(2)
    assert (captioned.text, captioned.raw["entities"], captioned.buttons) == ("الفندق", entities, ["نعم"])
    assert bare.text == "واجهة الفندق"


async def test_a_picture_by_its_url(api: BotApi, sender: TelegramSender, sara: User) -> None:
    await sender.send(outgoing(photo("https://example.com/1.jpg")))
    assert (await sara.one_message()).photo
    assert api.files == {}


async def test_a_group_that_became_a_supergroup_is_followed(api: BotApi, sender: TelegramSender) -> None:
    group = api.group(-5)
    group.becomes_supergroup(-1005)
    await sender.send(outgoing(text(), address="-5"))
    assert [message["text"] for message in api.history[-1005].values()] == ["أهلًا"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 502}, SendLater),
        ({"status": 500, "description": "Internal Server Error"}, SendLater),
        ({"drop": "before"}, SendLater),
        ({"drop": "after"}, SendLater),
        ({"status": 403, "description": "Forbidden: user is deactivated"}, RecipientGone),
        ({"status": 403, "description": "Forbidden: bot was kicked from the group chat"}, RecipientGone),
        ({"status": 400, "description": "Bad Request: PEER_ID_INVALID"}, RecipientGone),
        ({"status": 400, "description": "Bad Request: something new"}, SendRefused),
    ],
)
async def test_what_a_refusal_means(
    api: BotApi, sender: TelegramSender, sara: User, fault: dict[str, Any], kind: type[SendError]
) -> None:
    api.fault("sendMessage", **fault)
    with pytest.raises(SendError) as caught:
        await sender.send(outgoing(text()))
    assert type(caught.value) is kind
    assert TOKEN not in repr(caught.value)
    assert TOKEN not in str(caught.value.__context__ or "")
    await sender.send(outgoing(text("بعد ذلك")))


async def test_flood_control_stops_one_chat_for_as_long_as_asked(
    api: BotApi, sender: TelegramSender, sara: User
) -> None:
    api.flood("sendMessage", retry_after=7)
    with pytest.raises(SendLater) as caught:
        await sender.send(outgoing(text()))
    assert (caught.value.after, caught.value.whole_channel) == (7, False)


async def test_who_blocked_us_or_never_wrote_is_gone(api: BotApi, sender: TelegramSender, sara: User) -> None:
    with pytest.raises(RecipientGone):
        await sender.send(outgoing(text(), address="77"))
    sara.block()
    with pytest.raises(RecipientGone):
        await sender.send(outgoing(text()))


async def test_a_text_that_is_too_long_is_refused_for_good(sender: TelegramSender, sara: User) -> None:
    with pytest.raises(SendRefused):
        await sender.send(outgoing(text("ط" * 4097)))


async def test_a_revoked_token_makes_everybody_wait(api: BotApi, sender: TelegramSender, sara: User) -> None:
    api.token = "42:ANOTHER"
    with pytest.raises(SendLater) as caught:
        await sender.send(outgoing(text()))
    assert caught.value.whole_channel
    assert caught.value.after >= 30


async def test_typing_is_best_effort(api: BotApi, sender: TelegramSender, sara: User) -> None:
    await sender.show_typing("42")
    assert api.called("sendChatAction") == [{"chat_id": "42", "action": "typing"}]
    await sender.show_typing("77")


async def test_operators_are_told(api: BotApi, sender: TelegramSender) -> None:
    api.group(-7)
    await sender.tell_operators("-7", "مسافر يطلب موظفًا " * 500)
    (message,) = api.history[-7].values()
    assert message["text"].endswith("…")


async def test_connections_are_reused(api: BotApi, sender: TelegramSender, sara: User) -> None:
    for number in range(8):
        await sender.send(outgoing(text(str(number))))
    assert len(api.connections) == 1


async def test_a_silent_server_times_out_and_a_closed_client_says_so(api: BotApi) -> None:
    request = AiohttpRequest(read_timeout=0.05)
    bot = Bot(TOKEN, base_url=f"{api.url}/bot", request=request, get_updates_request=request)
    async with request:
        fault = api.fault("getMe", hang=True)
        with pytest.raises(TimedOut):
            await bot.get_me()
        fault.release.set()
        assert (await bot.get_me()).username == "rahhal_bot"
    with pytest.raises(NetworkError):
        await bot.get_me()


async def test_a_wrong_token_stops_the_start_without_being_printed(api: BotApi) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await open_client("43:WRONG", api_url=api.url)
    assert "TELEGRAM_BOT_TOKEN" in str(caught.value)
    assert "WRONG" not in str(caught.value)


def test_a_client_does_not_print_its_token() -> None:
    assert TOKEN not in repr(Client(TOKEN))


async def test_a_telegram_out_of_reach_does_not_stop_the_start(api: BotApi) -> None:
    api.fault("getMe", status=502)
    client = await open_client(TOKEN, api_url=api.url)
    assert client.known_as is None
    await set_up(client, commands={"ar": {"trips": "رحلاتي"}})
    assert client.known_as == "rahhal_bot"
    await client.shutdown()


async def test_set_up_tells_telegram_the_menus_and_the_webhook(api: BotApi, client: Client) -> None:
    await set_up(
        client,
        commands={"ar": {"trips": "رحلاتي"}, "en": {"trips": "My trips"}},
        descriptions={"ar": "رفيقك في حجز الفنادق"},
        public_url="https://rahhal.example",
        secret="s3cret",
    )
    assert api.commands == {"": {"trips": "رحلاتي"}, "en": {"trips": "My trips"}}
    assert api.descriptions == {"": "رفيقك في حجز الفنادق"}
    (hook,) = api.called("setWebhook")
    assert (hook["url"], hook["secret_token"]) == ("https://rahhal.example/telegram/webhook", "s3cret")
    assert hook["allowed_updates"] == ["message", "callback_query"]
    assert "drop_pending_updates" not in hook


async def test_set_up_says_what_telegram_refuses_and_what_may_be_tried_again(
    api: BotApi, client: Client
) -> None:
    with pytest.raises(ConfigurationError, match=r"(?i)bot_command_invalid"):
        await set_up(client, commands={"ar": {"رحلاتي": "رحلاتي"}})
    api.fault("setMyCommands", status=502)
    with pytest.raises(SendLater):
        await set_up(client, commands={"ar": {"trips": "رحلاتي"}})
