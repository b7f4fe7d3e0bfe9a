"""Links into Rahhal: the shape of a code, and the addresses that carry one.

A Telegram deep link carries it as the argument of /start (A-Z a-z 0-9 _ -, 64 at most), a wa.me link in its prefilled text,
the web chat as ?start=, and PUBLIC_URL/r/CODE is a page that offers all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from bot.events import Channel

MOST_CODE = 64
CODE = re.compile(r"(?:[A-Z0-9]+-){0,4}(?=[A-Z]*[2-9])(?=[2-9]*[A-Z])[2-9A-HJKMNP-Z]{14}")
"""An optional campaign and 14 characters with a letter and a digit among them (see app.link_code)."""
_WITHIN = re.compile(rf"(?<![A-Za-z0-9-]){CODE.pattern}(?![A-Za-z0-9-])")


def code_of(argument: str) -> str | None:
    """The code that is the whole of a deep link's argument; None when it is none."""
    text = argument.strip()
    return text if len(text) <= MOST_CODE and CODE.fullmatch(text) else None


def code_in(text: str) -> str | None:
    """The first code within a text."""
    found = _WITHIN.search(text)
    return found[0] if found and len(found[0]) <= MOST_CODE else None


@dataclass(slots=True)
class Addresses:
    """Where this installation can be reached.

    public: PUBLIC_URL. local: this machine's own web chat, where there is no PUBLIC_URL.
    telegram: the bot's username, known once Telegram has told it. whatsapp: the number people write to, digits only.
    """

    public: str | None = None
    local: str | None = None
    telegram: str | None = None
    whatsapp: str | None = None

    def on_telegram(self, code: str) -> str | None:
        return f"https://t.me/{self.telegram}?start={code}" if self.telegram else None

    def on_whatsapp(self, words: str) -> str | None:
        """`words` are what the traveler is to send, with the code in them."""
        return f"https://wa.me/{self.whatsapp}?text={quote(words)}" if self.whatsapp else None

    def link(self, code: str, *, words: str, channel: Channel) -> str | None:
        """The one address to hand on: the page that offers every channel, else the channel she is in, else another."""
        if self.public:
            return f"{self.public}/r/{code}"
        ways = {Channel.TELEGRAM: self.on_telegram(code), Channel.WHATSAPP: self.on_whatsapp(words)}
        local = f"{self.local}/r/{code}" if self.local else None
        own = ways.get(channel) or (local if channel is Channel.WEBCHAT else None)
        return own or next(filter(None, ways.values()), local)


def forward_on_telegram(link: str, words: str) -> str:
    """Telegram's own page for choosing whom to send a link."""
    return f"https://t.me/share/url?url={quote(link, safe='')}&text={quote(words)}"


def forward_on_whatsapp(link: str, words: str) -> str:
    """WhatsApp's own page for choosing whom to send a text."""
    return f"https://wa.me/?text={quote(f'{words} {link}')}"
