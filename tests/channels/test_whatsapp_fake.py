"""The fake Graph API refuses what Meta refuses; otherwise the other tests would prove nothing."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.fakes.graph_api import GraphApi
from tests.fakes.graph_api_limits import Refused, check_message

TO = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "201001234567"}


def text(body: str) -> dict[str, Any]:
    return {**TO, "type": "text", "text": {"body": body}}


def interactive(kind: str, action: Any, *, body: str = "؟", **more: Any) -> dict[str, Any]:
    return {
        **TO,
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": body}, "action": action, **more},
    }


def buttons(*titles: str, token: str = "t") -> dict[str, Any]:
    replies = [{"id": f"{token}{n}", "title": title} for n, title in enumerate(titles)]
    return {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}


def listed(count: int = 1, **row: str) -> dict[str, Any]:
    rows = [{"id": f"r{n}", "title": "فندق", **row} for n in range(count)]
    return {"button": "عرض", "sections": [{"title": "عرض", "rows": rows}]}


IMAGE_HEADER: dict[str, Any] = {"header": {"type": "image", "image": {"id": "1"}}}
URL = {"display_text": "الدفع", "url": "https://pay.example/1"}


@pytest.mark.parametrize(
    "message",
    [
        text("a" * 4096),
        interactive("button", buttons("أ" * 20, "ب", "ج"), body="ا" * 1024, **IMAGE_HEADER),
        interactive("list", listed(10, title="ت" * 24, description="و" * 72)),
        interactive("cta_url", {"name": "cta_url", "parameters": URL}),
        {**TO, "type": "image", "image": {"link": "https://img.example/1.jpg", "caption": "ا" * 1024}},
        {**TO, "type": "location", "location": {"latitude": 27.9, "longitude": 34.3, "name": "هنا"}},
    ],
)
def test_the_limits_themselves_are_taken(message: dict[str, Any]) -> None:
    check_message(message)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (text("a" * 4097), 131009),
        (text("😀" * 2049), 131009),
        (text(" \n"), 131008),
        ({**TO, "type": "poll", "poll": {}}, 131051),
        ({**text("أهلًا"), "buttons": []}, 100),
        ({**text("أهلًا"), "recipient_type": "business_scoped_user_id"}, 100),
        (interactive("button", buttons("1", "2", "3", "4")), 131009),
        (interactive("button", buttons("أ" * 21)), 131009),
        (interactive("button", buttons("نعم", "نعم")), 131009),
        (interactive("button", buttons("سطر\nوسطر")), 131009),
        (interactive("button", buttons("")), 131008),
        (interactive("button", buttons("نعم", token="t" * 256)), 131009),
        (interactive("button", buttons("نعم"), body="ا" * 1025), 131009),
        (interactive("list", listed(11)), 131009),
        (interactive("list", listed(title="ت" * 25)), 131009),
        (interactive("list", listed(description="و" * 73)), 131009),
        (interactive("list", listed(2, id="same")), 131009),
        (interactive("list", listed(id="r" * 201)), 131009),
        (interactive("list", {**listed(), "button": "ع" * 21}), 131009),
        (interactive("list", listed(), **IMAGE_HEADER), 131009),
        (
            interactive("cta_url", {"name": "cta_url", "parameters": {**URL, "display_text": "ا" * 21}}),
            131009,
        ),
        (interactive("cta_url", {"name": "cta_url", "parameters": {**URL, "url": "tg://resolve"}}), 131009),
        ({**TO, "type": "image", "image": {"source": "hotel/nile/1"}}, 100),
        ({**TO, "type": "image", "image": {"id": "1", "link": "https://img.example/1.jpg"}}, 100),
        ({**TO, "type": "image", "image": {"id": "1", "caption": "ا" * 1025}}, 131009),
        ({**TO, "type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009),
    ],
)
def test_beyond_the_limits_nothing_is(message: dict[str, Any], code: int) -> None:
    with pytest.raises(Refused) as caught:
        check_message(message)
    assert caught.value.code == code


async def test_a_scoped_id_in_to_is_taken_and_lost() -> None:
    async with GraphApi() as graph, aiohttp.ClientSession() as session:
        person = graph.user(user_id="EG.1349")
        person.last_wrote = graph.now()
        async with session.post(
            f"{graph.url}/{graph.phone_number_id}/messages",
            json={**text("أهلًا"), "to": "EG.1349"},
            headers={"Authorization": f"Bearer {graph.access_token}"},
        ) as response:
            assert response.status == 200
        assert len(graph.lost) == 1
        assert not graph.sent
