"""Inline keyboards: buttons, menus and the calendar's month grid."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from bot.channels.telegram.parse import NOTHING
from bot.channels.telegram.text import runs_from_the_right
from bot.events import Button, Calendar, MenuRow, clean

Row = list[dict[str, Any]]

ROW_LIMIT: Final = 8
KEYBOARD_LIMIT: Final = 100
DATA_LIMIT: Final = 64
"""Buttons in a row and in all; bytes of callback_data. The first two are enforced by Telegram but not documented."""

_ROW_WIDTH: Final = 36
"""Letters that fit side by side on a narrow phone; a row whose labels would be cut is stacked instead."""

_BLANK: Final = {"text": "·", "callback_data": NOTHING}
_ARABIC_INDIC: Final = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def keyboard(rows: Iterable[Row]) -> dict[str, Any] | None:
    """`reply_markup` of the rows that fit; None when there is no button."""
    kept: list[Row] = []
    room = KEYBOARD_LIMIT
    for row in rows:
        for start in range(0, len(row), ROW_LIMIT):
            piece = row[start : start + ROW_LIMIT][:room]
            if piece:
                kept.append(piece)
                room -= len(piece)
    return {"inline_keyboard": kept} if kept else None


def button_rows(rows: Sequence[Sequence[Button]]) -> list[Row]:
    """The reply's own rows, without buttons whose link Telegram would refuse."""
    made: list[Row] = []
    for row in rows:
        buttons = [_button(button) for button in row if button.url is None or is_public(button.url)]
        if buttons and max(len(button["text"]) for button in buttons) > _ROW_WIDTH // len(buttons):
            made.extend([button] for button in buttons)
        elif buttons:
            made.append(buttons)
    return made


def menu_rows(rows: Sequence[MenuRow]) -> list[Row]:
    return [[_press(row.title, row.token)] for row in rows]


def calendar_rows(month: Calendar) -> list[Row]:
    """Title between arrows, weekday names, weeks. Telegram does not mirror keyboards, so a month that is titled in a
    right-to-left script is laid out from the right here."""
    grid = [
        [
            _arrow(month.previous),
            {"text": clean(month.title), "callback_data": NOTHING},
            _arrow(month.following),
        ],
        [{"text": clean(name), "callback_data": NOTHING} for name in month.weekdays],
        *(
            [_day(month, day) for day in week]
            for week in months.Calendar(month.first_weekday).monthdatescalendar(month.year, month.month)
        ),
    ]
    return [row[::-1] for row in grid] if runs_from_the_right(month.title) else grid


def is_public(url: str) -> bool:
    """Whether Telegram takes the link on a button: http(s) with a dot in the host, or tg://."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "tg" or (parts.scheme in {"http", "https"} and "." in host.strip("."))


def _button(button: Button) -> dict[str, Any]:
    if button.url is not None:
        return {"text": _label(button.label), "url": button.url}
    return _press(button.label, button.token)


def _press(label: str, token: str) -> dict[str, Any]:
    if not 1 <= len(token.encode()) <= DATA_LIMIT:
        raise ValueError(f"a button's token takes 1 to {DATA_LIMIT} bytes, this one {len(token.encode())}")
    return {"text": _label(label), "callback_data": token}


def _label(text: str) -> str:
    return str(clean(text)).strip() or "…"


def _arrow(button: Button | None) -> dict[str, Any]:
    return _BLANK if button is None else _press(button.label, button.token)


def _day(month: Calendar, day: date) -> dict[str, Any]:
    if day.month != month.month or not month.earliest <= day <= month.latest:
        return _BLANK
    number = str(day.day)
    if any("٠" <= letter <= "٩" for letter in month.title):
        number = number.translate(_ARABIC_INDIC)
    return _press(f"✓{number}" if day == month.selected else number, f"{month.token}.{day.isoformat()}")
