"""Checks of what the domain name system says about the sender: who may send, who signs, who takes answers."""

from __future__ import annotations

from outbox.addresses import FREEMAIL

from .carriers import CARRIERS, Carrier, bounce_domain, selectors_of, sender_domain, signing_domains
from .case import Answer, Case, error, lacking, not_run, passed, warning
from .dkim import DkimError, Key, read_key
from .dmarc import POLICIES, find_organisation, find_policy, is_aligned
from .names import Names
from .spf import MAX_LOOKUPS, Spf, SpfError, read_spf

MIN_BITS, GOOD_BITS = 1024, 2048  # of an RSA key (L10)


def check_spf(case: Case) -> Answer:
    """L9: the domain that failed mail goes back to lets the provider send, in ten look-ups or fewer."""
    carrier = CARRIERS.get(case.settings.provider)
    if carrier is None:
        return _nothing_leaves(case)
    domain = bounce_domain(case.settings, carrier)
    if not domain:
        return not_run(
            f"{case.settings.provider} sends in the name of a domain of its own; [outbox] bounce_domain names yours"
        )
    try:
        spf = read_spf(case.names, domain)
    except SpfError as wrong:
        return error(f"the SPF record of {domain} {wrong}")
    return _judge_spf(carrier, domain, spf) if spf else lacking(case, f"{domain} has no SPF record")


def check_dkim(case: Case) -> Answer:
    """L9: every selector has a key that a signature can be checked with."""
    carrier = CARRIERS.get(case.settings.provider)
    if carrier is None:
        return _nothing_leaves(case)
    if not selectors_of(case.settings, carrier):
        return _no_selector(case)
    keys, faults = _read_keys(case, carrier)
    if faults:
        return lacking(case, "; ".join(faults))
    if any(key.testing for key in keys):
        return warning("a key says t=y, a test: receivers then treat mail as unsigned")
    return passed(", ".join(f"{key.selector}._domainkey.{key.domain}" for key in keys))


def check_key_length(case: Case) -> Answer:
    """L10: RSA keys of 1,024 bits at the least, better 2,048."""
    carrier = CARRIERS.get(case.settings.provider)
    if carrier is None:
        return _nothing_leaves(case)
    keys, _ = _read_keys(case, carrier)
    if not keys:
        return not_run("no key was found")
    said = ", ".join(f"{key.selector}: {key.kind}, {key.bits:,} bits" for key in keys)
    shortest = min((key.bits for key in keys if key.kind == "rsa"), default=GOOD_BITS)
    if shortest < MIN_BITS:
        return error(said)
    return warning(said) if shortest < GOOD_BITS else passed(said)


def check_dmarc(case: Case) -> Answer:
    """L9: the sender's domain, or its organisation's, says what to do with mail that is not its own."""
    domain = sender_domain(case.settings)
    policy = find_policy(case.names, domain)
    if policy is None:
        return lacking(case, f"there is no DMARC record for {domain}, or there are several")
    wanted = policy.tags.get("p", "").lower()
    if wanted not in POLICIES:
        return lacking(case, f"the DMARC record of {policy.domain} has no policy: p={wanted}")
    reports = "" if "rua" in policy.tags else ", and asks for no reports"
    return passed(f"{policy.domain} asks for p={wanted}{reports}")


def check_alignment(case: Case) -> Answer:
    """L9: SPF or DKIM speaks for the domain that readers see."""
    carrier = CARRIERS.get(case.settings.provider)
    if carrier is None:
        return _nothing_leaves(case)
    sender, policy = sender_domain(case.settings), find_policy(case.names, sender_domain(case.settings))
    spf_mode, dkim_mode = (policy.mode("aspf"), policy.mode("adkim")) if policy else ("r", "r")
    bounce, keys = _sound_bounce(case, carrier), _read_keys(case, carrier)[0]
    ways = [f"SPF of {bounce}"] if bounce and is_aligned(case.names, bounce, sender, spf_mode) else []
    signers = sorted({key.domain for key in keys})
    ways += [f"DKIM of {domain}" for domain in signers if is_aligned(case.names, domain, sender, dkim_mode)]
    if ways:
        return passed(f"{' and '.join(ways)} can speak for {sender}")
    if not selectors_of(case.settings, carrier):
        return _no_selector(case)
    return error(f"neither SPF nor DKIM can speak for {sender}")


def check_sender(case: Case) -> Answer:
    """L13: the sender's domain is an own one, and takes mail."""
    domain = sender_domain(case.settings)
    return error(f"{domain} is a free mailbox's") if domain in FREEMAIL else _takes_mail(case.names, domain)


def check_reply_to(case: Case) -> Answer:
    """L13: answers arrive."""
    return _takes_mail(case.names, case.settings.envelope.reply_to.email.partition("@")[2].lower())


def check_list_id(case: Case) -> Answer:
    """L3: the List-Id lies below the sender's organisation, so that it is nobody else's."""
    mine, sender = case.settings.envelope.list_id.lower(), sender_domain(case.settings)
    one = find_organisation(case.names, mine) == find_organisation(case.names, sender)
    if one or mine.endswith(f".{sender}") or sender.endswith(f".{mine}"):
        return passed(f"{mine} belongs to {sender}")
    return warning(f"{mine} and {sender} are not one organisation's")


def _judge_spf(carrier: Carrier, domain: str, spf: Spf) -> Answer:
    if carrier.spf and carrier.spf not in spf.includes:
        return error(f"the SPF record of {domain} does not include {carrier.spf}: {spf.record}")
    if spf.ending == "+":
        return error(f"the SPF record of {domain} lets everybody send: {spf.record}")
    if spf.ending in {"", "?"}:
        return warning(f"the SPF record of {domain} says nothing about others: {spf.record}")
    return passed(f"{domain}, {spf.lookups} of {MAX_LOOKUPS} look-ups: {spf.record}")


def _read_keys(case: Case, carrier: Carrier) -> tuple[list[Key], list[str]]:
    """The keys that can be used, and what is wrong with the others."""
    keys, faults = [], []
    for selector in selectors_of(case.settings, carrier):
        wrong = []
        for domain in _signers(case):
            try:
                keys.append(read_key(case.names, selector, domain))
                break
            except DkimError as fault:
                wrong.append(str(fault))
        else:
            faults.append(wrong[0])
    return keys, faults


def _signers(case: Case) -> tuple[str, ...]:
    """Where keys may lie: a provider that was shown the organisation's domain signs in its name."""
    domains = signing_domains(case.settings)
    return tuple(dict.fromkeys((*domains, find_organisation(case.names, domains[-1]))))


def _sound_bounce(case: Case, carrier: Carrier) -> str:
    domain = bounce_domain(case.settings, carrier)
    try:
        spf = read_spf(case.names, domain) if domain else None
    except SpfError:
        return ""
    return domain if spf and (not carrier.spf or carrier.spf in spf.includes) else ""


def _takes_mail(names: Names, domain: str) -> Answer:
    servers = names.mail_servers(domain)
    if servers in {(".",), ("",)}:
        return error(f"{domain} says that it takes no mail")
    if servers:
        return passed(f"mail for {domain} goes to {', '.join(servers)}")
    if names.has_address(domain):
        return warning(f"{domain} has no MX record; mail goes to the server of its web site")
    return error(f"{domain} has no server for mail")


def _nothing_leaves(case: Case) -> Answer:
    return not_run(f"by the provider {case.settings.provider!r} nothing leaves this machine")


def _no_selector(case: Case) -> Answer:
    return not_run(
        f"{case.settings.provider} signs for each customer under other selectors; [outbox] dkim names them"
    )
