"""Report what became of accepted messages, as providers do: by webhook, late, twice, and in any order."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from outbox.events.proof import sign_standard

from .journal import Journal

#: What becomes of a message, by the word before a plus sign in its mailbox; of any other it is delivered.
FATES: Mapping[str, Sequence[Mapping[str, str]]] = MappingProxyType(
    {
        "bounce": (
            {
                "type": "bounced",
                "firmness": "hard",
                "cause": "unknown_user",
                "detail": "550 5.1.1 no such user",
            },
        ),
        "full": (
            {"type": "bounced", "firmness": "soft", "cause": "full", "detail": "452 4.2.2 mailbox full"},
        ),
        "complain": ({"type": "delivered"}, {"type": "complained"}),
        "leave": ({"type": "delivered"}, {"type": "unsubscribed"}),
    }
)
USUAL: Sequence[Mapping[str, str]] = ({"type": "delivered"},)
LOOK_S, AGAIN_S = 0.05, 0.5  # seconds between looks at the journal, and until a refused call is made again
TOGETHER = 20  # events in one call at most


@dataclass(frozen=True, slots=True)
class Manner:
    """How badly events arrive. `twice` is a share of calls, `delay` seconds at most; both by chance, with a seed."""

    twice: float = 0.0
    delay: float = 0.0
    seed: int = 0


class Emitter:
    """Calls a webhook for every message of a journal, until each call was answered with 2xx."""

    def __init__(
        self, journal: Journal, url: str, secret: str, manner: Manner = Manner(),
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        from outbox.providers.base import Http  # the HTTP library is slow to load, and seldom needed

        parts = urlsplit(url)
        self._http, self._path = Http(f"{parts.scheme}://{parts.netloc}"), parts.path
        self._journal, self._secret, self._manner, self._clock = journal, secret, manner, clock
        self._chance, self._calls = random.Random(manner.seed), count(1)  # noqa: S311  (no secret depends on it)
        self._waiting: list[tuple[float, int, bytes]] = []
        self._last, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._work, name="emitter", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether everything that was accepted has been reported."""
        return not self._waiting and not self._journal.find_after(self._last, 1)

    def close(self) -> None:
        """Stop, whatever is still to be reported."""
        self._ended.set()
        self._thread.join()
        self._http.close()

    def _work(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._plan()
            self._make_due_calls()

    def _plan(self) -> None:
        """Choose when each new event is told, and whether it is told twice."""
        found = self._journal.find_after(self._last, 500)
        events = [event for message in found for event in _events_of(message, self._clock())]
        self._chance.shuffle(events)
        while events:
            size = self._chance.randint(1, TOGETHER)
            body, events = json.dumps({"events": events[:size]}).encode(), events[size:]
            for _ in range(1 + (self._chance.random() < self._manner.twice)):
                at = self._clock() + self._chance.random() * self._manner.delay
                heappush(self._waiting, (at, next(self._calls), body))
        self._last = found[-1]["no"] if found else self._last

    def _make_due_calls(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._clock() and not self._ended.is_set():
            at, number, body = self._waiting[0]
            if self._call(number, body):
                heappop(self._waiting)
            else:
                heappop(self._waiting)
                heappush(self._waiting, (max(at, self._clock()) + AGAIN_S, number, body))

    def _call(self, number: int, body: bytes) -> bool:
        name, moment = f"msg_{number}", str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{sign_standard(self._secret, name, moment, body)}",
        }
        from outbox.providers.base import CallFailed

        try:
            return 200 <= self._http.call("POST", self._path, headers, body).status < 300
        except CallFailed:
            return False


def _events_of(message: Mapping[str, Any], now: float) -> Iterator[dict[str, Any]]:
    fate = FATES.get(message["email"].partition("+")[0], USUAL)
    for event in ({"type": "accepted"}, *fate):
        yield {
            **event,
            "id": f"{message['id']}.{event['type']}",
            "outbox_id": message["outbox_id"],
            "email": message["email"],
            "message": message["id"],
            "at": datetime.fromtimestamp(now, UTC).isoformat(),
        }
