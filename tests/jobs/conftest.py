"""The same toy house as the turn's."""

from tests.turn.conftest import toy

__all__ = ["toy"]
