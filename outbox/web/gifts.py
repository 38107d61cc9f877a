"""The gift: a reader's page with the book, its files, and a new link for one that has had its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from outbox.errors import BadSignature, ExpiredLink
from outbox.gift import PAGE, TICKET, File, Shelf, open_shelf
from outbox.letters import queue_letter
from outbox.model import Consent
from outbox.store import Tx, downloads, subscribers

from . import ranges
from .desk import WebDesk

#: How long the address of a file is good that a pressed button led to: time to go on where a fetch broke off.
TICKET_LIFE = timedelta(days=1)
#: The letter that brings a new link.
LETTER = "gift"


def routes(desk: WebDesk) -> list[Route]:
    """The page, its buttons, and the files behind them; nothing where book.toml has no gift."""
    if desk.settings.gift is None:
        return []
    table = _Table(desk, open_shelf(desk.settings.gift))
    return [
        Route("/gift/{token}", table.show),
        Route("/gift/{token}/again", table.send_again, methods=["POST"]),
        Route("/gift/{token}/{file}", table.take, methods=["POST"]),
        Route("/download/{ticket}/{name}", table.fetch),
    ]


@dataclass(frozen=True, slots=True)
class _Table:
    desk: WebDesk
    shelf: Shelf

    async def show(self, request: Request) -> Response:
        """The page. Looking at it changes nothing."""
        token = request.path_params["token"]
        number, good = self._read(token)
        used = await self.desk.read(lambda tx: downloads.count(tx, number, token))
        known = good and await self.desk.read(lambda tx: _is_known(tx, number))
        if not known or used >= self.shelf.gift.downloads:
            return self._gone(token)
        return self.desk.show("gift", title=self.shelf.gift.title, shelf=self.shelf, token=token)

    async def take(self, request: Request) -> Response:
        """A button was pressed: that is one download, however many pieces it comes in."""
        token, file = request.path_params["token"], self.shelf.find(request.path_params["file"])
        number, good = self._read(token)
        if file is None:
            raise HTTPException(404)
        now, most = self.desk.clock(), self.shelf.gift.downloads
        if not good or not await self.desk.write(lambda tx: _record(tx, number, file, token, most, now)):
            return self._gone(token)
        ticket = self.desk.signer.sign_words(TICKET, f"{number}x{file.id}", expires=now + TICKET_LIFE)
        return RedirectResponse(f"{self.desk.root}download/{ticket}/{quote(file.name)}", 303)

    async def fetch(self, request: Request) -> Response:
        """The file, or a piece of it; the name in the address is for the reader, and means nothing here."""
        try:
            words = self.desk.signer.read_words(TICKET, request.path_params["ticket"], self.desk.clock())
        except (BadSignature, ExpiredLink):
            raise HTTPException(404) from None
        number, _, file_id = words.partition("x")
        file = self.shelf.find(file_id)
        if file is None or not await self.desk.read(lambda tx: _is_known(tx, int(number))):
            raise HTTPException(404)
        list_id = self.desk.settings.envelope.list_id
        copy = await run_in_threadpool(self.shelf.copy, file, int(number), self.desk.signer.secrets, list_id)
        return ranges.answer(
            copy.data, copy.etag, request.headers, method=request.method, content_type=file.media_type,
            content_disposition=f'attachment; filename="{file.name}"', cache_control="private, no-store",
        )  # fmt: skip

    async def send_again(self, request: Request) -> Response:
        """Have a new link go to the person's own mailbox; whoever asks is told the same in any case."""
        number, _ = self._read(request.path_params["token"])
        now = self.desk.clock()
        await self.desk.write(lambda tx: _queue_new_link(tx, number, now))
        return self.desk.show("plain", what="gift_again")

    def _gone(self, token: str) -> Response:
        return self.desk.show("gift_gone", status=410, token=token, gift=self.shelf.gift)

    def _read(self, token: str) -> tuple[int, bool]:
        """Whose link it is, and whether its time is not over; a forged one is no page at all."""
        try:
            return self.desk.signer.read(PAGE, token, self.desk.clock()), True
        except ExpiredLink as error:
            return int(error.words), False
        except BadSignature:
            raise HTTPException(404) from None


def _is_known(tx: Tx, number: int) -> bool:
    person = subscribers.find_by_id(tx, number)
    return person is not None and person.consent is not Consent.ERASED


def _record(tx: Tx, number: int, file: File, token: str, most: int, now: datetime) -> bool:
    return _is_known(tx, number) and downloads.record(tx, number, file.name, token, most=most, now=now)


def _queue_new_link(tx: Tx, number: int, now: datetime) -> None:
    """Once a day: a link that is pressed often fills nobody's mailbox."""
    if _is_known(tx, number):
        queue_letter(tx, LETTER, number, key=f"gift:{number}:{now:%Y-%m-%d}", due_at=now, now=now)
