"""Read an issue folder, the whole contract with the pipeline, and prove it complete and untouched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import msgspec

from .errors import IssueError, Place
from .fields import KNOWN, check_values, split
from .model import Field, FieldType, Issue, Kind, Template

DOCUMENT = "issue.json"
BODIES = ("body.html", "body.txt")
FOLDERS = ("images", "attachments")
PREVIEW = "preview"  # may hold pictures of the letter, which are no part of it
MAX_BYTES = 25_000_000  # of a whole folder; more than any provider takes
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")

MOST_SUBJECTS = 5

Digest = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z", description="SHA-256 in lower-case hexadecimal.")
]
Line = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\Z")]
FieldName = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+(?:_[a-z]+)*\Z")]
FilePath = Annotated[
    str,
    msgspec.Meta(pattern=r"^(?:body\.html|body\.txt|(?:images|attachments)/[A-Za-z0-9_][A-Za-z0-9._-]*)\Z"),
]


class Attached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of attachments/."""

    name: FileName
    media_type: Annotated[str, msgspec.Meta(pattern=r"^[a-z]+/[a-zA-Z0-9.+-]+\Z")]


class Used(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merge field that an issue uses."""

    type: FieldType
    default: Annotated[
        Line, msgspec.Meta(description="For people of whom nothing else is known; the outbox fills its own.")
    ]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """issue.json: what an issue is and which files belong to it. Every key but `subjects` is required."""

    format: Annotated[Literal[1], msgspec.Meta(description="A reader refuses a number it does not know.")]
    kind: Annotated[
        Kind, msgspec.Meta(description="An issue goes to everyone confirmed, a letter to one person.")
    ]
    slug: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z",
            max_length=120,
            description="Identity of the issue for ever; equal to the folder's name.",
        ),
    ]
    subject: Annotated[Line, msgspec.Meta(min_length=1, description="May hold merge fields.")]
    preheader: Annotated[Line, msgspec.Meta(description="May hold merge fields.")]
    send_at: Annotated[
        str | None, msgspec.Meta(description="ISO 8601 with offset; null: as soon as possible.")
    ]
    language: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z", description="BCP 47.")
    ]
    fields: Annotated[dict[FieldName, Used], msgspec.Meta(description="The merge fields used, by name.")]
    list: Annotated[Line, msgspec.Meta(description="Name of the list; empty: the only one.")]
    segment: Annotated[Line, msgspec.Meta(description="The part of the list it is for; empty: all of it.")]
    layout: Line
    words: Annotated[int, msgspec.Meta(ge=0)]
    minutes: Annotated[int, msgspec.Meta(ge=0)]
    attachments: tuple[Attached, ...]
    files: Annotated[dict[FilePath, Digest], msgspec.Meta(description="Every other file of the folder.")]
    sha256: Annotated[
        Digest,
        msgspec.Meta(
            description="Digest of this object without this key: UTF-8 of JSON with sorted keys, "
            "separators ',' and ':', and nothing escaped that need not be."
        ),
    ]
    subjects: Annotated[
        tuple[Annotated[Line, msgspec.Meta(min_length=1)], ...],
        msgspec.Meta(
            max_length=MOST_SUBJECTS,
            description="Several subjects to compare, the first being `subject`; left out, there is one.",
        ),
    ] = ()


def schema() -> dict[str, Any]:
    """Return the JSON Schema of issue.json."""
    made: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(Document)).replace("\\\\Z", "$"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def read(folder: Path) -> Issue:
    """Read an issue folder; raises IssueError naming what is missing, surplus, changed or unknown."""
    if not (folder / DOCUMENT).is_file():
        raise IssueError(f"is not an issue folder: it has no {DOCUMENT}", Place(folder.name))
    document = _bytes(folder, folder / DOCUMENT)
    files = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
    files.pop(DOCUMENT)
    if sum(path.stat().st_size for path in files.values()) > MAX_BYTES:
        raise IssueError(f"is larger than {MAX_BYTES // 1_000_000} MB", Place(folder.name))
    issue = parse(document, {name: _bytes(folder, path) for name, path in sorted(files.items())}, folder.name)
    if issue.slug != folder.name:
        raise IssueError(
            f"the slug {issue.slug!r} is not the folder's name", Place(f"{folder.name}/{DOCUMENT}")
        )
    return issue


def parse(document: bytes, files: Mapping[str, bytes], name: str) -> Issue:
    """Make an Issue of issue.json and the other files; `name` stands in errors. Raises IssueError."""
    place = Place(f"{name}/{DOCUMENT}")
    raw = _json(document, place)
    if raw.get("format") != 1:
        raise IssueError(f"format {raw.get('format')!r} is not known here; this outbox reads format 1", place)
    try:
        found = msgspec.convert(raw, Document, strict=True)
    except msgspec.ValidationError as error:
        raise IssueError(str(error).replace("`", ""), place) from None
    _check_digest(raw, found.sha256, place)
    _check_subjects(found, place)
    _check_files(found, files, name)
    issue = Issue(
        kind=found.kind,
        slug=found.slug,
        digest=found.sha256,
        subject=found.subject,
        preheader=found.preheader,
        send_at=_moment(found.send_at, place),
        language=found.language,
        list_name=found.list,
        segment=found.segment,
        fields={name: Field(used.type, used.default) for name, used in found.fields.items()},
        attachments={file.name: file.media_type for file in found.attachments},
        files=dict(files),
        document=document,
        subjects=found.subjects,
    )
    _check_fields(issue, name)
    return issue


def attach(issue: Issue, added: Mapping[str, tuple[str, bytes]]) -> Issue:
    """The issue with more files inside, by name: media type and content; its digest is another one."""
    raw = _json(issue.document, Place(issue.slug))
    contents = {f"attachments/{name}": content for name, (_, content) in added.items()}
    raw["attachments"] += [{"name": name, "media_type": kind} for name, (kind, _) in added.items()]
    raw["files"] |= {path: sha256(content).hexdigest() for path, content in contents.items()}
    raw["sha256"] = digest_of(raw)
    document = json.dumps(raw, ensure_ascii=False).encode()
    return parse(document, {**issue.files, **contents}, issue.slug)


def split_issue(issue: Issue, name: str = "") -> tuple[Template, Template, Template]:
    """Return subject, HTML and text, split at their fields; raises IssueError for one out of place."""
    at, fields = f"{name or issue.slug}/", {**KNOWN, **issue.fields}
    return (
        split(issue.subject, "header", f"{at}{DOCUMENT}", fields),
        split(issue.html, "html", f"{at}body.html", fields),
        split(issue.text, "text", f"{at}body.txt", fields),
    )


def split_subjects(issue: Issue, name: str = "") -> tuple[Template, ...]:
    """Return the subjects beside the first, split at their fields; raises IssueError."""
    at, fields = f"{name or issue.slug}/{DOCUMENT}", {**KNOWN, **issue.fields}
    return tuple(split(subject, "header", at, fields) for subject in issue.subjects[1:])


def digest_of(raw: Mapping[str, Any]) -> str:
    """The digest of an issue.json object, its own key `sha256` left out."""
    bare = {key: value for key, value in raw.items() if key != "sha256"}
    canonical = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if inside.parts[0] == PREVIEW and (folder / PREVIEW).is_dir() and not (folder / PREVIEW).is_symlink():
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise IssueError("is not a plain file", Place(f"{folder.name}/{inside}"))
        if path.is_dir() and inside.as_posix() not in FOLDERS:
            raise IssueError("a folder that does not belong to an issue", Place(f"{folder.name}/{inside}"))
        if path.is_file():
            yield path


def _bytes(folder: Path, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        place = Place(f"{folder.name}/{path.relative_to(folder)}")
        raise IssueError(f"cannot be read: {error.strerror}", place) from None


def _json(document: bytes, place: Place) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise IssueError("a key stands twice in one object", place)
        return dict(pairs)

    try:
        raw = json.loads(document.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise IssueError(f"is not valid JSON: {error}", place) from None
    if not isinstance(raw, dict):
        raise IssueError("must be one JSON object", place)
    return raw


def _check_digest(raw: Mapping[str, Any], stated: str, place: Place) -> None:
    try:
        actual = digest_of(raw)
    except UnicodeEncodeError:
        raise IssueError("holds half a surrogate pair, which is no text", place) from None
    if actual != stated:
        raise IssueError(
            f"was changed after the build: its digest is {actual[:12]}, it says {stated[:12]}; "
            "build the issue again",
            place,
        )


def _check_subjects(found: Document, place: Place) -> None:
    subjects = found.subjects
    if subjects and (
        len(set(subjects)) != len(subjects) or len(subjects) < 2 or subjects[0] != found.subject
    ):
        raise IssueError("subjects must be different ones, two or more, the first being the subject", place)


def _check_files(found: Document, files: Mapping[str, bytes], name: str) -> None:
    listed = set(found.files) | set(BODIES) | {f"attachments/{file.name}" for file in found.attachments}
    for path in sorted(listed ^ set(files)):
        what = (
            "is missing" if path in listed else f"does not belong to the issue: {DOCUMENT} does not list it"
        )
        raise IssueError(what, Place(f"{name}/{path}"))
    for path, content in files.items():
        if path not in found.files:
            raise IssueError(f"is not listed under files of {DOCUMENT}", Place(f"{name}/{path}"))
        if sha256(content).hexdigest() != found.files[path]:
            raise IssueError("was changed after the build; build the issue again", Place(f"{name}/{path}"))
        if path.startswith("attachments/") and PurePosixPath(path).name not in {
            a.name for a in found.attachments
        }:
            raise IssueError(
                f"has no media type: {DOCUMENT} does not list it under attachments", Place(f"{name}/{path}")
            )
    for path in BODIES:
        _check_text(files[path], Place(f"{name}/{path}"))


def _check_text(content: bytes, place: Place) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise IssueError(f"is not UTF-8: {error.reason} at byte {error.start}", place) from None
    bad = CONTROL.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        raise IssueError(f"holds the control character U+{ord(bad[0]):04X}", Place(place.path, line))
    if not text.strip():
        raise IssueError("is empty", place)


def _moment(text: str | None, place: Place) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise IssueError(
            f"send_at {text!r} is not a time; write 2026-03-01T09:00:00+00:00 or null", place
        ) from None
    if moment.tzinfo is None:
        raise IssueError(f"send_at {text!r} has no offset; write e.g. +00:00", place)
    return moment


def _check_fields(issue: Issue, name: str) -> None:
    place = Place(f"{name}/{DOCUMENT}")
    for field, stated in issue.fields.items():
        kind = KNOWN.get(field, stated).type
        if kind != stated.type:
            raise IssueError(f"the field {field} is of type {kind}, not {stated.type}", place)
        if field not in KNOWN:
            check_values({field: stated.default}, issue.fields)
    preheader = split(issue.preheader, "header", place.path, {**KNOWN, **issue.fields})
    others = split_subjects(issue, name)
    used = frozenset[str]().union(
        preheader.names, *(part.names for part in (*split_issue(issue, name), *others))
    )
    if used != set(issue.fields):
        odd = ", ".join(sorted(used ^ set(issue.fields)))
        raise IssueError(f"fields does not list what the issue uses; look at {odd}", place)
