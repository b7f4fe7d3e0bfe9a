"""Invitations: who counts as brought, what a stay earns, what is held back, and that nobody earns twice."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from bot.domain.links import CODE
from bot.errors import ConfigurationError
from db import referrals, turns
from db.pool import Role, as_role
from db.referrals import Arrival, Credit, Guests, RewardStatus, Terms
from tests.db.referral_world import World, open_world
from tests.fakes.small_hotel import NOW

ALL = {"referred": "pending", "bonus_48h": "pending"}


@pytest.fixture(name="world")
async def a_world(conn: asyncpg.Connection) -> World:
    return await open_world(conn)


# ---------------------------------------------------------------------------------------------- links


async def test_a_person_has_one_link_and_one_more_for_each_campaign(world: World) -> None:
    sara = await world.person()
    plain, again = await world.link(sara), await world.link(sara)
    campaign = await world.link(sara, campaign="AMRIK-WELCOME-2025")
    assert plain == again
    assert CODE.fullmatch(plain)
    assert re.fullmatch(r"AMRIK-WELCOME-2025-[2-9A-HJKMNP-Z]{14}", campaign)
    assert CODE.fullmatch(campaign)
    assert await world.link(sara, campaign="AMRIK-WELCOME-2025") == campaign


async def test_codes_are_long_random_and_told_apart_from_words(conn: asyncpg.Connection) -> None:
    await conn.execute("SET LOCAL ROLE rahhal_service")
    rows = await conn.fetch("SELECT app.link_code() AS code FROM generate_series(1, 2000)")
    codes = {row["code"] for row in rows}
    assert len(codes) == 2000
    assert all(CODE.fullmatch(code) for code in codes)
    assert len({code[place] for code in codes for place in range(14)}) == 31, "5 bits a character, nearly"


async def test_a_readable_word_is_no_code(world: World) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await world.conn.execute(
            "INSERT INTO referrals (referrer_user_id, referral_code) VALUES ($1, 'AMRIK-WELCOME-2025')",
            await world.person(),
        )


async def test_a_link_shown_again_has_the_terms_of_the_day_and_guests_keep_theirs(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    assert await referrals.publish_terms(world.conn, terms=Terms(700, 600, 500, "EGP", 3, 4))
    assert not await referrals.publish_terms(world.conn, terms=Terms(700, 600, 500, "EGP", 3, 4))
    assert await referrals.current_terms(world.conn) == Terms(700, 600, 500, "EGP", 3, 4)
    await world.speaks(sara)
    link = await referrals.link(world.conn, campaign=None, platform="telegram")
    assert (link.referrer, link.referred, link.bonus, link.currency) == (700, 600, 500, "EGP")
    await world.owner()
    await world.books(omar)
    amounts = await world.conn.fetch("SELECT amount, currency FROM rewards ORDER BY amount")
    assert [tuple(row) for row in amounts] == [(500, "USD"), (1000, "USD"), (1000, "USD")]


async def test_terms_in_money_nobody_knows_are_refused(world: World) -> None:
    with pytest.raises(ConfigurationError, match="RAHHAL_REFERRAL_CURRENCY"):
        await referrals.publish_terms(world.conn, terms=Terms(1, 1, 1, "XXX", 1, 1))


# ---------------------------------------------------------------------------------------------- coming


async def test_the_first_contact_binds_and_nothing_after_it(world: World) -> None:
    sara, omar, late = await world.person(), await world.person(), await world.person(new=False)
    code, other = await world.link(sara), await world.link(await world.person())
    first = await world.comes(omar, code)
    assert (first.outcome, first.reward, first.bonus, first.currency) == (Arrival.JOINED, 1000, 500, "USD")
    assert (await world.comes(omar, other)).outcome is Arrival.NOT_NEW, "one referrer for ever"
    assert (await world.comes(late, code)).outcome is Arrival.NOT_NEW
    assert (await world.comes(sara, code)).outcome is Arrival.OWN
    assert (await world.comes(await world.person(), "ABCDEFGHJK2345")).outcome is Arrival.UNKNOWN
    await world.speaks(sara)
    assert await referrals.guests(world.conn, user=sara) == Guests(1, 0)


@pytest.mark.parametrize("status", ["suspended", "deleted"])
async def test_the_link_of_a_closed_account_opens_nothing(world: World, status: str) -> None:
    sara = await world.person()
    code = await world.link(sara)
    await world.conn.execute("UPDATE users SET account_status = $2 WHERE id = $1", sara, status)
    assert (await world.comes(await world.person(), code)).outcome is Arrival.UNKNOWN


async def test_without_a_turn_nobody_comes_and_nobody_invites(world: World) -> None:
    await world.conn.execute("SET LOCAL ROLE rahhal_app; SELECT set_config('app.user_id', '', true)")
    for statement in (
        "SELECT app.referral_link(NULL, 'telegram')",
        "SELECT app.share('hotel', 'h', '{}', 'telegram')",
        "SELECT app.attribute_referral('ABCDEFGHJK2345', 'telegram', now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.conn.transaction():
                await world.conn.fetch(statement)


async def test_both_sides_read_an_invitation_and_a_third_does_not(world: World) -> None:
    sara, third = await world.person(), await world.person()
    omar = await world.brings(sara)
    for person, rows in ((sara, 2), (omar, 1), (third, 0)):
        await world.speaks(person)
        assert await world.conn.fetchval("SELECT count(*) FROM referrals") == rows
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.conn.transaction():
                await world.conn.execute("UPDATE referrals SET status = 'void'")


# ---------------------------------------------------------------------------------------------- staying


async def test_a_verified_stay_earns_for_both_and_a_quick_booking_more(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    booking = await world.books(omar, at=NOW + timedelta(hours=48))
    assert await world.standing(omar) == ("booked", None)
    assert (await world.rewards(sara), await world.rewards(omar)) == ({"referrer": "pending"}, ALL)
    due = await world.becomes(booking, "confirmed")
    assert await world.matures(due) == 0, "a stay that is not over earns nothing"
    await world.becomes(booking, "completed")
    assert await world.matures(due - timedelta(seconds=1)) == 0, "the hotel may still say that nobody came"
    assert await world.matures(due) == 1
    assert await world.standing(omar) == ("rewarded", None)
    assert (await world.rewards(sara), await world.rewards(omar)) == (
        {"referrer": "granted"},
        {"referred": "granted", "bonus_48h": "granted"},
    )
    assert await world.matures(due) == 0, "once"
    await world.speaks(omar)
    assert await referrals.credits_of(world.conn, user=omar) == [
        Credit(RewardStatus.GRANTED, "USD", 1500, demo=False)
    ]


async def test_a_stay_that_nobody_vouches_for_waits(world: World) -> None:
    """Its end has passed, but nothing was paid and the traveler told nothing."""
    omar = await world.brings(await world.person())
    booking = await world.books(omar)
    await world.conn.execute("UPDATE bookings SET status = 'completed' WHERE id = $1", booking)
    assert await world.matures(NOW + timedelta(days=365)) == 0
    await world.conn.execute(
        "INSERT INTO booking_outcomes (booking_id, satisfaction_score) VALUES ($1, 9)", booking
    )
    assert await world.matures(NOW + timedelta(days=365)) == 1


async def test_after_48_hours_there_is_no_bonus(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    await world.books(omar, at=NOW + timedelta(hours=48, seconds=1))
    assert await world.rewards(omar) == {"referred": "pending"}


async def test_only_the_first_stay_earns(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    await world.books(omar)
    await world.books(omar)
    assert await world.conn.fetchval("SELECT count(*) FROM rewards") == 3


async def test_a_cancelled_stay_earns_nothing_and_the_next_one_counts(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    first = await world.books(omar)
    await world.cancels(omar, first)
    assert await world.standing(omar) == ("joined", None)
    assert set((await world.rewards(sara)).values()) == {"void"}
    await world.books(omar, at=NOW + timedelta(days=9))
    assert await world.rewards(sara) == {"referrer": "pending"}
    kinds = await world.conn.fetch("SELECT kind, reason FROM rewards WHERE status = 'void' ORDER BY kind")
    assert [tuple(row) for row in kinds] == [
        ("bonus_48h", "cancelled"),
        ("referred", "cancelled"),
        ("referrer", "cancelled"),
    ]
    assert (await world.rewards(omar))["bonus_48h"] == "void", "she did not keep what was booked in time"


async def test_another_stay_booked_meanwhile_takes_the_place_of_a_cancelled_one(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    first = await world.books(omar)
    second = await world.books(omar, at=NOW + timedelta(hours=1))
    await world.cancels(omar, first)
    assert await world.standing(omar) == ("booked", None)
    assert await world.conn.fetchval("SELECT booking_id FROM referrals WHERE status = 'booked'") == second


async def test_a_stay_that_was_moved_earns_later(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    booking = await world.books(omar)
    before = await world.conn.fetchval("SELECT max(matures_at) FROM rewards")
    await world.conn.execute(
        "UPDATE bookings SET check_out = check_out + 1, nightly = nightly || 100000 WHERE id = $1", booking
    )
    after = await world.conn.fetch("SELECT DISTINCT matures_at FROM rewards")
    assert [row["matures_at"] - before for row in after] == [timedelta(days=1)]


async def test_nobody_came_after_all(world: World) -> None:
    """Reported before the rewards, and after them."""
    sara = await world.person()
    early, late = await world.brings(sara), await world.brings(sara)
    booking = await world.books(early)
    await world.becomes(booking, "no_show")
    assert await world.standing(early) == ("joined", None)
    booking = await world.books(late)
    await world.matures(await world.becomes(booking, "completed"))
    assert await world.standing(late) == ("rewarded", None)
    await world.becomes(booking, "no_show")
    assert await world.standing(late) == ("void", "no_show")
    assert set((await world.rewards(late)).values()) == {"void"}


async def test_a_stay_in_a_fictional_hotel_earns_what_is_worth_nothing(world: World) -> None:
    await world.conn.execute("UPDATE hotels SET demo = true")
    sara = await world.person()
    await world.books(await world.brings(sara))
    await world.speaks(sara)
    assert await referrals.credits_of(world.conn, user=sara) == [
        Credit(RewardStatus.PENDING, "USD", 1000, demo=True)
    ]


# ---------------------------------------------------------------------------------------------- doubts


async def held_because(world: World, guest: UUID, at: datetime) -> str:
    assert await world.matures(at) == 1
    status, reason = await world.standing(guest)
    assert status == "matured"
    rows = await world.conn.fetch(
        "SELECT DISTINCT w.status, w.reason FROM rewards w JOIN referrals r ON r.id = w.referral_id "
        "WHERE r.referred_user_id = $1",
        guest,
    )
    assert [tuple(row) for row in rows] == [("held", reason)]
    assert reason is not None
    return reason


async def test_two_logins_with_one_phone_are_looked_at(world: World) -> None:
    sara = await world.person(phone="+201001234567")
    omar = await world.brings(sara, phone="+201001234567")
    assert await held_because(world, omar, await world.stays(omar)) == "same_phone"


async def test_a_phone_given_for_a_stay_counts_too(world: World) -> None:
    sara = await world.person(phone="+201001234567")
    omar = await world.brings(sara)
    due = await world.stays(omar, guest_phone="+201001234567")
    assert await held_because(world, omar, due) == "same_phone"


async def test_the_same_guest_under_another_login_is_looked_at(world: World) -> None:
    sara = await world.person()
    await world.books(sara, guest_name="Sara Ali")
    omar = await world.brings(sara)
    assert await held_because(world, omar, await world.stays(omar, guest_name="SARA ALI")) == "same_guest"


async def test_a_circle_is_looked_at(world: World) -> None:
    """Sara brings Omar, Omar brings Nour, and Nour, through a second login of Sara's, brings Sara."""
    sara = await world.person()
    omar = await world.brings(sara)
    nour = await world.brings(omar)
    second = await world.brings(nour)
    due = await world.stays(omar)
    await world.turns_out_to_be(second, sara)
    assert await held_because(world, omar, due) == "circular"


async def test_many_who_come_in_a_day_are_looked_at(world: World) -> None:
    await referrals.publish_terms(world.conn, terms=Terms(1000, 1000, 500, "USD", 10, 3))
    sara = await world.person()
    calm = await world.brings(sara, at=NOW - timedelta(days=2))
    crowd = [await world.brings(sara, at=NOW + timedelta(hours=n)) for n in range(4)]
    due = max([await world.stays(guest) for guest in (calm, crowd[0])])
    assert await world.matures(due) == 2
    assert await world.standing(calm) == ("rewarded", None)
    assert await world.standing(crowd[0]) == ("matured", "many_joins")


async def test_a_suspended_side_is_looked_at(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    due = await world.stays(omar)
    await world.conn.execute("UPDATE users SET account_status = 'suspended' WHERE id = $1", sara)
    assert await held_because(world, omar, due) == "account"


async def test_beyond_the_month_s_number_the_inviter_waits_and_her_guest_does_not(world: World) -> None:
    await referrals.publish_terms(world.conn, terms=Terms(1000, 1000, 500, "USD", 1, 20))
    sara = await world.person()
    guests = [await world.brings(sara) for _ in range(2)]
    dues = [await world.stays(guest) for guest in guests]
    assert await world.matures(max(dues)) == 2
    assert await world.standing(guests[0]) == ("rewarded", None)
    assert await world.standing(guests[1]) == ("matured", None)
    assert (await world.rewards(guests[1]))["referred"] == "granted"
    rows = await world.conn.fetch(
        "SELECT status, reason FROM rewards WHERE kind = 'referrer' ORDER BY status"
    )
    assert [tuple(row) for row in rows] == [("granted", None), ("held", "monthly_cap")]


@pytest.mark.parametrize(("granted", "ends"), [(True, "rewarded"), (False, "void")])
async def test_the_operator_decides_what_is_held(world: World, granted: bool, ends: str) -> None:
    sara = await world.person(phone="+201001234567")
    omar = await world.brings(sara, phone="+201001234567")
    await world.matures(await world.stays(omar))
    [case] = await referrals.held(world.conn)
    assert (case.reason, case.referrer, case.referred, case.amount) == ("same_phone", sara, omar, 2500)
    assert await referrals.decide(world.conn, referral=case.id, grant=granted, now=NOW) == 3
    assert (await world.standing(omar))[0] == ends
    assert set((await world.rewards(omar)).values()) == {"granted" if granted else "void"}
    assert await referrals.decide(world.conn, referral=case.id, grant=True, now=NOW) == 0
    assert await referrals.held(world.conn) == []


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ("referrals", "joined matured"),
        ("referrals", "joined booked rewarded"),
        ("referrals", "joined void joined"),
        ("rewards", "pending granted pending"),
        ("rewards", "pending void granted"),
    ],
)
async def test_a_step_that_is_not_there_is_refused(world: World, table: str, path: str) -> None:
    omar = await world.brings(await world.person())
    if table == "rewards":
        await world.books(omar)
    await world.conn.execute("UPDATE rewards SET granted_at = now(), reason = 'a reason'")
    await world.conn.execute(
        "UPDATE referrals SET booked_at = now(), matured_at = now(), rewarded_at = now(), reason = 'a reason' "
        "WHERE joined_at IS NOT NULL"
    )
    move = {
        "referrals": "UPDATE referrals SET status = $1 WHERE joined_at IS NOT NULL",
        "rewards": "UPDATE rewards SET status = $1",
    }[table]
    *legal, refused = path.split()[1:]
    for status in legal:
        await world.conn.execute(move, status)
    with pytest.raises(asyncpg.CheckViolationError, match=f"cannot go .*>{refused}"):
        await world.conn.execute(move, refused)


# ---------------------------------------------------------------------------------------------- people change


async def test_who_turns_out_to_be_her_own_guest_earns_nothing(world: World) -> None:
    sara = await world.person()
    second = await world.brings(sara)
    await world.matures(await world.stays(second))
    await world.turns_out_to_be(second, sara)
    row = await world.conn.fetchrow(
        "SELECT status, reason, referred_user_id FROM referrals WHERE joined_at IS NOT NULL"
    )
    assert tuple(row) == ("void", "self", None)
    assert await world.conn.fetchval("SELECT bool_and(status = 'void') FROM rewards")
    assert await referrals.k_factor(world.conn, user=sara) == 0


async def test_both_links_of_who_had_two_logins_go_on_working(world: World) -> None:
    sara, second = await world.person(), await world.person()
    codes = [await world.link(sara), await world.link(second)]
    await world.turns_out_to_be(second, sara)
    for code in codes:
        assert (await world.comes(await world.person(), code)).outcome is Arrival.JOINED
    assert await world.link(sara) in codes
    await world.speaks(sara)
    assert await referrals.guests(world.conn, user=sara) == Guests(2, 0)


async def test_two_logins_that_were_both_invited_are_one_guest(world: World) -> None:
    sara, omar = await world.person(), await world.person()
    nour, second = await world.brings(sara), await world.brings(omar)
    await world.turns_out_to_be(second, nour)
    assert await world.standing(nour) == ("joined", None)
    rows = await world.conn.fetch(
        "SELECT referrer_user_id, reason FROM referrals WHERE joined_at IS NOT NULL AND status = 'void'"
    )
    assert [tuple(row) for row in rows] == [(omar, "merged")]


async def test_a_forgotten_guest_still_counts_and_cannot_be_named(world: World) -> None:
    sara = await world.person()
    omar = await world.brings(sara)
    await world.matures(await world.stays(omar))
    k = await referrals.k_factor(world.conn, user=sara)
    assert await referrals.erase(world.conn, user=omar) == 3
    await world.speaks(sara)
    assert await referrals.guests(world.conn, user=sara) == Guests(1, 1)
    await world.owner()
    assert await referrals.k_factor(world.conn, user=sara) == k == 1
    for table in ("referrals", "rewards", "shared_content"):
        rows = await world.conn.fetch(f"SELECT to_jsonb(t)::text AS row FROM {table} t")
        assert not [row for row in rows if str(omar) in row["row"]]
    assert await world.conn.fetchval("SELECT count(booking_id) FROM referrals") == 0
    assert await world.conn.fetchval("SELECT count(booking_id) FROM rewards") == 0


async def test_a_forgotten_inviter_s_link_is_closed_and_her_guests_still_earn(world: World) -> None:
    sara = await world.person()
    code = await world.link(sara)
    omar = await world.brings(sara)
    await referrals.erase(world.conn, user=sara)
    assert (await world.comes(await world.person(), code)).outcome is Arrival.UNKNOWN
    await world.matures(await world.stays(omar))
    assert await world.standing(omar) == ("rewarded", None)
    assert await world.rewards(omar) == {"referred": "granted", "bonus_48h": "granted"}
    assert not [
        row for row in await world.conn.fetch("SELECT to_jsonb(r)::text AS row FROM referrals r")
        if str(sara) in row["row"]
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------- plans


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("SELECT * FROM referrals", {"referrals_referrer", "referrals_referred_user_id_key"}),
        ("SELECT * FROM rewards", {"rewards_user"}),
        ("SELECT * FROM shared_content", {"shared_content_user"}),
    ],
)
async def test_own_rows_are_found_by_index(world: World, query: str, indexes: set[str]) -> None:
    """Both sides' policy too: an OR of two indexes, not a walk through everybody's rows."""
    await world.speaks(await world.person())
    await world.conn.execute("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row[0] for row in await world.conn.fetch(f"EXPLAIN {query}"))
    assert {name for name in indexes if name in plan} == indexes, plan
    assert "Seq Scan" not in plan


# ---------------------------------------------------------------------------------------------- the K-factor


async def test_k_is_bookers_brought_in_for_each_traveler(world: World) -> None:
    sara, omar = await world.person(), await world.person()
    assert await referrals.k_factor(world.conn) == 0
    guests = [await world.brings(sara) for _ in range(3)]
    await world.books(guests[0])
    cancelled = await world.books(guests[1])
    await world.books(await world.brings(omar))
    assert await referrals.k_factor(world.conn, user=sara) == 2
    await world.cancels(guests[1], cancelled)
    assert await referrals.k_factor(world.conn, user=sara) == 1
    assert await referrals.k_factor(world.conn, user=guests[0]) == 0
    assert await referrals.k_factor(world.conn) == round(2 / 6, 4)


# ---------------------------------------------------------------------------------------------- at the same time


async def test_one_newcomer_writes_in_two_chats_at_once(pool: asyncpg.Pool) -> None:
    """With a different link in each: the one that made her known is the first contact, the other is not."""
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        world = await open_world(conn)
        codes = [await world.link(await world.person()) for _ in range(2)]
    event = {"sender": "omar", "sender_name": None, "language": "ar"}
    rows = [
        {
            "channel": "telegram",
            "thread": f"{n}:omar",
            "address": str(n),
            "external_id": str(n),
            "event": event,
        }
        for n in range(2)
    ]
    async with pool.acquire() as conn, as_role(conn, Role.APP):
        await turns.hear(conn, events=rows)

    async def answer() -> str:
        async with pool.acquire() as conn, as_role(conn, Role.APP):
            claim = await turns.begin_turn(conn)
            assert claim is not None
            code = codes[int(claim.talk.address)]
            return (await referrals.arrive(conn, code=code, platform="telegram", now=NOW)).outcome

    outcomes = await asyncio.wait_for(asyncio.gather(answer(), answer()), 30)
    assert sorted(outcomes) == ["joined", "not_new"]


async def test_many_come_by_one_link_at_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        world = await open_world(conn)
        sara = await world.person()
        code = await world.link(sara)

    async def come() -> str:
        async with pool.acquire() as conn, as_role(conn, Role.OWNER):
            world = World(conn, None)  # type: ignore[arg-type]  # nobody books here
            return (await world.comes(await world.person(), code)).outcome

    outcomes = await asyncio.wait_for(asyncio.gather(*(come() for _ in range(24))), 30)
    assert outcomes == ["joined"] * 24
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        assert await referrals.guests(conn, user=sara) == Guests(24, 0)


async def test_two_workers_mature_nothing_twice_and_keep_to_the_month(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        world = await open_world(conn)
        await referrals.publish_terms(conn, terms=Terms(1000, 1000, 500, "USD", 3, 50))
        sara = await world.person()
        guests = [await world.brings(sara) for _ in range(8)]
        due = max([await world.stays(guest) for guest in guests])

    async def work() -> int:
        settled = 0
        for _ in range(6):
            async with pool.acquire() as conn, as_role(conn, Role.WORKER):
                settled += await referrals.mature(conn, now=due, most=2)
        return settled

    settled = sum(await asyncio.wait_for(asyncio.gather(*(work() for _ in range(4))), 60))
    # Who found every row taken by another went home with nothing, so some may be left.
    assert settled + await work() == 8
    async with pool.acquire() as conn, as_role(conn, Role.OWNER):
        rows = await conn.fetch("SELECT kind, status, count(*) AS n FROM rewards GROUP BY 1, 2")
    assert {(row["kind"], row["status"]): row["n"] for row in rows} == {
        ("referrer", "granted"): 3,
        ("referrer", "held"): 5,
        ("referred", "granted"): 8,
        ("bonus_48h", "granted"): 8,
    }


async def test_the_month_is_the_calendar_s(world: World) -> None:
    """A reward granted on the last day of a month leaves the next month's number whole."""
    await referrals.publish_terms(world.conn, terms=Terms(1000, 1000, 500, "USD", 1, 50))
    sara = await world.person()
    first, second = await world.brings(sara), await world.brings(sara)
    await world.stays(first)
    assert await world.matures(datetime(2026, 5, 31, 23, 59, tzinfo=UTC)) == 1
    await world.stays(second)
    assert await world.matures(datetime(2026, 6, 1, tzinfo=UTC)) == 1
    assert await world.standing(second) == ("rewarded", None)
