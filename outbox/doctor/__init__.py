"""Look at everything that decides whether mail arrives, and say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from . import domains, host, service
from .case import Answer, Case, Check, Finding, Verdict, not_run
from .names import NoAnswer

__all__ = ["CHECKS", "Case", "Finding", "Verdict", "examine"]

#: By id, which never changes; the number is that of the mail rule behind it. docs/doctor.md is written from this table.
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "provider": Check(
            "what the provider needs is in book.toml and in the environment",
            "set what is missing; docs/providers.md says where it comes from",
            service.check_provider,
        ),
        "account": Check(
            "the provider takes the secrets; asked with `--online` by a call that changes nothing",
            "make a new key in the provider's console, and put it into the environment",
            service.check_account,
        ),
        "secret": Check(
            "`OUTBOX_SECRET` is set, and has 32 characters or more",
            "set it to the output of `openssl rand -base64 33`; keep the old one behind it, separated by a space",
            host.check_secret,
        ),
        "spf": Check(
            "the domain that failed mail goes back to lets the provider send, within ten look-ups (L9)",
            "publish one TXT record as the provider's console shows it, such as `v=spf1 include:... ~all`",
            domains.check_spf,
        ),
        "dkim": Check(
            "every DKIM selector has a usable key (L9)",
            "publish the record that the provider's console shows, whole",
            domains.check_dkim,
        ),
        "dkim-key": Check(
            "RSA keys have 2,048 bits; below 1,024 is an error (L10)",
            "make a new key of 2,048 bits in the provider's console",
            domains.check_key_length,
        ),
        "dmarc": Check(
            "the sender's domain has a DMARC policy (L9)",
            "publish a TXT record at `_dmarc.` and your domain: `v=DMARC1; p=none; rua=mailto:...`",
            domains.check_dmarc,
        ),
        "alignment": Check(
            "SPF or DKIM speaks for the domain that readers see: both are of one organisation (L9)",
            "have the provider sign in the name of your own domain",
            domains.check_alignment,
        ),
        "sender": Check(
            "the sender's domain is your own and takes mail (L13)",
            "use an address under your own domain, and publish its MX record",
            domains.check_sender,
        ),
        "reply-to": Check(
            "the domain of `reply_to` takes mail (L13)",
            "publish its MX record, or name another mailbox",
            domains.check_reply_to,
        ),
        "list-id": Check(
            "the List-Id lies under your own domain (L3)",
            "before the first issue choose another; afterwards keep it",
            domains.check_list_id,
        ),
        "base-url": Check(
            "with `--online`: `base_url` can be reached over https, with a valid certificate",
            "start the web pages, or mend the address",
            service.check_base_url,
        ),
        "one-click": Check(
            "with `--online`: the link to leave answers GET and HEAD, and takes POST in both spellings without "
            "redirect; it is one that was made for nobody, so that nobody is let go (L6)",
            "look at what stands between the network and the web pages: redirects, logins, firewalls",
            service.check_one_click,
        ),
        "webhooks": Check(
            "the provider can report bounces and complaints: its secret is set; with `--online` also: the address "
            "refuses a call without proof, and nothing stands before it",
            "set the webhook up as docs/webhooks.md says, and start `outbox serve`",
            service.check_webhooks,
        ),
        "clock": Check(
            "with `--online`: the clock is right, by the Date header of `base_url`; 30 seconds off are a warning, "
            "four minutes an error",
            "switch on the system's time service",
            service.check_clock,
        ),
        "gift": Check(
            "the files of `[gift]` are there, and none is somebody's stamped copy",
            "run `make ebook`, or name in `[gift] files` what should be given away",
            host.check_gift,
        ),
        "database": Check(
            "the database opens and is whole",
            "run `outbox init` where there is none; else bring back a backup",
            host.check_database,
        ),
        "disk": Check(
            "room on the disk; below 1 GB is a warning, below 100 MB an error",
            "make room: a full disk stops a send",
            host.check_disk,
        ),
    }
)


def examine(case: Case) -> Iterator[Finding]:
    """Make every check, one after the other; one that gets no answer has not run."""
    for name, check in CHECKS.items():
        answer = _look(check, case)
        wrong = answer.verdict in {Verdict.WARNING, Verdict.ERROR}
        yield Finding(name, answer.verdict, answer.found, check.mend if wrong else "", answer.later)


def _look(check: Check, case: Case) -> Answer:
    try:
        return check.look(case)
    except NoAnswer as silence:
        return not_run(str(silence), later=True)
