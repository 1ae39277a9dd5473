"""How much a third party has to write, and how many names there are to learn."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

from llem.testing.scaffold import Identity, package_files

EXAMPLES = Path("examples")
MINIMAL = EXAMPLES / "llem-minimal/src/llem_minimal.py"
NO_CODE = frozenset(
    {
        tokenize.COMMENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER,
        tokenize.INDENT, tokenize.NEWLINE, tokenize.NL,
    }
)  # fmt: skip


def code_lines(source: str) -> int:
    """Return the number of lines with code: comments, docstrings and blank lines are none."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def contract_names(source: str) -> list[str]:
    """Return what a module imports of llem, as ``module.name``."""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "llem"
        for alias in node.names
    ]


def test_lines_of_code_are_what_is_neither_comment_docstring_nor_blank() -> None:
    lines = [
        '"""Doc."""',
        "",
        "# A comment.",
        "x = 1  # one",
        "def f():",
        '    """Doc."""',
        "    return (",
    ]
    source = "\n".join([*lines, "        x", "    )", ""])
    assert code_lines(source) == 5


def scaffolded() -> str:
    """Return the only module that `llem plugins new` writes."""
    files = package_files(Identity("demo"))
    [source] = [text for path, text in files.items() if path.parts[0] == "src"]
    return source


@pytest.mark.parametrize("which", ["example", "scaffold"])
def test_the_smallest_backend_is_one_module_of_few_lines_and_names(
    which: str, texts: dict[Path, str]
) -> None:
    modules = [path for path in texts if path.is_relative_to(EXAMPLES / "llem-minimal/src")]
    assert modules == [MINIMAL]
    source = texts[MINIMAL] if which == "example" else scaffolded()
    assert code_lines(source) <= 120
    names = contract_names(source)
    assert len(names) <= 15
    assert {name.rpartition(".")[0] for name in names} == {"llem.api"}


def test_a_real_backend_with_everything_optional_takes_few_lines(texts: dict[Path, str]) -> None:
    sources = [
        text
        for path, text in texts.items()
        if path.is_relative_to(EXAMPLES / "llem-onnx/src") and path.suffix == ".py"
    ]
    assert len(sources) == 4
    assert sum(map(code_lines, sources)) <= 220


@pytest.mark.parametrize("word", [".maps_to", "resolve_kwargs"])
def test_no_backend_turns_fields_into_arguments_or_plans_into_calls(
    word: str, texts: dict[Path, str]
) -> None:
    sources = [
        path
        for path in texts
        if path.parts[0] in ("plugins", "examples") and "src" in path.parts and path.suffix == ".py"
    ]
    assert len(sources) > 100
    assert [str(path) for path in sources if word in texts[path]] == []
