"""Play the whole story for a person to take part in: a provider for rehearsals, a sender, web pages, a fast clock."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

from . import issue as issues
from . import letterbox, mailing, worker
from .config import Settings
from .desk import Desk
from .errors import OutboxError
from .letterbox import Letterbox
from .model import Consent, Issue
from .providers.sandbox import Sandbox
from .sandbox import Desk as Counter
from .sandbox import Faults, Journal, Rules, Server
from .series.files import read_all
from .series.run import run
from .store import Store, open_store, subscribers

TURN_S = 0.5  # seconds between two looks at what is due
EVE = timedelta(hours=1)  # how long before the first issue the story begins

Tell = Callable[[str], None]


@dataclass(slots=True)
class DemoClock:
    """A clock that passes as all do, until it is told to leap."""

    start: datetime
    begun: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return self.start + timedelta(seconds=time.monotonic() - self.begun)

    def leap(self, to: datetime) -> None:
        """Go on from `to`, if that is later than now."""
        self.start += max(timedelta(), to - self())


@dataclass(slots=True)
class Demo:
    """The parts at work. `pace` is how many seconds a person has before the clock leaps to the next issue."""

    home: Path
    settings: Settings
    store: Store
    desk: Desk
    journal: Journal
    clock: DemoClock
    coming: list[Issue]
    pace: float
    local: str = ""  # where the pages really are; letters lead to base_url
    shown: int = 0
    leap_at: float | None = None

    def play(self, tell: Tell, stop: Event) -> None:
        """Send what is due, and tell it, until somebody says stop."""
        while not stop.wait(TURN_S):
            try:
                self.send(tell)
                self._move_on(tell)
            except OutboxError as error:
                tell(str(error))

    def send(self, tell: Tell) -> None:
        """One pass over everything that is due."""
        now, settings = self.clock(), self.settings
        box = Letterbox(settings.letters, settings.envelope, settings.secrets, settings.gift)
        every, faults = read_all(settings.series)
        run(self.store, every, "UTC", now)
        for error in (*faults, *letterbox.empty(self.desk, box, now)):
            tell(str(error))
        worker.run(self.desk, self.clock)
        letters = self.journal.find()
        for number, letter in enumerate(letters[self.shown :], self.shown + 1):
            path = self.home / "letters" / f"{number:02}.html"
            path.parent.mkdir(exist_ok=True)
            path.write_text(letter["html"].replace(settings.envelope.base_url, self.local), "utf-8")
            tell(f"a letter to {letter['email']}, “{letter['subject']}”: {path.resolve().as_uri()}")
        self.shown = len(letters)

    def _move_on(self, tell: Tell) -> None:
        """Once somebody is on the list, let the day of the next issue come, and of the one after it."""
        if not self.coming or not self._has_begun():
            return
        if self.leap_at is None:
            self.leap_at = time.monotonic() + self.pace
        elif time.monotonic() >= self.leap_at:
            issue, self.leap_at = self.coming.pop(0), None
            self.clock.leap(issue.send_at or self.clock())
            number = self._freeze(issue)
            tell(f"it is now {self.clock():%A, %d %B %Y, %H:%M}: an issue goes out to {number} people")

    def _has_begun(self) -> bool:
        with self.store.read() as tx:
            counts = subscribers.count(tx)
        return self.leap_at is not None or counts[Consent.CONFIRMED] + counts[Consent.UNSUBSCRIBED] > 0

    def _freeze(self, issue: Issue) -> int:
        settings, now = self.settings, self.clock()
        files = mailing.carries_files(issue, settings.envelope)
        with self.store.begin() as tx:
            return mailing.freeze(
                tx, issue, settings.envelope, provider=Sandbox.name, on_unknown="hold", send_id=uuid4().hex, now=now,
                max_batch=self.desk.provider.caps.batch_of(attachments=files), segments=settings.segments,
            )  # fmt: skip


@contextmanager
def playing(settings: Settings, pace: float) -> Iterator[Demo]:
    """Set everything up in build/demo, which is emptied before; raises OutboxError for what is not there."""
    home = settings.folder / "build" / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    coming = [issues.read(folder) for folder in sorted(settings.issues.glob("[!.]*/"))]
    coming.sort(key=lambda issue: issue.send_at or datetime.max.replace(tzinfo=UTC))
    first = next((issue.send_at for issue in coming if issue.send_at), datetime.now(UTC))
    clock = DemoClock(first - EVE)
    with ExitStack() as stack:
        journal = Journal(home / "sandbox.db")
        stack.callback(journal.close)
        account = replace(settings.account, url=stack.enter_context(_sandbox(journal)))
        settings = replace(
            settings, database=f"sqlite:///{home / 'outbox.db'}", provider=Sandbox.name, account=account,
            envelope=replace(settings.envelope, images="link"),
        )  # fmt: skip
        store = open_store(settings.database, clock())
        stack.callback(store.close)
        provider = Sandbox(account)
        stack.callback(provider.close)
        yield Demo(home, settings, store, Desk(store, provider), journal, clock, coming, pace)


@contextmanager
def working(demo: Demo, tell: Tell) -> Iterator[None]:
    """Let the sender work beside what is done within."""
    stop = Event()
    thread = Thread(target=demo.play, args=(tell, stop), name="sender")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _sandbox(journal: Journal) -> Iterator[str]:
    server = Server(Counter(journal, Faults(), Rules()), quiet=True)
    thread = Thread(target=server.serve_forever, args=(TURN_S,), name="sandbox")
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
