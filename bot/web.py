"""The aiohttp application: the channels' routes, and what operators look at: /healthz, /readyz, /metrics."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest

from bot.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)

MOST_BODY = 4 * 1024 * 1024
"""Bytes of a request body before a handler's own, narrower bound: WhatsApp batches are at most 3 MiB."""

Backlog = Callable[[], Awaitable[Mapping[str, int]]]
"""How much waits, by name. Raises DatabaseUnavailable."""

REQUESTS = Counter("rahhal_http_requests", "Answered requests", ["route", "status"])
SECONDS = Histogram("rahhal_http_seconds", "Time to answer a request", ["route"])
WAITING = Gauge("rahhal_waiting", "Rows that wait, by kind", ["kind"])


def build(*, backlog: Backlog, routes: Iterable[web.AbstractRouteDef] = ()) -> web.Application:
    """An application with the health routes and `routes`; channels with life-cycle hooks register themselves on it."""
    app = web.Application(middlewares=[_measure], client_max_size=MOST_BODY)

    async def healthz(_: web.Request) -> web.Response:
        """The process is alive; says nothing about the database, so that an orchestrator does not restart it for that."""
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        """Ready for traffic: the database answers."""
        try:
            await backlog()
        except DatabaseUnavailable:
            return web.Response(status=503, text="database unavailable\n")
        return web.Response(text="ready\n")

    async def metrics(_: web.Request) -> web.Response:
        try:
            for kind, count in (await backlog()).items():
                WAITING.labels(kind).set(count)
        except DatabaseUnavailable:
            WAITING.clear()
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics), *routes]
    )
    return app


@web.middleware
async def _measure(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Count and time by route, never by address: a path may hold an identifier."""
    began = time.perf_counter()
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    status = 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as error:
        status = error.status
        raise
    except Exception:
        log.exception("http.failed", route=route)
        return web.Response(status=500, text="internal error\n")
    else:
        return response
    finally:
        REQUESTS.labels(route, status).inc()
        SECONDS.labels(route).observe(time.perf_counter() - began)
