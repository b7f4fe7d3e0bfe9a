"""A traveler who follows a conversation file, through the real door, turn and database, as in the terminal."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg

from bot.channels.terminal import TerminalRenderer
from bot.dialogue.engine import Engine
from bot.domain.links import code_in
from bot.events import Channel, Command, Content, Due, Event, Location, Media, Press, Text, Unsupported
from bot.turn import Answerer, Door, House
from bot.turn.reading import plain
from bot.understanding import understand
from db import hotels, inventory, outcomes, terminal
from db.hotels import RoomTypeId
from db.pool import Role, as_role
from handlers import FLOWS
from tests.conversations.script import Answer, Step

BEGINNING = dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC)
"""Saturday morning in Cairo, where nothing else is said."""


_JOIN_CODE = re.compile(r"LINK(?:-[0-9A-Z]{4}){3}")


class Chat:
    """One file's world: its clock, its travelers, their conversations."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.now = BEGINNING
        self.locale = "ar-EG"
        self.user = uuid4().hex
        self._code = ""  # of the last link somebody was given
        self._over = ""
        self._names: dict[str, str] = {}
        self._join_code = ""  # of the last that was given to join two logins
        self._choices: dict[str, list[dict[str, Any]]] = {}
        self._pressed: dict[str, list[dict[str, Any]]] = {}
        self._door = Door(pool, wake=lambda: None)
        self._answerer = Answerer(
            pool,
            Engine(FLOWS),
            renderers={Channel.TERMINAL: TerminalRenderer()},
            channels=[Channel.TERMINAL],
            understand=understand,
            house=House(),
            clock=lambda: self.now,
            sent=lambda *_: None,
        )
        self._notes: dict[str, Callable[[str], Any]] = {
            "now": self._move_clock,
            "locale": self._speak,
            "user": self._become,
            "prices": self._change_prices,
            "rooms": self._leave_rooms,
            "stays": self._end_stays,
        }

    async def take(self, step: Step) -> list[Answer] | None:
        """What is answered to a step; None when the step is a note that nobody answers."""
        if note := self._notes.get(step.kind):
            done = note(step.words)
            if done is not None:
                await done
            return None
        content = self._content(step)  # a stranger's press changes who writes
        event = Event(
            channel=Channel.TERMINAL,
            external_id=uuid4().hex,
            thread=self.user,
            address=self.user,
            sender=self.user,
            content=content,
            language=self.locale,
        )
        await self._door.hear([event])
        while await self._answerer.answer():
            pass
        async with self._pool.acquire() as conn, as_role(conn, Role.OWNER):
            fate = await terminal.fate(conn, external_id=event.external_id)
            said = await terminal.take_said(conn, thread=self.user)
        if fate != "answered":
            raise AssertionError(f"line {step.line}: the program failed on «{step.words}»: {fate}")
        return self._heard([row.payload for row in said])

    # ------------------------------------------------------------------------------------------ what is sent

    def _content(self, step: Step) -> Content:
        words = step.words
        match step.kind:
            case ">" | "follow":
                if step.kind == "follow":
                    words = words.replace("CODE", self._code).replace("JOIN", self._join_code)
                if words.startswith("/") and words[1:2].isalpha():
                    name, _, argument = words[1:].partition(" ")
                    return Command(name=name, argument=argument)
                return Text(text=words)
            case "#":
                return self._press(self._choices.get(self.user, []), words)
            case "again":
                return self._press(self._pressed.get(self.user, []), words)
            case "stranger":
                mine = self._pressed.pop(self.user)
                self.user, theirs = uuid4().hex, mine
                return self._press(theirs, words)
            case "text":
                return Text(text=json.loads(words))
            case "times":
                times, _, text = words.partition(" ")
                return Text(text=json.loads(text) * int(times))
            case "location":
                latitude, longitude = map(float, words.split(","))
                return Location(latitude=latitude, longitude=longitude)
            case "photo":
                return Media(kind="photo", caption=words)
            case "voice":
                return Media(kind="voice")
            case "sticker":
                return Media(kind="sticker")
            case "contact":
                return Unsupported(kind="contact")
            case "due":
                return Due(name=words, argument=self._over)
        raise ValueError(f"line {step.line}: nothing to send")

    @staticmethod
    def _press(choices: list[dict[str, Any]], words: str) -> Press:
        if words.isdecimal() and 0 < int(words) <= len(choices):
            chosen = choices[int(words) - 1]
        else:
            chosen = next(choice for choice in reversed(choices) if plain(choice["label"]) == plain(words))
        return Press(token=chosen["token"], label=chosen["label"])

    # ------------------------------------------------------------------------------------------ what comes back

    def _heard(self, payloads: list[dict[str, Any]]) -> list[Answer]:
        choices = [choice for payload in payloads for choice in payload["choices"] if choice.get("token")]
        if choices:
            self._choices[self.user] = choices
            self._pressed.setdefault(self.user, []).extend(choices)
        answers, number = [], 0
        for payload in payloads:
            lines = payload["text"].split("\n")
            self._code = code_in(payload["text"]) or self._code
            if code := _JOIN_CODE.search(payload["text"]):
                self._join_code = code[0]
            if alt := payload.get("picture"):
                lines.insert(0, f"[صورة: {alt}]")
            labels = []
            for choice in payload["choices"]:
                if choice.get("token"):
                    number += 1
                    note = f" ({choice['note']})" if choice.get("note") else ""
                    labels.append(f"[{number}] {choice['label']}{note}")
            if labels:
                lines.append("  " + "  ".join(labels))
            answers.append(Answer(payload["key"], tuple(lines)))
        return answers

    # ------------------------------------------------------------------------------------------ the world

    def _move_clock(self, words: str) -> None:
        moment = dt.datetime.fromisoformat(words)
        self.now = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

    def _speak(self, words: str) -> None:
        self.locale = words

    def _become(self, words: str) -> None:
        self.user = self._names.setdefault(words, uuid4().hex)

    async def _change_prices(self, words: str) -> None:
        """«prices 110 HOTEL»: the hotel asks that many percent of what it asked before."""
        percent, _, name = words.partition(" ")
        async with self._pool.acquire() as conn, as_role(conn, Role.OWNER):
            kinds = await _room_types(conn, name)
            await conn.execute(
                "UPDATE room_rates SET price = price * $2 / 100 WHERE room_type_id = ANY ($1)",
                kinds,
                int(percent),
            )
            today = self.now.date()
            await hotels.rebuild_blocks(
                conn, room_types=kinds, from_day=today, to_day=today + dt.timedelta(days=540)
            )

    async def _leave_rooms(self, words: str) -> None:
        """«rooms 1 FROM TO HOTEL»: of each kind the hotel has so many on these nights, or as many as are taken."""
        rooms, first, last, name = words.split(" ", 3)
        async with self._pool.acquire() as conn, as_role(conn, Role.OWNER):
            for kind in sorted(await _room_types(conn, name)):
                await inventory.edit_allotment(
                    conn,
                    room_type=kind,
                    from_night=dt.date.fromisoformat(first),
                    to_night=dt.date.fromisoformat(last),
                    rooms=int(rooms),
                    now=self.now,
                )

    async def _end_stays(self, words: str) -> None:
        """«stays»: those that ended by now are completed; what became due is about her latest."""
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            await outcomes.complete_stays(conn, now=self.now)
        async with self._pool.acquire() as conn, as_role(conn, Role.OWNER):
            self._over = await conn.fetchval(
                """
                SELECT t.reference FROM trips t JOIN user_identities d ON d.user_id = t.user_id
                WHERE d.external_id = $1 AND t.booking_status = 'completed' ORDER BY t.check_out_date DESC LIMIT 1
                """,
                self.user,
            )


async def _room_types(conn: asyncpg.Connection, name: str) -> list[RoomTypeId]:
    [hotel] = await hotels.find_by_name(conn, name=name)
    return [kind.id for kind in await hotels.room_types(conn, hotel=hotel.id)]
