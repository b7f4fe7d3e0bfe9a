"""What Telegram is told once at start: our commands, our description, where updates go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from telegram import BotCommand
from telegram.error import InvalidToken, TelegramError

from bot.channels.telegram.client import Client
from bot.channels.telegram.parse import ALLOWED_UPDATES
from bot.channels.telegram.refusals import as_send_error
from bot.channels.telegram.routes import PATH
from bot.errors import ConfigurationError

_CONNECTIONS: Final = 40
"""Webhook deliveries at once: Telegram's default, said so that a changed default changes nothing here."""


async def set_up(
    client: Client,
    *,
    commands: Mapping[str, Mapping[str, str]],
    default_language: str = "ar",
    descriptions: Mapping[str, str] | None = None,
    public_url: str | None = None,
    secret: str | None = None,
) -> None:
    """Set the command menus and, in webhook mode, the webhook. Doing it again changes nothing.

    commands: language → {command without slash: what it does}; descriptions: language → what an empty chat shows.
    default_language: also shown to people whose language has none of its own.
    public_url and secret: webhook mode; without them the poller removes a webhook itself.

    Raises ConfigurationError when Telegram refuses the token or what was passed, SendLater when it is out of reach.
    """
    try:
        await client.initialize()  # asks our name, unless the start could
        for language, menu in commands.items():
            await client.set_my_commands(
                [BotCommand(name, text) for name, text in menu.items()],
                language_code=_code(language, default_language),
            )
        for language, text in (descriptions or {}).items():
            await client.set_my_description(text, language_code=_code(language, default_language))
        if public_url is not None and secret is not None:
            await client.set_webhook(
                f"{public_url}{PATH}",
                secret_token=secret,
                allowed_updates=list(ALLOWED_UPDATES),
                max_connections=_CONNECTIONS,
            )
    except InvalidToken:
        raise ConfigurationError("TELEGRAM_BOT_TOKEN: Telegram does not accept this token") from None
    except TelegramError as error:
        problem = as_send_error(error)
        if problem.retryable:
            raise problem from None
        raise ConfigurationError(f"Telegram refuses the bot's settings: {problem}") from None


def _code(language: str, default: str) -> str | None:
    return None if language == default else language
