"""Read the Chapterpost dialect of Markdown into nodes, each with its line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.subscript import sub_plugin
from mdit_py_plugins.superscript import superscript_plugin

from ..errors import ManuscriptError
from ..model import Node
from .attributes import attributes_plugin
from .citations import citation_plugin
from .divs import divs_plugin
from .formulas import formulas_plugin
from .limits import DEEPEST, limits_plugin
from .notes import notes_plugin
from .passages import MASK, Passage, cut_passages
from .prose import prose_plugin
from .tree import TreeBuilder
from .typography import find_quotes, typography_plugin
from .variables import variables_plugin

__all__ = ["MASK", "Parsed", "Passage", "parse", "parse_inline", "read_passages"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A chapter's body as nodes, and everything in it that is outside the dialect.

    `conditional` says that some of it is for one output, edition or segment only.
    """

    nodes: tuple[Node, ...]
    errors: tuple[ManuscriptError, ...] = ()
    conditional: bool = False


def parse(text: str, *, source: str, first_line: int = 1, language: str = "en", smart: bool = True) -> Parsed:
    """Read a body; `first_line` is the line of `source` on which `text` begins.

    Raw HTML and anything else outside the dialect (docs/chapters.md) comes back
    in `errors`, all of it, so that one run shows an author everything.
    """
    parser = _make_parser(language, smart=smart)
    env: dict[str, object] = {}
    tokens = parser.parse(text, env)
    builder = TreeBuilder(parser, source=source, first_line=first_line)
    nodes = builder.build(tokens, env)
    return Parsed(nodes, tuple(builder.errors), builder.conditional)


def parse_inline(text: str, *, source: str = "", line: int = 0, language: str = "en") -> tuple[Node, ...]:
    """Read a single line such as a title; raises the first error there is."""
    parser = _make_parser(language, smart=True)
    builder = TreeBuilder(parser, source=source, first_line=line)
    nodes = builder.build_title(text)
    if builder.errors:
        raise builder.errors[0]
    return nodes


def read_passages(
    body: str, *, path: str, language: str, first_line: int = 1, offset: int = 0
) -> tuple[Passage, ...]:
    """The prose of a body as it was written; `offset` is where in `path` it begins, on `first_line`."""
    parser = _make_parser(language, smart=True)
    return cut_passages(parser, body, path=path, language=language, first_line=first_line, offset=offset)


@cache
def _make_parser(language: str, *, smart: bool, short: bool = True) -> MarkdownIt:
    """The one place that configures the parser: CommonMark, GFM tables and our closed list."""
    parser = (
        MarkdownIt("commonmark", {"maxNesting": DEEPEST, "quotes": find_quotes(language)})
        .enable(["table", "strikethrough"])
        .use(notes_plugin)
        .use(deflist_plugin)
        .use(sub_plugin)
        .use(superscript_plugin)
        .use(attributes_plugin)
        .use(formulas_plugin)
        .use(variables_plugin)
        .use(citation_plugin)
        .use(divs_plugin)
        .use(limits_plugin)
    )
    # The parser would print `[a](javascript:b)` as it stands; `resolve` says what is wrong with it.
    parser.validateLink = lambda _: True  # type: ignore[assignment]
    if smart:
        parser.use(typography_plugin, language=language)
    return parser.use(prose_plugin) if short else parser
