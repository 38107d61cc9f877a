"""A front door that is killed under load has lost nothing that it answered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import bench_door

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["clicks to leave", "sign-ups"])
def test_nothing_that_was_answered_is_lost(tmp_path: Path, name: str) -> None:
    """Kill -9 in the middle of a few hundred requests a second: each 200 is in the database."""
    folder = bench_door.make_folder(tmp_path, 2_000)
    with bench_door.serving(folder) as (process, port):
        requests = bench_door.make_requests(name, folder, port, 2_000)
        load = bench_door.send(port, requests, rate=400, kill=(process.pid, 1.0))
        process.wait(30)

    assert 0 < len(load.good) < 2_000
    assert 0 == bench_door.find_missing(name, folder, load.good)


def test_what_is_not_there_is_found_missing(tmp_path: Path) -> None:
    """The count above can be another than nothing."""
    folder = bench_door.make_folder(tmp_path, 10)

    assert 3 == bench_door.find_missing("clicks to leave", folder, range(3))
    assert 2 == bench_door.find_missing("sign-ups", folder, range(2))


THREATS = Path(__file__).parents[3] / "docs" / "threats.md"
NAMED = re.findall(r"`((?:web/)?test_\w+\.py)::(test_\w+)`", THREATS.read_text("utf-8"))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_the_list_of_threats_names_tests_that_are_there(file: str, test: str) -> None:
    """Each line of docs/threats.md is shown by something."""
    path = Path(__file__).parents[1] / file

    assert f"def {test}(" in path.read_text("utf-8")
