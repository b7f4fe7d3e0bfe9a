"""What the page sends, as an Event."""

from __future__ import annotations

import json
import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import OddPayload
from bot.events import Channel, Command, Event, Location, Press, Text

_COMMAND: Final = re.compile(r"/([A-Za-z][A-Za-z0-9_]{0,63})(?:\s+(.*))?", re.DOTALL)


class Message(BaseModel):
    """One message of the page. `id` is the browser's own; repeated with every attempt to send the same message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    content: Annotated[Text | Command | Press | Location, Field(discriminator="type")]
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)


def parse(body: bytes, visitor: UUID) -> Event:
    """Raises OddPayload, whose text says what is wrong and never what was sent.

    Python's own parser, because browsers may send a lone surrogate as an escape, which `Event` drops and orjson refuses.
    """
    try:
        message = Message.model_validate(json.loads(body))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise OddPayload(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}") from None
    except (ValueError, RecursionError):
        raise OddPayload("not JSON") from None
    who = str(visitor)
    return Event(
        channel=Channel.WEBCHAT,
        external_id=f"{who}:{message.id}",
        thread=who,
        address=who,
        sender=who,
        content=_as_typed(message.content),
        language=message.language,
    )


def _as_typed(content: Text | Command | Press | Location) -> Text | Command | Press | Location:
    """«/trips» typed as text is a command, as in the other channels."""
    if isinstance(content, Text) and (command := _COMMAND.fullmatch(content.text.strip())):
        return Command(name=command[1].lower(), argument=(command[2] or "").strip())
    return content
