"""Say truthfully how accessible a book is: every claim is computed from what the book holds."""

from __future__ import annotations

from collections.abc import Mapping

from .container import Meta
from .model import Book


def describe(book: Book, words: Mapping[str, str], *, pages: bool) -> list[Meta]:
    """Schema.org metadata for the package (EPUB Accessibility 1.1, section 2).

    Conformance is not claimed here: no computation can vouch for a person's judgement.
    """
    pictures = [node for chapter in book.chapters for node in chapter.walk() if node.kind == "image"]
    telling = [node for node in pictures if "decorative" not in node.attrs.get("class", "")]
    described = all(node.attrs["alt"].strip() for node in telling)
    features = ["tableOfContents", "readingOrder", "structuralNavigation", "displayTransformability", "ARIA"]
    features += ["alternativeText"] if telling and described else []
    formulas = any(node.kind == "math" for chapter in book.chapters for node in chapter.walk())
    features += ["MathML", "describedMath"] if formulas else []
    features += ["pageNavigation", "pageBreakMarkers"] if pages else []
    claims = [("accessMode", "textual")] + [("accessMode", "visual")] * bool(telling)
    claims += [("accessModeSufficient", "textual")] * described
    claims += [("accessibilityFeature", feature) for feature in features]
    claims += [
        ("accessibilityHazard", "none"),
        ("accessibilitySummary", _summarise(words, features, bool(telling))),
    ]
    return [Meta(f"schema:{name}", value) for name, value in claims]


def _summarise(words: Mapping[str, str], features: list[str], pictures: bool) -> str:  # noqa: FBT001
    """The same facts in sentences, for people who choose a book."""
    sentences = [words["accessible_text"]]
    if pictures:
        sentences.append(
            words["accessible_pictures" if "alternativeText" in features else "accessible_no_pictures"]
        )
    if "pageNavigation" in features:
        sentences.append(words["accessible_pages"])
    return " ".join(sentences)
