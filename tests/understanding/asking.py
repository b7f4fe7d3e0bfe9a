"""How the tables of this folder ask: one clock, destinations written short («Dubai AE»)."""

from datetime import datetime
from typing import Any

from bot.understanding import Understanding, understand

NOW = datetime(2026, 1, 14, 10, 0)  # noqa: DTZ001 - naive local time is part of the interface; a Wednesday


def ask(text: str, asked: str | None = None, locale: str = "ar-EG") -> Understanding:
    return understand(text, now=NOW, locale=locale, asked=asked)


def short(slots: dict[str, Any]) -> dict[str, Any]:
    if "destination" not in slots:
        return slots
    place = slots["destination"]
    return {**slots, "destination": f"{place['name_en']} {place['country']}"}
