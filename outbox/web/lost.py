"""The page for who has lost their link: it is sent to the address, and nothing is said of who is on the list."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outbox.addresses import read_mailbox
from outbox.errors import PeopleError

from .challenge import TRAP
from .desk import WebDesk
from .forms import read_form
from .joining import send_link
from .limits import Limits, network_of


def routes(desk: WebDesk) -> list[Route]:
    """The page and what it sends."""
    pages = LostPages(desk)
    return [Route("/link", pages.show), Route("/link", pages.take, methods=["POST"])]


class LostPages:
    """Answers at /link."""

    def __init__(self, desk: WebDesk) -> None:
        table = desk.settings.sign_up
        self._desk = desk
        self._limits = Limits(desk.clock, table.per_network, table.per_hour)

    async def show(self, _: Request) -> Response:
        """The empty form."""
        return self._show()

    async def take(self, request: Request) -> Response:
        """Have the link sent, to whoever is on the list; the answer is the same for everybody."""
        form = await read_form(request)
        try:
            email = read_mailbox(form.get("email"))
        except PeopleError:
            fault = "email_wrong" if form.get("email") else "email_missing"
            return self._show(fault, form.get("email"), status=422)
        if not self._limits.take(network_of(request.client.host if request.client else "")):
            return self._desk.show("plain", status=429, what="busy")
        if not form.get(TRAP):
            await self._desk.write(lambda tx: send_link(tx, email, self._desk.clock()))
        return self._desk.show("sent", email=email, link=True)

    def _show(self, fault: str = "", email: str = "", *, status: int = 200) -> Response:
        return self._desk.show("lost", status=status, fault=fault, email=email, trap=TRAP)
