"""Write nodes as markup: one table of rules, from which each format overrides the rows it says differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from .directions import find_direction
from .highlight import highlight
from .model import Node, plain

Rule = Callable[["Writer", Node], str]


@dataclass(slots=True)
class Writer:
    """Writes one chapter; `notes` gathers what the format prints later.

    `rules`: node kind -> rule. `words`: the language's words for headings of boxes.
    `link`: where an internal target is in this format. `picture`: an image node's markup.
    `wanted`: ids that something points at; None writes them all.
    """

    rules: Mapping[str, Rule]
    words: Mapping[str, str]
    link: Callable[[Node], str] = lambda node: node.attrs["href"]
    wanted: frozenset[str] | None = None
    before: Mapping[str, str] = field(default_factory=dict)  # id -> markup set before that block
    slug: str = ""
    direction: str = "ltr"  # of the language around
    notes: list[Node] = field(default_factory=list)

    def write(self, nodes: Iterable[Node]) -> str:
        rules = self.rules
        return "".join([rules[node.kind](self, node) for node in nodes])

    def id(self, node: Node) -> str:
        """The id attribute, unless nothing needs it."""
        name = node.attrs.get("id", "")
        if not name or (self.wanted is not None and name not in self.wanted):
            return ""
        return f' id="{name}"'

    def turn(self, language: str) -> str:
        """The attribute `dir`, where `language` is written the other way than what is around it."""
        direction = find_direction(language)
        return f' dir="{direction}"' if direction != self.direction else ""

    def open(self, tag: str, node: Node, *extra: str) -> str:
        """A start tag with the node's id, class and language; what stands before a paragraph goes into it."""
        lang = node.attrs.get("lang")
        names = " ".join(name for name in (*extra, node.attrs.get("class", "")) if name)
        tag_text = (
            f"<{tag}{self.id(node)}"
            + (f' class="{names}"' if names else "")
            + (f' lang="{lang}" xml:lang="{lang}"{self.turn(lang)}' if lang else "")
            + ">"
        )
        before = self.before.get(node.attrs.get("id", ""), "")
        return tag_text + before if tag == "p" else before + tag_text


def wrap(tag: str, *classes: str) -> Rule:
    """A rule that puts a node's children between tags."""
    end = f"</{tag}>"
    return lambda writer, node: f"{writer.open(tag, node, *classes)}{writer.write(node.children)}{end}"


def block(tag: str, *classes: str) -> Rule:
    """As `wrap`, with a line end, so that the markup stays readable."""
    end = f"</{tag}>\n"
    return lambda writer, node: f"{writer.open(tag, node, *classes)}{writer.write(node.children)}{end}"


def _write_text(_: Writer, node: Node) -> str:
    return escape(node.text, quote=False)


def _write_paragraph(writer: Writer, node: Node) -> str:
    inner = writer.write(node.children)
    if "tight" in node.attrs:
        return inner
    return f"{writer.open('p', node)}{inner}</p>\n"


def _write_heading(writer: Writer, node: Node) -> str:
    tag = f"h{node.attrs['level']}"
    return f"{writer.open(tag, node)}{writer.write(node.children)}</{tag}>\n"


def _write_list(writer: Writer, node: Node) -> str:
    if "ordered" not in node.attrs:
        return f"{writer.open('ul', node)}\n{writer.write(node.children)}</ul>\n"
    start = node.attrs["start"]
    opened = writer.open("ol", node)
    opened = opened if start == "1" else f'{opened[:-1]} start="{start}">'
    return f"{opened}\n{writer.write(node.children)}</ol>\n"


def _write_code_block(writer: Writer, node: Node) -> str:
    lang = node.attrs.get("code", "")
    name = f' class="language-{escape(lang)}"' if lang else ""
    return f"{writer.open('pre', node)}<code{name}>{escape(node.text, quote=False)}</code></pre>\n"


def write_listing(writer: Writer, node: Node) -> str:
    """A code block in colours, for formats that can show them."""
    coloured = highlight(node.text, node.attrs.get("code", ""))
    return f"{writer.open('pre', node)}<code>{coloured}</code></pre>\n"


def _write_code(writer: Writer, node: Node) -> str:
    return f"{writer.open('code', node)}{escape(node.text, quote=False)}</code>"


def _write_link(writer: Writer, node: Node) -> str:
    title = node.attrs.get("title", "")
    opened = writer.open("a", node, node.attrs.get("role", ""))
    named = f' title="{escape(title)}"' if title else ""
    return f'{opened[:-1]} href="{escape(writer.link(node))}"{named}>{writer.write(node.children)}</a>'


def _write_reference(writer: Writer, node: Node) -> str:
    if "href" not in node.attrs:  # its target is not in this edition
        return writer.write(node.children)
    role = f' role="{node.attrs["role"]}"' if "role" in node.attrs else ""
    inner = writer.write(node.children)
    return f'<a class="ref {node.attrs["type"]}" href="{escape(writer.link(node))}"{role}>{inner}</a>'


def _write_image(writer: Writer, node: Node) -> str:
    title = node.attrs.get("title", "")
    decorative = ' role="presentation"' if "decorative" in node.attrs.get("class", "") else ""
    return (
        f'<img{writer.id(node)} src="{escape(node.attrs["src"])}" alt="{escape(node.attrs["alt"])}"'
        + (f' title="{escape(title)}"' if title else "")
        + f"{decorative} />"
    )


def _write_figure(writer: Writer, node: Node) -> str:
    opened = writer.open("figure", node)
    width = node.attrs.get("width")
    name = f"w{round(int(width.rstrip('%')) / 10) * 10}" if width else ""
    if name:
        opened = writer.open("figure", node.with_attrs(**{"class": name}))
    return f"{opened}\n{writer.write(node.children)}</figure>\n"


def _write_caption(writer: Writer, node: Node) -> str:
    label = node.attrs.get("label", "")
    before = f'<span class="label">{escape(label)}</span> ' if label else ""
    tag = node.attrs.get("tag", "figcaption")
    return f"<{tag}>{before}{writer.write(node.children)}</{tag}>\n"


def _write_table(writer: Writer, node: Node) -> str:
    caption = [child for child in node.children if child.kind == "caption"]
    rows = [child for child in node.children if child.kind == "row"]
    head = [row for row in rows if "head" in row.attrs]
    body = [row for row in rows if "head" not in row.attrs]
    named = "rowheads" in node.attrs.get("class", "")
    parts = [writer.open("table", node), "\n", writer.write(caption)]
    parts += (
        ["<thead>\n", *(_write_row(writer, row, named=False) for row in head), "</thead>\n"] if head else []
    )
    parts += (
        ["<tbody>\n", *(_write_row(writer, row, named=named) for row in body), "</tbody>\n"] if body else []
    )
    return "".join([*parts, "</table>\n"])


def _write_row(writer: Writer, row: Node, *, named: bool) -> str:
    cells = []
    for index, cell in enumerate(row.children):
        align = f' class="{cell.attrs["align"]}"' if "align" in cell.attrs else ""
        scope = ' scope="col"' if "head" in row.attrs else ' scope="row"' if named and index == 0 else ""
        tag = "th" if scope else "td"
        cells.append(f"<{tag}{scope}{align}>{writer.write(cell.children)}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>\n"


def _write_div(writer: Writer, node: Node) -> str:
    name = node.attrs["name"]
    tag, role = _DIVS.get(name, ("aside", ' role="note"'))
    opened = writer.open(tag, node, name, "box" if tag == "aside" else "")
    opened = f"{opened[:-1]}{role}>"
    title = "" if tag != "aside" or _has_title(node) else _box_title(writer.words.get(name, ""))
    return f"{opened}\n{title}{writer.write(node.children)}</{tag}>\n"


#: Fenced divs that are no boxes: their tag and what they are to a screen reader.
_DIVS = {
    "verse": ("div", ""),
    "epigraph": ("blockquote", ' role="doc-epigraph"'),
    "pullquote": ("aside", ' role="doc-pullquote"'),
}


def _has_title(node: Node) -> bool:
    return node.attrs["name"] == "pullquote" or any(child.kind == "title" for child in node.children)


def _box_title(words: str) -> str:
    return f'<p class="box-title">{escape(words)}</p>\n' if words else ""


def _write_span(writer: Writer, node: Node) -> str:
    return f"{writer.open('span', node)}{writer.write(node.children)}</span>"


def _write_note(writer: Writer, node: Node) -> str:
    """The mark alone; a format says where the note itself stands."""
    if "again" not in node.attrs:
        writer.notes.append(node)
    return f"<sup>{node.attrs['number']}</sup>"


def _write_term(writer: Writer, node: Node) -> str:
    """A term of a list; one of the glossary is what it defines."""
    inner = writer.write(node.children)
    inner = f"<dfn>{inner}</dfn>" if "entry" in node.attrs else inner
    return f"{writer.open('dt', node)}{inner}</dt>\n"


def _write_mark(writer: Writer, node: Node) -> str:
    """Words that the index leads to; no more than the words where nothing leads."""
    inner, name = writer.write(node.children), writer.id(node)
    return f"<span{name}>{inner}</span>" if name else inner


def write_mathml(_: Writer, node: Node) -> str:
    """A formula for readers that can set it, with words for those that cannot."""
    display = "block" if "display" in node.attrs else "inline"
    return (
        f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="{display}" alttext="{escape(node.text)}">'
        f"{node.attrs['mathml']}</math>"
    )


def _write_works(writer: Writer, node: Node) -> str:
    """The works that one chapter cites, below their heading."""
    inner, title = writer.write(node.children), escape(plain(node.children[:1]))
    return f'<section class="references" role="doc-bibliography" aria-label="{title}">\n{inner}</section>\n'


RULES: Mapping[str, Rule] = {
    "text": _write_text,
    "paragraph": _write_paragraph,
    "heading": _write_heading,
    "list": _write_list,
    "item": block("li"),
    "quote": block("blockquote"),
    "attribution": block("p", "attribution"),
    "code_block": _write_code_block,
    "rule": lambda _, __: "<hr />\n",
    "table": _write_table,
    "figure": _write_figure,
    "image": _write_image,
    "caption": _write_caption,
    "definitions": block("dl"),
    "term": _write_term,
    "definition": block("dd"),
    "div": _write_div,
    "title": block("p", "box-title"),
    "more": lambda _, __: "",
    "lines": block("p", "stanza"),
    "line": wrap("span", "line"),
    "emphasis": wrap("em"),
    "strong": wrap("strong"),
    "strike": wrap("s"),
    "sub": wrap("sub"),
    "sup": wrap("sup"),
    "code": _write_code,
    "link": _write_link,
    "span": _write_span,
    "softbreak": lambda _, __: "\n",
    "break": lambda _, __: "<br />\n",
    "note": _write_note,
    "citation": lambda writer, node: writer.write(node.children),
    "reference": _write_reference,
    "mark": _write_mark,
    "works": _write_works,
    "columns": block("div", "columns"),
    "entries": block("ul", "entries"),
    "entry": block("li"),
    "places": lambda _, __: "",
    "math": lambda _, node: f'<span class="math">{escape(node.text, quote=False)}</span>',
}
