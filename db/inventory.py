"""What is free and what it costs, read from the search blocks; and an operator's edits of the rooms.

A block holds 42 nights from its first Monday on, of which the first 28 are its own (see 0004_inventory.sql). A stay of up
to 15 nights lies in one block; a longer one goes on in the following.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg

from db import hotels
from db.hotels import Hotel, HotelId, RoomType, RoomTypeId

_EPOCH = date(2000, 1, 3)
_OWN_NIGHTS = 28
_ALL_NIGHTS = 42


class Sort(StrEnum):
    """Order of hotels; equal ones by price. RATING: by smoothed rating, then those too few told of, by stars."""

    PRICE = "price"
    STARS = "stars"
    RATING = "rating"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a hotel must have.

    total_max: for the whole stay and all rooms, in minor units of `currency`, whatever the hotel's own currency is.
    area: its name in either language. free_at: cancelling must still be free at that moment.
    """

    stars_min: int | None = None
    stars_max: int | None = None
    amenities: tuple[str, ...] = ()
    area: str | None = None
    total_max: int | None = None
    currency: str | None = None
    free_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelOffer:
    """The cheapest room type of a hotel that fits. Amounts in minor units of the hotel's currency.

    total_minor: the stay, all rooms, as it would be paid. first_night_minor: all rooms.
    matches: how many hotels the search found, beyond this page too.
    """

    hotel: Hotel
    room: RoomType
    total_minor: int
    first_night_minor: int
    fees_minor: int
    matches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomOffer:
    """A room type that is free for a stay. Amounts in minor units of the hotel's currency.

    nightly: of one room. total_minor, first_night_minor, fees_minor: all rooms. rooms_left: on the night with fewest.
    """

    room: RoomType
    nightly: tuple[int, ...]
    total_minor: int
    first_night_minor: int
    fees_minor: int
    rooms_left: int


@dataclass(frozen=True, slots=True)
class AffectedStay:
    """A stay on a night where an operator wished for fewer rooms than are sold."""

    reference: str
    booking_id: UUID
    status: str
    check_in: date
    check_out: date
    rooms: int


@dataclass(frozen=True, slots=True)
class AllotmentEdit:
    """What an edit did: `clamped` nights kept what is sold there, for these stays."""

    clamped: tuple[date, ...]
    stays: tuple[AffectedStay, ...]


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """What a US dollar is worth in a currency, as of a day."""

    currency: str
    per_usd: Decimal
    minor_units: int
    as_of: date
    source: str


class Part(NamedTuple):
    """The nights first to last (places from 0, both included) of one block."""

    block: int
    first: int
    last: int

    @property
    def mask(self) -> int:
        return ((1 << (self.last - self.first + 1)) - 1) << self.first


def parts(check_in: date, nights: int) -> list[Part]:
    """The blocks a stay lies in, in order; one for up to 15 nights."""
    found = []
    day, after = (check_in - _EPOCH).days, (check_in - _EPOCH).days + nights
    while day < after:
        block, first = divmod(day, _OWN_NIGHTS)
        last = min(_ALL_NIGHTS - 1, first + after - day - 1)
        found.append(Part(block, first, last))
        day += last - first + 1
    return found


_SEARCH = """
WITH worth AS (
    SELECT currency, payable_step, (1 / (per_usd * 10 ^ minor_units))::double precision AS usd FROM exchange_rates
), further AS MATERIALIZED (
    -- What a long stay costs in the blocks after its first, of the room types that are free in all of them. It enters each at
    -- the fifteenth night.
    SELECT s.room_type_id, sum(s.price)::bigint AS price
    FROM (
        SELECT n.room_type_id, n.price[15]::bigint
               + CASE WHEN f.last > 15 THEN n.price[16] + CASE WHEN f.last > 16 THEN n.price[17]
               + CASE WHEN f.last > 17 THEN n.price[18] + CASE WHEN f.last > 18 THEN n.price[19]
               + CASE WHEN f.last > 19 THEN n.price[20] + CASE WHEN f.last > 20 THEN n.price[21]
               + CASE WHEN f.last > 21 THEN n.price[22] + CASE WHEN f.last > 22 THEN n.price[23]
               + CASE WHEN f.last > 23 THEN n.price[24] + CASE WHEN f.last > 24 THEN n.price[25]
               + CASE WHEN f.last > 25 THEN n.price[26] + CASE WHEN f.last > 26 THEN n.price[27]
               + CASE WHEN f.last > 27 THEN n.price[28] + CASE WHEN f.last > 28 THEN n.price[29]
               + CASE WHEN f.last > 29 THEN n.price[30] + CASE WHEN f.last > 30 THEN n.price[31]
               + CASE WHEN f.last > 31 THEN n.price[32] + CASE WHEN f.last > 32 THEN n.price[33]
               + CASE WHEN f.last > 33 THEN n.price[34] + CASE WHEN f.last > 34 THEN n.price[35]
               + CASE WHEN f.last > 35 THEN n.price[36] + CASE WHEN f.last > 36 THEN n.price[37]
               + CASE WHEN f.last > 37 THEN n.price[38] + CASE WHEN f.last > 38 THEN n.price[39]
               + CASE WHEN f.last > 39 THEN n.price[40] + CASE WHEN f.last > 40 THEN n.price[41]
               + CASE WHEN f.last > 41 THEN n.price[42]
               ELSE 0::bigint END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END
               ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END
               ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END AS price
        FROM unnest($8::integer[], $9::integer[], $10::bigint[]) AS f(block, last, mask)
        JOIN search_blocks n ON n.city = $1::bigint AND n.block = f.block AND n.capacity >= $6::integer
                             AND n.free & f.mask >= f.mask
        OFFSET 0
    ) AS s
    GROUP BY s.room_type_id
    HAVING count(*) >= cardinality($8::integer[])
), priced AS MATERIALIZED (
    -- Nights are added one by one, until the last: an aggregate over a slice costs five times as much, and this is every room
    -- of a city.
    -- No `free & mask` exceeds its mask; asked with >=, the planner expects a good part of the rooms, with = next to none.
    SELECT b.hotel_id, b.room_type_id, b.price[$3::integer] AS first_night, b.price[$3]::bigint
           + CASE WHEN $4::integer > 1 THEN b.price[$3 + 1] + CASE WHEN $4 > 2 THEN b.price[$3 + 2]
           + CASE WHEN $4 > 3 THEN b.price[$3 + 3] + CASE WHEN $4 > 4 THEN b.price[$3 + 4]
           + CASE WHEN $4 > 5 THEN b.price[$3 + 5] + CASE WHEN $4 > 6 THEN b.price[$3 + 6]
           + CASE WHEN $4 > 7 THEN b.price[$3 + 7] + CASE WHEN $4 > 8 THEN b.price[$3 + 8]
           + CASE WHEN $4 > 9 THEN b.price[$3 + 9] + CASE WHEN $4 > 10 THEN b.price[$3 + 10]
           + CASE WHEN $4 > 11 THEN b.price[$3 + 11] + CASE WHEN $4 > 12 THEN b.price[$3 + 12]
           + CASE WHEN $4 > 13 THEN b.price[$3 + 13] + CASE WHEN $4 > 14 THEN b.price[$3 + 14]
           + CASE WHEN $4 > 15 THEN b.price[$3 + 15] + CASE WHEN $4 > 16 THEN b.price[$3 + 16]
           + CASE WHEN $4 > 17 THEN b.price[$3 + 17] + CASE WHEN $4 > 18 THEN b.price[$3 + 18]
           + CASE WHEN $4 > 19 THEN b.price[$3 + 19] + CASE WHEN $4 > 20 THEN b.price[$3 + 20]
           + CASE WHEN $4 > 21 THEN b.price[$3 + 21] + CASE WHEN $4 > 22 THEN b.price[$3 + 22]
           + CASE WHEN $4 > 23 THEN b.price[$3 + 23] + CASE WHEN $4 > 24 THEN b.price[$3 + 24]
           + CASE WHEN $4 > 25 THEN b.price[$3 + 25] + CASE WHEN $4 > 26 THEN b.price[$3 + 26]
           + CASE WHEN $4 > 27 THEN b.price[$3 + 27] + CASE WHEN $4 > 28 THEN b.price[$3 + 28]
           + CASE WHEN $4 > 29 THEN b.price[$3 + 29] + CASE WHEN $4 > 30 THEN b.price[$3 + 30]
           + CASE WHEN $4 > 31 THEN b.price[$3 + 31] + CASE WHEN $4 > 32 THEN b.price[$3 + 32]
           + CASE WHEN $4 > 33 THEN b.price[$3 + 33] + CASE WHEN $4 > 34 THEN b.price[$3 + 34]
           + CASE WHEN $4 > 35 THEN b.price[$3 + 35] + CASE WHEN $4 > 36 THEN b.price[$3 + 36]
           + CASE WHEN $4 > 37 THEN b.price[$3 + 37] + CASE WHEN $4 > 38 THEN b.price[$3 + 38]
           + CASE WHEN $4 > 39 THEN b.price[$3 + 39] + CASE WHEN $4 > 40 THEN b.price[$3 + 40]
           + CASE WHEN $4 > 41 THEN b.price[$3 + 41]
           ELSE 0::bigint END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END
           ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END
           ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END
           ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END ELSE 0 END
           ELSE 0 END AS price
    FROM search_blocks b
    WHERE b.city = $1::bigint AND b.block = $2::integer AND b.capacity >= $6::integer AND b.max_adults >= $7::integer
      AND b.free & $5::bigint >= $5
      AND (b.min_stay IS NULL OR b.min_stay[$3] <= $12::integer)
      AND ($13::integer = 1 OR (
          NOT EXISTS (
              SELECT FROM room_nights n
              WHERE n.room_type_id = b.room_type_id AND n.night >= $11::date AND n.night < $11 + $12
                AND n.allotment - n.booked < $13
          ) AND EXISTS (
              SELECT FROM room_types t
              WHERE t.id = b.room_type_id AND (t.allotment >= $13 OR $12 = (
                  SELECT count(*) FROM room_nights n
                  WHERE n.room_type_id = b.room_type_id AND n.night >= $11 AND n.night < $11 + $12
              ))
          )
      ))
), cheapest AS (
    SELECT DISTINCT ON (p.hotel_id) p.hotel_id, p.room_type_id, p.first_night,
           p.price + CASE WHEN cardinality($8::integer[]) = 0 THEN 0 ELSE o.price END AS room_price
    FROM priced p LEFT JOIN further o ON o.room_type_id = p.room_type_id
    WHERE cardinality($8::integer[]) = 0 OR o.price IS NOT NULL
    ORDER BY p.hotel_id, room_price, p.room_type_id
), wanted AS MATERIALIZED (
    SELECT h.id, h.stars, w.usd, w.payable_step, g.rating,
           (h.latitude - $22::double precision) ^ 2 + ((h.longitude - $23::double precision) * cos(radians($22))) ^ 2 AS distance
    FROM hotels h
    JOIN worth w ON w.currency = h.currency
    LEFT JOIN app.city_ratings(CASE WHEN $21::text = 'rating' THEN $1 END) AS g ON g.hotel_id = h.id
    WHERE h.city = $1 AND h.listed AND ($14::integer IS NULL OR h.stars >= $14) AND ($15::integer IS NULL OR h.stars <= $15)
      AND h.amenities @> $16::text[]
      AND ($17::text IS NULL OR h.area_ar = $17 OR lower(h.area_en) = lower($17))
      AND ($18::timestamptz IS NULL OR ($11 - h.free_days + h.free_until_time) AT TIME ZONE h.timezone > $18)
), fitting AS (
    SELECT c.hotel_id, c.room_type_id, h.stars, h.usd, h.payable_step, h.distance, h.rating,
           app.payable($13 * c.room_price, h.payable_step) AS total,
           app.payable($13 * c.first_night::bigint, h.payable_step) AS first_night
    FROM cheapest c JOIN wanted h ON h.id = c.hotel_id
)
SELECT f.hotel_id, f.room_type_id, f.total, f.first_night, f.payable_step, count(*) OVER () AS matches
FROM fitting f
WHERE $19::bigint IS NULL OR f.total * f.usd <= $19 * (SELECT w.usd FROM worth w WHERE w.currency = $20::text)
ORDER BY CASE WHEN $21 = 'rating' THEN -f.rating END, CASE WHEN $21 IN ('stars', 'rating') THEN -f.stars END,
         CASE WHEN $21 = 'distance' THEN f.distance END, f.total * f.usd, f.hotel_id
LIMIT $24::bigint OFFSET $25::bigint
"""


async def search(
    conn: asyncpg.Connection,
    *,
    city: int,
    check_in: date,
    nights: int,
    adults: int,
    children: int = 0,
    rooms: int = 1,
    filters: Filters | None = None,
    sort: Sort = Sort.PRICE,
    near: tuple[float, float] | None = None,
    limit: int = 10,
    offset: int = 0,
) -> list[HotelOffer]:
    """One page of the hotels of a city that can take the party, each with its cheapest fitting room type.

    city: GeoNames id. near: (latitude, longitude) that DISTANCE sorts by; without it that order is by price.
    Prices of several currencies are compared by the exchange rates; a budget in a currency without one finds nothing.
    """
    filters = filters or Filters()
    here, *further = parts(check_in, nights)
    rows = await conn.fetch(
        _SEARCH,
        city,
        here.block,
        here.first + 1,
        here.last - here.first + 1,
        here.mask,
        -(-(adults + children) // rooms),
        -(-adults // rooms),
        [part.block for part in further],
        [part.last + 1 for part in further],
        [part.mask for part in further],
        check_in,
        nights,
        rooms,
        filters.stars_min,
        filters.stars_max,
        filters.amenities,
        filters.area,
        filters.free_at,
        filters.total_max,
        filters.currency,
        sort.value,
        *(near or (None, None)),
        limit,
        offset,
    )
    if not rows:
        return []
    known = await hotels.read(conn, ids=[row["hotel_id"] for row in rows])
    kinds = await hotels.read_room_types(conn, ids=[row["room_type_id"] for row in rows])
    return [
        HotelOffer(
            hotel=(hotel := known[row["hotel_id"]]),
            room=kinds[row["room_type_id"]],
            total_minor=row["total"],
            first_night_minor=row["first_night"],
            fees_minor=_payable(hotel.local_fee_minor * nights * rooms, row["payable_step"]),
            matches=row["matches"],
        )
        for row in rows
    ]


async def offers(
    conn: asyncpg.Connection,
    *,
    hotel: HotelId,
    check_in: date,
    nights: int,
    adults: int,
    children: int = 0,
    rooms: int = 1,
    room_type: RoomTypeId | None = None,
) -> list[RoomOffer]:
    """The room types of a hotel that can take the party, the cheapest first; or only that one of them."""
    rows = await conn.fetch(
        """
        SELECT t.*, p.prices, w.payable_step, h.local_fee_minor, l.rooms_left, s.price,
               app.payable($6::integer * s.price, w.payable_step) AS total,
               app.payable($6::integer * p.prices[1]::bigint, w.payable_step) AS first_night
        FROM room_types t
        JOIN hotels h ON h.id = t.hotel_id
        JOIN exchange_rates w ON w.currency = h.currency
        CROSS JOIN LATERAL app.nightly_prices(t.id, $2::date, $2::date + $3::integer) AS p
        CROSS JOIN LATERAL (SELECT sum(n)::bigint AS price FROM unnest(p.prices) AS n) AS s
        CROSS JOIN LATERAL (
            SELECT min(coalesce(n.allotment - n.booked, t.allotment)) AS rooms_left
            FROM unnest(app.nights_of($2::date, $2::date + $3::integer)) AS d(night)
            LEFT JOIN room_nights n ON n.room_type_id = t.id AND n.night = d.night
        ) AS l
        WHERE t.hotel_id = $1::uuid AND h.listed AND t.listed AND ($7::uuid IS NULL OR t.id = $7)
          AND t.capacity >= $4::integer AND t.max_adults >= $5::integer
          AND p.prices IS NOT NULL AND p.min_stay <= $3::integer AND l.rooms_left >= $6::integer
        ORDER BY s.price, t.capacity, t.code
        """,
        hotel,
        check_in,
        nights,
        -(-(adults + children) // rooms),
        -(-adults // rooms),
        rooms,
        room_type,
    )
    return [
        RoomOffer(
            room=hotels.room_type_of(row),
            nightly=tuple(row["prices"]),
            total_minor=row["total"],
            first_night_minor=row["first_night"],
            fees_minor=_payable(row["local_fee_minor"] * nights * rooms, row["payable_step"]),
            rooms_left=row["rooms_left"],
        )
        for row in rows
    ]


def _payable(minor: int, step: int) -> int:
    return (minor + step // 2) // step * step


async def last_night(conn: asyncpg.Connection, *, city: int) -> date | None:
    """The last night that has a price in a city; None where nothing has."""
    day = await conn.fetchval(
        """
        SELECT max(b.block * 28 + p.place - 1)::integer
        FROM search_blocks b, unnest(b.price) WITH ORDINALITY AS p(price, place)
        WHERE b.city = $1 AND p.price > 0 AND b.block = (SELECT max(block) FROM search_blocks WHERE city = $1)
        """,
        city,
    )
    return None if day is None else date.fromordinal(_EPOCH.toordinal() + day)


async def edit_allotment(
    conn: asyncpg.Connection,
    *,
    room_type: RoomTypeId,
    from_night: date,
    to_night: date,
    rooms: int,
    now: datetime,
) -> AllotmentEdit:
    """So many rooms on the nights [from_night, to_night], never below what is sold. Of several types, the lowest id first.

    Searches see it at once. Raises asyncpg.CheckViolationError for an unknown room type or nights.
    """
    done = await conn.fetchval(
        "SELECT app.edit_allotment($1, $2, $3, $4, $5)", room_type, from_night, to_night, rooms, now
    )
    return AllotmentEdit(
        tuple(date.fromisoformat(night) for night in done["clamped"]),
        tuple(
            AffectedStay(
                stay["reference"],
                UUID(stay["booking_id"]),
                stay["status"],
                date.fromisoformat(stay["check_in"]),
                date.fromisoformat(stay["check_out"]),
                stay["rooms"],
            )
            for stay in done["stays"]
        ),
    )


async def exchange_rates(
    conn: asyncpg.Connection, *, currencies: Sequence[str] | None = None
) -> dict[str, ExchangeRate]:
    """The rates there are, of these currencies or of all."""
    rows = await conn.fetch(
        """
        SELECT currency, per_usd, minor_units, as_of, source FROM exchange_rates
        WHERE $1::text[] IS NULL OR currency = ANY ($1::text[])
        """,
        currencies,
    )
    return {row["currency"]: ExchangeRate(**row) for row in rows}


async def set_exchange_rate(
    conn: asyncpg.Connection, *, currency: str, per_usd: Decimal, as_of: date, source: str
) -> bool:
    """An operator's newer rate for a known currency; False when the currency is not known."""
    done = await conn.execute(
        "UPDATE exchange_rates SET per_usd = $2, as_of = $3, source = $4 WHERE currency = $1",
        currency,
        per_usd,
        as_of,
        source,
    )
    return bool(done == "UPDATE 1")
