"""The web chat: the third channel, spoken over HTTP by the page in `static/`.

    GET  /, /chat                  the page
    POST /chat/visit               become known: sets the visitor's cookie (or renews it)
    GET  /chat/history             the end of the conversation, for a page that has just been opened
    POST /chat/messages            one message; answered only once it is stored, safe to repeat with the same id
    GET  /chat/messages?after=N    what was said after a sequence; `wait=SECONDS` holds the answer until there is something
    GET  /chat/socket?after=N      the same, pushed
    GET  /chat/static/VERSION/…    scripts, styles and fonts
    GET  /pictures/….jpg           hotel pictures

Messages go up by POST and come down by socket, or by long poll where sockets do not get through: one way each, so that
a bad line can only repeat a message, and both directions drop repetitions (by the browser's id, by the sequence).
"""

from bot.channels.webchat.render import WebchatRenderer
from bot.channels.webchat.routes import WebChat
from bot.channels.webchat.stream import Wakeups

__all__ = ["Wakeups", "WebChat", "WebchatRenderer"]
