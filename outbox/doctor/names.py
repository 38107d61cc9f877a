"""Ask the domain name system, and tell "there is none" from "nobody answered"."""

from __future__ import annotations

import dns.exception
import dns.resolver

LIFETIME = 4.0  # seconds for one question
PATIENCE = 2  # questions without an answer, after which no further one is asked


class NoAnswer(Exception):
    """No name server answered, so nobody knows."""


class Names:
    """What the world sees of a domain. A name that does not exist has nothing: that is an answer."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self._resolver = resolver
        self._silences = 0

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, the pieces of each joined (RFC 7208 section 3.3)."""
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT"))

    def mail_servers(self, name: str) -> tuple[str, ...]:
        """The MX records of a name; "." says that it takes no mail (RFC 7505)."""
        return tuple(record.exchange.to_text(omit_final_dot=True) for record in self._ask(name, "MX"))

    def has_address(self, name: str) -> bool:
        """Whether a name has an A or AAAA record."""
        return bool(self._ask(name, "A") or self._ask(name, "AAAA"))

    def _ask(self, name: str, kind: str) -> tuple[dns.resolver.Answer, ...]:
        if self._silences >= PATIENCE:
            raise NoAnswer("no name server answers")
        try:
            return tuple(self._resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.resolver.LifetimeTimeout:
            self._silences += 1
            raise NoAnswer(f"no name server answered about {name}") from None
        except dns.exception.DNSException as error:
            raise NoAnswer(f"{name} cannot be looked up: {' '.join(str(error).split())[:120]}") from None


def open_names(server: str = "") -> Names:
    """Ask the system's name servers, or the one at `server`: an address, with `:port` where it is not 53.

    Raises ValueError for a server that is no address.
    """
    return Names(_resolver_at(server) if server else _system_resolver())


def _resolver_at(server: str) -> dns.resolver.Resolver:
    host, _, port = server.partition(":") if server.count(":") == 1 else (server, "", "")
    resolver = _configure(dns.resolver.Resolver(configure=False))
    resolver.nameservers, resolver.port = [host], int(port or 53)
    return resolver


def _system_resolver() -> dns.resolver.Resolver:
    try:
        return _configure(dns.resolver.Resolver())
    except dns.resolver.NoResolverConfiguration:
        return dns.resolver.Resolver(configure=False)  # answers nothing, and the findings say so


def _configure(resolver: dns.resolver.Resolver) -> dns.resolver.Resolver:
    resolver.lifetime = LIFETIME
    resolver.cache = dns.resolver.Cache()
    return resolver
