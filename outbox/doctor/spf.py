"""Read SPF: which servers may send for a domain, and in how many look-ups that is found out (RFC 7208)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from .names import Names

MAX_LOOKUPS = 10  # RFC 7208 section 4.6.4
COUNTED = frozenset({"a", "exists", "include", "mx", "ptr", "redirect"})
MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|$)(?::([^/]*))?(/.*)?", re.IGNORECASE
)
MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)

Term = tuple[str, str, str]  # sign, name, value


class SpfError(Exception):
    """A record that receivers treat as a permanent error."""


@dataclass(frozen=True, slots=True)
class Spf:
    """What a domain's record amounts to, with all that it includes."""

    record: str
    lookups: int
    includes: frozenset[str]
    ending: str  # sign before `all`; empty: there is none


def read_spf(names: Names, domain: str) -> Spf | None:
    """Read a domain's record to its end; None: there is none. Raises SpfError, NoAnswer."""
    record = find_record(names, domain)
    if record is None:
        return None
    lookups, includes, endings = 0, set(), [""]
    for sign, name, value in _walk(names, record):
        lookups += name in COUNTED
        if lookups > MAX_LOOKUPS:
            raise SpfError(f"needs more than {MAX_LOOKUPS} look-ups; receivers give up there")
        if name in {"include", "redirect"}:
            includes.add(value)
        if name == "all":
            endings.append(sign or "+")
    return Spf(record, lookups, frozenset(includes), endings[-1])


def find_record(names: Names, domain: str) -> str | None:
    """The SPF record of a domain; raises SpfError when there are several."""
    found = [text for text in names.texts(domain) if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]
    if len(found) > 1:
        raise SpfError(f"has {len(found)} SPF records; receivers take neither")
    return found[0] if found else None


def _walk(names: Names, record: str) -> Iterator[Term]:
    """Every term in the order it is looked at; `all` only of the record itself and those it redirects to."""
    terms = [_read_term(word) for word in record.split()[1:]]
    ended = any(name == "all" for _, name, _ in terms)
    for sign, name, value in terms:
        if name == "redirect" and ended:
            continue  # RFC 7208 section 6.1
        yield sign, name, value
        if name in {"include", "redirect"} and "%" not in value:
            inner = find_record(names, value)
            if inner is None:
                raise SpfError(f"points to {value}, which has no SPF record")
            yield from (term for term in _walk(names, inner) if name == "redirect" or term[1] != "all")


def _read_term(word: str) -> Term:
    found = MECHANISM.fullmatch(word)
    if found:
        sign, name, value, size = found[1], found[2].lower(), found[3] or "", found[4] or ""
        if name in {"ip4", "ip6"} and not _is_network(name, value + size):
            raise SpfError(f"holds {word!r}, which is no address")
        if name in {"include", "exists"} and not value:
            raise SpfError(f"holds {word!r}, which names nothing")
        return sign, name, value.lower().rstrip(".")
    modifier = MODIFIER.fullmatch(word)
    if not modifier:
        raise SpfError(f"holds {word!r}, which is nothing that receivers know")
    return "", modifier[1].lower(), modifier[2].lower().rstrip(".")


def _is_network(kind: str, text: str) -> bool:
    try:
        return ip_network(text, strict=False).version == int(kind[-1])
    except ValueError:
        return False
