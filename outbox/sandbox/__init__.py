"""A provider for rehearsals on this machine: it speaks as the real ones do, keeps a journal, and can go wrong."""

from __future__ import annotations

from .faults import Fault, Faults, read_fault
from .journal import Journal
from .server import Desk, Rules, Server

__all__ = ["Desk", "Fault", "Faults", "Journal", "Rules", "Server", "read_fault"]
