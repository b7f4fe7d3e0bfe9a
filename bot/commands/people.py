"""`rahhal admin …`: who may do more than travel."""

from __future__ import annotations

import argparse
from typing import Literal

from bot.commands.arguments import login, uuid
from bot.commands.running import Adder, roof, running, show


def register(add_command: Adder) -> None:
    add = roof(add_command, "admin", "operators and admins: grant, revoke, list")
    grant = add("grant", running(_grant), "give somebody who has written to the bot a role")
    grant.add_argument("role", choices=("operator", "admin"))
    revoke = add("revoke", running(_revoke), "take the role away again")
    for parser in (grant, revoke):
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", type=uuid, metavar="UUID", help="by the person's id")
        who.add_argument("--telegram", type=login, metavar="ID", help="by the numeric id on Telegram")
        who.add_argument("--whatsapp", type=login, metavar="ID", help="by the number or id on WhatsApp")
        who.add_argument("--webchat", type=login, metavar="ID", help="by the visitor's id of the web chat")
        who.add_argument("--terminal", type=login, metavar="NAME", help="by the name given to rahhal chat")
    listing = add("list", running(_list), "everybody with a role")
    listing.add_argument("--json", action="store_true", help="a JSON list")


async def _grant(arguments: argparse.Namespace) -> int:
    return await _give_role(arguments, arguments.role)


async def _revoke(arguments: argparse.Namespace) -> int:
    return await _give_role(arguments, "user")


async def _give_role(arguments: argparse.Namespace, role: Literal["user", "operator", "admin"]) -> int:
    from bot import database
    from bot.events import Channel
    from bot.operations import roles
    from bot.settings import load

    login = next(
        ((channel, named) for channel in Channel if (named := getattr(arguments, channel.value))), None
    )
    if login and login[0] is Channel.WHATSAPP:
        login = (login[0], login[1].lstrip("+"))  # WhatsApp's ids of phones have no plus
    settings = load()
    async with database.opened(settings) as place:
        await database.prepare(settings, place, demo=False)
        known, before = await roles.give(place.direct, login or arguments.user, role)
    print(f"{roles.line(known)}  {'unchanged' if before == known.role else f'was {before}'}")
    return 0


async def _list(arguments: argparse.Namespace) -> int:
    from bot import database
    from bot.operations import roles, status
    from bot.settings import load

    settings = load()
    async with database.opened(settings) as place:
        await database.prepare(settings, place, demo=False)
        found = await roles.house(place.direct)
    show(status.as_json(found), roles.lines(found), as_json=arguments.json)
    return 0
