"""Finish a tagged PDF: lists as PDF/UA wants them, page labels, truthful metadata, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from .model import Book, Entry
from .resolve import list_contents


@dataclass(frozen=True, slots=True)
class Labels:
    """The page on which each numbering begins, 0-based, and how many pages there are."""

    cover: bool
    front: int
    body: int
    total: int

    def name(self, page: int) -> str:
        """The label a reader sees: "Cover", "iv", "41"."""
        if page >= self.body:
            return str(page - self.body + 1)
        return (
            roman(page - self.front + 1)
            if page >= self.front
            else "Cover"
            if page == 0
            else f"Cover {page + 1}"
        )


def roman(number: int) -> str:
    """A roman numeral in lower case, as front matter is numbered."""
    out = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        out += letters * count
    return out


_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def finish(data: bytes, *, book: Book, labels: Labels) -> bytes:
    """The PDF as it is handed out; the same input gives the same bytes."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        repair_lists(pdf)
        repair_links(pdf, book)
        _label(pdf, labels)
        _bookmark(pdf, list_contents(book))
        _describe(pdf, book)
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def repair_lists(pdf: pikepdf.Pdf) -> int:
    """Move every kid of LI except its label into one LBody (ISO 14289-1, 7.2-20); how many it mended.

    WeasyPrint 70 tags a loose item's paragraphs as kids of LI itself.
    """
    mended = 0
    for item in list(_walk(pdf.Root.StructTreeRoot)):
        if item.get("/S") != Name.LI:
            continue
        kids = _kids(item)
        labels = [kid for kid in kids if _is(kid, Name.Lbl)]
        rest = [kid for kid in kids if not _is(kid, Name.Lbl)]
        if len(rest) == 1 and _is(rest[0], Name.LBody):
            continue
        item.K = Array([*labels, _gather(pdf, item, rest)])
        mended += 1
    return mended


def _gather(pdf: pikepdf.Pdf, item: Any, kids: list[Any]) -> Any:
    body = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.LBody, P=item, K=Array()))
    for kid in kids:
        for piece in _kids(kid) if _is(kid, Name.LBody) else [kid]:
            if isinstance(piece, Dictionary) and Name.S in piece:
                piece.P = body
            body.K.append(piece)
    return body


def repair_links(pdf: pikepdf.Pdf, book: Book) -> int:
    """Leave one annotation a link, and let it say where it leads; how many were taken out.

    WeasyPrint 70 annotates every box inside a link too, and tags those as spans
    (ISO 14289-1, 7.18.5).
    """
    surplus = {kid.Obj.objgen for element in _nested_in_links(pdf) for kid in _take_objects(element)}
    titles = {chapter.slug: chapter.title for chapter in book.chapters}
    homes = {name: chapter.slug for chapter in book.chapters for name in chapter.ids}
    for page in pdf.pages:
        annotations = [link for link in page.get("/Annots", []) if link.objgen not in surplus]
        if "/Annots" in page:
            page.Annots = Array(annotations)
        for link in annotations:
            target = str(link.get("/Dest", ""))
            title = titles.get(homes.get(target, target))
            if title:
                link.Contents = String(title)
    numbers = pdf.Root.StructTreeRoot.ParentTree.Nums
    pairs = [(numbers[i], numbers[i + 1]) for i in range(0, len(numbers), 2)]
    kept = [pair for pair in pairs if isinstance(pair[1], Array) or _holds_object(pair[1])]
    pdf.Root.StructTreeRoot.ParentTree.Nums = Array([piece for pair in kept for piece in pair])
    return len(surplus)


def _nested_in_links(pdf: pikepdf.Pdf) -> Iterator[Any]:
    todo = [(pdf.Root.StructTreeRoot, False)]
    while todo:
        element, inside = todo.pop()
        if inside:
            yield element
        inside = inside or (element.get("/S") == Name.Link and _holds_object(element))
        todo += [(kid, inside) for kid in _kids(element) if isinstance(kid, Dictionary) and Name.S in kid]


def _is_object(kid: Any) -> bool:
    return isinstance(kid, Dictionary) and kid.get("/Type") == Name.OBJR


def _holds_object(element: Any) -> bool:
    return any(_is_object(kid) for kid in _kids(element))


def _take_objects(element: Any) -> list[Any]:
    """Take the annotations out of an element."""
    kids = _kids(element)
    taken = [kid for kid in kids if _is_object(kid)]
    if taken:
        element.K = Array([kid for kid in kids if not _is_object(kid)])
    return taken


def _walk(root: Any) -> Iterator[Any]:
    todo = [root]
    while todo:
        element = todo.pop()
        yield element
        todo += [kid for kid in _kids(element) if isinstance(kid, Dictionary)]


def _kids(element: Any) -> list[Any]:
    kids = element.get("/K")
    return [] if kids is None else list(kids) if isinstance(kids, Array) else [kids]


def _is(kid: Any, kind: Name) -> bool:
    return isinstance(kid, Dictionary) and kid.get("/S") == kind


def _label(pdf: pikepdf.Pdf, labels: Labels) -> None:
    """Page labels (ISO 32000-1, 12.4.2): what a viewer shows beside the page."""
    numbers: list[Any] = []
    for page in range(labels.front):
        numbers.extend([page, Dictionary(P=String(labels.name(page)))])
    if labels.front < labels.body:
        numbers.extend([labels.front, Dictionary(S=Name.r, St=1)])
    if labels.body < labels.total:
        numbers.extend([labels.body, Dictionary(S=Name.D, St=1)])
    pdf.Root.PageLabels = Dictionary(Nums=Array(numbers))


def _bookmark(pdf: pikepdf.Pdf, contents: Sequence[Entry]) -> None:
    """Bookmarks are the contents: the same lines in the same tree, numbers and all."""
    with pdf.open_outline() as outline:
        outline.root[:] = [_make_item(entry) for entry in contents]


def _make_item(entry: Entry) -> pikepdf.OutlineItem:
    item = pikepdf.OutlineItem(entry.spoken, String(entry.target))
    item.children.extend(_make_item(child) for child in entry.children)
    return item


def _describe(pdf: pikepdf.Pdf, book: Book) -> None:
    """Title, people, subjects and dates, the same in Info and XMP."""
    meta = book.meta
    authors = [author.name for author in meta.authors]
    keywords = ", ".join(meta.keywords)
    stamp = book.made_at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        xmp["dc:title"] = meta.title
        xmp["dc:creator"] = authors
        xmp["dc:language"] = [meta.language]
        xmp["dc:identifier"] = book.identifier
        for key, value in {
            "dc:description": meta.description, "dc:rights": meta.rights, "pdf:Keywords": keywords,
        }.items():  # fmt: skip
            if value:
                xmp[key] = value
        if meta.publisher:
            xmp["dc:publisher"] = [meta.publisher]
        if meta.subjects or meta.keywords:
            xmp["dc:subject"] = list(dict.fromkeys([*meta.keywords, *meta.subjects]))
        xmp["xmp:CreateDate"] = xmp["xmp:ModifyDate"] = xmp["xmp:MetadataDate"] = stamp
        xmp["xmp:CreatorTool"] = "Chapterpost"
    info = {
        "/Title": meta.title, "/Author": ", ".join(authors), "/Subject": meta.description, "/Keywords": keywords,
        "/Creator": "Chapterpost", "/CreationDate": book.made_at.strftime("D:%Y%m%d%H%M%S+00'00'"),
        "/ModDate": book.made_at.strftime("D:%Y%m%d%H%M%S+00'00'"),
    }  # fmt: skip
    for key, value in info.items():
        if value:
            pdf.docinfo[key] = String(value)
        elif key in pdf.docinfo:
            del pdf.docinfo[key]
