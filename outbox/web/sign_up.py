"""The page where people sign up, and what comes of it: the same answer whether an address is known or not."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outbox.addresses import read_mailbox, read_name, suggest
from outbox.errors import BadSignature, ExpiredLink, PeopleError
from outbox.store import evidence

from .challenge import TRAP, Challenge, is_proof, make_challenge, read_challenge
from .desk import WebDesk
from .forms import Form, read_form
from .gate import SCRIPTED
from .joining import Visit, join_all
from .limits import Limits, network_of
from .wording import Wording, keep_wording

log = logging.getLogger("outbox.web")

MAX_NAME = 60  # characters
#: A name that leads somewhere is none: it would be read in a letter that we send.
NO_NAME = re.compile(r"[/@<>]|www\.|\.(?:com|net|org|info|ru|cn)\b", re.IGNORECASE)
ORIGIN = re.compile(r"https?://[a-z0-9.:-]{1,100}")
#: Where a proof of work is asked for, so many times more may come with it than without.
WITHOUT_PROOF = 10


@dataclass(slots=True)
class _Entry:
    """A form as it came in, and what is to be said of it, by field."""

    form: Form
    email: str = ""
    name: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    meant: str = ""  # the address that was probably meant


def routes(desk: WebDesk) -> list[Route]:
    """The page and what it sends. The words of the form are kept now, for as long as evidence may name them."""
    pages = SignUpPages(desk, keep_wording(desk))
    return [
        Route("/", pages.show),
        Route("/sign-up", pages.show),
        Route("/sign-up", pages.take, methods=["POST"]),
    ]


class SignUpPages:
    """Answers at /sign-up."""

    def __init__(self, desk: WebDesk, wording: Wording) -> None:
        table = desk.settings.sign_up
        self._desk, self._table, self._wording = desk, table, wording
        self._join = partial(join_all, desk)
        self._limits = Limits(desk.clock, table.per_network, table.per_hour)
        few = [max(1, size // WITHOUT_PROOF) if size else 0 for size in (table.per_network, table.per_hour)]
        self._narrow = Limits(desk.clock, few[0], few[1])

    async def show(self, _: Request) -> Response:
        """The empty form."""
        return self._show(_Entry(Form()), self._new_token())

    async def take(self, request: Request) -> Response:
        """What somebody sent: an answer that says nothing of who is on the list, or the form with what is to be mended.

        A filled trap gets the same answer, and nothing happens.
        """
        form = await read_form(request)
        token = form.get("token")
        try:
            challenge = read_challenge(self._desk.signer, token, self._desk.clock())
        except (BadSignature, ExpiredLink):
            return self._show(_Entry(form, faults={"form": "form_old"}), self._new_token(), status=422)
        entry = self._read(form)
        if form.get(TRAP):
            log.info("a trap was filled")
            return self._desk.show("sent", email=entry.email, link=False)
        if not entry.faults and self._is_too_quick(challenge):
            entry.faults["form"] = "too_quick"
        if entry.faults or entry.meant:
            return self._show(entry, token if challenge.shown_at else self._new_token(), status=422)
        if not self._may_come(request, token, form.get("proof")):
            return self._desk.show("plain", status=429, what="busy")
        return await self._join_one(request, entry, challenge)

    async def _join_one(self, request: Request, entry: _Entry, challenge: Challenge) -> Response:
        sha = await self._find_form(challenge)
        if not sha:  # the words that were on it are not known any more, so nobody can have agreed to them
            entry.faults["form"] = "form_old"
            return self._show(entry, self._new_token(), status=422)
        languages, topics = self._table.languages, self._table.topics
        visit = Visit(
            email=entry.email, name=entry.name, form_sha=sha,
            language=entry.form.get("language") if entry.form.get("language") in languages else "",
            topics=tuple(word for word in entry.form.get_all("topic") if word in topics),
            source=self._name_source(request),
        )  # fmt: skip
        await self._desk.write_together(self._join, visit)
        return self._desk.show("sent", email=entry.email, link=False)

    def _read(self, form: Form) -> _Entry:
        entry = _Entry(form)
        try:
            entry.email = read_mailbox(form.get("email"))
        except PeopleError:
            entry.faults["email"] = "email_wrong" if form.get("email") else "email_missing"
        entry.name, name_fault = read_short_name(form.get("name"))
        entry.faults |= {"name": name_fault} if name_fault else {}
        if form.get("agree") != "yes":
            entry.faults["agree"] = "agree_missing"
        if entry.email and form.get("meant") != entry.email:
            entry.meant = suggest(entry.email)
        return entry

    def _is_too_quick(self, challenge: Challenge) -> bool:
        least = timedelta(seconds=self._table.min_seconds)
        return challenge.shown_at is not None and self._desk.clock() - challenge.shown_at < least

    def _may_come(self, request: Request, token: str, proof: str) -> bool:
        network = network_of(request.client.host if request.client else "")
        bits = self._table.proof_of_work
        if bits and not is_proof(token, proof, bits):
            return self._narrow.take(network)
        return self._limits.take(network)

    async def _find_form(self, challenge: Challenge) -> str:
        """The digest of the words that stood on the form: those of now, or others that are kept; empty for none."""
        if self._wording.sha.startswith(challenge.form):
            return self._wording.sha
        return await self._desk.read(lambda tx: evidence.find_form(tx, challenge.form))

    def _name_source(self, request: Request) -> str:
        """Where the form stood, and, where the author wants it, from which network it was sent."""
        origin = request.headers.get("origin", "")
        base = self._desk.settings.envelope.base_url
        own = "{0.scheme}://{0.netloc}".format(urlsplit(base))
        page = origin if ORIGIN.fullmatch(origin) and origin != own else f"{base}/sign-up"
        if not self._table.keep_network:
            return page
        return f"{page} from {network_of(request.client.host if request.client else '')}"

    def _new_token(self) -> str:
        return make_challenge(self._desk.signer, self._wording.sha, self._desk.clock())

    def _show(self, entry: _Entry, token: str, *, status: int = 200) -> Response:
        page = self._desk.show(
            "sign-up", status=status, wording=self._wording, table=self._table, entry=entry, token=token, trap=TRAP,
        )  # fmt: skip
        if self._table.proof_of_work:
            page.headers["content-security-policy"] = SCRIPTED
        return page


def read_short_name(text: str) -> tuple[str, str]:
    """A name, and what is wrong with it."""
    try:
        name = read_name(text)
    except PeopleError:
        return "", "name_wrong"
    return ("", "name_wrong") if len(name) > MAX_NAME or NO_NAME.search(name) else (name, "")
