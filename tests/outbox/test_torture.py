"""A short form of `make torture`: real senders, real kills, and the provider's own journal as the judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.outbox.cluster import find_programs
from tests.outbox.torture import CASES, Case, torment

SHORT = {
    "kill -9, keys": 3,
    "kill -9, search": 2,
    "kill -9, neither": 3,
    "kill -9 and lost marks, neither": 2,
    "three senders on PostgreSQL, keys": 3,
    "SIGTERM, neither": 2,
    "kill -9, neither, webhooks doubled and reordered": 3,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.name in SHORT], ids=lambda case: case.name)
def test_nobody_is_lost_or_written_to_twice(case: Case, need: Callable[[object, str], None]) -> None:
    """Whatever is killed and whenever, in the end each person has one letter or is named as held."""
    if case.server:
        need(find_programs(), "PostgreSQL; apt-get install postgresql")
    score = torment(case, SHORT[case.name], people=100, seed=7)

    assert score
    assert (0, 0, 0, []) == (score.lost, score.doubled, score.untrue, score.faults)
    assert score.messages > 0
