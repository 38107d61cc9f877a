"""Write docs/letter-rules.md from the table of rules, so that the two cannot drift apart."""

from __future__ import annotations

import sys

from .rules import RULES

_HEAD = """\
# Rules for letters

`pipeline check` makes every issue and letter and reads it over; `pipeline newsletter` does the same before it writes
them. Each finding names a place. What you wrote is found in your file; what the layout did is found in the file that
was made, and told once, with how often it is so.

```
chapters/letters/welcome.md:19: N071 warning: http://example.org/book can be read on the way; write https://
build/issues/2026-05-04-sleep/body.html:17: N016 warning: <div> has a ground and text, ... (3 times in 3 letters)
```

An *error* is a letter that must not go out: then no letter is written, and what was made before stays as it was. A
*warning* is told, and the letters are written. Either can be switched off with a reason in
[book.toml](book-toml.md#check):

```toml
[check.off]
N052 = "Two buttons on purpose: one to come, one to send regrets."
```

"""

_TAIL = """
## What stands behind some of them

**Numbers that are missing** belong to others. What does not fit a screen, what mail programs lack and what looks like
spam is found by [judges](judges.md): N013, N041 to N045. Headers and the form of the message are the outbox's: N035,
N036. That the CSS is put into the elements once, and that two builds give the same bytes, are tests of this project:
N049, N050.

**Contrast** (N023) is computed as WCAG 2.2 defines it, for every element with words of its own: from the colours of
its style attribute, of the style elements and of what is round it. It is computed three times: in the light; with the
rules of `@media (prefers-color-scheme: dark)`; and with each light colour turned round, as programs do that make a
letter dark by themselves. None of them says how it does it. Here the lightness L of a colour (of hue, saturation and
lightness, HSL) becomes 1 - L, and its hue stays.

**Size** (N034) is what Gmail cuts a letter for, at about 102 kB. Merge fields grow when they are filled, and mail
services write longer links, so the limit is well below it. 1 kB is 1,000 bytes.

**Words** (N027, N054, N065) are those of `pipeline/check/words.py`, in English, German, French and Spanish. A sentence
that denies a claim, *no tea cures cancer*, makes none.
"""


def describe_rules() -> str:
    """The page in Markdown."""
    rows = ["| rule | | what it finds | what to do |", "|---|---|---|---|"]
    for name, rule in sorted(RULES.items()):
        cells = (name, rule.severity, rule.about, rule.mend)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


if __name__ == "__main__":
    sys.stdout.write(describe_rules())
