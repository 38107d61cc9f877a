"""Write notes that stand behind the text: marks that lead to them, and from each the way back."""

from __future__ import annotations

from html import escape

from .markup import Writer
from .model import Node


def write_mark(writer: Writer, node: Node) -> str:
    """A link readers open as a popup; no <sup> in it, for that breaks Apple Books' popups."""
    name, number = f"{writer.slug}-note-{node.attrs['number']}", node.attrs["number"]
    own = "" if "again" in node.attrs else f' id="{name}-mark"'
    home = node.attrs.get("home", "")
    if own and not home:
        writer.notes.append(node)
    href = writer.link(Node("link", attrs={"href": f"#{name}", "chapter": home or writer.slug}))
    return f'<a class="noteref" epub:type="noteref" role="doc-noteref" href="{href}"{own}>{number}</a>'


def write_chapter_notes(writer: Writer) -> str:
    """The notes met so far, at the chapter's end."""
    if not writer.notes:
        return ""
    notes = "".join(
        _write_note(writer, node, writer.slug, f"{writer.slug}-note-{node.attrs['number']}")
        for node in list(writer.notes)
    )
    title = escape(writer.words["notes"])
    return f'<section class="notes" aria-label="{title}">\n<h2 class="notes-title">{title}</h2>\n{notes}</section>'


def write_endnote(writer: Writer, node: Node) -> str:
    """A note of the chapter that holds the notes of the whole book."""
    before = writer.before.get(node.id, "")
    return before + _write_note(writer, node, node.attrs["chapter"], node.id)


def _write_note(writer: Writer, node: Node, chapter: str, name: str) -> str:
    href = writer.link(Node("link", attrs={"href": f"#{name}-mark", "chapter": chapter}))
    back = (
        f' <a class="backlink" role="doc-backlink" href="{href}" aria-label="{escape(writer.words["back"])}">'
        "\u21a9\ufe0e</a>"
    )
    *first, last = [f"<p>{{}}{writer.write(paragraph.children)}" for paragraph in node.children]
    body = "</p>\n".join([*first, last + back]) + "</p>"
    mark = f'<span class="note-number">{node.attrs["number"]}.</span> '
    return (
        f'<aside id="{name}" class="note-text" epub:type="footnote" role="doc-footnote">'
        f"{body.replace('{}', mark, 1).replace('{}', '')}</aside>\n"
    )
