"""How a booking is paid: one protocol, one file for each provider.

A provider that needs the network is called by a job, never inside a transaction, with our own key; what it answers comes
back as an event. One that needs none, such as paying at the hotel, may answer within the turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from locales.currency import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is to be paid for a booking. key: ours; a provider never charges one twice."""

    booking: str
    amount: Money
    key: str


@dataclass(frozen=True, slots=True)
class DueLater:
    """Nothing is taken now; `amount` is paid to the hotel at the stay."""

    amount: Money


@dataclass(frozen=True, slots=True)
class PayByLink:
    """The traveler pays at `url` until `until`; the provider tells us when it is done."""

    amount: Money
    url: str
    until: datetime


class PaymentProvider(Protocol):
    """What every provider does."""

    @property
    def name(self) -> str:
        """As in `payments.provider` and `trips.payment_method`."""
        ...

    async def begin(self, charge: Charge) -> DueLater | PayByLink:
        """How this charge will be paid. Takes no money itself; the same key again gives the same answer."""
        ...
