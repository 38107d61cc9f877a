"""Make a chapter's pictures fit for mail: JPEG, twice as wide as shown, at most 200 KB each."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from PIL import Image

from ..errors import PipelineError, Place, raise_all
from ..files import write_atomically
from ..images import check_image, encode_jpeg, for_epub, locate_image, name_by_content, size_of
from ..model import Chapter, Node
from ..pictures import draw_picture
from ..typeset import Type
from .markup import COLUMN, MailPicture

MAX_BYTES = 200_000  # of one picture (rule M25)
_RECIPE = 1  # raised when a photograph is written differently, so that old ones are not found in the cache
_QUALITIES = (88, 80, 70, 60, 45)
_NARROWEST = 0.5  # of the column; a picture meant to be wider has the whole of a phone's


def prepare_pictures(
    chapters: Sequence[Chapter],
    folder: Path,
    *,
    shown: Collection[str],
    cache: Path,
    kind: Callable[[], Type],
) -> tuple[MailPicture, ...]:
    """The pictures of `chapters` that are shown, by their `src`, each once.

    `folder` holds the chapters; what was made before is kept in `cache`; `kind` gives the faces,
    once a drawing wants them. Raises ManuscriptError, or ManyErrors with one for each picture to mend.
    """
    maker = _Maker(folder, cache, kind)
    pictures: dict[str, MailPicture] = {}
    errors: list[PipelineError] = []
    for chapter, image, share in _list_images(chapters):
        name = image.attrs["src"]
        if name in shown and name not in pictures:
            try:
                pictures[name] = maker.prepare(image, Place(chapter.source, image.line), share)
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


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the pictures of the chapters in `folder`."""

    folder: Path
    cache: Path
    kind: Callable[[], Type]

    def prepare(self, image: Node, place: Place, share: float) -> MailPicture:
        """The picture that `image`, written at `place`, shows on a `share` of the column."""
        path = locate_image(self.folder, image.attrs["src"], place)
        wanted = COLUMN if share > _NARROWEST else round(COLUMN * share)
        make = self._draw if path.suffix.lower() == ".svg" else self._reduce
        try:
            return make(path, image, place, wanted)
        except PipelineError as error:
            raise type(error)(error.message, place) from error

    def _draw(self, path: Path, image: Node, place: Place, width: int) -> MailPicture:
        """A drawing, as wide as is wanted."""
        check_image(path, image.attrs["src"], place)
        art = for_epub(path, image.attrs["alt"])
        height = _scale(width, (art.width, art.height))
        drawn = draw_picture(art.data, self.kind(), width=2 * width, height=2 * height)
        return _name(path, image, _fit(drawn, 2 * width), width, height)

    def _reduce(self, path: Path, image: Node, place: Place, wanted: int) -> MailPicture:
        """A photograph, as wide as is wanted and as it is; what was made before is taken from the cache."""
        recipe = f"|{_RECIPE}|{wanted}|{MAX_BYTES}".encode()
        kept = self.cache / f"{sha256(path.read_bytes() + recipe).hexdigest()}.jpg"
        made = kept.exists()
        if not made:
            check_image(path, image.attrs["src"], place)
        size = size_of(path)
        width = min(wanted, size[0])
        if not made:
            write_atomically(kept, _fit(for_epub(path, image.attrs["alt"]).data, 2 * width))
        return _name(path, image, kept.read_bytes(), width, _scale(width, size))


def _scale(width: int, size: tuple[int, int]) -> int:
    """How high a picture of `size` is when it is `width` wide."""
    return max(1, round(width * size[1] / size[0]))


def _name(path: Path, image: Node, data: bytes, width: int, height: int) -> MailPicture:
    """Under a name that is unique by content, so that an address never shows another picture."""
    return MailPicture(image.attrs["src"], name_by_content(path, data, ".jpg"), data, width, height)


def _fit(art: bytes, width: int) -> bytes:
    """`art` as a JPEG at most `width` pixels wide and small enough; one that is so already stays as it is."""
    image = Image.open(io.BytesIO(art))
    if (
        image.format == "JPEG"
        and image.mode in {"RGB", "L"}
        and image.width <= width
        and len(art) <= MAX_BYTES
    ):
        return art
    return _encode(_shrink(image, width))


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
