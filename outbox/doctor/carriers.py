"""What each provider asks of its customers' DNS, as far as it is the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from outbox.config import Settings


@dataclass(frozen=True, slots=True)
class Carrier:
    """How mail looks that a provider carries.

    `bounce` is the domain that failed mail goes back to, which is the one SPF is about; empty: the
    provider's own, and SPF says nothing about the customer.
    """

    spf: str = ""  # what that domain's record must include
    selectors: tuple[str, ...] = ()  # of DKIM; empty: made anew for each customer
    bounce: str = ""


#: `{sender}` is the domain of the sender's mailbox, `{own}` that of [provider] in book.toml.
CARRIERS: Mapping[str, Carrier] = MappingProxyType(
    {
        "smtp": Carrier(bounce="{sender}"),
        "resend": Carrier("amazonses.com", ("resend",), "send.{sender}"),
        "postmark": Carrier(bounce="pm-bounces.{sender}"),
        "mailgun": Carrier("mailgun.org", bounce="{own}"),
        "brevo": Carrier(selectors=("brevo1", "brevo2")),
        "ses": Carrier("amazonses.com"),
    }
)


def sender_domain(settings: Settings) -> str:
    """The domain that readers see in From."""
    return settings.envelope.sender.email.partition("@")[2].lower()


def bounce_domain(settings: Settings, carrier: Carrier) -> str:
    """The domain that SPF is about; empty: none of the customer's."""
    named = carrier.bounce.format(sender=sender_domain(settings), own=settings.account.domain)
    return settings.bounce_domain or named


def signing_domains(settings: Settings) -> tuple[str, ...]:
    """The domains in whose name the provider may sign, the likeliest first."""
    return tuple(dict.fromkeys(filter(None, (settings.account.domain, sender_domain(settings)))))


def selectors_of(settings: Settings, carrier: Carrier) -> tuple[str, ...]:
    """The selectors that book.toml names, else those that the provider always takes."""
    return settings.dkim or carrier.selectors
