"""Leaving: one click of a mail program (RFC 8058), and a page with a button for people."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from outbox.store import Tx, subscribers

from .desk import WebDesk
from .forms import read_form
from .joining import Leaving, leave_all

#: What the page offers as reasons; nobody has to give one.
REASONS = ("too_many_letters", "not_for_me", "i_did_not_sign_up", "something_else")


def routes(desk: WebDesk) -> list[Route]:
    """The address in the List-Unsubscribe header of every letter; it is good for ever."""
    pages = LeavePages(desk)
    return [
        Route("/unsubscribe/{token}", pages.ask),
        Route("/unsubscribe/{token}", pages.take, methods=["POST"]),
    ]


class LeavePages:
    """Answers at /unsubscribe/. It says the same for a link that nobody has as for one that somebody has."""

    def __init__(self, desk: WebDesk) -> None:
        self._desk = desk
        self._leave = partial(leave_all, desk)

    async def ask(self, request: Request) -> Response:
        """A button; nothing has happened yet."""
        token = request.path_params["token"]
        language = await self._desk.read(partial(_find_language, token))
        reasons = [(word, self._desk.words(language)[word]) for word in REASONS]
        return self._desk.show("leave", language=language, token=token, reasons=reasons)

    async def take(self, request: Request) -> Response:
        """Let the person go, whatever the form says: from the page it has a button, from a mail program it has none.

        No redirect and no question (RFC 8058 section 3.2).
        """
        token, form = request.path_params["token"], await read_form(request)
        by_page = bool(form.get("leave"))
        reason = form.get("reason") if form.get("reason") in REASONS else ""
        method = "link" if by_page else "one-click"
        await self._desk.write_together(self._leave, Leaving(token, method, reason.replace("_", " ")))
        if not by_page:
            return PlainTextResponse("You will get no more letters.\n")
        language = await self._desk.read(partial(_find_language, token))
        return self._desk.show("left", language=language)


def _find_language(token: str, tx: Tx) -> str:
    person = subscribers.find_by_token(tx, token)
    return person.language if person else ""
