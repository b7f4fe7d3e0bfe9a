"""The catalogue: hotels, their room types and rates. Written by operators (as rahhal_owner), read by everyone.

Writing takes many rows at a time. What changes prices, rooms or the listing shows in searches only after
`rebuild_blocks`, in the same transaction; all of them lock the room types they touch, in one order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, time
from decimal import Decimal
from typing import Any, Generic, NewType, TypeVar
from uuid import UUID

import asyncpg

HotelId = NewType("HotelId", UUID)
RoomTypeId = NewType("RoomTypeId", UUID)

_Id = TypeVar("_Id")

EVERY_DAY = 0b1111111
"""The weekday mask of a rate that is the same all week: bit 0 is Monday, bit 6 Sunday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelFacts:
    """What is known of a hotel, apart from its key.

    identifier: public and stable: lower-case ASCII letters, digits and hyphens, 2 to 64 characters.
    city: GeoNames id. setting: beach, city, desert, mountain or holy.
    free_days: days before the arrival until which cancelling is free, at `free_until_time` there; None: non-refundable
        (then `penalty` is «full»). penalty: «first_night» or «full».
    tax_percent: already in the prices. local_fee_minor: a room a night, paid at the hotel, in minor units.
    pictures: «hotel/IDENTIFIER/N» or https URLs.
    """

    identifier: str
    name_ar: str
    name_en: str
    city: int
    city_ar: str
    city_en: str
    country: str
    stars: int
    latitude: float
    longitude: float
    setting: str
    timezone: str
    currency: str
    supplier: str = "inventory"
    area_ar: str = ""
    area_en: str = ""
    address_ar: str = ""
    address_en: str = ""
    amenities: tuple[str, ...] = ()
    check_in_from: time = time(14)
    check_out_until: time = time(12)
    free_days: int | None = 1
    free_until_time: time = time(18)
    penalty: str = "first_night"
    tax_percent: Decimal = Decimal(0)
    local_fee_minor: int = 0
    pictures: tuple[str, ...] = ()
    phone: str = ""
    demo: bool = False
    listed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotel(HotelFacts):
    """A hotel of the catalogue."""

    id: HotelId


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTypeFacts:
    """A kind of room. `code` is unique within the hotel; kind: double, twin, family, suite …; board: RO, BB, HB, FB, AI.

    capacity: how many people sleep in it, of whom up to `max_adults` are adults; a child may take an adult's place, so
        max_adults + max_children is at least the capacity.
    allotment: rooms on every night that an operator did not edit.
    """

    code: str
    name_ar: str
    name_en: str
    kind: str
    capacity: int
    max_adults: int
    allotment: int
    max_children: int = 0
    beds: str = ""
    board: str = "RO"
    view: str = ""
    listed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomType(RoomTypeFacts):
    """A room type of the catalogue."""

    id: RoomTypeId
    hotel_id: HotelId


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of a room a night, in minor units, on the nights [from_night, to_night] whose weekday is in the mask."""

    from_night: date
    to_night: date
    price: int
    weekdays: int = EVERY_DAY
    min_stay: int = 1


@dataclass(frozen=True, slots=True)
class Written(Generic[_Id]):
    """A row that was written: `new` when it was not there before."""

    id: _Id
    new: bool


# ------------------------------------------------------------------------------------------------ reading


async def find(conn: asyncpg.Connection, *, identifier: str) -> Hotel | None:
    """A hotel by its public identifier, listed or not."""
    row = await conn.fetchrow("SELECT * FROM hotels WHERE identifier = $1", identifier)
    return None if row is None else _hotel(row)


async def read(conn: asyncpg.Connection, *, ids: Sequence[HotelId]) -> dict[HotelId, Hotel]:
    """Those of the hotels that exist."""
    rows = await conn.fetch("SELECT * FROM hotels WHERE id = ANY ($1::uuid[])", ids)
    return {HotelId(row["id"]): _hotel(row) for row in rows}


async def find_by_name(
    conn: asyncpg.Connection, *, name: str, city: int | None = None, limit: int = 5
) -> list[Hotel]:
    """Listed hotels whose name in either language contains these letters; of one city, or anywhere."""
    rows = await conn.fetch(
        """
        SELECT * FROM hotels
        WHERE listed AND ($2::bigint IS NULL OR city = $2)
          AND (strpos(lower(name_en), lower($1)) > 0 OR strpos(name_ar, $1) > 0)
        ORDER BY length(name_en), id LIMIT $3
        """,
        name,
        city,
        limit,
    )
    return [_hotel(row) for row in rows]


async def areas(conn: asyncpg.Connection, *, city: int) -> list[tuple[str, str]]:
    """The areas of a city where listed hotels are, as (Arabic, English) names, those with most hotels first."""
    rows = await conn.fetch(
        """
        SELECT area_ar, area_en FROM hotels WHERE listed AND city = $1 AND area_en <> ''
        GROUP BY area_ar, area_en ORDER BY count(*) DESC, area_en
        """,
        city,
    )
    return [(row["area_ar"], row["area_en"]) for row in rows]


async def find_room_type(conn: asyncpg.Connection, *, room_type: RoomTypeId) -> RoomType | None:
    """A room type by its key, listed or not."""
    row = await conn.fetchrow("SELECT * FROM room_types WHERE id = $1", room_type)
    return None if row is None else room_type_of(row)


async def read_room_types(
    conn: asyncpg.Connection, *, ids: Sequence[RoomTypeId]
) -> dict[RoomTypeId, RoomType]:
    """Those of the room types that exist."""
    rows = await conn.fetch("SELECT * FROM room_types WHERE id = ANY ($1::uuid[])", ids)
    return {RoomTypeId(row["id"]): room_type_of(row) for row in rows}


async def room_types(conn: asyncpg.Connection, *, hotel: HotelId) -> list[RoomType]:
    """All room types of a hotel, the smallest first."""
    rows = await conn.fetch("SELECT * FROM room_types WHERE hotel_id = $1 ORDER BY capacity, code", hotel)
    return [room_type_of(row) for row in rows]


async def count(conn: asyncpg.Connection) -> int:
    """How many hotels the catalogue has; 0 is an empty one."""
    return int(await conn.fetchval("SELECT count(*) FROM hotels"))


# ------------------------------------------------------------------------------------------------ writing


async def upsert_hotels(
    conn: asyncpg.Connection, *, hotels: Sequence[HotelFacts]
) -> dict[str, Written[HotelId]]:
    """Insert or update by identifier; an identifier may come once. Returns identifier → what was written.

    A changed city or listing needs `rebuild_blocks` of the hotel's room types.
    Raises asyncpg.ForeignKeyViolationError for a currency without an exchange rate, CheckViolationError for bad facts.
    """
    rows = await conn.fetch(
        """
        WITH given AS (
            SELECT * FROM jsonb_populate_recordset(NULL::hotels, $1)
        ), known AS (
            SELECT identifier FROM hotels WHERE identifier IN (SELECT identifier FROM given)
        ), written AS (
            INSERT INTO hotels (
                identifier, supplier, name_ar, name_en, city, city_ar, city_en, country, area_ar, area_en, address_ar,
                address_en, stars, latitude, longitude, setting, amenities, check_in_from, check_out_until, timezone,
                currency, free_days, free_until_time, penalty, tax_percent, local_fee_minor, pictures, phone, demo, listed)
            SELECT
                identifier, supplier, name_ar, name_en, city, city_ar, city_en, country, area_ar, area_en, address_ar,
                address_en, stars, latitude, longitude, setting, amenities, check_in_from, check_out_until, timezone,
                currency, free_days, free_until_time, penalty, tax_percent, local_fee_minor, pictures, phone, demo, listed
            FROM given ORDER BY identifier
            ON CONFLICT (identifier) DO UPDATE SET
                supplier = excluded.supplier, name_ar = excluded.name_ar, name_en = excluded.name_en,
                city = excluded.city, city_ar = excluded.city_ar, city_en = excluded.city_en,
                country = excluded.country, area_ar = excluded.area_ar, area_en = excluded.area_en,
                address_ar = excluded.address_ar, address_en = excluded.address_en, stars = excluded.stars,
                latitude = excluded.latitude, longitude = excluded.longitude, setting = excluded.setting,
                amenities = excluded.amenities, check_in_from = excluded.check_in_from,
                check_out_until = excluded.check_out_until, timezone = excluded.timezone,
                currency = excluded.currency, free_days = excluded.free_days,
                free_until_time = excluded.free_until_time, penalty = excluded.penalty,
                tax_percent = excluded.tax_percent, local_fee_minor = excluded.local_fee_minor,
                pictures = excluded.pictures, phone = excluded.phone, demo = excluded.demo,
                listed = excluded.listed, updated_at = now()
            RETURNING id, identifier
        )
        SELECT w.id, w.identifier, k.identifier IS NULL AS new
        FROM written w LEFT JOIN known k USING (identifier)
        """,
        [_jsonable(hotel) for hotel in hotels],
    )
    return {row["identifier"]: Written(HotelId(row["id"]), row["new"]) for row in rows}


async def upsert_room_types(
    conn: asyncpg.Connection, *, room_types: Sequence[tuple[HotelId, RoomTypeFacts]]
) -> dict[tuple[HotelId, str], Written[RoomTypeId]]:
    """Insert or update by hotel and code; a pair may come once. Returns (hotel, code) → what was written.

    A new allotment applies to every night that was not edited, but never below what is booked. Needs `rebuild_blocks`.
    Raises asyncpg.ForeignKeyViolationError for an unknown hotel, CheckViolationError for bad facts.
    """
    given = [_jsonable(facts) | {"hotel_id": str(hotel)} for hotel, facts in room_types]
    await conn.fetch(
        """
        SELECT t.id FROM room_types t
        JOIN jsonb_to_recordset($1) AS g(hotel_id uuid, code text) USING (hotel_id, code)
        ORDER BY t.id FOR NO KEY UPDATE OF t
        """,
        given,
    )
    rows = await conn.fetch(
        """
        WITH given AS (
            SELECT * FROM jsonb_populate_recordset(NULL::room_types, $1)
        ), known AS (
            SELECT t.hotel_id, t.code, t.allotment FROM room_types t JOIN given g USING (hotel_id, code)
        ), written AS (
            INSERT INTO room_types (
                hotel_id, code, name_ar, name_en, kind, capacity, max_adults, max_children, beds, board, view, allotment,
                listed)
            SELECT
                hotel_id, code, name_ar, name_en, kind, capacity, max_adults, max_children, beds, board, view, allotment,
                listed
            FROM given ORDER BY hotel_id, code
            ON CONFLICT (hotel_id, code) DO UPDATE SET
                name_ar = excluded.name_ar, name_en = excluded.name_en, kind = excluded.kind,
                capacity = excluded.capacity, max_adults = excluded.max_adults, max_children = excluded.max_children,
                beds = excluded.beds, board = excluded.board, view = excluded.view, allotment = excluded.allotment,
                listed = excluded.listed, updated_at = now()
            RETURNING id, hotel_id, code, allotment
        ), followed AS (
            UPDATE room_nights n SET allotment = greatest(w.allotment, n.booked)
            FROM written w WHERE n.room_type_id = w.id AND NOT n.edited AND n.allotment <> w.allotment
        )
        SELECT w.id, w.hotel_id, w.code, k.code IS NULL AS new
        FROM written w LEFT JOIN known k USING (hotel_id, code)
        """,
        given,
    )
    return {
        (HotelId(row["hotel_id"]), row["code"]): Written(RoomTypeId(row["id"]), row["new"]) for row in rows
    }


async def replace_rates(conn: asyncpg.Connection, *, rates: Mapping[RoomTypeId, Sequence[Rate]]) -> None:
    """These rates and no others for these room types; of two ranges of one length the later given wins.

    Shows in searches after `rebuild_blocks`.
    """
    await conn.execute("DELETE FROM room_rates WHERE room_type_id = ANY ($1::uuid[])", list(rates))
    await _insert_rates(conn, rates)


async def add_rates(conn: asyncpg.Connection, *, rates: Mapping[RoomTypeId, Sequence[Rate]]) -> None:
    """Put these rates over those there are; one with the same range and weekdays is replaced.

    Shows in searches after `rebuild_blocks`.
    """
    lines = [(room_type, rate) for room_type, many in rates.items() for rate in many]
    await conn.execute(
        """
        DELETE FROM room_rates r
        USING unnest($1::uuid[], $2::date[], $3::date[], $4::smallint[]) AS g(room_type_id, from_night, to_night, weekdays)
        WHERE r.room_type_id = g.room_type_id AND r.from_night = g.from_night AND r.to_night = g.to_night
          AND r.weekdays = g.weekdays
        """,
        [room_type for room_type, _ in lines],
        [rate.from_night for _, rate in lines],
        [rate.to_night for _, rate in lines],
        [rate.weekdays for _, rate in lines],
    )
    await _insert_rates(conn, rates)


async def _insert_rates(conn: asyncpg.Connection, rates: Mapping[RoomTypeId, Sequence[Rate]]) -> None:
    lines = [(room_type, rate) for room_type, many in rates.items() for rate in many]
    await conn.execute(
        """
        INSERT INTO room_rates (room_type_id, from_night, to_night, weekdays, price, min_stay)
        SELECT room_type_id, from_night, to_night, weekdays, price, min_stay
        FROM unnest($1::uuid[], $2::date[], $3::date[], $4::smallint[], $5::bigint[], $6::smallint[])
            WITH ORDINALITY AS g(room_type_id, from_night, to_night, weekdays, price, min_stay, place)
        ORDER BY place
        """,
        [room_type for room_type, _ in lines],
        [rate.from_night for _, rate in lines],
        [rate.to_night for _, rate in lines],
        [rate.weekdays for _, rate in lines],
        [rate.price for _, rate in lines],
        [rate.min_stay for _, rate in lines],
    )


async def rebuild_blocks(
    conn: asyncpg.Connection, *, room_types: Sequence[RoomTypeId], from_day: date, to_day: date
) -> int:
    """Bring what searches read up to date for the nights [from_day, to_day]; returns the number of blocks written.

    About 2 s for 1,200 room types over 18 months. Locks the room types until the transaction ends: bookings of these
    wait so long.
    """
    return int(
        await conn.fetchval(
            "SELECT app.rebuild_blocks($1::uuid[], $2::date, $3::date)",
            room_types,
            from_day,
            to_day,
            timeout=300,
        )
    )


# ------------------------------------------------------------------------------------------------ rows


def _jsonable(facts: HotelFacts | RoomTypeFacts) -> dict[str, Any]:
    return {
        name: value.isoformat()
        if isinstance(value, time)
        else str(value)
        if isinstance(value, Decimal)
        else value
        for name, value in asdict(facts).items()
    }


def _hotel(row: asyncpg.Record) -> Hotel:
    columns = {field.name: row[field.name] for field in fields(Hotel)}
    return Hotel(**columns | {"amenities": tuple(row["amenities"]), "pictures": tuple(row["pictures"])})


def room_type_of(row: asyncpg.Record) -> RoomType:
    """The room type in a row that has all of its columns, and maybe more."""
    return RoomType(**{field.name: row[field.name] for field in fields(RoomType)})
