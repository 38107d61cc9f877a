"""The providers by name, and what each of them must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from outbox.model import Capabilities, ItemResult, OutMessage, PreparedBatch

from .file import File


class Provider(Protocol):
    """Whoever carries mail; events join this with the first provider that sends any."""

    @property
    def name(self) -> str: ...

    @property
    def caps(self) -> Capabilities: ...

    def prepare(self, messages: Sequence[OutMessage], batch_id: str) -> PreparedBatch:
        """Make the bytes of one call. Pure: the same input gives the same bytes."""

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """Make one call, without retry, and answer for each message in order; a failed call is an answer."""

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """Ask which messages of a batch the provider holds; `caps.lookup` says what an absent one means."""


#: A provider is made from the folder for .eml files (others will take their settings from the environment).
PROVIDERS: Mapping[str, Callable[[Path], Provider]] = MappingProxyType({"file": File})
