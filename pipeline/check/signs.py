"""Rules on signs and spaces: dashes, dots, and what stands between words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from .galley import Galley, Rule, Spot
from .languages import Language
from .slips import NO_BREAK, any_of, slip, spot

_SHAPES: Mapping[str, str] = {"(tm)": "™", "(r)": "®", "(c)": "©"}
_INVISIBLE = "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}\N{SOFT HYPHEN}"


def _set_dash(_: re.Match[str], language: Language) -> str:
    return language.dash


def _set_capitals(found: re.Match[str], _: Language) -> str:
    return _SHAPES[found[0].lower()]


def _compose(found: re.Match[str], _: Language) -> str:
    return unicodedata.normalize("NFC", found[0])


def find_mixed_scripts(galley: Galley) -> Iterator[Spot]:
    """A Cyrillic or Greek letter inside a Latin word looks right, and no search finds the word."""
    for passage in galley.passages:
        if passage.text.isascii():
            continue
        for found in re.finditer(r"[^\W\d_]+", passage.text):
            scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in found[0]}
            if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"} and len(found[0]) > 2:
                yield spot(passage, found.start(), f"'{found[0]}' mixes letters of two scripts; type it anew")


def _titles(language: Language) -> str:
    """Numbers follow what is counted, such as `p.` and `No.`, names the others."""
    names, counted = any_of(language.titles), any_of(language.counted)
    return rf"(?<![\w.])((?:(?:{names})\.(?= [A-ZÄÖÜÉ])|(?:{counted})\.(?= \d))) " if names else ""


#: T010 to T039; see `galley.Rule`.
SIGNS: Mapping[str, Rule] = {
    # -- spaces
    "T010": Rule(
        "warning",
        "two spaces in a row",
        "write one",
        slip(r"(?<=\S) {2,}(?=\S)", "two spaces in a row; one will do", " "),
        "text",
        fixes=True,
    ),
    "T011": Rule(
        "warning",
        "a space before a full stop, a comma or another mark",
        "take it out",
        slip(
            lambda lang: (
                rf"(?<=\w) +(?=[{re.escape(''.join(sorted(set(',.;:!?') - set(lang.spaced))))}](?![.\w\[]))"
            ),
            "a space before a mark; take it out",
            "",
        ),
        "text",
        fixes=True,
    ),
    "T012": Rule(
        "warning",
        "no space after a comma or another mark",
        "write one",
        slip(r"(?<=[^\W\d_]{2})[,;!?](?=[^\W\d_]{2})", "no space after '{}'; write one", r"\g<0> "),
        "text",
        fixes=True,
    ),
    "T013": Rule(
        "warning",
        "a space inside brackets: *( this )*",
        "take it out",
        slip(r"(?<=[(\[])[ ]+(?=\w)|(?<=\w)[ ]+(?=\))", "a space inside brackets; take it out", ""),
        "text",
        fixes=True,
    ),
    "T014": Rule(
        "warning",
        "a tab in the text",
        "write a space",
        slip(r"(?<=\S)\t+(?=\S)", "a tab in the text; write a space", " "),
        "text",
        fixes=True,
    ),
    "T015": Rule(
        "warning",
        "signs that nobody sees: zero-width spaces, soft hyphens",
        "take them out",
        slip(rf"[{_INVISIBLE}]+", "a sign that nobody sees; take it out", ""),
        "text",
        fixes=True,
    ),
    "T016": Rule(
        "advice",
        "a line break made by two spaces at a line's end, which nobody sees",
        "write a backslash",
        slip(
            r"(?<=\S) {2,}(?=\n)",
            "two spaces end this line and break it; write a backslash, which can be seen",
            r"\\",
        ),
        "text",
        fixes=True,
    ),
    "T018": Rule(
        "advice",
        "a line may break between a title and a name: *Dr. Who*, *p. 3*",
        "write a no-break space",
        slip(_titles, "a line may break after '{}'; write a no-break space", rf"\g<1>{NO_BREAK}"),
        "text",
        fixes=True,
    ),
    # -- dashes, dots and other marks
    "T020": Rule(
        "warning",
        "a hyphen in place of a dash: *this - and that*",
        "write `--`",
        slip(
            lambda lang: r"(?<=[\w”’)!?,]) - (?=[\w“‘(])(?<!\d - )" if lang.dash else "",
            "a hyphen is no dash; write --",
            _set_dash,
        ),
        "text",
        fixes=True,
    ),
    "T021": Rule(
        "warning",
        "two hyphens between two words, which are printed as a short dash",
        "write `---`, or ` -- `",
        slip(
            r"(?<=[^\W\d_])--(?=[^\W\d_])",
            "two hyphens are printed as a short dash; write --- or put spaces round it",
        ),
        "text",
    ),
    "T022": Rule(
        "advice",
        "a hyphen in a range of numbers: *3-5*",
        "write `--`",
        slip(
            r"(?<![\w.,/:+-])(?:\d{1,3})-(?:\d{1,3})(?![\w/-]|[.,:]\d)",
            "{}: a range takes a dash; write two hyphens",
            lambda found, _: found[0].replace("-", "–"),
        ),
        "text",
        fixes=True,
    ),
    "T023": Rule(
        "warning",
        "a hyphen in place of a minus sign: *-5 °C*",
        "write −",
        slip(r"(?:(?<=[\s(])|^)-(?=\d)(?!\d+-)", "a hyphen is no minus sign; write −", "−"),
        "text",
        fixes=True,
    ),
    "T024": Rule(
        "warning",
        "an x in place of a times sign: *3 x 4*",
        "write ×",
        slip(r"(?<=\d)( ?)x( ?)(?=\d)(?!\d+[A-Fa-f])", "an x is no times sign; write ×", r"\1×\2"),
        "text",
        fixes=True,
    ),
    "T025": Rule(
        "warning",
        "dots that are no ellipsis: two, five, or with spaces between them",
        "write three",
        slip(
            r"(?<![.\w])(?:\. ){2,}\.(?!\w)|(?<!\.)\.{5,}(?!\.)"
            r"|(?<=[^\W\d_])\.\.(?![./])",
            "'{}' is no ellipsis; write three dots",
            "…",
        ),
        "text",
        fixes=True,
    ),
    "T026": Rule(
        "warning",
        "two marks that exclude each other: *,,* *.,* *;;*",
        "keep one",
        slip(
            r"[,;:]{2,}|,\.(?!\.)",
            "'{}': two marks in a row; keep one",
        ),
        "text",
    ),
    "T027": Rule(
        "advice",
        "several exclamation or question marks: *!!*",
        "one will do",
        slip(r"[!?]{2,}", "'{}': one mark will do"),
        "text",
    ),
    "T028": Rule(
        "warning",
        "a trade mark or copyright sign in brackets: *(tm)*",
        "write ™, ®, ©",
        slip(r"(?i:\(tm\)|(?<=\w)\(r\)|\(c\)(?= \d{4}))", "'{}' is written {}", _set_capitals),
        "text",
        fixes=True,
    ),
    "T029": Rule(
        "warning",
        "letters and their accents apart, which search and speech take for two signs",
        "type it anew",
        slip(r"\w[\u0300-\u036f]+", "'{}' is a letter and an accent apart; write one sign", _compose),
        "text",
        fixes=True,
    ),
    "T030": Rule(
        "warning",
        "a word with letters of two scripts that look alike",
        "type it anew",
        find_mixed_scripts,
        "text",
    ),
}
