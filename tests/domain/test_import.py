"""An operator's files: good rows are kept, bad ones reported by line and column, a second import updates."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from bot.domain.catalogue import (
    KINDS,
    City,
    Limits,
    Report,
    import_allotments,
    import_hotels,
    import_rates,
    template,
)
from bot.domain.catalogue.columns import columns
from bot.errors import ImportRefused
from db import hotels

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CITIES = {
    "360630": City(360630, "القاهرة", "Cairo", "EG"),
    "القاهرة": City(360630, "القاهرة", "Cairo", "EG"),
    "cairo": City(360630, "القاهرة", "Cairo", "EG"),
    "kuwait": City(285787, "مدينة الكويت", "Kuwait City", "KW"),
    "baghdad": City(98182, "بغداد", "Baghdad", "IQ"),
}
HOTELS = "identifier,name_ar,name_en,city,stars,latitude,longitude,timezone,currency"
NILE = "nile,فندق النيل,Nile Hotel,القاهرة,4,30.04,31.22,Africa/Cairo,EGP"
RATES = "hotel,room,from,to,price,room_name_ar,room_name_en,capacity,rooms"
DOUBLE = "nile,double,2027-03-01,2027-03-31,2450.50,غرفة مزدوجة,Double room,2,5"


def find_city(text: str, country: str | None) -> City | None:
    found = CITIES.get(text.casefold())
    return found if found and country in {None, found.country} else None


def file(*lines: str, encoding: str = "utf-8", end: str = "\n") -> io.BytesIO:
    return io.BytesIO(end.join(lines).encode(encoding))


async def bring(conn: asyncpg.Connection, *lines: str) -> Report:
    return await import_hotels(conn, file(*lines), now=NOW, find_city=find_city)


def told(report: Report) -> list[tuple[int, str]]:
    return [(problem.line, problem.column) for problem in sorted(report.problems)]


async def shown(conn: asyncpg.Connection, night: date) -> int:
    """The price searches see in the only room that night; 0 when it is not offered."""
    found = await conn.fetchval(
        "SELECT price[app.day_number($1) % 28 + 1] FROM search_blocks WHERE block = app.day_number($1) / 28",
        night,
    )
    return int(found or 0)


# ------------------------------------------------------------------------------------------------ hotels


async def test_a_hotel_comes_in_with_its_defaults(conn: asyncpg.Connection) -> None:
    report = await bring(conn, HOTELS, NILE)
    assert (report.kept, report.updated, report.problems) == (1, 0, [])
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert (hotel.city, hotel.city_ar, hotel.country, hotel.setting) == (360630, "القاهرة", "EG", "city")
    assert (hotel.free_days, hotel.penalty, hotel.demo, hotel.listed) == (1, "first_night", False, True)


async def test_a_second_import_updates_and_keeps_what_it_does_not_say(conn: asyncpg.Connection) -> None:
    await bring(conn, f"{HOTELS},phone,amenities", f"{NILE},+20 2 1234567,pool|واي فاي")
    report = await bring(conn, HOTELS, NILE.replace("Nile Hotel", "Nile House"))
    assert (report.kept, report.updated) == (1, 1)
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert (hotel.name_en, hotel.phone, hotel.amenities) == ("Nile House", "+20 2 1234567", ("pool", "wifi"))


async def test_bad_rows_are_told_by_line_and_column_and_good_ones_kept(conn: asyncpg.Connection) -> None:
    report = await bring(
        conn,
        HOTELS,
        NILE,
        NILE.replace("nile,", "two words,"),
        NILE.replace("nile,", "h-one,").replace(",4,", ",7,"),
        NILE.replace("nile,", "h-two,").replace("القاهرة", "بلابلا"),
        NILE.replace("nile,", "h-three,").replace("EGP", "XYZ").replace("30.04", "abc"),
        "",
        NILE.replace("nile,", "h-four,").replace("Africa/Cairo", "Cairo time"),
        NILE.replace("nile,", "h-five,").replace("فندق النيل", " "),
        NILE.replace("nile,", "demo-h,"),
        NILE.replace("nile,", "h-six,") + ",too,many",
        NILE.replace("nile,", "h-seven,"),
    )
    assert told(report) == [
        (3, "identifier"),
        (4, "stars"),
        (5, "city"),
        (6, "currency"),
        (6, "latitude"),
        (8, "timezone"),
        (9, "name_ar"),
        (10, "identifier"),
        (11, ""),
    ]
    assert (report.kept, report.refused) == (2, 8)
    assert await hotels.count(conn) == 2


async def test_a_line_that_comes_twice_is_told(conn: asyncpg.Connection) -> None:
    report = await bring(conn, HOTELS, NILE, NILE.replace("Nile Hotel", "Other"))
    assert told(report) == [(3, "identifier")]
    assert "line 2" in str(report.problems[0])
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert hotel.name_en == "Nile Hotel"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_delimiters_marks_and_line_ends(
    conn: asyncpg.Connection, delimiter: str, encoding: str, end: str
) -> None:
    lines = [line.replace(",", delimiter) for line in (HOTELS, NILE, NILE.replace("nile,", "two,"))]
    stream = file(*lines, encoding=encoding, end=end)
    report = await import_hotels(conn, stream, now=NOW, find_city=find_city)
    assert (report.kept, report.problems) == (2, [])


async def test_arabic_headers_and_digits(conn: asyncpg.Connection) -> None:
    report = await bring(
        conn,
        "المُعرّف;الاسم;الاسم بالإنجليزية;المدينة;النجوم;خط العرض;خط الطول;المنطقة الزمنية;العملة;الرسوم المحلية",
        "nile;فندق النيل;Nile Hotel;٣٦٠٦٣٠;٤;٣٠٫٠٤;٣١٫٢٢;Africa/Cairo;EGP;١٢٫٥",
    )
    assert report.problems == []
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert (hotel.stars, hotel.latitude, hotel.local_fee_minor) == (4, 30.04, 1250)


async def test_the_currency_of_a_hotel_stays(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    report = await bring(conn, HOTELS, NILE.replace("EGP", "USD"))
    assert told(report) == [(2, "currency")]


async def test_non_refundable_means_the_whole_price(conn: asyncpg.Connection) -> None:
    await bring(conn, f"{HOTELS},free_days,penalty", f"{NILE},none,first_night")
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert (hotel.free_days, hotel.penalty) == (None, "full")
    await bring(conn, f"{HOTELS},penalty", f"{NILE},first_night")
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert (hotel.free_days, hotel.penalty) == (None, "full")


async def test_a_hotel_of_the_demo_cannot_be_taken_over(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    await conn.execute("UPDATE hotels SET demo = true")
    report = await bring(conn, HOTELS, NILE)
    assert told(report) == [(2, "identifier")]


async def test_no_longer_listed_leaves_the_searches(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    await import_rates(conn, file(RATES, DOUBLE), now=NOW)
    assert await shown(conn, date(2027, 3, 9)) == 245050
    await bring(conn, f"{HOTELS},listed", f"{NILE},لا")
    assert await shown(conn, date(2027, 3, 9)) == 0
    await bring(conn, f"{HOTELS},listed", f"{NILE},نعم")
    assert await shown(conn, date(2027, 3, 9)) == 245050


async def test_quoted_cells_may_hold_delimiters_and_lines(conn: asyncpg.Connection) -> None:
    report = await bring(
        conn,
        f"{HOTELS},address_en",
        f'{NILE},"1, Nile Street',
        'Second floor"',
        NILE.replace(",4,", ",9,").replace("nile,", "two,") + ",x",
    )
    assert told(report) == [(4, "stars")]
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    assert hotel.address_en == "1, Nile Street Second floor"


async def test_an_unclosed_quote_says_what_was_not_read(conn: asyncpg.Connection) -> None:
    report = await bring(conn, HOTELS, NILE, '"two,فندق', NILE.replace("nile,", "three,"))
    assert told(report) == [(3, "")]
    assert "lines 3 to 4 were not read" in str(report.problems[0])
    assert report.kept == 1


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "header"),
        (b"\n\n# nothing\n", "header"),
        (f"{HOTELS}\n{NILE}".encode("cp1256"), "Windows-1256"),
        (f"{HOTELS}\n{NILE}".encode("utf-16"), "UTF-16"),
        (b"identifier,name\nx,caf\xe9 cr\xe8me\n", "not UTF-8 (line 2)"),
        (b"PK\x03\x04rest of a workbook", "workbook"),
        (f"{HOTELS}\nni\0le".encode(), "line 2 holds a NUL"),
        (b"identifier,name_ar\nx,y\n", "lacks name_en, city"),
        (f"{HOTELS},STARS\n{NILE},4".encode(), "stars twice"),
        (b"<html><body>no</body></html>", "lacks"),
    ],
)
async def test_files_that_cannot_be_read_are_refused(
    conn: asyncpg.Connection, content: bytes, says: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        await import_hotels(conn, io.BytesIO(content), now=NOW, find_city=find_city)
    assert says in str(refused.value)


async def test_files_are_bounded(conn: asyncpg.Connection) -> None:
    many = file(HOTELS, *(NILE.replace("nile,", f"n{n},") for n in range(11)))
    with pytest.raises(ImportRefused, match="more than 10 rows"):
        await import_hotels(conn, many, now=NOW, find_city=find_city, limits=Limits(rows=10))
    with pytest.raises(ImportRefused, match="larger than 1 MB"):
        await import_hotels(
            conn,
            io.BytesIO(b"x" * (1 << 20) + b"x"),
            now=NOW,
            find_city=find_city,
            limits=Limits(size=1 << 20),
        )


# ------------------------------------------------------------------------------------------------ rates


async def test_rates_make_rooms_and_show_in_searches(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    report = await import_rates(
        conn,
        file(
            f"{RATES},weekdays,min_stay",
            f"{DOUBLE},,",
            "nile,double,2027-03-01,2027-03-31,3000,,,,,الخميس|fri,2",
            "nile,double,20/03/2027,٢٥/٠٣/٢٠٢٧,4000,,,,,,",
        ),
        now=NOW,
    )
    assert (report.kept, report.updated, report.problems) == (3, 0, [])
    assert await shown(conn, date(2027, 3, 9)) == 245050
    assert await shown(conn, date(2027, 3, 11)) == 300000
    assert await shown(conn, date(2027, 3, 22)) == 400000
    hotel = await hotels.find(conn, identifier="nile")
    assert hotel is not None
    (room,) = await hotels.room_types(conn, hotel=hotel.id)
    assert (room.name_en, room.capacity, room.max_adults, room.allotment, room.board) == (
        "Double room",
        2,
        2,
        5,
        "RO",
    )


async def test_the_same_rates_again_replace_the_earlier(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    await import_rates(conn, file(RATES, DOUBLE), now=NOW)
    report = await import_rates(
        conn, file("hotel,room,from,to,price,rooms", "nile,double,2027-03-01,2027-03-31,2600,7"), now=NOW
    )
    assert (report.kept, report.updated) == (1, 1)
    assert await shown(conn, date(2027, 3, 9)) == 260000
    assert await conn.fetchval("SELECT count(*) FROM room_rates") == 1
    assert await conn.fetchval("SELECT allotment FROM room_types") == 7
    assert await conn.fetchval("SELECT name_en FROM room_types") == "Double room"


async def test_bad_rates(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    report = await import_rates(
        conn,
        file(
            f"{RATES},max_adults",
            DOUBLE + ",",
            "other,double,2027-03-01,2027-03-31,2450,,,,,",
            "nile,double,2027-04-30,2027-04-01,2450,,,,,",
            "nile,double,2027-02-30,2027-04-01,2450,,,,,",
            "nile,double,2027-05-01,2027-05-02,12.345,,,,,",
            "nile,double,2027-05-01,2027-05-03,1 500,,,,,",
            "nile,double,2027-05-01,2027-05-04,0,,,,,",
            "nile,double,2027-05-01,2027-05-05,-5,,,,,",
            "nile,double,2027-05-01,2027-05-06,NaN,,,,,",
            "nile,suite,2027-05-01,2027-05-07,5000,جناح,Suite,,2,",
            "nile,triple,2027-05-01,2027-05-08,5000,ثلاثية,Triple,3,2,4",
            "nile,double,2027-05-01,2027-05-09,2450,,Twin room,,,",
            "nile,double,2027-03-01,2027-03-31,2450,,,,,",
            "nile,double,2027-01-01,2037-12-31,2450,,,,,",
            "nile,double,2027-05-01,2027-05-10,99999999999,,,,,",
        ),
        now=NOW,
    )
    assert told(report) == [
        (3, "hotel"),
        (4, "to"),
        (5, "from"),
        (6, "price"),
        (7, "price"),
        (8, "price"),
        (9, "price"),
        (10, "price"),
        (11, "capacity"),
        (12, "max_adults"),
        (13, "room_name_en"),
        (14, "hotel"),
        (15, "to"),
        (16, "price"),
    ]
    assert (report.kept, report.refused) == (1, 14)


@pytest.mark.parametrize(
    ("city", "currency", "said", "minor"),
    [
        ("kuwait", "KWD", "25.125", 25125),
        ("kuwait", "KWD", "٢٥٫١٢٥", 25125),
        ("baghdad", "IQD", "١٢٥٬٠٠٠", 125000),
        ("baghdad", "IQD", "125000.00", 125000),
        ("baghdad", "IQD", "125000.5", None),
        ("cairo", "EGP", "2450.5", 245050),
        ("cairo", "EGP", "2450.505", None),
        ("cairo", "EGP", "2,450", None),
        ("cairo", "EGP", "2450 EGP", None),
        ("cairo", "EGP", "1e3", None),
    ],
)
async def test_prices_are_exact_or_refused(
    conn: asyncpg.Connection, city: str, currency: str, said: str, minor: int | None
) -> None:
    await bring(conn, HOTELS, NILE.replace("القاهرة", city).replace("EGP", currency))
    report = await import_rates(conn, file(RATES, DOUBLE.replace("2450.50", f'"{said}"')), now=NOW)
    if minor is None:
        assert told(report) == [(2, "price")]
        assert await conn.fetchval("SELECT count(*) FROM room_types") == 0
    else:
        assert report.problems == []
        assert await shown(conn, date(2027, 3, 9)) == minor


async def test_a_demo_hotel_gets_no_rates(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    await conn.execute("UPDATE hotels SET demo = true")
    assert told(await import_rates(conn, file(RATES, DOUBLE), now=NOW)) == [(2, "hotel")]


# ------------------------------------------------------------------------------------------------ allotments


async def test_allotments_close_and_open_nights(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    await import_rates(conn, file(RATES, DOUBLE), now=NOW)
    report = await import_allotments(
        conn,
        file(
            "hotel,room,from,to,rooms",
            "nile,double,2027-03-10,2027-03-12,0",
            "nile,double,2027-03-11,2027-03-11,٣",
            "nile,single,2027-03-10,2027-03-12,1",
            "nile,double,2027-03-10,2027-03-12,4",
        ),
        now=NOW,
    )
    assert told(report) == [(4, "room"), (5, "hotel")]
    assert (report.kept, report.updated) == (2, 2)
    nights = await conn.fetch("SELECT night, allotment FROM room_nights ORDER BY night")
    assert [tuple(row) for row in nights] == [
        (date(2027, 3, 10), 0),
        (date(2027, 3, 11), 3),
        (date(2027, 3, 12), 0),
    ]


async def test_what_is_sold_stays_sold_and_is_told(conn: asyncpg.Connection) -> None:
    await bring(conn, HOTELS, NILE)
    await import_rates(conn, file(RATES, DOUBLE), now=NOW)
    await conn.execute(
        "INSERT INTO room_nights (room_type_id, night, allotment, booked) SELECT id, '2027-03-10', 5, 2 FROM room_types"
    )
    report = await import_allotments(
        conn, file("hotel,room,from,to,rooms", "nile,double,2027-03-09,2027-03-11,1"), now=NOW
    )
    assert (report.kept, report.problems) == (1, [])
    assert [(note.line, note.column) for note in report.notes] == [(2, "rooms")]
    assert "2027-03-10" in str(report.notes[0])
    assert await conn.fetchval("SELECT allotment FROM room_nights WHERE night = '2027-03-10'") == 2


# ------------------------------------------------------------------------------------------------ templates and reports


async def test_every_template_can_be_imported_as_it_is(conn: asyncpg.Connection) -> None:
    made = {kind: io.BytesIO(template(kind).encode()) for kind in KINDS}
    reports = [
        await import_hotels(conn, made["hotels"], now=NOW, find_city=find_city),
        await import_rates(conn, made["rates"], now=NOW),
        await import_allotments(conn, made["allotments"], now=NOW),
    ]
    assert [(report.kept, report.problems, report.notes) for report in reports] == [(1, [], [])] * 3


def test_the_documentation_has_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operator-import.md").read_text(encoding="utf-8")
    for kind, part in zip(KINDS, page.split("\n## ")[-3:], strict=True):
        assert part.startswith(kind)
        rows = {row.split("`")[1]: row for row in part.splitlines() if row.startswith("| `")}
        assert list(rows) == [column.name for column in columns(kind)]
        for column in columns(kind):
            assert ("| yes |" in rows[column.name]) == column.required
            assert all(alias in rows[column.name] for alias in column.aliases)


def test_an_unknown_template_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        template("guests")


async def test_the_report_reads_well(conn: asyncpg.Connection) -> None:
    report = await bring(conn, f"{HOTELS},colour", f"{NILE},red", NILE.replace("nile,", "x,"))
    assert list(report.lines()) == [
        "1 row kept (1 new, 0 updated), 1 refused.",
        "Problems:",
        "  line 3, identifier: «x» is not an identifier of lower-case letters, digits and hyphens",
        "Notes:",
        "  line 1, colour: unknown column, left out",
    ]
    many = await bring(conn, HOTELS, *(NILE.replace("nile,", f"-{n},") for n in range(30)))
    assert list(many.lines(most=10))[-1] == "  … and 20 more."


async def test_a_file_of_thousands_of_rows(conn: asyncpg.Connection) -> None:
    count = 2_500
    await bring(conn, HOTELS, *(NILE.replace("nile,", f"nile-{n},") for n in range(count)))
    assert await hotels.count(conn) == count
    first = date(2027, 1, 1)
    rates = [
        f"nile-1,double,{first + timedelta(days=n)},{first + timedelta(days=n)},{1000 + n},غرفة,Double,2,5"
        for n in range(count)
    ]
    report = await import_rates(conn, file(RATES, *rates), now=NOW)
    assert (report.kept, report.problems) == (count, [])
    assert await shown(conn, first + timedelta(days=700)) == 170000
