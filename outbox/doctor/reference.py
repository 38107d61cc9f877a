"""Write docs/doctor.md from the tables of checks and rules, so that they cannot drift apart."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from outbox.conformance import RULES as FORM_RULES
from outbox.gate import RULES, SAMPLE_RULES

from . import CHECKS
from .carriers import CARRIERS

_HEAD = """\
# Will it arrive?

Two things stand between an issue and a reader's inbox, and the outbox looks at both. `outbox doctor` looks at what
stays the same: your domain, your provider, your web pages, this machine. The gate looks at each issue before it is
sent.

## outbox doctor

```sh
outbox doctor
outbox doctor --online
outbox doctor --resolver 9.9.9.9 --json
```

It sends nothing and lets nobody go. Without `--online` it asks the domain name system and nobody else; with it also the
provider and the web pages at `base_url`. `--resolver` names another name server, such as that of your domain, which
knows a new record at once. `--json` prints the findings for a program.

```
passed   spf          send.example.org, 1 of 10 look-ups: v=spf1 include:amazonses.com ~all
WARNING  dmarc        there is no DMARC record for example.org, or there are several
                      -> publish a TXT record at `_dmarc.` and your domain: `v=DMARC1; p=none; rua=mailto:...`
not run  base-url     asks the network; run it with --online
```

| exit code | means |
|---|---|
| 0 | no error; warnings and checks that were not run are told all the same |
| 1 | an error was found |
| 75 | no error, but a name server or the provider gave no answer: try again later |

*Not run* is never *passed*: the line says why. What Gmail, Yahoo and Microsoft demand of bulk senders (SPF, DKIM,
DMARC) is an error from 5,000 confirmed subscribers on, and a warning below.

"""

_KEYS = """
What each provider does is known as far as it is the same for all its customers. The rest stands in its console, and
you tell the doctor in `book.toml`:

```toml
[outbox]
dkim = ["20260301pm"]                  # selectors of DKIM: what stands before ._domainkey
bounce_domain = "bounce.example.org"   # a domain of yours that failed mail goes back to
```

| provider | SPF includes | at | DKIM selectors |
|---|---|---|---|
"""

_GATE = """
With the providers `file` and `sandbox` nothing leaves this machine, so there is nothing to sign. Organisational domains
are found by walking up the tree of names (RFC 9989), so no list of public suffixes has to be kept fresh.

## The gate

`outbox plan` shows what the gate says, and `outbox send` and `outbox work` obey it. It looks at the issue, and at one
message made from it just as it would go out. *Block* means that nothing is sent.

| rule | | what it finds |
|---|---|---|
"""

_FORM = """
### The form of a message

Every message keeps these; the gate looks at one, and the tests at those of every provider.

| rule | what a message keeps |
|---|---|
"""

_TAIL = """
Numbers such as L9 are those of the mail rules that the outbox is built by.

## What nobody can see from here

Whether a provider's signature covers the List-Unsubscribe fields, as RFC 8058 asks, shows only in a message that has
arrived: send one to yourself and read `h=` of its DKIM-Signature. Complaint rates stand in the postmaster tools of the
mailbox providers. A server of your own (`smtp`) needs a PTR record that leads back to it.
"""


def describe_checks() -> str:
    """The page in Markdown."""
    checks = [(name, check.about, check.mend) for name, check in CHECKS.items()]
    carriers = [
        (f"`{name}`", _code(one.spf), _code(_example(one.bounce)), ", ".join(map(_code, one.selectors)))
        for name, one in CARRIERS.items()
    ]
    gate = [(name, rule.severity, rule.about) for name, rule in RULES.items()]
    gate += [(name, rule.severity, rule.about) for name, rule in SAMPLE_RULES.items()]
    form = [(name, rule.about) for name, rule in FORM_RULES.items()]
    return "".join(
        [
            _HEAD,
            "| check | what it looks at | what to do |\n|---|---|---|\n",
            _rows(checks),
            _KEYS,
            _rows(carriers),
            _GATE,
            _rows(gate),
            _FORM,
            _rows(form),
            _TAIL,
        ]
    )


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _example(bounce: str) -> str:
    return bounce.format(sender="example.org", own="mg.example.org")


if __name__ == "__main__":
    sys.stdout.write(describe_checks())
