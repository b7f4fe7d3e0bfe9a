"""One tree of errors; each class carries its consequence.

    RahhalError
    ├── ConfigurationError      a setting is missing or malformed: the start stops with one line
    ├── DatabaseUnavailable     no answer from PostgreSQL: try again (a webhook answers 503)
    │   └── EmbeddedError       the embedded server cannot run here: the start stops with one line
    ├── ConstraintViolated      the schema refuses what was to be written: nothing of it was kept
    ├── MigrationError          the schema cannot be brought up to date: the start stops
    ├── InboundError            something arrived that cannot be taken in
    │   ├── BadSignature        the sender could not be verified: 401/403, nothing stored
    │   └── OddPayload          signed but not understood: 200 and a dead letter
    ├── SendError               a message did not leave
    │   ├── SendLater           retry after a pause (throttled, 5xx, network)
    │   ├── SendRefused         this message will never be accepted: dead letter, the lane goes on
    │   ├── WindowClosed        WhatsApp's 24 hours are over (131047): only a template may go
    │   └── RecipientGone       blocked or deleted: the conversation is stopped
    ├── DomainError             the traveler is told `tell` (a key of locales); nothing was charged
    ├── ImportRefused           an operator's file cannot be read at all
    └── OperationFailed         an operator's command could not finish; what it had begun is undone
        └── RestoreRefused      a backup is damaged, or the database is not empty: nothing was touched

A retry never charges twice: every booking and payment carries an idempotency key.
"""

from __future__ import annotations

from typing import Any, ClassVar


class RahhalError(Exception):
    """Base of every error raised on purpose.

    retryable: whether the same call may succeed later, unchanged.
    exit_code: what the command line exits with when the error reaches it.
    """

    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1


class ConfigurationError(RahhalError):
    """A setting is missing or malformed. The message is one line that names the variable, never its value."""

    exit_code = 2


class DatabaseUnavailable(RahhalError):
    """PostgreSQL does not answer, or refuses connections."""

    retryable = True


class EmbeddedError(DatabaseUnavailable):
    """The embedded PostgreSQL cannot be started or reached; the message names the directory and the remedy."""

    retryable = False


class ConstraintViolated(RahhalError):
    """The schema refuses a value. Names the table and the constraint, never the values; nothing was kept."""

    def __init__(self, message: str, *, table: str | None, constraint: str | None) -> None:
        super().__init__(message)
        self.table = table
        self.constraint = constraint


class MigrationError(RahhalError):
    """The schema and the migration files disagree; the message names the file."""


class InboundError(RahhalError):
    """Something arrived that cannot be taken in."""


class BadSignature(InboundError):
    """The sender could not be verified. Nothing is stored."""


class OddPayload(InboundError):
    """A verified payload of a shape we do not know. Kept as a dead letter, acknowledged with 200."""


class SendError(RahhalError):
    """A message did not leave. `code` is the channel's own error code, for the operator."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class SendLater(SendError):
    """The channel asks for patience. `after` is in seconds; `whole_channel` when it concerns every chat."""

    retryable = True

    def __init__(
        self, message: str, *, after: float = 1.0, whole_channel: bool = False, code: str = ""
    ) -> None:
        super().__init__(message, code=code)
        self.after = after
        self.whole_channel = whole_channel


class SendRefused(SendError):
    """The channel will never accept this message. It becomes a dead letter and its lane goes on."""


class WindowClosed(SendError):
    """Outside WhatsApp's customer-service window: free text is refused, a template may be sent."""


class RecipientGone(SendError):
    """The person blocked the bot, deleted the account or cannot be reached: stop writing to this conversation."""


class DomainError(RahhalError):
    """A rule of the business said no. The traveler reads the text `tell` with `values`; nothing was charged."""

    def __init__(self, tell: str, **values: Any) -> None:
        super().__init__(tell)
        self.tell = tell
        self.values = values


class ImportRefused(RahhalError):
    """An operator's file cannot be read at all (wrong encoding, no header). Rows are reported one by one instead."""


class OperationFailed(RahhalError):
    """A command of an operator could not finish. The message is one line; what the command had begun is undone."""


class RestoreRefused(OperationFailed):
    """A backup that is not what was written, or a database that holds something already. Nothing was touched."""
