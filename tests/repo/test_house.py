"""The rules of the house: few modules, of one size, each name once, and no circle of imports."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

MOST_MODULES = 200
TYPICAL_LINES = (80, 160)
MOST_LINES = 400
SOURCES = ("core/src", "plugins/*/src", "examples/*/src")


def modules(root: Path, *patterns: str) -> dict[str, Path]:
    """Return the files of all modules by dotted name."""
    found: dict[str, Path] = {}
    for source in (source for pattern in patterns for source in root.glob(pattern)):
        for path in source.rglob("*.py"):
            *folders, name = path.relative_to(source).with_suffix("").parts
            found[".".join(folders if name == "__init__" else [*folders, name])] = path
    return found


@pytest.fixture(scope="module")
def core(root: Path) -> dict[str, Path]:
    """The modules of core."""
    found = modules(root, "core/src")
    assert len(found) > 100
    return found


def lengths(files: dict[str, Path]) -> dict[str, int]:
    return {name: path.read_text().count("\n") for name, path in files.items()}


def test_core_has_few_modules(core: dict[str, Path]) -> None:
    assert len(core) <= MOST_MODULES


def test_the_median_module_is_of_typical_length(core: dict[str, Path]) -> None:
    least, most = TYPICAL_LINES
    assert least <= median(lengths(core).values()) <= most


def test_no_module_is_long(core: dict[str, Path]) -> None:
    long = {name: length for name, length in lengths(core).items() if length > MOST_LINES}
    assert long == {}


def test_no_two_modules_of_core_share_a_name(core: dict[str, Path]) -> None:
    names = Counter(path.stem for path in core.values() if path.stem != "__init__")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_import_leads_back(root: Path) -> None:
    """Type-checking imports count; imports inside functions do not."""
    files = modules(root, *SOURCES)
    graph = {name: set(_imports(name, path, files)) for name, path in files.items()}
    assert sum(map(len, graph.values())) > len(graph)  # an empty graph has no circle either
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def _imports(module: str, path: Path, files: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of ``files`` that ``module`` names when it is imported or checked."""
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in _outside_functions(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        else:
            base = ".".join(package.split(".")[: 1 - node.level or None]) if node.level else ""
            origin = ".".join(filter(None, (base, node.module)))
            members = [f"{origin}.{alias.name}" for alias in node.names]
            named = [member if member in files else origin for member in members]
        yield from (name for name in named if name in files and name != module)


def _outside_functions(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _outside_functions(child)
