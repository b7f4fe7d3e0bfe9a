"""Verified stays, personas and outcomes: what counts, what is refused, and that sums always equal a recomputation."""

from __future__ import annotations

import asyncpg
import pytest

from tests.fakes import small_hotel
from tests.fakes.guests import completed_stay, tell

PERSONAS_RECOMPUTED = """
SELECT coalesce(kept.user_id, anew.user_id) AS user_id
FROM (SELECT user_id, n, nights, usd_cents FROM traveler_personas WHERE n > 0) AS kept
FULL JOIN (
    SELECT user_id, count(*) AS n, sum(check_out - check_in) AS nights, sum(usd_cents_per_night) AS usd_cents
    FROM bookings WHERE verified_at IS NOT NULL GROUP BY user_id
) AS anew USING (user_id)
WHERE (kept.n, kept.nights, kept.usd_cents) IS DISTINCT FROM (anew.n, anew.nights, anew.usd_cents)
"""

PROOF_RECOMPUTED = """
WITH anew AS (
    SELECT o.hotel_id, k.persona, count(*) AS n, sum(o.satisfaction_score) AS satisfaction_sum,
           count(o.would_rebook) AS rebook_answers, count(*) FILTER (WHERE o.would_rebook) AS rebook_yes,
           count(o.exceeded_expectations) AS exceeded_answers, count(*) FILTER (WHERE o.exceeded_expectations) AS exceeded_yes,
           sum(o.usd_cents_per_night) AS usd_cents_sum
    FROM booking_outcomes o CROSS JOIN LATERAL (VALUES ('all'), (o.user_persona)) AS k(persona)
    WHERE o.withdrawn_at IS NULL AND k.persona IS NOT NULL
    GROUP BY o.hotel_id, k.persona
), words AS (
    SELECT o.hotel_id, k.persona, w.praise, w.code, count(*) AS n
    FROM booking_outcomes o CROSS JOIN LATERAL (VALUES ('all'), (o.user_persona)) AS k(persona)
    CROSS JOIN LATERAL (
        SELECT true AS praise, code FROM unnest(o.highlights) AS code
        UNION ALL SELECT false, code FROM unnest(o.pain_points) AS code
    ) AS w
    WHERE o.withdrawn_at IS NULL AND k.persona IS NOT NULL
    GROUP BY o.hotel_id, k.persona, w.praise, w.code
), kept_words AS (
    SELECT c.hotel_id, c.persona, true AS praise, w.key AS code, w.value::bigint AS n
    FROM social_proof_cache c CROSS JOIN LATERAL jsonb_each_text(c.highlight_counts) AS w
    UNION ALL
    SELECT c.hotel_id, c.persona, false, w.key, w.value::bigint
    FROM social_proof_cache c CROSS JOIN LATERAL jsonb_each_text(c.pain_point_counts) AS w
)
SELECT hotel_id, persona FROM social_proof_cache c FULL JOIN anew a USING (hotel_id, persona)
WHERE (c.n > 0 OR a.n > 0)
  AND (c.n, c.satisfaction_sum, c.rebook_answers, c.rebook_yes, c.exceeded_answers, c.exceeded_yes, c.usd_cents_sum)
      IS DISTINCT FROM
      (a.n, a.satisfaction_sum, a.rebook_answers, a.rebook_yes, a.exceeded_answers, a.exceeded_yes, a.usd_cents_sum)
UNION ALL
SELECT hotel_id, persona FROM kept_words FULL JOIN words USING (hotel_id, persona, praise, code)
WHERE kept_words.n IS DISTINCT FROM words.n
"""


async def assert_sums_are_true(conn: asyncpg.Connection) -> None:
    """As rahhal_owner."""
    assert await conn.fetch(PERSONAS_RECOMPUTED) == []
    assert await conn.fetch(PROOF_RECOMPUTED) == []


async def persona_of(conn: asyncpg.Connection, person: object) -> str | None:
    found: str | None = await conn.fetchval(
        "SELECT persona FROM traveler_personas WHERE user_id = $1", person
    )
    return found


# ------------------------------------------------------------------------------------------------ verified stays


async def test_a_completed_stay_is_verified_by_payment_or_by_being_told_of(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    due = await completed_stay(conn, sara, hotel)
    told = await completed_stay(conn, sara, hotel, first=5)
    verified = "SELECT verified_at IS NOT NULL FROM bookings WHERE id = $1"
    assert not await conn.fetchval(verified, due)
    assert await persona_of(conn, sara) is None
    await conn.execute("UPDATE payments SET status = 'paid' WHERE booking_id = $1", due)
    assert await conn.fetchval(verified, due)
    await tell(conn, told)
    assert await conn.fetchval(verified, told)
    assert await conn.fetchval("SELECT n FROM traveler_personas WHERE user_id = $1", sara) == 2
    await assert_sums_are_true(conn)


async def test_paid_before_the_stay_counts_when_it_is_over(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    booking = await completed_stay(conn, sara, hotel, paid=True, status="confirmed")
    assert await persona_of(conn, sara) is None
    await conn.execute("UPDATE bookings SET status = 'completed' WHERE id = $1", booking)
    assert await persona_of(conn, sara) == "مسافر_اقتصادي"
    await assert_sums_are_true(conn)


async def test_who_was_not_there_counts_nowhere_and_again_when_she_was(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    booking = await completed_stay(conn, sara, hotel)
    await tell(conn, booking, 9, highlights=["location"])
    counted = "SELECT n FROM social_proof_cache WHERE hotel_id = $1 AND persona = 'all'"
    assert await conn.fetchval(counted, hotel.id) == 1
    await conn.execute("UPDATE bookings SET status = 'no_show' WHERE id = $1", booking)
    assert await conn.fetchval(counted, hotel.id) == 0
    assert await persona_of(conn, sara) is None
    await assert_sums_are_true(conn)
    await conn.execute("UPDATE bookings SET status = 'completed' WHERE id = $1", booking)
    assert await conn.fetchval(counted, hotel.id) == 1
    assert await persona_of(conn, sara) == "مسافر_اقتصادي"
    await assert_sums_are_true(conn)


# ------------------------------------------------------------------------------------------------ personas


@pytest.mark.parametrize(
    ("usd", "persona"),
    [
        (79, "مسافر_اقتصادي"),
        (80, "مسافر_متوسط"),
        (149, "مسافر_متوسط"),
        (150, "باحث_عن_فخامة"),
    ],
)
async def test_the_price_of_a_room_a_night_makes_the_persona(
    conn: asyncpg.Connection, usd: int, persona: str
) -> None:
    hotel = await small_hotel.open_hotel(conn, currency="USD")
    sara = await small_hotel.newcomer(conn)
    await completed_stay(conn, sara, hotel, nights=3, rooms=2, price_minor=usd * 100 * 3 * 2, paid=True)
    assert await persona_of(conn, sara) == persona


async def test_prices_are_compared_in_one_currency(conn: asyncpg.Connection) -> None:
    """47.2 pounds are a dollar in the dated table."""
    hotel = await small_hotel.open_hotel(conn, currency="EGP")
    sara = await small_hotel.newcomer(conn)
    await completed_stay(conn, sara, hotel, nights=1, price_minor=472_000, paid=True)
    assert await conn.fetchval("SELECT usd_cents FROM traveler_personas WHERE user_id = $1", sara) == 10_000
    assert await persona_of(conn, sara) == "مسافر_متوسط"


async def test_a_rate_that_changes_leaves_old_stays_as_they_were(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn, currency="EGP")
    sara = await small_hotel.newcomer(conn)
    booking = await completed_stay(conn, sara, hotel, nights=1, price_minor=472_000, paid=True)
    await conn.execute("UPDATE exchange_rates SET per_usd = 20 WHERE currency = 'EGP'")
    await conn.execute("UPDATE bookings SET status = 'no_show' WHERE id = $1", booking)
    assert tuple(
        await conn.fetchrow(
            "SELECT n, usd_cents, persona, reason FROM traveler_personas WHERE user_id = $1", sara
        )
    ) == (0, 0, None, "no_stays")


async def test_one_person_under_two_logins_takes_the_stays_along(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    first, second = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    for number in range(3):
        await tell(conn, await completed_stay(conn, first, hotel, first=number * 3))
    for table in ("bookings", "booking_outcomes"):
        await conn.execute(f"UPDATE {table} SET user_id = $2 WHERE user_id = $1", first, second)
    assert await persona_of(conn, first) is None
    assert await conn.fetchval("SELECT n FROM traveler_personas WHERE user_id = $1", second) == 3
    await assert_sums_are_true(conn)


async def test_habits_are_counted(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    sara = await small_hotel.newcomer(conn)
    await completed_stay(conn, sara, hotel, first=0, nights=2, paid=True)
    gone = await completed_stay(conn, sara, hotel, first=40, nights=3, paid=True)
    habits = "SELECT booking_patterns FROM traveler_personas WHERE user_id = $1"
    assert await conn.fetchval(habits, sara) == {
        "cities": {"360630": 2},
        "months": {"3": 1, "4": 1},
        "stays": {"2": 1, "3": 1},
        "party": {"2": 2},
    }
    await conn.execute("UPDATE bookings SET status = 'no_show' WHERE id = $1", gone)
    assert (await conn.fetchval(habits, sara))["months"] == {"3": 1}


# ------------------------------------------------------------------------------------------------ outcomes


async def test_the_persona_of_that_day_stays_on_the_outcome_with_consent(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn, currency="USD")
    sara, omar = await small_hotel.newcomer(conn), await small_hotel.newcomer(conn)
    await conn.execute("UPDATE users SET consented = true, consented_at = now() WHERE id = $1", sara)
    persona = "SELECT user_persona FROM booking_outcomes WHERE id = $1"
    cheap = await tell(conn, await completed_stay(conn, sara, hotel, nights=1, price_minor=6_000))
    assert await conn.fetchval(persona, cheap) == "مسافر_اقتصادي"
    dear = await tell(conn, await completed_stay(conn, sara, hotel, first=3, nights=1, price_minor=60_000))
    assert await conn.fetchval(persona, dear) == "باحث_عن_فخامة"
    assert await conn.fetchval(persona, cheap) == "مسافر_اقتصادي", "frozen"
    silent = await tell(conn, await completed_stay(conn, omar, hotel, nights=1, price_minor=6_000))
    assert await conn.fetchval(persona, silent) is None
    await assert_sums_are_true(conn)


async def test_many_outcomes_in_one_statement_are_counted_in_one_pass(conn: asyncpg.Connection) -> None:
    hotels = [await small_hotel.open_hotel(conn) for _ in range(3)]
    for number in range(12):
        person = await small_hotel.newcomer(conn)
        await completed_stay(conn, person, hotels[number % 3], price_minor=(number + 1) * 100_000)
    await conn.execute("UPDATE users SET consented = true, consented_at = now()")
    await conn.execute(
        """
        INSERT INTO booking_outcomes (booking_id, satisfaction_score, would_rebook, highlights)
        SELECT b.id, 1 + row_number() OVER (ORDER BY b.id) % 10, b.price_minor > 500000, '{location,staff}' FROM bookings b
        """
    )
    assert await conn.fetchval("SELECT sum(n) FROM social_proof_cache WHERE persona = 'all'") == 12
    assert await conn.fetchval("SELECT sum(n) FROM social_proof_cache WHERE persona <> 'all'") == 12
    await assert_sums_are_true(conn)
    await conn.execute(
        "UPDATE booking_outcomes SET satisfaction_score = 10, highlights = '{quiet}' WHERE would_rebook"
    )
    await assert_sums_are_true(conn)
    await conn.execute("DELETE FROM booking_outcomes WHERE satisfaction_score < 10")
    await assert_sums_are_true(conn)
    await conn.execute("DELETE FROM booking_outcomes")
    assert await conn.fetchval("SELECT sum(n) FROM social_proof_cache") == 0
    await assert_sums_are_true(conn)


@pytest.mark.parametrize(
    "change",
    [
        "satisfaction_score = 0",
        "satisfaction_score = 11",
        "satisfaction_score = NULL",
        "highlights = '{lovely}'",
        "highlights = '{staff,staff}'",
        "highlights = '{staff,NULL}'",
        "highlights = NULL",
        "pain_points = '{staff}'",
        "ratings = '{\"staff\": 11}'",
        "ratings = '{\"staff\": null}'",
        "ratings = '{\"mood\": 5}'",
        "ratings = '[]'",
        "note = ''",
        "note = repeat('x', 1001)",
        "note_shown = true",
        "user_persona = 'ملك'",
        "user_persona = 'مسافر_متوسط'",
        "nights_stayed = 1",
        "price_per_night = 1",
        "demo = true",
        "booking_id = gen_random_uuid()",
    ],
)
async def test_what_an_outcome_cannot_say(conn: asyncpg.Connection, change: str) -> None:
    hotel = await small_hotel.open_hotel(conn)
    outcome = await tell(conn, await completed_stay(conn, await small_hotel.newcomer(conn), hotel))
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.NotNullViolationError)):
        await conn.execute(f"UPDATE booking_outcomes SET {change} WHERE id = $1", outcome)


@pytest.mark.parametrize("column", ["nights_stayed", "price_per_night", "usd_cents_per_night"])
@pytest.mark.parametrize("value", ["0", "-1"])
async def test_numbers_are_positive(conn: asyncpg.Connection, column: str, value: str) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel)
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute(
            f"INSERT INTO booking_outcomes (booking_id, satisfaction_score, {column}) VALUES ($1, 5, {value})",
            booking,
        )


@pytest.mark.parametrize("status", ["confirmed", "no_show"])
async def test_only_a_completed_stay_is_told_of(conn: asyncpg.Connection, status: str) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel, status=status)
    with pytest.raises(asyncpg.CheckViolationError, match="completed"):
        await tell(conn, booking)


async def test_a_stay_is_told_of_once(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    booking = await completed_stay(conn, await small_hotel.newcomer(conn), hotel)
    await tell(conn, booking)
    with pytest.raises(asyncpg.UniqueViolationError):
        await tell(conn, booking)


async def test_demo_travelers_and_stays_never_speak_for_a_real_hotel(conn: asyncpg.Connection) -> None:
    real, demo = await small_hotel.open_hotel(conn), await small_hotel.open_hotel(conn, demo=True)
    someone = await small_hotel.newcomer(conn)
    invented = await conn.fetchval("INSERT INTO users (demo) VALUES (true) RETURNING id")

    booking = await completed_stay(conn, invented, real)
    with pytest.raises(asyncpg.CheckViolationError, match="demo"):
        async with conn.transaction():
            await tell(conn, booking)
    booking = await completed_stay(conn, someone, real)
    with pytest.raises(asyncpg.CheckViolationError, match="demo"):
        async with conn.transaction():
            await conn.execute(
                "INSERT INTO booking_outcomes (booking_id, satisfaction_score, demo) VALUES ($1, 5, true)",
                booking,
            )
    for person in (someone, invented):
        outcome = await tell(conn, await completed_stay(conn, person, demo))
        assert await conn.fetchval("SELECT demo FROM booking_outcomes WHERE id = $1", outcome)
    assert await conn.fetchval("SELECT count(*) FROM social_proof_cache WHERE hotel_id = $1", real.id) == 0
    await assert_sums_are_true(conn)
