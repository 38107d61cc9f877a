"""How many may sign up: from one network and from all of them, so that nobody's inbox is flooded in our name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network

HOUR = 3600.0  # seconds
KEPT = 50_000  # networks that are remembered; more than that and the fullest buckets are forgotten
ALL = ""  # the bucket that everybody takes from
#: Who belongs together: a street or a company of the old addresses, one connection of the new ones.
PREFIX = {4: 24, 6: 64}


@dataclass(slots=True)
class Limits:
    """Buckets that fill up within an hour, kept in memory: a restart fills them. Used by one event loop.

    `per_network` and `per_hour` are the sizes of the buckets; 0 means that there is none.
    """

    clock: Callable[[], datetime]
    per_network: int
    per_hour: int
    buckets: dict[str, tuple[float, float]] = field(
        default_factory=dict
    )  # name -> how much is in, since when

    def take(self, network: str) -> bool:
        """Whether one more may go in from this network; if so, it is counted."""
        now = self.clock().timestamp()
        sizes = {name: size for name, size in ((network, self.per_network), (ALL, self.per_hour)) if size}
        left = {name: self._level(name, size, now) for name, size in sizes.items()}
        if any(level < 1 for level in left.values()):
            return False
        for name, level in left.items():
            self.buckets[name] = (level - 1, now)
        if len(self.buckets) > KEPT:
            self._forget()
        return True

    def _level(self, name: str, size: int, now: float) -> float:
        level, since = self.buckets.get(name, (size, now))
        return min(size, level + (now - since) * size / HOUR)

    def _forget(self) -> None:
        """Forget the half that has taken least, but never how much all of them took."""
        by_level = sorted(
            (name for name in self.buckets if name != ALL), key=lambda name: self.buckets[name][0]
        )
        for name in by_level[len(by_level) // 2 :]:
            del self.buckets[name]


def network_of(host: str) -> str:
    """The network an address belongs to, as `192.0.2.0/24` or `2001:db8::/64`; `unknown` for what is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network(f"{mapped}/{PREFIX[mapped.version]}", strict=False))
