"""How links are handed on in each channel, and what they open, beyond what the conversations show."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from bot.channels.telegram import TelegramRenderer
from bot.channels.webchat import WebchatRenderer
from bot.channels.whatsapp import WhatsAppRenderer
from bot.dialogue.moves import Move
from bot.dialogue.state import Dialogue
from bot.domain.behavior import Action
from bot.domain.links import Addresses, code_in
from bot.events import Channel
from bot.turn import House
from bot.turn.context import Turn
from db import sharing
from db.pool import Role
from db.turns import Person, Talk
from handlers.hotel import open_hotel
from handlers.referral import invite
from handlers.share import follow_link, share
from locales import Texts
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW

EVERYWHERE = Addresses(public="https://rahhal.example", telegram="rahhal_bot", whatsapp="201001234567")
SEARCH = {
    "destination": {
        "name_en": "Cairo",
        "name_ar": "القاهرة",
        "country": "EG",
        "geonameid": small_hotel.CAIRO,
    },
    "check_in": "2026-04-01",
    "check_out": "2026-04-03",
    "adults": 2,
}


async def a_turn(conn: asyncpg.Connection, channel: Channel, addresses: Addresses = EVERYWHERE) -> Turn:
    """The turn of somebody new, as rahhal_app."""
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    user = await small_hotel.newcomer(conn)
    await small_hotel.claim(conn, user)
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    person = Person(user, None, None, None, "ar", False, "EG", "latn", "Africa/Cairo", False, "user", None)
    return Turn(
        conn=conn,
        now=NOW,
        house=House(addresses=addresses),
        person=person,
        talk=Talk(uuid4(), channel.value, "1", {}, None),
        texts=Texts.for_locale("ar-EG", today=NOW.date()),
        dialogue=Dialogue(memory={"search": SEARCH, "shown": {"hotels": [], "names": [], "matches": 0}}),
        newcomer=True,
    )


def urls(payload: Any) -> list[str]:
    """Every address anywhere in a payload."""
    match payload:
        case dict():
            return [url for value in payload.values() for url in urls(value)]
        case list():
            return [url for value in payload for url in urls(value)]
        case str() if payload.startswith("https://"):
            return [payload]
        case _:
            return []


async def test_on_telegram_two_buttons_send_the_link_on(conn: asyncpg.Connection) -> None:
    turn = await a_turn(conn, Channel.TELEGRAM)
    await invite(turn, Move("referral"))
    [reply] = turn.replies
    code = code_in(reply.text)
    assert reply.text.endswith(f"\nhttps://rahhal.example/r/{code}")
    [payload] = TelegramRenderer().render(reply)
    assert [url.partition("?")[0] for url in urls(payload)] == ["https://t.me/share/url", "https://wa.me/"]


async def test_on_the_web_chat_too(conn: asyncpg.Connection) -> None:
    turn = await a_turn(conn, Channel.WEBCHAT)
    await share(turn, Move("share"))
    [reply] = turn.replies
    assert len(urls(WebchatRenderer().render(reply))) == 2


async def test_on_whatsapp_a_message_of_its_own_is_there_to_be_forwarded(conn: asyncpg.Connection) -> None:
    turn = await a_turn(conn, Channel.WHATSAPP, Addresses(whatsapp="201001234567"))
    await share(turn, Move("share"))
    explained, forwarded = turn.replies
    assert not explained.buttons
    assert forwarded.key == "share.forward"
    assert forwarded.text.startswith("فنادق في القاهرة وجدتُها على رحّال:\nhttps://wa.me/201001234567?text=")
    for reply in (explained, forwarded):
        [payload] = WhatsAppRenderer().render(reply)
        assert len(str(payload)) < 4_000


async def test_a_shared_search_has_what_was_asked_for_and_nothing_of_the_conversation(
    conn: asyncpg.Connection,
) -> None:
    turn = await a_turn(conn, Channel.TELEGRAM)
    turn.dialogue.memory["search"] = {
        **SEARCH,
        "budget_max": "1500",
        "currency": "EGP",
        "unknown_place": "بيتنا",
        "problems": ["past_date"],
        "hotel_name": "x",
    }
    await share(turn, Move("share"))
    row = await conn.fetchrow(
        "SELECT content_type, content_id, content_data, share_platform FROM shared_content"
    )
    assert tuple(row)[:2] == ("results", str(small_hotel.CAIRO))
    assert row["share_platform"] == "telegram"
    assert row["content_data"]["search"].keys() == {*SEARCH, "budget_max", "currency"}
    assert [act.action for act in turn.acted] == [Action.RESULTS_SHARED]


@pytest.mark.parametrize(
    "content_data",
    [
        {},
        {"search": {}},
        {"search": {"adults": "many"}},
        {"search": {"check_in": "2026-13-45"}},
        {"search": []},
    ],
)
async def test_what_a_link_held_may_no_longer_be_readable(
    conn: asyncpg.Connection, content_data: dict[str, Any]
) -> None:
    turn = await a_turn(conn, Channel.TELEGRAM)
    code = await sharing.share(
        conn, content_type="results", content_id="1", content_data=content_data, platform="telegram"
    )
    other = await a_turn(conn, Channel.WHATSAPP)
    assert await follow_link(other, Move("follow_link", args={"code": code})) is None
    assert other.replies[-1].key == "share.gone"
    assert turn.person.id != other.person.id


@pytest.mark.parametrize("change", ["UPDATE hotels SET listed = false", None])
async def test_a_hotel_that_is_gone_is_said_to_be(conn: asyncpg.Connection, change: str | None) -> None:
    hotel = await small_hotel.open_hotel(conn)
    identifier = hotel.identifier if change else "never-was"
    await a_turn(conn, Channel.TELEGRAM)
    code = await sharing.share(
        conn, content_type="hotel", content_id=identifier, content_data={}, platform="telegram"
    )
    await conn.execute("SET LOCAL ROLE rahhal_owner")
    if change:
        await conn.execute(change)
    other = await a_turn(conn, Channel.TELEGRAM)
    assert await follow_link(other, Move("follow_link", args={"code": code})) is None
    assert other.replies[-1].key == "share.gone"


async def test_an_open_hotel_goes_before_the_results_unless_another_search_came_after_it(
    conn: asyncpg.Connection,
) -> None:
    hotel = await small_hotel.open_hotel(conn)
    for shown, kind in (([hotel.identifier], "share.hotel"), (["another"], "share.results")):
        turn = await a_turn(conn, Channel.TELEGRAM)
        turn.dialogue.memory |= {
            "open": hotel.identifier,
            "shown": {"hotels": shown, "names": [["", ""]], "matches": 1},
        }
        await share(turn, Move("share"))
        assert turn.replies[0].key == kind


async def test_somebody_else_s_trip_is_not_shared(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    owner = await a_turn(conn, Channel.TELEGRAM)
    held = await small_hotel.hold(conn, hotel.double, 30, 2)
    reference = await conn.fetchval("SELECT reference FROM trips")
    assert held.booking_id is not None
    stranger = await a_turn(conn, Channel.TELEGRAM)
    await share(stranger, Move("share", args={"trip": reference}))
    assert stranger.replies[0].key == "share.results", "what is on show with her"
    assert owner.person.id != stranger.person.id


async def test_codes_of_a_campaign_begin_with_it(conn: asyncpg.Connection) -> None:
    turn = await a_turn(conn, Channel.TELEGRAM)
    turn.house = House(addresses=EVERYWHERE, campaign="SUMMER-2027")
    await invite(turn, Move("referral"))
    assert (code_in(turn.replies[0].text) or "").startswith("SUMMER-2027-")


async def test_a_link_opens_at_the_dates_it_was_made_for(conn: asyncpg.Connection) -> None:
    await a_turn(conn, Channel.TELEGRAM)
    code = await sharing.share(
        conn,
        content_type="results",
        content_id=str(small_hotel.CAIRO),
        content_data={"search": SEARCH},
        platform="telegram",
    )
    other = await a_turn(conn, Channel.TELEGRAM)
    other.dialogue.memory = {"booked": "x", "open": "y", "listed": {}}
    move = await follow_link(other, Move("follow_link", args={"code": code}))
    assert move == Move("show_results")
    assert other.dialogue.memory.keys() == {"search"}
    assert other.dialogue.memory["search"]["check_in"] == dt.date(2026, 4, 1).isoformat()
    assert [(act.action, act.data.get("step")) for act in other.acted] == [
        (Action.REFERRAL, "joined"),
        (Action.CONVERSATION_STARTED, None),
    ]


async def test_a_button_of_a_hotel_that_was_taken_off_leads_nowhere(conn: asyncpg.Connection) -> None:
    """Not round and round between the card and the choice."""
    hotel = await small_hotel.open_hotel(conn)
    await conn.execute("UPDATE hotels SET listed = false")
    turn = await a_turn(conn, Channel.TELEGRAM)
    assert await open_hotel(turn, Move("open_hotel", args={"hotel": hotel.identifier})) is None
    assert turn.replies[-1].key == "stale.unknown"
