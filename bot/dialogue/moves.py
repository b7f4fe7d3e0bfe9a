"""A move is what one message or button means to the dialogue: a name, values for slots, and arguments.

Text and buttons speak the same language, so that everything works without a keyboard. The names below have a meaning in
the engine itself; every other name begins a flow or calls one of a flow's actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FILL = "fill"
"""Values for slots, nothing else."""
AFFIRM = "affirm"
DENY = "deny"
LEAVE = "leave"
BACK = "back"
RESUME = "resume"
MISS = "miss"
"""Nothing in the message was understood."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step of the traveler's in the conversation."""

    name: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    args: Mapping[str, Any] = field(default_factory=dict)
