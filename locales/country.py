"""From a language tag to a language we speak and a country whose week and month names we know.

A country is always there: bare «ar» would bring the wrong week start and the wrong months.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError

from locales.catalogue import languages

DEFAULT_COUNTRY: Final = "EG"


def resolve(tag: str) -> tuple[str, str]:
    """«ar-SA» → («ar», «SA»). An unknown language becomes the first of ours, an absent or unknown country Egypt."""
    language, _, rest = tag.replace("_", "-").lower().partition("-")
    country = next(
        (part.upper() for part in rest.split("-") if len(part) == 2 and part.isalpha()), DEFAULT_COUNTRY
    )
    try:
        week(country)
    except (UnknownLocaleError, ValueError):
        country = DEFAULT_COUNTRY
    return language if language in languages() else languages()[0], country


@lru_cache(maxsize=512)
def formats(language: str, country: str) -> Locale:
    """Names of months and days: Arabic as each Arab country writes it, Egypt's elsewhere; English as in Britain."""
    if language != "ar":
        return Locale.parse("en_GB")
    try:
        return Locale.parse(f"ar_{country}")
    except UnknownLocaleError:
        return Locale.parse(f"ar_{DEFAULT_COUNTRY}")


@lru_cache(maxsize=512)
def week(country: str) -> Locale:
    """A locale of the country, for its week: CLDR keeps weeks by territory. Raises UnknownLocaleError or ValueError."""
    return Locale.parse(f"und_{country}")
