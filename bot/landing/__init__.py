"""GET /r/{code}: the page behind an invitation or a shared link, in both languages, with the ways to go on.

It leads to this installation's own channels and nowhere else, tells nothing about who made the link, and needs no script.
"""

from bot.landing.routes import Landing

__all__ = ["Landing"]
