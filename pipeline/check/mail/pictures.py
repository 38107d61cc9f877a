"""Rules on the pictures of a letter: whether everybody gets them, by eye or by ear, and soon."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

from .letter import Mail, Spot
from .page import Element, name_link

_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif")
_KINDS = {"PNG", "JPEG", "GIF"}
_LARGEST_PICTURE, _LARGEST_PICTURES = 200_000, 800_000  # bytes
_SIZE = re.compile(r"[0-9]{1,4}")  # pixels, as an attribute
_SHARP = 1.95  # pixels of the file for one of the letter: 2, less what rounding takes
_FEWEST_WORDS = 25


def find_unseen_pictures(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("img"):
        for message in _list_obstacles(mail, node):
            yield mail.trace(node.get("alt", ""), mail.in_page(node)), message


def _list_obstacles(mail: Mail, node: Element) -> Iterator[str]:
    source = node.get("src", "").strip()
    if node.get("alt") is None:
        yield "the picture has no alternative text; say what it shows, or mark it {.decorative}"
    if not source.startswith("https://") and source not in mail.files:
        yield f"nobody can fetch the picture '{source}'; give its https address"
    elif not _is_shown_everywhere(mail, source):
        yield f"the picture '{source}' is no PNG, JPEG or GIF, and Outlook shows no other; convert it"


def _find_file(mail: Mail, source: str) -> bytes:
    return mail.files.get(f"images/{source.rpartition('/')[2]}", b"")


def _is_shown_everywhere(mail: Mail, source: str) -> bool:
    data = _find_file(mail, source)
    image = _open(data)
    return image is not None and image.format in _KINDS if data else source.lower().endswith(_SUFFIXES)


def _open(data: bytes) -> Image.Image | None:
    try:
        return Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def find_heavy_pictures(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("img"):
        for message in _weigh(node, _find_file(mail, node.get("src", ""))):
            yield mail.trace(node.get("alt", ""), mail.in_page(node)), message
    whole = sum(len(data) for name, data in mail.files.items() if name.startswith("images/"))
    if whole > _LARGEST_PICTURES:
        message = f"the pictures have {whole:,} bytes together; {_LARGEST_PICTURES:,} are the most"
        yield mail.in_source(), message


def _weigh(node: Element, data: bytes) -> Iterator[str]:
    sizes = [_SIZE.fullmatch(node.get(name, "")) for name in ("width", "height")]
    image = _open(data)
    if not all(sizes):
        yield "the picture has no width and height, so the letter jumps while it loads; write both"
    elif image is not None and image.width < _SHARP * int(node.get("width")):
        wanted = f"give a file with {2 * int(node.get('width'))}"
        yield f"the picture has {image.width} pixels across, too few to be sharp on a phone; {wanted}"
    if len(data) > _LARGEST_PICTURE:
        yield f"the picture has {len(data):,} bytes; {_LARGEST_PICTURE:,} are the most"


def find_silent_picture_links(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("a"):
        if node.find(".//img") is not None and not name_link(node):
            message = "a linked picture has no alternative text; say where the link leads"
            yield mail.trace(node.get("href", ""), mail.in_page(node)), message


def find_image_only(mail: Mail) -> Iterator[Spot]:
    """Filters take it for spam, and with pictures blocked nothing is left (rule M32)."""
    foot = set() if mail.foot is None else set(mail.foot.iter())
    texts = [text for node, text in mail.shown if node not in foot and node.tag != "img"]
    words = " ".join(texts).split()
    if mail.find("img") and len(words) < _FEWEST_WORDS:
        yield mail.in_source(), f"the letter is pictures and {len(words)} words; say in words what they show"
