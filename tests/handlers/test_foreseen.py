"""What was foreseen, as a traveler reads of it through the real turn: a next trip with its reasons, a stay beside her mark."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from db import predictions
from db.pool import Role, as_role
from tests.conversations.chat import BEGINNING, Chat
from tests.conversations.script import Step
from tests.db.test_predictions import foreseen, judged, next_trip, trips_judged
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay
from tests.fakes.small_hotel import CAIRO

DATES = {
    "earliest": "2027-03-01",
    "check_in": "2027-03-05",
    "latest": "2027-03-28",
    "check_out": "2027-03-08",
}


async def lines(chat: Chat, words: str, kind: str = ">") -> str:
    answers = await chat.take(Step(1, kind, words))
    assert answers is not None
    return "\n".join(line for answer in answers for line in answer.lines)


async def foresee(pool: asyncpg.Pool, reasons: list[dict[str, Any]], *, consented: bool = True) -> None:
    """The only traveler's next trip, when such predictions have proven right. As everybody it takes."""
    async with pool.acquire() as conn:
        async with as_role(conn, Role.OWNER):
            await small_hotel.open_hotel(conn)
            person = await conn.fetchval("SELECT user_id FROM conversations")
            await conn.execute(
                "UPDATE users SET consented = $2, consented_at = now() WHERE id = $1", person, consented
            )
            await trips_judged(conn, 200, right=True, guess_right=False)
        async with as_role(conn, Role.WORKER):
            made = next_trip(person, dates=DATES, reasons=reasons, expires_at=BEGINNING.replace(year=2027))
            assert await predictions.keep_trip_prediction(conn, made=made, now=BEGINNING)


@pytest.mark.parametrize(
    ("locale", "reasons", "expected"),
    [
        (
            "ar-EG",
            [
                {"reason": "city_month", "times": 2, "city": CAIRO, "month": 3},
                {"reason": "nights", "nights": 3},
            ],
            "سبب الاقتراح: لديك إقامتان في القاهرة في شهر مارس، مدة إقامتك المعتادة 3 ليالٍ.",
        ),
        (
            "ar-SA",
            [{"reason": "city_season", "times": 3, "city": CAIRO, "season": "eid_fitr"}, {"reason": "spend"}],
            "سبب الاقتراح: لديك 3 إقامات في القاهرة في عيد الفطر، السعر قريب من أسعار إقاماتك السابقة.",
        ),
        (
            "en-GB",
            [{"reason": "popular", "city": CAIRO}, {"reason": "season", "times": 1, "season": "ramadan"}],
            "Why: it is among the places our travelers ask for most, 1 stay of yours in Ramadan.",
        ),
    ],
)
async def test_a_suggestion_comes_with_its_reasons_once(
    pool: asyncpg.Pool, locale: str, reasons: list[dict[str, Any]], expected: str
) -> None:
    chat = Chat(pool)
    chat.locale = locale
    first = await lines(chat, "رحلاتي" if locale.startswith("ar") else "my trips")
    assert expected not in first
    await foresee(pool, reasons)
    said = await lines(chat, "رحلاتي" if locale.startswith("ar") else "my trips")
    plain = said.replace("\u2068", "").replace("\u2069", "").replace("\u00a0", " ")
    assert expected in plain
    assert expected not in await lines(chat, "رحلاتي" if locale.startswith("ar") else "my trips"), "once"
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        logged = await conn.fetch("SELECT action_data FROM user_behavior_log WHERE action_type = 'عرض_توقع'")
        assert [row["action_data"]["city"] for row in logged] == [CAIRO]
        assert (
            await conn.fetchval("SELECT shown_at FROM trip_predictions WHERE closed_at IS NULL") == BEGINNING
        )


async def test_the_button_begins_the_search(pool: asyncpg.Pool) -> None:
    chat = Chat(pool)
    await lines(chat, "رحلاتي")
    await foresee(pool, [{"reason": "popular", "city": CAIRO}])
    await lines(chat, "رحلاتي")
    said = await lines(chat, "فنادق هذه الرحلة", kind="#")
    assert "القاهرة" in said or "كم" in said
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        dialogue = await conn.fetchval("SELECT dialogue FROM conversations")
    [frame] = [frame for frame in dialogue["frames"] if frame["flow"] == "search"]
    assert frame["slots"]["destination"]["geonameid"] == CAIRO
    assert (frame["slots"]["check_in"], frame["slots"]["check_out"]) == ("2027-03-05", "2027-03-08")


async def test_who_did_not_consent_reads_nothing(pool: asyncpg.Pool) -> None:
    chat = Chat(pool)
    await lines(chat, "رحلاتي")
    await foresee(pool, [{"reason": "popular", "city": CAIRO}], consented=False)
    assert "سبب الاقتراح" not in await lines(chat, "رحلاتي")


@pytest.mark.parametrize("proven", [True, False])
async def test_her_mark_is_told_beside_what_was_expected(pool: asyncpg.Pool, proven: bool) -> None:
    chat = Chat(pool)
    await lines(chat, "رحلاتي")
    async with pool.acquire() as conn:
        async with as_role(conn, Role.OWNER):
            hotel = await small_hotel.open_hotel(conn)
            booking = await completed_stay(
                conn, await conn.fetchval("SELECT user_id FROM conversations"), hotel
            )
            await judged(conn, hotel.id, 200 if proven else 100, ours=8.5, guess=6, actual=9)
        async with as_role(conn, Role.WORKER):
            await predictions.keep_outcome_predictions(conn, made=[foreseen(booking)], now=BEGINNING)
    await lines(chat, "رحلاتي")
    await lines(chat, "1")
    await lines(chat, "أقيّم إقامتي", kind="#")
    await lines(chat, "9")
    for answer in ("أتخطّى السؤال", "كما توقعت", "هذا كل شيء", "هذا كل شيء"):
        await lines(chat, answer, kind="#")
    said = await lines(chat, "لا، شكرًا", kind="#")
    assert "شكرًا لك" in said
    assert ("توقّعنا 8.5 من 10، وكان تقييمك 9." in said) is proven
