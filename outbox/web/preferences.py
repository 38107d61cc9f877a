"""The page behind a person's own link: what they get, what is known of them, and how to be forgotten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outbox import consent
from outbox.model import Consent, Subscriber
from outbox.store import Tx, subscribers, wishes
from outbox.store.wishes import Wishes

from .desk import WebDesk
from .forms import Form, read_form
from .own_data import gather_own_data
from .sign_up import read_short_name

#: What the page offers, by the word the form sends: days between letters, days of a pause.
EVERY: Mapping[str, int] = MappingProxyType({"all": 0, "week": 7, "month": 30})
PAUSES: Mapping[str, int] = MappingProxyType({"month": 30, "quarter": 91, "half-year": 182})
CONTINENTS = frozenset(
    {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
ZONES = available_timezones()
#: Those that the page proposes: the ones named after a place.
ZONES_SHOWN = sorted(zone for zone in ZONES if zone.partition("/")[0] in CONTINENTS)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one person chose, and what they may choose from."""

    person: Subscriber
    wishes: Wishes
    tags: Sequence[str]

    @property
    def every(self) -> str:
        """How often, as the form says it; the next less often for a number that it does not offer."""
        return next((name for name, days in EVERY.items() if days >= self.wishes.every_days), "month")


def routes(desk: WebDesk) -> list[Route]:
    """The page, what it saves, and the two things a person can ask for: their data, and to be forgotten."""
    pages = PreferencePages(desk)
    return [
        Route("/preferences/{token}", pages.show),
        Route("/preferences/{token}", pages.save, methods=["POST"]),
        Route("/preferences/{token}/rest", pages.rest, methods=["POST"]),
        Route("/preferences/{token}/data", pages.hand_over, methods=["POST"]),
        Route("/preferences/{token}/erase", pages.erase, methods=["POST"]),
    ]


class PreferencePages:
    """Answers at /preferences/. Whoever has the link may do all of it; nobody else may do any."""

    def __init__(self, desk: WebDesk) -> None:
        self._desk = desk

    async def show(self, request: Request) -> Response:
        """What they chose so far."""
        found = await self._desk.read(partial(find_preferences, request.path_params["token"]))
        return self._answer(found, request)

    async def save(self, request: Request) -> Response:
        """Let it be as the form says from now on."""
        form = await read_form(request)
        do = partial(self._save, request.path_params["token"], form)
        return self._answer(await self._desk.write(do), request, done="saved")

    async def rest(self, request: Request) -> Response:
        """What the page of leaving offers instead: a pause, or fewer letters."""
        form = await read_form(request)
        do = partial(self._rest, request.path_params["token"], form)
        return self._answer(await self._desk.write(do), request, done="saved")

    async def hand_over(self, request: Request) -> Response:
        """Everything that is known of the person, as JSON."""
        data = await self._desk.read(partial(gather_own_data, request.path_params["token"]))
        if data is None:
            return self._answer(None, request)
        text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
        headers = {"content-disposition": 'attachment; filename="my-data.json"'}
        return Response(f"{text}\n", media_type="application/json", headers=headers)

    async def erase(self, request: Request) -> Response:
        """Forget the person for good, when they ticked that they are sure."""
        form, token = await read_form(request), request.path_params["token"]
        if form.get("sure") != "yes":
            found = await self._desk.read(partial(find_preferences, token))
            return self._answer(found, request, fault="not_sure")
        if not await self._desk.write(partial(self._erase, token)):
            return self._answer(None, request)
        return self._desk.show("plain", what="erased")

    def _answer(
        self, found: Preferences | None, request: Request, *, done: str = "", fault: str = ""
    ) -> Response:
        if found is None:
            return self._desk.show("late", status=404, standing="gone", days=0)
        words = self._desk.words(found.person.language)
        every = [(name, words[f"every_{name}"]) for name in EVERY]
        pauses = [("", words["pause_no"]), *((name, words[f"pause_{name}"]) for name in PAUSES)]
        paused = paused_until(found.wishes, self._desk.clock())
        if paused:
            pauses.insert(1, ("keep", words["pause_keep"].format(date=say_day(words, paused))))
        return self._desk.show(
            "preferences", status=422 if fault else 200, language=found.person.language, found=found,
            table=self._desk.settings.sign_up, token=request.path_params["token"], done=done, fault=fault,
            zones=ZONES_SHOWN, every=every, pauses=pauses, paused=paused,
            on_list=found.person.consent is Consent.CONFIRMED,
        )  # fmt: skip

    def _save(self, token: str, form: Form, tx: Tx) -> Preferences | None:
        found, table = find_preferences(token, tx), self._desk.settings.sign_up
        if found is None:
            return None
        subscribers.change(tx, [_change(found.person, form, table.languages)])
        _set_topics(tx, found, form, [*table.topics])
        now = self._desk.clock()
        paused = paused_until(found.wishes, now)
        chosen = Wishes(
            paused_until=_read_pause(form, now) if form.get("pause") != "keep" else paused,
            every_days=EVERY.get(form.get("every"), found.wishes.every_days),
            tracking=form.get("tracking") == "yes",
        )
        wishes.keep(tx, found.person.id, chosen)
        return find_preferences(token, tx)

    def _rest(self, token: str, form: Form, tx: Tx) -> Preferences | None:
        found = find_preferences(token, tx)
        if found is None:
            return None
        pause = _read_pause(form, self._desk.clock()) or found.wishes.paused_until
        every = EVERY.get(form.get("every"), found.wishes.every_days)
        wishes.keep(tx, found.person.id, replace(found.wishes, paused_until=pause, every_days=every))
        return find_preferences(token, tx)

    def _erase(self, token: str, tx: Tx) -> bool:
        person, secrets = subscribers.find_by_token(tx, token), self._desk.settings.secrets
        if person:
            source = f"{self._desk.settings.envelope.base_url}/preferences"
            consent.erase(tx, person, secrets, source=source, now=self._desk.clock(), method="link")
        return person is not None


def find_preferences(token: str, tx: Tx) -> Preferences | None:
    """What the person of a link chose; None for a link that nobody has."""
    person = subscribers.find_by_token(tx, token)
    return (
        Preferences(person, wishes.find(tx, person.id), subscribers.tags_of(tx, person.id))
        if person
        else None
    )


def paused_until(chosen: Wishes, now: datetime) -> datetime | None:
    """The end of a pause that is not over."""
    return chosen.paused_until if chosen.paused_until and chosen.paused_until > now else None


def _read_pause(form: Form, now: datetime) -> datetime | None:
    days = PAUSES.get(form.get("pause"))
    return now + timedelta(days=days) if days else None


def _change(person: Subscriber, form: Form, languages: Mapping[str, str]) -> Subscriber:
    """The person as the form has them; what it should not say is passed over."""
    name, fault = read_short_name(form.get("name"))
    language, zone = form.get("language"), form.get("time_zone")
    return replace(
        person,
        name=person.name if fault else name,
        language=language if language in languages or not language else person.language,
        time_zone=zone if zone in ZONES or not zone else person.time_zone,
    )


def _set_topics(tx: Tx, found: Preferences, form: Form, offered: Sequence[str]) -> None:
    """Tags that are offered come and go; others are the author's and stay."""
    wanted = {word for word in form.get_all("topic") if word in offered}
    subscribers.add_tags(tx, [(found.person.id, word) for word in sorted(wanted - set(found.tags))])
    for word in set(offered) & set(found.tags) - wanted:
        subscribers.remove_tag(tx, found.person.id, word)


def say_day(words: Mapping[str, str], moment: datetime) -> str:
    """A day as people say it."""
    month = words["months"].split()[moment.month - 1]
    return words["date"].format(day=moment.day, month=month, year=moment.year)
