"""Speak as the providers do: read their requests as strictly, refuse what they refuse, answer as they answer."""

from __future__ import annotations

from . import brevo, mailgun, own, postmark, resend, ses
from .base import Call, Dialect, Refusal, Search, verdict_of

DIALECTS = (
    *own.DIALECTS,
    *resend.DIALECTS,
    *postmark.DIALECTS,
    *brevo.DIALECTS,
    *ses.DIALECTS,
    *mailgun.DIALECTS,
)
SEARCHES = (
    *own.SEARCHES,
    *resend.SEARCHES,
    *postmark.SEARCHES,
    *brevo.SEARCHES,
    *ses.SEARCHES,
    *mailgun.SEARCHES,
)

__all__ = ["DIALECTS", "SEARCHES", "Call", "Dialect", "Refusal", "Search", "verdict_of"]
