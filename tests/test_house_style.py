"""The code keeps the house rules that no linter knows."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What is made, installed or cached, and so no part of the project.
NOT_OURS = re.compile(
    r"\.git|\.venv|build|node_modules|__pycache__|\.\w+_cache|\.hypothesis|.*\.egg-info|outbox\.db.*"
)
LOCKS = {"requirements.lock", "requirements-dev.lock", "build.lock", "package-lock.json"}


def list_files() -> Iterator[Path]:
    """Every text file of the project that somebody wrote."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not NOT_OURS.fullmatch(name))
        for name in sorted(files):
            path = Path(folder, name)
            if not NOT_OURS.fullmatch(name) and name not in LOCKS and b"\0" not in path.read_bytes()[:8000]:
                yield path


FILES = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in list_files()]
MODULES = [p for p in FILES if str(p.id).endswith(".py") and str(p.id).startswith(("pipeline", "outbox"))]
TESTS = [p for p in FILES if str(p.id).endswith(".py") and Path(str(p.id)).name.startswith("test_")]


def list_imports(path: Path) -> set[str]:
    """The packages that a module imports by their full names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level
    ]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES)
def test_modules_say_what_they_do(path: Path) -> None:
    """A module's docstring begins with a line that is one sentence."""
    text = path.read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]

    assert not text.strip() or re.fullmatch(r"[A-Z\[`].*[^.]\.", first)
    assert not re.search(r"[a-z]\. [A-Z]", first)


@pytest.mark.parametrize("path", MODULES)
def test_packages_do_not_import_each_other(path: Path) -> None:
    """`pipeline` and `outbox` meet at a folder, not in code."""
    own = path.relative_to(ROOT).parts[0]

    assert set() == list_imports(path) & ({"pipeline", "outbox"} - {own})


@pytest.mark.parametrize("path", TESTS)
def test_tests_tell_what_they_show(path: Path) -> None:
    """Every test has a docstring of one sentence, and at least one assert or expected error."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    mute = [test.name for test in tests if not (ast.get_docstring(test) or "").rstrip().endswith((".", "?"))]

    assert tests
    assert [] == mute


@pytest.mark.parametrize("path", FILES)
def test_nothing_is_left_over(path: Path) -> None:
    """No note to oneself stays in code; the rule that finds them in chapters may name them."""
    notes = re.findall(r"(?:#|//|<!--|/\*)\s*(?:TODO|FIXME|XXX)\b", path.read_text(encoding="utf-8"))

    assert [] == notes


@pytest.mark.parametrize("path", FILES)
def test_files_name_no_machine(path: Path) -> None:
    """No file knows where somebody's clone lies, or where packages came from."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"(?<![\w.)\]}/~-])/(?:work|home|root|tmp|Users)/[\w.-]+", text)
    found += re.findall(
        r"\b(?:pypi[.]org|files\.pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org)\b", text
    )

    assert [] == found
