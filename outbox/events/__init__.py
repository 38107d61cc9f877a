"""What providers report of messages: proven, read into our own words; one class for each provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from outbox.errors import OutboxError
from outbox.model import Arrival, Report

from .brevo import Brevo
from .mailbox import Mailbox
from .mailgun import Mailgun
from .postmark import Postmark
from .resend import Resend
from .sandbox import Sandbox
from .ses import Ses


class Source(Protocol):
    """Whoever reports. Both are pure: the same call gives the same answer."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        """Raise BadSignature unless the call was made by the provider, about now (`call.at`)."""

    def read(self, call: Arrival) -> list[Report]:
        """Read a call that was verified; may raise ValueError, LookupError, TypeError for one that is odd."""


@runtime_checkable
class Confirming(Protocol):
    """A source that asks first whether it may send to an address."""

    def confirm(self, call: Arrival) -> None:
        """Answer the question, if the call is one."""


def _fetch(site: str, path: str) -> bytes:
    from outbox.providers.base import CallFailed, Http  # the HTTP library is slow to load, and seldom needed

    web = Http(site)
    try:
        answer = web.call("GET", path, {})
    except CallFailed as failed:
        raise OutboxError(f"{site} did not answer: {failed}") from None
    finally:
        web.close()
    if answer.status != 200:
        raise OutboxError(f"{site} answers {answer.status}")
    return answer.body


#: Who reports under which name. A provider that is not here reports nothing.
SOURCES: Mapping[str, Callable[[], Source]] = MappingProxyType(
    {
        "postmark": Postmark,
        "mailgun": Mailgun,
        "resend": Resend,
        "brevo": Brevo,
        "ses": lambda: Ses(_fetch),
        "sandbox": Sandbox,
        "mailbox": Mailbox,
    }
)


@cache
def source_of(name: str) -> Source:
    """The source of that name; raises KeyError."""
    return SOURCES[name]()


def admit(call: Arrival, secrets: Sequence[str]) -> None:
    """Prove a call, and answer it where it asks whether it may send; raises BadSignature, OutboxError."""
    source = source_of(call.provider)
    try:
        source.verify(call, secrets)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise OutboxError(f"the call cannot be read: {error}") from None
    if isinstance(source, Confirming):
        source.confirm(call)


def read(call: Arrival) -> list[Report]:
    """What a call reports; raises OutboxError for one that cannot be read."""
    try:
        return source_of(call.provider).read(call)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise OutboxError(f"{type(error).__name__}: {error}") from None
