"""Webhooks: prove what a provider reports, have it on the disk, answer; reading it comes later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from outbox.errors import BadSignature, OutboxError, Temporary
from outbox.events import admit
from outbox.events.applying import apply
from outbox.model import Arrival
from outbox.store import Tx, arrivals

from .desk import WebDesk

#: Headers that belong to what a provider says; the proof of who it is comes in others, and is not kept.
KEPT = ("svix-id", "webhook-id")
#: Seconds between two batches, and how many calls are in one: others want to write as well.
GATHER_S, AT_ONCE = 0.05, 250


def routes(desk: WebDesk) -> list[Route]:
    """POST /events/<provider>, for providers whose secret is in the environment."""
    hooks = Hooks(desk, Applier(desk))
    return [Route("/events/{provider}", hooks.take, methods=["POST"])]


class Applier:
    """Applies what came in, a little at a time, so that other requests are not kept waiting."""

    def __init__(self, desk: WebDesk) -> None:
        self._desk = desk
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to be applied."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """What cannot be applied now stays where it is: the next call tries again, or `outbox work`."""
        with suppress(Temporary):
            full = True
            while full:
                await asyncio.sleep(GATHER_S)
                full = await self._desk.write(self._apply) == AT_ONCE

    def _apply(self, tx: Tx) -> int:
        found = arrivals.find_unread(tx, AT_ONCE)
        apply(tx, found, self._desk.clock())
        return len(found)


class Hooks:
    """Answers at /events/."""

    def __init__(self, desk: WebDesk, applier: Applier) -> None:
        self._desk, self._applier = desk, applier

    async def take(self, request: Request) -> Response:
        """2xx says: it is ours and on the disk (WH-4). Anything else, and the provider comes again."""
        name = request.path_params["provider"]
        secrets = self._desk.settings.hooks.get(name)
        if not secrets:
            return PlainTextResponse("No secret is set for this provider.\n", 404)
        call = Arrival(name, dict(request.headers), await request.body(), self._desk.clock())
        try:
            await run_in_threadpool(admit, call, secrets)
        except BadSignature:
            return PlainTextResponse("Not proven.\n", 401, {"WWW-Authenticate": 'Basic realm="events"'})
        except OutboxError as error:
            return PlainTextResponse(f"{error}\n", 400)
        await self._desk.write_together(_keep_all, call)
        self._applier.wake()
        return PlainTextResponse("Kept.\n")


def _keep_all(tx: Tx, calls: Sequence[Arrival]) -> Sequence[None]:
    kept = [
        Arrival(
            one.provider, {name: one.headers[name] for name in KEPT if name in one.headers}, one.body, one.at
        )
        for one in calls
    ]
    arrivals.keep(tx, kept)
    return [None] * len(calls)
