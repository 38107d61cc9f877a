"""All rules a letter is held to: how grave each is, what it finds, what to do, and the function that looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ..galley import Severity
from . import content, document, look, message, pictures, text
from .letter import Mail, Spot, find_unreadable


@dataclass(frozen=True, slots=True)
class LetterRule:
    """One row of the table: an error keeps a letter from being written, a warning does not."""

    severity: Severity
    about: str
    mend: str
    find: Callable[[Mail], Iterator[Spot]]


#: Asked first; where it finds anything, there is nothing the others could look at.
FIRST = "N060"

#: N001 to N054 are numbered as the rules for mail that they hold a letter to (M1 to M54).
RULES: Mapping[str, LetterRule] = {
    # -- the frame of the HTML
    "N001": LetterRule(
        "warning", "no `<!DOCTYPE html>` at the beginning, or a second one", "put it first, once",
        document.find_no_doctype,
    ),
    "N002": LetterRule(
        "warning", "the html element does not say language and direction", "give it `lang` and `dir`",
        document.find_no_language,
    ),
    "N003": LetterRule(
        "warning", "the body does not say its language", "give it `xml:lang`", document.find_no_body_language
    ),
    "N004": LetterRule(
        "warning", "something in the body does not say language and direction, and webmail keeps no more than that",
        "give it `lang` and `dir`", document.find_bare_children,
    ),
    "N005": LetterRule(
        "warning", "the letter is not one article named by its subject",
        'put it into one element with `role="article"` and `aria-label`', document.find_no_article,
    ),
    "N006": LetterRule(
        "warning", "the title element is not the subject, or has over 78 characters", "write the subject there",
        document.find_poor_title,
    ),
    "N007": LetterRule(
        "warning", "a meta element is missing that mail programs ask for", "copy those of the layout `base`",
        document.find_no_metas,
    ),
    "N008": LetterRule(
        "error", "a script, a form, a video or another thing that mail programs refuse; a file as base64",
        "take it out", document.find_refused,
    ),
    "N009": LetterRule(
        "warning", "not just one h1, or a heading that skips a level", "one title, and below it `##`",
        document.find_poor_headings,
    ),
    "N010": LetterRule(
        "warning", "no comment, or several, that tell Outlook how many pixels an inch has; it scales the letter",
        "copy the comment of the layout `base`", document.find_no_pixels,
    ),
    "N011": LetterRule(
        "warning", "a table that is not for data", "use `<div>`, or `<th scope>` where it is for data",
        document.find_layout_tables,
    ),
    "N012": LetterRule(
        "warning", "comments for Outlook that do not close what they open, or tables in them without a role",
        'close them, and write `role="presentation"`', document.find_open_conditions,
    ),
    "N014": LetterRule(
        "warning", "more than twelve elements in each other", "write lists, quotes and boxes flatter",
        document.find_deep_nesting,
    ),
    # -- how it looks
    "N015": LetterRule(
        "warning", "a colour that is not # and six digits, as some programs ask", "write `#1d5c57`",
        look.find_short_colours,
    ),
    "N016": LetterRule(
        "warning", "an element with a ground and text has no colour of its own", "give it both", look.find_split_colours
    ),
    "N017": LetterRule(
        "warning", "CSS in a style attribute that too few programs know, such as flex or rem",
        "use margins, paddings and pixels", look.find_unknown_css,
    ),
    "N018": LetterRule(
        "warning", "a cell for Outlook without padding: there that of a div is lost", "give it to the `<td>`",
        document.find_unpadded_ghost,
    ),
    "N019": LetterRule(
        "warning", "style elements outside the head, over 8 kB, or with an error for which Gmail drops them",
        "move, shorten or mend them", look.find_broken_sheets,
    ),
    "N020": LetterRule(
        "warning", "dark colours are missing, or not in a style element of their own", "put them into a second one",
        look.find_mixed_sheets,
    ),
    "N021": LetterRule(
        "warning", "a rule of a style element that a style attribute overrules", "add `!important`",
        look.find_powerless_rules,
    ),
    "N022": LetterRule(
        "warning", "a colour without its dark pair", "say it in `mail.css` as a token", look.find_unpaired_colours
    ),
    "N023": LetterRule(
        "warning", "text with a contrast below 4.5: in the light, in the dark, or inverted", "change the token",
        look.find_low_contrast,
    ),
    "N031": LetterRule(
        "warning", "text below 14 pixels (12 for raised signs), or a letter set below 16", "set it larger",
        look.find_small_text,
    ),
    "N046": LetterRule(
        "warning", "in a language written to the left, an indent or a rule on the left", "change the side",
        look.find_wrong_sides,
    ),
    "N047": LetterRule(
        "warning", "Georgia comes first in a list of fonts, and its figures look like letters",
        "name a font before it", look.find_old_figures,
    ),
    "N048": LetterRule(
        "warning", "a class that only the letter or only the style elements know", "take it out",
        look.find_idle_classes,
    ),
    # -- what it holds
    "N024": LetterRule(
        "warning", "a preheader that is too short, too long, repeats the subject, or can be seen",
        "write 40 to 130 characters into `summary` or `preheader`", content.find_poor_preheader,
    ),
    "N025": LetterRule(
        "error", "a picture without alternative text, that nobody can fetch, or that is no PNG, JPEG or GIF",
        "describe it, or mark it `{.decorative}`", pictures.find_unseen_pictures,
    ),
    "N026": LetterRule(
        "error", "a linked picture without alternative text", "say where the link leads",
        pictures.find_silent_picture_links,
    ),
    "N027": LetterRule(
        "warning", "a link that says only *here* or *more*, or is not underlined", "let its words say where it leads",
        content.find_vague_links,
    ),
    "N028": LetterRule(
        "error", "a link that leads nowhere from a letter", "write a whole https address", content.find_dead_links
    ),
    "N029": LetterRule(
        "warning", "a button lower than 44 pixels or without Word's raise, a link of the foot lower than 24",
        "give it padding", content.find_small_targets,
    ),
    "N030": LetterRule(
        "warning", "a note's number without the note, or as a link", "write `[1]` plainly, and the note below",
        content.find_lost_notes,
    ),
    "N032": LetterRule(
        "error", "pictures and fewer than 25 words", "say in words what they show", pictures.find_image_only
    ),
    "N033": LetterRule(
        "error", "control characters, or accents that are signs of their own", "take them out, type them anew",
        message.find_odd_signs,
    ),
    "N034": LetterRule(
        "error", "HTML over 60 kB, or over 90 kB as it travels: Gmail would cut it", "show an opening or a summary",
        content.find_too_large,
    ),
    "N051": LetterRule(
        "warning", "a short last word that may stand alone below the title", "put a no-break space before it",
        content.find_lonely_words,
    ),
    "N052": LetterRule(
        "warning", "more than one button", "make the others links", content.find_many_buttons
    ),
    # -- what it says of itself
    "N037": LetterRule(
        "warning", "a subject over 60 characters, in capitals, or with several exclamation marks",
        "write another into `subject`", message.find_poor_subject,
    ),
    "N038": LetterRule(
        "warning", "a foot without a way to choose, to read in the browser, or the list's name", "add the merge field",
        message.find_bare_foot,
    ),
    "N039": LetterRule(
        "error", "a gap that nothing fills: `@@nickname@@`, `{{ name }}`, `[[name]]`", "correct the field's name",
        message.find_gaps,
    ),
    "N040": LetterRule(
        "warning", "an address or alternative text of the HTML that the text part lacks, or a text part without title",
        "make both from one chapter", text.find_lost_addresses,
    ),
    "N053": LetterRule(
        "warning", "marks of emphasis in the text part, a line of two hyphens, an address in the foot not on its own",
        "take them out; give each address a line", text.find_markdown,
    ),
    "N054": LetterRule(
        "warning", "shouting: `!!`, words in capitals, *act now*", "say it quietly", message.find_shouting
    ),
    # -- further rules: law, the text part, and the milder half of rules above
    FIRST: LetterRule(
        "error", "a part of the issue folder that is missing or cannot be read", "make the issue anew", find_unreadable
    ),
    "N061": LetterRule(
        "warning", "words in one part that are not in the other: more than ten, and one in twenty",
        "make both from one chapter", text.find_other_words,
    ),
    "N062": LetterRule(
        "warning", "a subject with *Re:* or *Fwd:* that answers nobody", "take it out", message.find_false_replies
    ),
    "N063": LetterRule(
        "error", "no postal address in one of the parts", "write `@@postal_address@@` there", message.find_no_address
    ),
    "N064": LetterRule(
        "error", "no link to unsubscribe in one of the parts", "write `@@unsubscribe_url@@` there",
        message.find_no_way_out,
    ),
    "N065": LetterRule(
        "warning", "a claim of health: *cures cancer*, *scientifically proven*",
        "say who showed it, and how sure it is", message.find_claims,
    ),
    "N066": LetterRule(
        "warning", "a text part that begins with an address", "begin with what the letter says",
        text.find_late_beginning,
    ),
    "N067": LetterRule(
        "warning", "a text part without a line of `---` above its foot", "put it there", text.find_no_foot_rule
    ),
    "N068": LetterRule(
        "warning", "a paragraph of the text part that is broken into lines", "write it in one line",
        text.find_broken_lines,
    ),
    "N069": LetterRule(
        "warning", "HTML over 40 kB, more than is read", "show an opening or a summary", content.find_long_letter
    ),
    "N070": LetterRule(
        "warning", "pictures over 200 kB, over 800 kB together, without sizes, or too few pixels for a phone",
        "give a better file", pictures.find_heavy_pictures,
    ),
    "N071": LetterRule(
        "warning", "a link to `http://`, which can be read on the way", "write `https://`", content.find_open_links
    ),
    "N072": LetterRule(
        "warning", "short lines, such as those of a farewell, that run into one", "end the first with a backslash",
        content.find_joined_lines,
    ),
    "N073": LetterRule(
        "warning", "a landmark such as `<main>`, which clashes with those of webmail", "write `<div>`",
        document.find_landmarks,
    ),
}  # fmt: skip
