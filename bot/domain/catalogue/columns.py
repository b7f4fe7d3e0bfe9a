"""The columns of the three files, and the templates made of them. Names and meanings stand in columns.tsv."""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib import resources

from bot.domain.catalogue import values
from bot.domain.catalogue.values import Column, Parse, Wrong
from locales.catalogue import catalogue

KINDS = ("hotels", "rates", "allotments")
NOT_REFUNDABLE = "none"


@cache
def _amenities() -> dict[str, str]:
    """What may be called an amenity → its name in the product: our own word, or its Arabic or English."""
    known: dict[str, str] = {}
    for language in ("en", "ar"):
        for key, said in catalogue(language).sentences.items():
            if key.startswith("amenity."):
                name = key.removeprefix("amenity.")
                known |= {name: name, said.casefold(): name}
    return known


def _amenity(cell: str) -> str:
    try:
        return _amenities()[cell.casefold()]
    except KeyError:
        raise Wrong(f"«{cell[:60]}» is not an amenity known here") from None


def _free_days(cell: str) -> int | str:
    if cell.casefold() in {NOT_REFUNDABLE, "non-refundable", "لا", "غير قابل للاسترداد"}:
        return NOT_REFUNDABLE
    return values.whole(0, 90)(cell)


_IDENTIFIER = values.pattern(
    r"[a-z0-9][a-z0-9-]{1,63}", "an identifier of lower-case letters, digits and hyphens", lower=True
)
_CODE = values.pattern(
    r"[a-z0-9][a-z0-9-]{0,31}", "a code of lower-case letters, digits and hyphens", lower=True
)
_COUNTRY = values.pattern(r"[A-Z]{2}", "a country code of two letters", upper=True)
_PHONE = values.pattern(r"\+?[0-9 ]{5,19}", "a telephone number")
_KIND = values.pattern(r"[a-z][a-z_]{1,31}", "a kind such as double or junior_suite", lower=True)
_VIEW = values.pattern(r"[a-z_]{1,32}", "a view such as sea_view", lower=True)
_YES_NO = values.choice({"yes": ("1", "true", "y", "نعم"), "no": ("0", "false", "n", "لا")})
_SETTING = values.choice(
    {
        "city": ("مدينة",),
        "beach": ("شاطئ", "بحر"),
        "desert": ("صحراء",),
        "mountain": ("جبل",),
        "holy": ("حرم",),
    }
)
_PENALTY = values.choice(
    {"first_night": ("first night", "الليلة الأولى"), "full": ("كاملة", "الإقامة كاملة")}
)
_BOARD = values.choice(
    {
        "RO": ("غرفة فقط",),
        "BB": ("إفطار", "شامل الإفطار", "شاملة الإفطار"),
        "HB": ("نصف إقامة",),
        "FB": ("إقامة كاملة",),
        "AI": ("شامل جميع الوجبات",),
    }
)

_PARSERS: dict[str, Parse] = {
    "address_ar": values.text(1, 200),
    "address_en": values.text(1, 200),
    "amenities": values.several(_amenity, 60),
    "area_ar": values.text(1, 80),
    "area_en": values.text(1, 80),
    "beds": values.text(1, 60),
    "board": _BOARD,
    "capacity": values.whole(1, 20),
    "check_in_from": values.clock,
    "check_out_until": values.clock,
    "city": values.text(1, 80),
    "country": _COUNTRY,
    "currency": values.currency,
    "free_days": _free_days,
    "free_until_time": values.clock,
    "from": values.day,
    "hotel": _IDENTIFIER,
    "identifier": _IDENTIFIER,
    "latitude": values.number(-90, 90),
    "listed": _YES_NO,
    "local_fee": values.amount,
    "longitude": values.number(-180, 180),
    "max_adults": values.whole(1, 20),
    "max_children": values.whole(0, 19),
    "min_stay": values.whole(1, 90),
    "name_ar": values.text(2, 120),
    "name_en": values.text(2, 120),
    "penalty": _PENALTY,
    "phone": _PHONE,
    "pictures": values.several(values.picture, 20),
    "price": values.amount,
    "room": _CODE,
    "room_kind": _KIND,
    "room_name_ar": values.text(2, 120),
    "room_name_en": values.text(2, 120),
    "rooms": values.whole(0, 10_000),
    "setting": _SETTING,
    "stars": values.whole(1, 5),
    "tax_percent": values.number(0, 50),
    "timezone": values.zone,
    "to": values.day,
    "view": _VIEW,
    "weekdays": values.weekdays,
}


@cache
def columns(kind: str) -> tuple[Column, ...]:
    """The columns of hotels, rates or allotments, in the order of the template. Raises KeyError for another kind."""
    if kind not in KINDS:
        raise KeyError(kind)
    text = resources.files(__package__).joinpath("columns.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    mine = {kind} if kind == "hotels" else {kind, "room"}
    return tuple(
        Column(
            name=row["column"],
            parse=_PARSERS[row["column"]],
            doc=row["meaning"],
            example=row["example"],
            required=row["required"] == "yes",
            aliases=tuple(row["other_names"].split("|")),
        )
        for row in rows
        if row["file"] in mine
    )


def template(kind: str) -> str:
    """A file of hotels, rates or allotments to start from: what the columns mean, the header, an example row.

    An import passes over the lines that begin with #. Raises KeyError for another kind.
    """
    out = io.StringIO()
    for column in columns(kind):
        out.write(f"# {column.name}{' (required)' if column.required else ''}: {column.doc}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.name for column in columns(kind))
    writer.writerow(column.example for column in columns(kind))
    return out.getvalue()
