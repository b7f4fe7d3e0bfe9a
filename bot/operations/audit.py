"""`rahhal db verify-audit`: whether the audit log is what was written, in every row, and as long as it was.

PostgreSQL hashes everything anew, in slices that several connections share. What it cannot know is whether the end was
cut off together with its batches: that is told by the heads published in a file (bot.jobs.witnesses), or by a head that
the operator has from elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import asyncpg

from bot.errors import OperationFailed
from bot.jobs import witnesses
from bot.jobs.witnesses import Published
from bot.operations.status import connect
from db import audit
from db.audit import Problem, Witness
from db.pool import Role, as_role

MOST_LINES = 200
"""Problems told one by one; whoever rewrote everything is told of by number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`published_at` is the time of the published head that was compared, None where there is none."""

    rows: int
    batch: int
    head: str
    unsealed: int
    published_at: dt.datetime | None
    accepted: bool
    problems: tuple[Problem, ...]


async def verify(dsn: str, file: Path, *, known: Sequence[tuple[int, bytes]] = ()) -> Verdict:
    """Check every row, the chain, the heads in `file`, and those `known` as (batch, head).

    Raises OperationFailed when the database has no audit log yet or the file cannot be read.
    """
    last = await asyncio.to_thread(witnesses.last, file)
    async with contextlib.AsyncExitStack() as stack:
        connections = [await connect(dsn) for _ in range(min(8, max(2, os.cpu_count() or 2)))]
        for connection in connections:
            stack.push_async_callback(connection.close)
        first = connections[0]
        try:
            async with as_role(first, Role.OWNER):
                seen = await audit.witness(first)
                sealed = await audit.count_sealed(first)
                slices = await audit.slices(first)
                problems = await _published(first, file, last)
                problems += await _known(first, known)
        except (asyncpg.InvalidSchemaNameError, asyncpg.UndefinedFunctionError):
            raise OperationFailed("there is no audit log yet: rahhal migrate") from None
        slices.reverse()  # to be taken from the end
        found = await asyncio.gather(
            *(_work(connection, slices, chain=connection is first) for connection in connections)
        )
    problems += [problem for part in found for problem in part]
    return Verdict(
        sealed + seen.tail_rows,
        seen.batch,
        seen.head.hex(),
        seen.tail_rows,
        last.at if last else None,
        last.accepted if last else False,
        tuple(sorted(set(problems), key=lambda one: (one.batch or 1 << 63, one.row or 0, one.kind))),
    )


async def accept(dsn: str, file: Path, *, now: dt.datetime) -> None:
    """Put on record that the log, as it is now, is the one to go on from; earlier heads stay in the file."""
    connection = await connect(dsn)
    try:
        async with as_role(connection, Role.OWNER):
            seen = await audit.witness(connection)
    finally:
        await connection.close()
    try:
        await asyncio.to_thread(witnesses.append, file, Published(now, seen, accepted=True))
    except OSError as error:
        raise OperationFailed(f"{file}: {error.strerror}") from None


async def _work(connection: asyncpg.Connection, slices: list[audit.Slice], *, chain: bool) -> list[Problem]:
    """Take slices until none is left; one connection sees to the chain first."""
    async with as_role(connection, Role.OWNER):
        found = await audit.chain_problems(connection) if chain else []
        while slices:
            found += await audit.row_problems(connection, part=slices.pop())
    return found


async def _published(conn: asyncpg.Connection, file: Path, last: Published | None) -> list[Problem]:
    """What contradicts the last published head, and since which head it does."""
    if last is None or (wrong := await audit.contradiction(conn, seen=last.seen)) is None:
        return []
    if wrong == "truncated tail":
        return [
            Problem(wrong, detail=f"{last.seen.tail_rows} rows seen at {last.at:%F %T} were not sealed yet")
        ]
    heads = await audit.heads(conn)
    oldest = min(heads, default=1)
    recent: list[Published] = []
    for line in await asyncio.to_thread(list, witnesses.read(file)):
        if line.accepted:
            recent.clear()
        recent.append(line)
    lost = [
        line for line in recent if line.seen.batch >= oldest and heads.get(line.seen.batch) != line.seen.head
    ]
    first = lost[0] if lost else last
    kind = "changed head" if first.seen.batch in heads else "removed batch"
    return [Problem(kind, first.seen.batch, None, f"published at {first.at:%F %T}")]


async def _known(conn: asyncpg.Connection, known: Sequence[tuple[int, bytes]]) -> list[Problem]:
    found = []
    for batch, head in known:
        seen = Witness(batch, head, 0, 0, 0, sha256().digest(), "1:1:", None)  # of a tail nothing is known
        if wrong := await audit.contradiction(conn, seen=seen):
            found.append(Problem(wrong, batch, None, "by the head you gave"))
    return found


def lines(verdict: Verdict) -> Iterator[str]:
    """For people."""
    yield f"{verdict.rows} rows, {verdict.unsealed} of them not sealed yet; batch {verdict.batch}, head {verdict.head}"
    if verdict.published_at is None:
        yield "no head was published here: whether the end was cut off cannot be told"
    else:
        word = "accepted" if verdict.accepted else "published"
        yield f"compared with the head {word} at {verdict.published_at:%F %T}"
    for problem in verdict.problems[:MOST_LINES]:
        yield f"  {_sentence(problem)}"
    if len(verdict.problems) > MOST_LINES:
        yield f"  and {len(verdict.problems) - MOST_LINES} more"
    yield f"TAMPERED WITH: {len(verdict.problems)} problems" if verdict.problems else "valid"


def _sentence(problem: Problem) -> str:
    where = [f"batch {problem.batch}" if problem.batch else "", f"row {problem.row}" if problem.row else ""]
    place = ", ".join(filter(None, where))
    return f"{problem.kind}: {place}" + (f" ({problem.detail})" if problem.detail else "")
