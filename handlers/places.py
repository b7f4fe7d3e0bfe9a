"""A shared location: the nearest city with hotels."""

from __future__ import annotations

from bot.dialogue.flow import Flow
from bot.dialogue.moves import Move
from bot.events import Do
from bot.turn.context import Turn, with_buttons
from db import places
from handlers.start import Nothing

WITHIN_KM = 150.0
"""Farther away, a city is no longer «here»."""


async def located(turn: Turn, move: Move) -> None:
    """Offer to search in the nearest city; the position itself is not kept."""
    city = await places.nearest_city(
        turn.conn,
        latitude=float(move.args["latitude"]),
        longitude=float(move.args["longitude"]),
        within_km=WITHIN_KM,
    )
    if city is None:
        turn.say("media.location_unknown")
        return
    destination = {
        "name_ar": city.name_ar,
        "name_en": city.name_en,
        "country": city.country,
        "geonameid": city.id,
    }
    yes = Do(name="fill", slots={"destination": destination})
    buttons = (
        turn.button("button.yes", yes.name, slots=yes.slots),
        turn.button("button.new_search", "new_search"),
    )
    reply = turn.reply("media.location_thanks", city=city.name(turn.texts.language))
    turn.add(with_buttons(reply, buttons))
    turn.question(yes=yes, no=Do(name="new_search"))


PLACES = Flow("places", Nothing, actions={"location": located})
