"""Put a stamp into a PDF: into both kinds of its metadata, and onto every page as an artifact."""

from __future__ import annotations

from io import BytesIO

import pikepdf

from outbox.errors import OutboxError

from .seal import STAMP_BYTES

#: XMP's property for what one copy has of its own; PDF/UA and PDF/A know it, unlike a name of ours.
INSTANCE = (
    '<rdf:Description rdf:about="" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">'
    "<xmpMM:InstanceID>{}</xmpMM:InstanceID></rdf:Description>"
)
XMP_END = b"</rdf:RDF>"
INFO = "/Copy"


def stamp(book: bytes, stamp: str) -> bytes:
    """The PDF with `stamp` in it; nothing that is seen or read aloud changes, so PDF/UA-1 stays valid.

    Raises OutboxError for a damaged file, and for one that is locked.
    """
    # On a page it is an empty artifact with a property: no font, no ink (PDF 32000-1, 14.8.2.2).
    mark = f"/Artifact <</Copy ({stamp})>> BDC EMC".encode()
    try:
        with pikepdf.open(BytesIO(book)) as pdf:
            shared = pdf.make_stream(mark)
            for page in pdf.pages:
                page.contents_add(shared)
            if "/Metadata" in pdf.Root:
                _add_instance(pdf.Root.Metadata, INSTANCE.format(stamp).encode())
            pdf.docinfo[INFO] = stamp
            out = BytesIO()
            # Pictures and text stay packed as they are.
            pdf.save(out, deterministic_id=True, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    except pikepdf.PdfError as error:
        raise OutboxError(f"the PDF cannot be stamped: {error}") from None
    return out.getvalue()


def _add_instance(metadata: pikepdf.Object, instance: bytes) -> None:
    """Name the copy in XMP, unless it has such a name; pikepdf's own way takes twenty times as long."""
    xmp = metadata.read_bytes()
    if b"InstanceID" not in xmp:
        metadata.write(xmp.replace(XMP_END, instance + XMP_END))


def find(book: bytes) -> list[str]:
    """Every stamp in a PDF, wherever a program that wrote it anew may have put it."""
    try:
        with pikepdf.open(BytesIO(book)) as pdf:
            places = [_text_of(each) for each in pdf.objects]
            places.append(pdf.docinfo.unparse(resolved=True))
    except pikepdf.PdfError as error:
        raise OutboxError(f"the PDF cannot be read: {error}") from None
    return [found.decode().lower() for place in places for found in STAMP_BYTES.findall(place)]


def _text_of(each: pikepdf.Object) -> bytes:
    """What an object says: a stream unpacked, anything else as it is written."""
    if not isinstance(each, pikepdf.Stream):
        return each.unparse(resolved=True)
    try:
        return each.read_bytes()
    except pikepdf.PdfError:  # a picture in a packing of its own
        return b""
