"""What a code looks like, where it is found, and which address carries it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.links import Addresses, code_in, code_of, forward_on_telegram, forward_on_whatsapp
from bot.events import Channel

CODE = "ABCDEFGHJK2345"
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
codes = st.text(ALPHABET, min_size=14, max_size=14).filter(
    lambda code: any(c.isdigit() for c in code) and not code.isdigit()
)
campaigns = st.one_of(st.just(""), st.sampled_from(["AMRIK-", "SUMMER-2027-", "AMRIK-WELCOME-2025-"]))


@given(
    campaigns,
    codes,
    st.sampled_from(["", "أهلًا رحّال، معي هذا الرمز: ", "see https://x.example/r/", "\u2068"]),
)
def test_a_code_is_found_in_what_people_send(campaign: str, code: str, before: str) -> None:
    whole = campaign + code
    assert code_of(whole) == whole
    assert code_in(f"{before}{whole}") == whole
    assert code_in(f"{before}{whole}.") == whole
    assert code_in(f"{before}{whole}\u2069 شكرًا") == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UNDERSTATEMENT",
        "22223333444455",
        "AMRIK-WELCOME-2025",
        CODE.lower(),
        CODE + "X",
        CODE[:-1],
        "RH-ABCDEFGH",
        "ABCD-EFGH",
        f"{'A' * 60}-{CODE}",
        "0BCDEFGHJK2345",
    ],
)
def test_what_is_no_code(text: str) -> None:
    assert code_of(text) is None
    assert code_in(f"حجز {text} من فضلك") is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_fail(text: str) -> None:
    found = code_in(text)
    assert found is None or code_of(found) == found


@pytest.mark.parametrize(
    ("addresses", "channel", "link"),
    [
        (
            Addresses(public="https://r.example", telegram="bot"),
            Channel.TELEGRAM,
            f"https://r.example/r/{CODE}",
        ),
        (Addresses(telegram="bot", whatsapp="20100"), Channel.TELEGRAM, f"https://t.me/bot?start={CODE}"),
        (Addresses(telegram="bot", whatsapp="20100"), Channel.WHATSAPP, "https://wa.me/20100?text=x%20y"),
        (
            Addresses(telegram="bot", local="http://localhost:1"),
            Channel.WEBCHAT,
            f"http://localhost:1/r/{CODE}",
        ),
        (
            Addresses(telegram="bot", local="http://localhost:1"),
            Channel.TERMINAL,
            f"https://t.me/bot?start={CODE}",
        ),
        (Addresses(local="http://localhost:1"), Channel.TELEGRAM, f"http://localhost:1/r/{CODE}"),
        (Addresses(), Channel.TERMINAL, None),
    ],
)
def test_one_address_is_handed_on(addresses: Addresses, channel: Channel, link: str | None) -> None:
    assert addresses.link(CODE, words="x y", channel=channel) == link


@given(st.text(max_size=80), st.sampled_from(["https://r.example/r/A?b=c&d=é", "http://localhost:1/r/A"]))
def test_what_is_sent_on_arrives_as_it_was(words: str, link: str) -> None:
    telegram = parse_qs(urlsplit(forward_on_telegram(link, words)).query, keep_blank_values=True)
    assert telegram["url"] == [link]
    assert telegram["text"] == [words]
    whatsapp = parse_qs(urlsplit(forward_on_whatsapp(link, words)).query)
    assert whatsapp["text"] == [f"{words} {link}"]
