"""A traveler in the terminal: the same Event, the same Reply, printed as a transcript. Nothing is sent over a network."""

from __future__ import annotations

from typing import Any

from bot.events import Button, Payload, Reply


class TerminalRenderer:
    """One payload per reply: its text, and its choices as {label, token} in the order they are numbered."""

    def render(self, reply: Reply) -> list[Payload]:
        choices = [_choice(button) for row in reply.buttons for button in row]
        if reply.menu:
            choices += [
                {"label": row.title, "token": row.token, "note": row.description} for row in reply.menu.rows
            ]
        if reply.calendar:
            calendar = reply.calendar
            choices += [_choice(button) for button in (calendar.previous, calendar.following) if button]
        payload: dict[str, Any] = {"key": reply.key, "text": reply.text, "choices": choices}
        if reply.picture:
            payload["picture"] = reply.picture.alt
        if reply.place:
            payload["place"] = f"{reply.place.latitude:.5f}, {reply.place.longitude:.5f}"
        return [payload]


def _choice(button: Button) -> dict[str, Any]:
    return {"label": button.label, "token": button.token, **({"url": button.url} if button.url else {})}
