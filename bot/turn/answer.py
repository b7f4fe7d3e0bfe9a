"""Transaction 2: claim one conversation, understand, decide, act, and write everything in one commit.

A crash at any point leaves the messages unanswered and nothing done; the next worker takes them up again. A failure that
is ours is counted in a transaction of its own; the third turns the message into a dead letter and apologizes.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from prometheus_client import Counter, Histogram

from bot.dialogue.engine import Engine
from bot.dialogue.state import Dialogue
from bot.domain import people as origins
from bot.events import Channel, Event, Renderer, Reply, Text
from bot.logs import told
from bot.turn.conduct import Conduct
from bot.turn.context import House, Turn
from bot.turn.outgoing import gather, labels, with_tokens
from bot.turn.reading import Read, read
from bot.understanding import Understanding
from db import people, turns
from db.pool import AWAY, Role, as_role
from locales import Texts

log = structlog.get_logger(__name__)

TURNS = Counter("rahhal_turns", "Turns by channel and outcome", ["channel", "outcome"])
TURN_SECONDS = Histogram("rahhal_turn_seconds", "Time from the claim of a conversation to its commit")

MOST_MESSAGES = {Channel.WHATSAPP: 3}
"""Messages one turn may send where a pair of numbers is limited (WhatsApp: a bucket of 10, refilled 1 per 6 s)."""

SET_ASIDE = dt.timedelta(minutes=1)

UnderstandText = Callable[..., Understanding]


@dataclass(slots=True)
class _Draft:
    """What the messages of one turn add up to."""

    answered: list[int] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)


class Answerer:
    """Answers waiting conversations of `channels`, one at a time. Safe to run in any number of tasks and processes.

    sent: called after the commit with the channel and address that has something to be sent.
    thread: answer this conversation alone. A terminal's `--now` and `--locale` are not those of the terminal beside it.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        engine: Engine,
        *,
        renderers: Mapping[Channel, Renderer],
        channels: Sequence[Channel],
        understand: UnderstandText,
        house: House,
        clock: Callable[[], dt.datetime],
        sent: Callable[[Channel, str], None],
        thread: str | None = None,
    ) -> None:
        self._pool = pool
        self._engine = engine
        self._renderers = renderers
        self._channels = [channel.value for channel in channels]
        self._understand = understand
        self._house = house
        self._clock = clock
        self._sent = sent
        self._thread = thread

    async def answer(self) -> bool:
        """Answer the conversation that has waited longest; whether there was one."""
        claim: turns.Claim | None = None
        current = 0
        began = time.perf_counter()
        async with self._pool.acquire() as conn:
            try:
                async with as_role(conn, Role.APP):
                    claim = await turns.begin_turn(conn, channels=self._channels, thread=self._thread)
                    if claim is None:
                        return False
                    turn = await self._open(conn, claim)
                    draft = _Draft()
                    # One by one after a failure, so that a bad message cannot hold up the good ones before it, and
                    # where a turn may send few messages.
                    alone = turn.channel in MOST_MESSAGES or any(
                        message.attempts for message in claim.waiting
                    )
                    for message in claim.waiting[:1] if alone else claim.waiting:
                        current = message.id
                        await self._take(turn, message, draft)
                    turn.dialogue.labels = labels(draft.answers) or turn.dialogue.labels
                    await turns.end_turn(
                        conn,
                        conversation=claim.talk.id,
                        answered=draft.answered,
                        dialogue=turn.dialogue.model_dump(mode="json", exclude_defaults=True),
                        answers=draft.answers,
                        heard=draft.heard,
                        actions=draft.actions,
                    )
            except Exception as error:
                if claim is None:
                    await self._give_way(conn, error)
                    raise
                if isinstance(error, AWAY) and not isinstance(error, TimeoutError):
                    raise  # no fault of the message: it is answered when PostgreSQL is back
                await self._failed(conn, claim, current, error)
                TURNS.labels(claim.talk.channel, "failed").inc()
            else:
                TURNS.labels(claim.talk.channel, "answered").inc()
                TURN_SECONDS.observe(time.perf_counter() - began)
        self._sent(Channel(claim.talk.channel), claim.talk.address)
        return True

    async def _open(self, conn: asyncpg.Connection, claim: turns.Claim) -> Turn:
        person = claim.person
        if claim.newcomer:
            person = await self._settle_in(conn, claim)
        now = self._clock()
        dialogue, readable = Dialogue.load(claim.talk.dialogue)
        turn = Turn(
            conn=conn,
            now=now,
            house=self._house,
            person=person,
            talk=claim.talk,
            texts=texts_for(person, now),
            dialogue=dialogue,
            newcomer=claim.newcomer,
        )
        lost = self._engine.drop_lost(dialogue) or not readable
        if lost and not person.suspended:
            turn.say("flow_gone")
        return turn

    async def _settle_in(self, conn: asyncpg.Connection, claim: turns.Claim) -> turns.Person:
        event = Event.model_validate(claim.waiting[0].event)
        known = origins.origin(
            language_tag=event.language, phone=event.phone, house_locale=self._house.locale
        )
        await people.settle_in(
            conn,
            user=claim.person.id,
            language=known.language,
            country=known.country,
            timezone=known.timezone,
            phone=known.phone,
        )
        return turns.Person(
            id=claim.person.id,
            full_name=None,
            phone=known.phone,
            email=None,
            preferred_language=known.language,
            language_chosen=False,
            country=known.country,
            digits=claim.person.digits,
            timezone=known.timezone,
            suspended=claim.person.suspended,
            role=claim.person.role,
            consented=claim.person.consented,
        )

    # ------------------------------------------------------------------------------------------ one message

    async def _take(self, turn: Turn, message: turns.Waiting, draft: _Draft) -> None:
        event = Event.model_validate(message.event)
        known = read_with(self._understand, turn)
        if turn.person.suspended:
            got = Read((), "[suspended]")
            if not draft.answered:
                turn.say("suspended")
        else:
            await _hear_language(turn, event)
            expects = self._engine.expects(turn.dialogue)
            got = await read(
                turn.conn,
                event,
                conversation=turn.talk.id,
                dialogue=turn.dialogue,
                understand=lambda text: known(text, expects),
                expects=expects,
            )
            if got.cut:
                turn.say("too_long", max_length=2_000)
            turn.heard = got.transcript
            await Conduct(self._engine, turn).follow(got)
        draft.answered.append(message.id)
        if got.transcript:  # what became due is no word of hers
            draft.heard.append({"inbox_id": message.id, "text": got.transcript})
        feeling = got.emotional_state if turn.person.consented else None
        draft.actions += [
            act.row(at=turn.now, timezone=turn.person.timezone, emotional_state=feeling) for act in turn.acted
        ]
        draft.answers += self._render(turn, got.pressed)
        await self._notify_operators(turn)
        turn.acted.clear()
        turn.replies.clear()

    def _render(self, turn: Turn, pressed: int | None) -> list[dict[str, Any]]:
        renderer = self._renderers[turn.channel]
        answers = []
        edits = pressed
        for reply in gather(turn.replies, most=MOST_MESSAGES.get(turn.channel)):
            ready, buttons = with_tokens(reply)
            answers.append(
                {
                    "key": reply.key,
                    "values": reply.values,
                    "locale": turn.texts.tag,
                    "edits": edits if reply.edit else None,
                    "text": reply.text,
                    "payloads": renderer.render(ready),
                    "buttons": buttons,
                }
            )
            if reply.edit:
                edits = None
        return answers

    async def _notify_operators(self, turn: Turn) -> None:
        renderer = self._renderers.get(Channel.TELEGRAM)
        for notice in turn.notices if renderer and self._house.operators_chat else ():
            assert renderer is not None
            assert self._house.operators_chat is not None
            await turns.tell_operators(
                turn.conn,
                chat=self._house.operators_chat,
                key=notice.key,
                locale=turn.texts.tag,
                payloads=renderer.render(notice),
            )
        turn.notices.clear()

    # ------------------------------------------------------------------------------------------ when it fails

    async def _give_way(self, conn: asyncpg.Connection, error: Exception) -> None:
        """A conversation that cannot even be claimed goes behind the others; a database that is away moves nothing."""
        if not isinstance(error, asyncpg.PostgresError) or isinstance(error, AWAY):
            return
        async with as_role(conn, Role.APP):
            await turns.set_aside(conn, channels=self._channels, thread=self._thread, pause=SET_ASIDE)

    async def _failed(
        self, conn: asyncpg.Connection, claim: turns.Claim, message: int, error: Exception
    ) -> None:
        log.error(
            "turn.failed",
            conversation=str(claim.talk.id),
            message=message,
            error=type(error).__name__,
            exc_info=True,
        )
        texts = texts_for(claim.person, self._clock())
        apology = Reply(key="apology.dead_letter", text=texts.say("apology.dead_letter"))
        # The first line names the error; the words of errors may quote people and are kept nowhere.
        problem = told(error).partition("\n")[0]
        async with as_role(conn, Role.APP):
            await turns.fail_turn(
                conn,
                conversation=claim.talk.id,
                message=message or claim.waiting[0].id,
                problem=problem,
                pause=dt.timedelta(seconds=1),
                apology={
                    "key": apology.key,
                    "locale": texts.tag,
                    "payloads": self._renderers[Channel(claim.talk.channel)].render(apology),
                },
            )


async def _hear_language(turn: Turn, event: Event) -> None:
    """Whoever writes in Arabic is answered in Arabic, whatever her phone is set to, unless she chose otherwise."""
    if turn.person.language_chosen or turn.person.preferred_language == "ar":
        return
    if isinstance(event.content, Text) and _mostly_arabic(event.content.text):
        await people.choose_language(turn.conn, user=turn.person.id, language="ar", chosen=False)
        turn.person = dataclasses.replace(turn.person, preferred_language="ar")
        turn.texts = texts_for(turn.person, turn.now)


def _mostly_arabic(text: str) -> bool:
    letters = [letter for letter in text[:500] if letter.isalpha()]
    return sum("\u0600" <= letter <= "\u06ff" for letter in letters) * 2 > len(letters)


def texts_for(person: turns.Person, now: dt.datetime) -> Texts:
    """The voice for a person: her language, her country's calendar, her digits, her own date."""
    today = now.astimezone(ZoneInfo(person.timezone)).date()
    return Texts.for_locale(
        f"{person.preferred_language}-{person.country}", digits=person.digits, today=today
    )


def read_with(understand: UnderstandText, turn: Turn) -> Callable[[str, str | None], Understanding]:
    """Understanding with this person's clock and country."""

    def known(text: str, asked: str | None) -> Understanding:
        # The country decides weekend, currency and ambiguous names in both languages.
        locale = f"{turn.person.preferred_language}-{turn.person.country}"
        return understand(text, now=turn.now, timezone=turn.person.timezone, locale=locale, asked=asked)

    return known
