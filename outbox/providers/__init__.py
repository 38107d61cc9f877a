"""The providers by name, and what each of them must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from outbox.model import Account, Addressee, Capabilities, ItemResult, Letter, PreparedBatch


class Provider(Protocol):
    """Whoever carries mail. What it reports of it afterwards is read in outbox/events."""

    @property
    def name(self) -> str: ...

    @property
    def caps(self) -> Capabilities: ...

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """Make the bytes of one call. Pure: the same input gives the same bytes.

        Raises MustSplit when these people do not fit into one call, OutboxError when a message cannot be made.
        """

    def send(self, batch: PreparedBatch) -> Sequence[ItemResult]:
        """Make one call, without retry, and answer for each message in order; a failed call is an answer."""

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """Ask which messages of a batch the provider holds; `caps.lookup` says what an absent one means."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Askable(Protocol):
    """A provider that `outbox doctor --online` can ask whether it takes our secrets."""

    def ask_account(self) -> str:
        """Make one call that changes nothing; return the provider's refusal, or nothing when all is well.

        Raises CallFailed when no answer came.
        """


def _from(module: str, kind: str) -> Callable[[Account], Provider]:
    """A provider is loaded when it is used: most runs need one, and no library of the others."""

    def make(account: Account) -> Provider:
        provider: Provider = getattr(import_module(f".{module}", __name__), kind)(account)
        return provider

    return make


PROVIDERS: Mapping[str, Callable[[Account], Provider]] = MappingProxyType(
    {
        "file": _from("file", "File"),
        "sandbox": _from("sandbox", "Sandbox"),
        "smtp": _from("smtp", "Smtp"),
        "resend": _from("resend", "Resend"),
        "postmark": _from("postmark", "Postmark"),
        "mailgun": _from("mailgun", "Mailgun"),
        "brevo": _from("brevo", "Brevo"),
        "ses": _from("ses", "Ses"),
    }
)
