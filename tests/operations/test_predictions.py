"""`rahhal predictions`: what operators read of it."""

from __future__ import annotations

import asyncpg

from bot.operations import predictions, status
from db.pool import Role
from db.predictions import Record, keep_outcome_predictions
from tests.db.test_predictions import act_as, booked, foreseen, judged
from tests.fakes import small_hotel
from tests.fakes.small_hotel import NOW


async def test_of_an_empty_house_it_says_that_nothing_is_known(conn: asyncpg.Connection) -> None:
    found = await predictions.look(conn, now=NOW)
    assert list(found.lines()) == [
        "satisfaction: no real outcome yet; hidden from travelers",
        "next trip: no real outcome yet; hidden from travelers",
        "cancellations: no real booking with a prediction has ended yet",
    ]


async def test_it_shows_the_record_and_what_is_at_risk(conn: asyncpg.Connection) -> None:
    hotel = await small_hotel.open_hotel(conn)
    await judged(conn, hotel.id, 200, ours=8.5, guess=6, actual=9)
    booking = await booked(conn, await small_hotel.newcomer(conn), hotel)
    await act_as(conn, Role.WORKER)
    await keep_outcome_predictions(conn, made=[foreseen(booking)], now=NOW)
    await act_as(conn, Role.OWNER)
    found = await predictions.look(conn, now=NOW)
    assert found.trips == Record(0, None, None, proven=False)
    satisfaction, _, cancellations, heading, risk = found.lines()
    assert satisfaction.startswith(
        "satisfaction: 200 real outcomes, 0.500 marks off, of 10; the hotel's mean: 2.9"
    )
    assert satisfaction.endswith("travelers are told")
    assert cancellations.startswith("cancellations: 0 of 200 bookings")
    assert heading == "likeliest to be cancelled:"
    assert risk.split()[0] == "20%"
    assert hotel.identifier in risk
    told = status.as_json(found)
    assert told["at_risk"][0]["check_in"] == small_hotel.night(30).isoformat()
    assert told["outcomes"]["proven"] is True
