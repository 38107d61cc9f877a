"""Check and derive the identifiers a catalogue asks for: ISBN, URN, language tag, name to file under."""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID, uuid5

#: Root of every book's uuid5; changing it would change the identifier of every book made so far.
_NAMESPACE = UUID("6f0d3f3c-52a4-5d5a-9a52-0c6b1f7d9b11")

# Two-letter subtags in force in the IANA language subtag registry. Longer ones are checked by form alone.
_LANGUAGES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
    ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml
    mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd
    se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve
    vi vo wa wo xh yi yo za zh zu"""
_REGIONS = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET
    EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL
    IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC
    MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA
    PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS
    ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF
    WS YE YT ZA ZM ZW"""
_TAG = re.compile(
    r"""(?P<language>[a-z]{2,3}) (?:-[a-z]{3})?
        (?:-[a-z]{4})? (?:-(?P<region>[a-z]{2}|[0-9]{3}))?
        (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
        (?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)* (?:-x(?:-[a-z0-9]{1,8})+)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[!-~]+", re.IGNORECASE | re.ASCII)

_HONORIFICS = "dr dr. prof prof. professor mr mr. mrs mrs. ms ms. sir dame rev rev."
_SUFFIXES = "jr jr. sr sr. ii iii iv"
_PARTICLES = """
    al ap ben bin da dal das de del della den der des di do dos du el la las le les los ten ter van vom von
    y zu zum zur"""
_BODIES = """
    academy agency association authors board center centre church clinic club college committee company
    consortium contributors council department editors foundation group hospital inc institute laboratory
    library ltd ministry museum network office organisation organization press project publishers publishing
    school services society team trust union university"""
_EASTERN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def compute_check_digit(first_twelve: str) -> str:
    """The thirteenth digit of an ISBN-13 (ISO 2108: weights 1 and 3, modulo 10)."""
    total = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(first_twelve))
    return str(-total % 10)


def compact_isbn(isbn: str) -> str:
    """`isbn` without its hyphens and spaces, as metadata and bar codes want it."""
    return re.sub(r"[\s\u2010-\u2015-]", "", isbn)


def find_isbn_fault(isbn: str) -> str:
    """What is wrong with an ISBN-13 as printed, hyphens allowed; empty when nothing is."""
    digits = compact_isbn(isbn)
    if not re.fullmatch(r"[0-9]{13}", digits):
        return f"is not an ISBN-13; write its 13 digits, not {len(digits)} characters"
    if not digits.startswith(("978", "979")):
        return "is not an ISBN-13; it begins with 978 or 979"
    if digits[-1] != (wanted := compute_check_digit(digits[:12])):
        return f"has a wrong check digit: the last digit would be {wanted}; compare it with your ISBN list"
    return ""


def find_language_fault(tag: str) -> str:
    """What is wrong with a BCP 47 tag (RFC 5646 section 2.1); empty when nothing is."""
    match = _TAG.fullmatch(tag)
    if match is None:
        hyphened = tag.replace("_", "-").partition(".")[0]
        if hyphened != tag and not find_language_fault(hyphened):
            return f"is not a language tag; write {hyphened!r}"
        return "is not a language tag (BCP 47); write for example 'en', 'en-GB' or 'de-AT'"
    language, region = match["language"].lower(), (match["region"] or "").upper()
    if len(language) == 2 and language not in _LANGUAGES.split():
        return f"names no language: {language!r} is not a language code; write for example 'en' or 'en-GB'"
    if region.isalpha() and region not in _REGIONS.split():
        cure = f"write '{language}-GB'" if region == "UK" else f"leave it out: {language!r}"
        return f"names no region: {region!r} is not a country code; {cure}"
    return ""


def find_urn_fault(identifier: str) -> str:
    """What is wrong with a URN (RFC 8141 section 2); empty when nothing is."""
    if not _URN.fullmatch(identifier):
        return "is not a URN; write for example 'urn:isbn:9780000000002', or leave it out to have one made"
    scheme, name = identifier[4:].split(":", 1)
    if scheme.lower() == "isbn":
        return find_isbn_fault(name)
    if scheme.lower() == "uuid" and not re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", name
    ):
        return "holds no UUID: 32 hexadecimal digits in groups of 8-4-4-4-12; leave it out to have one made"
    return ""


def make_urn(publisher: str, title: str) -> str:
    """A urn:uuid that stays the same for as long as `publisher` and `title` do (RFC 9562 section 5.5)."""
    words = (" ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in (publisher, title))
    return uuid5(_NAMESPACE, "\n".join(words)).urn


def derive_file_as(name: str) -> str:
    """The form a library files `name` under: "Walston, Jeannine"; a body keeps its own order.

    Small particles follow the given name ("Beethoven, Ludwig van"); capital ones stay with the
    family name ("Le Guin, Ursula K."). Degrees and titles fall away, "Jr." stays. No rule fits
    every name, so `file_as` in book.toml has the last word.
    """
    name = " ".join(name.split())
    if _is_body(name) or _is_eastern(name):
        return name.removeprefix("The ") + ", The" if name.startswith("The ") else name
    person, _, after = name.partition(",")
    words = person.split()
    suffix = next((word for word in after.replace(",", " ").split() if word.lower() in _SUFFIXES.split()), "")
    if len(words) > 2 and words[-1].lower() in _SUFFIXES.split():
        suffix = words.pop()
    while len(words) > 2 and words[0].lower() in _HONORIFICS.split():
        words.pop(0)
    start = _find_family_name(words)
    family, given = " ".join(words[start:]), " ".join(words[:start])
    return ", ".join(part for part in (family, given, suffix) if part)


def _find_family_name(words: list[str]) -> int:
    """Where the family name begins: the last word, and the capital particles before it."""
    start = max(len(words) - 1, 0)
    while start > 1 and words[start - 1].istitle() and words[start - 1].lower() in _PARTICLES.split():
        start -= 1
    return start


def _is_body(name: str) -> bool:
    return name.startswith("The ") or any(
        word.strip(".,").lower() in _BODIES.split() for word in name.split()
    )


def _is_eastern(name: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(_EASTERN) for letter in name)
