"""The page itself: what it says and where its buttons lead, as a pure function of the link."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from bot.domain.links import Addresses
from db.sharing import Opened
from locales import Money, Phrase, Texts

_TEMPLATE: Final = Template((files("bot.landing") / "page.html").read_text(encoding="utf-8"))


class Page:
    """Both languages, one below the other. `locale` decides their country; `assets` is where the web chat's files lie."""

    def __init__(self, *, locale: str, assets: str) -> None:
        language, _, country = locale.partition("-")
        self._voices = (
            Texts.for_locale(f"ar-{country}"),
            Texts.for_locale(f"en-{country}" if language == "en" else "en-GB"),
        )
        self._assets = assets

    def write(self, opened: Opened | None, *, code: str, addresses: Addresses) -> str:
        """The page of a link, or of one that leads nowhere (None), which offers the web chat alone."""
        arabic = self._voices[0]
        sections = [
            _section(texts, opened, code=code, addresses=addresses, level=level)
            for level, texts in enumerate(self._voices, start=1)
        ]
        return _TEMPLATE.substitute(
            title=escape(arabic.say("landing.title")),
            preview=escape(" · ".join(_heading(texts, opened) for texts in self._voices)),
            files=escape(self._assets),
            sections="\n".join(sections),
        )

    def notice(self, key: str) -> str:
        """One sentence in both languages, as plain text."""
        return "".join(f"{texts.say(key)}\n" for texts in self._voices)


def _section(texts: Texts, opened: Opened | None, *, code: str, addresses: Addresses, level: int) -> str:
    lines = [f"<h{level}>{escape(_heading(texts, opened))}</h{level}>"]
    if opened is not None and (worth := _worth(texts, opened)):
        lines.append(f'<p class="worth">{escape(worth)}</p>')
    lines.append(f"<p>{escape(texts.say('landing.about'))}</p>")
    ways = [
        f'<li><a href="{escape(address)}" rel="noreferrer">{escape(label)}</a></li>'
        for label, address in _ways(texts, opened, code=code, addresses=addresses)
    ]
    lines.append(f'<ul class="ways">{"".join(ways)}</ul>')
    inside = "\n".join(f"      {line}" for line in lines)
    direction = "rtl" if texts.rtl else "ltr"
    return f'    <section lang="{texts.language}" dir="{direction}">\n{inside}\n    </section>'


def _heading(texts: Texts, opened: Opened | None) -> Phrase:
    if opened is None:
        return texts.say("landing.unknown")
    return texts.say(f"landing.{opened.content_type or 'invited'}")


def _worth(texts: Texts, opened: Opened) -> Phrase | None:
    if not opened.reward:
        return None
    reward = Money(opened.reward, opened.currency)
    if not opened.bonus:
        return texts.say("landing.reward", reward=reward)
    return texts.say("landing.reward_bonus", reward=reward, bonus=Money(opened.bonus, opened.currency))


def _ways(
    texts: Texts, opened: Opened | None, *, code: str, addresses: Addresses
) -> list[tuple[Phrase, str]]:
    """Where to go on: every channel there is, the web chat last."""
    here = texts.say("landing.webchat")
    if opened is None:
        return [(here, "/chat")]
    words = texts.say("share.bot_words", code=Phrase(code))
    ways = (
        (texts.say("landing.telegram"), addresses.on_telegram(code)),
        (texts.say("landing.whatsapp"), addresses.on_whatsapp(words)),
        (here, f"/chat?start={code}"),
    )
    return [(label, address) for label, address in ways if address]
