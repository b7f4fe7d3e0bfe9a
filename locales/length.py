"""Lengths as the channels count them: UTF-16 units (an emoji is two)."""

from __future__ import annotations

import unicodedata

from locales.bidi import FSI, PDI


def utf16_length(text: str) -> int:
    """The length Telegram and WhatsApp count."""
    return len(text) + sum(1 for letter in text if ord(letter) > 0xFFFF)


def shorten(text: str, limit: int) -> str:
    """The text itself, or its beginning and «…», within `limit` UTF-16 units (at least 2).

    Cut between words where the last word is not most of it; combining marks stay with their letter and an
    open isolate is closed.
    """
    if utf16_length(text) <= limit:
        return text
    room = limit - 1 - (text.count(FSI) > 0)
    kept: list[str] = []
    for letter in text:
        room -= utf16_length(letter)
        if room < 0:
            break
        kept.append(letter)
    following = text[len(kept)]
    if unicodedata.combining(following):
        while kept and unicodedata.combining(kept[-1]):
            kept.pop()
        kept = kept[:-1]
    beginning = "".join(kept)
    if not following.isspace():
        words, space, _ = beginning.rpartition(" ")
        if space and len(words) * 2 > len(beginning):
            beginning = words
    beginning = beginning.rstrip(" ،,:؛-")
    return beginning + "…" + (PDI if beginning.count(FSI) > beginning.count(PDI) else "")
