"""Telegram's refusals: what they say, and what they mean for a message."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.errors import RecipientGone, SendError, SendLater, SendRefused

# Beginnings of the Bot API's descriptions, which it words but does not number (lower case, without «Bad Request: »).
NOT_MODIFIED: Final = "message is not modified"
CANNOT_EDIT: Final = (
    "message to edit not found",
    "message can't be edited",
    "there is no text in the message to edit",
    "message_id_invalid",
    "message identifier is not specified",
)
_GONE: Final = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "chat_write_forbidden",
    "not enough rights to send",
    "have no rights to send",
)
BAD_FILE: Final = (
    "wrong file identifier",
    "wrong remote file identifier",
    "wrong type of the web page content",
    "failed to get http url content",
    "webpage_curl_failed",
    "webpage_media_empty",
    "wrong padding in the string",
    "photo_invalid_dimensions",
    "photo_save_file_invalid",
    "image_process_failed",
    "file must be non-empty",
    "file is too big",
    "too big",
)

_REVOKED_PAUSE: Final = 60.0
"""Seconds until the next try when the token stopped working: everybody waits, nothing is lost."""


def says(error: TelegramError, *beginnings: str) -> bool:
    """The library capitalizes the description's first letter."""
    said = error.message.lower().removeprefix("bad request: ")
    return said.startswith(beginnings)


def seconds_to_wait(error: RetryAfter) -> float:
    """`retry_after` in seconds, which the library gives as int or timedelta depending on its environment."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def as_send_error(error: TelegramError) -> SendError:
    """What became of the message. BadRequest and TimedOut are NetworkErrors for the library: order matters here."""
    match error:
        case RetryAfter():
            return SendLater(str(error), after=seconds_to_wait(error), code="429")
        case Forbidden():  # blocked, deactivated, kicked
            return RecipientGone(str(error), code="403")
        case BadRequest() if says(error, *_GONE):
            return RecipientGone(str(error), code="400")
        case BadRequest():
            return SendRefused(str(error), code="400")
        case InvalidToken():  # 401, or 404 for a method: we call none that does not exist
            return SendLater(
                "the bot's token is refused", after=_REVOKED_PAUSE, whole_channel=True, code="401"
            )
        case NetworkError() | Conflict():
            return SendLater(str(error) or type(error).__name__)
        case _:
            return SendLater(f"{type(error).__name__}: {error}", code="unknown")
