"""A provider for rehearsals on this machine: it speaks as the real ones do, keeps a journal, and can go wrong."""

from __future__ import annotations

from .emitter import Emitter, Manner
from .faults import Fault, Faults, read_fault
from .journal import Journal
from .server import Desk, Rules, Server

__all__ = ["Desk", "Emitter", "Fault", "Faults", "Journal", "Manner", "Rules", "Server", "read_fault"]
