"""The table of pages, and what is answered where there is none or something went wrong."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from outbox.errors import Temporary

from . import archive, confirming, files, gifts, hooks, leaving, lost, notices, preferences, sign_up
from .desk import WebDesk
from .gate import Gate

log = logging.getLogger("outbox.web")

#: Each gives the routes of one matter; where two have the same path, the first is asked.
ROUTES: Sequence[Callable[[WebDesk], Sequence[Route]]] = (
    files.routes,
    sign_up.routes,
    confirming.routes,
    leaving.routes,
    preferences.routes,
    lost.routes,
    gifts.routes,
    archive.routes,
    hooks.routes,
    notices.routes,
)
#: Seconds after which to try again, as told to whoever comes at a bad moment (RFC 9110, 10.2.3).
RETRY_S = "30"

Handler = Callable[[Request, Exception], Awaitable[Response]]


def make_app(desk: WebDesk) -> ASGIApp:
    """The front door of one outbox, as an ASGI application."""
    routes = [route for make in ROUTES for route in make(desk)]
    faults: dict[int | type[Exception], Handler] = {
        HTTPException: _answer_to(desk),
        Temporary: _ask_to_wait(desk),
        Exception: _own_up(desk),
    }
    pages = Starlette(routes=routes, exception_handlers=faults)
    return Gate(leaving.answer_clicks(pages, desk), urlsplit(desk.root).path.rstrip("/"))


def _answer_to(desk: WebDesk) -> Handler:
    """No such page, or not by this method."""

    async def answer(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  (the table says so)
        page = desk.show("plain", status=error.status_code, what="missing")
        page.headers.update(error.headers or {})
        return page

    return answer


def _ask_to_wait(desk: WebDesk) -> Handler:
    """The database is busy or full: nothing was done, and it may be tried again."""

    async def answer(request: Request, error: Exception) -> Response:
        log.error("%s: %s", request.scope["request_id"], error)
        page = desk.show("trouble", status=503, number=request.scope["request_id"])
        page.headers["retry-after"] = RETRY_S
        return page

    return answer


def _own_up(desk: WebDesk) -> Handler:
    """A fault of ours: the page gives its number, the log the rest."""

    async def answer(request: Request, _: Exception) -> Response:
        return desk.show("trouble", status=500, number=request.scope["request_id"])

    return answer
