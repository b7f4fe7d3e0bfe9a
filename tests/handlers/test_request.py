"""How words change a request: tables of what was known, what was said and what is known then; and what always holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.stays import MAX_GUESTS, MAX_NIGHTS, MAX_ROOMS
from handlers.request import Request, country_name, home_currency, merge, summary
from locales import Texts

DUBAI = {"name_ar": "دبي", "name_en": "Dubai", "country": "AE", "geonameid": 292223}
ABU_DHABI = {"name_ar": "أبوظبي", "name_en": "Abu Dhabi", "country": "AE", "geonameid": 292968}
TRIPOLI_LY = {"name_ar": "طرابلس", "name_en": "Tripoli", "country": "LY", "geonameid": 2210247}
TRIPOLI_LB = {"name_ar": "طرابلس", "name_en": "Tripoli", "country": "LB", "geonameid": 266826}
LEBANON = {"name_ar": "لبنان", "name_en": "Lebanon", "country": "LB", "geonameid": 272103, "kind": "country"}

Known = dict[str, Any]


def after(*messages: Known) -> Request:
    request = Request()
    for said in messages:
        request = merge(request, said)
    return request


# ------------------------------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("messages", "check_in", "check_out"),
    [
        ([{"check_in": "2026-12-20", "nights": 3}], "2026-12-20", "2026-12-23"),
        ([{"check_in": "2026-12-20", "check_out": "2026-12-23"}], "2026-12-20", "2026-12-23"),
        ([{"nights": 3}, {"check_in": "2026-12-20"}], "2026-12-20", "2026-12-23"),
        ([{"check_out": "2026-12-23", "nights": 3}], "2026-12-20", "2026-12-23"),
        # «خليها ٤ ليالي», «من 12 ديسمبر»: the other end moves along.
        ([{"check_in": "2026-12-20", "nights": 3}, {"nights": 4}], "2026-12-20", "2026-12-24"),
        ([{"check_in": "2026-12-20", "nights": 3}, {"check_in": "2026-12-27"}], "2026-12-27", "2026-12-30"),
        ([{"check_in": "2026-12-20", "nights": 3}, {"check_out": "2026-12-27"}], "2026-12-20", "2026-12-27"),
        # «في أبريل», then «من 10 إلى 14» said on a day in November.
        (
            [{"month": "2027-04"}, {"check_in": "2026-12-10", "check_out": "2026-12-14", "bare_days": True}],
            "2027-04-10",
            "2027-04-14",
        ),
        (
            [{"month": "2027-04"}, {"check_in": "2026-11-28", "check_out": "2026-12-02", "bare_days": True}],
            "2027-04-28",
            "2027-05-02",
        ),
        # A day that names its month means it.
        ([{"month": "2027-04"}, {"check_in": "2026-12-10", "nights": 2}], "2026-12-10", "2026-12-12"),
    ],
)
def test_dates(messages: list[Known], check_in: str, check_out: str) -> None:
    request = after(*messages)
    assert (request.check_in, request.check_out) == (
        dt.date.fromisoformat(check_in),
        dt.date.fromisoformat(check_out),
    )
    assert request.nights == request.stay_nights
    assert request.problems == []


@pytest.mark.parametrize(
    ("messages", "problem", "check_in"),
    [
        ([{"check_in": "2026-12-20", "check_out": "2026-12-20"}], "check_out_before_check_in", "2026-12-20"),
        ([{"check_in": "2026-12-20", "nights": 0}], "check_out_before_check_in", "2026-12-20"),
        ([{"check_in": "2026-12-20", "nights": 31}], "stay_too_long", "2026-12-20"),
        ([{"check_in": "2026-12-20", "check_out": "2027-02-20"}], "stay_too_long", "2026-12-20"),
        (
            [{"check_in": "2026-12-10", "nights": 3}, {"check_out": "2026-12-01"}],
            "check_out_before_check_in",
            "2026-12-10",
        ),
        (
            # «من 20 إلى 18», read as an arrival and a problem: the old number of nights is not assumed.
            [
                {"check_in": "2026-12-10", "nights": 3},
                {"check_in": "2026-12-20", "problems": ["check_out_before_check_in"]},
            ],
            "check_out_before_check_in",
            "2026-12-20",
        ),
    ],
)
def test_dates_that_cannot_be(messages: list[Known], problem: str, check_in: str) -> None:
    request = after(*messages)
    assert request.problems == [problem]
    assert (request.check_in, request.check_out) == (dt.date.fromisoformat(check_in), None)


def test_too_many_nights_leave_a_known_stay_alone() -> None:
    request = after({"check_in": "2026-12-20", "nights": 3}, {"nights": 45})
    assert request.stay_nights == 3
    assert request.problems == ["stay_too_long"]


def test_a_problem_is_of_one_message() -> None:
    assert after({"nights": 45}, {"stars": 4}).problems == []


# ------------------------------------------------------------------------------------------------------ people


@pytest.mark.parametrize(
    ("messages", "adults", "children", "ages", "rooms"),
    [
        ([{"guests": 2}], 2, 0, [], None),
        ([{"adults": 2, "children": 2, "child_ages": [4, 7]}], 2, 2, [4, 7], None),
        ([{"adults": 2}, {"child_ages": [5]}], 2, 1, [5], None),
        ([{"guests": 4, "children": 2}], 2, 2, [], None),
        ([{"adults": 2, "children": 3, "child_ages": [1, 2, 3]}, {"children": 1}], 2, 1, [1], None),
        # «إحنا تلاتة»: a number of people is all of them.
        ([{"adults": 2, "children": 2}, {"guests": 3}], 3, 0, [], None),
        ([{"guests": 4, "rooms": 2}], 4, 0, [], 2),
        ([{"guests": 4, "rooms": 2}, {"rooms": 3}], 4, 0, [], 3),
    ],
)
def test_people(
    messages: list[Known], adults: int, children: int, ages: list[int], rooms: int | None
) -> None:
    request = after(*messages)
    assert (request.adults, request.children, request.child_ages, request.rooms) == (
        adults,
        children,
        ages,
        rooms,
    )
    assert request.problems == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"guests": 0}, "no_guests"),
        ({"adults": 0, "children": 2}, "no_adults"),
        ({"guests": 2, "children": 2}, "no_adults"),
        ({"adults": MAX_GUESTS + 1}, "too_many_guests"),
        ({"adults": 20, "children": 11}, "too_many_guests"),
        ({"guests": 2, "rooms": 3}, "more_rooms_than_guests"),
        ({"guests": 20, "rooms": MAX_ROOMS + 1}, "too_many_rooms"),
        ({"guests": 2, "rooms": 0}, "too_many_rooms"),
    ],
)
def test_people_that_cannot_be(said: Known, problem: str) -> None:
    assert after(said).problems == [problem]


@pytest.mark.parametrize(
    ("adults", "children", "rooms", "enough"),
    [
        (1, 0, None, 1),
        (3, 0, None, 1),
        (4, 0, None, 2),
        (2, 2, None, 1),
        (2, 3, None, 2),
        (8, 0, None, 3),
        (4, 0, 4, 4),
    ],
)
def test_rooms_follow_the_party_unless_said(
    adults: int, children: int, rooms: int | None, enough: int
) -> None:
    assert Request(adults=adults, children=children, rooms=rooms).room_count == enough


# ------------------------------------------------------------------------------------------------------ places


def test_another_city_keeps_the_stay_and_loses_the_district() -> None:
    request = after(
        {
            "destination": DUBAI,
            "area": "المارينا",
            "hotel_name": "هيلتون",
            "check_in": "2026-12-20",
            "nights": 2,
        },
        {"destination": ABU_DHABI},
    )
    assert request.destination is not None
    assert request.destination.name("en") == "Abu Dhabi"
    assert (request.area, request.hotel_name, request.stay_nights) == (None, None, 2)


@pytest.mark.parametrize("said", [TRIPOLI_LB, LEBANON], ids=["chosen", "its country"])
def test_one_of_several_places_of_a_name(said: Known) -> None:
    request = after({"candidates": [TRIPOLI_LY, TRIPOLI_LB], "adults": 2}, {"destination": said})
    assert request.destination is not None
    assert request.destination.geonameid == TRIPOLI_LB["geonameid"]
    assert request.candidates == []
    assert "طرابلس (لبنان)" in summary(Texts.for_locale("ar-EG"), request)


def test_a_city_that_was_not_among_them_is_a_city_like_any_other() -> None:
    request = after({"candidates": [TRIPOLI_LY, TRIPOLI_LB]}, {"destination": DUBAI})
    assert request.destination is not None
    assert (request.destination.name_en, request.destination.twin) == ("Dubai", False)


def test_an_unknown_place_takes_the_known_one_away_until_one_is_said() -> None:
    request = after({"destination": DUBAI}, {"unknown_place": "زحلولة"})
    assert (request.destination, request.unknown_place) == (None, "زحلولة")
    request = merge(request, {"nights": 2})
    assert request.unknown_place == "زحلولة"
    assert merge(request, {"destination": DUBAI}).unknown_place is None


# ------------------------------------------------------------------------------------------------------ wishes


@pytest.mark.parametrize(
    ("messages", "lowest", "highest", "problems"),
    [
        ([{"budget_max": 500}, {"budget_delta": 200}], None, 700, []),
        ([{"budget_max": 500}, {"budget_delta": -200}], None, 300, []),
        ([{"budget_max": 500}, {"budget_delta": -500}], None, 500, ["budget_unclear"]),
        ([{"budget_delta": 200}], None, None, ["budget_unclear"]),
        ([{"budget_max": 500}, {"no_budget": True}], None, None, []),
        ([{"budget_min": 300, "budget_max": 500}], 300, 500, []),
        ([{"budget_min": 300}, {"budget_max": 200}], None, 200, []),
        ([{"budget_max": 300}, {"budget_min": 400}], 400, None, []),
    ],
)
def test_budget(messages: list[Known], lowest: int | None, highest: int | None, problems: list[str]) -> None:
    request = after(*messages)
    assert (request.budget_min, request.budget_max) == (lowest, highest)
    assert request.problems == problems


def test_wishes_add_up_and_can_be_dropped() -> None:
    request = after({"amenities": ["pool"], "stars": 5}, {"amenities": ["pool", "wifi"]})
    assert (request.amenities, request.stars) == (["pool", "wifi"], 5)
    dropped = merge(request, {"drop": ["amenities", "stars"]})
    assert (dropped.amenities, dropped.stars) == ([], None)


@pytest.mark.parametrize(("country", "currency"), [("EG", "EGP"), ("SA", "SAR"), ("LB", "LBP"), ("ZZ", None)])
def test_a_bare_amount_is_in_the_money_of_home(country: str, currency: str | None) -> None:
    assert home_currency(country) == currency


@pytest.mark.parametrize(
    ("language", "country", "name"),
    [
        ("ar", "LY", "ليبيا"),
        ("en", "LB", "Lebanon"),
        ("ar", "PS", "فلسطين"),
        ("en", "PS", "Palestine"),
        ("ar", "ZZZ", "ZZZ"),
    ],
)
def test_country_names(language: str, country: str, name: str) -> None:
    assert country_name(language, country) == name


# ------------------------------------------------------------------------------------------------------ always

days = st.dates(dt.date(2020, 1, 1), dt.date.max).map(dt.date.isoformat)
amounts = st.integers(0, 10**7) | st.decimals(0, 10**7, places=2)
messages = st.fixed_dictionaries(
    {},
    optional={
        "destination": st.sampled_from([DUBAI, ABU_DHABI, TRIPOLI_LB, LEBANON, None]),
        "candidates": st.just([TRIPOLI_LY, TRIPOLI_LB]),
        "unknown_place": st.text(max_size=20),
        "area": st.text(max_size=20),
        "check_in": days,
        "check_out": days,
        "month": st.dates(dt.date(2026, 1, 1), dt.date.max).map(lambda day: f"{day.year:04}-{day.month:02}"),
        "bare_days": st.just(True),
        "nights": st.integers(-3, 400),
        "guests": st.integers(-3, 200),
        "adults": st.integers(-3, 200),
        "children": st.integers(0, 200),
        "child_ages": st.lists(st.integers(0, 17), max_size=8),
        "rooms": st.integers(-3, 50),
        "budget_min": amounts,
        "budget_max": amounts,
        "budget_delta": st.integers(-(10**7), 10**7),
        "no_budget": st.booleans(),
        "amenities": st.lists(st.sampled_from(["pool", "wifi", "near_haram"]), max_size=3),
        "drop": st.lists(st.sampled_from(["amenities", "stars", "area", "budget_max"]), max_size=3),
        "problems": st.lists(
            st.sampled_from(["past_date", "check_out_before_check_in", "no_guests"]), max_size=2
        ),
        "changing": st.sampled_from(["dates", "guests"]),
    },
)


@given(st.lists(messages, min_size=1, max_size=5))
def test_whatever_is_said_the_request_can_be(said: list[Known]) -> None:
    request = after(*said)
    if request.check_in and request.check_out:
        assert 1 <= (request.check_out - request.check_in).days <= MAX_NIGHTS
        assert request.nights == request.stay_nights
    assert request.nights is None or 1 <= request.nights <= MAX_NIGHTS
    assert request.adults is None or request.adults >= 1
    assert request.people <= MAX_GUESTS
    assert len(request.child_ages) <= request.children
    assert request.rooms is None or 1 <= request.rooms <= MAX_ROOMS
    assert not (request.rooms and request.adults) or request.rooms <= request.adults
    if request.budget_min is not None and request.budget_max is not None:
        assert Decimal(request.budget_min) <= Decimal(request.budget_max)
    assert sum(map(bool, (request.destination, request.candidates, request.unknown_place))) <= 1
    assert Request.model_validate(request.model_dump(mode="json", exclude_none=True)) == request
