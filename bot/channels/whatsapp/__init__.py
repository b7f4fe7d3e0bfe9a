"""WhatsApp through Meta's Cloud API.

    Meta → routes: verify → parse → hear, statuses, dead letters
    Reply → WhatsAppRenderer → payload in the outbox → WhatsAppSender → Meta

Verified against the public documentation of the Cloud API (Graph API v23.0; business-scoped user ids as of 2026).
"""

from bot.channels.whatsapp.parse import Odd, Parsed, parse
from bot.channels.whatsapp.render import WhatsAppRenderer
from bot.channels.whatsapp.routes import routes
from bot.channels.whatsapp.send import WhatsAppSender, is_free_form
from bot.channels.whatsapp.signature import sign, verify

__all__ = [
    "Odd",
    "Parsed",
    "WhatsAppRenderer",
    "WhatsAppSender",
    "is_free_form",
    "parse",
    "routes",
    "sign",
    "verify",
]
