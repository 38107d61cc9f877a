"""Checks of the provider's account, and of the outbox's own web pages as others reach them."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from outbox.config import HOOKS
from outbox.errors import ConfigError
from outbox.providers import PROVIDERS, Askable
from outbox.providers.base import Answer as Response
from outbox.providers.base import CallFailed, Http
from outbox.store import subscribers
from outbox.store.incoming import make_tokens

from .case import Answer, Case, error, not_run, passed, warning

SLOW, WRONG = 30.0, 240.0  # seconds that a clock may be off; Amazon refuses signatures from five minutes on
ONE_CLICK = "List-Unsubscribe=One-Click"
NOBODY = 0  # a subscriber's id that nobody has
BOUNDARY = "one-click"
#: RFC 8058 section 3.2: both spellings are taken. Header and body.
POSTS: Mapping[str, tuple[str, str]] = {
    "urlencoded": ("application/x-www-form-urlencoded", ONE_CLICK),
    "multipart": (
        f"multipart/form-data; boundary={BOUNDARY}",
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            f"One-Click\r\n--{BOUNDARY}--\r\n"
        ),
    ),
}


def check_provider(case: Case) -> Answer:
    """Whatever the provider needs is in book.toml and in the environment."""
    name = case.settings.provider
    try:
        PROVIDERS[name](case.settings.account).close()
    except ConfigError as wrong:
        return error(str(wrong))
    return passed(f"{name} has what it needs")


def check_account(case: Case) -> Answer:
    """The provider takes our secrets, asked by a call that changes nothing."""
    if not case.online:
        return _offline()
    try:
        provider = PROVIDERS[case.settings.provider](case.settings.account)
    except ConfigError as wrong:
        return not_run(str(wrong))
    try:
        if not isinstance(provider, Askable):
            return not_run(f"{provider.name} has no harmless call to ask by")
        refusal = provider.ask_account()
    except CallFailed as failed:
        return not_run(f"{provider.name} did not answer: {failed}", later=True)
    finally:
        provider.close()
    return (
        error(f"{provider.name} says: {refusal}") if refusal else passed(f"{provider.name} takes our secrets")
    )


def check_base_url(case: Case) -> Answer:
    """The links in letters lead to something, over https."""
    if not case.online:
        return _offline()
    url = case.settings.envelope.base_url
    try:
        status = _visit(case, "GET", "").status
    except CallFailed as failed:
        return error(f"{url} cannot be reached: {failed}")
    return error(f"{url} answers {status}") if status >= 500 else passed(f"{url} answers {status}")


def check_one_click(case: Case) -> Answer:
    """L6: the link to leave answers POST with 2xx at once, takes both spellings, and GET changes nothing.

    Asked for a person who does not exist, so that nobody is let go.
    """
    if not case.online:
        return _offline()
    if case.store is None:
        return not_run("without a database nobody can tell whether somebody was let go")
    (token,) = make_tokens([NOBODY])
    path = f"/unsubscribe/{token}"
    before = _count(case)
    try:
        wrong = _press(case, path)
    except CallFailed as failed:
        return error(f"the link to leave cannot be reached: {failed}")
    if _count(case) != before:
        return warning("the list has changed in the meantime; try again while nobody comes or goes")
    return (
        error(f"the link to leave {wrong}")
        if wrong
        else passed("GET, HEAD and POST answer, and nobody was let go")
    )


def check_webhooks(case: Case) -> Answer:
    """The provider's reports can come in: a secret is set, and a call without proof is refused as such."""
    name = case.settings.provider
    if name not in HOOKS:
        return passed(f"{name} calls no webhook" + (": outbox bounces" if name == "smtp" else ""))
    if name not in case.settings.hooks:
        return warning(f"{HOOKS[name]} is not set: nobody hears of bounces and complaints")
    if not case.online:
        return _offline()
    path = f"/events/{name}"
    try:
        status = _visit(case, "POST", path, {"Content-Type": "application/json"}, b"{}").status
    except CallFailed as failed:
        return error(f"{path} cannot be reached: {failed}")
    told = f"{path} answers a call without proof with {status}"
    return passed(told) if status == 401 else error(f"{told} instead of 401")


def check_clock(case: Case) -> Answer:
    """Schedules and signatures need the right time; the web server's Date header has it."""
    if not case.online:
        return _offline()
    try:
        said = _visit(case, "HEAD", "").headers.get("Date", "")
        apart = abs((case.now() - parsedate_to_datetime(said)).total_seconds())
    except (CallFailed, ValueError, TypeError):
        return not_run(f"{case.settings.envelope.base_url} does not tell the time", later=True)
    told = f"this clock and that of {case.settings.envelope.base_url} are {apart:.0f} seconds apart"
    return passed(told) if apart <= SLOW else warning(told) if apart <= WRONG else error(told)


def _press(case: Case, path: str) -> str:
    """What is wrong with a link to leave, or nothing."""
    for method in ("GET", "HEAD"):
        status = _visit(case, method, path).status
        if not 200 <= status < 300:
            return f"answers {method} with {status}"
    for name, (kind, body) in (*POSTS.items(), *POSTS.items()):  # twice: who has left may press again
        status = _visit(case, "POST", path, {"Content-Type": kind}, body.encode()).status
        if not 200 <= status < 300:
            return f"answers POST ({name}) with {status}"
    return ""


def _visit(
    case: Case, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Response:
    web = Http(case.settings.envelope.base_url)
    try:
        return web.call(method, path, headers or {}, body)
    finally:
        web.close()


def _count(case: Case) -> Mapping[str, int]:
    assert case.store is not None  # noqa: S101
    with case.store.read() as tx:
        return {str(consent): number for consent, number in subscribers.count(tx).items()}


def _offline() -> Answer:
    return not_run("asks the network; run it with --online")
