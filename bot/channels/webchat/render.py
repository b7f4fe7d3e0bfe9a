"""A Reply as the page's own message: plain data, which the page turns into text nodes and elements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from bot.events import Button, Calendar, Card, Menu, Payload, Picture, Place, Reply


class WebchatRenderer:
    """One payload for each reply: the page has no limits to split at."""

    def render(self, reply: Reply) -> list[Payload]:
        payload: Payload = {"text": reply.lead if reply.cards else reply.text}
        if reply.cards:
            payload["cards"] = [_card(card) for card in reply.cards]
        elif reply.menu is not None:
            payload["menu"] = _menu(reply.menu)
        if rows := [shown for row in reply.buttons if (shown := _buttons(row))]:
            payload["buttons"] = rows
        if reply.calendar is not None:
            payload["calendar"] = _calendar(reply.calendar)
        if reply.picture is not None:
            payload["picture"] = _picture(reply.picture)
        if reply.place is not None:
            payload["place"] = _place(reply.place)
        if reply.expects is not None:
            payload["expects"] = reply.expects
        return [payload]


def _buttons(row: Iterable[Button]) -> list[dict[str, str]]:
    return [_button(button) for button in row if button.url or button.token]


def _button(button: Button) -> dict[str, str]:
    if button.url:
        return {"label": button.label, "url": button.url}
    return {"label": button.label, "token": button.token}


def _card(card: Card) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": card.title,
        "lines": list(card.lines),
        "buttons": _buttons(card.buttons),
    }
    if card.picture is not None:
        shown["picture"] = _picture(card.picture)
    return shown


def _menu(menu: Menu) -> dict[str, Any]:
    return {
        "opener": menu.opener,
        "rows": [
            {"title": row.title, "description": row.description, "token": row.token} for row in menu.rows
        ],
    }


def _calendar(calendar: Calendar) -> dict[str, Any]:
    """A day comes back as the calendar's token, a dot and the ISO date."""
    return {
        "year": calendar.year,
        "month": calendar.month,
        "title": calendar.title,
        "first_weekday": calendar.first_weekday,
        "weekdays": list(calendar.weekdays),
        "earliest": calendar.earliest.isoformat(),
        "latest": calendar.latest.isoformat(),
        "selected": calendar.selected.isoformat() if calendar.selected else None,
        "token": calendar.token,
        "previous": _button(calendar.previous) if calendar.previous else None,
        "following": _button(calendar.following) if calendar.following else None,
    }


def _picture(picture: Picture) -> dict[str, str]:
    """The page reserves the room (3:2) before the picture arrives, so no size travels."""
    source = picture.source
    url = source if source.startswith("https://") else f"/pictures/{quote(source)}.jpg"
    return {"url": url, "alt": picture.alt}


def _place(place: Place) -> dict[str, Any]:
    where = {"mlat": f"{place.latitude:.6f}", "mlon": f"{place.longitude:.6f}"}
    return {
        "title": place.title,
        "address": place.address,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "url": f"https://www.openstreetmap.org/?{urlencode(where)}#map=16/{where['mlat']}/{where['mlon']}",
    }
