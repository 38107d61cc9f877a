"""Write docs/proofreader.md from the tables of rules, so that the two cannot drift apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .rules import FAMILIES, RULES

_HEAD = """\
# The proofreader

`pipeline check` reads the whole manuscript over, the chapters and all that goes out by mail, and prints one line for
each thing to mend: the file, the line and the column, the number of the rule, and what to do.

```
chapters/03-sleep.md:12:8: T010 warning: two spaces in a row; one will do
```

An *error* makes the command fail (exit code 1); those whose numbers begin with M stop a build too. A *warning* is
something to mend. *Advice* is a matter of taste and not shown unless asked for.

| option | what it does |
|---|---|
| `--advice` | `pipeline check` also says what may be better |
| `--fix` | mends what can be mended safely, marked *fix* below; `--dry-run` shows the changes and makes none |
| `--online` | asks the addresses of links and works whether they still answer, a week apart and politely |
| `--pages` | lays the first edition out and looks at its pages as a typesetter does; takes as long as the PDF |
| `--format html` | writes `build/check.html`: every finding with its line and a picture of the page where it stands |
| `--format github` | writes annotations for a pull request; `json` for programs |
| `--edition sample` | reads one edition alone, without letters |
| `--judges` | also asks [judges](judges.md) about the finished files |

`--fix` changes spaces, dashes, quotation marks and words that surely stand twice, nothing else. It never touches code,
links, verse or a chapter's header, writes each file at once, and has nothing left to do when it is run again.

## Switching a rule off

A rule that is wrong for a whole book is switched off with a reason in [book.toml](book-toml.md#check):

```toml
[check.off]
T027 = "Letters from children, printed as they came."
```

One that is wrong in one place is silenced there. The comment stands in the line or on the line above, and is not
printed; without a reason it does nothing:

```markdown
<!-- off T050: he stammers -->
It was was not so.
```

## The words of a book

`chapters/words.txt` lists words that no dictionary has, one a line; what stands behind `#` is left out. A word in small
letters is known in any form. Dictionaries are Hunspell's: those of the Python package that `chapterpost[spelling]`
brings, those of the system, or those of the folder that `HUNSPELL_DICTIONARIES` names. Where a language has none, that
is a finding, for what was not looked at is not passed. Names and words in italics are not looked up.

## Health

```toml
[check]
profile = "health"
reviewed_months = 24
```

asks more of a book that people may act on when they are ill. A sentence with a word that claims an effect, or with a
figure, cites a work, itself or in its note; the work has `checked` among its keywords in the bibliography:

```bibtex
@article{campbell2019,
  author = {Campbell, Kristin L. and others}, title = {Exercise Guidelines for Cancer Survivors},
  journal = {Medicine & Science in Sports & Exercise}, year = {2019}, keywords = {strong, checked}
}
```

The mark says that somebody has looked the work up and found there what the book says. With `observational`, its
findings are worded as links, not as causes. A sentence that denies, warns or asks claims nothing, and neither does a
row of a table that does so.

## Languages

What rules look for in words is data: `pipeline/check/languages/en.toml`, and the same for German and French. A chapter
in another language (`lang:` in its header) is read by that language's file; where there is none, rules that need words
keep silent. [adding.md](adding.md#a-language) tells how to add one.
"""

_TAIL = """\
## How often they are wrong

Read over *The Adventures of Sherlock Holmes* (Standard Ebooks' text, 105,000 words, 257 pages), set as British English,
these are all that speak. A warning may be wrong once in 5,000 words, 21 times in this book; what is wrong more often
was made better or made advice.

| rule | | times | of them wrong |
|---|---|---|---|
| T002 | warning | 2 | 2: a speech in a speech over three paragraphs |
| W001 | warning | 21 | 18: old words such as *gasogene*; three American spellings are right to be told |
| S010 | advice | 13 | headings are few in a novel |
| S020 | advice | 54 | none: the paragraphs are long |
| W005 | advice | 29 | most: *bellpull*, *dogcart* |
| W010 | advice | 288 | none: the sentences are long |
| W013 | advice | 15 | none |
| P010, P011, P012, P013 | advice | 1, 5, 18, 1 | none |
| E001, E003 to E007 | advice | 6 | none: the test gives the book a title and an author alone |

The manuscript takes three seconds of processor time, spelling included; with `--pages`, half a minute more.
"""


def describe_rules() -> str:
    """The page in Markdown."""
    return "\n".join([_HEAD, *(line for letter in FAMILIES for line in _describe_family(letter)), _TAIL])


def _describe_family(letter: str) -> Iterator[str]:
    yield f"## {FAMILIES[letter]}\n"
    yield "| rule | | what it finds | what to do |\n|---|---|---|---|"
    for name, rule in sorted(RULES.items()):
        if not name.startswith(letter):
            continue
        cells = (name, rule.severity + ", fix" * rule.fixes, rule.about, rule.mend)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    if letter == "M":
        yield "\nWhat reading the manuscript reports is in [chapters.md](chapters.md#what-is-checked), what is wrong"
        yield "with letters in [letter-rules.md](letter-rules.md)."
    yield ""


if __name__ == "__main__":
    sys.stdout.write(describe_rules())
