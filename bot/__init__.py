"""Rahhal: an Arabic-first hotel booking companion. `docs/life-of-a-message.md` is the way in."""

__version__ = "0.1.0"
