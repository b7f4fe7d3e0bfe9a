"""Direction: what comes from outside is cleaned, and what could disturb the line around it is isolated.

The rules are those of the Unicode Bidirectional Algorithm (UAX 9): an isolate (U+2068 … U+2069) keeps a code, a
phone number or a Latin name from reordering the Arabic around it, and takes its direction from its first strong letter.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

FSI: Final = "\u2068"
PDI: Final = "\u2069"

_UNSEEN: Final = re.compile(
    "["
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # direction marks, embeddings, overrides, isolates
    "\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f"  # controls that are not white space
    "\u200b\u2060\ufeff\ufff9-\uffff"  # zero-width space, word joiner, byte order mark, annotations, non-characters
    "\ud800-\udfff"  # lone surrogates, which cannot be encoded
    "]"
)
_SPACES: Final = re.compile(r"\s+")


class Phrase(str):
    """A finished piece of text made here: `say` puts it in as it is. Any other string is taken as coming from outside."""

    __slots__ = ()


def clean(text: str) -> str:
    """One line without direction controls, other invisible controls or lone surrogates; runs of spaces become one."""
    return _SPACES.sub(" ", _UNSEEN.sub("", text)).strip()


def isolate(text: str) -> Phrase:
    """The cleaned text between U+2068 and U+2069; nothing stays nothing."""
    cleaned = clean(text)
    return Phrase(f"{FSI}{cleaned}{PDI}" if cleaned else "")


def embed(text: str, *, rtl: bool) -> Phrase:
    """Cleaned, and isolated unless every letter runs in the direction of the sentence around it."""
    cleaned = clean(text)
    harmless = _plain_rtl(cleaned) if rtl else _plain_ltr(cleaned)
    return Phrase(cleaned) if harmless else isolate(cleaned)


def _plain_rtl(text: str) -> bool:
    return all(letter == " " or unicodedata.bidirectional(letter) in ("AL", "R", "NSM") for letter in text)


def _plain_ltr(text: str) -> bool:
    return not any(unicodedata.bidirectional(letter) in ("AL", "R", "AN") for letter in text)
