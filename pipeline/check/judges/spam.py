"""Ask SpamAssassin whether a letter looks like spam, with the rules it was installed with and no network."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import JudgeError
from .letter import Letter, read_letter
from .programs import Command, Findings, call, find_program, refuse_verdict

HIGHEST_SCORE = 0.1  # of a letter that passes (mail rule M44)
LOWEST_CONTROL = 5.0  # of the control, which is spam: from here on mail is put aside
LONGEST_LINE = 76  # of the message
RULES = Path("/usr/share/spamassassin")
#: The plugins, without which SpamAssassin checks nothing, lie in one of these.
SITES = (Path("/etc/mail/spamassassin"), Path("/etc/spamassassin"))
#: The text is judged, not the way of a letter that was never sent; the score comes as a header of its own.
SETTINGS = (
    "dns_available no",
    "use_bayes 0",
    "skip_rbl_checks 1",
    "score NO_RECEIVED 0",
    "score NO_RELAYS 0",
    "score ALL_TRUSTED 0",
    "report_safe 0",
    "fold_headers 0",
    "add_header all Verdict _SCORE_ _TESTSSCORES(, )_",
)
_VERDICT = re.compile(r"^X-Spam-Verdict: (-?[\d.]+) (.*)$", re.MULTILINE)
_SITE = "https://letters.example.org"
#: One big picture and nothing to read, which every spam filter knows. Where it passes, nothing was judged.
CONTROL = Letter(
    subject="News for you",
    html=f'<html><body><a href="{_SITE}/news"><img src="{_SITE}/news.jpg" width="600" height="900"></a></body></html>',
    text="See the HTML part.",
    pictures={},
)


def find_spamassassin() -> Command:
    """Raise JudgeError unless SpamAssassin, its rules and its list of plugins are there."""
    program = find_program("SpamAssassin", "spamassassin")
    site = next((str(folder) for folder in SITES if any(folder.glob("*.pre"))), "")
    if not site or not RULES.is_dir():
        raise JudgeError(
            f"SpamAssassin lacks its rules in {RULES} or plugins in {SITES[0]}; see docs/judges.md"
        )
    return (program, site)


def ask_spamassassin(command: Command, paths: Sequence[Path]) -> Findings:
    """The score of each letter that is above HIGHEST_SCORE, with the rules that make it up.

    All letters and CONTROL go to one process; when CONTROL passes too, no letter has a verdict.
    """
    letters = [*map(read_letter, paths), CONTROL]
    done = _score(command, letters)
    verdicts = _VERDICT.findall(done.stdout)
    if len(verdicts) != len(letters):
        return dict.fromkeys(paths, refuse_verdict(done))
    *scored, (control, _) = verdicts
    if float(control) < LOWEST_CONTROL:
        excuse = f"no verdict: one picture without a text, which is spam, scores only {control}"
        return dict.fromkeys(paths, (excuse,))
    return {path: tuple(_object(*verdict)) for path, verdict in zip(paths, scored, strict=True)}


def _score(command: Command, letters: Sequence[Letter]) -> subprocess.CompletedProcess[str]:
    """What SpamAssassin prints of all letters, asked in a folder that no settings of the machine reach."""
    program, site = command
    with TemporaryDirectory() as folder:
        for plugins in Path(site).glob("*.pre"):
            shutil.copy(plugins, folder)
        files = [Path(folder, f"{number}.eml") for number in range(len(letters))]
        for number, (file, letter) in enumerate(zip(files, letters, strict=True)):
            file.write_bytes(write_message(letter, number))
        places = (f"--siteconfigpath={folder}", f"--configpath={RULES}")
        settings = (f"--cf={line}" for line in SETTINGS)
        return call("env", f"HOME={folder}", program, "-L", "-x", "-t", *places, *settings, *map(str, files))


def _object(score: str, rules: str) -> Iterator[str]:
    if float(score) > HIGHEST_SCORE:
        yield f"scores {score}, more than {HIGHEST_SCORE}: {rules}"


def write_message(letter: Letter, number: int) -> bytes:
    """`letter` as the outbox would send it: the text first, both parts quoted-printable (mail rules M35, M36)."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=LONGEST_LINE))
    message["From"] = "Sample Letters <letters@example.org>"
    message["To"] = "Ana Ruiz <ana.ruiz@example.net>"
    message["Reply-To"] = "letters@example.org"
    message["Subject"] = letter.subject
    message["Date"] = "Mon, 05 Jan 2026 09:00:00 +0000"
    message["Message-ID"] = f"<{number}.sample.letter.for.judges@letters.example.org>"
    message["List-Id"] = "Sample Letters <letters.example.org>"
    message["List-Unsubscribe"] = f"<{_SITE}/leave/1a2b>, <mailto:letters@example.org?subject=leave>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    message.set_boundary("=_sample")
    return message.as_bytes()
