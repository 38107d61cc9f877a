"""SMTP: raw mail to any submission server, one person to a transaction, over a connection that stays open."""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from outbox.errors import ConfigError
from outbox.mime import build
from outbox.model import (
    Account,
    Addressee,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Security,
)

TIMEOUT = 120  # seconds for each answer of the server
PORTS: Mapping[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
LEADING_DOT = re.compile(rb"(?m)^\.")


class Smtp:
    """RFC 5321 and 6409. After the final dot nobody can be asked, so a call holds one person."""

    name = "smtp"
    caps = Capabilities(
        max_batch=1,
        max_message_bytes=25_000_000,
        max_request_bytes=25_000_000,
        per_recipient_headers=True,
        attachments_in_batch=True,
        metadata_hidden=False,
        scheduling=False,
        replay_window_s=None,
        lookup="none",
        lookup_window_s=0,
        atomic_batch=True,
    )

    def __init__(self, account: Account) -> None:
        if not account.host:
            raise ConfigError("[provider] needs host, the name of the server that takes your mail")
        self._host, self._security = account.host, account.security
        self._port = account.port or PORTS[account.security]
        self._user = account.env.get("OUTBOX_SMTP_USER", "")
        self._password = account.env.get("OUTBOX_SMTP_PASSWORD", "")
        self._thread = threading.local()
        self._open: list[smtplib.SMTP] = []

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """The message in full; who writes and to whom stand beside it."""
        (person,) = people
        ends = {"from": letter.sender.email, "to": person.to.email}
        body = build(letter, person, date=date)
        return PreparedBatch(
            batch_id, batch_id, "SMTP", "", ends, body, (person.outbox_id,), (person.to.email,)
        )

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """Make one transaction. Only what the server said itself is definite (OC-3 to OC-5, OC-7)."""
        (name,) = batch.outbox_ids
        try:
            server = self._ready()
        except smtplib.SMTPAuthenticationError as error:
            return [self._said(name, Outcome.NOT_SENT, "smtp auth", error.smtp_error)]
        except (OSError, smtplib.SMTPException) as error:
            return [ItemResult(name, Outcome.NOT_SENT, code="no connection", detail=self._clean(str(error)))]
        try:
            return [self._transact(server, batch, name)]
        except (OSError, smtplib.SMTPException) as error:
            self._drop(server)
            detail = f"the connection was lost after the message had begun: {error}"
            return [ItemResult(name, Outcome.UNKNOWN, code="no answer", detail=self._clean(detail))]

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """A server cannot be asked."""
        return {}

    def close(self) -> None:
        """Say goodbye on every connection."""
        for server in self._open:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
        self._open.clear()

    def _transact(self, server: smtplib.SMTP, batch: PreparedBatch, name: str) -> ItemResult:
        limit = int(server.esmtp_features.get("size") or 0)
        if 0 < limit < len(batch.body):
            return ItemResult(
                name, Outcome.INVALID, code="smtp size", detail=f"the server takes {limit:,} bytes"
            )
        try:
            refused = self._offer(server, batch, name)
        except (OSError, smtplib.SMTPException) as error:
            self._drop(server)
            return ItemResult(name, Outcome.NOT_SENT, code="no connection", detail=self._clean(str(error)))
        if refused:
            self._forget(server)
            return refused
        server.send(LEADING_DOT.sub(b"..", batch.body) + b".\r\n")
        code, words = server.getreply()
        return self._said(name, _outcome(code), f"smtp {code}", words)

    def _offer(self, server: smtplib.SMTP, batch: PreparedBatch, name: str) -> ItemResult | None:
        """Say who writes, to whom, and ask to begin; the answer of a step that was refused, else None."""
        code, words = server.mail(
            batch.headers["from"], [f"size={len(batch.body)}"] if server.has_extn("size") else []
        )
        if code // 100 == 5:
            return self._said(name, Outcome.NOT_SENT, "smtp from", words)
        if code // 100 == 2:
            code, words = server.rcpt(batch.headers["to"])
        if code // 100 == 2:
            code, words = server.docmd("DATA")
            if code == 354:
                return None
        return self._said(name, _outcome(code), f"smtp {code}", words)

    def _ready(self) -> smtplib.SMTP:
        """A connection that answers: this thread's, or a new one."""
        server: smtplib.SMTP | None = getattr(self._thread, "server", None)
        if server is not None:
            with suppress(OSError, smtplib.SMTPException):
                if server.noop()[0] == 250:
                    return server
            self._drop(server)
        self._thread.server = server = self._connect()
        self._open.append(server)
        return server

    def _connect(self) -> smtplib.SMTP:
        trust = ssl.create_default_context()
        if self._security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT, context=trust)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT)
        try:
            if self._security == "starttls":
                server.starttls(context=trust)
            server.ehlo_or_helo_if_needed()
            if self._user:
                server.login(self._user, self._password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _forget(self, server: smtplib.SMTP) -> None:
        """Clear the table for the next message; what this one's fate is has been said."""
        try:
            server.rset()
        except (OSError, smtplib.SMTPException):
            self._drop(server)

    def _drop(self, server: smtplib.SMTP) -> None:
        server.close()
        self._thread.server = None
        if server in self._open:
            self._open.remove(server)

    def _said(self, name: str, outcome: Outcome, code: str, words: bytes | str) -> ItemResult:
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        given = self._clean(said)
        return ItemResult(name, outcome, given if outcome is Outcome.ACCEPTED else "", code, given)

    def _clean(self, said: str) -> str:
        hidden = said.replace(self._password, "(secret)") if self._password else said
        return " ".join(hidden.split())[:300]


def _outcome(code: int) -> Outcome:
    kinds = {2: Outcome.ACCEPTED, 4: Outcome.THROTTLED, 5: Outcome.REJECTED}
    return kinds.get(code // 100, Outcome.UNKNOWN)
