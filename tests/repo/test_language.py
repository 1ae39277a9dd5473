"""The words that this project avoids: CONTRIBUTING.md says what to write instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WORDS = ("nobody", "whoever", "somebody", "anybody", "everybody", "afresh")
"""Each hides the thing that a sentence is about; name the thing."""

BRITISH = (
    "artefact", "behaviour", "catalogue", "centre", "colour", "favour", "honour", "initialis",
    "labelled", "licence", "maximis", "minimis", "neighbour", "normalis", "optimis",
    "organis", "quantis", "recognis", "serialis", "summaris", "synchronis", "tokenis", "utilis",
)  # fmt: skip
"""Parts of identifiers that are spelled the American way here, as engines spell them."""

THIS_FILE = Path(__file__)
STYLE_GUIDE = Path("CONTRIBUTING.md")
ENDINGS = {".py", ".md", ".toml", ".ini", ".yaml", ".yml", ".j2", ".template"}


@pytest.fixture(scope="module")
def prose(root: Path, tree: tuple[Path, ...]) -> dict[Path, str]:
    """Sources and documentation by path; what a measurement wrote is neither."""
    found = {
        path: (root / path).read_text(encoding="utf-8")
        for path in tree
        if path.suffix in ENDINGS
        if not path.is_relative_to("docs/measured") or path.suffix == ".md"
        if root / path != THIS_FILE and (root / path).is_file()
    }
    assert len(found) > 300
    return found


@pytest.fixture(scope="module")
def sources(prose: dict[Path, str]) -> dict[Path, ast.Module]:
    """Every Python file, parsed."""
    return {path: ast.parse(text) for path, text in prose.items() if path.suffix == ".py"}


def test_prose_names_the_thing(prose: dict[Path, str]) -> None:
    """Names of functions count: their parts are words."""
    pattern = re.compile(rf"(?<![a-z])({'|'.join(WORDS)})(?![a-z])", re.IGNORECASE)
    assert _lines(prose, pattern) == []


def test_code_in_documents_names_its_variables(prose: dict[Path, str]) -> None:
    others = {
        path: text
        for path, text in prose.items()
        if path.suffix != ".py" and path != STYLE_GUIDE  # the guide quotes what it forbids
    }
    assert _lines(others, re.compile(r"\bfor one in\b|\blambda one\b")) == []


def test_a_variable_names_its_element(sources: dict[Path, ast.Module]) -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == "one")
        or (isinstance(node, ast.arg) and node.arg == "one")
    ]
    assert found == []


def test_identifiers_are_american(sources: dict[Path, ast.Module]) -> None:
    pattern = re.compile("|".join(BRITISH), re.IGNORECASE)
    found = sorted(
        {
            f"{path}: {name}"
            for path, tree in sources.items()
            for name in (*path.parts, *_identifiers(tree))
            if pattern.search(name)
        }
    )
    assert found == []


def _identifiers(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module introduces or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.alias(asname=str(name)):
                yield name


def _lines(texts: dict[Path, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
