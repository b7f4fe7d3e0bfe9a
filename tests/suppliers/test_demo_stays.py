"""The demo's past: plausible for each hotel, labelled, the same everywhere, written once, and never a real hotel's."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from statistics import mean, stdev

import asyncpg
import pytest

from bot.suppliers.demo import fill_stays
from bot.suppliers.demo.draw import Draw
from bot.suppliers.demo.hotels import by_identifier, catalogue
from bot.suppliers.demo.impressions import character, impressions, note
from bot.suppliers.demo.places import rows
from bot.suppliers.demo.prices import rates
from bot.suppliers.demo.stays import guests, stays
from db import hotels
from db.demo_stays import DemoStay
from db.pool import Role, as_role, prepare
from tests.db.test_outcomes import assert_sums_are_true
from tests.fakes import guests as real_guests
from tests.fakes import small_hotel

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAST = "dfa750a58d5b2a94"


@pytest.fixture(scope="module")
def past() -> list[DemoStay]:
    return list(stays(NOW.date()))


# ------------------------------------------------------------------------------------------------ what is drawn


def test_there_are_enough_stays_at_every_hotel(past: list[DemoStay]) -> None:
    assert len(past) >= 5000
    told = Counter(stay.hotel for stay in past)
    assert set(told) == set(by_identifier())
    assert min(told.values()) >= 5, "every hotel card has something to show"


def test_the_past_is_the_same_on_every_machine(past: list[DemoStay]) -> None:
    assert hashlib.sha256(repr(past).encode()).hexdigest()[:16] == PAST


def test_every_stay_was_over_and_within_a_year(past: list[DemoStay]) -> None:
    for stay in past:
        assert stay.booked_at < stay.starts_at < stay.ended_at < stay.told_at < NOW
        assert NOW - stay.ended_at < timedelta(days=365)


def test_prices_are_those_of_the_calendar(past: list[DemoStay]) -> None:
    for stay in past[:200]:
        hotel = by_identifier()[stay.hotel]
        room = next(room for room in hotel.rooms if room.facts.code == stay.room)
        listed = rates(hotel, room, stay.check_in, stay.check_out - timedelta(days=1))
        for number, price in enumerate(stay.nightly):
            night = stay.check_in + timedelta(days=number)
            assert price in [
                rate.price
                for rate in listed
                if rate.from_night <= night <= rate.to_night and rate.weekdays >> night.weekday() & 1
            ]
        assert len(stay.nightly) == (stay.check_out - stay.check_in).days


def test_parties_fit_their_rooms(past: list[DemoStay]) -> None:
    for stay in past:
        room = next(room for room in by_identifier()[stay.hotel].rooms if room.facts.code == stay.room).facts
        assert 1 <= stay.adults <= room.max_adults
        assert stay.adults + stay.children <= room.capacity


def test_hotels_differ_in_quality_and_marks_vary_within_a_hotel(past: list[DemoStay]) -> None:
    marks = defaultdict(list)
    for stay in past:
        marks[stay.hotel].append(stay.satisfaction)
    assert 6.5 < mean(stay.satisfaction for stay in past) < 8.5
    assert stdev(map(mean, marks.values())) > 0.5
    assert mean(map(stdev, marks.values())) > 0.8


def test_who_liked_it_would_come_back(past: list[DemoStay]) -> None:
    def share(marks: range) -> float:
        return mean(
            stay.would_rebook for stay in past if stay.satisfaction in marks and stay.would_rebook is not None
        )

    assert share(range(9, 11)) > 0.8
    assert share(range(1, 6)) < 0.2


def test_nobody_praises_what_a_hotel_does_not_have(past: list[DemoStay]) -> None:
    pools = {stay.hotel for stay in past if {"pool", "crowded_pool"} & {*stay.praised, *stay.missed}}
    lifts = {stay.hotel for stay in past if "slow_lift" in stay.missed}
    parking = {stay.hotel for stay in past if "hard_parking" in stay.missed}
    assert pools, lifts
    assert all("pool" in by_identifier()[hotel].facts.amenities for hotel in pools)
    assert all("elevator" in by_identifier()[hotel].facts.amenities for hotel in lifts)
    assert all("parking" not in by_identifier()[hotel].facts.amenities for hotel in parking)
    assert {stay.hotel for stay in past if "beach" in stay.praised} <= {
        hotel.facts.identifier for hotel in catalogue() if hotel.setting == "beach"
    }


def test_no_hotel_is_praised_and_blamed_for_the_same() -> None:
    against = {(each.code, each.against) for each in impressions() if each.against}
    assert {(other, code) for code, other in against} == against, "it is mutual"
    for hotel in catalogue():
        praised, missed = character(hotel, Draw("any", hotel.facts.identifier))
        assert praised, hotel.facts.identifier
        assert not {(good, bad) for good in praised for bad in missed} & against


async def test_impressions_are_the_words_of_the_survey(conn: asyncpg.Connection) -> None:
    for kind, question in (
        ("praise", "SELECT app.highlight_codes()"),
        ("drawback", "SELECT app.pain_point_codes()"),
    ):
        assert {each.code for each in impressions() if each.kind == kind} == set(
            await conn.fetchval(question)
        )


# ------------------------------------------------------------------------------------------------ notes


def test_every_impression_can_be_put_into_words() -> None:
    written = {(row["kind"], row["code"]) for row in rows("notes")}
    assert {(each.kind, each.code) for each in impressions()} == {
        key for key in written if key[0] != "opening"
    }


def test_clauses_are_arabic_and_can_follow_and_or_but() -> None:
    for row in rows("notes"):
        text = row["text_ar"]
        assert re.fullmatch(r"[\u0621-\u0652 ]+", text), text
        assert "  " not in text
        assert text == text.strip()
        if row["kind"] != "opening":
            assert not text.startswith(("لكن ", "كان ", "لم ", "و ")), text


@pytest.mark.parametrize(
    ("satisfaction", "praised", "missed", "pattern"),
    [
        (9, ["staff", "location"], [], r"[^.،]+\. [^،]+، و[^،]+\."),
        (8, ["staff"], ["slow_lift"], r"[^.،]+\. [^،]+، لكن [^،]+\."),
        (8, [], ["slow_lift"], r"[^.،]+، لكن [^،]+\."),
        (4, [], ["slow_lift", "noise"], r"[^.،]+\. [^،]+ و[^،]+\."),
        (6, [], [], r"[^.،]+\."),
    ],
)
def test_a_note_is_a_sentence(satisfaction: int, praised: list[str], missed: list[str], pattern: str) -> None:
    for number in range(20):
        assert re.fullmatch(pattern, note(satisfaction, praised, missed, Draw("note", number)))


# ------------------------------------------------------------------------------------------------ in the database


async def open_demo(conn: asyncpg.Connection, most: int = 12) -> None:
    """Some hotels of the demo, without prices. As rahhal_owner."""
    chosen = catalogue()[:most]
    written = await hotels.upsert_hotels(conn, hotels=[hotel.facts for hotel in chosen])
    await hotels.upsert_room_types(
        conn,
        room_types=[
            (written[hotel.facts.identifier].id, room.facts) for hotel in chosen for room in hotel.rooms
        ],
    )


async def test_two_processes_fill_it_once_and_the_sums_are_true(database: str, past: list[DemoStay]) -> None:
    one, two = await asyncpg.connect(database), await asyncpg.connect(database)
    await prepare(one)
    await prepare(two)
    async with as_role(one, Role.OWNER):
        await open_demo(one)

    async def filled(conn: asyncpg.Connection, now: datetime = NOW) -> int:
        async with as_role(conn, Role.OWNER):
            return await fill_stays(conn, now=now)

    known = {hotel.facts.identifier for hotel in catalogue()[:12]}
    expected = sum(stay.hotel in known for stay in past)
    assert sorted(await asyncio.gather(filled(one), filled(two))) == [0, expected]
    assert await filled(one) == 0
    assert await filled(two, NOW + timedelta(days=400)) == 0, "also much later"

    async with as_role(one, Role.OWNER):
        await assert_sums_are_true(one)
        assert await one.fetchval("SELECT sum(n) FROM social_proof_cache WHERE persona = 'all'") == expected
        assert await one.fetchval("SELECT count(*) FROM social_proof_cache WHERE persona <> 'all'") > 12
        assert await one.fetchval("SELECT count(*) FROM booking_outcomes WHERE user_persona IS NULL") == 0
        assert await one.fetchval("SELECT bool_and(demo) FROM users")
        assert await one.fetchval("SELECT bool_and(demo AND verified_at IS NOT NULL) FROM bookings")
        assert await one.fetchval(
            "SELECT bool_and(o.demo AND h.demo) FROM booking_outcomes o JOIN hotels h ON h.id = o.hotel_id"
        )
        assert await one.fetchval("SELECT count(*) FROM room_nights") == 0, "the past takes no room"
        notes = await one.fetchval("SELECT count(*) FROM booking_outcomes WHERE note_shown")
        assert 0 < notes < expected
    await one.close()
    await two.close()


async def test_a_real_hotel_never_gets_demo_outcomes(conn: asyncpg.Connection) -> None:
    await open_demo(conn, most=3)
    real = await small_hotel.open_hotel(conn)
    assert await fill_stays(conn, now=NOW) > 0
    assert await conn.fetchval("SELECT count(*) FROM bookings WHERE hotel_id = $1", real.id) == 0
    booking = await real_guests.completed_stay(conn, guests()[0].facts.id, real)
    with pytest.raises(asyncpg.CheckViolationError, match="demo travelers"):
        await real_guests.tell(conn, booking)


async def test_without_a_demo_there_is_no_past(conn: asyncpg.Connection) -> None:
    await small_hotel.open_hotel(conn)
    assert await fill_stays(conn, now=NOW) == 0
    assert await conn.fetchval("SELECT count(*) FROM users") == 0


def test_the_past_moves_with_the_day_it_is_filled() -> None:
    later = next(stays(date(2027, 11, 21)))
    earlier = next(stays(NOW.date()))
    assert (later.check_in - earlier.check_in).days == 365
    assert later.user == earlier.user
