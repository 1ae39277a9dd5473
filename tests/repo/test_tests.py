"""A test without an assertion proves nothing."""

from __future__ import annotations

import ast
from pathlib import Path


def test_every_test_asserts_something(texts: dict[Path, str]) -> None:
    tests = [
        (path, node)
        for path, text in texts.items()
        if path.is_relative_to("tests") and path.suffix == ".py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_")
    ]
    assert len(tests) > 100
    assert [f"{path}::{test.name}" for path, test in tests if not _asserts(test)] == []


def _asserts(test: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _is_check(node.func))
        for node in ast.walk(test)
    )


def _is_check(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(ast.Name("pytest"), "raises" | "warns"):
            return True
        case ast.Attribute(_, name) | ast.Name(name):
            return name.startswith(("assert_", "check_"))
    return False
