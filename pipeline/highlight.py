"""Colour code listings with Pygments, by class names the layout styles."""

from __future__ import annotations

from html import escape


def highlight(code: str, language: str) -> str:
    """The listing as spans; unchanged text when the language is unknown or none is given."""
    if not language or language in {"text", "plain"}:
        return escape(code, quote=False)
    from pygments import highlight as colour
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code, quote=False)
    return str(colour(code, lexer, HtmlFormatter(nowrap=True, classprefix="code-")))
