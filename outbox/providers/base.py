"""What all providers over HTTP do alike: one POST without retry, and an outcome for whatever came of it."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError
from urllib3.util import Retry

from outbox.errors import ConfigError, MustSplit, OutboxError
from outbox.many import Accepted
from outbox.model import Account, Addressee, Capabilities, ItemResult, Letter, Outcome, PreparedBatch

TIMEOUT = (5, 60)  # seconds to connect, and between two pieces of the answer
DEADLINE = 120.0  # seconds for the whole answer: a lease must outlast it
SHOWN = 300  # characters of a provider's own words that are kept
LOOPBACK = ("http://127.0.0.1:", "http://localhost:")

#: What a status says about the whole call (OC-2, 3, 6, 8); one that is not here: NOT_SENT for 4xx, else UNKNOWN.
OUTCOMES: Mapping[int, Outcome] = {
    408: Outcome.UNKNOWN,
    409: Outcome.UNKNOWN,
    425: Outcome.THROTTLED,
    429: Outcome.THROTTLED,
}
#: A message alone in its call that is refused like this is refused for good.
REFUSALS = frozenset({400, 413, 422})


class CallFailed(Exception):
    """No answer came; `outcome` says whether the call may have been taken."""

    def __init__(self, outcome: Outcome, code: str, detail: str) -> None:
        self.outcome, self.code = outcome, code
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def document(self) -> Any:
        """The JSON of the body; raises ValueError."""
        return json.loads(self.body)

    def retry_after(self) -> float | None:
        """Seconds to wait; a date is counted from the answer's own."""
        said = self.headers.get("Retry-After", "").strip()
        if said.isdigit():
            return float(said)
        try:
            until = parsedate_to_datetime(said)
            return max(0.0, (until - parsedate_to_datetime(self.headers.get("Date", ""))).total_seconds())
        except (TypeError, ValueError):
            return None


class Http:
    """One connection for each thread to one provider (RQ-1 to RQ-6)."""

    def __init__(self, site: str) -> None:
        self.site = site.rstrip("/")
        if not self.site.startswith(("https://", *LOOPBACK)):
            raise ConfigError(f"[provider] url: {site!r} must be an https address")
        self._thread = threading.local()
        self._sessions: list[requests.Session] = []

    def call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Make one call and read the whole answer; raises CallFailed."""
        request = requests.PreparedRequest()
        request.prepare(method=method, url=self.site + path, headers=dict(headers), data=body)
        until = time.monotonic() + DEADLINE
        try:
            with self._session().send(request, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                return Answer(answer.status_code, answer.headers, _read(answer, until))
        except requests.RequestException as error:
            raise _failed(error) from None

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in self._sessions:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._thread, "session", None)
        if session is None:
            session = self._thread.session = _new_session()
            self._sessions.append(session)
        return session


class HttpProvider:
    """A provider over HTTP: `_form` and `_read` are its own, the rest is here."""

    name: ClassVar[str]
    caps: Capabilities

    def __init__(
        self, account: Account, site: str, headers: Callable[[str], Mapping[str, str]] | None = None
    ) -> None:
        """`site` is the provider's address; `headers` make the headers that hold the secret."""
        self._http = Http(account.url or site)
        self._secrets = self._read_secrets(account.env)
        self._secret_headers = headers(self._secrets[0]) if headers else {}

    def send(self, batch: PreparedBatch) -> Sequence[ItemResult]:
        """Make one call, without retry, and answer for each message in order (OC-1 to OC-8, AD-8)."""
        try:
            body = batch.body
            headers = {**batch.headers, **self._authorize(batch.method, batch.path, body)}
            answer = self._http.call(batch.method, batch.path, headers, body)
            if not 200 <= answer.status < 300:
                return self._refused(batch, answer)
            return complete(batch, self._read(batch, answer))
        except CallFailed as failed:
            return all_alike(batch, failed.outcome, failed.code, self._clean(str(failed)))
        except (ValueError, LookupError, TypeError, AttributeError):
            return all_alike(batch, Outcome.UNKNOWN, "unreadable", "the answer cannot be read")

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """Ask which messages of a batch the provider holds; a question that fails leaves all of them open."""
        try:
            return self._find(batch)
        except CallFailed as failed:
            detail = f"could not ask: {self._clean(str(failed))}"
            return {
                name: ItemResult(name, Outcome.UNKNOWN, "", failed.code, detail) for name in batch.outbox_ids
            }
        except (ValueError, LookupError, TypeError, AttributeError):
            detail = "could not ask: the answer cannot be read"
            return {
                name: ItemResult(name, Outcome.UNKNOWN, "", "unreadable", detail) for name in batch.outbox_ids
            }

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _read_secrets(self, env: Mapping[str, str]) -> tuple[str, ...]:
        return (read_secret(env, "OUTBOX_TOKEN", self.name),)

    def _authorize(self, method: str, path: str, body: bytes) -> Mapping[str, str]:
        """The headers that hold secrets: added at the moment of the call, never kept (AD-3)."""
        return self._secret_headers

    def _read(self, batch: PreparedBatch, answer: Answer) -> Sequence[ItemResult]:
        """Read an answer of 2xx; may raise ValueError, LookupError or TypeError for one that is odd."""
        raise NotImplementedError

    def _find(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """Search; a provider that has no search finds nothing."""
        return {}

    def _ask(self, path: str) -> Any:
        """GET a JSON document; raises CallFailed."""
        answer = self._http.call("GET", path, self._authorize("GET", path, b""))
        if answer.status != 200:
            raise CallFailed(Outcome.UNKNOWN, f"http {answer.status}", self._words(answer))
        return answer.document()

    def _ask_account(self, path: str, known: Collection[str] = ()) -> str:
        """GET what only the account's owner may see; `known` are refusals by which a secret is good all the same.

        Raises CallFailed when there is no answer, or none that says anything of the secret.
        """
        answer = self._http.call("GET", path, self._authorize("GET", path, b""))
        said = f"{answer.headers.get('x-amzn-ErrorType', '')} {self._words(answer)}"
        if answer.status == 429 or answer.status >= 500:
            raise CallFailed(Outcome.UNKNOWN, f"http {answer.status}", self._words(answer))
        good = 200 <= answer.status < 300 or any(word in said for word in known)
        return "" if good else f"{answer.status} {self._words(answer)}"

    def _refused(self, batch: PreparedBatch, answer: Answer) -> list[ItemResult]:
        outcome = self._outcome_of(answer)
        code = f"http {answer.status}" if answer.status >= 400 else "http 3xx"
        if outcome is Outcome.NOT_SENT and answer.status in REFUSALS and len(batch.outbox_ids) == 1:
            outcome = Outcome.INVALID
        return all_alike(batch, outcome, code, self._words(answer), answer.retry_after())

    def _outcome_of(self, answer: Answer) -> Outcome:
        default = Outcome.UNKNOWN if answer.status >= 500 else Outcome.NOT_SENT
        return OUTCOMES.get(answer.status, default)

    def _words(self, answer: Answer) -> str:
        return self._clean(answer.body[: 4 * SHOWN].decode("utf-8", "replace")) or f"status {answer.status}"

    def _clean(self, said: str) -> str:
        """A provider's words on one line, without our secrets."""
        for secret in filter(_worth_hiding, self._secrets):
            said = said.replace(secret, "(secret)")
        return " ".join(said.split())[:SHOWN]


def read_secret(env: Mapping[str, str], name: str, provider: str) -> str:
    """Return a secret from the environment; raises ConfigError that names it."""
    secret = env.get(name, "").strip()
    if not secret:
        raise ConfigError(
            f"the provider {provider!r} needs {name} in the environment; docs/providers.md says more"
        )
    if not secret.isascii() or not secret.isprintable():
        raise ConfigError(f"{name} in the environment holds a character that no header can carry")
    return secret


def fitted(batch: PreparedBatch, caps: Capabilities) -> PreparedBatch:
    """Return a batch that fits into one call (AD-6); raises MustSplit, or OutboxError for one message alone."""
    size, number = len(batch.content), len(batch.outbox_ids)
    limit = caps.max_request_bytes if number > 1 else min(caps.max_request_bytes, caps.max_message_bytes)
    if size <= limit:
        return batch
    if number == 1:
        raise OutboxError(f"the message has {size:,} bytes and the provider takes {limit:,}")
    share = max(1, number * limit // (size + size // 10))
    raise MustSplit(
        f"the call has {size:,} bytes and the provider takes {limit:,}", cut(batch.outbox_ids, share)
    )


def cut(names: Sequence[str], share: int) -> tuple[tuple[str, ...], ...]:
    """Names in order, at most `share` together."""
    return tuple(tuple(names[at : at + share]) for at in range(0, len(names), share))


def one_by_one(letter: Letter, people: Sequence[Addressee], caps: Capabilities) -> None:
    """Raise MustSplit where files travel along and the provider's batch takes none."""
    if letter.attachments and len(people) > 1 and not caps.attachments_in_batch:
        parts = cut([person.outbox_id for person in people], 1)
        raise MustSplit("a call with several messages takes no files", parts)


def all_alike(
    batch: PreparedBatch, outcome: Outcome, code: str, detail: str, retry_after: float | None = None
) -> list[ItemResult]:
    """The same answer for every message of a call."""
    return [ItemResult(name, outcome, "", code, detail, retry_after) for name in batch.outbox_ids]


def complete(batch: PreparedBatch, results: Sequence[ItemResult]) -> Sequence[ItemResult]:
    """One answer for each message in order; where the provider said nothing, nobody knows (AD-8)."""
    if isinstance(results, Accepted) and results.outbox_ids == batch.outbox_ids:
        return results
    said = {result.outbox_id: result for result in results}
    return [
        said.get(name) or ItemResult(name, Outcome.UNKNOWN, code="no answer", detail="left out of the answer")
        for name in batch.outbox_ids
    ]


def _worth_hiding(secret: str) -> bool:
    return len(secret) >= 6  # a shorter one is a word of a test, and would make any text unreadable


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc would replace our Authorization
    retry = Retry(total=None, connect=2, read=0, status=0, redirect=0, other=0)
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=retry)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _read(answer: requests.Response, until: float) -> bytes:
    pieces = []
    for piece in answer.iter_content(1 << 16):
        pieces.append(piece)
        if time.monotonic() > until:
            raise requests.ReadTimeout("the answer takes too long")
    return b"".join(pieces)


def _failed(error: requests.RequestException) -> CallFailed:
    """Tell a call that surely never began (OC-4) from one that may have been taken (OC-5)."""
    reason = error.args[0] if error.args else None
    cause = reason.reason if isinstance(reason, MaxRetryError) else reason
    certificate = any(isinstance(part, ssl.SSLCertVerificationError) for part in _chain(error))
    if certificate or isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return CallFailed(Outcome.NOT_SENT, "no connection", str(cause or error))
    return CallFailed(Outcome.UNKNOWN, "no answer", f"{type(error).__name__}: {error}")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found += [error, *(arg for arg in error.args if isinstance(arg, BaseException))]
        error = error.__cause__ or error.__context__
    return found
