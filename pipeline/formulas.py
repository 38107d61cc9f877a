"""Read formulas as LaTeX writes them: MathML for e-books, words for letters and listeners, a drawing for print."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

LONGEST = 1000  # characters

#: What a formula may be made of -> how many parts it has; 0: any number.
_PARTS = {
    "math": 0, "mrow": 0, "mstyle": 0, "mpadded": 0, "mtable": 0, "mtr": 0, "mtd": 0, "msqrt": 0, "menclose": 0,
    "mphantom": 0, "mi": 0, "mn": 0, "mo": 0, "mtext": 0, "mspace": 0, "mfrac": 2, "mroot": 2, "msub": 2, "msup": 2,
    "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3,
}  # fmt: skip
_ATTRIBUTES = frozenset(
    {
        "display", "mathvariant", "stretchy", "fence", "separator", "form", "width", "height", "depth", "lspace",
        "rspace", "minsize", "maxsize", "linethickness", "displaystyle", "scriptlevel", "accent", "accentunder",
        "columnalign", "rowspacing", "columnspacing", "notation", "movablelimits", "symmetric", "largeop",
    }
)  # fmt: skip
RAISED = dict(zip("0123456789+-\u2212=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ", strict=True))
LOWERED = dict(zip("0123456789+-\u2212=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
_ACCENTS = {
    "^": "\u0302", "~": "\u0303", "¯": "\u0304", "\u203e": "\u0304", "˙": "\u0307", "¨": "\u0308",
    "→": "\u20d7",
}  # fmt: skip
_SPACED = frozenset("=+-−±×÷·<>≤≥≠≈∼→←↔⇒⇔∈∉⊂⊆∪∩∝≡")


class FormulaError(ValueError):
    """A formula that cannot be read; says why."""


@dataclass(frozen=True, slots=True)
class Formula:
    """`mathml` without its root's attributes; `said` is what a line of text can hold, such as "x² + 1"."""

    mathml: str
    said: str


@cache
def read_formula(tex: str, *, display: bool = False) -> Formula:
    """The formula that `tex` writes, in a line or, with `display`, on one of its own; raises FormulaError."""
    if len(tex) > LONGEST:
        raise FormulaError(f"it is longer than {LONGEST} characters")
    if _count_open(tex):
        raise FormulaError("a brace { } has no partner")
    root = _convert(tex, "block" if display else "inline")
    for element in root.iter():
        _check(element)
    said = " ".join(_say(root).split())
    if not said:
        raise FormulaError("it says nothing")
    return Formula("".join(map(_write, root)), said)


def _count_open(tex: str) -> int:
    bare = re.sub(r"\\.", "", tex, flags=re.DOTALL)
    return bare.count("{") - bare.count("}")


def _convert(tex: str, display: str) -> etree._Element:
    from latex2mathml.converter import convert  # only books with formulas wait for them
    from lxml import etree

    try:
        return etree.fromstring(convert(tex, display=display).encode())
    except etree.XMLSyntaxError:
        raise FormulaError("it holds a sign that has no meaning here, such as &") from None
    except Exception as error:  # noqa: BLE001  (the library raises what it happens to meet)
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).removesuffix(" Error").lower()
        raise FormulaError(f"{name}") from None


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _check(element: etree._Element) -> None:
    name = _name(element)
    if name not in _PARTS:
        raise FormulaError(f"it makes a '{name}', which no e-reader is sure to know")
    if _PARTS[name] and len(element) != _PARTS[name]:
        raise FormulaError("a part of it is missing, such as the lower half of a fraction")
    if (element.text or "").startswith("\\"):
        raise FormulaError(f"the command {element.text} is unknown")


def _write(element: etree._Element) -> str:
    """An element as an e-book holds it, without what could lead anywhere."""
    name = _name(element)
    kept = "".join(f' {key}="{escape(value)}"' for key, value in element.attrib.items() if key in _ATTRIBUTES)
    inner = escape(element.text or "", quote=False) + "".join(map(_write, element))
    return f"<{name}{kept}>{inner}</{name}>"


# -- in words


def _say(element: etree._Element) -> str:
    name = _name(element)
    return _SAYINGS.get(name, _say_all)(element)


def _say_all(element: etree._Element) -> str:
    return "".join(map(_say, element)) if len(element) else element.text or ""


def _say_sign(element: etree._Element) -> str:
    sign = element.text or ""
    return f" {sign} " if sign in _SPACED else f"{sign} " if sign in {",", ";"} else sign


def _group(element: etree._Element) -> str:
    """A part in brackets, unless it is one piece."""
    said = " ".join(_say(element).split())
    return said if re.fullmatch(r"\w+|\W", said) else f"({said})"


def _say_shifted(element: etree._Element, signs: Mapping[str, str], mark: str) -> str:
    said = _say(element).strip()
    if all(sign in signs for sign in said):
        return "".join(signs[sign] for sign in said)
    return f"{mark}{_group(element)}"


def _say_scripts(element: etree._Element) -> str:
    base, *scripts = element
    name = _name(element)
    lower = scripts[0] if name in {"msub", "msubsup", "munder", "munderover"} else None
    upper = scripts[-1] if name in {"msup", "msubsup", "mover", "munderover"} else None
    said = _say(base) if len(base) == 0 else _group(base)
    if lower is not None:
        said += _say_shifted(lower, LOWERED, "_")
    if upper is not None and (upper.text or "") in _ACCENTS:
        said += _ACCENTS[upper.text or ""]
    elif upper is not None:
        said += _say_shifted(upper, RAISED, "^")
    return f"{said} " if (base.text or "") in {"∑", "∏", "∫"} else said


def _say_fraction(element: etree._Element) -> str:
    upper, lower = element
    if element.get("linethickness") == "0":  # a binomial coefficient
        return f"{_say(upper)} \u00a6 {_say(lower)}"
    return f"{_group(upper)}/{_group(lower)}"


def _say_root(element: etree._Element) -> str:
    if _name(element) == "msqrt":
        inner = " ".join(_say_all(element).split())
        return f"√{inner}" if re.fullmatch(r"\w+", inner) else f"√({inner})"
    base, index = element
    return f"{_say_shifted(index, RAISED, '')}√{_group(base)}"


def _say_table(element: etree._Element) -> str:
    return "; ".join(", ".join(" ".join(_say(cell).split()) for cell in row) for row in element)


_SAYINGS: Mapping[str, Callable[[etree._Element], str]] = {
    "mo": _say_sign,
    "mfrac": _say_fraction,
    "msqrt": _say_root,
    "mroot": _say_root,
    "mtable": _say_table,
    "mspace": lambda _: " ",
    "mphantom": lambda _: "",
    **dict.fromkeys(("msub", "msup", "msubsup", "munder", "mover", "munderover"), _say_scripts),
}


# -- on paper


@dataclass(frozen=True, slots=True)
class Drawing:
    """A formula as SVG; lengths in em, `depth` below the line of the text."""

    svg: bytes
    width: float
    height: float
    depth: float


_SIZE = 10.0


@cache
def draw_formula(tex: str, *, display: bool, color: str) -> Drawing:
    """The formula drawn; raises FormulaError where there is no way to draw it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it finds its font
        from ziamath.zmath import Latex  # only print waits for it

    try:
        drawn = Latex(tex, size=_SIZE, color=color, inline=not display).svg()
    except Exception as error:  # the library raises what it happens to meet
        raise FormulaError("it cannot be drawn") from error
    box = re.search(r'viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)"', drawn)
    _, top, width, height = (
        (float(number) / _SIZE for number in box.groups()) if box else (0.0, 0.0, 0.0, 0.0)
    )
    return Drawing(drawn.encode(), width, height, top + height)
