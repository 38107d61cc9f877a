"""What a request has at hand: the database, the settings, the signer, the clock, the look of the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from outbox.config import Settings
from outbox.store import Store, Tx, instance_secret
from outbox.tokens import Signer

from .look import Look, find_direction, read_look
from .writer import Writer

T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class WebDesk:
    """The desk of the front door. Whatever it holds is the same for every request."""

    store: Store
    settings: Settings
    signer: Signer
    clock: Callable[[], datetime]
    look: Look
    writer: Writer

    @property
    def root(self) -> str:
        """The path below which everything lies: `/` or, where base_url has a path, `/mail/`."""
        return f"{urlsplit(self.settings.envelope.base_url).path}/"

    async def read(self, ask: Callable[[Tx], T]) -> T:
        """Ask the database, beside the event loop."""
        return await run_in_threadpool(self._read, ask)

    async def write(self, do: Callable[[Tx], T]) -> T:
        """Change the database; answers when the commit is on the disk (writer.Writer.write)."""
        result: T = await self.writer.write(do)
        return result

    async def write_together(self, do: Callable[[Tx, Sequence[A]], Sequence[T]], argument: A) -> T:
        """As `write`, for what many ask at the same time and one call does for all of them."""
        result: T = await self.writer.write_together(do, argument)
        return result

    def words(self, language: str = "") -> Mapping[str, str]:
        """What pages say by themselves in this language, or in the list's."""
        return self.look.read_words(language or self.settings.language)

    def show(self, page: str, *, status: int = 200, language: str = "", **values: object) -> HTMLResponse:
        """Answer with `door/<page>.html.j2` in `language`, or in the list's."""
        language, words = language or self.settings.language, self.words(language)
        html = self.look.fill(
            page, kind=page, language=language, direction=find_direction(language), words=words,
            list_name=self.settings.envelope.list_name, address=self.settings.envelope.postal_address,
            root=self.root, **values,
        )  # fmt: skip
        return HTMLResponse(html, status)

    def _read(self, ask: Callable[[Tx], T]) -> T:
        with self.store.read() as tx:
            return ask(tx)

    def close(self) -> None:
        """Write what waits; the database stays open."""
        self.writer.close()


def open_web_desk(store: Store, settings: Settings, clock: Callable[[], datetime]) -> WebDesk:
    """The desk over an open database; raises ConfigError for a layout that is not there."""
    with store.read() as tx:
        signer = Signer((*settings.secrets, instance_secret(tx)), settings.envelope.list_id)
    return WebDesk(store, settings, signer, clock, read_look(settings.layout, settings.folder), Writer(store))
