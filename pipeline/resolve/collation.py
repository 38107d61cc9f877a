"""Sort words as a reader of the language looks them up."""

from __future__ import annotations

import unicodedata
from functools import cache

#: Letters that have a place of their own, after the letter before the colon; others count as their plain form.
_LATE = {
    "da": ("z:æøå",), "nb": ("z:æøå",), "nn": ("z:æøå",), "no": ("z:æøå",), "sv": ("z:åäö",), "fi": ("z:åäö",),
    "et": ("s:šzž", "w:õäöü"), "es": ("n:ñ",), "pl": ("a:ą", "c:ć", "e:ę", "l:ł", "n:ń", "o:ó", "s:ś", "z:źż"),
    "cs": ("c:č", "r:ř", "s:š", "z:ž"), "sk": ("a:ä", "c:č", "o:ô", "s:š", "z:ž"), "hr": ("c:čć", "d:đ", "s:š", "z:ž"),
    "tr": ("c:ç", "g:ğ", "h:ı", "o:ö", "s:ş", "u:ü"), "hu": ("o:ö", "u:ü"), "ro": ("a:ăâ", "i:î", "s:ș", "t:ț"),
    "is": ("a:á", "d:ð", "e:é", "i:í", "o:ó", "u:ú", "y:ý", "z:þæö"), "lt": ("c:č", "s:š", "z:ž"),
}  # fmt: skip
#: Letters that Unicode does not take apart.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ß": "ss"}
)

#: Figures come before letters, and what is neither does not count.
Key = tuple[tuple[tuple[int, str, int], ...], str]


def collate(text: str, language: str) -> Key:
    """A key to sort `text` by; capitals and accents decide only where all else is the same."""
    late = _place_letters(language.partition("-")[0].lower())
    spelt: list[tuple[int, str, int]] = []
    for letter in unicodedata.normalize("NFC", text.casefold()):
        if letter in late:
            spelt.append((1, *late[letter]))
        else:
            spelt += ((int(one.isalpha()), one, 0) for one in _take_apart(letter) if one.isalnum())
    return tuple(spelt), text


def find_initial(text: str, language: str) -> str:
    """The letter that heads the entries `text` stands among; empty for figures, signs and scripts without letters."""
    spelt, _ = collate(text, language)
    if not spelt or not spelt[0][0]:
        return ""
    late = _place_letters(language.partition("-")[0].lower())
    own = next((letter for letter, place in late.items() if place == spelt[0][1:]), spelt[0][1])
    return own.upper() if unicodedata.category(own) != "Lo" or _is_alphabetic(own) else ""


def _is_alphabetic(letter: str) -> bool:
    """Whether the script has few enough letters to head lists: not one of syllables or of words."""
    return not unicodedata.name(letter, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "YI "))


def _take_apart(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter.translate(_PLAIN))


@cache
def _place_letters(language: str) -> dict[str, tuple[str, int]]:
    """Each late letter -> the letter it follows, and how far behind it."""
    return {
        letter: (row[0], place) for row in _LATE.get(language, ()) for place, letter in enumerate(row[2:], 1)
    }
