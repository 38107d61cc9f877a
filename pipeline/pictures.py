"""Make a book's pictures ready: checked, within the stores' limits, drawings with a picture to fall back on."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from .errors import PipelineError, Place, raise_all
from .files import write_atomically
from .images import find_image, for_epub, for_print
from .model import Book
from .settings import BookPicture
from .typeset import Sheet, Type, draw

#: Pixels across of the picture that stands in for a drawing.
_FALLBACK_WIDTH = 1400


def prepare_pictures(book: Book, chapters: str, kind: Type) -> tuple[BookPicture, ...]:
    """Every picture of the book, checked and fit for both outputs; paths start in the folder `chapters`.

    Raises what is wrong with any of them, all together.
    """
    folder = book.folder / chapters
    pictures: dict[str, BookPicture] = {}
    errors: list[PipelineError] = []
    for chapter in book.chapters:
        for node in chapter.walk():
            if node.kind == "image" and node.attrs["src"] not in pictures:
                place = Place(chapter.source, node.line)
                try:
                    path = find_image(folder, node.attrs["src"], place)
                    pictures[node.attrs["src"]] = _prepare_picture(
                        node.attrs["src"], path, node.attrs["alt"], kind
                    )
                except PipelineError as error:
                    errors.append(error if error.place else type(error)(error.message, place))
    raise_all(errors)
    return tuple(pictures.values())


def _prepare_picture(source: str, path: Path, alt: str, kind: Type) -> BookPicture:
    small = for_epub(path, alt)
    name = f"images/{small.name}"
    files = [(name, small.media_type, small.data)]
    if small.media_type == "image/svg+xml":
        height = round(_FALLBACK_WIDTH * small.height / small.width)
        fallback = draw_picture(small.data, kind, width=_FALLBACK_WIDTH, height=height)
        files.append((name.removesuffix(".svg") + ".jpg", "image/jpeg", fallback))
    return BookPicture(source, for_print(path, alt).data, name, small.height / small.width, tuple(files))


def draw_picture(art: bytes, kind: Type, *, width: int, height: int) -> bytes:
    """An SVG as a JPEG of the given pixels, from the cache when it was drawn before."""
    recipe = b"|".join(
        [art, str((width, height)).encode(), *(face.path.name.encode() for face in kind.faces)]
    )
    path: Path = kind.cache / f"{sha256(recipe).hexdigest()}.jpg"
    if not path.exists():
        css = (
            f"@page {{ size: {width}px {height}px; margin: 0 }} body {{ margin: 0 }}"
            f"img {{ display: block; width: {width}px; height: {height}px }}"
        )
        html = '<html lang="en"><title>x</title><body><img src="picture:art" alt=""></body></html>'
        write_atomically(path, draw(Sheet(html, css, {"art": art}), kind, width=width, height=height))
    return path.read_bytes()
