"""Make a chapter's pictures fit for mail: JPEG, twice as wide as shown, at most 200 KB each."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from PIL import Image

from ..errors import PipelineError, Place, raise_all
from ..images import Picture, encode_jpeg, find_image, for_epub
from ..model import Chapter, Node
from ..pictures import draw_picture
from ..typeset import Type
from .markup import COLUMN, MailPicture

MAX_BYTES = 200_000  # of one picture (rule M25)
_QUALITIES = (88, 80, 70, 60, 45)
_KEPT = 64  # pictures that one process does not make again
_NARROWEST = 0.5  # of the column; a picture meant to be wider has the whole of a phone's


def prepare_pictures(
    chapters: Sequence[Chapter], folder: Path, kind: Type, *, shown: Collection[str]
) -> tuple[MailPicture, ...]:
    """The pictures of `chapters` that are shown, by their `src`, each once.

    `folder` holds the chapters, `kind` the faces a drawing is set in. Raises
    ManuscriptError, or ManyErrors with one for each picture to mend.
    """
    pictures: dict[str, MailPicture] = {}
    errors: list[PipelineError] = []
    for chapter, image, share in _list_images(chapters):
        name = image.attrs["src"]
        if name in shown and name not in pictures:
            try:
                pictures[name] = _prepare(chapter, image, folder=folder, kind=kind, share=share)
            except PipelineError as error:
                errors.append(error)
    raise_all(errors)
    return tuple(pictures.values())


def _list_images(chapters: Sequence[Chapter]) -> Iterator[tuple[Chapter, Node, float]]:
    """Image nodes, each with the share of the column that its figure asks for."""
    for chapter in chapters:
        shares = {
            id(image): int(figure.attrs["width"].rstrip("%")) / 100
            for figure in chapter.walk() if figure.kind == "figure" and "width" in figure.attrs
            for image in figure.children
        }  # fmt: skip
        yield from (
            (chapter, node, shares.get(id(node), 1.0)) for node in chapter.walk() if node.kind == "image"
        )


def _prepare(chapter: Chapter, image: Node, *, folder: Path, kind: Type, share: float) -> MailPicture:
    place = Place(chapter.source, image.line)
    path = find_image(folder, image.attrs["src"], place)
    try:
        master = for_epub(path, image.attrs["alt"])
    except PipelineError as error:
        raise type(error)(error.message, place) from error
    drawn = master.media_type == "image/svg+xml"
    wanted = COLUMN if share > _NARROWEST else round(COLUMN * share)
    width = wanted if drawn else min(wanted, master.width)
    height = max(1, round(width * master.height / master.width))
    art = draw_picture(master.data, kind, width=2 * width, height=2 * height) if drawn else master.data
    data = _write_jpeg(art, 2 * width)
    return MailPicture(image.attrs["src"], _name(master, data), data, width, height)


@lru_cache(_KEPT)
def _write_jpeg(art: bytes, width: int) -> bytes:
    return _encode(_shrink(Image.open(io.BytesIO(art)), width))


def _shrink(image: Image.Image, width: int) -> Image.Image:
    image = image.convert("RGB")
    if image.width <= width:
        return image
    return image.resize((width, max(1, round(width * image.height / image.width))), Image.Resampling.LANCZOS)


def _encode(image: Image.Image) -> bytes:
    """The best JPEG that is small enough; a picture that never is loses pixels."""
    while True:
        for quality in _QUALITIES:
            data = encode_jpeg(image, quality)
            if len(data) <= MAX_BYTES:
                return data
        image = _shrink(image, image.width * 3 // 4)


def _name(master: Picture, data: bytes) -> str:
    """The file's name, unique by content, so that an address never shows another picture."""
    stem = re.sub(r"-[0-9a-f]{8}\.\w+$", "", master.name)
    return f"{stem}-{sha256(data).hexdigest()[:8]}.jpg"
