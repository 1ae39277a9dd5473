"""A folder with the prompts of colors.py, and a `datasets` library that reads from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .colors import FILES

LIBRARY = '''
"""Stands for the library `datasets`: its one function, with its signature and its errors."""
import json
from pathlib import Path

calls = []

def load_dataset(path, name=None, *, split=None, revision=None, streaming=False):
    calls.append((path, name, split, revision, streaming))
    file = Path(path) / f"{split}.jsonl"
    if not file.exists():
        raise ValueError(f"Unknown split {split!r}")
    return map(json.loads, file.open())
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the five prompts in every format of file, and as a dataset."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "train.jsonl").write_text(FILES["colors.jsonl"], encoding="utf-8")
    return tmp_path


@pytest.fixture
def datasets_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a stand-in for the library `datasets`, in front of any that is installed."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "datasets.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "datasets", raising=False)
    yield folder / "datasets.py"
    sys.modules.pop("datasets", None)
