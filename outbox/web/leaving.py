"""Leaving: one click of a mail program (RFC 8058), and a page with a button for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outbox.errors import Temporary
from outbox.store import Tx, subscribers

from .desk import WebDesk
from .forms import read_form
from .joining import ONE_CLICK, Leaving, leave_all

#: What the page offers as reasons; nobody has to give one.
REASONS = ("too_many_letters", "not_for_me", "i_did_not_sign_up", "something_else")


#: The whole answer to a click; a program reads no more of it than the status.
CLICKED = "You will get no more letters.\n"
PATH = "/unsubscribe/"


@dataclass(frozen=True, slots=True)
class OneClick:
    """Stands before the pages (ASGI) and answers what mail programs send by the thousand; the rest goes on to `app`."""

    app: ASGIApp
    desk: WebDesk
    leave: Callable[[Tx, Sequence[Leaving]], list[None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(PATH):
            await self.app(scope, receive, send)
            return
        message = await receive()  # the gate hands a body over whole
        if b"leave=" in message["body"] or "/" in (token := scope["path"].removeprefix(PATH)):
            await self.app(scope, _give_back(message, receive), send)
            return
        try:
            await self.desk.write_together(self.leave, Leaving(token, "one-click"))
            answer = PlainTextResponse(CLICKED)
        except Temporary:  # mail programs try again
            answer = PlainTextResponse("Please try again.\n", 503, headers={"retry-after": "30"})
        await answer(scope, receive, send)


def answer_clicks(app: ASGIApp, desk: WebDesk) -> OneClick:
    """Put the short way for clicks before the pages."""
    return OneClick(app, desk, partial(leave_all, desk))


def _give_back(message: Message, receive: Receive) -> Receive:
    """Hand a message over once more, then what comes after it."""
    waiting = [message]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


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
        method = "link" if by_page else ONE_CLICK
        await self._desk.write_together(self._leave, Leaving(token, method, reason.replace("_", " ")))
        if not by_page:
            return PlainTextResponse(CLICKED)
        language = await self._desk.read(partial(_find_language, token))
        return self._desk.show("left", language=language)


def _find_language(token: str, tx: Tx) -> str:
    person = subscribers.find_by_token(tx, token)
    return person.language if person else ""
