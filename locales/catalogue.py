"""The sentences of one language, read straight from its `bot.po` (no compiled `.mo` to forget).

Reading takes about 30 ms a language and happens once a process, at the first sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from types import MappingProxyType
from typing import Final

from babel import Locale
from babel.messages.pofile import read_po
from babel.plural import PluralRule

_PLURAL_ORDERS: Final[dict[str, tuple[str, ...]]] = {
    "ar": ("zero", "one", "two", "few", "many", "other"),
    "en": ("one", "other"),
}
"""msgstr[i] → CLDR category, in the usual GNU order. Babel's own Arabic header has «many» and «other» the other way round,
so the order is pinned here and the category comes from CLDR's plural rule."""


class UnknownText(KeyError):
    """A key that is not in the catalogue: a mistake in the code, caught by the tests."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """language: «ar» or «en». sentences: key → text. nouns: key → CLDR plural category → text."""

    language: str
    sentences: Mapping[str, str]
    nouns: Mapping[str, Mapping[str, str]]

    def sentence(self, key: str) -> str:
        """The text as written, with its `{placeholders}`. Raises UnknownText."""
        try:
            return self.sentences[key]
        except KeyError:
            raise UnknownText(key) from None

    def counted(self, noun: str, n: int) -> str:
        """The form of a noun that goes with n. Raises UnknownText."""
        try:
            return self.nouns[noun][_plural_rule(self.language)(n)]
        except KeyError:
            raise UnknownText(noun) from None


def languages() -> tuple[str, ...]:
    """The languages we speak, the source of truth first."""
    return tuple(_PLURAL_ORDERS)


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of «ar» or «en»; read once. Entries marked fuzzy are left out, as gettext does."""
    resource = files("locales").joinpath(language, "LC_MESSAGES", "bot.po")
    sentences: dict[str, str] = {}
    nouns: dict[str, Mapping[str, str]] = {}
    for message in read_po(BytesIO(resource.read_bytes()), locale=language):
        match message.id, message.string:
            case _ if not message.id or message.fuzzy:
                continue
            case str(key), str(text):
                sentences[key] = text
            case (key, *_), tuple(forms):
                nouns[key] = dict(zip(_PLURAL_ORDERS[language], forms, strict=True))
    return Catalogue(language, MappingProxyType(sentences), MappingProxyType(nouns))


@cache
def _plural_rule(language: str) -> PluralRule:
    return Locale.parse(language).plural_form
