"""Where mail that came back lies: a Maildir, or a mailbox on an IMAP server."""

from __future__ import annotations

import imaplib
import mailbox
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from outbox.errors import ConfigError, Temporary

TIMEOUT = 60  # seconds for each answer of the server
MOST = 1_000_000  # bytes of one mail that are read: what counts stands in front


class Box(Protocol):
    """A box of mail, some of it read before."""

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """The name and the bytes of every mail that was not read; it stays unread."""

    def mark(self, names: Iterable[str]) -> None:
        """Say that these were read."""

    def close(self) -> None:
        """Let go of it."""


class Maildir:
    """A folder with `new` and `cur`, as mail servers make it. Raises ConfigError for another."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "new").is_dir() or not (folder / "cur").is_dir():
            raise ConfigError(f"{folder} is no Maildir: it has no folders new and cur")
        (folder / "tmp").mkdir(exist_ok=True)
        self._box = mailbox.Maildir(folder, factory=None, create=False)

    def unread(self) -> Iterator[tuple[str, bytes]]:
        for name in sorted(self._box.keys()):
            message = self._box.get_message(name)
            if "S" not in message.get_flags():
                with self._box.get_file(name) as file:
                    yield name, file.read(MOST)

    def mark(self, names: Iterable[str]) -> None:
        for name in names:
            message = self._box.get_message(name)
            message.set_subdir("cur")
            message.add_flag("S")
            self._box[name] = message

    def close(self) -> None:
        self._box.close()


class Imap:
    """A folder on an IMAP server, over TLS. Raises Temporary when it cannot be reached, ConfigError when it refuses."""

    def __init__(
        self, host: str, user: str, password: str, *, folder: str = "INBOX", port: int = 993,
        trust: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        try:
            trust = trust or ssl.create_default_context()
            self._server = imaplib.IMAP4_SSL(host, port, ssl_context=trust, timeout=TIMEOUT)
        except OSError as error:
            raise Temporary(f"{host} cannot be reached: {error}") from None
        try:
            self._server.login(user, password)
            answer, words = self._server.select(_quoted(folder))
        except imaplib.IMAP4.error as error:
            self.close()
            raise ConfigError(f"{host} refuses: {_said(error).replace(password, '(secret)')}") from None
        if answer != "OK":
            self.close()
            raise ConfigError(f"{host} has no folder {folder!r}: {words!r}")

    def unread(self) -> Iterator[tuple[str, bytes]]:
        _, found = self._server.uid("SEARCH", "UNSEEN")
        for name in (found[0] or b"").decode().split():
            _, parts = self._server.uid("FETCH", name, f"(BODY.PEEK[]<0.{MOST}>)")
            bodies = [part[1] for part in parts if isinstance(part, tuple)]
            if bodies:
                yield name, bodies[0]

    def mark(self, names: Iterable[str]) -> None:
        for name in names:
            self._server.uid("STORE", name, "+FLAGS", r"(\Seen)")

    def close(self) -> None:
        try:
            self._server.logout()
        except (OSError, imaplib.IMAP4.error):
            self._server.shutdown()


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
