"""Book -> ONIX 3: what the book trade reads of it, one product for each form it is sold in, and a sheet for forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree
from lxml.builder import ElementMaker

from ..identifiers import compact_isbn, derive_file_as
from ..layouts import Layout
from ..model import Book, Edition
from ..printers import measure_page
from ..settings import Settings

NAMESPACE = "http://ns.editeur.org/onix/3.0/reference"
_E = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE})


@dataclass(frozen=True, slots=True)
class Form:
    """What a product is: codes of ONIX lists 150 (form), 175 (detail) and 196 (accessibility)."""

    name: str
    form: str
    detail: str = ""
    accessible: tuple[str, ...] = ()


#: Paperback; digital download of a PDF (PDF/UA-1, contents, reading order) or an EPUB (also: type can be changed).
FORMS = (
    Form("print", "BC"),
    Form("pdf", "ED", "E107", ("05", "11", "13")),
    Form("epub", "ED", "E101", ("11", "13", "22", "29", "30", "36")),
)
_SHORT_ALT, _WITHOUT_SIGHT = "14", "52"
#: MARC relators as ONIX list 17 has them; any other is a contribution (Z01).
_ROLES: Mapping[str, str] = {
    "aut": "A01", "edt": "B01", "ill": "A12", "trl": "B06", "aui": "A24", "pht": "A13", "bkd": "A36", "ctb": "Z01",
}  # fmt: skip
#: ISO 639-2/B, which differs from two-letter codes by more than a letter.
_LANGUAGES: Mapping[str, str] = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "cze", "cy": "wel", "da": "dan", "de": "ger", "el": "gre", "en": "eng",
    "es": "spa", "et": "est", "eu": "baq", "fa": "per", "fi": "fin", "fr": "fre", "ga": "gle", "he": "heb", "hi": "hin",
    "hr": "hrv", "hu": "hun", "id": "ind", "is": "ice", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav",
    "mk": "mac", "ms": "may", "nb": "nob", "nl": "dut", "nn": "nno", "no": "nor", "pl": "pol", "pt": "por", "ro": "rum",
    "ru": "rus", "sk": "slo", "sl": "slv", "sr": "srp", "sv": "swe", "sw": "swa", "th": "tha", "tr": "tur", "uk": "ukr",
    "ur": "urd", "vi": "vie", "zh": "chi",
}  # fmt: skip


def render(book: Book, layout: Layout, settings: Settings) -> Edition:  # noqa: ARG001  (a format takes the layout)
    """The record, and what shops ask for in their forms as plain text to copy from."""
    name = settings.file_name
    record = etree.tostring(
        write_record(book, settings), encoding="utf-8", xml_declaration=True, pretty_print=True
    )
    sheet = "\n".join(_write_sheet(book)) + "\n"
    return Edition(book.edition, "onix", {f"{name}.onix.xml": record, f"{name}.metadata.txt": sheet.encode()})


def write_record(book: Book, settings: Settings) -> etree._Element:
    """An ONIX 3.0 message (EDItEUR, reference names): a product for each ISBN, the EPUB when there is none."""
    meta = book.meta
    sold = [form for form in FORMS if getattr(meta.isbn, form.name)] or [FORMS[-1]]
    header = _E.Header(
        _E.Sender(_E.SenderName(meta.publisher or meta.authors[0].name)),
        _E.SentDateTime(book.made_at.strftime("%Y%m%dT%H%MZ")),
    )
    products = [_write_product(book, settings, form, sold) for form in sold]
    return _E.ONIXMessage({"release": "3.0"}, header, *products)


def _write_product(book: Book, settings: Settings, form: Form, sold: list[Form]) -> etree._Element:
    others = [each for each in sold if each is not form and getattr(book.meta.isbn, each.name)]
    related = [_E.RelatedMaterial(*(_relate(book, each) for each in others))] if others else []
    return _E.Product(
        _E.RecordReference(f"{book.identifier}:{form.name}"),
        _E.NotificationType("03"),
        *_identify(book, form),
        _E.DescriptiveDetail(*_describe(book, settings, form)),
        *([_E.CollateralDetail(_write_text(book))] if book.meta.description else []),
        _E.PublishingDetail(*_publish(book)),
        *related,
    )


def _identify(book: Book, form: Form) -> Iterator[etree._Element]:
    isbn = compact_isbn(getattr(book.meta.isbn, form.name))
    if isbn:
        yield _E.ProductIdentifier(_E.ProductIDType("15"), _E.IDValue(isbn))
    else:
        yield _E.ProductIdentifier(_E.ProductIDType("01"), _E.IDTypeName("URN"), _E.IDValue(book.identifier))


def _relate(book: Book, form: Form) -> etree._Element:
    return _E.RelatedProduct(_E.ProductRelationCode("06"), *_identify(book, form))


def _describe(book: Book, settings: Settings, form: Form) -> Iterator[etree._Element]:
    """What the product is, in the order the schema wants."""
    yield _E.ProductComposition("00")
    yield _E.ProductForm(form.form)
    if form.detail:
        yield _E.ProductFormDetail(form.detail)
    for code in (*form.accessible, *(_list_described(book) if form.accessible else ())):
        yield _E.ProductFormFeature(_E.ProductFormFeatureType("09"), _E.ProductFormFeatureValue(code))
    if form.name == "print":
        yield from _measure(settings)
    if book.meta.series:
        yield _write_series(book)
    yield _write_title(book)
    yield from _write_contributors(book)
    if book.meta.edition_note:
        yield _E.EditionStatement(book.meta.edition_note)
    language = book.language.partition("-")[0].lower()
    yield _E.Language(_E.LanguageRole("01"), _E.LanguageCode(_LANGUAGES.get(language, "und")))
    yield from _write_subjects(book)
    yield _E.Audience(_E.AudienceCodeType("01"), _E.AudienceCodeValue("01"))


def _list_described(book: Book) -> tuple[str, ...]:
    """Codes for pictures that are told in words: all of them, or none are claimed."""
    pictures = [
        node for chapter in book.chapters for node in chapter.walk()
        if node.kind == "image" and "decorative" not in node.attrs.get("class", "")
    ]  # fmt: skip
    if not all(node.attrs["alt"].strip() for node in pictures):
        return ()
    return (_SHORT_ALT, _WITHOUT_SIGHT) if pictures else (_WITHOUT_SIGHT,)


def _measure(settings: Settings) -> Iterator[etree._Element]:
    width, height = measure_page(settings.print.trim or settings.page)
    for kind, points in (("01", height), ("02", width)):
        inches = f"{points / 72:.2f}".rstrip("0").rstrip(".")
        yield _E.Measure(_E.MeasureType(kind), _E.Measurement(inches), _E.MeasureUnitCode("in"))


def _write_title(book: Book) -> etree._Element:
    meta = book.meta
    subtitle = [_E.Subtitle(meta.subtitle)] if meta.subtitle else []
    element = _E.TitleElement(_E.TitleElementLevel("01"), _E.TitleText(meta.title), *subtitle)
    return _E.TitleDetail(_E.TitleType("01"), element)


def _write_series(book: Book) -> etree._Element:
    series = book.meta.series
    assert series is not None  # noqa: S101  (the caller asked)
    element = _E.TitleElement(
        _E.TitleElementLevel("02"), _E.PartNumber(f"{series.number:g}"), _E.TitleText(series.name)
    )
    return _E.Collection(_E.CollectionType("10"), _E.TitleDetail(_E.TitleType("01"), element))


def _write_contributors(book: Book) -> Iterator[etree._Element]:
    for number, author in enumerate(book.meta.authors, 1):
        inverted = author.file_as or derive_file_as(author.name)
        name = [_E.PersonName(author.name), _E.PersonNameInverted(inverted)]
        if inverted == author.name and " " in inverted:  # filed as it is written: a body, not a person
            name = [_E.CorporateName(author.name)]
        role = _ROLES.get(author.role, "Z01")
        yield _E.Contributor(_E.SequenceNumber(str(number)), _E.ContributorRole(role), *name)


def _write_subjects(book: Book) -> Iterator[etree._Element]:
    for number, subject in enumerate(book.meta.subjects):
        scheme = "10" if re.fullmatch(r"[A-Z]{3}\d{6}", subject) else "93"
        main = [] if number else [_E.MainSubject()]
        yield _E.Subject(*main, _E.SubjectSchemeIdentifier(scheme), _E.SubjectCode(subject))
    if book.meta.keywords:
        words = "; ".join(book.meta.keywords)
        yield _E.Subject(_E.SubjectSchemeIdentifier("20"), _E.SubjectHeadingText(words))


def _write_text(book: Book) -> etree._Element:
    text = " ".join(book.meta.description.split())
    return _E.TextContent(_E.TextType("03"), _E.ContentAudience("00"), _E.Text(text))


def _publish(book: Book) -> Iterator[etree._Element]:
    meta = book.meta
    publisher = meta.publisher or meta.authors[0].name  # who names none publishes it
    yield _E.Publisher(_E.PublishingRole("01"), _E.PublisherName(publisher))
    if meta.place:
        yield _E.CityOfPublication(meta.place)
    yield _E.PublishingStatus("04" if meta.date else "02")
    if meta.date:
        date = _E.Date({"dateformat": "00"}, meta.date.strftime("%Y%m%d"))
        yield _E.PublishingDate(_E.PublishingDateRole("01"), date)


#: What shops take at most: characters of a description, keywords and their length (KDP).
_DESCRIPTION, _KEYWORDS, _KEYWORD = 4000, 7, 50


def _write_sheet(book: Book) -> Iterator[str]:
    meta = book.meta
    yield "What shops ask for in their forms, to copy from. Made from book.toml; mend it there."
    isbns = [f"{form.name}: {number}" for form in FORMS if (number := getattr(meta.isbn, form.name))]
    fields = {
        "Title": meta.title, "Subtitle": meta.subtitle,
        "Series": f"{meta.series.name}, {meta.series.number:g}" if meta.series else "",
        "Edition": meta.edition_note, "Authors and others": "; ".join(f"{a.name} ({a.role})" for a in meta.authors),
        "Publisher": meta.publisher, "Language": meta.language, "Date": meta.date.isoformat() if meta.date else "",
        "ISBN": "; ".join(isbns), "Identifier": book.identifier, "Rights": meta.rights,
        "Subjects (BISAC, Thema)": "; ".join(meta.subjects),
    }  # fmt: skip
    for name, value in fields.items():
        yield f"\n{name}\n  {value or '(book.toml says nothing)'}"
    yield f"\nDescription ({len(meta.description)} characters; KDP takes {_DESCRIPTION})\n  {meta.description.strip()}"
    yield f"\nKeywords (KDP takes {_KEYWORDS}, each of {_KEYWORD} characters at most)"
    for number, word in enumerate(meta.keywords, 1):
        remark = (
            "  <- one too many" if number > _KEYWORDS else "  <- too long" if len(word) > _KEYWORD else ""
        )
        yield f"  {word}{remark}"
