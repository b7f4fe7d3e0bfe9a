"""kill -9 at any point: no message lost, none acted on twice, none sent out of order."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.turn.toy import Toy, event

ROOT = Path(__file__).parents[2]
WORKER = "tests.turn.worker"


async def worker(*arguments: str) -> int:
    """Run a worker to its end; how many of its lives were killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        WORKER,
        *arguments,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, problems = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, problems.decode()
    return int(out.split()[0])


async def test_killed_answerers_lose_nothing_and_act_on_nothing_twice(toy: Toy, database: str) -> None:
    said = {f"p{n:02}": [f"note {n}-{m}" for m in range(3)] for n in range(40)}
    for turn in range(3):
        await toy.hear(*(event(notes[turn], who) for who, notes in said.items()))
    killed = await asyncio.gather(worker("answer", database, "a"), worker("answer", database, "b"))
    assert sum(killed) >= 5, "the dice killed nobody: nothing was proved"
    await toy.answer_all()

    for who, notes in said.items():
        assert await toy.notes(who) == notes
    everything = sorted(text for notes in said.values() for text in notes)
    logged = await toy.fetch("SELECT action_data ->> 'note' AS note FROM user_behavior_log")
    assert sorted(row["note"] for row in logged) == everything
    answers = [row["payload"]["text"] for row in await toy.outbox()]
    assert sorted(answers) == sorted(f"noted: {text}" for text in everything)
    assert await toy.count("messages") == 2 * len(everything)
    assert await toy.count("users") == await toy.count("user_identities") == len(said)
    assert await toy.count("inbox", "answered_at IS NULL") == 0
    assert await toy.count("inbox", "attempts > 0") == 0, "being killed is no failure of the message"


@pytest.mark.parametrize("seed", ["x", "y"])
async def test_killed_senders_lose_nothing_and_keep_the_order(
    toy: Toy, database: str, tmp_path: Path, seed: str
) -> None:
    people = [f"p{n}" for n in range(5)]
    await toy.hear(*(event(f"note {m}", who) for m in range(8) for who in people))
    await toy.answer_all()
    delivered = tmp_path / "delivered"
    killed = await worker("send", database, seed, str(delivered))
    assert killed >= 3, "the dice killed nobody: nothing was proved"

    lines = delivered.read_text().splitlines()
    for who in people:
        lane = [line.partition(" ")[2] for line in lines if line.startswith(f"{who} ")]
        assert list(dict.fromkeys(lane)) == [f"noted: note {m}" for m in range(8)], (
            "first deliveries in order"
        )
        assert lane == sorted(lane), "a repetition comes right after what it repeats"
    again = sum(count - 1 for count in Counter(lines).values())
    assert again <= killed, "a crash repeats one message at most"
    assert await toy.count("outbox", "sent_at IS NULL") == 0
