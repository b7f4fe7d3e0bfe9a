"""`rahhal predictions`: how good what is foreseen has been, whether travelers are told of it, and which bookings are at risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from db import predictions
from db.predictions import AtRisk, CancellationRecord, Kind, Record

MOST_AT_RISK = 10


@dataclass(frozen=True, slots=True)
class Foresight:
    """What `rahhal predictions` shows; real stays only, except the bookings at risk."""

    outcomes: Record
    trips: Record
    cancellations: CancellationRecord
    at_risk: tuple[AtRisk, ...]

    def lines(self) -> Iterator[str]:
        yield _record("satisfaction", self.outcomes, "marks off, of 10", "the hotel's mean")
        yield _record("next trip", self.trips, "wrong cities", "the most popular city")
        ended = self.cancellations
        if ended.brier is None:
            yield "cancellations: no real booking with a prediction has ended yet"
        else:
            yield (
                f"cancellations: {ended.cancelled} of {ended.n} bookings; Brier score {ended.brier:.3f}, "
                f"the plain share {ended.baseline_brier:.3f}"
            )
        if self.at_risk:
            yield "likeliest to be cancelled:"
        for one in self.at_risk:
            free = f"free until {one.free_until:%Y-%m-%d %H:%M %Z}" if one.free_until else "non-refundable"
            yield (
                f"  {one.cancellation_risk:>5.0%}  {one.reference:<12} {one.hotel_identifier:<32} {one.check_in}  "
                f"{one.price_minor:>12} {one.currency} (minor units), {free}"
            )


async def look(conn: asyncpg.Connection, *, now: dt.datetime) -> Foresight:
    """As rahhal_owner."""
    return Foresight(
        outcomes=await predictions.record(conn, kind=Kind.OUTCOME),
        trips=await predictions.record(conn, kind=Kind.TRIP),
        cancellations=await predictions.cancellation_record(conn),
        at_risk=tuple(await predictions.most_at_risk(conn, now=now, limit=MOST_AT_RISK)),
    )


def _record(name: str, record: Record, what: str, guess: str) -> str:
    told = "travelers are told" if record.proven else "hidden from travelers"
    if record.error is None:
        return f"{name}: no real outcome yet; {told}"
    return f"{name}: {record.n} real outcomes, {record.error:.3f} {what}; {guess}: {record.baseline_error:.3f}; {told}"
