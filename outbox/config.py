"""Read the outbox's tables of book.toml and the environment: strict tables, plain errors."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from . import segments as expressions
from .addresses import FREEMAIL, read_address
from .errors import ConfigError, PeopleError, Place
from .model import Account, Address, Envelope, Gift, Images, OnUnknown, Promise, Security
from .rates import Pace
from .recurrence import Recurrence, find_fault
from .timing import is_zone
from .trial import AS_USUAL, Measure, Rules

#: Tables of the other package: known by name, never read here.
PIPELINE_TABLES = ("book", "ebook", "edition", "bibliography", "newsletter", "print", "archive", "check")
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
MIN_SECRET = 16

Line = Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+\Z")]
Rate = Annotated[float, msgspec.Meta(ge=0)]
PositiveRate = Annotated[float, msgspec.Meta(gt=0)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of book.toml; a key that is not listed is an error."""


class List(_Table, frozen=True):
    """`[list]`: who is written to, and by whom."""

    name: Line
    address: Line  # postal address, required by law in every issue
    id: Line  # domain of the List-Id header (RFC 2919); stable for ever
    time_zone: Line = "UTC"  # of people of whom none is known (IANA)


class Trial(_Table, frozen=True):
    """`[outbox.trial]`: how subjects of an issue are compared."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2  # of the people, who compare them
    hours: Annotated[float, msgspec.Meta(ge=0)] = 4  # from the first call until the rest gets the winner
    measure: Measure = "kept"  # what makes a winner


class Recurring(_Table, frozen=True):
    """`[[outbox.recurring]]`: occasions on which the next issue goes by itself."""

    cron: Line  # five fields, as in crontab(5)
    time_zone: str = ""  # the list's, when empty


class Outbox(_Table, frozen=True):
    """`[outbox]`: how issues go out."""

    sender: Line  # "Name <mailbox>"
    base_url: Line  # https address of the outbox's web pages: unsubscribe, preferences, archive
    reply_to: str = ""  # the sender when empty
    database: Line = "sqlite:///outbox.db"
    issues: Line = "build/issues"  # folder the pipeline writes
    letters: Line = "build/letters"  # folder of the letters that single people get
    series: Line = "series"  # folder of series: one file each
    mail_dir: Line = "build/mail"  # folder of the `file` provider
    images: Images = "embed"  # inside the message, or linked from base_url
    on_unknown: OnUnknown = "hold"  # what becomes of a message nobody can tell about
    rate: Rate = 0.0  # messages a second at most; 0: no limit
    connections: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4  # calls at a time at most
    warm_up: bool = False  # few messages on the first day of a new account, more on each day after
    local_time: bool = False  # an issue goes when it is that time on everybody's own clock
    max_late_hours: Annotated[int, msgspec.Meta(ge=1)] = 24  # what should have gone longer ago asks first
    search_minutes: Annotated[int, msgspec.Meta(ge=0)] = 15  # how long a provider's search may lag behind
    plan_changes: Annotated[float, msgspec.Meta(ge=0, le=1)] = (
        0.02  # share of people who may change after a plan
    )
    security: str = ""  # where people tell of a weakness: an address or an https link; reply_to when empty
    dkim: tuple[Line, ...] = ()  # selectors that the provider signs with, for `outbox doctor`
    bounce_domain: str = ""  # domain that failed mail goes back to, where you have one of your own
    trial: Trial | None = None
    recurring: tuple[Recurring, ...] = ()
    domains: dict[str, PositiveRate] = {}  # messages a second at most to mailboxes of one domain


Name = Literal["file", "sandbox", "smtp", "resend", "postmark", "mailgun", "brevo", "ses"]
#: The keys of [provider] each provider reads; another one is refused, never overlooked.
PROVIDER_KEYS: Mapping[str, frozenset[str]] = {
    "file": frozenset(),
    "sandbox": frozenset({"url", "promise"}),
    "smtp": frozenset({"host", "port", "security"}),
    "resend": frozenset({"url"}),
    "postmark": frozenset({"url", "stream"}),
    "mailgun": frozenset({"url", "domain", "region"}),
    "brevo": frozenset({"url"}),
    "ses": frozenset({"url", "region", "stream"}),
}


#: Where the secrets of webhooks stand in the environment.
HOOKS: Mapping[str, str] = {
    name: f"OUTBOX_{name.upper()}_HOOK"
    for name in ("resend", "postmark", "mailgun", "brevo", "ses", "sandbox")
}


class Provider(_Table, frozen=True):
    """`[provider]`: who carries the mail."""

    name: Name = "file"
    url: str = ""  # another address of the provider's interface, as that of `outbox sandbox`
    host: str = ""  # smtp
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None  # smtp
    security: Security = "starttls"  # smtp
    domain: str = ""  # mailgun: the domain that sends
    region: str = ""  # mailgun: us or eu; ses: eu-west-1 and the like
    stream: str = ""  # postmark: the broadcast stream; ses: the configuration set
    promise: Promise = "keys"  # sandbox: what it can do about a call without an answer


class SignUp(_Table, frozen=True):
    """`[sign_up]`: what the page says where people sign up, and how many may."""

    title: str = ""  # the list's name when empty
    text: str = ""  # below it; an empty line begins a new paragraph
    gift: str = ""  # what they get at once, such as "the book, as PDF and EPUB"
    consent: str = ""  # what they agree to, in a sentence; a plain one when empty
    version: Line = "1"  # of these words; another one whenever you change them
    privacy: str = ""  # https address of your privacy notice
    ask_name: bool = True  # a field for the name, which may stay empty
    topics: dict[str, Line] = {}  # tag = "what people read beside the box"
    languages: dict[str, Line] = {}  # code = "its name", when the letters come in several
    confirm_days: Annotated[int, msgspec.Meta(ge=1)] = (
        14  # as long as the button in the confirm letter is good
    )
    reminder_days: Annotated[int, msgspec.Meta(ge=0)] = (
        3  # until who has not pressed it is reminded, once; 0: never
    )
    keep_network: bool = False  # evidence says from which network somebody signed up
    min_seconds: Annotated[int, msgspec.Meta(ge=0)] = 2  # quicker is no human
    per_network: Annotated[int, msgspec.Meta(ge=0)] = 20  # sign-ups an hour from one network; 0: any number
    per_hour: Annotated[int, msgspec.Meta(ge=0)] = 2_000  # from all of them; 0: any number
    proof_of_work: Annotated[int, msgspec.Meta(ge=0, le=24)] = (
        0  # bits a browser works out while one types; 0: none
    )


class GiftTable(_Table, frozen=True):
    """`[gift]`: the book that readers are given, and how."""

    files: tuple[Line, ...]  # what they may download: paths from book.toml's folder
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30  # how long a link lives
    downloads: Annotated[int, msgspec.Meta(ge=1)] = 10  # how often a link may be used
    stamp: bool = False  # every reader's copy says whose it is
    attach: bool = False  # the letter *welcome* carries the files as well


TABLES: Mapping[str, type[_Table]] = {
    "list": List,
    "outbox": Outbox,
    "provider": Provider,
    "sign_up": SignUp,
    "gift": GiftTable,
}
OPTIONAL = frozenset({"provider", "sign_up", "gift"})
#: What can carry a stamp (outbox.stamp).
STAMPED = frozenset({".pdf", ".epub"})
#: What the book's own tables say when they say nothing.
LAYOUT, LANGUAGE = "classic", "en"
#: A table of names that the author chooses.
SEGMENTS = "segments"
SEGMENT = re.compile(r"[a-z][a-z0-9-]{0,63}")
TOPIC = re.compile(r"[a-z0-9][a-z0-9 -]{0,62}[a-z0-9]|[a-z0-9]")
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the outbox is told. Paths and the database are resolved against the book's folder."""

    folder: Path
    envelope: Envelope
    database: str = field(repr=False)
    issues: Path
    letters: Path
    series: Path
    provider: str
    account: Account
    on_unknown: OnUnknown
    pace: Pace
    max_late: timedelta
    search_lag: timedelta
    plan_changes: float
    secrets: tuple[str, ...] = field(repr=False)
    dkim: tuple[str, ...] = ()
    bounce_domain: str = ""
    segments: Mapping[str, str] = field(default_factory=dict)  # name -> expression
    time_zone: str = "UTC"  # of people of whom none is known
    local_time: bool = False
    trial: Rules = AS_USUAL
    recurring: tuple[Recurrence, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)  # provider -> secrets
    layout: str = LAYOUT  # of the web pages: that of the letters
    language: str = LANGUAGE  # BCP 47; of the web pages: that of the book
    sign_up: SignUp = field(default_factory=SignUp)
    gift: Gift | None = None
    site: str = ""  # where the pipeline's site is found, without a slash at the end; empty: nowhere
    security: str = ""  # where people tell of a weakness: an address or a link


def read(path: Path, env: Mapping[str, str], *, database: str = "") -> Settings:
    """Read `path` (book.toml); a flag (`database`) goes before OUTBOX_DATABASE, and that before the file.

    Raises ConfigError naming file, line, table and key.
    """
    text = _text(path)
    tables = {name: _table(name, text, path) for name in ("list", "outbox", "provider")}
    group, box, provider = tables["list"], tables["outbox"], tables["provider"]
    assert isinstance(group, List) and isinstance(box, Outbox) and isinstance(provider, Provider)  # noqa: PT018, S101
    folder = path.parent
    return Settings(
        folder=folder,
        envelope=_envelope(group, box, _Lines(text, path)),
        database=_database(
            database or env.get("OUTBOX_DATABASE", "") or _public(box.database, text, path), folder
        ),
        issues=folder / box.issues,
        letters=folder / box.letters,
        series=folder / box.series,
        provider=provider.name,
        account=_account(provider, folder / box.mail_dir, env, _Lines(text, path)),
        on_unknown=box.on_unknown,
        pace=Pace(box.rate, box.warm_up, box.connections, _domains(box, _Lines(text, path))),
        max_late=timedelta(hours=box.max_late_hours),
        search_lag=timedelta(minutes=box.search_minutes),
        plan_changes=box.plan_changes,
        secrets=_secrets(env),
        dkim=box.dkim,
        bounce_domain=box.bounce_domain.lower(),
        segments=_segments(text, _Lines(text, path)),
        time_zone=_time_zone(group.time_zone, _Lines(text, path)),
        local_time=box.local_time,
        trial=_rules(box.trial or Trial()),
        recurring=tuple(_recurrence(one, group, _Lines(text, path)) for one in box.recurring),
        hooks=_hooks(env),
        layout=_shared(text, ("newsletter", "layout"), ("ebook", "layout")) or LAYOUT,
        language=_shared(text, ("book", "language")) or LANGUAGE,
        sign_up=_sign_up(text, path),
        site=_site(text),
        security=_contact(box, _Lines(text, path)),
        gift=_gift(text, path) if "gift" in tomllib.loads(text) else None,
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """Finds the line of a key, so that an error can name it."""

    text: str
    path: Path

    def error(self, message: str, table: str, key: str = "") -> ConfigError:
        return ConfigError(message, Place(self.path.name, self._line(table, key)))

    def _line(self, table: str, key: str) -> int:
        inside, found = False, 0
        for number, line in enumerate(self.text.splitlines(), 1):
            if re.match(r"\s*\[", line):
                inside = bool(re.match(rf"\s*\[+\s*{re.escape(table)}\s*\]", line))
                found = number if inside and not found else found
            elif inside and key and re.match(rf"\s*['\"]?{re.escape(key)}['\"]?\s*=", line):
                return number
        return found


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(
            f"{path} not found; run the command in the book's folder or name it with --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", Place(path.name)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not valid TOML: {error}", Place(path.name)) from None
    for name in tables:
        known = [*TABLES, SEGMENTS, *PIPELINE_TABLES]
        if name not in known:
            message = f"there is no table [{name}]{_hint(name, known, '[{}]')}"
            raise _Lines(text, path).error(message, name)
    return text


def _table(name: str, text: str, path: Path) -> _Table:
    lines, kind = _Lines(text, path), TABLES[name]
    value: Any = tomllib.loads(text).get(name)
    if value is None and name not in OPTIONAL:
        raise lines.error(f"[{name}] is missing; docs/delivering.md shows one to copy", name)
    if not isinstance(value or {}, dict):
        raise lines.error(f"[{name}] must be one table", name)
    for key in value or {}:
        if key not in kind.__struct_fields__:
            message = f"[{name}] has no key {key!r}{_hint(key, list(kind.__struct_fields__), '{!r}')}"
            raise lines.error(message, name, key)
    try:
        return msgspec.convert(value or {}, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(error, lines, name) from None


def _explain(error: msgspec.ValidationError, lines: _Lines, table: str) -> ConfigError:
    what, _, where = str(error).partition(" - at `$.")
    inner, _, key = where.rstrip("`").rpartition(".")
    table = f"{table}.{inner}" if inner else table
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        return lines.error(f"[{table}] needs a key {missing[1]!r}", table)
    if "matching regex" in what or "length >=" in what:
        what = "must be one line of text, not empty"
    what = what.replace("`str`", "text").replace("`int`", "a whole number").replace("`bool`", "true or false")
    return lines.error(f"[{table}] {key}: {what[0].lower()}{what[1:]}", table, key)


def _hint(word: str, known: list[str], shape: str) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {shape.format(close[0])}?" if close else f"; known are {', '.join(known)}"


def _envelope(group: List, box: Outbox, lines: _Lines) -> Envelope:
    sender = _address(box.sender, "sender", lines)
    if sender.email.partition("@")[2].lower() in FREEMAIL:
        raise lines.error(
            f"[outbox] sender: {sender.email} is a free mailbox; other servers refuse mail sent in its "
            "name. Use an address under your own domain",
            "outbox",
            "sender",
        )
    if not DOMAIN.fullmatch(group.id):
        raise lines.error(
            f"[list] id: {group.id!r} is not a domain name; write e.g. letters.example.org", "list", "id"
        )
    if not re.fullmatch(r"https://[\x21\x23-\x3b\x3d\x40-\x7e]+", box.base_url):
        raise lines.error("[outbox] base_url: must be an https address (RFC 8058)", "outbox", "base_url")
    return Envelope(
        sender=sender,
        reply_to=_address(box.reply_to, "reply_to", lines) if box.reply_to else sender,
        list_name=group.name,
        list_id=group.id,
        postal_address=group.address,
        base_url=box.base_url.rstrip("/"),
        images=box.images,
    )


def _contact(box: Outbox, lines: _Lines) -> str:
    """A contact as RFC 9116 wants it: a URI."""
    if box.security.startswith("https://"):
        return box.security
    key = next((key for key in ("security", "reply_to") if getattr(box, key)), "sender")
    return f"mailto:{_address(getattr(box, key), key, lines).email}"


def _account(table: Provider, folder: Path, env: Mapping[str, str], lines: _Lines) -> Account:
    for key in table.__struct_fields__:
        value, default = getattr(table, key), getattr(Provider(), key)
        if value != default and key not in {"name", *PROVIDER_KEYS[table.name]}:
            raise lines.error(f"[provider] {key}: {table.name!r} has no use for it", "provider", key)
    if table.name == "mailgun" and table.region not in {"", "us", "eu"}:
        raise lines.error("[provider] region: Mailgun has us and eu", "provider", "region")
    if table.name == "ses" and not re.fullmatch(r"[a-z]{2}(?:-[a-z]+)+-[0-9]", table.region):
        raise lines.error(
            "[provider] region: write one of Amazon's, for example eu-west-1", "provider", "region"
        )
    return Account(
        folder=folder,
        env=env,
        url=table.url,
        host=table.host,
        port=table.port or 0,
        security=table.security,
        domain=table.domain,
        region=table.region,
        stream=table.stream,
        promise=table.promise,
    )


def _address(text: str, key: str, lines: _Lines) -> Address:
    try:
        return read_address(text)
    except PeopleError as error:
        raise lines.error(f"[outbox] {key}: {error}", "outbox", key) from None


def _public(url: str, text: str, path: Path) -> str:
    if re.match(r"[^/]+://[^/@]*:[^/@]*@", url):
        raise _Lines(text, path).error(
            "[outbox] database: holds a password; put the whole URL into the environment as OUTBOX_DATABASE",
            "outbox",
            "database",
        )
    return url


def _database(url: str, folder: Path) -> str:
    if url.startswith("postgresql://"):
        return url
    if not url.startswith("sqlite:///"):
        raise ConfigError("the database must be sqlite:///FILE or postgresql://USER@HOST/NAME")
    return f"sqlite:///{folder / url.removeprefix('sqlite:///')}"


def _gift(text: str, path: Path) -> Gift:
    table, lines = _table("gift", text, path), _Lines(text, path)
    assert isinstance(table, GiftTable)  # noqa: S101
    if not table.files:
        raise lines.error("[gift] files: name at least one file", "gift", "files")
    if table.stamp and table.attach:
        message = (
            "[gift] attach: a stamped copy is one reader's, and cannot travel inside a letter that all get"
        )
        raise lines.error(message, "gift", "attach")
    odd = [name for name in table.files if Path(name).suffix.lower() not in STAMPED]
    if table.stamp and odd:
        raise lines.error(f"[gift] stamp: only a PDF or an EPUB can carry one, not {odd[0]}", "gift", "files")
    return Gift(
        title=_shared(text, ("book", "title")) or Path(table.files[0]).stem,
        files=tuple(path.parent / name for name in table.files),
        life=timedelta(days=table.days),
        downloads=table.downloads,
        stamp=table.stamp,
        attach=table.attach,
    )


def _segments(text: str, lines: _Lines) -> dict[str, str]:
    table: Any = tomllib.loads(text).get(SEGMENTS, {})
    if not isinstance(table, dict):
        raise lines.error("[segments] must be one table", SEGMENTS)
    for name, expression in table.items():
        if not SEGMENT.fullmatch(name):
            raise lines.error(f"[segments] {name!r}: write small letters, digits and hyphens", SEGMENTS, name)
        if not isinstance(expression, str):
            raise lines.error(f"[segments] {name}: must be an expression in quotes", SEGMENTS, name)
        try:
            expressions.parse(expression)
        except expressions.SegmentError as error:
            raise lines.error(f"[segments] {name}: {error.message}", SEGMENTS, name) from None
    return table


def _domains(box: Outbox, lines: _Lines) -> dict[str, float]:
    for name in box.domains:
        if not DOMAIN.fullmatch(name):
            message = f"[outbox.domains] {name!r} is no domain in small letters; write gmail.com"
            raise lines.error(message, "outbox.domains", name)
    return box.domains


def _rules(table: Trial) -> Rules:
    return Rules(table.share, table.hours, table.measure)


def _recurrence(table: Recurring, group: List, lines: _Lines) -> Recurrence:
    if wrong := find_fault(table.cron):
        raise lines.error(
            f"[[outbox.recurring]] cron: {table.cron!r} {wrong}; write 0 9 * * TUE for Tuesdays at nine",
            "outbox.recurring",
            "cron",
        )
    zone = table.time_zone or group.time_zone
    if not is_zone(zone):
        raise lines.error(
            f"[[outbox.recurring]] time_zone: {zone!r} is not a time zone; write Europe/Berlin",
            "outbox.recurring",
            "time_zone",
        )
    return Recurrence(" ".join(table.cron.split()), zone)


def _time_zone(name: str, lines: _Lines) -> str:
    if not is_zone(name):
        raise lines.error(
            f"[list] time_zone: {name!r} is not a time zone; write Europe/Berlin", "list", "time_zone"
        )
    return name


def _hooks(env: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The secrets by which providers prove their webhooks; of several, any one will do."""
    found = {name: tuple(env.get(variable, "").split()) for name, variable in HOOKS.items()}
    for name, secrets in found.items():
        if any(len(secret) < MIN_SECRET for secret in secrets):
            raise ConfigError(f"{HOOKS[name]}: a secret needs at least {MIN_SECRET} characters")
    return {name: secrets for name, secrets in found.items() if secrets}


def _sign_up(text: str, path: Path) -> SignUp:
    table, lines = _table("sign_up", text, path), _Lines(text, path)
    assert isinstance(table, SignUp)  # noqa: S101  (TABLES says so)
    for word in table.topics:
        if not TOPIC.fullmatch(word):
            message = f"[sign_up] topics: {word!r} is no tag; write small letters, digits, spaces and hyphens"
            raise lines.error(message, "sign_up.topics", word)
    for code in table.languages:
        if not LANGUAGE_CODE.fullmatch(code):
            raise lines.error(
                f"[sign_up] languages: {code!r} is no code such as en or pt-BR", "sign_up.languages", code
            )
    if table.privacy and not re.fullmatch(r"https://[\x21\x23-\x3b\x3d\x3f-\x7e]+", table.privacy):
        raise lines.error("[sign_up] privacy: must be an https address", "sign_up", "privacy")
    return table


def _shared(text: str, *keys: tuple[str, str]) -> str:
    """The first of these keys of the pipeline's tables that says something; it is the pipeline that checks them."""
    tables: Any = tomllib.loads(text)
    found = (tables[table].get(key) for table, key in keys if isinstance(tables.get(table), dict))
    return next((value for value in found if value and isinstance(value, str)), "")


def _site(text: str) -> str:
    """The address of the site, where it is one that a header may hold."""
    site = _shared(text, ("newsletter", "site")).rstrip("/")
    return site if re.fullmatch(r"https://[\x21\x23-\x2b\x2d-\x3a\x3d\x40-\x7e]+", site) else ""


def _secrets(env: Mapping[str, str]) -> tuple[str, ...]:
    secrets = tuple(env.get("OUTBOX_SECRET", "").split())
    if any(len(secret) < MIN_SECRET for secret in secrets):
        raise ConfigError(f"OUTBOX_SECRET: a secret needs at least {MIN_SECRET} characters")
    return secrets
