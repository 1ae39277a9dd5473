"""The generated parts of the pages for plugin authors, each a function that returns Markdown."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from click.testing import CliRunner

from llem.api import hookspecs
from llem.api.capability import Capability
from llem.cli import main as llem

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/llem-onnx"
PACKAGE = EXAMPLE / "src/llem_onnx"
_BACKEND_HOOKS = {
    "llem_capabilities",
    "llem_config_model",
    "llem_build_kwargs",
    "llem_measurement",
}
_FACTS = ("When", "Process", "Imports", "Cost", "Result", "Raises")


def code(file: str, *names: str) -> str:
    """Return the source of the example's ``file``, or of what is called ``names`` in it."""
    folder = EXAMPLE if "/" in file else PACKAGE
    source = (folder / file).read_text(encoding="utf-8")
    if not names:
        return f"```python\n# {file}\n{source.rstrip()}\n```"
    found = {
        name: _segment(source, node) for node in ast.parse(source).body for name in _names(node)
    }
    parts = "\n\n\n".join(found[name] for name in names)
    return f"```python\n# {file}\n{parts}\n```"


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
    return []


def _segment(source: str, node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def new_plugin(name: str) -> str:
    """Return what ``llem plugins new`` prints."""
    runner = CliRunner()
    with runner.isolated_filesystem():
        done = runner.invoke(llem, ["plugins", "new", name], catch_exceptions=False)
    return f"```text\n$ llem plugins new {name}\n{done.stdout.rstrip()}\n```"


def hooks() -> str:
    """Return every hook: its signature, and what its specification says."""
    found = {
        name: function
        for name, function in vars(hookspecs).items()
        if name.startswith("llem_") and inspect.isfunction(function)
    }
    return "\n".join(_hook(name, function) for name, function in found.items())


def hook_rules() -> str:
    """Return the rules that all hooks share."""
    _, _, rules = (inspect.getdoc(hookspecs) or "").partition("\n\n")
    return _plain(rules)


def _hook(name: str, function: object) -> str:
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    needed = " It is one of the four that make a backend." if name in _BACKEND_HOOKS else ""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    parts = [f"## `{name}`", f"{_plain(paragraphs[0])}{needed}"]
    parts.append(f"```python\n@hookimpl\ndef {name}{signature}: ...\n```".replace("'", ""))
    for paragraph in paragraphs[1:]:
        facts = _facts(paragraph)
        if facts:
            parts.append("\n".join(f"- **{key}:** {text}" for key, text in facts))
        elif paragraph.startswith("Args:"):
            parts.append(_arguments(paragraph))
        else:
            parts.append(_plain(paragraph))
    return "\n\n".join(parts) + "\n"


def _facts(paragraph: str) -> list[tuple[str, str]]:
    """Return what a paragraph such as ``When: listings. Process: host.`` says, by its keys."""
    pieces = re.split(rf"\b({'|'.join(_FACTS)}): ", _plain(paragraph))
    if pieces[0].strip():
        return []
    return [(key, text.strip()) for key, text in zip(pieces[1::2], pieces[2::2], strict=True)]


def _arguments(paragraph: str) -> str:
    """Return a docstring's ``Args:`` as a list."""
    rows: list[str] = []
    for line in paragraph.splitlines()[1:]:
        name, colon, text = line.strip().partition(": ")
        if colon and line.startswith("    ") and not line.startswith("     "):
            rows.append(f"- `{name}`: {text}")
        else:
            rows[-1] += f" {line.strip()}"
    return "\n".join(_plain(row) for row in rows)


def _plain(text: str) -> str:
    """Return a docstring's text as Markdown, one paragraph a line."""
    text = re.sub(r":\w+:`~?([^`<]*?)(?: <[^>]*>)?`", r"`\1`", text.replace("``", "`"))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def vocabulary() -> str:
    """Return what each capability means."""
    rows = [f"| {capability} | {capability.meaning} |" for capability in Capability]
    return "\n".join(["| Capability | To claim it, a backend must |", "|---|---|", *rows])
