"""Make a tagged PDF one that lasts: PDF/A-3a and PDF/UA-1 in one file, with files inside it if wished."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pikepdf
from pikepdf import Array, AttachedFileSpec, Name

from .settings import Attachment

#: What PDF/A wants to be told of a word of XMP that it does not know itself (ISO 19005-3, 6.6.2.3), and the
#: word: part 1 of PDF/UA (ISO 14289-1, 5). One file has one `rdf:RDF`; a second one is not read.
_ACCESSIBLE = """
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
  <pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
    xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
    xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
  <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
    <pdfaSchema:schema>Universal accessibility</pdfaSchema:schema>
    <pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
    <pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
    <pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
      <pdfaProperty:name>part</pdfaProperty:name>
      <pdfaProperty:valueType>Integer</pdfaProperty:valueType>
      <pdfaProperty:category>internal</pdfaProperty:category>
      <pdfaProperty:description>Part of ISO 14289 that the file keeps to</pdfaProperty:description>
    </rdf:li></rdf:Seq></pdfaSchema:property>
  </rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""


def preserve(data: bytes, attachments: Sequence[Attachment], *, made_at: datetime) -> bytes:
    """A finished pdf/a-3a, said to be PDF/UA-1 too and holding `attachments`; the same input, the same bytes."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        _blur_nothing(pdf)
        _claim_both(pdf)
        for attachment in attachments:
            _attach(pdf, attachment, made_at)
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _blur_nothing(pdf: pikepdf.Pdf) -> None:
    """No picture asks for pixels to be made up between its own (ISO 19005-3, 6.2.8)."""
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream) and "/Interpolate" in thing:
            del thing["/Interpolate"]


def _claim_both(pdf: pikepdf.Pdf) -> None:
    xmp = pdf.Root.Metadata.read_bytes().decode()
    head, end, tail = xmp.rpartition("</rdf:RDF>")
    whole = f"{head}{_ACCESSIBLE}{end}{tail}"
    pdf.Root.Metadata = pdf.make_stream(whole.encode(), Type=Name.Metadata, Subtype=Name.XML)


def _attach(pdf: pikepdf.Pdf, attachment: Attachment, made_at: datetime) -> None:
    """A file inside the file, with its kind and what it is to the book (ISO 19005-3, 6.8)."""
    date = made_at.strftime("D:%Y%m%d%H%M%SZ")
    make: Any = AttachedFileSpec  # its stub knows no relationship
    spec = make(
        pdf, attachment.data, filename=attachment.name, description=attachment.description,
        mime_type=attachment.media_type, creation_date=date, mod_date=date,
        relationship=Name(f"/{attachment.relationship}"),
    )  # fmt: skip
    pdf.attachments[attachment.name] = spec
    pdf.Root.AF = Array([*pdf.Root.get("/AF", []), spec.obj])
