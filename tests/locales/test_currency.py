"""Exponents are pinned; Money is exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import get_currency_precision

from locales import Money, UnknownCurrency, minor_units
from locales.catalogue import catalogue
from locales.currency import ARABIC_SYMBOLS, ENGLISH_SYMBOLS, EXPONENTS, UNITS


@pytest.mark.parametrize(
    ("digits", "currencies"),
    [
        (0, "IQD LBP SYP YER IRR"),
        (2, "EGP SAR AED QAR MAD DZD SDG MRU USD EUR GBP TRY"),
        (3, "KWD BHD OMR JOD TND LYD"),
    ],
)
def test_the_pinned_exponents(digits: int, currencies: str) -> None:
    assert {minor_units(currency) for currency in currencies.split()} == {digits}


def test_the_table_agrees_with_cldr_or_keeps_the_minor_unit() -> None:
    """A CLDR that drops a minor unit later must not change stored amounts unnoticed."""
    written_whole_but_charged_in_hundredths = {
        "MUR",
        "PKR",
        "IDR",
        "TZS",
        "HUF",
        "CZK",
        "HKD",
        "NOK",
        "SEK",
        "DKK",
    }
    differing = {code for code, digits in EXPONENTS.items() if get_currency_precision(code) != digits}
    assert differing <= written_whole_but_charged_in_hundredths


def test_every_currency_with_a_symbol_or_a_noun_is_pinned_and_said() -> None:
    assert {*ARABIC_SYMBOLS, *ENGLISH_SYMBOLS, *UNITS} <= set(EXPONENTS)
    assert {f"noun.{unit}" for unit in UNITS.values()} <= set(catalogue("ar").nouns)
    assert not any(symbol.endswith(".") for symbol in ARABIC_SYMBOLS.values())


def test_money_is_exact() -> None:
    assert Money(372050, "EGP").major == Decimal("3720.50")
    assert Money(9_007_199_254_740_993, "KWD").major == Decimal("9007199254740.993")
    with pytest.raises(UnknownCurrency, match="XYZ"):
        minor_units("XYZ")
