"""The web chat on a bad line: nothing lost, nothing doubled."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Request, Route, WebSocketRoute, expect

from bot.events import Reply
from tests.fakes.webchat_desk import (
    Desk,
    mine,
    ready,
    theirs,
    write,
)

pytestmark = pytest.mark.browser


async def test_a_cut_socket_loses_and_doubles_nothing(desk: Desk) -> None:
    page = await desk.open()
    await write(page, "واحد")
    await expect(theirs(page)).to_have_count(1)
    visitor = await desk.house.visitor()
    for n in range(3):
        await desk.house.chat._streams.close()
        await desk.house.say(visitor, Reply(key="k", text=f"في الغياب {n}"))
    await write(page, "اثنان")
    await expect(theirs(page)).to_have_count(5)
    said = await theirs(page).locator(".words").all_inner_texts()
    assert sorted(said) == sorted(["وصل: واحد", "في الغياب 0", "في الغياب 1", "في الغياب 2", "وصل: اثنان"])
    assert await desk.house.count("inbox") == 2


async def test_offline_keeps_what_is_written_until_the_network_is_back(desk: Desk) -> None:
    page = await desk.open()
    await write(page, "قبل")
    await expect(theirs(page)).to_have_count(1)
    await page.context.set_offline(True)
    await expect(page.locator("#state")).to_have_text("لا اتصال بالشبكة. رسائلك محفوظة وستُرسل عند عودته.")
    await write(page, "أثناء 1")
    await write(page, "أثناء 2")
    await expect(mine(page).last).to_have_attribute("data-status", "not_sent")
    await expect(page.get_by_role("button", name="إعادة الإرسال").first).to_be_visible()
    await page.context.set_offline(False)
    await expect(theirs(page)).to_have_count(3)
    await expect(mine(page).last).to_have_attribute("data-status", "sent")
    texts = [getattr(event.content, "text", None) for event in desk.house.heard]
    assert texts == ["قبل", "أثناء 1", "أثناء 2"]


async def test_a_lost_acknowledgement_does_not_make_two(desk: Desk) -> None:
    page = await desk.open()
    lost: list[Request] = []

    async def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request)
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/chat/messages*", lose_the_first_answer)
    await write(page, "مرة واحدة")
    await expect(mine(page)).to_have_attribute("data-status", "sent")
    await expect(theirs(page)).to_have_count(1)
    assert lost
    assert len(desk.house.heard) == 2
    assert await desk.house.count("inbox") == 1


async def test_an_unsent_message_survives_a_reload(desk: Desk) -> None:
    desk.house.down = True
    page = await desk.open()
    await write(page, "لا تضيع")
    await expect(mine(page)).to_have_attribute("data-status", "not_sent")
    await page.reload()
    await ready(page)
    await expect(mine(page).locator(".words")).to_have_text("لا تضيع")
    desk.house.down = False
    await expect(theirs(page).locator(".words")).to_have_text("وصل: لا تضيع")
    await expect(mine(page)).to_have_count(1)
    assert await desk.house.count("inbox") == 1


async def test_where_sockets_do_not_get_through_it_asks(desk: Desk) -> None:
    page = await desk.open()

    async def refuse(socket: WebSocketRoute) -> None:
        await socket.close(code=1011)

    await page.route_web_socket(re.compile("/chat/socket"), refuse)
    await page.route("**/chat/socket*", lambda route: route.abort())
    await write(page, "سلام")
    await expect(theirs(page)).to_have_count(1)
    await desk.house.say(await desk.house.visitor(), Reply(key="k", text="بعد قليل"))
    await expect(theirs(page).last).to_contain_text("بعد قليل")


async def test_a_reload_shows_the_conversation_once(desk: Desk) -> None:
    page = await desk.open()
    for n in range(3):
        await write(page, f"رسالة {n}")
        await expect(theirs(page)).to_have_count(n + 1)
    before = await page.locator("#log .words").all_inner_texts()
    await page.reload()
    await ready(page)
    assert await page.locator("#log .words").all_inner_texts() == before
    await expect(page.locator("#log")).to_have_attribute("aria-live", "polite")
    await write(page, "بعد")
    await expect(theirs(page)).to_have_count(4)


async def test_a_visitor_the_server_forgot_goes_on_as_a_new_one(desk: Desk) -> None:
    page = await desk.open()
    await write(page, "أول")
    await expect(theirs(page)).to_have_count(1)
    await page.context.clear_cookies()
    await write(page, "ثانٍ")
    await expect(theirs(page)).to_have_count(2)
    assert await desk.house.count("webchat_visitors") == 2


async def test_two_tabs_show_the_same_conversation(desk: Desk) -> None:
    page = await desk.open()
    await write(page, "أول")
    await expect(theirs(page)).to_have_count(1)
    other = await page.context.new_page()
    await other.goto(desk.house.url)
    await ready(other)
    await write(page, "ثانٍ")
    for tab in (page, other):
        await expect(mine(tab)).to_have_count(2)
        await expect(theirs(tab)).to_have_count(2)


async def test_what_is_new_waits_for_a_reader_further_up(desk: Desk) -> None:
    page = await desk.open()
    await write(page, "كلمة " * 1500)
    await expect(theirs(page)).to_have_count(1)
    await page.locator("#log").evaluate("e => { e.scrollTop = 0; }")
    await desk.house.say(await desk.house.visitor(), Reply(key="k", text="جديد"))
    newer = page.get_by_role("button", name="رسائل جديدة")
    await expect(newer).to_be_visible()
    assert await page.locator("#log").evaluate("e => e.scrollTop") == 0
    await newer.click()
    await expect(theirs(page).last).to_be_in_viewport()
    await expect(newer).to_be_hidden()
