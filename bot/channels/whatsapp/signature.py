"""Who is calling: Meta signs the raw body of every webhook with the app secret."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from bot.errors import BadSignature


def verify(app_secret: bytes, body: bytes, header: str | None) -> None:
    """Check `X-Hub-Signature-256` against the body as received, in constant time. Raises BadSignature."""
    if header is None:
        raise BadSignature("no signature")
    # compare_digest takes strings of ASCII alone, and ours is nothing else.
    if not (header.isascii() and hmac.compare_digest(sign(app_secret, body), header)):
        raise BadSignature("the signature does not match")


def sign(app_secret: bytes, body: bytes) -> str:
    """The header that `verify` accepts: for whoever plays Meta's part (benchmarks, fakes)."""
    digest = _keyed(app_secret).copy()
    digest.update(body)
    return f"sha256={digest.hexdigest()}"


@lru_cache(maxsize=4)
def _keyed(app_secret: bytes) -> hmac.HMAC:
    """Setting up the key costs more than hashing a webhook, so it is done once."""
    return hmac.new(app_secret, digestmod=hashlib.sha256)
