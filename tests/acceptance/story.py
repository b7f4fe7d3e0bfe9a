"""The story every channel must be able to tell: one Egyptian sentence, a confirmed trip, and its cancellation."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from itertools import groupby
from typing import Any, Protocol

from tests.acceptance.ledger import Ledger

_today = dt.datetime.now(dt.UTC).date()
# Beside the middle of April free cancellation is over and «15 April» may be today: then the same story in May.
_MONTH = "مايو" if (4, 1) <= (_today.month, _today.day) <= (4, 17) else "أبريل"
SENTENCE = f"عايز فندق في شرم الشيخ أسبوع من ١٥ {_MONTH} لاتنين"
NAME, LATIN_NAME = "سارة الأحمد", "Sara Al Ahmad"
START, BOOK, NAME_OK, CONFIRM = "أبدأ البحث", "أحجز هذا الفندق", "الاسم صحيح", "أؤكّد الحجز"
CANCEL, CANCEL_YES = "إلغاء الحجز", "نعم، ألغوا الحجز"

BOOKED = [
    "search.confirm",
    "results.page",
    "hotel.card",
    "hotel.rooms",
    "booking.ask_name",
    "booking.confirm_name",
    "booking.review",
    "booking.yes_is_not_consent",
    "booking.confirmed",
    "consent.ask",
]
CANCELLED = ["trips.header", "trips.card", "cancel.ask", "cancel.done_free"]
"""What the bot says in each half, by key, as `shape` sees it."""

DONE_BOOKING = ["بدء_محادثة", "بدء_بحث", "عرض_نتائج", "عرض_فندق", "بدء_حجز", "إكمال_حجز"]
DONE_CANCELLING = ["عرض_رحلات", "إلغاء_حجز"]
"""The behavior log of each half, without the proof that was shown along the way."""
PROOF_SHOWN = "عرض_دليل_اجتماعي"

PROOF_SHOWN = "عرض_دليل_اجتماعي"

_ATTEMPTS = 4
_OPTION = re.compile(r"^الخيار \d+: (?P<name>.+?)$(?P<lines>(?:\n.+)*)", re.MULTILINE)
_CODE = re.compile(r"رقم التأكيد: ⁨?(?P<code>[A-Z0-9]{4}-[A-Z0-9]{4})")


class Message(Protocol):
    """What somebody reads on a phone."""

    @property
    def text(self) -> str: ...

    @property
    def buttons(self) -> list[str]: ...

    async def press(self, label: str) -> Any: ...


class Phone(Protocol):
    """Somebody's phone: Telegram's, WhatsApp's, or a browser."""

    async def send(self, text: str) -> Any: ...

    async def one_message(self) -> Message:
        """The next message not read yet. Raises AssertionError when none comes for some seconds."""
        ...


class Talk:
    """A conversation as it goes on the phone. It is printed as it goes: pytest shows it with a failure, or with -s."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.read: list[Message] = []

    async def say(self, text: str, *, hear: str) -> Message:
        """Write, and read until a message holds these words."""
        print(f"> {text}")
        await self.phone.send(text)
        return await self.hear(hear)

    async def press(self, label: str, *, hear: str) -> Message:
        """Press the latest button of that label, and read until a message holds these words."""
        print(f"# {label}")
        await self.with_button(label).press(label)
        return await self.hear(hear)

    async def hear(self, words: str) -> Message:
        misses = 0
        while True:
            try:
                message = await self.phone.one_message()
            except AssertionError:
                misses += 1
                if misses == _ATTEMPTS:
                    raise AssertionError(f"«{words}» was never said") from None
                continue
            self.read.append(message)
            print("\n".join(f"< {line}" for line in [*message.text.split("\n"), f"  {message.buttons}"]))
            if words in message.text:
                return message

    def with_button(self, label: str) -> Message:
        """The latest message with such a button."""
        found = [m for m in self.read if any(label in button for button in m.buttons)]
        assert found, f"no button «{label}»"
        return found[-1]


async def search(talk: Talk) -> AsyncIterator[Message]:
    """From the sentence to the card of a hotel that can be cancelled free of charge. Pauses after every exchange."""
    agreed = await talk.say(SENTENCE, hear="هل أبدأ البحث")
    assert "شرم الشيخ" in agreed.text and "7 ليالٍ" in agreed.text and "بالغان" in agreed.text
    yield agreed
    page = await talk.press(START, hear="الخيار 1")
    yield page
    while (name := _refundable(page)) is None:
        page = await talk.press("المزيد", hear="الخيار")
    yield await talk.press(name, hear=f"تفاصيل {name}")


async def book(talk: Talk, ledger: Ledger, identity: str) -> AsyncIterator[Message]:
    """The whole booking; the last pause is at the message with the confirmation number."""
    async for message in search(talk):
        yield message
    async for message in to_the_review(talk):
        yield message
    reminder = await talk.say("نعم", hear="لم أحجز شيئًا بعد")
    person = await ledger.person(identity)
    assert await ledger.bookings(person) == ["held"], "«نعم» booked"
    yield reminder
    confirmed = await talk.press(CONFIRM, hear="حجزك مؤكّد")
    assert LATIN_NAME in confirmed.text
    yield confirmed


async def to_the_review(talk: Talk) -> AsyncIterator[Message]:
    """From a hotel's card to everything one agrees to."""
    rooms = await talk.press(BOOK, hear="أي غرفة أحجز")
    yield rooms
    yield await talk.press(_first_room(rooms), hear="باسم من يكون الحجز")
    suggested = await talk.say(NAME, hear=NAME)
    assert LATIN_NAME in suggested.text
    yield suggested
    review = await talk.press(NAME_OK, hear="هل أؤكّد الحجز؟")
    for promised in ("السعر الإجمالي", "الإلغاء: مجاني حتى", LATIN_NAME, "الدفع في الفندق"):
        assert promised in review.text, review.text
    yield review


async def cancel(talk: Talk, code: str) -> AsyncIterator[Message]:
    """«رحلاتي», the trip, what cancelling costs, and only then the cancellation."""
    trips = await talk.say("رحلاتي", hear="الرحلة 1")
    yield trips
    card = await talk.press(_hotel_of(trips), hear="تفاصيل رحلتك")
    assert code in card.text
    yield card
    terms = await talk.press(CANCEL, hear="هل نُلغي الحجز نهائيًّا؟")
    assert "الإلغاء مجاني" in terms.text
    yield terms
    cancelled = await talk.press(CANCEL_YES, hear="أُلغي حجزك")
    assert code in cancelled.text
    yield cancelled


async def told(story: AsyncIterator[Message]) -> Message:
    """Tell it without a pause; its last message."""
    last = None
    async for message in story:
        last = message
    assert last is not None
    return last


def code_of(confirmed: Message) -> str:
    found = _CODE.search(confirmed.text)
    assert found, confirmed.text
    return found["code"]


def done(actions: list[str]) -> list[str]:
    """What she did, without what she was shown beside it: proof is there only where enough guests told of a hotel."""
    return [action for action in actions if action != PROOF_SHOWN]


def shape(keys: list[str]) -> list[str]:
    """Neighbours that are alike count once: one message may take two, and results may go on to a second page."""
    return [key for key, _ in groupby(keys)]


async def assert_booked_once(ledger: Ledger, identity: str) -> None:
    """One booking, one trip, one payment, seven nights; every action once and in order; nothing left waiting."""
    await ledger.settled()
    person = await ledger.person(identity)
    assert await ledger.bookings(person) == ["confirmed"]
    assert await ledger.trips(person) == ["confirmed"]
    assert await ledger.payments(person) == ["due"]
    assert await ledger.value("SELECT nights FROM trips WHERE user_id = $1", person) == 7
    assert shape(beside_proof(await ledger.actions(person))) == DONE_BOOKING


async def assert_told(ledger: Ledger, identity: str) -> None:
    """After both halves: cancelled, rooms given back, and every word and action there once, in order."""
    await ledger.settled()
    person = await ledger.person(identity)
    assert await ledger.bookings(person) == ["cancelled"]
    assert await ledger.trips(person) == ["cancelled"]
    assert await ledger.payments(person) == ["void"]
    assert shape(beside_proof(await ledger.actions(person))) == DONE_BOOKING + DONE_CANCELLING
    told = BOOKED + CANCELLED
    assert [key for key in shape(await ledger.said(person)) if key in told] == told


def beside_proof(actions: list[str]) -> list[str]:
    """Which hotels tell enough to be quoted is the demo's affair; that some do is ours."""
    assert PROOF_SHOWN in actions
    return [action for action in actions if action != PROOF_SHOWN]


def _refundable(page: Message) -> str | None:
    options = ((found["name"], found["lines"]) for found in _OPTION.finditer(page.text))
    return next((name for name, lines in options if "الإلغاء: مجاني" in lines), None)


def _first_room(rooms: Message) -> str:
    found = re.search(r"^الغرفة 1: (.+?)،", rooms.text, re.MULTILINE)
    assert found, rooms.text
    return _button(rooms, found[1])


def _hotel_of(trips: Message) -> str:
    found = re.search(r"^الرحلة 1: (.+?)،", trips.text, re.MULTILINE)
    assert found, trips.text
    return _button(trips, found[1])


def _button(message: Message, name: str) -> str:
    """The button that stands for a name, which a narrow one may have cut."""
    return next(label for label in message.buttons if name.startswith(label.rstrip("…")))
