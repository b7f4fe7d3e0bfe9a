"""Money as integer minor units, with one pinned table of exponents.

The exponents are CLDR's digits (supplemental/currencyData, version 47), which follow how prices are written today: IQD, LBP, SYP,
YER, IRR and SOS have no minor unit in use, although ISO 4217 lists two or three digits. A currency that is not
listed here is refused rather than guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.errors import RahhalError

_WITHOUT: Final = "CLP DJF IQD IRR ISK JPY KMF KRW LBP PYG SOS SYP UGX VND XAF XOF YER"
_WITH_TWO: Final = (
    "AED AMD AUD AZN BAM BDT BRL CAD CHF CNY CZK DKK DZD EGP EUR GBP GEL HKD HUF IDR ILS INR KES LKR MAD MRU MUR MVR MXN "
    "MYR NOK NZD PHP PKR PLN QAR RON RUB SAR SCR SDG SEK SGD SSP THB TRY TZS USD ZAR"
)
_WITH_THREE: Final = "BHD JOD KWD LYD OMR TND"

EXPONENTS: Final[dict[str, int]] = {
    code: digits
    for digits, codes in ((0, _WITHOUT), (2, _WITH_TWO), (3, _WITH_THREE))
    for code in codes.split()
}
"""ISO 4217 code → decimal digits of the minor unit."""

ARABIC_SYMBOLS: Final[dict[str, str]] = {
    "AED": "د.إ",
    "BHD": "د.ب",
    "DZD": "د.ج",
    "EGP": "ج.م",
    "IQD": "د.ع",
    "JOD": "د.أ",
    "KWD": "د.ك",
    "LBP": "ل.ل",
    "LYD": "د.ل",
    "MAD": "د.م",
    "MRU": "أ.م",
    "OMR": "ر.ع",
    "QAR": "ر.ق",
    "SAR": "ر.س",
    "SDG": "ج.س",
    "SYP": "ل.س",
    "TND": "د.ت",
    "YER": "ر.ي",
}
"""CLDR's Arabic symbols without their last full stop and direction mark, so that one can stand inside a sentence."""

ENGLISH_SYMBOLS: Final[dict[str, str]] = {"EUR": "€", "GBP": "£", "USD": "$"}

UNITS: Final[dict[str, str]] = {
    "AED": "dirham",
    "BHD": "dinar",
    "DJF": "franc",
    "DZD": "dinar",
    "EGP": "pound",
    "EUR": "euro",
    "GBP": "sterling",
    "IQD": "dinar",
    "IRR": "iranian_rial",
    "JOD": "dinar",
    "KMF": "franc",
    "KWD": "dinar",
    "LBP": "lira",
    "LYD": "dinar",
    "MAD": "dirham",
    "MRU": "ouguiya",
    "OMR": "riyal",
    "QAR": "riyal",
    "SAR": "riyal",
    "SDG": "pound",
    "SOS": "shilling",
    "SYP": "lira",
    "TND": "dinar",
    "TRY": "turkish_lira",
    "USD": "dollar",
    "YER": "riyal",
}
"""ISO 4217 code → the counted noun (`noun.…`) that people say for it."""


class UnknownCurrency(RahhalError):
    """No exponent is pinned for this code."""


def minor_units(currency: str) -> int:
    """Decimal digits of the currency's minor unit: 2 for EGP, 3 for KWD, 0 for IQD. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"no exponent is pinned for the currency {currency!r}") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (372000 is 3,720.00 EGP) with its ISO 4217 code."""

    minor: int
    currency: str

    @property
    def major(self) -> Decimal:
        """The amount in whole units, exact. Raises UnknownCurrency."""
        return Decimal(self.minor).scaleb(-minor_units(self.currency))
