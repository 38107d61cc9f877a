"""Drawings are taken as far as they only draw."""

from __future__ import annotations

import re

import pytest

from pipeline.errors import ManuscriptError
from pipeline.images.svg import read_svg, svg_size, write_svg

BOX = 'viewBox="0 0 60 40"'
LAUGHS = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(12))
TENFOLD = "".join(f'<g id="g{i + 1}">{f"""<use href="#g{i}"/>""" * 10}</g>' for i in range(9))


def svg(body: str = "", attributes: str = BOX, before: str = "") -> bytes:
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {namespaces} {attributes}>{body}</svg>".encode()


def rewrite(data: bytes, alt: str = "") -> str:
    return write_svg(read_svg(data), alt).decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (svg("<script>alert(1)</script>"), "has a script at line 1"),
        (svg('<g onclick="alert(1)"/>'), 'the event attribute "onclick"'),
        (svg("<foreignObject/>"), "has a foreignObject"),
        (svg('<set attributeName="href" to="x"/>'), "has an animation"),
        (
            svg('<image href="https://example.org/x.png"/>'),
            'a link out of the file ("https://example.org/x.png")',
        ),
        (svg('<image xlink:href="photo.png"/>'), 'a link out of the file ("photo.png")'),
        (svg('<image href="data:image/svg+xml;base64,AA"/>'), "a link out of the file"),
        (svg('<a href="javascript:alert(1)"/>'), "a link out of the file"),
        (svg('<g xml:base="https://example.org/"/>'), "a link out of the file"),
        (svg('<g style="fill: url( https://example.org/x#a )"/>'), "a link out of the file"),
        (svg('<g fill="u\\72l(https://example.org/x)"/>'), "a link out of the file"),
        (svg("<style>@import 'x.css'</style>"), "a style that loads"),
        (svg("<style>g { fill: url(x.svg#a) }</style>"), "a style that loads"),
        (svg("<text>&x;</text>", before='<!DOCTYPE svg [<!ENTITY x "y">]>'), "declares entities"),
        (
            svg("<text>&x;</text>", before='<!DOCTYPE svg [<!ENTITY x SYSTEM "/etc/hosts">]>'),
            "declares entities",
        ),
        (svg("<text>&a12;</text>", before=f'<!DOCTYPE svg [<!ENTITY a0 "ha">{LAUGHS}]>'), "save it again"),
        (svg('<g id="a"><use href="#a"/></g>'), "shapes within shapes without end"),
        (svg(f'<g id="g0"/>{TENFOLD}'), "shapes within shapes without end"),
        (svg("<g>" * 300 + "</g>" * 300), "save it again as plain SVG"),
        (svg("<g>"), "is not well-formed SVG"),
        (b"", "is not well-formed SVG"),
        (b"<html/>", "its root is not <svg>"),
        (svg(attributes='width="100%" height="50%"'), "give its <svg> a viewBox"),
        (svg(attributes='viewBox="0 0 60 0"'), "give its <svg> a viewBox"),
        (svg(attributes='viewBox="0 0 1e999 4"'), "give its <svg> a viewBox"),
    ],
)
def test_drawing_that_does_more_than_draw_is_refused(data: bytes, words: str) -> None:
    """Whatever acts, loads or explodes is named, with its cure."""
    with pytest.raises(ManuscriptError, match=re.escape(words)):
        read_svg(data)


@pytest.mark.parametrize(
    "body",
    [
        '<linearGradient id="a"/><g fill="url(#a)"/>',
        '<g id="a"/><use xlink:href="#a"/>',
        '<style>g { fill: url("#a") }</style>',
        '<image xlink:href="data:image/png;base64,AA=="/>',
    ],
)
def test_links_within_the_drawing_stay(body: str) -> None:
    """Gradients, repeated shapes and embedded bitmaps are part of the picture."""
    assert body.partition(" ")[0] in rewrite(svg(body))


def test_size_moves_into_the_view_box() -> None:
    """The root keeps no width and height, so that a page can scale the drawing."""
    root = read_svg(svg("<g/>", 'width="100mm" height="2in"'))

    assert (378, 192) == svg_size(root)
    assert "0 0 377.953 192" == root.get("viewBox")
    assert {"viewBox"} == set(root.attrib)


def test_view_box_outranks_width_and_height() -> None:
    """The lengths on the root only told a browser how large to show it."""
    root = read_svg(svg("<g/>", f'{BOX} width="3" height="2"'))

    assert (60, 40) == svg_size(root)
    assert {"viewBox"} == set(root.attrib)


def test_title_is_the_alternative_text() -> None:
    """An old title goes, the new one comes first and is escaped; a decoration has none."""
    drawing = svg("<g/><title>Layer 1</title>")

    assert "><title>Sleep &lt; 6 &amp; tired.</title><g/>" in rewrite(drawing, "Sleep < 6 & tired.")
    assert "title" not in rewrite(drawing)


def test_what_draws_nothing_is_left_out() -> None:
    """Doctype, comments, metadata and an editor's notes may name the author's folders."""
    before = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
        '<?xml-stylesheet href="x.css"?>'
    )
    body = (
        "<!-- home --><metadata>home</metadata>"
        '<g xmlns:i="http://www.inkscape.org/" i:export="home"><i:view/></g>'
    )

    assert (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40"><g/></svg>'
    ) == rewrite(svg(body, before=before))
