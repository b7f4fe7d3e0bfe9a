"""`rahhal referrals` and `rahhal predictions`: how far invitations carry, and how good foresight has been."""

from __future__ import annotations

import argparse
import datetime as dt
import sys

from bot.commands.arguments import uuid
from bot.commands.running import Adder, go, running, show


def register(add: Adder) -> None:
    inviting = add("referrals", _referrals, "invitations: how far they carry, and rewards that wait for you")
    inviting.add_argument("action", nargs="?", choices=("list", "grant", "refuse"), default="list")
    inviting.add_argument("referral", nargs="?", type=uuid, metavar="ID", help="as the list shows it")
    inviting.add_argument("--json", action="store_true", help="the list as one JSON object")

    foreseeing = add(
        "predictions", running(_predictions), "how good predictions have been, and which bookings are at risk"
    )
    foreseeing.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def _referrals(arguments: argparse.Namespace) -> int | None:
    if (arguments.referral is None) != (arguments.action == "list"):
        sys.stderr.write("rahhal referrals: list, grant ID, or refuse ID\n")
        return 2
    return go(_settle_referrals(arguments))


async def _settle_referrals(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import invitations
    from bot.settings import load

    async with database.opened(load()) as place:
        if arguments.referral is not None:
            granted, now = arguments.action == "grant", dt.datetime.now(dt.UTC)
            done = await database.as_owner(
                place, lambda conn: invitations.decide(conn, arguments.referral, grant=granted, now=now)
            )
            print(done)
            return 0
        found = await database.as_owner(place, invitations.look)
    show(invitations.as_json(found), invitations.lines(found), as_json=arguments.json)
    return 0


async def _predictions(arguments: argparse.Namespace) -> None:
    from bot import database
    from bot.operations import predictions, status
    from bot.settings import load

    async with database.opened(load()) as place:
        found = await database.as_owner(
            place, lambda conn: predictions.look(conn, now=dt.datetime.now(dt.UTC))
        )
    show(status.as_json(found), found.lines(), as_json=arguments.json)
