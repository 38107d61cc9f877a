"""Parse the HTML of a letter, whatever it is, and walk through it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from lxml import etree
from lxml import html as lxml_html

#: lxml brings no types.
Element = Any

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
CODE = ("code", "pre")
_INLINE = frozenset({"a", "b", "code", "em", "i", "s", "small", "span", "strong", "sub", "sup"})


def parse_page(data: bytes) -> Element:
    """The root of the page, an empty one where there is none; `data` is UTF-8."""
    root = etree.fromstring(data, lxml_html.HTMLParser(encoding="utf-8"))
    found = root is not None and root.tag == "html" and root.find("body") is not None
    return root if found else lxml_html.document_fromstring("<html><body></body></html>")


def list_elements(root: Element) -> Iterator[Element]:
    """`root` and every element below it, in reading order, without comments."""
    return (node for node in root.iter() if isinstance(node.tag, str))


def list_pieces(root: Element) -> Iterator[tuple[Element, str]]:
    """Every piece of text below `root`, in reading order, with its element; a picture's is its alternative text."""
    for node in root.iter():
        text = node.get("alt") if node.tag == "img" else node.text
        if isinstance(node.tag, str) and text:
            yield node, text
        if node.tail and node is not root:
            yield node.getparent(), node.tail


def spell(root: Element, *, silent: Container[Element] = ()) -> str:
    """What stands below `root` with a space around each block, without what stands in `silent` elements."""
    parts = []
    for node in root.iter():
        space = "" if node.tag in _INLINE else " "
        if isinstance(node.tag, str) and node not in silent:
            parts += [space, (node.get("alt") if node.tag == "img" else node.text) or ""]
        if node is not root and node.getparent() not in silent:
            parts += [space, node.tail or ""]
    return squeeze("".join(parts))


def own_words(node: Element) -> str:
    """The words that stand in the element itself, not in one inside it."""
    return " ".join([node.text or "", *(child.tail or "" for child in node)])


def squeeze(text: str) -> str:
    """`text` with every run of space as one, and without the sign that holds a note to its word."""
    return " ".join(text.replace("\ufeff", "").split())


def name_tag(node: Element) -> str:
    """How a layout's author finds an element: `<p class="cap">`."""
    name = node.get("class")
    return f'<{node.tag} class="{name}">' if name else f"<{node.tag}>"


def name_link(node: Element) -> str:
    """What a listener hears of a link: its words and the alternative texts in it."""
    pictures = (image.get("alt", "") for image in node.iter("img"))
    return squeeze(" ".join([node.text_content(), *pictures]))
