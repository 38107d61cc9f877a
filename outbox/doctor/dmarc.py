"""Read DMARC: what a domain wants done with mail that is not its own, and which domains are one (RFC 9989)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .dkim import read_tags
from .names import Names

MAX_QUESTIONS = 8  # RFC 9989 section 4.10: so long a walk at most
POLICIES = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True, slots=True)
class Policy:
    """The record found for a domain, and where it was found."""

    domain: str
    tags: Mapping[str, str]

    def mode(self, of: str) -> str:
        """`s` where domains must be equal, `r` where it is enough that they are one; `of` is adkim or aspf."""
        return "s" if self.tags.get(of, "r").lower() == "s" else "r"


def find_policy(names: Names, domain: str) -> Policy | None:
    """The record that holds for mail from a domain: its own, or that of its organisation; raises NoAnswer."""
    return read_policy(names, domain) or read_policy(names, find_organisation(names, domain))


def read_policy(names: Names, domain: str) -> Policy | None:
    """The record of one domain. Several are as good as none."""
    texts = [text for text in names.texts(f"_dmarc.{domain}") if text.replace(" ", "").startswith("v=DMARC1")]
    return Policy(domain, read_tags(texts[0])) if len(texts) == 1 else None


def find_organisation(names: Names, domain: str) -> str:
    """The organisational domain, found by walking up the tree of names (RFC 9989 section 4.10.2)."""
    found = domain
    for parent in _walk_up(domain):
        policy = read_policy(names, parent)
        if policy is None:
            continue
        if policy.tags.get("psd") == "n":
            return parent
        if policy.tags.get("psd") == "y":
            return _below(domain, parent)
        found = parent
    return found


def is_aligned(names: Names, domain: str, sender: str, mode: str) -> bool:
    """Whether what authenticates as `domain` speaks for mail from `sender`."""
    if mode == "s" or domain == sender:
        return domain == sender
    return find_organisation(names, domain) == find_organisation(names, sender)


def _walk_up(domain: str) -> Iterator[str]:
    labels = domain.split(".")
    yield domain
    for number in range(min(len(labels) - 1, MAX_QUESTIONS - 1), 0, -1):
        yield ".".join(labels[-number:])


def _below(domain: str, suffix: str) -> str:
    number = suffix.count(".") + 2
    return ".".join(domain.split(".")[-number:])
