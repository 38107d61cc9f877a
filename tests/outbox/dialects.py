"""Mail that came back, in the words of many servers, and ordinary mail that looks a little like it. All invented."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple

from outbox.model import Cause

READER, SENDER, SEND = "ana@example.net", "hello@example.org", "0123456789abcdef0123456789abcdef"
MESSAGE_ID = f"<{SEND}.42@letters.example.org>"
TOKEN = "0000002a" + "A" * 24
LETTER = f"""\
Received: from out.example.org (out.example.org [192.0.2.1]) by mx.example.net with ESMTP id 4F2
\tfor <{READER}>; Sun, 1 Mar 2026 09:00:02 +0000
From: Example Press <{SENDER}>
To: Ana <{READER}>
Subject: First light
Message-ID: {MESSAGE_ID}
Date: Sun, 01 Mar 2026 09:00:00 +0000
List-Id: Letters <letters.example.org>
List-Unsubscribe: <https://example.org/mail/unsubscribe/{TOKEN}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Dear Ana, the morning brings
"""


class Dialect(NamedTuple):
    """One failed letter in one server's words, and what is to be read in it."""

    raw: bytes
    cause: Cause | None
    hard: bool = False
    kind: str = "bounce"
    recipient: str = READER


def plain(
    sender: str, subject: str, text: str, *, more: str = "", letter: str = LETTER, charset: str = "utf-8"
) -> bytes:
    """A mail of one part; the letter that came back stands below, after whatever the text ends with."""
    head = f"Return-Path: <>\nFrom: {sender}\nTo: {SENDER}\nSubject: {subject}\nDate: Sun, 01 Mar 2026 09:00:05 +0000\n{more}"
    kind = (
        f"MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n"
    )
    return f"{head}{kind}\n{text}\n{letter}".encode(charset, "replace")


def report(
    sender: str,
    subject: str,
    text: str,
    fields: str,
    *,
    more: str = "",
    returned: str = "message/rfc822",
    first: str = "dns; mx.example.net",
) -> bytes:
    """A multipart/report as RFC 3464 has it."""
    return f"""\
Return-Path: <>
From: {sender}
To: {SENDER}
Subject: {subject}
{more}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=utf-8

{text}

--=_b
Content-Type: message/delivery-status

Reporting-MTA: {first}
Arrival-Date: Sun, 1 Mar 2026 09:00:03 +0000

{fields}

--=_b
Content-Type: {returned}

{LETTER}
--=_b--
""".encode()


def parts(sender: str, subject: str, text: str, *, more: str = "", html: bool = False) -> bytes:
    """A multipart/mixed with a text and the letter, and no fields for machines."""
    kind = "html" if html else "plain"
    return f"""\
Return-Path: <>
From: {sender}
To: {SENDER}
Subject: {subject}
{more}MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b"

--=_b
Content-Type: text/{kind}; charset=utf-8

{text}
--=_b
Content-Type: message/rfc822

{LETTER}
--=_b--
""".encode()


DAEMON = "MAILER-DAEMON@mx.example.net (Mail Delivery System)"
R = READER
UNKNOWN, HOST, FULL = Cause.UNKNOWN_USER, Cause.UNKNOWN_HOST, Cause.FULL

BOUNCES: dict[str, Dialect] = {
    # --- those that keep RFC 3464
    "postfix": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            f"This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<{R}>: host mail.example.net[192.0.2.9] said: 550 5.1.1 <{R}>:\n    Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
            f"Final-Recipient: rfc822; {R}\nOriginal-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mail.example.net\nDiagnostic-Code: smtp; 550 5.1.1 <{R}>: Recipient address rejected: User\n    unknown in virtual mailbox table",
            more="Auto-Submitted: auto-replied\n",
        ),
        UNKNOWN,
        True,
    ),
    "postfix, no host": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            f"<{R}>: Host or domain name not found. Name service error for name=example.net type=A: Host not found",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.4.4\nDiagnostic-Code: X-Postfix; Host or domain name not found. Name service error for\n    name=example.net type=A: Host not found",
        ),
        HOST,
        True,
    ),
    "postfix, delayed": Dialect(
        report(
            DAEMON,
            "Delayed Mail (still being retried)",
            "YOU DO NOT NEED TO RESEND YOUR MESSAGE.",
            f"Final-Recipient: rfc822; {R}\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; connect to mail.example.net[192.0.2.9]:25: Connection timed out\nWill-Retry-Until: Fri, 6 Mar 2026 09:00:03 +0000",
        ),
        Cause.NETWORK,
        kind="delay",
    ),
    "postfix, given up": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            f"<{R}>: connect to mail.example.net[192.0.2.9]:25: Connection refused",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; connect to mail.example.net[192.0.2.9]:25: Connection refused",
        ),
        Cause.NETWORK,
    ),
    "sendmail": Dialect(
        report(
            "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
            "Returned mail: see transcript for details",
            f"The original message was received at Sun, 1 Mar 2026 09:00:00 GMT\nfrom out.example.org [192.0.2.1]\n\n   ----- The following addresses had permanent fatal errors -----\n<{R}>\n    (reason: 550 5.1.1 <{R}>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mail.example.net.:\n>>> DATA\n<<< 550 5.1.1 <{R}>... User unknown\n550 5.1.1 <{R}>... User unknown",
            f"Final-Recipient: RFC822; {R}\nAction: failed\nStatus: 5.1.1\nRemote-MTA: DNS; mail.example.net\nDiagnostic-Code: SMTP; 550 5.1.1 <{R}>... User unknown",
            returned="text/rfc822-headers",
        ),
        UNKNOWN,
        True,
    ),
    "sendmail, full": Dialect(
        report(
            "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
            "Returned mail: see transcript for details",
            "(reason: 552 5.2.2 over quota)",
            f"Final-Recipient: RFC822; {R}\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: SMTP; 552 5.2.2 Over quota",
        ),
        FULL,
    ),
    "sendmail, warning": Dialect(
        report(
            "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
            "Warning: could not send message for past 4 hours",
            "** THIS IS A WARNING MESSAGE ONLY **\n** YOU DO NOT NEED TO RESEND YOUR MESSAGE **",
            f"Final-Recipient: RFC822; {R}\nAction: delayed\nStatus: 4.2.0\nLast-Attempt-Date: Sun, 1 Mar 2026 13:00:00 GMT",
        ),
        Cause.EXPIRED,
        kind="delay",
    ),
    "exchange 2019": Dialect(
        report(
            "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.net>",
            "Undeliverable: First light",
            f"Delivery has failed to these recipients or groups:\n\n{R}<mailto:{R}>\nThe email address you entered couldn't be found. Please check the recipient's email address and try to resend the message.\n\nDiagnostic information for administrators:\n\nGenerating server: MX1.example.net\n\n{R}\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {R} not found by SMTP address lookup'",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        ),
        UNKNOWN,
        True,
    ),
    "exchange 2003": Dialect(
        report(
            "System Administrator <postmaster@example.net>",
            "Undeliverable: First light",
            f"Your message\n\n  To:      Ana\n  Subject: First light\n  Sent:    Sun, 1 Mar 2026 09:00:00 -0000\n\ndid not reach the following recipient(s):\n\n{R} on Sun, 1 Mar 2026 09:00:05 -0000\n    The e-mail account does not exist at the organization this message was sent to.",
            f"Final-Recipient: RFC822; {R}\nAction: failed\nStatus: 5.1.1\nX-Supplementary-Info: <mx.example.net #5.1.1>",
        ),
        UNKNOWN,
        True,
    ),
    "office 365, blocked": Dialect(
        report(
            "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.net>",
            "Undeliverable: First light",
            "Your message couldn't be delivered to Ana.",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.7.606\nDiagnostic-Code: smtp;550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
        ),
        Cause.BLOCKED,
    ),
    "gmail": Dialect(
        report(
            "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Delivery Status Notification (Failure)",
            f"** Address not found **\n\nYour message wasn't delivered to {R} because the address couldn't be found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 The email account that you tried to reach does not exist.",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.9, the server for the domain example.net.)\nDiagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking the recipient's email address for typos",
            more=f"X-Failed-Recipients: {R}\nAuto-Submitted: auto-replied\n",
        ),
        UNKNOWN,
        True,
    ),
    "gmail, over quota": Dialect(
        report(
            "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Delivery Status Notification (Failure)",
            "The recipient's inbox is out of storage space.",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552-5.2.2 The email account that you tried to reach is over quota.",
        ),
        FULL,
    ),
    "gmail, unauthenticated": Dialect(
        report(
            "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Delivery Status Notification (Failure)",
            "Message blocked",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.7.26\nDiagnostic-Code: smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated.",
        ),
        Cause.POLICY,
    ),
    "amazon ses": Dialect(
        report(
            "MAILER-DAEMON@amazonses.com",
            "Delivery Status Notification (Failure)",
            f"An error occurred while trying to deliver the mail to the following recipients:\n{R}",
            f"Action: failed\nFinal-Recipient: rfc822; {R}\nDiagnostic-Code: smtp; 550 5.1.1 <{R}>: user does not exist\nStatus: 5.1.1",
        ),
        UNKNOWN,
        True,
    ),
    "opensmtpd": Dialect(
        report(
            "Mailer Daemon <MAILER-DAEMON@mx.example.net>",
            "Delivery status notification: error",
            f"    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\n{R}: 550 Invalid recipient\n\n    Below is a copy of the original message:",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Invalid recipient",
        ),
        UNKNOWN,
        True,
    ),
    "domino": Dialect(
        report(
            "Postmaster@example.net",
            "DELIVERY FAILURE: User ana (ana@example.net) not listed in Domino Directory",
            "Your message\n\n  Subject: First light\n\nwas not delivered to:\n\n  ana@example.net\n\nbecause:\n\n  User ana (ana@example.net) not listed in Domino Directory",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: X-Notes; User ana (ana@example.net) not listed in Domino Directory",
        ),
        UNKNOWN,
        True,
    ),
    "courier": Dialect(
        report(
            '"Courier mail server at mx.example.net" <postmaster@mx.example.net>',
            "NOTICE: mail delivery status.",
            f"This is a delivery status notification from mx.example.net,\nrunning the Courier mail server, version 1.0.\n\nUNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<{R}>:\n    mail.example.net [192.0.2.9]:\n<<< 550 User unknown.",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 User unknown.",
        ),
        UNKNOWN,
        True,
    ),
    "dragonfly": Dialect(
        plain(
            "MAILER-DAEMON <MAILER-DAEMON@mx.example.net>",
            "Mail delivery failed",
            f"This is the DragonFly Mail Agent v0.13 at mx.example.net.\n\nThere was an error delivering your mail to <{R}>.\n\nmail.example.net [192.0.2.9] did not like our RCPT TO:\n550 5.1.1 <{R}>: Recipient address rejected: User unknown\n\nOriginal message follows.\n",
        ),
        UNKNOWN,
        True,
    ),
    "zoho": Dialect(
        parts(
            "mailer-daemon@mail.zoho.com",
            "Undelivered Mail Returned to Sender",
            f"This message was created automatically by mail delivery software.\nA message that you sent could not be delivered to one or more of its recipients. This is a permanent error. \n\n{R} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 user unknown",
        ),
        UNKNOWN,
        True,
    ),
    "yandex": Dialect(
        report(
            "mailer-daemon@yandex.ru",
            "Недоставленное сообщение",
            f"Это письмо отправлено почтовым сервером yandex.ru.\n\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может\nбыть отправлено одному или нескольким адресатам.\n\n<{R}>: host mail.example.net[192.0.2.9] said: 550 5.7.1 No such user!",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 No such user!",
        ),
        UNKNOWN,
        True,
    ),
    "mail.ru": Dialect(
        plain(
            "mailer-daemon@corp.mail.ru",
            "Mail failure.",
            f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {R}\n    SMTP error from remote mail server after RCPT TO:<{R}>:\n    host mail.example.net [192.0.2.9]: 550 Message was not accepted -- invalid mailbox\n\n------ This is a copy of the message, including all the headers. ------\n",
            more=f"X-Failed-Recipients: {R}\n",
        ),
        UNKNOWN,
        True,
    ),
    "groupwise": Dialect(
        report(
            "Mailer-Daemon@gw.example.net",
            "Message status - undeliverable",
            f"The attached file had the following undeliverable recipient(s):\n\t{R}\n\nTranscript of session follows:\nCommand: \nResponse: 550 no such recipient",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.0.0",
        ),
        UNKNOWN,
        True,
    ),
    "mimecast": Dialect(
        report(
            "postmaster@example.net",
            "[Postmaster] Email Delivery Failure",
            f"This is a delivery failure notification message indicating that\nan email you addressed to email address :\n-- {R}\n\ncould not be delivered. The problem appears to be :\n-- Recipient email server rejected the message\n\nAdditional information follows :\n-- Invalid Recipient - https://community.example.com/docs/DOC-1369#550",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Invalid Recipient",
        ),
        UNKNOWN,
        True,
    ),
    "barracuda": Dialect(
        report(
            "Mail Delivery System <postmaster@barracuda.example.net>",
            "Undelivered Mail Returned to Sender",
            "554 rejected due to spam content",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 554 rejected due to spam content",
        ),
        Cause.SPAM,
    ),
    "proofpoint, reputation": Dialect(
        report(
            DAEMON,
            "Undeliverable: First light",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",
        ),
        Cause.BLOCKED,
    ),
    "spamhaus": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        ),
        Cause.BLOCKED,
    ),
    "too large": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.3.4\nDiagnostic-Code: smtp; 552 5.3.4 Message size exceeds fixed limit",
        ),
        Cause.TOO_LARGE,
    ),
    "greylisted for days": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 4.2.0\nDiagnostic-Code: smtp; 450 4.2.0 <{R}>: Recipient address rejected: Greylisted",
        ),
        Cause.RATE,
    ),
    "relaying": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 554 5.7.1 <{R}>: Relay access denied",
        ),
        Cause.RELAYING,
    ),
    "loop": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.4.6\nDiagnostic-Code: x-unix; mail loops back to myself",
        ),
        Cause.LOOP,
    ),
    "disabled": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.2.1\nDiagnostic-Code: smtp; 550 5.2.1 The email account that you tried to reach is disabled.",
        ),
        Cause.INACTIVE,
        True,
    ),
    "yahoo, inactive": Dialect(
        report(
            "MAILER-DAEMON@yahoo.com",
            "Failure Notice",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 554 delivery error: dd Sorry your message to {R} cannot be delivered. This account has been disabled or discontinued [#102].",
        ),
        Cause.INACTIVE,
        True,
    ),
    "null mx": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp; 556 5.1.10 Recipient address has null MX",
        ),
        HOST,
        True,
    ),
    "forwarded on": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Original-Recipient: rfc822; {R}\nFinal-Recipient: rfc822; ana.private@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user here",
        ),
        UNKNOWN,
        True,
    ),
    # --- those that keep none
    "qmail": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "failure notice",
            f"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{R}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <{SENDER}>",
        ),
        UNKNOWN,
        True,
    ),
    "qmail, remote": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "failure notice",
            f"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{R}>:\n192.0.2.9 does not like recipient.\nRemote host said: 550 User unknown\nGiving up on 192.0.2.9.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <{SENDER}>",
        ),
        UNKNOWN,
        True,
    ),
    "qmail, too long": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "failure notice",
            f"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{R}>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.\n\n--- Below this line is a copy of the message.\n",
        ),
        Cause.EXPIRED,
    ),
    "qmail, no host": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "failure notice",
            f"Hi. This is the qmail-send program at mx.example.net.\n\n<{R}>:\nSorry, I couldn't find any host named example.net. (#5.1.2)\n\n--- Below this line is a copy of the message.\n",
        ),
        HOST,
        True,
    ),
    "exim": Dialect(
        plain(
            "Mail Delivery System <Mailer-Daemon@mx.example.net>",
            "Mail delivery failed: returning message to sender",
            f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {R}\n    host mail.example.net [192.0.2.9]\n    SMTP error from remote mail server after RCPT TO:<{R}>:\n    550 unknown user\n\n------ This is a copy of the message, including all the headers. ------\n",
            more=f"X-Failed-Recipients: {R}\nAuto-Submitted: auto-replied\n",
        ),
        UNKNOWN,
        True,
    ),
    "exim, unrouteable": Dialect(
        plain(
            "Mail Delivery System <Mailer-Daemon@mx.example.net>",
            "Mail delivery failed: returning message to sender",
            f"The following address(es) failed:\n\n  {R}\n    Unrouteable address\n\n------ This is a copy of the message, including all the headers. ------\n",
        ),
        UNKNOWN,
        True,
    ),
    "exim, retry timeout": Dialect(
        plain(
            "Mail Delivery System <Mailer-Daemon@mx.example.net>",
            "Mail delivery failed: returning message to sender",
            f"The following address(es) failed:\n\n  {R}\n    retry timeout exceeded\n\n------ This is a copy of the message, including all the headers. ------\n",
        ),
        Cause.EXPIRED,
    ),
    "exim, warning": Dialect(
        plain(
            "Mail Delivery System <Mailer-Daemon@mx.example.net>",
            "Warning: message 1abcde-000000-00 delayed 24 hours",
            f"This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.net.\n\nThe address to which the message has not yet been delivered is:\n\n  {R}\n\nNo action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated at intervals if the message\nremains undelivered. Eventually the mail delivery software will give up.\n",
            letter="",
        ),
        Cause.EXPIRED,
        kind="delay",
    ),
    "sendmail, old": Dialect(
        plain(
            "Mail Delivery Subsystem <MAILER-DAEMON>",
            "Returned mail: User unknown",
            f"   ----- Transcript of session follows -----\n>>> RCPT To:<{R}>\n<<< 550 <{R}>... User unknown\n550 <{R}>... User unknown\n\n   ----- Unsent message follows -----\n",
        ),
        UNKNOWN,
        True,
    ),
    "postfix, text": Dialect(
        plain(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            f'This is the Postfix program at host mx.example.net.\n\nI\'m sorry to have to inform you that the message returned\nbelow could not be delivered to one or more destinations.\n\n<{R}>: unknown user: "ana"\n',
        ),
        UNKNOWN,
        True,
    ),
    "smtp32": Dialect(
        plain(
            '"Postmaster" <postmaster@mx.example.net>',
            "Undeliverable Mail",
            f"User mailbox exceeds allowed size: {R}\n\n\nOriginal message follows.\n",
            more="X-Mailer: <SMTP32 v6.06>\n",
        ),
        FULL,
    ),
    "imail": Dialect(
        plain(
            '"Postmaster" <postmaster@mx.example.net>',
            "Undeliverable Mail",
            f"Unknown user: {R}\n\nOriginal message follows.\n",
            more="X-Mailer: <SMTP32 v8.22>\n",
        ),
        UNKNOWN,
        True,
    ),
    "yahoo": Dialect(
        plain(
            "MAILER-DAEMON@yahoo.com",
            "Delivery failure",
            f"Message from yahoo.com.\nUnable to deliver message to the following address(es).\n\n<{R}>:\nThis user doesn't have a yahoo.com account ({R}) [-5]\n\n--- Original message follows.\n",
        ),
        UNKNOWN,
        True,
    ),
    "aol": Dialect(
        plain(
            "Mail Delivery Subsystem <MAILER-DAEMON@aol.com>",
            "Mail Delivery Problem",
            f"Your mail to the following recipients could not be delivered because they are not accepting mail from {SENDER}:\n\n\tana@example.net\n",
            letter="",
        ),
        Cause.POLICY,
    ),
    "caiwireless": Dialect(
        parts(
            "Postmaster@mx.example.net",
            "Delivery failure",
            f"The following recipients did not receive this message:\n\n<{R}>\n\nReason: mailbox not found\n",
        ),
        UNKNOWN,
        True,
    ),
    "exchange 5.5": Dialect(
        parts(
            "System Administrator <postmaster@example.net>",
            "Undeliverable: First light",
            f"Your message\n\n  To:      ana@example.net\n  Subject: First light\n  Sent:    Sun, 1 Mar 2026 09:00:00 -0000\n\ndid not reach the following recipient(s):\n\n{R} on Sun, 1 Mar 2026 09:00:05 -0000\n    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a= ;p=example;l=MX0103010900ABC\n    MSEXCH:IMS:EXAMPLE:SITE:MX 0 (000C05A6) Unknown Recipient",
        ),
        UNKNOWN,
        True,
    ),
    "lotus notes": Dialect(
        plain(
            "Postmaster@example.net",
            "Delivery Failure Report",
            f"------- Failure Reasons  --------\n\nUser ana not listed in public Name & Address Book\n{R}\n\n------- Returned Message --------\n",
        ),
        UNKNOWN,
        True,
    ),
    "apache james": Dialect(
        parts(
            "postmaster@mx.example.net",
            "Re: First light",
            f"Hi. This is the James mail server at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.  Below\nI include the list of recipients and the reason why I was unable to deliver\nyour message.\n\nFailed recipient(s):\n{R}\n\nError message:\n550 5.1.1 unknown or illegal alias: {R}",
        ),
        UNKNOWN,
        True,
    ),
    "mdaemon": Dialect(
        parts(
            "MDaemon@mx.example.net",
            "Permanent Delivery Failure",
            f"The attached message had PERMANENT fatal delivery errors!\n\nAfter one or more unsuccessful delivery attempts the attached message has\nbeen removed from the mail queue on this server.\n\nYOUR MESSAGE WAS NOT DELIVERED TO ONE OR MORE RECIPIENTS!\n\nFailed address: {R}\n\n--- Session Transcript ---\n --> RCPT To:<{R}>\n <-- 550 5.1.1 unknown user\n--- End Transcript ---",
        ),
        UNKNOWN,
        True,
    ),
    "netscape": Dialect(
        parts(
            "Mail Administrator <Postmaster@mx.example.net>",
            "Mail System Error - Returned Mail",
            f"This Message was undeliverable due to the following reason:\n\nThe user(s) account is temporarily over quota.\n\n<{R}>\n\nPlease reply to Postmaster@mx.example.net\nif you feel this message to be in error.",
        ),
        FULL,
    ),
    "messagelabs": Dialect(
        parts(
            "MAILER-DAEMON@messagelabs.com",
            "Mail Delivery Failure",
            f"This is the mail delivery agent at messagelabs.com.\nI was unable to deliver your message to the following addresses.\n\n{R}\n\nReason: 550 Invalid recipient <{R}> (#5.1.1)\n\nThe message subject was: First light",
        ),
        UNKNOWN,
        True,
    ),
    "sendgrid, as mail": Dialect(
        parts(
            "MAILER-DAEMON@sendgrid.net",
            "Undelivered Mail Returned to Sender",
            f"Hello, this is the mail server on mail6.sendgrid.net.\n\nI am sending you this message to inform you on the delivery status of a\nmessage you previously sent.  Immediately below you will find a list of\nthe affected recipients.\n\n<{R}>: 550 5.1.1 The email account that you tried to reach does not exist.",
        ),
        UNKNOWN,
        True,
    ),
    "interscan": Dialect(
        parts(
            "InterScan MSS <mailsecurity@mx.example.net>",
            "Mail could not be delivered",
            f"Sent <<< RCPT TO:<{R}>\nReceived >>> 550 5.1.1 <{R}> ... user unknown\n\nUnable to deliver message to <{R}>.",
        ),
        UNKNOWN,
        True,
    ),
    "mailmarshal": Dialect(
        parts(
            '"MailMarshal" <postmaster@mx.example.net>',
            'Undeliverable Mail: "First light"',
            f"Your message:\n   From:    {SENDER}\n   Subject: First light\n\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected: \n    {R}",
        ),
        UNKNOWN,
        True,
    ),
    "surfcontrol": Dialect(
        parts(
            "SurfControl E-mail Filter <postmaster@mx.example.net>",
            "Message delivery failure",
            f"Your message could not be sent.\nA transcript of the attempts to send the message follows.\nThe number of attempts made: 1\nAddressed To: {R}\n\nSunday 01 March 2026 09:00:05\nFailed to send to identified host,\n{R}: [192.0.2.9], 550 No such user here",
        ),
        UNKNOWN,
        True,
    ),
    "communigate": Dialect(
        parts(
            "MAILER-DAEMON@mx.example.net",
            "Undeliverable mail: First light",
            f"Failed to deliver to '{R}'\nLOCAL module(account ana) reports:\n account is full (quota exceeded)",
        ),
        FULL,
    ),
    "kerio": Dialect(
        parts(
            "Mail Delivery Subsystem <postmaster@mx.example.net>",
            "Delivery failure",
            f"Your message\n\n  Subject: First light\n\ncould not be delivered to the following recipients:\n\n  {R}\n\nReason:\n\n  550 5.1.1 User unknown",
        ),
        UNKNOWN,
        True,
    ),
    "merak": Dialect(
        plain(
            "<postmaster@mx.example.net>",
            "Mail delivery failed",
            f"Delivery of your message to <{R}> failed.\n\nMailbox unavailable\n",
        ),
        UNKNOWN,
        True,
    ),
    "facebook": Dialect(
        report(
            "MAILER-DAEMON@mx.facebook.com",
            "Sorry, your message could not be delivered",
            "This message was created automatically by Facebook.\n\nSorry, your message could not be delivered to the following address(es).",
            f"Final-Recipient: rfc822; {R}\nStatus: 5.1.1\nAction: failed\nDiagnostic-Code: smtp; 550 5.1.1 RCP-P1 https://example.com/postmaster/response_codes",
        ),
        UNKNOWN,
        True,
    ),
    "1&1": Dialect(
        plain(
            '"Mail Delivery System" <mailer-daemon@kundenserver.de>',
            "Mail delivery failed: returning message to sender",
            f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. The following addresses failed:\n\n{R}:\nSMTP error from remote server for RCPT TO command, host: mail.example.net (192.0.2.9) reason: 550 5.1.1 mailbox not found\n\n--- The header of the original message is following. ---\n",
        ),
        UNKNOWN,
        True,
    ),
    "gmx": Dialect(
        plain(
            '"GMX Mailer Daemon" <mailer-daemon@gmx.net>',
            "Mail delivery failed: returning message to sender",
            f'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to\none or more of its recipients. This is a permanent error.\nThe following address failed:\n\n"{R}":\nSMTP error from remote server after RCPT command:\nhost: mail.example.net\n5.1.1 <{R}>... User is unknown {{mx-int}}\n\n--- The header of the original message is following. ---\n',
        ),
        UNKNOWN,
        True,
    ),
    "biglobe": Dialect(
        plain(
            "postmaster@biglobe.ne.jp",
            "Returned mail: Service unavailable",
            f"   ----- The following addresses had delivery problems -----\n{R}\n\n   ----- Non-delivered information -----\nThe number of messages in recipient's mailbox exceeded the local limit.\n\n   ----- Original message headers -----\n",
        ),
        FULL,
    ),
    "au": Dialect(
        plain(
            "Postmaster@ezweb.ne.jp",
            "Mail System Error - Returned Mail",
            f"Each of the following recipients was rejected by a remote mail server.\n\n    Recipient: <{R}>\n    >>> RCPT TO:<{R}>\n    <<< 550 <{R}>: User unknown\n",
        ),
        UNKNOWN,
        True,
    ),
    "fml": Dialect(
        plain(
            "list-admin@example.net",
            "MAILER-DAEMON error report",
            f"Hi. I'm sorry, your mail to <{R}> could not be delivered: user unknown.\n",
            letter="",
        ),
        UNKNOWN,
        True,
    ),
    "google groups": Dialect(
        parts(
            "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Delivery Status Notification (Failure)",
            f"Hello {SENDER},\n\nWe're writing to let you know that the group you tried to contact ({R}) may not exist, or you may not have permission to post messages to the group.",
            more=f"X-Failed-Recipients: {R}\n",
        ),
        Cause.POLICY,
    ),
    "html only": Dialect(
        parts(
            "postmaster@example.net",
            "Undeliverable: First light",
            f"<html><body><p>Delivery has failed to these recipients:</p><p><a href=\"mailto:{R}\">{R}</a><br>The recipient's mailbox is full and can't accept messages now.</p></body></html>",
            html=True,
        ),
        FULL,
    ),
    "virus wall": Dialect(
        parts(
            "virus-filter@mx.example.net",
            "Mail rejected",
            f"The message to {R} was rejected: it holds a virus (Eicar-Test).\nThe message was not delivered.",
        ),
        Cause.CONTENT,
    ),
    "broken mime": Dialect(
        plain(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            f"This is a MIME-encapsulated message.\n\n--b\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b\nContent-Type: message/rfc822\n",
        ),
        UNKNOWN,
        True,
    ),
    "no report type": Dialect(
        report(
            DAEMON,
            "Undelivered",
            "",
            f"Final-Recipient: rfc822; {R}\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 full",
        ).replace(b"multipart/report; report-type=delivery-status;", b"multipart/mixed;"),
        FULL,
    ),
    "only a header": Dialect(
        plain(
            "root@mx.example.net", "Mail", "The mail was not delivered.", more=f"X-Failed-Recipients: {R}\n"
        ),
        Cause.OTHER,
    ),
    "sun messaging": Dialect(
        report(
            "Internet Mail Delivery <postmaster@mx.example.net>",
            "Delivery Notification: Delivery has failed",
            f"This report relates to a message you sent with the following header fields:\n\n  Message-id: <x@example.org>\n  Subject: First light\n\nYour message cannot be delivered to the following recipients:\n\n  Recipient address: {R}\n  Reason: Remote SMTP server has rejected address\n  Diagnostic code: smtp;550 5.1.1 <{R}>... User Unknown",
            f"Original-recipient: rfc822;{R}\nFinal-recipient: rfc822;{R}\nAction: failed\nStatus: 5.1.1 (Remote SMTP server has rejected address)\nDiagnostic-code: smtp;550 5.1.1 <{R}>... User Unknown",
        ),
        UNKNOWN,
        True,
    ),
    "mcafee": Dialect(
        plain(
            "Mail Deliver System <MAILER-DAEMON@mx.example.net>",
            "Returned mail",
            f"--- The following addresses had delivery problems ---\n\n<{R}>   (User unknown {R})\n\n--------------Message header follows------\n",
        ),
        UNKNOWN,
        True,
    ),
    "square brackets": Dialect(
        plain(
            "Mail Deliver System <MAILER-DAEMON@mx.example.net>",
            "Returned Mail: First light",
            f"The original message was received at Sun, 1 Mar 2026 09:00:00 +0900\nfrom {SENDER}\n\n---The following addresses had delivery errors---\n\n{R} [User unknown]\n",
        ),
        UNKNOWN,
        True,
    ),
    "activehunter": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "FAILURE NOTICE :",
            f"  ----- The following addresses had permanent fatal errors -----\n\n>>> {R} <{R}>\n\n  ----- Transcript of session follows -----\n550 sorry, no mailbox here by that name (#5.1.1)\n",
        ),
        UNKNOWN,
        True,
    ),
    "m-filter": Dialect(
        parts(
            "Mailer Daemon <mailer-daemon@mx.example.net>",
            "failure notice",
            f"example.net\n-------server message\n550 5.1.1 unknown user <{R}>\n\n-------original message\n",
        ),
        UNKNOWN,
        True,
    ),
    "mailfoundry": Dialect(
        parts(
            "MAILER-DAEMON@mx.example.net",
            "Message delivery has failed",
            f"This is a MIME encoded message.\n\nUnable to deliver message to: <{R}>\nDelivery failed for the following reason:\nServer mail.example.net[192.0.2.9] failed with: 550 <{R}> No such user here\n\nThis has been a permanent failure.  No further delivery attempts will be made.",
        ),
        UNKNOWN,
        True,
    ),
    "communicator": Dialect(
        parts(
            "Mail Delivery <mailer@mx.example.net>",
            "There was an error sending your mail",
            f"We had trouble delivering your message. Full details follow:\n\nSubject: 'First light'\nDate: 'Sun, 1 Mar 2026 09:00:00'\n\n1 error(s):\n\nSMTP Server <mail.example.net> rejected recipient <{R}> \n  (Error following RCPT command). It responded as follows: [550 5.1.1 unknown recipient]",
        ),
        UNKNOWN,
        True,
    ),
    "phone company": Dialect(
        plain(
            "no-reply@app.dion.example.net",
            "Undeliverable mail",
            f"Your mail sent on: Sun, 1 Mar 2026 09:00:00 +0900\nCould not be delivered to: <{R}>\nAs their mailbox is full.\n",
        ),
        FULL,
    ),
    "text messages": Dialect(
        plain(
            "post_master@vtext.example.net",
            "Undeliverable Message",
            f"Message could not be delivered to mobile.\nError: No valid recipients for this message\n\nMessage details:\n  To: {R}\n",
            letter="",
        ),
        UNKNOWN,
        True,
    ),
    "status block": Dialect(
        plain(
            "Mail Delivery System <MAILER-DAEMON@mx.example.net>",
            "Delivery status notification",
            f"====================================================================\n  This message was generated automatically. \n\nYour message could not be delivered to {R}\n\n  STATUS: Permanent error.\n\n  Remote server returned: 550 5.1.1 User unknown\n",
        ),
        UNKNOWN,
        True,
    ),
    "microsoft iis": Dialect(
        report(
            "postmaster@mx.example.net",
            "Delivery Status Notification (Failure)",
            f"This is an automatically generated Delivery Status Notification.\n\nDelivery to the following recipients failed.\n\n       {R}\n",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.1.1",
        ),
        UNKNOWN,
        True,
    ),
    "microsoft iis, delayed": Dialect(
        report(
            "postmaster@mx.example.net",
            "Delivery Status Notification (Delay)",
            f"THIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipients has been delayed.\n\n       {R}\n",
            f"Final-Recipient: rfc822;{R}\nAction: delayed\nStatus: 4.4.7\nWill-Retry-Until: Tue, 3 Mar 2026 09:00:00 +0000",
        ),
        Cause.EXPIRED,
        kind="delay",
    ),
    "a report without fields": Dialect(
        report("ana-server@example.net", "First light", f"Sorry: {R} does not exist here.", "").replace(
            b"Reporting-MTA: dns; mx.example.net\nArrival-Date: Sun, 1 Mar 2026 09:00:03 +0000\n", b""
        ),
        UNKNOWN,
        True,
    ),
    "blank lines above": Dialect(
        b"\n   \n"
        + report(
            "postmaster@mx.example.net",
            "Delivery Status Notification (Failure)",
            "Delivery failed.",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.1.1",
        ),
        UNKNOWN,
        True,
    ),
    "cr only": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "failure notice",
            f"Hi. This is the qmail-send program.\n\n<{R}>:\nThis address no longer accepts mail.\n\n--- Below this line is a copy of the message.\n",
        ).replace(b"\n", b"\r"),
        Cause.INACTIVE,
        True,
    ),
    "crlf": Dialect(
        plain(
            "MAILER-DAEMON@mx.example.net",
            "failure notice",
            f"Hi. This is the qmail-send program.\n\n<{R}>:\nuser is over quota\n\n--- Below this line is a copy of the message.\n",
        ).replace(b"\n", b"\r\n"),
        FULL,
    ),
    "in base64": Dialect(
        f"From: {DAEMON}\nTo: {SENDER}\nSubject: =?utf-8?B?VW56dXN0ZWxsYmFy?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n".encode()
        + b64encode(
            f"Ihre Nachricht an {R} wurde nicht zugestellt. Adresse unbekannt.\nMessage-ID: {MESSAGE_ID}\n".encode()
        ),
        UNKNOWN,
        True,
    ),
    "dovecot": Dialect(
        report(
            "Mail Delivery Subsystem <postmaster@mx.example.net>",
            "Rejected: First light",
            f"Your message to <{R}> was automatically rejected:\nQuota exceeded (mailbox for user is full)",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.2.2",
        ),
        FULL,
    ),
    "mailenable": Dialect(
        plain(
            "postmaster@mx.example.net",
            "Message Delivery Failure",
            f"MailEnable: Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:\n\n\tRecipient: [SMTP:{R}]\n\tReason: The message could not be delivered because the domain name (example.net) does not appear to be registered.\n\n\n\nMessage headers follow:\n",
        ),
        HOST,
        True,
    ),
    "hmailserver": Dialect(
        plain(
            "mailer-daemon@mx.example.net",
            "Message undeliverable: First light",
            f"Your message did not reach some or all of the intended recipients.\n\n   Sent: Sun, 01 Mar 2026 09:00:00 +0000\n   Subject: First light\n\nThe following recipient(s) could not be reached:\n\n{R}\n   Error Type: SMTP\n   Remote server (192.0.2.9) issued an error.\n   hMailServer sent: RCPT TO:<{R}>\n   Remote server replied: 550 Unknown user\n\nhMailServer\n",
        ),
        UNKNOWN,
        True,
    ),
    "smartermail": Dialect(
        plain(
            "System Administrator <postmaster@mx.example.net>",
            "Delivery Failure",
            f"Could not deliver message to the following recipient(s):\n\nFailed Recipient: {R}\nReason: Remote host said: 550 No such recipient here\n\n   -- The header and top 20 lines of the message follows --\n",
        ),
        UNKNOWN,
        True,
    ),
    "zimbra": Dialect(
        report(
            "MAILER-DAEMON@zimbra.example.net (Mail Delivery System)",
            "Undelivered Mail Returned to Sender",
            f"<{R}>: host zimbra.example.net[192.0.2.9] said: 452 4.2.2 Over quota",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 4.2.2\nDiagnostic-Code: smtp; 452 4.2.2 Over quota",
        ),
        FULL,
    ),
    "xmail": Dialect(
        plain(
            "postmaster@mx.example.net",
            "Error sending message [1234] from [mx.example.net]",
            f"[<00>] XMail bounce: Rcpt=[{R}];Error=[550 Mailbox unavailable <{R}>]\n\n\n[<01>] Error sending message [1234] from [mx.example.net].\n\nID:        <S1234>\nMail From: <{SENDER}>\nRcpt To:   <{R}>\n",
        ),
        UNKNOWN,
        True,
    ),
    "vpop": Dialect(
        plain(
            "Postmaster@mx.example.net",
            "VPOP3 delivery failure",
            f"The message could not be delivered to the following people:\n{R}: invalid mailbox\n",
        ),
        UNKNOWN,
        True,
    ),
    "ironport": Dialect(
        report(
            '"Mail Delivery System" <MAILER-DAEMON@ironport.example.net>',
            "Delivery Status Notification (Failure)",
            f"The following message to <{R}> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'5.1.1 User unknown'",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.0.0 (permanent failure)\nDiagnostic-Code: smtp; 5.1.0 - Unknown address error 550-'5.1.1 User unknown' (delivery attempts: 0)",
        ),
        UNKNOWN,
        True,
    ),
    "fortimail": Dialect(
        report(
            "MAILER-DAEMON@forti.example.net",
            "Undeliverable mail",
            "Virus infected",
            f"Final-Recipient: RFC822; {R}\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: SMTP; 554 5.7.1 This message has been blocked because it contains a virus",
        ),
        Cause.CONTENT,
    ),
    "icloud": Dialect(
        report(
            "postmaster@icloud.example.net",
            "Undeliverable: First light",
            "",
            f"Final-Recipient: rfc822;{R}\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 <{R}>: user is over quota",
        ),
        FULL,
    ),
    "orange": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
        ),
        UNKNOWN,
        True,
    ),
    "t-online": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 unknown recipient or mailbox unavailable",
        ),
        UNKNOWN,
        True,
    ),
    "web.de": Dialect(
        report(
            DAEMON,
            "Undelivered Mail Returned to Sender",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Requested action not taken: mailbox unavailable",
        ),
        UNKNOWN,
        True,
    ),
    "rate": Dialect(
        report(
            DAEMON,
            "Delayed Mail (still being retried)",
            "",
            f"Final-Recipient: rfc822; {R}\nAction: delayed\nStatus: 4.7.0\nDiagnostic-Code: smtp; 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        ),
        Cause.BLOCKED,
        kind="delay",
    ),
    # --- other languages
    "german": Dialect(
        plain(
            "Mail Delivery System <mailer-daemon@example.net>",
            "Unzustellbare Nachricht",
            f"Ihre Nachricht an\n\n  {R}\n\nkonnte nicht zugestellt werden: Der Empfänger ist unbekannt.\n",
        ),
        UNKNOWN,
        True,
    ),
    "german exchange": Dialect(
        parts(
            "Systemadministrator <postmaster@example.net>",
            "Unzustellbar: First light",
            f"Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:\n\n{R}\nDas Postfach des Empfängers ist voll und kann derzeit keine Nachrichten annehmen.",
        ),
        FULL,
    ),
    "french": Dialect(
        parts(
            "Administrateur système <postmaster@example.net>",
            "Non remis : First light",
            f"Votre message n'a pas été remis au destinataire suivant :\n\n{R}\nCe destinataire est inconnu dans notre annuaire.",
        ),
        UNKNOWN,
        True,
    ),
    "french, full": Dialect(
        plain(
            "MAILER-DAEMON@example.net",
            "Echec de la remise du message",
            f"Le message n'a pas pu être remis à {R} :\nla boîte aux lettres est pleine (quota dépassé).\n",
        ),
        FULL,
    ),
    "spanish": Dialect(
        plain(
            "MAILER-DAEMON@example.net",
            "Error en la entrega de su mensaje",
            f"No se ha podido entregar su mensaje a:\n\n  {R}\n\nEl usuario no existe.\n",
        ),
        UNKNOWN,
        True,
    ),
    "spanish, full": Dialect(
        plain(
            "postmaster@example.net",
            "Mensaje no entregado",
            f"No se pudo entregar a {R}: el buzón está lleno.\n",
        ),
        FULL,
    ),
    "italian": Dialect(
        plain(
            "postmaster@example.net",
            "Mancata consegna del messaggio",
            f"Impossibile consegnare il messaggio a {R}:\nla casella di posta è piena.\n",
        ),
        FULL,
    ),
    "italian, unknown": Dialect(
        plain(
            "MAILER-DAEMON@example.net",
            "Avviso di mancata consegna",
            f"Il messaggio non è stato consegnato a <{R}>: utente sconosciuto.\n",
        ),
        UNKNOWN,
        True,
    ),
    "portuguese": Dialect(
        plain(
            "postmaster@example.net",
            "Falha na entrega da mensagem",
            f"A sua mensagem não foi entregue a {R}: usuário desconhecido.\n",
        ),
        UNKNOWN,
        True,
    ),
    "dutch": Dialect(
        plain(
            "postmaster@example.net",
            "Onbestelbaar: First light",
            f"Uw bericht kon niet worden bezorgd bij {R}.\nDe ontvanger is onbekend: adres bestaat niet.\n",
        ),
        UNKNOWN,
        True,
    ),
    "japanese": Dialect(
        plain(
            "postmaster@example.net",
            "=?iso-2022-jp?B?GyRCJWEhPCVrR1s/LiUoJWkhPBsoQg==?=",
            f"メールを配信できませんでした。\n\n{R}\n\n宛先のユーザが見つかりません。\n",
        ),
        UNKNOWN,
        True,
    ),
    "chinese": Dialect(
        plain(
            "postmaster@qq.example.net",
            "系统退信",
            f"很抱歉您发送的邮件被退回。\n收件人: {R}\n退信原因: 收件人邮件地址不存在\n",
        ),
        UNKNOWN,
        True,
    ),
    "swedish": Dialect(
        plain(
            "postmaster@example.net",
            "Olevererbart: First light",
            f"Meddelandet kunde inte levereras till {R}.\nMottagaren finns inte.\n",
        ),
        UNKNOWN,
        True,
    ),
    "polish": Dialect(
        plain(
            "MAILER-DAEMON@example.net",
            "Niedostarczona wiadomość",
            f"Wiadomość nie mogła zostać dostarczona do {R}: użytkownik nie istnieje.\n",
        ),
        UNKNOWN,
        True,
    ),
    "russian": Dialect(
        plain(
            "MAILER-DAEMON@example.net",
            "Сообщение не доставлено",
            f"Ваше сообщение не может быть доставлено: <{R}>\nПользователь не найден.\n",
        ),
        UNKNOWN,
        True,
    ),
    # --- complaints
    "arf": Dialect(
        f"""\
From: <fbl@example.com>
To: {SENDER}
Subject: FW: First light
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: text/plain

This is an email abuse report for an email message received from IP 192.0.2.1.

--=_b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <{R}>
Source-IP: 192.0.2.1

--=_b
Content-Type: message/rfc822

{LETTER}
--=_b--
""".encode(),
        Cause.SPAM,
        kind="complaint",
    ),
    "microsoft's complaint, with the address inside": Dialect(
        parts("staff@example.com", "complaint about message from 192.0.2.1", "").replace(
            b"\nReceived: from out", b"\nX-HmXmrOriginalRecipient: " + R.encode() + b"\nReceived: from out"
        ),
        Cause.SPAM,
        kind="complaint",
    ),
    "microsoft's complaint": Dialect(
        parts(
            "staff@hotmail.com",
            "complaint about message from 192.0.2.1",
            "",
            more=f"X-HmXmrOriginalRecipient: {R}\n",
        ),
        Cause.SPAM,
        kind="complaint",
    ),
}

AUTO = "Auto-Submitted: auto-replied\n"


def _mail(sender: str, subject: str, text: str, more: str = "", path: str = "") -> bytes:
    head = f"Return-Path: <{path or sender}>\nFrom: {sender}\nTo: {SENDER}\nSubject: {subject}\nMIME-Version: 1.0\n{more}"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}\n".encode()


ORDINARY: dict[str, bytes] = {
    "out of office": _mail(
        READER,
        "Out of Office: First light",
        "I am out of the office until Monday with limited access to my email.\nFor urgent matters call 550 1234.",
        AUTO,
    ),
    "out of office, null path": _mail(
        READER,
        "Automatic reply: First light",
        "I am on vacation. Your message will not be delivered to anybody else.",
        AUTO,
        " ",
    ),
    "vacation by daemon": _mail(
        "MAILER-DAEMON@example.net",
        "Vacation reply",
        "I am on holiday until 9 March and will get back to you on my return.",
        AUTO,
    ),
    "sieve's vacation": _mail(
        READER, "Auto: First light", "See you soon.", "Auto-Submitted: auto-replied (vacation)\n", " "
    ),
    "german absence": _mail(
        READER,
        "Abwesenheitsnotiz: First light",
        "Ich bin bis zum 9. März im Urlaub. Ihre Nachricht wird nicht weitergeleitet.",
        AUTO,
    ),
    "french absence": _mail(
        READER, "Réponse automatique : First light", "Je suis absent jusqu'au 9 mars.", AUTO
    ),
    "spanish absence": _mail(READER, "Respuesta automática: First light", "Estoy fuera de la oficina.", AUTO),
    "left the company": _mail(
        READER,
        "Automatic reply: First light",
        "Ana has left the company. Please write to info@example.net instead.",
        AUTO,
    ),
    "ticket": _mail(
        "support@example.net",
        "[Ticket #550] We received your message",
        "Thank you for contacting us. Your request was received; a failure report was opened.",
        AUTO,
    ),
    "challenge": _mail(
        "challenge@example.net",
        "Please confirm your message (TMDA)",
        "Your message to ana@example.net was not delivered yet. Reply to this message to confirm that you sent it.",
        AUTO,
    ),
    "challenge, spamarrest": _mail(
        "ana@example.net",
        "Re: First light (verification required)",
        "Click here to verify that you are human; until then your email has not been delivered.",
        AUTO,
    ),
    "boxbe": _mail(
        "notify@boxbe.com",
        "First light (Action Required)",
        "Hello, your message about First light was waitlisted. Please add yourself to Ana's Guest List so your messages will be delivered.",
        AUTO,
    ),
    "answer": _mail(
        READER, "Re: First light", "Thank you for the letter! I could not find the second chapter."
    ),
    "answer with a question": _mail(
        READER,
        "Re: First light",
        "Hi, my colleague bob@example.net says your letters are returned to sender.\nThe error was 550 5.1.1 user unknown. Can you help?",
    ),
    "forwarded failure": _mail(
        READER,
        "Fwd: Undelivered Mail Returned to Sender",
        "Look what I got:\n\n> <bob@example.net>: 550 5.1.1 User unknown\n\nWhat does that mean?",
    ),
    "newsletter about mail": _mail(
        "news@example.com",
        "Why your mail is returned: delivery failures explained",
        "550 5.1.1 means user unknown. The message could not be delivered...",
        "List-Unsubscribe: <https://example.com/u>\nList-Id: News <news.example.com>\n",
    ),
    "newsletter": _mail(
        "news@example.com",
        "Spring is here",
        "Our returned items sale: prices reduced by 550 euro!",
        "List-Unsubscribe: <https://example.com/u>\n",
    ),
    "receipt of a parcel": _mail(
        "shop@example.com",
        "Delivery failed: your parcel 1234",
        "We could not deliver your parcel today. The driver will try again tomorrow.",
    ),
    "parcel, late": _mail(
        "no-reply@shop.example.com",
        "Your delivery is delayed",
        "We could not deliver order 550 - sorry. Questions: help@shop.example.com",
        path="bounce@shop.example.com",
    ),
    "parcel, returned": _mail(
        "notifications@shop.example.com",
        "Delivery failed: returned to sender",
        "Your parcel 4501234 was returned: address unknown. 550 points for you.\nWrite to support@shop.example.com.",
    ),
    "parcel, from nobody": _mail(
        "no-reply@parcel.example.com",
        "Your parcel could not be delivered",
        "We rang at 15:50. Your parcel 4501234 waits at the shop.",
    ),
    "invoice": _mail(
        "billing@example.com", "Your invoice 5504711", "Payment failed; please update your card."
    ),
    "server alert": _mail("root@server.example.org", "cron: backup failure", "disk full, 452 MB left"),
    "read receipt": f"""\
From: {READER}
To: {SENDER}
Subject: Read: First light
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="=_b"

--=_b
Content-Type: text/plain

Your message was read on Sunday.

--=_b
Content-Type: message/disposition-notification

Final-Recipient: rfc822;{READER}
Disposition: manual-action/MDN-sent-automatically; displayed

--=_b--
""".encode(),
    "delivered": report(
        DAEMON,
        "Successful Mail Delivery Report",
        "Your message was successfully delivered.",
        f"Final-Recipient: rfc822; {READER}\nAction: delivered\nStatus: 2.0.0\nDiagnostic-Code: smtp; 250 2.0.0 OK",
    ),
    "relayed": report(
        DAEMON,
        "Delivery Status Notification (Relay)",
        "",
        f"Final-Recipient: rfc822; {READER}\nAction: relayed\nStatus: 2.0.0",
    ),
    "postmaster writes": _mail(
        "postmaster@example.net",
        "Question about your newsletter",
        "Dear colleague, please tell me how to leave your list.\nBest, the postmaster",
    ),
    "dmarc report": _mail(
        "noreply-dmarc-support@google.com", "Report domain: example.org Submitter: google.com", "attached"
    ),
    "list moderation": _mail(
        "list-bounces@example.net",
        "Your message to Talk awaits moderator approval",
        "Your mail to 'Talk' is being held until the list moderator can review it for approval.",
        "X-List-Administrivia: yes\n",
    ),
    "subscription confirmation": _mail(
        "list-request@example.net", "confirm 550abc", "Please confirm your subscription.", AUTO
    ),
    "empty": b"",
    "no headers": b"hello\n",
    "calendar": _mail(READER, "Accepted: Meeting", "Ana has accepted."),
    "password": _mail(
        "no-reply@example.com",
        "Reset your password",
        "If you did not ask for it, do nothing. The link expires in 24 hours.",
    ),
    "login alert": _mail(
        "no-reply@example.com",
        "Failed login to your account",
        "An unknown device could not log in. Code 550123.",
    ),
    "spam about mailboxes": _mail(
        "admin@mailbox-upgrade.example",
        "Your mailbox is full!",
        "Your mailbox has exceeded its quota; messages are returned. Click here to upgrade.",
    ),
    "unsubscribe by mail": _mail(READER, "unsubscribe", "Please remove me from your list."),
}
