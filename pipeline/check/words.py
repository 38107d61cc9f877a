"""Words that rules look for, by language: a new language is a new row in each table."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Link texts that do not say where the link leads, in small letters.
VAGUE_LINKS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        {
            "here", "click here", "click", "link", "this link", "this", "read more", "more", "learn more",
            "find out more", "see more", "details",
        }
    ),
    "de": frozenset(
        {"hier", "hier klicken", "link", "dieser link", "mehr", "mehr lesen", "weiterlesen", "mehr erfahren"}
    ),
    "fr": frozenset({"ici", "cliquez ici", "lien", "ce lien", "lire la suite", "en savoir plus", "plus"}),
    "es": frozenset({"aquí", "haga clic aquí", "haz clic aquí", "enlace", "este enlace", "leer más", "más"}),
}  # fmt: skip

#: What presses a reader to act.
PRESSING: Mapping[str, str] = {
    "en": r"act now|buy now|order now|don['’]t miss|last chance|limited (?:time|offer)|100 ?% free|risk[- ]free",
    "de": r"jetzt (?:kaufen|bestellen|zugreifen)|letzte Chance|nur (?:heute|für kurze Zeit)|100 ?% gratis",
    "fr": r"achetez maintenant|dernière chance|offre limitée|100 ?% gratuit",
    "es": r"compre ahora|última oportunidad|oferta limitada|100 ?% gratis",
}

#: What promises health. `*` stands for a few words in between.
CLAIMS: Mapping[str, str] = {
    "en": (
        r"(?:cures?|cured|heals?|healed|reverses?|beats?|kills?|destroys?|prevents) * (?:cancers?|tumou?rs?|disease)"
        r"|(?:clinically|scientifically|medically) proven|proven (?:cure|remedy|to (?:cure|heal))"
        r"|(?:miracle|wonder) (?:cure|drug|food|remedy)|guaranteed?"
        r"|instead of * (?:chemotherapy|chemo|radiotherapy|radiation|surgery|immunotherapy|treatment)"
    ),
    "de": (
        r"(?:heilt|heilen|besiegt|besiegen|vernichtet|verhindert) * (?:Krebs|Tumore?|Krankheit)"
        r"|(?:klinisch|wissenschaftlich|medizinisch) (?:bewiesen|erwiesen)|Wundermittel|garantiert"
        r"|(?:statt|anstelle) * (?:Chemotherapie|Bestrahlung|Operation|Behandlung)"
    ),
    "fr": (
        r"(?:guérit|guérissent|élimine|détruit|prévient) * (?:cancers?|tumeurs?|maladie)"
        r"|(?:cliniquement|scientifiquement) prouvé|remède miracle|garantie?"
        r"|au lieu * (?:chimiothérapie|radiothérapie|chirurgie|traitement)"
    ),
    "es": (
        r"(?:cura|curan|elimina|destruye|previene) * (?:cáncer|tumor|tumores|enfermedad)"
        r"|(?:clínicamente|científicamente) (?:probado|demostrado)|remedio milagroso|garantizado"
        r"|en lugar de * (?:quimioterapia|radioterapia|cirugía|tratamiento)"
    ),
}

#: What shows that a sentence warns of a promise and does not make one.
CAREFUL: Mapping[str, str] = {
    "en": (
        r"no|not|none|never|nobody|nothing|neither|nor|cannot|\w+n['’]t|without|claims?|claimed|myths?|whether|false"
        r"|wrong|careful|danger(?:ous)?|harm|risks?|died"
    ),
    "de": r"nicht|kein\w*|nie|niemals|niemand|nichts|ohne|weder|noch|angeblich|ob|falsch|vorsicht\w*|gefährlich|Risiko",
    "fr": r"ne|n['’]\w+|pas|aucun\w*|jamais|personne|rien|sans|ni|prétend\w*|si|faux|danger\w*|risques?",
    "es": r"no|ningún|ninguna|nunca|nadie|nada|sin|ni|supuest\w*|si|falso|cuidado|peligros\w*|riesgos?",
}


def list_vague_links(language: str) -> frozenset[str]:
    """Those of a language such as `en-GB`, and the English ones, which are met everywhere."""
    return VAGUE_LINKS["en"] | VAGUE_LINKS.get(_shorten(language), frozenset())


def compile_words(table: Mapping[str, str], language: str) -> re.Pattern[str]:
    """What finds the words of a table in a language; nothing where it has no row."""
    words = (
        table.get(_shorten(language), r"(?!)").replace(" * ", r"\s(?:[^\s.!?]+\s){0,4}").replace(" ", r"\s")
    )
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


def _shorten(language: str) -> str:
    return language.partition("-")[0].lower()
