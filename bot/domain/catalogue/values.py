"""What a cell may say. Every parser takes the stripped text and raises Wrong with a sentence for the operator."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from bot.errors import RahhalError
from db.hotels import EVERY_DAY
from locales.currency import EXPONENTS, minor_units

Parse = Callable[[str], object]

MOST_MINOR = 2_000_000_000
"""The highest price of a night, in minor units: what a search block holds."""


class Wrong(RahhalError):
    """A cell cannot be understood. The message is for the operator."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file. required: every row must fill it. example: what the template shows."""

    name: str
    parse: Parse
    doc: str
    example: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()


def latin(text: str) -> str:
    """Every script's decimal digits as 0-9, the Arabic decimal separator as «.»; the Arabic thousands separator goes."""
    digits = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
    return digits.replace("\u066b", ".").replace("\u066c", "").replace("\u200f", "").replace("\u200e", "")


def text(least: int, most: int) -> Parse:
    def parse(cell: str) -> str:
        plain = unicodedata.normalize("NFC", " ".join(cell.split()))
        if any(
            unicodedata.category(letter) in {"Cc", "Cs", "Cf"} and letter not in "\u200c\u200d"
            for letter in plain
        ):
            raise Wrong("holds invisible control characters")
        if not least <= len(plain) <= most:
            raise Wrong(f"must have {least} to {most} characters, has {len(plain)}")
        return plain

    return parse


def pattern(expression: str, says: str, *, lower: bool = False, upper: bool = False) -> Parse:
    def parse(cell: str) -> str:
        plain = latin(cell)
        plain = plain.lower() if lower else plain.upper() if upper else plain
        if not re.fullmatch(expression, plain, re.ASCII):
            raise Wrong(f"«{cell[:60]}» is not {says}")
        return plain

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(cell: str) -> int:
        plain = latin(cell)
        if not re.fullmatch(r"\d{1,9}", plain, re.ASCII) or not least <= int(plain) <= most:
            raise Wrong(f"«{cell[:60]}» is not a whole number from {least} to {most}")
        return int(plain)

    return parse


def number(least: float, most: float) -> Parse:
    def parse(cell: str) -> Decimal:
        plain = latin(cell)
        if (
            not re.fullmatch(r"-?\d{1,12}(\.\d{1,12})?", plain, re.ASCII)
            or not least <= Decimal(plain) <= most
        ):
            raise Wrong(
                f"«{cell[:60]}» is not a number from {least:g} to {most:g} (with «.» before decimals)"
            )
        return Decimal(plain)

    return parse


def amount(cell: str) -> Decimal:
    """An amount of money in whole units, exact. `minor` makes minor units of it once the currency is known."""
    plain = latin(cell)
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", plain, re.ASCII):
        raise Wrong(
            f"«{cell[:60]}» is not an amount: write 1500 or 1500.50, without a currency or thousands separators"
        )
    return Decimal(plain)


def minor(value: Decimal, currency: str) -> int:
    """Minor units, exactly. Raises Wrong when the currency has fewer decimals than the amount."""
    digits = minor_units(currency)
    scaled = value.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise Wrong(f"{value} has more decimals than {currency} has ({digits})")
    if scaled > MOST_MINOR:
        raise Wrong(f"{value} {currency} is more than can be kept for a night")
    return int(scaled)


def day(cell: str) -> date:
    plain = latin(cell)
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", plain, re.ASCII):
        year, month, number_ = map(int, found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", plain, re.ASCII):
        number_, month, year = map(int, found.groups())
    else:
        raise Wrong(f"«{cell[:60]}» is not a date: write 2027-03-20 or 20/03/2027 (day first)")
    try:
        said = date(year, month, number_)
    except ValueError:
        raise Wrong(f"«{cell[:60]}» is no day of the calendar") from None
    if not date(2000, 1, 3) <= said < date(2200, 1, 1):
        raise Wrong(f"«{cell[:60]}» is too far away")
    return said


def clock(cell: str) -> time:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", latin(cell), re.ASCII)
    if found and int(found[1]) < 24 and int(found[2]) < 60:
        return time(int(found[1]), int(found[2]))
    raise Wrong(f"«{cell[:60]}» is not a time: write 14:00")


def choice(words: dict[str, Iterable[str]]) -> Parse:
    """One of the keys, by itself or one of its words."""
    known = {word.casefold(): key for key, many in words.items() for word in (key, *many)}

    def parse(cell: str) -> str:
        try:
            return known[" ".join(cell.casefold().split())]
        except KeyError:
            raise Wrong(f"«{cell[:60]}» is none of {', '.join(words)}") from None

    return parse


def parts(cell: str) -> list[str]:
    """The pieces of a cell with a list: «pool|wifi», «الخميس، الجمعة»."""
    return [piece.strip() for piece in re.split(r"[|،\n]", cell) if piece.strip()]


def several(one: Parse, most: int) -> Parse:
    def parse(cell: str) -> tuple[object, ...]:
        found = tuple(dict.fromkeys(one(piece) for piece in parts(cell)))
        if len(found) > most:
            raise Wrong(f"more than {most} of them")
        return found

    return parse


_DAYS = choice(
    {
        "mon": ("monday", "الاثنين", "الإثنين", "اثنين"),
        "tue": ("tuesday", "الثلاثاء", "ثلاثاء"),
        "wed": ("wednesday", "الأربعاء", "الاربعاء", "أربعاء"),
        "thu": ("thursday", "الخميس", "خميس"),
        "fri": ("friday", "الجمعة", "جمعة"),
        "sat": ("saturday", "السبت", "سبت"),
        "sun": ("sunday", "الأحد", "الاحد", "أحد"),
    }
)


def weekdays(cell: str) -> int:
    """A mask of nights: bit 0 is Monday."""
    order = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    mask = 0
    for piece in parts(cell):
        mask |= 1 << order.index(str(_DAYS(piece)))
    return mask or EVERY_DAY


_zones = cache(available_timezones)


def zone(cell: str) -> str:
    if cell not in _zones():
        raise Wrong(f"«{cell[:60]}» is not a time zone such as Africa/Cairo")
    return cell


def currency(cell: str) -> str:
    code = cell.upper()
    if code not in EXPONENTS:
        raise Wrong(f"«{cell[:60]}» is not a currency known here (ISO code, such as EGP)")
    return code


def picture(cell: str) -> str:
    try:
        address = urlsplit(cell)
    except ValueError:
        address = urlsplit("")
    if address.scheme != "https" or not address.hostname or len(cell) > 2048 or re.search(r"\s", cell):
        raise Wrong(f"«{cell[:60]}» is not an https address")
    return cell
