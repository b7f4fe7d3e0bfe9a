"""What is read of outcomes: nothing below five, exact counts above, and the names the seeds gave."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from bot.domain import outcomes as words
from bot.domain.proof import Persona, for_traveler
from db import proof
from db.hotels import HotelId
from db.pool import Role, as_role
from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell
from tests.fakes.small_hotel import SmallHotel

MIDDLE_NIGHT = 472_000
"""100 US dollars in Egyptian piasters, by the shipped table."""


async def guests(
    conn: asyncpg.Connection,
    hotel: SmallHotel,
    scores: list[int],
    *,
    rebook: int = 0,
    consented: bool = True,
    highlights: tuple[str, ...] = (),
    pain_points: tuple[str, ...] = (),
    price_minor: int = MIDDLE_NIGHT,
) -> None:
    """So many guests of one night, the first `rebook` of whom would come back."""
    for number, score in enumerate(scores):
        person = await small_hotel.newcomer(conn)
        if consented:
            await conn.execute(
                "UPDATE users SET consented = true, consented_at = now() WHERE id = $1", person
            )
        booking = await completed_stay(conn, person, hotel, nights=1, price_minor=price_minor)
        await tell(
            conn,
            booking,
            score,
            would_rebook=number < rebook,
            exceeded=number < 1,
            highlights=highlights,
            pain_points=pain_points,
        )


def test_no_word_is_both_praise_and_blame() -> None:
    assert not {*words.Highlight} & {*words.PainPoint}


async def test_every_vocabulary_is_the_same_in_both_places(conn: asyncpg.Connection) -> None:
    assert await conn.fetchval("SELECT app.highlight_codes()") == list(words.Highlight)
    assert await conn.fetchval("SELECT app.pain_point_codes()") == list(words.PainPoint)
    assert await conn.fetchval("SELECT app.personas()") == list(Persona)
    marks = {aspect.value: 5 for aspect in words.Aspect}
    assert await conn.fetchval("SELECT app.are_ratings($1)", marks)


async def test_four_guests_say_nothing_and_five_say_exactly_what_they_said(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    await guests(conn, hotel, [9, 8, 10, 7], rebook=4)
    asked = await proof.of_identifier(conn, identifier=hotel.identifier)
    assert asked is not None
    assert asked.proof is None
    row = await conn.fetchrow("SELECT * FROM get_hotel_social_proof($1)", hotel.identifier)
    assert row["enough"] is False
    told = {"hotel_id", "persona_type", "enough", "highlights", "pain_points", "demo"}
    assert all(value is None for name, value in row.items() if name not in told), "not even how many they are"

    await guests(conn, hotel, [6])
    asked = await proof.of_identifier(conn, identifier=hotel.identifier)
    assert asked is not None
    assert asked.proof is not None
    assert (asked.proof.total_bookings, asked.proof.avg_rating) == (5, Decimal("8.00"))
    assert (asked.proof.rebook_yes, asked.proof.rebook_answers, asked.proof.rebook_rate) == (
        4,
        5,
        Decimal("0.8"),
    )
    assert (asked.proof.exceeded_yes, asked.proof.exceeded_answers) == (2, 5)
    assert await proof.of_identifier(conn, identifier="no-such-hotel") is None


async def test_a_question_few_answered_has_no_rate(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    for number in range(6):
        person = await small_hotel.newcomer(conn)
        await tell(
            conn, await completed_stay(conn, person, hotel), 8, would_rebook=True if number < 4 else None
        )
    asked = await proof.of_identifier(conn, identifier=hotel.identifier)
    assert asked is not None
    assert asked.proof is not None
    assert asked.proof.total_bookings == 6
    rebook = (asked.proof.rebook_answers, asked.proof.rebook_rate, asked.proof.trust_score)
    assert rebook == (None, None, None)


async def test_praise_and_drawbacks_come_by_how_often_they_were_said(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    await guests(conn, hotel, [9, 9, 9], highlights=("location",), pain_points=("slow_lift",))
    await guests(conn, hotel, [9, 9], highlights=("location", "breakfast"))
    await guests(conn, hotel, [9], highlights=("pool",), pain_points=("noise",))
    asked = await proof.of_identifier(conn, identifier=hotel.identifier)
    assert asked is not None
    assert asked.proof is not None
    assert asked.proof.highlights == ("location", "breakfast"), "one voice alone is not repeated"
    assert asked.proof.pain_points == ("slow_lift",)


async def test_those_like_her_speak_first_where_five_of_them_do(conn: asyncpg.Connection) -> None:
    many, few, none = [await small_hotel.open_hotel(conn) for _ in range(3)]
    await guests(conn, many, [9] * 5)
    await guests(conn, many, [5] * 5, price_minor=100_000)
    await guests(conn, few, [9] * 4)
    await guests(conn, few, [6] * 6, price_minor=100_000)
    await guests(conn, none, [9] * 4)
    sara = await small_hotel.newcomer(conn)
    await completed_stay(conn, sara, none, nights=1, price_minor=MIDDLE_NIGHT, paid=True)
    ids = [HotelId(hotel.id) for hotel in (many, few, none)]

    shown = await for_traveler(conn, hotels=ids, user_id=sara, consented=True)
    assert set(shown) == {many.id, few.id}
    assert shown[ids[0]].like_her
    assert shown[ids[0]].persona is Persona.MIDDLE
    assert shown[ids[0]].proof.avg_rating == 9
    assert not shown[ids[1]].like_her
    assert (shown[ids[1]].proof.total_bookings, shown[ids[1]].small) == (10, True)

    without = await for_traveler(conn, hotels=ids, user_id=sara, consented=False)
    assert not any(one.like_her or one.persona for one in without.values()), (
        "nothing is learned without consent"
    )


@pytest.mark.parametrize(
    ("economy", "middle", "shown"), [(1, 5, False), (4, 6, False), (5, 6, True), (0, 5, True)]
)
async def test_no_single_guest_can_be_told_by_subtraction(
    conn: asyncpg.Connection, economy: int, middle: int, shown: bool
) -> None:
    """All of them less those of one kind must leave nobody or at least five."""
    hotel = await small_hotel.open_hotel(conn)
    await guests(conn, hotel, [3] * economy, price_minor=100_000)
    await guests(conn, hotel, [9] * middle)
    for function in ("app.social_proof", "app.weighed_proof"):
        kinds = await conn.fetch(
            f"SELECT persona FROM {function}(ARRAY[$1::uuid], $2)", hotel.id, Persona.MIDDLE
        )
        assert ({row["persona"] for row in kinds} == {"all", Persona.MIDDLE.value}) is shown


async def test_of_two_kinds_the_smaller_hides_who_is_left(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    for price, count in ((100_000, 6), (MIDDLE_NIGHT, 9), (4_000_000, 2)):
        await guests(conn, hotel, [8] * count, price_minor=price)
    kinds = {
        kind: await conn.fetchval("SELECT app.stands_alone($1, $2)", hotel.id, kind)
        for kind in (Persona.ECONOMY, Persona.MIDDLE)
    }
    assert kinds == {Persona.ECONOMY: False, Persona.MIDDLE: True}


async def test_few_stays_are_drawn_to_what_is_to_be_expected(conn: asyncpg.Connection) -> None:
    good, known = await small_hotel.open_hotel(conn), await small_hotel.open_hotel(conn)
    await guests(conn, good, [10] * 5, rebook=5)
    await guests(conn, known, [9] * 40, rebook=40)
    await proof.refresh_ratings(conn)
    asked = [await proof.of_identifier(conn, identifier=hotel.identifier) for hotel in (good, known)]
    one, other = [answer.proof for answer in asked if answer is not None and answer.proof is not None]
    assert one.avg_rating > other.avg_rating
    city = (50 + 360) / 45
    assert float(one.smoothed_rating) == pytest.approx((50 + 10 * city) / 15, abs=0.01)
    assert one.trust_score is not None
    assert other.trust_score is not None
    assert one.trust_score < other.trust_score, "five voices are not forty"
    places = await conn.fetch("SELECT hotel_id, place_in_city FROM hotel_social_proof ORDER BY place_in_city")
    assert [tuple(row) for row in places] == [(known.id, 1), (good.id, 2)]


async def test_wilson_s_bound_is_the_textbook_s(conn: asyncpg.Connection) -> None:
    for yes, n in ((0, 1), (1, 1), (2, 2), (20, 23), (5, 5), (0, 50), (499, 1000), (10**6, 10**6)):
        p, z = yes / n, 1.96
        bound = (p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
        assert await conn.fetchval("SELECT app.wilson_lower($1, $2)", yes, n) == pytest.approx(
            bound, abs=1e-5
        )
    assert await conn.fetchval("SELECT app.wilson_lower(0, 0)") is None


# ------------------------------------------------------------------------------------------------ names of the seeds


async def test_a_persona_has_its_reason_and_no_stays_make_none(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara, omar = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    await completed_stay(conn, sara, hotel, nights=1, price_minor=MIDDLE_NIGHT, paid=True)
    await completed_stay(conn, omar, hotel, nights=1, price_minor=MIDDLE_NIGHT)
    assert await conn.fetchval("SELECT calculate_traveler_persona($1)", sara) == "مسافر_متوسط"
    assert await conn.fetchval("SELECT calculate_traveler_persona($1)", omar) is None, (
        "nobody confirmed that stay"
    )
    row = await conn.fetchrow("SELECT * FROM user_booking_stats WHERE user_id = $1", sara)
    assert dict(row) == {
        "user_id": sara,
        "total_bookings": 1,
        "avg_budget": Decimal("100.00"),
        "avg_nights": Decimal("1.0"),
        "destinations": ["القاهرة"],
        "last_booking_date": small_hotel.OPENING,
        "persona": "مسافر_متوسط",
        "reason": "one_stay",
    }


async def test_a_turn_reads_its_own_persona_and_no_other(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara, omar = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    for person in (sara, omar):
        await completed_stay(conn, person, hotel, paid=True)
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    await small_hotel.claim(conn, sara)
    assert await conn.fetchval("SELECT calculate_traveler_persona($1)", sara) is not None
    assert await conn.fetchval("SELECT calculate_traveler_persona($1)", omar) is None
    assert [row["user_id"] for row in await conn.fetch("SELECT user_id FROM user_booking_stats")] == [sara]


@pytest.mark.parametrize(
    "relation", ["social_proof_cache", "hotel_performance_by_persona", "hotel_social_proof"]
)
async def test_what_could_tell_of_four_guests_is_read_through_functions_only(
    conn: asyncpg.Connection, relation: str
) -> None:
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.fetch(f"SELECT * FROM {relation}")


async def test_a_view_is_refreshed_while_it_is_read_and_stays_when_that_fails(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        hotel = await small_hotel.open_hotel(conn)
        await guests(conn, hotel, [9] * 5)
        await proof.refresh_performance(conn)
    rows = "SELECT user_persona, total_bookings FROM hotel_performance_by_persona ORDER BY 1"
    async with pool.acquire() as reader, as_role(reader, Role.OWNER):
        before = await reader.fetch(rows)
        assert [tuple(row) for row in before] == [("all", 5), ("مسافر_متوسط", 5)]
        async with pool.acquire() as conn, as_role(conn, Role.OWNER):
            await guests(conn, hotel, [9] * 2)
            await proof.refresh_performance(conn)
        assert [row["total_bookings"] for row in await reader.fetch(rows)] == [7, 7]
    with pytest.raises(asyncpg.PostgresError):
        async with pool.acquire() as conn, as_role(conn, Role.OWNER):
            await conn.execute("UPDATE hotels SET identifier = identifier")
            await conn.execute("ALTER TABLE booking_outcomes DROP CONSTRAINT booking_outcomes_ratings_check")
            await conn.execute('UPDATE booking_outcomes SET ratings = \'{"staff": "nine"}\'')
            await proof.refresh_performance(conn)
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert [row["total_bookings"] for row in await conn.fetch(rows)] == [7, 7]


async def test_marks_of_aspects_where_five_gave_them(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    await guests(conn, hotel, [9] * 5)
    await conn.execute("UPDATE booking_outcomes SET ratings = '{\"staff\": 8}'")
    await conn.execute(
        "UPDATE booking_outcomes SET ratings = ratings || '{\"food\": 4}' "
        "WHERE id = (SELECT id FROM booking_outcomes LIMIT 1)"
    )
    await proof.refresh_performance(conn)
    await conn.execute(f"SET LOCAL ROLE {Role.APP.value}")
    assert await proof.aspect_marks(conn, hotel=HotelId(hotel.id)) == {"staff": 8.0}


# ------------------------------------------------------------------------------------------------ plans


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT persona FROM user_booking_stats WHERE user_id = '{user}'", "traveler_personas_pkey"),
        (
            "SELECT * FROM social_proof_cache WHERE hotel_id = ANY ('{{{hotel}}}') AND n >= 5",
            "social_proof_cache_pkey",
        ),
        (
            "SELECT id FROM bookings WHERE status = 'confirmed' AND check_out <= DATE '2026-03-05'",
            "bookings_over",
        ),
        (
            "SELECT id FROM bookings WHERE status = 'completed' AND check_out >= DATE '2026-03-05'",
            "bookings_completed",
        ),
        (
            "SELECT note FROM booking_outcomes WHERE hotel_id = '{hotel}' ORDER BY created_at",
            "booking_outcomes_hotel",
        ),
    ],
)
async def test_what_is_asked_per_message_is_a_key_lookup(
    conn: asyncpg.Connection, query: str, index: str
) -> None:
    hotel, sara = await small_hotel.open_hotel(conn), await small_hotel.newcomer(conn)
    await conn.execute("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row[0] for row in await conn.fetch("EXPLAIN " + query.format(user=sara, hotel=hotel.id)))
    assert index in plan, plan
    assert "Aggregate" not in plan, "nothing is added up while somebody waits"


# ------------------------------------------------------------------------------------------------ stays


async def booking_status(conn: asyncpg.Connection, booking: UUID) -> tuple[str, str]:
    return tuple(
        await conn.fetchrow(
            "SELECT b.status, t.booking_status FROM bookings b JOIN trips t ON t.id = b.trip_id WHERE b.id = $1",
            booking,
        )
    )


async def complete(conn: asyncpg.Connection, now: object) -> int:
    return int(await conn.fetchval("SELECT app.complete_stays($1)", now))


async def test_a_stay_ends_by_the_hotel_s_own_clock_and_once(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(
        conn, await small_hotel.newcomer(conn), hotel, nights=2, status="confirmed"
    )
    noon = small_hotel.clock(small_hotel.night(2), 12)
    await conn.execute(f"SET LOCAL ROLE {Role.WORKER.value}")
    assert await complete(conn, noon - timedelta(minutes=1)) == 0
    assert await complete(conn, noon) == 1
    assert await complete(conn, noon) == 0
    await conn.execute(f"SET LOCAL ROLE {Role.OWNER.value}")
    assert await booking_status(conn, booking) == ("completed", "completed")


@pytest.mark.parametrize(
    ("report", "status", "answer", "left"),
    [
        ("no_show", "confirmed", "done", ("no_show", "completed")),
        ("no_show", "completed", "done", ("no_show", "completed")),
        ("no_show", "no_show", "already", ("no_show", "completed")),
        ("came", "no_show", "done", ("completed", "completed")),
        ("came", "completed", "already", ("completed", "completed")),
        ("came", "confirmed", "not_yet", ("confirmed", "confirmed")),
        ("paid", "completed", "done", ("completed", "completed")),
        ("paid", "no_show", "not_yet", ("no_show", "completed")),
    ],
)
async def test_what_a_hotel_reports(
    conn: asyncpg.Connection, report: str, status: str, answer: str, left: tuple[str, str]
) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel, status=status)
    code = await conn.fetchval(
        "SELECT t.reference FROM trips t JOIN bookings b ON b.trip_id = t.id WHERE b.id = $1", booking
    )
    now = small_hotel.clock(small_hotel.night(3), 12)
    assert await conn.fetchval("SELECT app.report_stay($1, $2, $3)", code.lower(), report, now) == answer
    assert await booking_status(conn, booking) == left


async def test_nobody_is_missing_before_the_arrival(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    await completed_stay(conn, await small_hotel.newcomer(conn), hotel, status="confirmed")
    code = await conn.fetchval("SELECT confirmation_number FROM bookings")
    before = small_hotel.clock(small_hotel.night(0), 13)
    report = "SELECT app.report_stay($1, 'no_show', $2)"
    assert await conn.fetchval(report, code, before) == "not_yet"
    assert await conn.fetchval(report, "RH-NOSUCH", before) == "unknown"


async def test_paid_at_the_hotel_is_paid_once(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    await completed_stay(conn, sara, hotel)
    code = await conn.fetchval("SELECT confirmation_number FROM bookings")
    now = small_hotel.clock(small_hotel.night(3), 12)
    answers = [await conn.fetchval("SELECT app.report_stay($1, 'paid', $2)", code, now) for _ in range(2)]
    assert answers == ["done", "already"]
    assert await conn.fetchval("SELECT payment_status FROM trips") == "paid"
    assert await conn.fetchval("SELECT calculate_traveler_persona($1)", sara) is not None
