"""Paying at the hotel, on arrival: no network, nothing taken now."""

from __future__ import annotations

from bot.payments import Charge, DueLater


class AtHotel:
    """A PaymentProvider."""

    name = "at_hotel"

    async def begin(self, charge: Charge) -> DueLater:
        return DueLater(charge.amount)
