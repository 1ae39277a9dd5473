"""The example plugin is what a third party could have written."""

from __future__ import annotations

import ast
from pathlib import Path

EXAMPLE = Path("examples/llem-onnx")


def _imported(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_it_knows_the_contract_and_nothing_else_of_core(texts: dict[Path, str]) -> None:
    sources = {
        path: _imported(text)
        for path, text in texts.items()
        if path.is_relative_to(EXAMPLE) and path.suffix == ".py"
    }
    assert len(sources) > 6
    for path, imported in sources.items():
        rooms = {".".join(name.split(".")[:2]) for name in imported if name.startswith("llem.")}
        allowed = {"llem.api", "llem.testing"} if "tests" in path.parts else {"llem.api"}
        assert rooms <= allowed, path


def test_only_what_the_worker_imports_brings_the_engine(texts: dict[Path, str]) -> None:
    engine = {
        path.name
        for path, text in texts.items()
        if path.is_relative_to(EXAMPLE / "src") and path.suffix == ".py"
        if any(name.partition(".")[0] == "onnxruntime_genai" for name in _imported(text))
    }
    assert engine == {"runtime.py"}
