"""Amounts of one currency in another: to compare and to show with ≈, never to charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import asyncpg

from db import inventory
from locales.currency import Money, minor_units

_WHOLE_FROM = 10
"""From so many units on, an estimate is shown in whole units."""


@dataclass(frozen=True, slots=True)
class Approximate:
    """An estimate: `amount`, at `rate` (in its currency) for `one` unit of the original, as of a day."""

    amount: Money
    one: Money
    rate: Money
    as_of: date


async def approximate(conn: asyncpg.Connection, amount: Money, *, currency: str) -> Approximate | None:
    """About so much in another currency; None in the same one, or where no rate is known."""
    if amount.currency == currency:
        return None
    rates = await inventory.exchange_rates(conn, currencies=[amount.currency, currency])
    if len(rates) < 2:
        return None
    here, there = rates[amount.currency], rates[currency]
    factor = there.per_usd / here.per_usd
    return Approximate(
        amount=_money(amount.major * factor, currency),
        one=Money(10 ** minor_units(amount.currency), amount.currency),
        rate=_money(factor, currency, estimate=False),
        as_of=min(here.as_of, there.as_of),
    )


def _money(major: Decimal, currency: str, *, estimate: bool = True) -> Money:
    digits = 0 if estimate and major >= _WHOLE_FROM else minor_units(currency)
    rounded = major.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return Money(int(rounded.scaleb(minor_units(currency))), currency)
