"""Say what is wrong with a value of book.toml that has the right type; nothing wrong is an empty answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath

_LENGTH = r"([0-9]+(?:\.[0-9]+)?)(?:in|mm|cm|pt)"
_PAGE = re.compile(f"{_LENGTH} {_LENGTH}")
_NAMED_PAGES = frozenset({"A4", "A5", "A6", "B5", "letter", "legal"})  # CSS Paged Media names worth binding
_SUBJECT = re.compile(
    r"[A-Z]{3}[0-9]{6}|[A-Z][A-Z0-9]{0,9}|[0-9][A-Z0-9-]{1,15}"
)  # BISAC, Thema, Thema qualifier
_ROLES: Mapping[str, str] = {
    "author": "aut", "editor": "edt", "illustrator": "ill", "translator": "trl", "foreword": "aui",
    "introduction": "aui", "photographer": "pht", "contributor": "ctb", "designer": "bkd",
}  # fmt: skip
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[\x21\x23-\x3b\x3d\x3f-\x7e]*)?")
#: Merge fields that the outbox fills for each person, and what each is (architecture §5.3).
OUTBOX_FIELDS: Mapping[str, str] = {
    "unsubscribe_url": "url", "preferences_url": "url", "browser_url": "url", "confirm_url": "url",
    "gift_url": "url", "postal_address": "text", "list_name": "text",
}  # fmt: skip


def find_blank(text: str) -> str:
    return "" if text.strip() else "is empty; write it"


def find_path_fault(path: str) -> str:
    """A path must stay inside the book's folder, on every system."""
    if ".." in PurePosixPath(path).parts or ".." in PureWindowsPath(path).parts:
        return f"leaves the book's folder: {path!r}; copy the file into the folder"
    if "://" in path:
        return f"is a web address: {path!r}; copy the file into the book's folder"
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or "\\" in path:
        return f"is not a path inside the book's folder: {path!r}; write for example 'images/cover.jpg'"
    return ""


def find_page_fault(page: str) -> str:
    match = _PAGE.fullmatch(page)
    if page in _NAMED_PAGES or (match and all(float(length) > 0 for length in match.groups())):
        return ""
    names = ", ".join(sorted(_NAMED_PAGES))
    return f"is not a page size: {page!r}; write for example '6in 9in' or '148mm 210mm', or one of {names}"


def find_length_fault(length: str) -> str:
    if re.fullmatch(_LENGTH, length) and float(re.split("[a-z]", length)[0]) > 0:
        return ""
    return f"is no length: {length!r}; write for example '0.0025in' or '0.06mm'"


def find_style_fault(style: str) -> str:
    if style in {"author-date", "numeric"}:
        return ""
    return (
        find_path_fault(style)
        if style.endswith(".csl")
        else (f"is unknown: {style!r}; write 'author-date', 'numeric' or a .csl file in the book's folder")
    )


def find_bibliography_fault(file: str) -> str:
    if not file.endswith((".bib", ".json")):
        return f"is no bibliography: {file!r}; write a .bib (BibTeX) or .json (CSL-JSON) file"
    return find_path_fault(file)


def find_website_fault(address: str) -> str:
    if re.fullmatch(r"https?://[^\s/]+\S*", address):
        return ""
    return f"is not a web address: {address!r}; begin with https://"


def find_role_fault(role: str) -> str:
    """A MARC relator code: three small letters."""
    if re.fullmatch(r"[a-z]{3}", role):
        return ""
    cure = _ROLES.get(role.lower(), "aut', 'edt', 'ill' or 'trl")
    return f"is not a MARC relator code: {role!r}; write '{cure}'"


def find_subject_fault(subject: str) -> str:
    if _SUBJECT.fullmatch(subject):
        return ""
    return f"is not a BISAC or Thema code: {subject!r}; write for example 'HEA039030', words under keywords"


def find_name_fault(name: str) -> str:
    """An edition's name becomes part of file names, on every system."""
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) and len(name) <= 40:
        return ""
    return f"cannot be part of a file name: {name!r}; use small letters, digits and hyphens"


def find_site_fault(address: str) -> str:
    """Pictures of letters are shown by mail programs only from an https address (mail rule M25)."""
    if _HTTPS.fullmatch(address):
        return ""
    return f"is no https address of a folder: {address!r}; write for example 'https://letters.example.org'"


def find_time_fault(text: str) -> str:
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        return ""
    return f"is no time of day: {text!r}; write for example '09:00'"


def find_zone_fault(name: str) -> str:
    if name == "UTC":
        return ""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # a book needs none

    try:
        ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return f"knows no {name!r}; write a zone such as 'Europe/Berlin' or 'UTC'"
    return ""


def find_field_fault(name: str, kind: str, default: str) -> str:
    if not re.fullmatch(r"[a-z]+(?:_[a-z]+)*", name):
        return "is no name for a field; use small letters, with _ between words"
    if name in OUTBOX_FIELDS:
        return "belongs to the outbox, which fills it; choose another name"
    if (kind == "url") != name.endswith("_url"):
        return "must end in _url when its type is url, and only then"
    if kind == "url" and not _HTTPS.fullmatch(default):
        return "needs an https address as its default"
    return ""
