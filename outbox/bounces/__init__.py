"""Read mail that came back: which mailbox failed, why, and which letter of ours it was."""

from .reading import read
from .returned import Kind, Returned

__all__ = ["Kind", "Returned", "read"]
