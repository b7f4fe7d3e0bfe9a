"""The models behind predictions, as arithmetic: what moves an estimate, in which direction, and within which bounds."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, isclose, log

import pytest
from hijridate import Gregorian, Hijri
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.predictions.cancellation import EDGES, Features, bands, scorecard
from bot.domain.predictions.satisfaction import MEAN, Evidence, Expectation, Marks, expect
from bot.domain.predictions.seasons import Season, lunar_anniversary, season_of, solar_anniversary
from bot.domain.predictions.trips import Population, Reason, next_trip
from db.predictions import PastStay, PopulationCell

TODAY = date(2026, 11, 21)
DUBAI, MECCA, CAIRO = 292223, 104515, 360630
NAMES = {DUBAI: "دبي", MECCA: "مكة المكرمة", CAIRO: "القاهرة"}

# ------------------------------------------------------------------------------------------------ cancellation

USUAL = Features(lead_days=20, nights=3, children=0, resort=False, usd_per_night=100, own_stays=0)


def features(**changes: float) -> Features:
    return Features(**{name: getattr(USUAL, name) for name in Features.__slots__} | changes)


def test_every_band_has_its_points() -> None:
    assert {name: len(points) for name, points in scorecard().points.items()} == {
        name: len(edges) + 1 for name, edges in EDGES.items()
    }


def test_who_books_late_or_came_before_cancels_less() -> None:
    risk = scorecard().risk
    assert risk(features(lead_days=0)) < risk(features(lead_days=10)) < risk(features(lead_days=60))
    assert risk(features(own_stays=2)) < risk(features(own_stays=0)) / 2


@given(
    st.integers(0, 900),
    st.integers(1, 90),
    st.integers(0, 9),
    st.booleans(),
    st.floats(0, 1e7),
    st.integers(0, 500),
)
def test_a_risk_is_a_chance_and_its_factors_explain_it(
    lead_days: int, nights: int, children: int, resort: bool, usd: float, stays: int
) -> None:
    booking = Features(
        lead_days=lead_days,
        nights=nights,
        children=children,
        resort=resort,
        usd_per_night=usd,
        own_stays=stays,
    )
    risk, factors = scorecard().risk(booking), scorecard().factors(booking)
    assert 0 < risk < 1
    assert isclose(
        log(risk / (1 - risk)), scorecard().average + sum(each.points for each in factors), abs_tol=1e-9
    )
    assert [each.feature for each in factors] != []
    assert all(0 <= band <= len(EDGES[name]) for name, band in bands(booking).items())


@pytest.mark.parametrize(("lead_days", "band"), [(0, 0), (1, 1), (3, 1), (4, 2), (30, 4), (31, 5), (900, 5)])
def test_a_band_begins_at_its_edge(lead_days: int, band: int) -> None:
    assert bands(features(lead_days=lead_days))["lead_days"] == band


# ------------------------------------------------------------------------------------------------ satisfaction


def expected(**known: Marks) -> Expectation:
    nothing = Marks()
    return expect(
        Evidence(
            **{name: known.get(name, nothing) for name in ("everywhere", "city", "hotel", "persona", "own")}
        )
    )


def test_of_nothing_the_usual_mark_is_expected_and_little_is_sure() -> None:
    found = expected()
    assert found.traveler == found.hotel == MEAN
    assert 0.3 < found.confidence < 0.6


def test_a_hotel_with_few_marks_is_drawn_to_its_city_and_one_with_many_is_not() -> None:
    city = Marks(200, 1400.0)  # 7 on average
    few, many = expected(city=city, hotel=Marks(2, 20.0)), expected(city=city, hotel=Marks(200, 2000.0))
    assert 7 < few.hotel < 9
    assert many.hotel > 9.8
    assert few.confidence < many.confidence


def test_her_persona_and_her_own_way_of_marking_move_it() -> None:
    hotel = Marks(50, 400.0)
    plain = expected(hotel=hotel)
    liked = expected(hotel=hotel, persona=Marks(20, 190.0))
    strict = expected(hotel=hotel, own=Marks(6, -9.0))
    assert liked.traveler > plain.traveler > strict.traveler
    assert liked.hotel == strict.hotel == plain.hotel, "the plain guess is the hotel's alone"


marks = st.builds(
    lambda n, mean: Marks(n, n * mean), st.integers(0, 10_000), st.floats(1, 10, allow_nan=False)
)


@given(marks, marks, marks, marks, st.integers(0, 500), st.floats(-9, 9))
def test_an_expectation_stays_a_mark_and_its_parts_add_up(
    everywhere: Marks, city: Marks, hotel: Marks, persona: Marks, n: int, surplus: float
) -> None:
    found = expected(
        everywhere=everywhere, city=city, hotel=hotel, persona=persona, own=Marks(n, n * surplus)
    )
    assert 1 <= found.traveler <= 10
    assert 1 <= found.hotel <= 10
    assert 0 < found.confidence < 1
    total = MEAN + sum(part.effect for part in found.parts)
    assert isclose(min(10, max(1, total)), found.traveler, abs_tol=1e-9)


# ------------------------------------------------------------------------------------------------ seasons


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (Hijri(1447, 9, 10).to_gregorian(), Season.RAMADAN),
        (Hijri(1447, 9, 28).to_gregorian(), Season.EID_FITR),
        (Hijri(1447, 10, 3).to_gregorian(), Season.EID_FITR),
        (Hijri(1447, 12, 10).to_gregorian(), Season.EID_ADHA),
        (date(2026, 7, 20), Season.SUMMER),
        (date(2026, 1, 20), Season.MID_YEAR),
        (date(2026, 10, 10), None),
        (date(2099, 7, 1), Season.SUMMER),
        (date(2099, 10, 1), None),
    ],
)
def test_seasons_follow_both_calendars(day: date, season: Season | None) -> None:
    assert season_of(day) is season


def test_a_lunar_anniversary_keeps_its_day_of_the_hijri_calendar() -> None:
    day = Hijri(1446, 9, 12).to_gregorian()
    after = lunar_anniversary(day, 1)
    assert Gregorian.fromdate(after).to_hijri().month == 9
    assert 350 <= (after - day).days <= 356
    assert solar_anniversary(date(2024, 2, 29), 2025) == date(2025, 2, 28)
    assert solar_anniversary(date(2024, 10, 5), 2027) == date(2027, 10, 5)
    assert lunar_anniversary(date(2090, 1, 1), 3) == date(2093, 1, 1), "beyond the tables the sun counts"


# ------------------------------------------------------------------------------------------------ next trip


def stay(city: int, day: date, usd: int = 120_00, nights: int = 3) -> PastStay:
    return PastStay(city=city, city_ar=NAMES[city], check_in=day, nights=nights, usd_cents=usd)


def everybody(n: int = 10) -> Population:
    """Mostly Cairo, all the year round."""
    return Population(
        PopulationCell(city=city, city_ar=NAMES[city], month=month, n=n * weight, log_price=log(10_000))
        for city, weight in ((CAIRO, 5), (DUBAI, 2), (MECCA, 1))
        for month in range(1, 13)
    )


def test_who_goes_to_dubai_every_march_goes_there_again() -> None:
    found = next_trip(
        [stay(DUBAI, date(year, 3, 12)) for year in (2023, 2024, 2025, 2026)], everybody(), today=TODAY
    )
    assert found.city == DUBAI
    assert found.earliest <= date(2027, 3, 12) <= found.latest
    assert found.check_in.weekday() in {date(year, 3, 12).weekday() for year in range(2023, 2027)}
    assert found.nights == 3
    assert found.reasons[0] in {
        Reason("city_month", times=4, city=DUBAI, month=3),
        Reason("city_season", times=3, city=DUBAI, season=Season.RAMADAN),  # which some of these days were in
    }


def test_ramadan_moves_with_the_moon() -> None:
    past = [stay(MECCA, Hijri(year, 9, 15).to_gregorian()) for year in (1444, 1445, 1446, 1447)]
    found = next_trip(past, everybody(), today=TODAY)
    assert found.city == MECCA
    assert found.earliest <= Hijri(1448, 9, 15).to_gregorian() <= found.latest
    assert found.reasons[0] == Reason("city_season", times=4, city=MECCA, season=Season.RAMADAN)


def test_of_one_old_stay_the_population_says_more() -> None:
    found = next_trip([stay(MECCA, date(2015, 5, 5))], everybody(), today=TODAY)
    assert found.city == CAIRO
    assert found.reasons[0] == Reason("popular", city=CAIRO)
    assert found.confidence < 0.3


def test_more_of_the_same_makes_it_surer() -> None:
    few = next_trip([stay(DUBAI, date(2026, 3, 12))], everybody(), today=TODAY)
    many = next_trip([stay(DUBAI, date(y, 3, 12)) for y in range(2020, 2027)], everybody(), today=TODAY)
    assert many.confidence > few.confidence


def test_a_budget_is_around_what_she_pays_drawn_to_what_people_pay_there() -> None:
    found = next_trip([stay(DUBAI, date(2026, 3, 12), usd=400_00)] * 6, everybody(), today=TODAY)
    assert found.low_usd < found.high_usd
    middle = log(found.low_usd * found.high_usd) / 2
    assert log(10_000) < middle < log(40_000)
    assert isclose(found.high_usd / found.low_usd, exp(0.8), rel_tol=0.01)


def test_without_anybody_there_is_no_population() -> None:
    with pytest.raises(ValueError, match="nobody"):
        Population([])


days = st.dates(date(2016, 1, 1), TODAY - timedelta(days=1))


@given(
    st.lists(
        st.builds(stay, st.sampled_from(list(NAMES)), days, st.integers(1, 10**8), st.integers(1, 90)),
        min_size=1,
        max_size=30,
    )
)
def test_a_next_trip_lies_ahead_and_is_a_chance(past: list[PastStay]) -> None:
    found = next_trip(sorted(past, key=lambda each: each.check_in), everybody(), today=TODAY)
    assert TODAY < found.earliest <= found.check_in <= found.latest <= TODAY + timedelta(days=372)
    assert (found.latest - found.earliest).days <= 35
    assert 0 < found.confidence <= 1
    assert 1 <= found.low_usd <= found.high_usd
    assert 1 <= len(found.reasons) <= 3
    assert 1 <= found.nights <= 90
