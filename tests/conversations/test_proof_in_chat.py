"""What guests told is on the cards of who searches: of those like her, with the drawback beside the praise."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import pool, proof
from db.hotels import Rate
from db.pool import Role, as_role
from tests.conversations.chat import Chat
from tests.conversations.script import Step
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell

ASYUT = 359783
"""A city of its own: the demo catalogue has no hotel there."""


@pytest.fixture
async def told(demo_database: str) -> UUID:
    """Two hotels in Asyut: the dearer one told of by six guests of the middle kind and five of another."""
    conn = await asyncpg.connect(demo_database)
    await pool.prepare(conn)
    async with as_role(conn, Role.OWNER):
        city: dict[str, Any] = {"city": ASYUT, "city_ar": "أسيوط", "city_en": "Asyut", "currency": "USD"}
        cheap, dear = [Rate(small_hotel.OPENING, small_hotel.night(360), price) for price in (5_000, 9_000)]
        await small_hotel.open_hotel(conn, name_ar="فندق الجسر", rates=[cheap], **city)
        hotel = await small_hotel.open_hotel(conn, name_ar="فندق الضفة", rates=[dear], **city)
        for number, usd in enumerate([100] * 6 + [40] * 5):
            person = await small_hotel.newcomer(conn)
            await conn.execute(
                "UPDATE users SET consented = true, consented_at = now() WHERE id = $1", person
            )
            booking = await completed_stay(conn, person, hotel, nights=1, price_minor=usd * 100)
            await tell(
                conn,
                booking,
                9 if usd == 100 else 4,
                would_rebook=number < 5,
                highlights=["breakfast", "location"],
                pain_points=["slow_lift"],
            )
        await proof.refresh_ratings(conn)
    await conn.close()
    return hotel.id


async def say(chat: Chat, *texts: str) -> str:
    """What the last of these is answered with."""
    answers = None
    for text in texts:
        answers = await chat.take(Step(1, ">", text, []))
    assert answers is not None
    return "\n".join(line for answer in answers for line in answer.lines)


async def test_the_proof_is_on_the_card_the_results_and_the_reviews(
    chat: Chat, told: UUID, demo_database: str
) -> None:
    page = await say(chat, "فندق في أسيوط من 10 إلى 12 يناير لشخصين", "نعم", "رتب حسب الأعلى تقييما")
    assert "رتّبتُ النتائج من الأعلى تقييمًا" in page
    first, second = page.split("الخيار 2:")
    assert "فندق الضفة" in first, "the best rated comes first, although it is dearer"
    assert "التقييم:" not in second, "nobody told of the other"
    assert "التقييم: 6.7 من 10، من 11 إقامة مؤكدة (عيّنة صغيرة)" in first
    assert "أعجبهم: الإفطار. لم يعجبهم: بطء المصعد." in first

    card = await say(chat, "الأول")
    assert "تقييم النزلاء: 6.7 من 10، استنادًا إلى 11 إقامة مؤكدة (عيّنة صغيرة)." in card
    assert "سيحجزونه مجددًا: 5 من أصل 11." in card
    assert "أعجبهم: الإفطار والموقع.\nلم يعجبهم: بطء المصعد." in card

    conn = await asyncpg.connect(demo_database)
    await pool.prepare(conn)
    async with as_role(conn, Role.OWNER):
        sara = await conn.fetchval("SELECT user_id FROM user_identities WHERE external_id = $1", chat.user)
        await conn.execute("UPDATE users SET consented = true, consented_at = now() WHERE id = $1", sara)
        hotel = await small_hotel.open_hotel(conn, demo=True, currency="USD", city=1)
        await completed_stay(conn, sara, hotel, nights=1, price_minor=10_000, paid=True)
    like_her = "مسافرون بميزانية متوسطة مثلك منحوه 9 من 10، استنادًا إلى 6 إقامات مؤكدة (عيّنة صغيرة)."
    assert like_her in await say(chat, "الأول")
    reviews = await say(chat, "التقييمات")
    assert like_her in reviews
    assert "تقييم النزلاء: 6.7 من 10، استنادًا إلى 11 إقامة مؤكدة" in reviews, "and beside them everybody"

    async with as_role(conn, Role.OWNER):
        rows = await conn.fetch(
            "SELECT action_data FROM user_behavior_log WHERE user_id = $1 AND action_type = 'عرض_دليل_اجتماعي'",
            sara,
        )
    await conn.close()
    assert len(rows) >= 4, "every time it was shown"
    assert {row["action_data"].get("persona") for row in rows} == {None, "مسافر_متوسط"}
