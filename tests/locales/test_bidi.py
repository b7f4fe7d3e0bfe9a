"""What comes from outside cannot disturb a line, and cuts fall well."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locales import clean, isolate, shorten, utf16_length

CONTROLS = (
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u0000\u001f\u007f\ud800\ufeff"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  دبي \n\t مول ", "دبي مول"),
        (f"a{CONTROLS}b", "ab"),
        ("می‌خواهم", "می‌خواهم"),  # the zero-width non-joiner belongs to the spelling
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\u2028دبي\u0085", "دبي"),
        ("", ""),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_nothing_is_isolated_as_nothing() -> None:
    assert isolate(" \u202e ") == ""
    assert isolate("x\u2069y") == "\u2068xy\u2069"


ANYTHING = st.text(st.characters(blacklist_categories=()), max_size=80)


@given(ANYTHING)
def test_clean_text_can_be_sent_and_holds_no_control(text: str) -> None:
    tidy = clean(text)
    tidy.encode("utf-8")
    assert clean(tidy) == tidy
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
        for c in tidy
    )


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("فندق النيل", 20, "فندق النيل"),
        ("فندق النيل بلازا القاهرة", 20, "فندق النيل بلازا…"),
        ("قصرالواحةالذهبيةالكبيرجدا", 10, "قصرالواحة…"),
        ("⁨Golden Oasis Palace⁩", 16, "⁨Golden Oasis…⁩"),
        ("أبجد، هوز حطي", 8, "أبجد…"),
        ("😀😀😀😀", 6, "😀😀…"),
        ("abcdef", 2, "a…"),
    ],
)
def test_shorten(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected
    assert utf16_length(expected) <= limit


@given(st.text(max_size=60), st.integers(4, 40))
def test_a_cut_never_passes_the_limit(text: str, limit: int) -> None:
    short = shorten(isolate(text) if len(text) % 2 else text, limit)
    assert utf16_length(short) <= limit
    assert short.count("\u2068") <= short.count("\u2069") or "\u2068" in text
