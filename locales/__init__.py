"""What Rahhal says: sentences, counted nouns, dates, numbers and money, in Arabic first.

    texts = Texts.for_locale("ar-EG", today=today)
    texts.say("booking.confirmed", hotel=hotel.name, code=code, check_in=check_in, …)

Sentences live in `locales/LANGUAGE/LC_MESSAGES/bot.po`; the Arabic file is the source of truth.
"""

from locales.bidi import Phrase, clean, isolate
from locales.catalogue import UnknownText, languages
from locales.currency import Money, UnknownCurrency, minor_units
from locales.length import shorten, utf16_length
from locales.numerals import Digits
from locales.texts import Case, Texts, Value

__all__ = [
    "Case",
    "Digits",
    "Money",
    "Phrase",
    "Texts",
    "UnknownCurrency",
    "UnknownText",
    "Value",
    "clean",
    "isolate",
    "languages",
    "minor_units",
    "shorten",
    "utf16_length",
]
