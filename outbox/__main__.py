"""Run the command line as `python -m outbox`."""

from __future__ import annotations

from .cli import main

main()
