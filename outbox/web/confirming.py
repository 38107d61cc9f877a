"""The page behind the button of the confirm letter: asked with GET it asks, and only POST confirms."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outbox.gift import link_to
from outbox.model import Subscriber
from outbox.store import Tx, subscribers

from .desk import WebDesk
from .joining import Standing, confirm, find_standing


def routes(desk: WebDesk) -> list[Route]:
    """The page and its button. Scanners that follow links, and run scripts, press no button."""
    pages = ConfirmPages(desk)
    return [
        Route("/confirm/{token}", pages.ask),
        Route("/confirm/{token}", pages.take, methods=["POST"]),
    ]


class ConfirmPages:
    """Answers at /confirm/."""

    def __init__(self, desk: WebDesk) -> None:
        self._desk = desk

    async def ask(self, request: Request) -> Response:
        """The question, or what came of it earlier."""
        token = request.path_params["token"]
        standing, person = await self._desk.read(partial(self._find, token))
        return self._show(standing, person, token)

    async def take(self, request: Request) -> Response:
        """The person's yes. Pressed twice, it is the same answer."""
        token = request.path_params["token"]
        standing, person = await self._desk.write(lambda tx: confirm(self._desk, tx, token))
        return self._show(standing, person, token, gift=standing is Standing.DONE)

    def _find(self, token: str, tx: Tx) -> tuple[Standing, Subscriber | None]:
        person = subscribers.find_by_token(tx, token)
        return find_standing(self._desk, tx, person, self._desk.clock()), person

    def _show(
        self, standing: Standing, person: Subscriber | None, token: str, *, gift: bool = False
    ) -> Response:
        """A page; the link to the gift stands there only after the button was pressed."""
        page, status = PAGES[standing]
        settings = self._desk.settings
        return self._desk.show(
            page, status=status, language=person.language if person else "", token=token, standing=standing,
            gift=self._link_to_gift(person) if gift and person else "", days=settings.sign_up.confirm_days,
        )  # fmt: skip

    def _link_to_gift(self, person: Subscriber) -> str:
        gift, base_url = self._desk.settings.gift, self._desk.settings.envelope.base_url
        return link_to(self._desk.signer, gift, base_url, person.id, self._desk.clock()) if gift else ""


PAGES = {
    Standing.OPEN: ("confirm", 200),
    Standing.DONE: ("welcome", 200),
    Standing.LATE: ("late", 410),
    Standing.GONE: ("late", 404),
}
