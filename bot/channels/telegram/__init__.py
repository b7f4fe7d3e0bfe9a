"""Telegram: `parse` updates into events, render and send replies, receive by polling or by webhook."""

from bot.channels.telegram.client import Client, open_client
from bot.channels.telegram.door import TelegramDoor
from bot.channels.telegram.parse import ALLOWED_UPDATES, NOTHING, parse
from bot.channels.telegram.poll import LEASE_SECONDS, Lease, TelegramPoller
from bot.channels.telegram.render import TelegramRenderer
from bot.channels.telegram.request import AiohttpRequest
from bot.channels.telegram.routes import BODY_LIMIT, PATH, SECRET_HEADER, routes
from bot.channels.telegram.send import TelegramSender
from bot.channels.telegram.setup import set_up

__all__ = [
    "ALLOWED_UPDATES",
    "BODY_LIMIT",
    "LEASE_SECONDS",
    "NOTHING",
    "PATH",
    "SECRET_HEADER",
    "AiohttpRequest",
    "Client",
    "Lease",
    "TelegramDoor",
    "TelegramPoller",
    "TelegramRenderer",
    "TelegramSender",
    "open_client",
    "parse",
    "routes",
    "set_up",
]
