"""The Bot API client: python-telegram-bot's `Bot`, with a way to pass wire-form parameters and take the answer raw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.channels.telegram.request import AiohttpRequest
from bot.errors import ConfigurationError

log = structlog.get_logger(__name__)


class Client(Bot):
    """A Bot whose requests go through aiohttp."""

    def __init__(self, token: str, *, api_url: str = "https://api.telegram.org") -> None:
        """`api_url`: base of the Bot API, up to and not including /bot<token>."""
        super().__init__(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=AiohttpRequest(),
            get_updates_request=AiohttpRequest(connections=2),
        )

    @property
    def known_as(self) -> str | None:
        """Our username; None as long as Telegram could not be asked."""
        return self._bot_user.username if self._bot_user is not None else None

    def __repr__(self) -> str:
        """Without the token, which the library would print."""
        return "Client()"

    async def call(self, method: str, params: Mapping[str, Any], *, read_timeout: float | None = None) -> Any:
        """The raw `result` of a Bot API method; `read_timeout` in seconds. Raises telegram.error.TelegramError.

        Raw on purpose: an outbox payload already is in wire form, and of a batch of updates one that the library's types
        do not know must not cost the others.
        """
        if read_timeout is None:
            return await self._post(method, dict(params))
        return await self._post(method, dict(params), read_timeout=read_timeout)


async def open_client(token: str, *, api_url: str = "https://api.telegram.org") -> Client:
    """A client ready for use; close it with `await client.shutdown()`.

    Telegram is asked who we are, so a refused token stops the start with ConfigurationError. A Telegram out of reach does
    not: what we do then is tried again where it is done.
    """
    client = Client(token, api_url=api_url)
    try:
        await client.initialize()
    except InvalidToken:
        await client.shutdown()
        raise ConfigurationError("TELEGRAM_BOT_TOKEN: Telegram does not accept this token") from None
    except TelegramError as error:
        log.warning("telegram is out of reach", reason=str(error))
    except BaseException:
        await client.shutdown()
        raise
    return client
