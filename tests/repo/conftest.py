"""The repository as data, for tests that judge it as a whole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_NOT_OURS = {"__pycache__", "build", "dist", "venv"}


def _walk(folder: Path) -> Iterator[Path]:
    # Not `git ls-files`: the checks also hold for a copy without history.
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".ci", ".gitignore"}
        if (
            hidden
            or path == ROOT / "results"
            or path.name in _NOT_OURS
            or path.name.endswith(".egg-info")
        ):
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def tree() -> tuple[Path, ...]:
    """Every folder and file of the repository, relative to it; no build products."""
    return tuple(path.relative_to(ROOT) for path in _walk(ROOT))


@pytest.fixture(scope="session")
def texts(tree: tuple[Path, ...]) -> dict[Path, str]:
    """Every text file's content."""
    endings = {".py", ".toml", ".ini", ".md", ".txt", ".yaml", ".yml", ".json", ".jsonl", ""}
    files = [path for path in tree if path.suffix in endings and (ROOT / path).is_file()]
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in files}


@pytest.fixture(scope="session")
def projects() -> dict[str, dict[str, Any]]:
    """Each distribution's ``[project]`` table, by its folder."""
    files = [ROOT / "core/pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    return {
        str(file.parent.relative_to(ROOT)): tomllib.loads(file.read_text())["project"]
        for file in files
    }
