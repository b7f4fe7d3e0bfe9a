"""Chance that falls the same way on every machine and Python version: SHA-256 in counter mode, keyed by what is being drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TypeVar

Item = TypeVar("Item")


class Draw:
    """A stream of decisions about one thing, independent of every other thing's stream.

    `random.Random` promises equal streams only for `random()` itself; hotels and pictures must not move when Python does.
    """

    def __init__(self, *about: str | int) -> None:
        self._words = self._stream("\x1f".join(map(str, about)).encode())

    @staticmethod
    def _stream(key: bytes) -> Iterator[int]:
        block = 0
        while True:
            digest = sha256(key + block.to_bytes(4, "big")).digest()
            for at in range(0, 32, 4):
                yield int.from_bytes(digest[at : at + 4], "big")
            block += 1

    def below(self, limit: int) -> int:
        """0 … limit - 1 (limit up to about a million: the bias stays under one in four thousand)."""
        return next(self._words) * limit >> 32

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._words) / 2**32

    def whole(self, low: int, high: int) -> int:
        """low … high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[tuple[Item, int]]) -> Item:
        """One of the items, each as often as its weight says."""
        left = self.below(sum(weight for _, weight in items))
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        raise AssertionError("weights are positive")

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed
