"""The four passes over a message. A pass sees what the passes before it found."""

from bot.understanding.grammar import Stage

NUMBERS = Stage()  # «خمسة وعشرين ألف», 20k, 5%
VALUES = Stage()  # a date, a price, a duration, so many people
RANGES = Stage()  # from … to, at most, between, with children of these ages
REQUESTS = Stage()  # what the values are said for
