"""Digits and separators: Latin digits by default, Arabic-Indic on request.

Babel's `ar_EG` and `ar_SA` put Arabic separators between Latin digits (1٬234٬567), so digits and separators are always
taken together: CLDR's Latin symbols of the country with Latin digits (Morocco writes 1.240,50), and ٬ ٫ ٪ with
Arabic-Indic ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Final, Literal

from babel import Locale

from locales.bidi import FSI, PDI

Digits = Literal["latn", "arab"]

_ARABIC_INDIC: Final = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_WRITTEN: Final = re.compile(rf"{FSI}[^{PDI}]*{PDI}|\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Numerals:
    """How numbers are written in one locale."""

    group: str
    decimal: str
    arabic_indic: bool

    def number(self, value: int | float | Decimal, *, least: int = 0, most: int = 2) -> str:
        """Grouped by thousands, with `least` to `most` decimals (rounded half to even, as CLDR does)."""
        exact = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
        if not exact.is_finite():
            raise ValueError(f"{value} is not a number one can say")
        whole, _, fraction = f"{exact.quantize(Decimal(1).scaleb(-most), ROUND_HALF_EVEN):,f}".partition(".")
        fraction = fraction.rstrip("0").ljust(least, "0")
        if whole == "-0" and not fraction.strip("0"):
            whole = "0"
        return self._dress(f"{whole}.{fraction}" if fraction else whole)

    def plain(self, digits: str) -> str:
        """Digits that are no amount (a day, a year, a clock) in the chosen script."""
        return digits.translate(_ARABIC_INDIC) if self.arabic_indic else digits

    def written(self, text: str) -> str:
        """Numbers written into a sentence (1,500) as this locale writes them; what is isolated stays as it is."""
        if not self.arabic_indic and self.group == "," and self.decimal == ".":
            return text
        return _WRITTEN.sub(lambda found: found[0] if found[0][0] == FSI else self._dress(found[0]), text)

    def _dress(self, number: str) -> str:
        whole, point, fraction = number.partition(".")
        return self.plain(whole.replace(",", self.group) + (self.decimal if point else "") + fraction)


@cache
def numerals(locale: str, digits: Digits) -> Numerals:
    """The numerals of a Babel locale identifier."""
    if digits == "arab":
        return Numerals(group="٬", decimal="٫", arabic_indic=True)
    symbols = Locale.parse(locale).number_symbols["latn"]
    return Numerals(group=symbols["group"], decimal=symbols["decimal"], arabic_indic=False)
