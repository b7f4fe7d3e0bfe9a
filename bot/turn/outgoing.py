"""From replies to what is stored: within the channel's number of messages, every button behind an opaque token."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.events import Button, Do, Reply
from bot.turn.reading import plain

MOST_LABELS = 24


def gather(replies: Sequence[Reply], *, most: int | None) -> list[Reply]:
    """At most `most` messages, no word lost: plain ones are joined with the next first, then whatever comes earliest."""
    gathered = list(replies)
    while most is not None and len(gathered) > most:
        bare = (index for index in range(len(gathered) - 1) if _is_bare(gathered[index]))
        index = next(bare, 0)
        gathered[index : index + 2] = [_joined(gathered[index], gathered[index + 1])]
    return gathered


def _is_bare(reply: Reply) -> bool:
    return not (reply.buttons or reply.menu or reply.picture or reply.place or reply.calendar)


def _joined(first: Reply, second: Reply) -> Reply:
    """Two messages as one, which is the second's where both say something only one can."""
    return second.model_copy(
        update={
            "text": f"{first.text}\n\n{second.text}",
            "buttons": (*first.buttons, *second.buttons),
            "menu": second.menu or first.menu,
            "picture": second.picture or first.picture,
            "place": second.place or first.place,
            "calendar": second.calendar or first.calendar,
            "edit": False,
        }
    )


def with_tokens(reply: Reply) -> tuple[Reply, list[dict[str, Any]]]:
    """Give every button of a reply its opaque token; the reply and the rows of `buttons` to store."""
    rows: list[dict[str, Any]] = []

    def issue(label: str, do: Do, once: bool = False) -> str:
        token = secrets.token_urlsafe(9)
        rows.append({"token": token, "label": label, "command": do.model_dump(mode="json"), "once": once})
        return token

    def ready(button: Button) -> Button:
        if button.do is None:
            return button
        return button.model_copy(update={"token": issue(button.label, button.do, button.once)})

    changes: dict[str, Any] = {"buttons": tuple(tuple(ready(b) for b in row) for row in reply.buttons)}
    if reply.menu:
        menu_rows = tuple(r.model_copy(update={"token": issue(r.title, r.do)}) for r in reply.menu.rows)
        changes["menu"] = reply.menu.model_copy(update={"rows": menu_rows})
    changes["cards"] = tuple(
        card.model_copy(update={"buttons": tuple(ready(b) for b in card.buttons)}) for card in reply.cards
    )
    if reply.calendar:
        calendar = reply.calendar
        changes["calendar"] = calendar.model_copy(
            update={
                "token": issue(calendar.title, calendar.pick),
                "previous": ready(calendar.previous) if calendar.previous else None,
                "following": ready(calendar.following) if calendar.following else None,
            }
        )
    return reply.model_copy(update=changes), rows


def labels(answers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Label → token of the turn's buttons. A label that stands on two of them presses neither."""
    found: dict[str, str] = {}
    doubled: set[str] = set()
    for answer in answers:
        for button in answer["buttons"]:
            label = plain(button["label"])
            if label in found:
                doubled.add(label)
            found[label] = button["token"]
    return {label: token for label, token in list(found.items())[:MOST_LABELS] if label not in doubled}
