"""How much one visitor or one address may do. Kept in this process: it guards the process, not the business."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MAX_BODY: Final = 64 * 1024
"""Bytes of one request's body."""

MAX_SOCKETS: Final = 5
"""Streams one visitor may hold open at a time: a handful of tabs."""

MAX_FRAME: Final = 1024
"""Bytes of one frame from the page, which only ever says «ping» or «waiting»."""


class Buckets:
    """Token buckets by name, `capacity` at once and `per_second` after that. The `most` most recently used are kept."""

    def __init__(
        self,
        *,
        capacity: float,
        per_second: float,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._most = most
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """0 when granted, else the seconds until it would be."""
        now = self._clock()
        level, since = self._levels.pop(name, (self._capacity, now))
        level = min(self._capacity, level + (now - since) * self._per_second)
        wait = 0.0 if level >= 1 else (1 - level) / self._per_second
        self._levels[name] = (level if wait else level - 1, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return wait
