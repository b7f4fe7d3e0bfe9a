"""Fits the scorecard of cancellations on real bookings, and judges it on later ones.

The bookings (Antonio, Almeida & Nunes, «Hotel booking demand datasets», Data in Brief 22, 2019) stay outside the repository; the
fitted points ship in bot/domain/predictions/cancellation.tsv.

Kept: travelers who book for themselves (Direct, Online TA), at a price, for at least a night, without the deposit «Non Refund»,
of which 99 % were cancelled: an artifact of those two hotels.

Left out as features: what comes to light after the booking (status, assigned room, changes, waiting list, requests and parking
that grow until the arrival, the country, which is corrected at check-in), and what our bookings do not have (meal, agent,
company, channel). The month does not travel from Portugal. Earlier cancellations are left out too: in 2015,
99.5 % of the bookings that had one were cancelled, a batch of one of the hotels that would mark every traveler who ever changed
her mind. Bands and features were chosen on arrivals of March to June 2016.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from pathlib import Path

from bot.domain.predictions import cancellation
from bot.domain.predictions.cancellation import EDGES, Features, Scorecard, bands
from tests.evaluation.logistic import Cell, auc, brier, fit, log_loss

FILE = "hotel_bookings_2015_2016.csv.gz"
CUT = date(2016, 7, 1)
"""Fitted on stays that would have begun before, judged on those from then on."""
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
SEGMENTS = {"Direct", "Online TA"}

Judged = list[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Booking:
    arrival: date
    booked: date
    features: Features
    cancelled: int


def load(folder: Path) -> list[Booking] | None:
    path = folder / FILE
    return list(_read(path)) if path.is_file() else None


def fitted(bookings: Sequence[Booking]) -> Scorecard:
    """Points centred on the bookings they come from, so that `average` is an average booking's log-odds."""
    columns = [(name, band) for name, edges in EDGES.items() for band in range(1, len(edges) + 1)]
    place = {column: index for index, column in enumerate(columns)}
    seen: Counter[tuple[int, ...]] = Counter()
    events: Counter[tuple[int, ...]] = Counter()
    frequency: Counter[tuple[str, int]] = Counter()
    for booking in bookings:
        found = bands(booking.features)
        frequency.update(found.items())
        key = tuple(place[item] for item in found.items() if item[1])
        seen[key] += 1
        events[key] += booking.cancelled
    average, *values = fit([Cell(key, n, events[key]) for key, n in seen.items()], len(columns))
    points = {}
    for name, edges in EDGES.items():
        raw = [0.0] + [values[place[name, band]] for band in range(1, len(edges) + 1)]
        mean = sum(value * frequency[name, band] for band, value in enumerate(raw)) / len(bookings)
        points[name] = tuple(value - mean for value in raw)
        average += mean
    return Scorecard(average, points)


def write(card: Scorecard, bookings: Sequence[Booking]) -> Path:
    """The shipped table. Returns where it is."""
    path = Path(cancellation.__file__).with_name(cancellation.TABLE)
    share = _share(bookings)
    lines = [
        "# Log-odds of a cancellation by band, above or below the average booking. Written by tests/evaluation.",
        "# Fitted by ridge logistic regression on bookings of one resort and one city hotel in Portugal with arrivals from",
        f"# {min(b.arrival for b in bookings)} to {max(b.arrival for b in bookings)}: {len(bookings)} bookings by travelers "
        f"themselves, {share:.1%} of them cancelled.",
        "# Source of the bookings, which are not part of this program: N. Antonio, A. de Almeida, L. Nunes, Hotel booking demand",
        "# datasets, Data in Brief 22 (2019) 41-49, CC BY 4.0.",
        "feature\tfrom\tpoints",
        f"average\t\t{card.average:.4f}",
    ]
    for name, found in card.points.items():
        for start, value in zip(("", *EDGES[name]), found, strict=True):
            lines.append(f"{name}\t{start}\t{value:.4f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def report(folder: Path, *, write_table: bool) -> None:
    bookings = load(folder)
    if bookings is None:
        print(f"skipped: no {FILE} in {folder}")
        return
    before = [booking for booking in bookings if booking.arrival < CUT]
    after = [booking for booking in bookings if booking.arrival >= CUT]
    card = fitted(before)
    if write_table:
        print(f"wrote {write(card, before)}")
    base = _share(before)
    print(f"fitted on {len(before)} bookings with arrivals before {CUT} ({base:.3f} cancelled),")
    print(f"judged on {len(after)} later ones ({_share(after):.3f} cancelled)")
    print(f"\n{'':<44}{'Brier':>8}{'log loss':>10}{'AUC':>7}{'better than the base rate':>28}")
    strict = [booking for booking in after if booking.booked >= CUT]
    for name, group in (
        ("in sample", before),
        ("later arrivals", after),
        (f"of these, also booked from {CUT} on", strict),
        ("later arrivals, city hotel", [b for b in after if not b.features.resort]),
        ("later arrivals, resort", [b for b in after if b.features.resort]),
    ):
        _line(name, _judge(card, group), [(base, booking.cancelled) for booking in group])
    shipped = cancellation.scorecard()
    _line("the shipped table, later arrivals", _judge(shipped, after), [(base, b.cancelled) for b in after])
    ideal = _share(after)
    print(f"{'a base rate that knew the future':<44}{brier([(ideal, b.cancelled) for b in after]):>8.4f}")
    shift = _recentred(card, before, after)
    _line("the same points, base rate of the later half", shift, [(ideal, b.cancelled) for b in after])
    print("\ncalibration on later arrivals, by tenths of the risk")
    print(f"{'bookings':>10}{'said':>8}{'was':>8}")
    judged = sorted(_judge(card, after))
    for tenth in range(10):
        part = judged[len(judged) * tenth // 10 : len(judged) * (tenth + 1) // 10]
        said, was = (sum(column) / len(part) for column in zip(*part, strict=True))
        print(f"{len(part):>10}{said:>8.3f}{was:>8.3f}")
    print(
        "These are two Portuguese hotels of 2015 and 2016, not Arab travelers of today: trust the order more than the size."
    )


def _line(name: str, judged: Judged, guess: Judged) -> None:
    ours, plain = brier(judged), brier(guess)
    print(f"{name:<44}{ours:>8.4f}{log_loss(judged):>10.4f}{auc(judged):>7.3f}{1 - ours / plain:>27.1%}")


def _judge(card: Scorecard, bookings: Sequence[Booking]) -> Judged:
    return [(card.risk(booking.features), booking.cancelled) for booking in bookings]


def _recentred(card: Scorecard, before: Sequence[Booking], after: Sequence[Booking]) -> Judged:
    """What remains to be gained where an operator's own base rate is known."""

    def odds(share: float) -> float:
        return log(share / (1 - share))

    moved = Scorecard(card.average + odds(_share(after)) - odds(_share(before)), card.points)
    return _judge(moved, after)


def _share(bookings: Sequence[Booking]) -> float:
    return sum(booking.cancelled for booking in bookings) / len(bookings)


def _read(path: Path) -> Iterator[Booking]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            nights = int(row["stays_in_weekend_nights"]) + int(row["stays_in_week_nights"])
            rate = float(row["adr"])
            if (
                row["market_segment"] not in SEGMENTS
                or row["deposit_type"] == "Non Refund"
                or nights < 1
                or rate < 1
                or row["adults"] == "0"
            ):
                continue
            arrival = date(
                int(row["arrival_date_year"]),
                MONTHS.index(row["arrival_date_month"]) + 1,
                int(row["arrival_date_day_of_month"]),
            )
            lead = int(row["lead_time"])
            children = row["children"]
            yield Booking(
                arrival,
                arrival - timedelta(days=lead),
                Features(
                    lead_days=lead,
                    nights=nights,
                    children=(int(children) if children.isdigit() else 0) + int(row["babies"]),
                    resort=row["hotel"] == "Resort Hotel",
                    usd_per_night=rate * 1.1,  # the rates are in euros, which were about 1.1 dollars
                    own_stays=int(row["previous_bookings_not_canceled"]),
                ),
                int(row["is_canceled"]),
            )
