"""What the composition root wires: a login of its own for turns, and nothing else through it."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from bot import app
from bot import database as places
from bot.adapters import PollingLease
from bot.errors import ConfigurationError
from bot.settings import load
from db import referrals
from db.pool import Role, as_role


async def test_a_login_for_turns_carries_turns_alone(database: str, tmp_path: Path) -> None:
    """It may not act as a worker: whatever is no turn must keep working without it."""
    settings = load(
        database_url=SecretStr(database),
        app_database_url=SecretStr(f"{database}&options=-c%20statement_timeout%3D12345"),
        telegram_bot_token=SecretStr("123:abc"),
        data_dir=tmp_path,
    )
    async with places.opened(settings) as place, app.core(settings, place) as shared:
        assert await shared.pool.fetchval("SHOW statement_timeout") == "12345ms"
        assert await shared.workers.fetchval("SHOW statement_timeout") == "0"
        await shared.pool.close()
        assert (await shared.backlog())["inbox"] == 0
        assert await PollingLease(shared.workers, settings, worker=shared.worker).hold()


async def test_each_bot_has_a_polling_lease_of_its_own(database: str, tmp_path: Path) -> None:
    """With another bot's offset it would tell Telegram to drop what waits for it."""
    for token, offset in (("123:abc", 900), ("456:def", None)):
        settings = load(
            database_url=SecretStr(database), telegram_bot_token=SecretStr(token), data_dir=tmp_path
        )
        async with places.opened(settings) as place, app.core(settings, place) as shared:
            lease = PollingLease(shared.workers, settings, worker=shared.worker)
            assert await lease.hold()
            assert await lease.offset() is None
            assert await lease.store_offset(offset or 5)
            await lease.drop()


async def test_a_second_start_adds_nothing_to_the_demo(database: str, tmp_path: Path) -> None:
    settings = load(database_url=SecretStr(database), data_dir=tmp_path)
    counts = []
    for _ in range(2):
        async with places.opened(settings) as place:
            await places.prepare(settings, place)
        conn = await asyncpg.connect(database)
        async with as_role(conn, Role.OWNER):
            counts.append(
                tuple(
                    await conn.fetchrow(
                        "SELECT (SELECT count(*) FROM hotels), (SELECT count(*) FROM users), (SELECT count(*) FROM bookings), "
                        "(SELECT count(*) FROM booking_outcomes), (SELECT count(*) FROM room_rates)"
                    )
                )
            )
        await conn.close()
    first, second = counts
    assert first == second
    assert first[3] >= 5000


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("USD", "10", 1000), ("KWD", "1.5", 1500), ("IQD", "5000", 5000)]
)
def test_what_invitations_earn_is_set_in_whole_units(
    monkeypatch: pytest.MonkeyPatch, currency: str, amount: str, minor: int
) -> None:
    monkeypatch.setenv("RAHHAL_REFERRAL_CURRENCY", currency)
    for name in ("RAHHAL_REFERRER_REWARD", "RAHHAL_REFERRED_REWARD", "RAHHAL_REFERRAL_BONUS_48H"):
        monkeypatch.setenv(name, amount)
    terms = places.invitation_terms(load())
    assert (terms.referrer, terms.referred, terms.bonus, terms.currency) == (minor, minor, minor, currency)


@pytest.mark.parametrize(
    ("currency", "amount", "named"),
    [("USD", "0.005", "RAHHAL_REFERRER_REWARD"), ("IQD", "0.5", "RAHHAL_REFERRER_REWARD"),
     ("XXX", "1", "RAHHAL_REFERRAL_CURRENCY")],
)  # fmt: skip
def test_amounts_nobody_can_pay_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, currency: str, amount: str, named: str
) -> None:
    monkeypatch.setenv("RAHHAL_REFERRAL_CURRENCY", currency)
    monkeypatch.setenv("RAHHAL_REFERRER_REWARD", amount)
    with pytest.raises(ConfigurationError, match=named):
        places.invitation_terms(load())


async def test_a_start_publishes_what_invitations_earn_once(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setenv("RAHHAL_REFERRED_REWARD", "7.5")
    place = places.Database(database, database, database)
    for _ in range(2):
        await places.prepare(load(), place, demo=False)
    counted = await places.as_owner(place, lambda conn: conn.fetchval("SELECT count(*) FROM referral_terms"))
    terms = await places.as_owner(place, referrals.current_terms)
    assert (counted, terms.referred, terms.referrer) == (2, 750, 1000)
