"""Send the outbox. A worker leases a lane (a conversation), never a row: order is kept across workers and retries.

Sends are at least once: a crash between send and mark may repeat one message. Nothing else is ever repeated.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import structlog
from prometheus_client import Counter

from bot.errors import RahhalError, RecipientGone, SendError, SendLater, WindowClosed
from bot.events import Channel, ConversationId, Outgoing, Sender
from bot.jobs.answering import first_of
from db import outbox
from db.bells import Bells
from db.pool import UNREACHABLE, Role, as_role

log = structlog.get_logger(__name__)

SENT = Counter(
    "rahhal_sends", "Messages sent, and what became of those that were not", ["channel", "outcome"]
)

LEASE = dt.timedelta(seconds=90)
ENOUGH = 25.0
"""Seconds after which a lane is given back even when it has more to send."""
SLOWEST = 50.0
"""Seconds after which a send counts as failed, whatever the channel's own timeouts add up to (an upload, a message, both
again). The lease outlives ENOUGH and SLOWEST together: another worker must never send the same row meanwhile."""
MOST_ATTEMPTS = 12
"""With the pauses doubling up to five minutes, about half an hour of trying."""
PATIENCE = 1.5
"""Seconds a worker waits for a token with the lane in hand; for longer waits it gives the lane back."""
SLOW = 0.05
"""Seconds of a send beyond which it matters that a token is taken before it and the channel counts after it."""
LOOK_AGAIN = 2.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: `capacity` at once, then `per_second`."""

    capacity: float
    per_second: float


OVERALL = {Channel.TELEGRAM: Limit(5, 25), Channel.WHATSAPP: Limit(10, 70)}
"""Messages over all chats. Telegram allows about 30 a second (Bot API FAQ), WhatsApp 80 (Cloud API throughput): burst and
refill together stay below that in any one second."""
PER_CHAT = {Channel.TELEGRAM: Limit(1, 1), Channel.WHATSAPP: Limit(10, 1 / 6)}
"""Telegram: one a second in one chat; WhatsApp: a pair of numbers about 1 per 6 s, bursts of 10."""
PER_GROUP = Limit(20, 20 / 60)
"""Telegram: 20 messages a minute in one group (negative chat ids)."""


class Sending:
    """Sends what is due on the channels it has senders for."""

    def __init__(self, pool: asyncpg.Pool, senders: Mapping[Channel, Sender], *, worker: str) -> None:
        self._pool = pool
        self._senders = senders
        self._channels = [channel.value for channel in senders]
        self._worker = worker
        # The tasks of a process share this object, but each lease is one task's own.
        self._leases = itertools.count(1)

    async def send(self) -> bool:
        """Send one lane's waiting rows; whether there was such a lane."""
        holder = f"{self._worker}/{next(self._leases)}"
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            lane = await outbox.lease_lane(conn, channels=self._channels, worker=holder, lease=LEASE)
        if lane is None:
            return False
        try:
            began = time.monotonic()
            sent: dict[int, str | None] = {}
            for row in lane.rows:
                if time.monotonic() - began > ENOUGH or not await self._send_row(lane, row, sent):
                    break
        finally:
            async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
                await outbox.release_lane(conn, conversation=lane.conversation_id, worker=holder)
        return True

    async def _send_row(self, lane: outbox.Lane, row: outbox.Row, earlier: dict[int, str | None]) -> bool:
        """Send one row; whether the lane may go on with the next. `earlier`: what this lease sent, row → message id."""
        channel = Channel(lane.channel)
        if not await self._allowed(lane, channel):
            return False
        message = Outgoing(
            id=row.id,
            conversation_id=ConversationId(str(lane.conversation_id)),
            channel=channel,
            address=lane.address,
            payload=row.payload,
            edits=row.edits or earlier.get(row.replaces or 0),
            window_until=lane.window_until,
        )
        began = time.monotonic()
        try:
            async with asyncio.timeout(SLOWEST):
                sent = await self._senders[channel].send(message)
        except SendError as error:
            return await self._settle(lane, row, channel, error)
        except TimeoutError:
            return await self._settle(lane, row, channel, SendLater("no end of it", code="timeout"))
        except Exception as error:
            # A mistake of ours about one message: its lane is tried again later, the others go on.
            log.exception("sending.broken", row=row.id, channel=channel)
            return await self._settle(lane, row, channel, SendLater(f"{type(error).__name__}: {error}"))
        earlier[row.id] = sent.external_id
        limit = PER_CHAT.get(channel)
        slow = time.monotonic() - began > SLOW
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            await outbox.mark_sent(conn, row=row.id, external_id=sent.external_id)
            SENT.labels(channel.value, "sent").inc()
            if limit and limit.capacity == 1 and slow:
                # The channel counts from the arrival: after an upload the next message would come too soon.
                await outbox.drain_bucket(
                    conn,
                    bucket=_of_chat(channel, lane.address),
                    per_second=limit.per_second,
                    seconds=1 / limit.per_second,
                )
        return True

    async def _allowed(self, lane: outbox.Lane, channel: Channel) -> bool:
        """Take a token of every bucket this message needs; False when the lane has to wait for one."""
        needed = [(_of_chat(channel, lane.address), PER_CHAT.get(channel))]
        if channel is Channel.TELEGRAM and lane.address.startswith("-"):
            needed.append((f"{channel}:{lane.address}:group", PER_GROUP))
        needed.append((channel.value, OVERALL.get(channel)))
        for bucket, limit in needed:
            if limit is None:
                continue
            while True:
                async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
                    wait = await outbox.take_token(
                        conn, bucket=bucket, capacity=limit.capacity, per_second=limit.per_second
                    )
                    if wait > PATIENCE:
                        pause = dt.timedelta(seconds=wait)
                        await outbox.pause_lane(conn, conversation=lane.conversation_id, pause=pause)
                        return False
                if wait <= 0:
                    break
                await asyncio.sleep(wait)
        return True

    async def _settle(self, lane: outbox.Lane, row: outbox.Row, channel: Channel, error: SendError) -> bool:
        log.warning("sending.failed", row=row.id, channel=channel, kind=type(error).__name__, code=error.code)
        problem = f"{type(error).__name__} {error.code}: {error}"
        async with self._pool.acquire() as conn, as_role(conn, Role.WORKER):
            SENT.labels(channel.value, type(error).__name__).inc()
            match error:
                case SendLater(whole_channel=True, after=after) if limit := OVERALL.get(channel):
                    # Not this message's fault: the whole channel waits, however long, and no attempt is spent.
                    pause = dt.timedelta(seconds=after)
                    await outbox.pause_lane(conn, conversation=lane.conversation_id, pause=pause)
                    await outbox.drain_bucket(
                        conn, bucket=channel.value, per_second=limit.per_second, seconds=after
                    )
                    return False
                case SendLater() if row.attempts + 1 < MOST_ATTEMPTS:
                    pause = max(error.after, min(300.0, 0.5 * 2**row.attempts)) * random.uniform(1, 1.2)  # noqa: S311 - jitter
                    await outbox.mark_retry(
                        conn, row=row.id, pause=dt.timedelta(seconds=pause), problem=problem
                    )
                    return False
                case RecipientGone():
                    await outbox.stop_lane(conn, conversation=lane.conversation_id, because=problem)
                    return False
                case WindowClosed() | _:
                    await outbox.mark_dead(conn, row=row.id, problem=problem)
                    return True


def _of_chat(channel: Channel, address: str) -> str:
    return f"{channel}:{address}"


async def send_forever(sending: Sending, bells: Bells, stopping: asyncio.Event) -> None:
    """One task of sending. When `stopping` is set the message in hand is finished first."""
    with bells.subscribe("outbox") as rung:
        while not stopping.is_set():
            rung.clear()
            pause = LOOK_AGAIN
            try:
                if await sending.send():
                    continue
            except (*UNREACHABLE, RahhalError) as error:
                log.warning("sending.paused", error=type(error).__name__)
                pause = 1.0
            except Exception:
                log.exception(
                    "sending.broken"
                )  # a mistake of ours must not end the task that sends for everybody
                pause = 1.0
            await first_of(rung, stopping, pause)
