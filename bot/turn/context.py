"""What a flow's function is given: the connection of the turn, the person, the words, and a place for its answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from asyncpg import Connection
from pydantic import BaseModel

from bot.dialogue.state import Asking, Dialogue
from bot.domain.behavior import Acted, Action
from bot.domain.links import Addresses
from bot.events import Button, Channel, Do, MenuRow, Reply
from db.turns import Person, Talk
from locales import Phrase, Texts, Value, shorten

MENU_TITLE = 24
MENU_DESCRIPTION = 72


@dataclass(frozen=True, slots=True)
class House:
    """What does not change from turn to turn.

    locale: assumed for a newcomer whose channel says nothing. operators_chat: their Telegram chat, when there is one.
    addresses: where links lead. campaign: a readable prefix of new invitation codes.
    """

    locale: str = "ar-EG"
    operators_chat: str | None = None
    addresses: Addresses = field(default_factory=Addresses)
    campaign: str | None = None


@dataclass(slots=True)
class Turn:
    """One answer in the making. Flows append replies and actions; the turn writes them all in one commit.

    now: the traveler's world (tests and `--now` move it). heard: the message being answered, as its transcript reads.
    corrected: the slots that had a value before and have another by this message.
    again: a question that was put before is put again, so that it need not say everything.
    """

    conn: Connection
    now: dt.datetime
    house: House
    person: Person
    talk: Talk
    texts: Texts
    dialogue: Dialogue
    newcomer: bool = False
    heard: str = ""
    corrected: frozenset[str] = frozenset()
    again: bool = False
    replies: list[Reply] = field(default_factory=list)
    acted: list[Acted] = field(default_factory=list)
    notices: list[Reply] = field(default_factory=list)

    @property
    def channel(self) -> Channel:
        return Channel(self.talk.channel)

    @property
    def today(self) -> dt.date:
        """The traveler's own date."""
        return self.now.astimezone(ZoneInfo(self.person.timezone)).date()

    # ------------------------------------------------------------------------------------------ words

    def reply(self, key: str, /, **values: Value) -> Reply:
        """A reply of one sentence; add buttons with `with_buttons` or `model_copy`."""
        return self.compose(key, self.texts.say(key, **values), values)

    def compose(self, key: str, text: str, values: Mapping[str, Any] | None = None) -> Reply:
        """A reply whose text was put together from several sentences; `key` names what it is."""
        return Reply(
            key=key, values={name: _plain(value) for name, value in (values or {}).items()}, text=text
        )

    def say(self, key: str, /, **values: Value) -> None:
        """Answer with one sentence."""
        self.replies.append(self.reply(key, **values))

    def aside(self, key: str, /, **values: Value) -> None:
        """Answer with a sentence that asks for nothing; when nothing else is under way, it ends with «where to?»."""
        said = self.texts.say(key, **values)
        idle = not self.dialogue.frames and "shown" not in self.dialogue.memory
        self.add(self.compose(key, f"{said} {self.texts.say('where_to')}" if idle else said, values))

    def add(self, reply: Reply) -> None:
        self.replies.append(reply)

    def button(
        self,
        label_key: str,
        move: str,
        *,
        slots: Mapping[str, Any] | None = None,
        args: Mapping[str, Any] | None = None,
        once: bool = False,
        **values: Value,
    ) -> Button:
        """A button that means `move`. `once`: pressing it again changes nothing."""
        label = self.texts.say(label_key, **values)
        return Button(
            label=label, do=Do(name=move, slots=dict(slots or {}), args=dict(args or {})), once=once
        )

    def row(
        self,
        title: str,
        description: str,
        move: str,
        *,
        slots: Mapping[str, Any] | None = None,
        args: Mapping[str, Any] | None = None,
    ) -> MenuRow:
        """A row of a menu, cut to the narrowest channel's limits."""
        return MenuRow(
            title=shorten(title, MENU_TITLE),
            description=shorten(description, MENU_DESCRIPTION),
            do=Do(name=move, slots=dict(slots or {}), args=dict(args or {})),
        )

    def question(self, *, yes: Do | None, no: Do | None = None) -> None:
        """The reply just made is a yes/no question: what each answer means."""
        self.dialogue.question = Asking(
            yes=yes.model_dump() if yes else None,
            no=no.model_dump() if no else None,
        )

    def keep(self, **slots: Any) -> None:
        """Note something in the slots of the frame in progress; None takes it out."""
        frame = self.dialogue.top
        assert frame is not None
        for name, value in slots.items():
            if value is None:
                frame.slots.pop(name, None)
            else:
                frame.slots[name] = _plain(value)

    # ------------------------------------------------------------------------------------------ what happened

    def log(self, action: Action, **data: Any) -> None:
        """One row of the behavior log, committed with the turn. `data` must hold nothing personal."""
        self.acted.append(
            Acted(action, {name: _plain(value) for name, value in data.items() if value is not None})
        )

    def tell_operators(self, key: str, /, **values: Value) -> None:
        """A message to the operators' chat, committed with the turn; nothing where no chat is configured."""
        if self.house.operators_chat:
            self.notices.append(self.reply(key, **values))


def with_buttons(reply: Reply, *rows: tuple[Button, ...], **more: Any) -> Reply:
    """The reply with rows of buttons, and any other of its fields."""
    return reply.model_copy(update={"buttons": rows, **more})


def _plain(value: Any) -> Any:
    """JSON-ready: what an outbox row keeps of a value."""
    match value:
        case Phrase():
            return str(value)
        case None | str() | bool() | int() | float():
            return value
        case dt.date() | dt.time():
            return value.isoformat()
        case BaseModel():
            return value.model_dump(mode="json")
        case Mapping():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case _ if hasattr(value, "minor") and hasattr(value, "currency"):
            return {"minor": value.minor, "currency": value.currency}
        case _:
            return str(value)
