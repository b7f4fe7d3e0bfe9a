"""«دعوة الأصدقاء»: her link, what both sides get, who came by it so far, and what that earned."""

from __future__ import annotations

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.domain.behavior import Action
from bot.turn.context import Turn
from db import referrals
from db.referrals import Credit, Guests, Link, RewardStatus
from handlers.share import hand_on
from handlers.start import Nothing
from locales import Money, Phrase

CREDITS = {
    RewardStatus.GRANTED: "referral.credit.granted",
    RewardStatus.PENDING: "referral.credit.pending",
    RewardStatus.HELD: "referral.credit.held",
}
"""What is hers, what waits for a stay to end, what people are looking at; in this order."""


async def invite(turn: Turn, _move: Move) -> None:
    """Show the link, made at the first asking."""
    link = await referrals.link(turn.conn, campaign=turn.house.campaign, platform=turn.channel.value)
    guests = await referrals.guests(turn.conn, user=turn.person.id)
    credits_ = await referrals.credits_of(turn.conn, user=turn.person.id)
    turn.log(Action.REFERRAL, step="shown", joined=guests.joined, booked=guests.booked)
    lines = [
        *_terms(turn, link),
        _so_far(turn, guests),
        *_earned(turn, credits_),
        turn.texts.say("referral.link"),
    ]
    hand_on(turn, "referral.invite", lines, code=link.code, words=turn.texts.say("referral.words"))


def _terms(turn: Turn, link: Link) -> list[Phrase]:
    texts = turn.texts
    mine, theirs = Money(link.referrer, link.currency), Money(link.referred, link.currency)
    if mine.minor and theirs.minor:
        lines = [texts.say("referral.terms.both", theirs=theirs, mine=mine)]
    elif mine.minor:
        lines = [texts.say("referral.terms.mine", mine=mine)]
    elif theirs.minor:
        lines = [texts.say("referral.terms.theirs", theirs=theirs)]
    else:
        return [texts.say("referral.terms.none")]
    if link.bonus:
        lines.append(texts.say("referral.terms.bonus", bonus=Money(link.bonus, link.currency)))
    return [*lines, texts.say("referral.terms.when")]


def _so_far(turn: Turn, guests: Guests) -> Phrase:
    texts = turn.texts
    if not guests.joined:
        return texts.say("referral.nobody_yet")
    joined = texts.count("friend", guests.joined)
    if not guests.booked:
        return texts.say("referral.joined_so_far", joined=joined)
    return texts.say("referral.booked_so_far", joined=joined, bookings=texts.count("booking", guests.booked))


def _earned(turn: Turn, earned: list[Credit]) -> list[Phrase]:
    lines = []
    for status, key in CREDITS.items():
        amounts = [
            Money(credit.amount, credit.currency)
            for credit in earned
            if credit.status is status and not credit.demo
        ]
        if amounts:
            lines.append(turn.texts.say(key, amounts=amounts))
    rehearsed = [Money(credit.amount, credit.currency) for credit in earned if credit.demo]
    if rehearsed:
        lines.append(turn.texts.say("referral.credit.demo", amounts=_summed(rehearsed)))
    return lines


def _summed(amounts: list[Money]) -> list[Money]:
    """One amount for each currency."""
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return [Money(minor, currency) for currency, minor in sorted(sums.items())]


REFERRAL = Flow("referral", Nothing, actions={"referral": invite})
