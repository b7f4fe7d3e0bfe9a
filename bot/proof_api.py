"""GET /api/social-proof/{hotel_id}?persona=: what guests say of a hotel, as JSON for a web page.

Any page may ask (Access-Control-Allow-Origin: *): the answer is public, the same for everybody, made of counts of five stays
or more, and no cookie or credential is read. A cache may keep it for five minutes, and serve it for an hour while it asks
again. hotel_id is the hotel's public identifier or its key; persona one of `Persona`, or «all».
"""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
from aiohttp import web

from bot.domain.proof import Persona
from db import proof
from db.pool import UNREACHABLE, Role, as_role
from db.proof import EVERYBODY, Asked

PATH = "/api/social-proof/{hotel_id}"
KEPT = "public, max-age=300, stale-while-revalidate=3600"
LEAST = 5
"""Stays below which nothing is said; `app.social_proof` counts them."""
_HOTEL = re.compile(r"[a-z0-9][a-z0-9-]{1,63}")
_PATIENCE = 3.0
"""Seconds to wait for a connection before saying that we are busy."""


def routes(pool: asyncpg.Pool) -> list[web.AbstractRouteDef]:
    async def answer(request: web.Request) -> web.Response:
        hotel = request.match_info["hotel_id"]
        said = request.query.getall("persona", [])
        persona = (said[0] if said else "") or EVERYBODY
        if _HOTEL.fullmatch(hotel) is None:
            return _refused(
                400, "bad_hotel_id", "hotel_id: lower-case letters, digits and hyphens, 2 to 64 of them"
            )
        if len(said) > 1 or persona not in (EVERYBODY, *Persona):
            return _refused(400, "bad_persona", f"persona: one of {', '.join((EVERYBODY, *Persona))}")
        try:
            async with pool.acquire(timeout=_PATIENCE) as conn, as_role(conn, Role.APP):
                asked = await proof.of_identifier(
                    conn, identifier=hotel, persona=None if persona == EVERYBODY else persona
                )
        except UNREACHABLE:
            return _refused(503, "unavailable", "the database is away; try again", {"Retry-After": "5"})
        if asked is None:
            return _refused(404, "unknown_hotel", "no hotel of that name")
        return _found(request, hotel, persona, asked)

    return [web.get(PATH, answer)]


def _found(request: web.Request, hotel: str, persona: str, asked: Asked) -> web.Response:
    body = orjson.dumps(
        {
            "success": True,
            "hotel_id": hotel,
            "persona": persona,
            "demo": asked.demo,
            "enough": asked.proof is not None,
            "least": LEAST,
            "socialProof": None if asked.proof is None else _proof(asked.proof),
        }
    )
    etag = hashlib.sha256(body).hexdigest()[:24]
    headers = {"Cache-Control": KEPT, "ETag": f'"{etag}"', "Access-Control-Allow-Origin": "*"}
    if any(tag.value in (etag, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)


def _proof(said: proof.Weighed) -> dict[str, Any]:
    """Ratings of 10, rates of 1; a question that fewer than five answered is null."""
    return {
        "avg_rating": _number(said.avg_rating),
        "total_bookings": said.total_bookings,
        "rebook_rate": _number(said.rebook_rate),
        "rebook": _share(said.rebook_yes, said.rebook_answers),
        "exceeded_rate": _number(said.exceeded_rate),
        "exceeded": _share(said.exceeded_yes, said.exceeded_answers),
        "trust_score": _number(said.trust_score),
        "value_score": _number(said.value_score),
        "highlights": said.highlights,
        "pain_points": said.pain_points,
    }


def _share(yes: int | None, answers: int | None) -> dict[str, int | None] | None:
    return None if answers is None else {"yes": yes, "of": answers}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = orjson.dumps({"success": False, "error": {"code": code, "message": message}})
    kept = "public, max-age=60" if status == 404 else "no-store"
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": kept, "Access-Control-Allow-Origin": "*", **(headers or {})},
    )
