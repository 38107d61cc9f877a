"""Turn the LaTeX that bibliographies hold into plain characters."""

from __future__ import annotations

import re
import unicodedata

#: Accent command -> combining character (The TeXbook, chapter 9).
ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "b": "\u0331",
}  # fmt: skip

SYMBOLS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å",
    "AA": "Å", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "i": "ı", "j": "ȷ",
    "textendash": "–", "textemdash": "—", "textquoteleft": "‘", "textquoteright": "’", "textquotesingle": "'",
    "textquotedblleft": "“", "textquotedblright": "”", "ldots": "…", "dots": "…", "textellipsis": "…",
    "textregistered": "®", "texttrademark": "™", "copyright": "©", "textdegree": "°", "degree": "°",
    "textmu": "µ", "textonehalf": "½", "textpm": "±", "pm": "±", "times": "×", "texttimes": "×", "cdot": "·",
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "approx": "≈", "sim": "∼", "to": "→", "rightarrow": "→",
    "textless": "<", "textgreater": ">", "textbackslash": "\\", "textasciitilde": "~", "textunderscore": "_",
    "textbar": "|", "S": "§", "P": "¶", "pounds": "£", "textsterling": "£", "euro": "€", "texteuro": "€",
    "slash": "/",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Omega": "Ω",
    "relax": "", "protect": "", "em": "", "it": "", "bf": "", "sc": "", "rm": "", "quad": " ", "space": " ",
    "-": "", "/": "", " ": " ",
    "&": "&", "%": "%", "$": "$", "#": "#", "_": "_", "{": "{", "}": "}", ",": "\u202f", "@": "", "!": "",
}  # fmt: skip

#: Command with one argument -> what is put round it: the few tags that CSL-JSON knows.
WRAPPERS = {
    "emph": ("<i>", "</i>"), "textit": ("<i>", "</i>"), "textsl": ("<i>", "</i>"), "mathit": ("<i>", "</i>"),
    "textbf": ("<b>", "</b>"), "mathbf": ("<b>", "</b>"),
    "textsuperscript": ("<sup>", "</sup>"), "textsubscript": ("<sub>", "</sub>"),
    "textsc": ("", ""), "texttt": ("", ""), "textrm": ("", ""), "textsf": ("", ""), "textnormal": ("", ""),
    "mathrm": ("", ""), "text": ("", ""), "mbox": ("", ""), "url": ("", ""), "enquote": ("“", "”"),
    "ensuremath": ("", ""), "MakeUppercase": ("", ""),
}  # fmt: skip

#: Ligatures of the running text, and its other special characters.
LIGATURES = {"~": "\u00a0", "--": "–", "---": "—", "``": "“", "''": "”", "`": "‘", "'": "’", "$": ""}
SCRIPTS = {"^": ("<sup>", "</sup>"), "_": ("<sub>", "</sub>")}
NOCASE = ('<span class="nocase">', "</span>")

# A capital that braces keep within a word keeps the word: styles take words apart at the brace.
_WIDEN = re.compile(r'([^\s<>]*)<span class="nocase">(.*?)</span>([^\s<>]*)')
_TOKEN = re.compile(r"\\[A-Za-z]+\s*|\\.|---?|``|''|.", re.DOTALL)
_DEPTH = 40


class LatexError(ValueError):
    """LaTeX that has no plain character here."""


def read_latex(source: str, *, protect: bool = False) -> str:
    """Plain text of `source`; with `protect`, braces mark words whose capitals stay.

    Raises LatexError for a command that is not known and for braces that do not match.
    """
    text = _WIDEN.sub(rf"{NOCASE[0]}\1\2\3{NOCASE[1]}", _Reader(source, protect=protect).run())
    return unicodedata.normalize("NFC", re.sub(r"[ \t\r\n]+", " ", text).strip())


class _Reader:
    """The tokens of one value, read from left to right."""

    def __init__(self, source: str, *, protect: bool) -> None:
        self.tokens: list[str] = _TOKEN.findall(source)[::-1]
        self.protect = protect
        self.depth = 0
        self.math = False

    def run(self) -> str:
        parts = []
        while self.tokens:
            token = self.tokens.pop()
            if token == "}":
                raise LatexError("a closing brace too many")
            parts.append(self.read(token))
        return "".join(parts)

    def read(self, token: str) -> str:
        if token == "{":
            return self.read_group()
        if token[0] == "\\" and len(token) > 1:
            return self.read_command(token[1:])
        if token == "$":
            self.math = not self.math
        if self.math and token in SCRIPTS:
            return self.wrap(SCRIPTS[token])
        return LIGATURES.get(token, token)

    def read_group(self) -> str:
        if self.depth >= _DEPTH:
            raise LatexError("braces nested too deeply")
        fixed = self.protect and self.depth == 0 and not self.math and not self.at_command()
        self.depth += 1
        parts = []
        while (token := self.next()) != "}":
            parts.append(self.read(token))
        self.depth -= 1
        text = "".join(parts)
        return text.join(NOCASE) if fixed and text != text.lower() else text

    def read_command(self, command: str) -> str:
        name = command.rstrip() or " "
        if name in ACCENTS:
            return self.accent(ACCENTS[name])
        if name in WRAPPERS:
            return self.wrap(WRAPPERS[name])
        if name not in SYMBOLS:
            raise LatexError(f"the LaTeX command \\{name} is not known here; write the character itself")
        return SYMBOLS[name]

    def accent(self, combining: str) -> str:
        base = self.argument().replace("ı", "i").replace("ȷ", "j")
        return unicodedata.normalize("NFC", base[:1] + combining) + base[1:]

    def wrap(self, around: tuple[str, str]) -> str:
        return self.argument().join(around)

    def argument(self) -> str:
        while (token := self.next()).isspace():
            pass
        protect, self.protect = self.protect, False
        text = self.read(token)
        self.protect = protect
        return text

    def at_command(self) -> bool:
        return bool(self.tokens) and self.tokens[-1][0] == "\\"

    def next(self) -> str:
        if not self.tokens:
            raise LatexError("a closing brace is missing")
        return self.tokens.pop()


def read_verbatim(source: str) -> str:
    """An address or identifier of `source`: only the escapes that protect its characters are undone."""
    text = re.sub(r"\\url\s*\{([^{}]*)\}", r"\1", source)
    text = re.sub(r"\\textasciitilde\s*(?:\{\})?|\\~\s*(?:\{\})?", "~", text)
    return re.sub(r"\\([_%&#$~{}])|[{}\s]", lambda match: match[1] or "", text)
