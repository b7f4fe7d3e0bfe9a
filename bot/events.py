"""The channel-neutral vocabulary: an Event comes in, a Reply goes out.

Channels translate between their own payloads and these types and decide nothing else; flows know only these types.
Both are pydantic models because they are stored: an Event in the inbox, a rendered Reply in the outbox.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ConversationId = NewType("ConversationId", str)
UserId = NewType("UserId", str)

MAX_TEXT = 10_000
"""Code points of one incoming text that are kept; channels cut what is longer (Telegram and WhatsApp allow 4,096)."""


class Channel(StrEnum):
    """Where a conversation lives."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    WEBCHAT = "webchat"
    TERMINAL = "terminal"


def clean(text: object) -> object:
    """What PostgreSQL cannot store is dropped at the door: NUL and lone surrogates. Everything else stays as typed."""
    if not isinstance(text, str) or text.isascii():
        return text.replace("\0", "") if isinstance(text, str) else text
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


Typed = Annotated[str, BeforeValidator(clean)]
"""Text from outside, cleaned."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ------------------------------------------------------------------------------------------------------------- in


class Text(_Frozen):
    """Words, as typed. A bot command («/trips») is a Command instead."""

    type: Literal["text"] = "text"
    text: Typed = Field(max_length=MAX_TEXT)


class Command(_Frozen):
    """A slash command or a deep link: `/start REF` is Command("start", "REF"). Names are lower case, no slash."""

    type: Literal["command"] = "command"
    name: str = Field(max_length=64)
    argument: Typed = Field("", max_length=MAX_TEXT)


class Press(_Frozen):
    """A button or list row was chosen. `token` is the opaque token we issued; it is resolved and authorized in the turn."""

    type: Literal["press"] = "press"
    token: Typed = Field(max_length=256)
    label: Typed = Field("", max_length=200)


class Location(_Frozen):
    """A place shared from the map, in degrees WGS 84."""

    type: Literal["location"] = "location"
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: Typed = Field("", max_length=200)


class Media(_Frozen):
    """A picture, voice note or file. `media_id` is the channel's own handle; the bytes are not fetched."""

    type: Literal["media"] = "media"
    kind: Literal["photo", "voice", "audio", "video", "document", "sticker"]
    media_id: str = Field("", max_length=512)
    caption: Typed = Field("", max_length=MAX_TEXT)


class Unsupported(_Frozen):
    """Something the channel delivers that has no meaning here (a poll, a contact, a reaction); `kind` is its name there."""

    type: Literal["unsupported"] = "unsupported"
    kind: str = Field(max_length=64)


class Due(_Frozen):
    """Something of the house's own became due in this conversation (asking how a stay was). No channel makes one.

    name: a move, prefixed «due_» when it is read; argument: what it is about (a trip's reference).
    """

    type: Literal["due"] = "due"
    name: str = Field(max_length=32)
    argument: str = Field("", max_length=64)


Content = Annotated[
    Text | Command | Press | Location | Media | Unsupported | Due,
    Field(discriminator="type"),
]


class Event(_Frozen):
    """One thing a person did in a channel.

    external_id: unique within the channel (Telegram: update_id, WhatsApp: wamid, web chat: conversation + client uuid).
        The inbox drops repetitions by (channel, external_id).
    thread: what identifies the conversation within the channel. A private chat's id; in a group «chat:sender», so that
        two people in one group have two conversations and cannot press each other's buttons.
    address: where replies go (a chat id, a wa_id or a business-scoped user id, a visitor id).
    sender: the person's identity in the channel; `user_identities` maps (channel, sender) to a user.
    language: what the client says of its language («ar», «en-GB»), if anything. Only a hint for the first contact.
    """

    channel: Channel
    external_id: str = Field(min_length=1, max_length=256)
    thread: str = Field(min_length=1, max_length=256)
    address: str = Field(min_length=1, max_length=256)
    sender: str = Field(min_length=1, max_length=256)
    sent_at: datetime | None = None
    content: Content
    language: str | None = Field(None, max_length=35)
    sender_name: Typed | None = Field(None, max_length=200)
    phone: str | None = Field(None, max_length=32)


# ------------------------------------------------------------------------------------------------------------ out


class Do(_Frozen):
    """What a button means, in the same words as text: the name of a dialogue command with its slots and arguments."""

    name: str
    slots: dict[str, Any] = Field(default_factory=dict)
    args: dict[str, Any] = Field(default_factory=dict)


class Button(_Frozen):
    """A choice under a message. Exactly one of `do` (comes back as a Press) and `url` (opens a page) is set.

    once: pressing it a second time must change nothing (booking, cancelling).
    token: empty until the turn has stored the button; channels send the token, never the command.
    """

    label: str = Field(min_length=1, max_length=64)
    do: Do | None = None
    url: str | None = Field(None, max_length=2048)
    once: bool = False
    token: str = ""


class MenuRow(_Frozen):
    """A row of a menu: title up to 24 characters and description up to 72 (WhatsApp's limits, the narrowest)."""

    title: str = Field(min_length=1, max_length=24)
    description: str = Field("", max_length=72)
    do: Do
    token: str = ""


class Menu(_Frozen):
    """A longer choice: a WhatsApp list, one inline button a row on Telegram, a list on the web. At most 10 rows."""

    opener: str = Field(min_length=1, max_length=20)
    rows: tuple[MenuRow, ...] = Field(min_length=1, max_length=10)


class Calendar(_Frozen):
    """A month to pick a day from, shown where the channel can (Telegram, web chat).

    first_weekday: 0 = Monday … 6 = Sunday, the country's. Days outside [earliest, latest] cannot be chosen.
    title: «نوفمبر 2026»; weekdays: seven short names beginning with first_weekday.
    days: a `Do` for each selectable day, as ISO date → token (filled by the turn like a button's).
    previous / following: turn the page; absent at the ends.
    """

    year: int
    month: int
    title: str
    first_weekday: int = Field(ge=0, le=6)
    weekdays: tuple[str, ...] = Field(min_length=7, max_length=7)
    earliest: date
    latest: date
    pick: Do
    selected: date | None = None
    previous: Button | None = None
    following: Button | None = None
    token: str = ""


class Picture(_Frozen):
    """A picture by its source: «hotel/IDENTIFIER/N» (read through the picture reader) or an https URL. `alt` describes it."""

    source: str = Field(min_length=1, max_length=2048)
    alt: str = Field(max_length=400)


class Place(_Frozen):
    """A point on the map to send, degrees WGS 84."""

    latitude: float
    longitude: float
    title: str
    address: str = ""


class Card(_Frozen):
    """One of several things shown side by side (a hotel in the results): a title, short lines, a picture, its own buttons."""

    title: str = Field(min_length=1)
    lines: tuple[str, ...] = ()
    picture: Picture | None = None
    buttons: tuple[Button, ...] = ()


class Reply(_Frozen):
    """One message to the traveler, channel-neutral.

    key / values: the text's key in locales and what filled it (JSON-ready): tests and templates use them, people never see them.
    text: the finished sentence in the conversation's language, plain text without markup.
    buttons: rows of buttons (a channel may regroup them within its limits).
    cards: the same content as text and menu, richer: a channel that can show cards leaves the menu out and shows `lead`
        above them instead of the text; the others ignore both.
    edit: replace the message whose button was just pressed, where the channel can; otherwise a new message.
    expects: what free text would answer («destination», «dates», «name» …), for input hints; None when nothing is asked.
    """

    key: str
    values: dict[str, Any] = Field(default_factory=dict)
    text: str = Field(min_length=1)
    buttons: tuple[tuple[Button, ...], ...] = ()
    menu: Menu | None = None
    cards: tuple[Card, ...] = ()
    lead: str = ""
    calendar: Calendar | None = None
    picture: Picture | None = None
    place: Place | None = None
    edit: bool = False
    expects: str | None = None


Payload = dict[str, Any]
"""A channel's own message, rendered and ready to send, as it is kept in the outbox."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One outbox row, leased for sending.

    edits: the channel's id of the earlier message this one replaces, when it is known and editable.
    window_until: WhatsApp accepts free text until then; None where there is no such window.
    """

    id: int
    conversation_id: ConversationId
    channel: Channel
    address: str
    payload: Payload
    edits: str | None = None
    window_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What the channel answered: its id of the message (None where it has none)."""

    external_id: str | None


class Renderer(Protocol):
    """The pure half of a channel: a Reply (tokens already filled in) to one or more payloads within the channel's limits."""

    def render(self, reply: Reply) -> list[Payload]:
        """At least one payload; the one that carries the buttons comes last. Never raises: what is too long is cut well."""
        ...


class Sender(Protocol):
    """The network half of a channel. Raises a subclass of bot.errors.SendError, nothing else."""

    async def send(self, message: Outgoing) -> Sent: ...

    async def show_typing(self, address: str, *, last_message: str | None = None) -> None:
        """Best effort: never raises. `last_message` is the channel's id of the message being answered (WhatsApp needs it)."""
        ...


PictureReader = Callable[[str], Awaitable[bytes]]
"""source → bytes of a JPEG; raises LookupError for an unknown source."""


class Uploads(Protocol):
    """Media ids of files a channel already has, by the SHA-256 (hex) of their content; shared by all workers."""

    async def find(self, channel: Channel, sha256: str) -> str | None: ...

    async def remember(self, channel: Channel, sha256: str, media_id: str) -> None: ...


Hear = Callable[[list[Event]], Awaitable[int]]
"""Store events durably (transaction 1); returns how many were new. Raises DatabaseUnavailable."""

DeadLetter = Callable[[Channel, Mapping[str, Any], str], Awaitable[None]]
"""Keep a verified but odd payload with the reason."""


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What became of a message we sent. `external_id` is the channel's message id (wamid)."""

    channel: Channel
    external_id: str
    status: Literal["sent", "delivered", "read", "failed"]
    at: datetime
    recipient: str = ""
    error_code: str = ""
    error: str = ""


StoreStatuses = Callable[[list[DeliveryStatus]], Awaitable[None]]
"""Store delivery statuses durably, keyed (channel, external_id, status). Raises DatabaseUnavailable."""
