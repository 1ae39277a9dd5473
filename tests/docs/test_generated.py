"""Generated pages hold what the code says; tox also compares them word by word."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from llem.api import hookspecs
from llem.api.capability import Capability
from llem.cli import main
from llem.cli.error_output import EXIT_CODES
from llem.errors import LlemError
from llem.introspect import parameters
from llem.registry import Registry
from llem.schema.experiment import Experiment
from llem.schema.outcome import CommandOutcome, Outcome
from llem.study.study_file import StudySettings

DOCS = Path(__file__).parents[2] / "docs"


def test_every_page_with_a_generated_part_is_on_the_list() -> None:
    listed = (DOCS / "generated.txt").read_text().split()
    found = [page for page in DOCS.rglob("*.md") if "[[[cog" in page.read_text()]
    assert sorted(listed) == sorted(f"docs/{page.relative_to(DOCS)}" for page in found)


def test_every_command_is_shown() -> None:
    shown = re.findall(r"^## `(llem.*)`$", (DOCS / "reference/cli.md").read_text(), re.MULTILINE)
    assert sorted(shown) == sorted(_commands(main, "llem"))


def _commands(command: click.Command, path: str) -> list[str]:
    """Return a command and every command below it, as they are typed."""
    found = [path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += _commands(below, f"{path} {name}")
    return found


def test_every_exit_code_is_explained() -> None:
    page = (DOCS / "reference/exit-codes.md").read_text()
    explained = re.findall(r"^\| (\d+) \| .", page, re.MULTILINE)
    assert list(map(int, explained)) == sorted(EXIT_CODES)
    assert {error.exit_code for error in _subclasses(LlemError)} <= EXIT_CODES.keys()


def test_every_error_code_is_explained() -> None:
    page = (DOCS / "reference/exit-codes.md").read_text()
    explained = re.findall(r"^### `(.*)`\n\nExit code (\d+)\. .", page, re.MULTILINE)
    errors = _subclasses(LlemError)[1:]
    assert explained == [(error.code, str(error.exit_code)) for error in errors]


def _subclasses(error: type[LlemError]) -> list[type[LlemError]]:
    return [error, *(leaf for child in error.__subclasses__() for leaf in _subclasses(child))]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Experiment, "config"),
        (StudySettings, "study"),
        (Outcome, "outcome"),
        (CommandOutcome, "meter"),
    ],
)
def test_every_key_is_described(model: type[BaseModel], name: str) -> None:
    page = (DOCS / f"reference/{name}.md").read_text()
    schema = model.model_json_schema(mode="serialization")
    documents = {schema["title"]: schema, **schema.get("$defs", {})}
    keys = {title: part["properties"] for title, part in documents.items() if "properties" in part}
    assert keys.keys() >= {model.__name__}
    for title, properties in keys.items():
        section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        shown = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", section, re.MULTILINE))
        assert list(shown) == list(properties), title
        assert all(shown.values()), title


def test_every_parameter_of_a_backend_is_on_the_page() -> None:
    page = (DOCS / "reference/params.md").read_text()
    missing = [
        parameter.path
        for parameter in parameters(Registry.discover())
        if parameter.backend and parameter.path not in page
    ]
    assert missing == []


def test_every_hook_and_every_capability_is_explained() -> None:
    page = (DOCS / "reference/hooks.md").read_text()
    hooks = {name for name in vars(hookspecs) if name.startswith("llem_")}
    assert len(hooks) > 8
    assert {f"## `{name}`" for name in hooks} <= set(page.splitlines())
    page = (DOCS / "reference/capabilities.md").read_text()
    assert all(capability.meaning for capability in Capability)
    assert all(f"| {capability} | {capability.meaning} |" in page for capability in Capability)


def test_the_tutorial_shows_the_examples_own_files() -> None:
    page = (DOCS / "tutorial/first-plugin.md").read_text()
    example = DOCS.parent / "examples/llem-onnx"
    listings = re.findall(r"^```python\n# (\S+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(listings) >= 8
    for file, text in listings:
        source = (example / file if "/" in file else example / "src/llem_onnx" / file).read_text()
        assert all(part in source for part in text.split("\n\n\n")), file
