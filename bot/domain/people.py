"""What a first contact tells: the language, the country and with it the clock."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers

TIMEZONES = {
    "AE": "Asia/Dubai",
    "BH": "Asia/Bahrain",
    "DJ": "Africa/Djibouti",
    "DZ": "Africa/Algiers",
    "EG": "Africa/Cairo",
    "IQ": "Asia/Baghdad",
    "JO": "Asia/Amman",
    "KM": "Indian/Comoro",
    "KW": "Asia/Kuwait",
    "LB": "Asia/Beirut",
    "LY": "Africa/Tripoli",
    "MA": "Africa/Casablanca",
    "MR": "Africa/Nouakchott",
    "OM": "Asia/Muscat",
    "PS": "Asia/Hebron",
    "QA": "Asia/Qatar",
    "SA": "Asia/Riyadh",
    "SD": "Africa/Khartoum",
    "SO": "Africa/Mogadishu",
    "SY": "Asia/Damascus",
    "TN": "Africa/Tunis",
    "YE": "Asia/Aden",
}
"""IANA time zones of the Arab countries; elsewhere the house's own clock is assumed until she says otherwise."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Language («ar» or «en»), ISO country, IANA zone and E.164 phone, as far as the first contact tells."""

    language: str
    country: str
    timezone: str
    phone: str | None


def origin(*, language_tag: str | None, phone: str | None, house_locale: str) -> Origin:
    """Read a newcomer's origin from her client's language tag and phone number; the house's locale fills the gaps.

    A phone number's country wins over the language tag's: people keep their phone in English, not their number abroad.
    """
    house_language, _, house_country = house_locale.partition("-")
    parts = (language_tag or "").replace("_", "-").split("-")
    said = parts[0].lower()
    language = house_language if not said else "ar" if said == "ar" else "en"
    country = next(
        (part.upper() for part in parts[1:] if len(part) == 2 and part.isascii() and part.isalpha()),
        house_country,
    )
    number = None
    if phone:
        try:
            parsed = phonenumbers.parse(phone if phone.startswith("+") else f"+{phone}")
        except phonenumbers.NumberParseException:
            parsed = None
        if parsed is not None and phonenumbers.is_valid_number(parsed):
            number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
            country = phonenumbers.region_code_for_number(parsed) or country
    if len(country) != 2 or country == "001":
        country = house_country
    timezone = TIMEZONES.get(country) or TIMEZONES.get(house_country, "Africa/Cairo")
    return Origin(language=language, country=country, timezone=timezone, phone=number)
