"""What days brought, counted from the log and the tables; and what is told about one person, to herself and the house."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bot.__main__ import main
from bot.domain.behavior import Action
from bot.operations import figures
from db import metrics
from db.metrics import Day
from db.pool import Role, as_role
from tests.db.referral_world import open_world
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell

DAY = dt.date(2026, 3, 5)
NOON = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@dataclass
class Days:
    """`conn` is the owner's between two calls."""

    conn: asyncpg.Connection

    async def person(self, *, since: dt.datetime = NOON - 24 * HOUR, demo: bool = False) -> UUID:
        made: UUID = await self.conn.fetchval(
            "INSERT INTO users (created_at, demo) VALUES ($1, $2) RETURNING id", since, demo
        )
        return made

    async def acts(self, person: UUID | None, *actions: Action, at: dt.datetime = NOON) -> None:
        await self.conn.executemany(
            'INSERT INTO user_behavior_log (user_id, action_type, "timestamp", hour_of_day, day_of_week) '
            "VALUES ($1, $2, $3, 1, 1)",
            [(person, action.value, at) for action in actions],
        )

    async def build(self, now: dt.datetime = NOON) -> int:
        await self.conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
        built = await metrics.build(self.conn, now=now)
        await self.conn.execute(f"SET LOCAL ROLE {Role.OWNER.value}")
        return built

    async def day(self, wanted: dt.date = DAY) -> Day:
        return next(day for day in await metrics.days(self.conn, most=40) if day.day == wanted)


@pytest.fixture
def days(conn: asyncpg.Connection) -> Days:
    return Days(conn)


async def test_people_and_what_they_did_are_counted(days: Days) -> None:
    old, new = await days.person(), await days.person(since=NOON)
    await days.person(since=NOON)  # came, and did nothing
    await days.acts(old, Action.SEARCH_STARTED, Action.SEARCH_STARTED, Action.BOOKING_COMPLETED)
    await days.acts(new, Action.SEARCH_STARTED, Action.BOOKING_CANCELLED, Action.PROOF_SHOWN)
    await days.acts(None, Action.PAGE_OPENED, Action.PAGE_OPENED, Action.PROOF_ASKED)
    await days.acts(new, Action.PAGE_OPENED)
    await days.build()
    found = await days.day()
    assert (found.daily_active_users, found.new_users, found.returning_users) == (2, 2, 1)
    assert (found.total_searches, found.total_bookings, found.total_cancellations) == (3, 1, 1)
    assert (found.page_views, found.social_proof_shown) == (3, 1)
    assert found.conversion_rate == Decimal("0.5")
    assert found.prediction_accuracy is found.social_proof_conversion_lift is None


async def test_a_day_is_utc_s_to_its_last_microsecond(days: Days) -> None:
    person = await days.person(since=NOON - 72 * HOUR)
    start = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    tick = dt.timedelta(microseconds=1)
    for moment in (start - tick, start, start + 24 * HOUR - tick, start + 24 * HOUR):
        await days.acts(person, Action.SEARCH_STARTED, at=moment)
    await days.build(NOON + 24 * HOUR)
    counted = [(await days.day(DAY + dt.timedelta(days=n))).total_searches for n in (-1, 0, 1)]
    assert counted == [1, 2, 1]


async def test_demo_travelers_are_left_out(days: Days) -> None:
    real, demo = await days.person(), await days.person(since=NOON, demo=True)
    everything = (Action.SEARCH_STARTED, Action.BOOKING_COMPLETED, Action.PROOF_SHOWN, Action.PAGE_OPENED)
    await days.acts(demo, *everything)
    await days.conn.execute(
        "INSERT INTO shared_content (user_id, content_type, content_id, content_data, share_platform, code, created_at) "
        "SELECT u, 'hotel', 'h', '{}', 'telegram', c, $3 FROM unnest($1::uuid[], $2::text[]) AS t(u, c)",
        [real, demo],
        ["A" * 14, "B" * 14],
        NOON,
    )
    await days.build()
    found = await days.day()
    assert found.total_shares == 1
    assert (found.daily_active_users, found.new_users, found.returning_users) == (0, 0, 0)
    assert (found.total_searches, found.total_bookings, found.social_proof_shown, found.page_views) == (
        0,
        0,
        0,
        0,
    )
    assert found.conversion_rate is found.viral_coefficient is None, "a rate of nothing is no rate"


async def test_the_lift_compares_people_with_proof_to_people_without(days: Days) -> None:
    people = [await days.person() for _ in range(40)]
    for number, person in enumerate(people):
        proof = number < 20
        booked = number % 4 == 0 if proof else number % 10 == 0  # 5 of 20 beside 2 of 20
        await days.acts(
            person,
            Action.RESULTS_SHOWN,
            *[Action.PROOF_SHOWN] * proof,
            *[Action.BOOKING_COMPLETED] * booked,
        )
    await days.build()
    assert (await days.day()).social_proof_conversion_lift == Decimal("1.5")
    await days.conn.execute("DELETE FROM user_behavior_log WHERE user_id = $1", people[-1])
    await days.build(NOON + HOUR)
    assert (await days.day()).social_proof_conversion_lift is None, "of 19 people nothing is said"


async def test_invitations_count_on_the_day_of_the_first_booking(conn: asyncpg.Connection) -> None:
    world = await open_world(conn)
    days = Days(conn)
    inviter = await world.person(new=False)
    guest = await world.brings(inviter, at=NOON)
    await world.books(guest, at=NOON)
    await conn.execute("UPDATE users SET created_at = '2026-03-01'")
    await days.acts(inviter, Action.REFERRAL)
    await days.acts(guest, Action.BOOKING_COMPLETED)
    await days.build()
    found = await days.day()
    assert (found.referral_conversions, found.viral_coefficient) == (1, Decimal("0.5"))


async def test_accuracy_is_the_mean_of_what_guests_answered_that_day(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    days = Days(conn)
    for said, first in ((9, 0), (5, 5)):
        person = await days.person()
        stay = await completed_stay(conn, person, hotel, first=first)
        await conn.execute(
            """
            INSERT INTO outcome_predictions (booking_id, user_id, predictions, factors_considered, predicted_rating,
                predicted_satisfaction, confidence_level, cancellation_risk, model, demo, created_at, actual_rating,
                actual_satisfaction, actual_at)
            VALUES ($1, $2, '{}', '{}', 8, 9, 0.5, 0.1, 'test', false, $3, 8, $4, $3)
            """,
            stay,
            person,
            NOON,
            said,
        )
    await days.build()
    assert (await days.day()).prediction_accuracy == Decimal("0.7778")  # of 1 and 5/9


async def test_today_is_counted_anew_and_settled_days_are_left_alone(days: Days) -> None:
    person = await days.person(since=NOON - 72 * HOUR)
    assert await days.build() == 4, "since the first person came"
    await days.acts(person, Action.SEARCH_STARTED)
    assert await days.build(NOON + HOUR) == 1
    assert (await days.day()).total_searches == 1
    await days.acts(person, Action.SEARCH_STARTED, at=NOON + 11 * HOUR)
    assert await days.build(NOON + 13 * HOUR) == 2, "yesterday was not yet over when it was counted"
    assert (await days.day()).total_searches == 2
    assert await days.build(NOON + 15 * HOUR) == 2, "and late events have two hours"
    assert await days.build(NOON + 16 * HOUR) == 1
    await days.acts(person, Action.SEARCH_STARTED)
    assert await days.build(NOON + 200 * HOUR) == 8, "a worker that was away catches up"
    assert (await days.day()).total_searches == 2


async def test_an_older_count_does_not_replace_a_newer_one(days: Days) -> None:
    person = await days.person()
    await days.acts(person, Action.SEARCH_STARTED)
    await days.build(NOON + HOUR)
    await days.acts(person, Action.SEARCH_STARTED)
    await days.build(NOON)
    assert (await days.day()).total_searches == 1


async def test_two_workers_count_at_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        days = Days(conn)
        await days.acts(await days.person(), Action.SEARCH_STARTED)

    async def build() -> int:
        async with pool.acquire() as conn, as_role(conn, Role.WORKER):
            return await metrics.build(conn, now=NOON)

    assert await asyncio.wait_for(asyncio.gather(*(build() for _ in range(4))), 20)
    async with pool.acquire() as conn, as_role(conn, Role.ANALYTICS):
        assert [day.total_searches for day in await metrics.days(conn, most=5)] == [1, 0]


@pytest.mark.parametrize(
    "change",
    ["conversion_rate = 1.01", "conversion_rate = 'NaN'", "viral_coefficient = 'NaN'", "viral_coefficient = -0.1",
     "social_proof_conversion_lift = -1.1", "social_proof_conversion_lift = 'Infinity'", "total_searches = -1",
     "returning_users = 100", "prediction_accuracy = 'NaN'"],
)  # fmt: skip
async def test_what_no_day_can_have_is_refused(days: Days, change: str) -> None:
    await days.acts(await days.person(), Action.SEARCH_STARTED)
    await days.build()
    with pytest.raises(asyncpg.CheckViolationError):
        await days.conn.execute(f"UPDATE daily_metrics SET {change}")


# ------------------------------------------------------------------------------------------------ one person


async def a_guest(conn: asyncpg.Connection) -> UUID:
    """Two stays, one trip ahead, one cancelled; an invitation that was taken; some actions."""
    world = await open_world(conn)
    sara = await world.person(new=False)
    for first in (0, 5):
        stay = await completed_stay(conn, sara, world.hotel, first=first, nights=3, paid=True)
        await tell(conn, stay, 9)
    await world.brings(sara)
    await world.books(sara)
    await world.cancels(sara, await world.books(sara))
    now = dt.datetime.now(dt.UTC)
    await Days(conn).acts(
        sara, Action.SEARCH_STARTED, Action.SEARCH_STARTED, Action.HOTEL_VIEWED, at=now - HOUR
    )
    await Days(conn).acts(sara, Action.SEARCH_STARTED, at=now - 31 * 24 * HOUR)
    return sara


async def test_a_person_s_summary(conn: asyncpg.Connection) -> None:
    sara = await a_guest(conn)
    found = await metrics.user_analytics(conn, user_id=sara)
    assert found is not None
    assert found["bookings"] == {"total": 4, "ahead": 1, "stayed": 2, "cancelled": 1, "nights_stayed": 6}
    assert found["spend"] == [{"currency": "EGP", "stayed_minor": 400_000, "ahead_minor": 200_000}]
    persona = await conn.fetchrow("SELECT * FROM traveler_personas WHERE user_id = $1", sara)
    assert found["persona"]["name"] == persona["persona"] is not None
    assert (found["persona"]["because"], found["persona"]["stays"]) == ("stays", 2)
    assert [(place["city"], place["trips"], place["nights"]) for place in found["favourite_places"]] == [
        (small_hotel.CAIRO, 3, 8)
    ]
    assert found["referrals"] == {"joined": 1, "booked": 0, "rewards": []}
    assert found["last_30_days"] == {"بدء_بحث": 2, "عرض_فندق": 1}


async def test_somebody_who_did_nothing_has_an_empty_summary(conn: asyncpg.Connection) -> None:
    person = await Days(conn).person()
    found = await metrics.user_analytics(conn, user_id=person)
    assert found is not None
    assert (found["bookings"]["total"], found["bookings"]["nights_stayed"]) == (0, 0)
    assert (found["persona"], found["spend"], found["favourite_places"], found["last_30_days"]) == (
        None,
        [],
        [],
        {},
    )


async def test_a_turn_reads_its_own_person_s_and_nobody_else_s(conn: asyncpg.Connection) -> None:
    sara, omar = await a_guest(conn), await Days(conn).person()
    whole = await metrics.user_analytics(conn, user_id=sara)
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    for claim, asked, expected in ((sara, sara, whole), (omar, sara, None), (uuid4(), sara, None)):
        await small_hotel.claim(conn, claim)
        assert await metrics.user_analytics(conn, user_id=asked) == expected
    await conn.execute("SELECT set_config('app.user_id', '', true)")
    assert await metrics.user_analytics(conn, user_id=sara) is None
    for role in (Role.WORKER, Role.ANALYTICS):
        await conn.execute(f"SET LOCAL ROLE {role.value}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await metrics.user_analytics(conn, user_id=sara)


# ------------------------------------------------------------------------------------------------ the commands


async def test_the_commands(
    pool: asyncpg.Pool, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        days = Days(conn)
        person = await days.person()
        await days.acts(person, Action.SEARCH_STARTED, Action.BOOKING_COMPLETED)
        await days.acts(person, Action.SEARCH_STARTED, at=dt.datetime.now(dt.UTC) - HOUR)
    async with pool.acquire() as conn, as_role(conn, Role.WORKER):
        await metrics.build(conn, now=NOON)
    monkeypatch.setenv("DATABASE_URL", database)

    async def rahhal(*words: str) -> tuple[int, Any]:
        code = await asyncio.to_thread(main, ["db", *words])
        return code, capsys.readouterr()

    code, said = await rahhal("metrics", "--days", "2")
    assert code == 0
    lines = {line.split()[0]: line.split()[1:] for line in said.out.splitlines()}
    assert (lines["day"], lines["total_searches"]) == (["2026-03-05", "2026-03-04"], ["1", "0"])
    assert lines["conversion_rate"] == ["100.0%", "-"]
    code, said = await rahhal("metrics", "--days", "1", "--json")
    assert [(day["day"], day["conversion_rate"]) for day in json.loads(said.out)] == [("2026-03-05", 1.0)]
    code, said = await rahhal("analytics", str(person), "--json")
    told = json.loads(said.out)
    assert (told["summary"]["user_id"], told["recent"][0]["action"]) == (str(person), "بدء_بحث")
    code, said = await rahhal("analytics", str(person))
    assert "بدء_بحث" in said.out
    nobody = uuid4()
    assert (await rahhal("analytics", str(nobody)))[1].err == f"rahhal: nobody has the id {nobody}\n"


def test_no_day_yet_is_said() -> None:
    assert list(figures.day_lines([])) == ["no day was counted yet"]
