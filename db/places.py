"""Where the catalogue has hotels: cities by popularity, by country and by distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Connection, Record


@dataclass(frozen=True, slots=True)
class City:
    """A city with listed hotels. id: GeoNames id; hotels: how many are listed."""

    id: int
    name_ar: str
    name_en: str
    country: str
    hotels: int

    def name(self, language: str) -> str:
        """Its name in «ar» or «en»."""
        return self.name_ar if language == "ar" else self.name_en


async def popular_cities(conn: Connection, *, country: str, most: int) -> list[City]:
    """The cities with the most listed hotels, those of `country` first."""
    rows = await conn.fetch(
        """
        SELECT city, min(city_ar) AS city_ar, min(city_en) AS city_en, country, count(*) AS hotels
        FROM hotels WHERE listed
        GROUP BY city, country
        ORDER BY (country = $1) DESC, count(*) DESC, city
        LIMIT $2
        """,
        country,
        most,
    )
    return [_city(row) for row in rows]


async def cities_of(conn: Connection, *, country: str, most: int) -> list[City]:
    """The cities of a country that have listed hotels, most hotels first."""
    rows = await conn.fetch(
        """
        SELECT city, min(city_ar) AS city_ar, min(city_en) AS city_en, country, count(*) AS hotels
        FROM hotels WHERE listed AND country = $1
        GROUP BY city, country
        ORDER BY count(*) DESC, city
        LIMIT $2
        """,
        country,
        most,
    )
    return [_city(row) for row in rows]


async def has_hotels(conn: Connection, *, city: int) -> bool:
    """Whether any hotel of the city is listed."""
    found = await conn.fetchval("SELECT EXISTS (SELECT FROM hotels WHERE city = $1 AND listed)", city)
    return bool(found)


async def nearest_city(
    conn: Connection, *, latitude: float, longitude: float, within_km: float
) -> City | None:
    """The city whose hotels lie nearest to a point, by great-circle distance (haversine, Earth radius 6,371 km)."""
    row = await conn.fetchrow(
        """
        WITH centres AS (
            SELECT city, min(city_ar) AS city_ar, min(city_en) AS city_en, country, count(*) AS hotels,
                   avg(latitude) AS latitude, avg(longitude) AS longitude
            FROM hotels WHERE listed GROUP BY city, country
        ), measured AS (
            SELECT *, 2 * 6371 * asin(least(1, sqrt(
                sin(radians(latitude - $1) / 2) ^ 2
                + cos(radians($1)) * cos(radians(latitude)) * sin(radians(longitude - $2) / 2) ^ 2
            ))) AS km
            FROM centres
        )
        SELECT city, city_ar, city_en, country, hotels FROM measured WHERE km <= $3 ORDER BY km LIMIT 1
        """,
        latitude,
        longitude,
        within_km,
    )
    return None if row is None else _city(row)


async def named_hotel(conn: Connection, *, names: Sequence[str], city: int | None) -> list[str]:
    """Identifiers of listed hotels with one of these names in either language, in `city` when given; at most five."""
    rows = await conn.fetch(
        """
        SELECT identifier FROM hotels
        WHERE listed AND ($2::bigint IS NULL OR city = $2)
          AND (name_ar = ANY ($1::text[]) OR lower(name_en) = ANY ($1::text[]))
        ORDER BY identifier LIMIT 5
        """,
        list(names),
        city,
    )
    return [row["identifier"] for row in rows]


def _city(row: Record) -> City:
    return City(
        id=row["city"],
        name_ar=row["city_ar"],
        name_en=row["city_en"],
        country=row["country"],
        hotels=row["hotels"],
    )
