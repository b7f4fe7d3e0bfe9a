"""A house of toys around the real turn: flows that note, fail and hang, a renderer, a sender, and ways to look inside."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from pydantic import BaseModel

from bot.dialogue.engine import Engine
from bot.dialogue.flow import DONE, Ask, Do, Flow, Outcome
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.events import Calendar, Channel, Content, Event, Outgoing, Payload, Press, Reply, Sent, Text
from bot.events import Do as Meant
from bot.turn import Answerer, Door, House, Turn
from bot.turn.context import with_buttons
from bot.understanding import Understanding
from db.pool import Role, as_role

NOW = dt.datetime(2026, 4, 2, 21, 30, tzinfo=dt.UTC)  # a Thursday; already Friday in Riyadh
PATIENCE = 15.0
"""Seconds after which a test stops waiting for something that should have happened."""

TABLE = """
CREATE TABLE IF NOT EXISTS notes (
    id bigint GENERATED ALWAYS AS IDENTITY, user_id uuid NOT NULL, conversation_id uuid NOT NULL, text text NOT NULL);
GRANT SELECT, INSERT ON notes TO rahhal_app, rahhal_owner
"""

_numbers = itertools.count(1)


async def within(work: Awaitable[Any], seconds: float = PATIENCE) -> Any:
    return await asyncio.wait_for(work, seconds)


async def until(look: Callable[[], Awaitable[Any]], seconds: float = PATIENCE) -> Any:
    """Look again and again until there is something."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.01)
        return found


# ------------------------------------------------------------------------------------------------ events


def event(content: Content | str, who: str = "sara", **more: Any) -> Event:
    """An event of one person's own conversation; words or any content."""
    given = {
        "channel": Channel.TERMINAL,
        "external_id": f"{who}-{next(_numbers)}",
        "thread": who,
        "address": who,
        "sender": who,
    }
    return Event(**{**given, **more}, content=Text(text=content) if isinstance(content, str) else content)


def press(token: str, who: str = "sara", **more: Any) -> Event:
    return event(Press(token=token), who, **more)


# ------------------------------------------------------------------------------------------------ words and flows


def understand(text: str, **_: Any) -> Understanding:
    """The first word is the intent, `word=value` a slot; an exclamation mark is urgent."""
    intent, *rest = text.rstrip("!").split()
    slots = dict(part.split("=", 1) for part in rest if "=" in part)
    mood = "urgent" if text.endswith("!") else "neutral"
    return Understanding(intent=intent, slots=slots, entities=(), emotional_state=mood, confidence=1.0)


class Plan(BaseModel):
    city: str | None = None
    day: str | None = None


@dataclass
class Behavior:
    """What the flows of one test do: `fail` names messages that raise, `hold` messages that wait for `released`."""

    fail: set[str] = field(default_factory=set)
    hold: set[str] = field(default_factory=set)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    began: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    acting: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    overlapped: list[str] = field(default_factory=list)
    most_at_once: int = 0

    @contextlib.contextmanager
    def watched(self, turn: Turn) -> Iterator[None]:
        """Notice two turns of one conversation at a time."""
        talk = str(turn.talk.id)
        self.acting[talk] += 1
        if self.acting[talk] > 1:
            self.overlapped.append(turn.heard)
        self.most_at_once = max(self.most_at_once, sum(1 for count in self.acting.values() if count))
        try:
            yield
        finally:
            self.acting[talk] -= 1


async def write_note(turn: Turn) -> None:
    await turn.conn.execute(
        "INSERT INTO notes (user_id, conversation_id, text) VALUES ($1, $2, $3)",
        turn.person.id,
        turn.talk.id,
        turn.heard,
    )


def flows(behavior: Behavior) -> tuple[Flow, ...]:
    async def note(turn: Turn, move: Move) -> None:
        with behavior.watched(turn):
            await write_note(turn)
            turn.log(Action.SEARCH_STARTED, note=turn.heard[:200])
            turn.add(turn.compose("noted", f"noted: {turn.heard}"))
            behavior.began[turn.heard].set()
            if turn.heard in behavior.hold:
                await behavior.released.wait()
            if turn.heard in behavior.fail:
                raise RuntimeError(f"cannot {turn.heard}")

    async def offer(turn: Turn, move: Move) -> None:
        reply = turn.compose("offered", "offered")
        turn.add(
            with_buttons(
                reply,
                (
                    turn.button("button.help", "note"),
                    turn.button("button.agree", "note", once=True),
                    turn.button("button.disagree", "replace"),
                ),
            )
        )

    async def replace(turn: Turn, move: Move) -> None:
        turn.add(turn.compose("replaced", "replaced").model_copy(update={"edit": True}))

    async def month(turn: Turn, move: Move) -> None:
        calendar = Calendar(
            year=2026,
            month=4,
            title="أبريل 2026",
            first_weekday=5,
            weekdays=("س", "ح", "ن", "ث", "ر", "خ", "ج"),
            earliest=dt.date(2026, 4, 2),
            latest=dt.date(2026, 4, 30),
            pick=Meant(name="fill", args={"slot": "day"}),
        )
        turn.add(turn.compose("month", "month").model_copy(update={"calendar": calendar}))

    async def many(turn: Turn, move: Move) -> None:
        for number in range(1, 6):
            turn.add(turn.compose("many", str(number)))

    async def alarm(turn: Turn, move: Move) -> None:
        turn.notices.append(turn.compose("alarmed", turn.heard))
        if turn.heard in behavior.fail:
            raise RuntimeError

    async def ask_city(turn: Turn, slots: Plan) -> Reply:
        return turn.compose("city?", f"a city for {slots.day}?")

    async def ask_day(turn: Turn, slots: Plan) -> Reply:
        return turn.compose("day?", f"a day in {slots.city}?")

    async def planned(turn: Turn, slots: Plan) -> Outcome:
        turn.add(turn.compose("planned", f"planned: {slots.city} {slots.day}"))
        return DONE

    return (
        Flow(
            "notes",
            Plan,
            actions={
                "note": note,
                "offer": offer,
                "replace": replace,
                "month": month,
                "many": many,
                "alarm": alarm,
            },
        ),
        Flow(
            "plan",
            Plan,
            (Ask("city", ask_city), Ask("day", ask_day), Do(planned)),
            begins=frozenset({"plan"}),
            accepts=frozenset({"city", "day"}),
        ),
    )


class ToyRenderer:
    """One payload a reply, with everything a test looks at."""

    def render(self, reply: Reply) -> list[Payload]:
        return [
            {
                "text": reply.text,
                "tokens": [b.token for row in reply.buttons for b in row if b.do],
                "calendar": reply.calendar.token if reply.calendar else None,
            }
        ]


class ToySender:
    """Accepts everything and remembers it in order; `refuse` may raise instead."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.refuse: Callable[[Outgoing], None] = lambda _: None
        self.before: Callable[[Outgoing], Awaitable[None]] | None = None

    async def send(self, message: Outgoing) -> Sent:
        if self.before:
            await self.before(message)
        self.refuse(message)
        self.sent.append(message)
        return Sent(external_id=f"m{message.id}")

    async def show_typing(self, address: str, *, last_message: str | None = None) -> None:
        return None

    @property
    def texts(self) -> list[str]:
        return [message.payload["text"] for message in self.sent]


# ------------------------------------------------------------------------------------------------ the house


@dataclass
class Toy:
    """Door and answerers over one database. `rung` and `sent` remember the wake-ups, `lines` what was logged."""

    pool: asyncpg.Pool
    now: dt.datetime = NOW
    behavior: Behavior = field(default_factory=Behavior)
    channels: tuple[Channel, ...] = tuple(Channel)
    house: House = field(default_factory=House)
    lines: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        self.rung = 0
        self.sent: list[tuple[Channel, str]] = []
        self.door = Door(self.pool, wake=self._wake)
        self.answerer = self.another()

    def _wake(self) -> None:
        self.rung += 1

    def another(self, *, only: Iterable[Flow] | None = None) -> Answerer:
        """An answerer as another worker has it; `only` some flows, as after a deploy."""
        return Answerer(
            self.pool,
            Engine(flows(self.behavior) if only is None else only),
            renderers=dict.fromkeys(self.channels, ToyRenderer()),
            channels=self.channels,
            understand=understand,
            house=self.house,
            clock=lambda: self.now,
            sent=lambda channel, address: self.sent.append((channel, address)),
        )

    async def hear(self, *events: Event) -> int:
        new: int = await within(self.door.hear(list(events)))
        return new

    async def answer_all(self) -> int:
        """Answer until nothing waits, not waiting out the pauses after a failure; how many turns that took."""
        taken = 0
        while True:
            await self.no_pauses()
            if not await within(self.answerer.answer()):
                return taken
            taken += 1
            assert taken < 500, "answering goes round in circles"

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run a statement as the owner: row level security shows nobody else everything."""
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            rows: list[asyncpg.Record] = await conn.fetch(query, *args)
        return rows

    async def value(self, query: str, *args: Any) -> Any:
        rows = await self.fetch(query, *args)
        return rows[0][0] if rows else None

    async def no_pauses(self) -> None:
        await self.fetch("UPDATE conversations SET answer_after = '-infinity' WHERE answer_after > now()")

    async def say(self, *texts: Content | str, who: str = "sara", **more: Any) -> list[dict[str, Any]]:
        """Hear and answer; the outbox rows that came of it."""
        last = await self.value("SELECT coalesce(max(id), 0) FROM outbox")
        for text in texts:
            await self.hear(event(text, who, **more))
        await self.answer_all()
        return await self.outbox(after=last)

    async def outbox(self, *, after: int = 0) -> list[dict[str, Any]]:
        rows = await self.fetch(
            'SELECT id, key, payload, locale, edits, "values" FROM outbox WHERE id > $1 ORDER BY id', after
        )
        return [dict(row) for row in rows]

    async def notes(self, who: str | None = None) -> list[str]:
        rows = await self.fetch(
            """
            SELECT n.text FROM notes n JOIN conversations c ON c.id = n.conversation_id
            WHERE $1::text IS NULL OR c.thread = $1 ORDER BY n.id
            """,
            who,
        )
        return [row["text"] for row in rows]

    async def count(self, table: str, where: str = "true") -> int:
        found: int = await self.value(f"SELECT count(*) FROM {table} WHERE {where}")
        return found

    async def conversation(self, who: str = "sara") -> asyncpg.Record:
        return (await self.fetch("SELECT * FROM conversations WHERE thread = $1", who))[0]

    async def person(self, who: str = "sara") -> asyncpg.Record:
        rows = await self.fetch(
            "SELECT u.* FROM users u JOIN user_identities i ON i.user_id = u.id WHERE i.external_id = $1", who
        )
        return rows[0]


@contextlib.asynccontextmanager
async def running(work: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """A task that does not outlive the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await within(asyncio.wait([task]))
