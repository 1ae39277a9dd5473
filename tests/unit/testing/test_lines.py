"""How much a third party has to write."""

import ast

import pytest

from llem.testing.scaffold import Identity, package_files

LIMIT = 150


def lines_of(source):
    """Return the lines of code: without blank ones, comments and docstrings."""
    lines = source.splitlines()
    written = {n for n, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                written -= set(range(node.lineno, node.end_lineno + 1))
    return len(written)


@pytest.fixture(scope="module")
def modules():
    """The generated package's modules: what packaging and tests are not."""
    files = package_files(Identity("demo"))
    return {
        path.name: text
        for path, text in files.items()
        if path.suffix == ".py" and path.parts[0] == "src"
    }


def test_a_minimal_backend_takes_few_lines(modules, capsys):
    counts = {name: lines_of(text) for name, text in modules.items()}
    toy = counts.pop("engine.py")
    assert counts.keys() == {
        "__init__.py", "plugin.py", "config.py", "kwargs.py", "runtime.py", "audit.py",
    }  # fmt: skip
    total = sum(counts.values())
    with capsys.disabled():
        print(f"\na minimal backend: {total} lines of code ({counts}); its toy engine {toy} more")
    assert total < LIMIT
