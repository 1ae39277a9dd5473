"""The public surface of `llem.api` and `llem.testing` as text, a line for each thing one can name.

Read off the sources, so that neither import order nor versions of libraries show. To renew what is
pinned: `python tests/contract/public_surface.py > tests/contract/public_surface.txt`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import llem
from llem.testing import CHECKS

ROOT = Path(llem.__file__).parent
PINNED = Path(__file__).with_suffix(".txt")
KIT = ("check_definition", "conformance", "pytest_plugin")
"""Modules of the kit that its users meet; of `PluginUnderTest` they need the constructor alone."""


def surface() -> list[str]:
    """Return every public name with its signature, sorted."""
    lines = [f"llem.testing check {check.id}" for check in CHECKS]
    files = [*ROOT.glob("api/**/*.py"), *(ROOT / f"testing/{name}.py" for name in KIT)]
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        module = ".".join(("llem", *parts)).removesuffix(".__init__")
        lines += _names(module, ast.parse(file.read_text()).body)
    subject = ast.parse((ROOT / "testing/plugin_under_test.py").read_text()).body
    names = _names("llem.testing", subject)
    lines += [name for name in names if name.startswith(_CONSTRUCTOR)]
    return sorted(lines)


_CONSTRUCTOR = "llem.testing.PluginUnderTest.__init__"


def _names(prefix: str, body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) if _is_public(name):
                returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
                marks = "".join(f"@{ast.unparse(decorator)} " for decorator in node.decorator_list)
                yield f"{prefix}.{name}: {marks}({ast.unparse(node.args)}){returns}"
            case ast.ClassDef(name=name) if _is_public(name):
                bases = ", ".join(
                    map(ast.unparse, [*node.bases, *(k.value for k in node.keywords)])
                )
                yield f"{prefix}.{name}: class({bases})"
                yield from _names(f"{prefix}.{name}", node.body)
            case ast.AnnAssign(target=ast.Name(id=name)) if _is_public(name):
                default = f" = {ast.unparse(node.value)}" if node.value else ""
                yield f"{prefix}.{name}: {ast.unparse(node.annotation)}{_short(default)}"
            case ast.Assign(targets=[ast.Name(id=name)]) if _is_public(name):
                yield f"{prefix}.{name} = {_short(ast.unparse(node.value))}"


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name == "__init__"


def _short(value: str) -> str:
    """Leave out a long value: a table's content may grow."""
    return value if len(value) <= 100 else f"{value[:60]}…"


if __name__ == "__main__":
    print("\n".join(surface()))
