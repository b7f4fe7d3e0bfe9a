"""Graph API errors and what follows from each.

Codes after Meta's «Cloud API error codes»; the code decides and the HTTP status only fills in, as Meta advises.

131026 («undeliverable») covers a number without WhatsApp, terms not accepted, a block, and a client too old for this kind
of message. The last says nothing against the next, plainer message, so the message is refused and the conversation is not
stopped: we only write to people who wrote first, and each new message of theirs would lift a stop anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import SendError, SendLater, SendRefused, WindowClosed

OPERATOR_CODES: Final = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 133010, *range(200, 300)})
"""The token, a permission, the account's standing or its bill: nothing leaves until somebody acts, and nothing is at fault
with the message itself."""

_PAIR: Final = 131056
_WINDOW: Final = 131047
_SPAM: Final = 131048
_THROUGHPUT: Final = 130429
_QUOTAS: Final = frozenset({4, 80007, 131057})
_PASSING: Final = frozenset({1, 2, 131000, 131016, 133004})
_MEDIA: Final = frozenset({131052, 131053})
_PARAMETER: Final = frozenset({100, 131009})

_PAIR_PAUSE: Final = 6.0  # one message per 6 s to one person
_PASSING_PAUSE: Final = 2.0
_THROUGHPUT_PAUSE: Final = 5.0  # counted per second
_QUOTA_PAUSE: Final = 60.0
_OPERATOR_PAUSE: Final = 300.0
_SPAM_PAUSE: Final = 3600.0


class PictureRefused(SendRefused):
    """The words may go, the picture in this message may not: expired, unreachable or unreadable for Meta."""


def consequence(status: int, error: Mapping[str, Any], *, retry_after: float | None = None) -> SendError:
    """The error that a Graph API answer amounts to.

    status: HTTP, never 2xx. error: the answer's `error` object, or empty. retry_after: seconds, from the header.
    """
    number = error.get("code")
    number = number if isinstance(number, int) else None
    code = str(number) if number is not None else f"http {status}"
    words = _words(error) or f"HTTP {status}"

    def later(after: float, *, whole_channel: bool = False) -> SendLater:
        return SendLater(words, after=max(after, retry_after or 0), whole_channel=whole_channel, code=code)

    if number == _WINDOW:
        return WindowClosed(words, code=code)
    if number == _PAIR:
        return later(_PAIR_PAUSE)
    if number == _THROUGHPUT:
        return later(_THROUGHPUT_PAUSE, whole_channel=True)
    if number == _SPAM:
        return later(_SPAM_PAUSE, whole_channel=True)
    if number in _QUOTAS:
        return later(_QUOTA_PAUSE, whole_channel=True)
    if number in OPERATOR_CODES or (number is None and status in (401, 403)):
        return later(_OPERATOR_PAUSE, whole_channel=True)
    if number in _MEDIA or (number in _PARAMETER and "media" in words.lower()):
        return PictureRefused(words, code=code)
    if status == 429:
        return later(_THROUGHPUT_PAUSE, whole_channel=True)
    if number in _PASSING or not 400 <= status < 500:
        return later(_PASSING_PAUSE)
    return SendRefused(words, code=code)


def needs_operator(error: SendError) -> bool:
    """Whether nobody but the operator can end this: the account, or the quality of the number."""
    if error.code in {"http 401", "http 403"}:
        return True
    return error.code.isdigit() and int(error.code) in {*OPERATOR_CODES, _SPAM}


def _words(error: Mapping[str, Any]) -> str:
    match error:
        case {"message": str(message), "error_data": {"details": str(details)}}:
            return f"{message}: {details}"
        case {"message": str(message)}:
            return message
    return ""
