"""What `rahhal referrals` shows and decides."""

from __future__ import annotations

import re
from uuid import uuid4

import asyncpg
import pytest

from bot.__main__ import main
from bot.errors import OperationFailed
from bot.operations import invitations
from tests.db.referral_world import open_world
from tests.fakes.small_hotel import NOW


async def test_nothing_waits(conn: asyncpg.Connection) -> None:
    found = await invitations.look(conn)
    assert list(invitations.lines(found)) == [
        "K-factor 0.0000: bookers brought in for each traveler",
        "no rewards wait for your decision",
    ]
    assert invitations.as_json(found) == {"k_factor": 0.0, "held": []}


async def test_what_waits_is_shown_with_its_reason_and_decided_once(conn: asyncpg.Connection) -> None:
    world = await open_world(conn)
    sara = await world.person(phone="+201001234567")
    omar = await world.brings(sara, phone="+201001234567")
    await world.matures(await world.stays(omar))
    found = await invitations.look(conn)
    [case] = found.held
    shown = list(invitations.lines(found))
    assert shown[0].startswith("K-factor 0.5000")
    assert shown[1] == f"{case.id}  25.00 USD  joined 2026-03-01  same_phone: both have given the same phone"
    [told] = invitations.as_json(found)["held"]
    assert (told["amount_minor"], told["currency"], told["referrer"]) == (2500, "USD", str(sara))
    assert await invitations.decide(conn, case.id, grant=True, now=NOW) == f"3 rewards of {case.id} granted"
    with pytest.raises(OperationFailed):
        await invitations.decide(conn, case.id, grant=False, now=NOW)


async def test_an_id_of_nothing_is_said_so(conn: asyncpg.Connection) -> None:
    with pytest.raises(OperationFailed, match="nothing is held"):
        await invitations.decide(conn, uuid4(), grant=True, now=NOW)


async def test_every_reason_the_database_gives_has_words(conn: asyncpg.Connection) -> None:
    body = await conn.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'doubt_referral'")
    assert {*re.findall(r"RETURN '(\w+)'", body), "monthly_cap"} == set(invitations.REASONS)


@pytest.mark.parametrize("arguments", [["grant"], ["list", str(uuid4())], ["refuse"]])
def test_a_decision_names_its_referral(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["referrals", *arguments]) == 2
    assert "grant ID" in capsys.readouterr().err


def test_what_is_no_id_is_refused_before_anything(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["referrals", "grant", "everything"])
    assert "not a" in capsys.readouterr().err
