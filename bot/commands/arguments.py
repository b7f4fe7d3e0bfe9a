"""Values on the command line: each is checked where it is read, and refused with a line of argparse's."""

from __future__ import annotations

import argparse
import datetime as dt
from uuid import UUID


def name(text: str) -> str:
    name = text.replace("\0", "").encode("utf-8", "ignore").decode()
    if len(name) > 200:
        raise argparse.ArgumentTypeError("a name has at most 200 characters")
    return name


def uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a UUID: {text[:64]}") from None


def login(text: str) -> str:
    login = name(text.strip())
    if not login:
        raise argparse.ArgumentTypeError("an id has at least one character")
    return login


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**9):
        raise argparse.ArgumentTypeError(f"not a number above nothing: {text}")
    return int(text)


def month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a month like 2025-03: {text}") from None


def moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not an ISO date and time: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def head(text: str) -> tuple[int, bytes]:
    number, _, hexadecimal = text.partition(":")
    try:
        found = (int(number), bytes.fromhex(hexadecimal))
    except ValueError:
        found = (0, b"")
    if not 0 < found[0] < 1 << 63 or len(found[1]) != 32:
        raise argparse.ArgumentTypeError(f"not a batch and its head (17:64 hexadecimal digits): {text[:80]}")
    return found
