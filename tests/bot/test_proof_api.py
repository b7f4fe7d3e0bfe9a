"""GET /api/social-proof: the shape of the design, bounded inputs, and answers that caches and pages of others may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot import proof_api
from bot.domain.proof import Persona
from db.pool import Role, as_role
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell
from tests.fakes.small_hotel import SmallHotel

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(pool: asyncpg.Pool) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(proof_api.routes(pool))
    async with TestClient(TestServer(app)) as opened:
        yield opened


@pytest.fixture
async def hotel(pool: asyncpg.Pool) -> SmallHotel:
    """Six guests of the middle kind, the last of whom would not come back."""
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        made = await small_hotel.open_hotel(conn, currency="USD")
        for number in range(6):
            person = await small_hotel.newcomer(conn)
            await conn.execute(
                "UPDATE users SET consented = true, consented_at = now() WHERE id = $1", person
            )
            booking = await completed_stay(conn, person, made, nights=1, price_minor=10_000)
            await tell(conn, booking, 9, would_rebook=number < 5, highlights=["quiet"], pain_points=["noise"])
    return made


async def ask(client: Client, path: str, **more: Any) -> tuple[int, Any]:
    answer = await client.get(f"/api/social-proof/{path}", **more)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.content_type == "application/json"
    return answer.status, await answer.json()


@pytest.mark.parametrize("persona", ["", "all", Persona.MIDDLE.value])
async def test_what_five_or_more_told(client: Client, hotel: SmallHotel, persona: str) -> None:
    status, body = await ask(client, hotel.identifier, params={"persona": persona} if persona else {})
    assert status == 200
    trust = body["socialProof"].pop("trust_score")
    assert 0 < trust < 0.84, "less than the share: six voices are few"
    assert body == {
        "success": True,
        "hotel_id": hotel.identifier,
        "persona": persona or "all",
        "demo": False,
        "enough": True,
        "least": 5,
        "socialProof": {
            "avg_rating": 9.0,
            "total_bookings": 6,
            "rebook_rate": 0.8333,
            "rebook": {"yes": 5, "of": 6},
            "exceeded_rate": None,
            "exceeded": None,
            "value_score": 9.0,
            "highlights": ["quiet"],
            "pain_points": ["noise"],
        },
    }


async def test_a_hotel_is_found_by_its_key_too(client: Client, hotel: SmallHotel) -> None:
    assert (await ask(client, str(hotel.id)))[1]["enough"]


async def test_too_few_are_no_error_and_no_number(client: Client, hotel: SmallHotel) -> None:
    status, body = await ask(client, hotel.identifier, params={"persona": Persona.LUXURY.value})
    assert (status, body["enough"], body["socialProof"]) == (200, False, None)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("no-such-hotel", 404, "unknown_hotel"),
        ("01890000-0000-7000-8000-000000000000", 404, "unknown_hotel"),
        ("UPPER", 400, "bad_hotel_id"),
        ("x", 400, "bad_hotel_id"),
        ("a" * 65, 400, "bad_hotel_id"),
        ("a'%20OR%20true--", 400, "bad_hotel_id"),
        ("%D9%81%D9%86%D8%AF%D9%82", 400, "bad_hotel_id"),
        ("hotel?persona=king", 400, "bad_persona"),
        ("hotel?persona=all&persona=all", 400, "bad_persona"),
        ("hotel?persona=" + "x" * 3000, 400, "bad_persona"),
    ],
)
async def test_what_cannot_be_asked(client: Client, path: str, status: int, code: str) -> None:
    answered, body = await ask(client, path)
    assert (answered, body["success"], body["error"]["code"]) == (status, False, code)


async def test_a_cache_asks_again_without_getting_it_again(client: Client, hotel: SmallHotel) -> None:
    first = await client.get(f"/api/social-proof/{hotel.identifier}")
    assert first.headers["Cache-Control"] == proof_api.KEPT
    again = await client.get(
        f"/api/social-proof/{hotel.identifier}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status, await again.read()) == (304, b"")
    other = await client.get(f"/api/social-proof/{hotel.identifier}", headers={"If-None-Match": '"other"'})
    assert other.status == 200


async def test_an_absent_database_is_said_and_kept_by_nobody(pool: asyncpg.Pool, client: Client) -> None:
    await pool.close()
    answer = await client.get("/api/social-proof/hotel")
    assert (answer.status, answer.headers["Cache-Control"]) == (503, "no-store")
