"""A worker process that is killed again and again, for `test_killed.py`: `worker.py answer|send DSN SEED [FILE]`.

One interpreter starts (that is slow) and forks a child for each life. A child kills itself with SIGKILL where the dice say;
the parent starts the next one. It is over when a child finds nothing left to do.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from bot.events import Channel, Outgoing, Sent
from bot.jobs.sending import Sending
from db import turns
from db.pool import open_pool
from tests.turn.toy import Toy, ToySender

LIVES = 15
"""The last one is spared, so that there is an end."""


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


async def answer(dsn: str, dice: random.Random, *, spared: bool) -> None:
    """Answer what waits; die after acting, after writing everything, right after the commit, or anywhere at all."""
    place = "nowhere" if spared else dice.choice(["acted", "written", "committed", "anywhere"])
    left = dice.randint(1, 6)

    def reached(where: str) -> None:
        nonlocal left
        left -= where == place
        if not left:
            die()

    write = turns.end_turn

    async def end_turn(conn: Any, **given: Any) -> list[int]:
        reached("acted")
        rows = await write(conn, **given)
        reached("written")
        return rows

    turns.end_turn = end_turn
    toy = Toy(await open_pool(dsn, min_size=1, max_size=2))
    if place == "anywhere":  # the COMMIT itself included
        asyncio.get_running_loop().call_later(dice.uniform(0.0, 0.1), die)
    while await toy.answerer.answer():
        reached("committed")


async def send(dsn: str, dice: random.Random, *, spared: bool, delivered: Path) -> None:
    """Send what waits; die before the channel has a message, or after it and before the mark."""

    class Deadly(ToySender):
        async def send(self, message: Outgoing) -> Sent:
            fate = 1.0 if spared else dice.random()
            if fate < 0.08:
                die()
            with delivered.open("ab", buffering=0) as file:  # the channel: what it has, it has
                file.write(f"{message.address} {message.payload['text']}\n".encode())
            if fate < 0.16:
                die()
            return await super().send(message)

    pool = await open_pool(dsn, min_size=1, max_size=2)
    await pool.execute(  # the dead one's lease runs out
        "BEGIN; SET LOCAL ROLE rahhal_owner; UPDATE lanes SET leased_until = '-infinity'; COMMIT"
    )
    sending = Sending(pool, {Channel.TERMINAL: Deadly()}, worker=f"pid {os.getpid()}")
    while await sending.send():
        pass


def main() -> int:
    kind, dsn, seed, *files = sys.argv[1:]
    for life in range(LIVES):
        child = os.fork()
        if child == 0:
            dice, spared = random.Random(f"{seed}/{life}"), life == LIVES - 1
            if kind == "answer":
                asyncio.run(answer(dsn, dice, spared=spared))
            else:
                asyncio.run(send(dsn, dice, spared=spared, delivered=Path(files[0])))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(life, "killed", flush=True)
            return os.waitstatus_to_exitcode(status)
    return 1


if __name__ == "__main__":
    sys.exit(main())
