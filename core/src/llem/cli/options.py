"""Options that several commands share, and the printing of answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from llem.results import Copies
    from llem.tables import Table


def experiment_options(
    *, required: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add FILE, ``--backend``, ``--model`` and ``--set`` to a command.

    The command is passed ``file: Path | None``, ``backend: str | None``, ``model: str | None`` and
    ``overrides: tuple[str, ...]``, as :func:`llem.config.load_experiment` takes them.

    Args:
        required: Whether FILE is required.
    """
    options = (
        # `llem.config` reports a file that cannot be read.
        click.argument("file", required=required, type=NamedPath(path_type=Path)),
        click.option("--backend", metavar="NAME", help="Backend to use instead of the file's."),
        click.option("--model", metavar="ID", help="Model to use instead of the file's."),
        click.option(
            "--set",
            "overrides",
            metavar="KEY=VALUE",
            multiple=True,
            help="Set a value, such as workload.requests=8. May be repeated.",
        ),
    )

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class NamedPath(click.Path):
    """A path that is not empty: an empty one would silently mean the present folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty value, and convert any other."""
        if value == "":
            self.fail("the name is empty; '.' is the present folder", param, ctx)
        return super().convert(value, param, ctx)


Form = Literal["json", "markdown"] | None
"""How to print; ``None`` is plain text."""

json_option = click.option(
    "--json", "form", flag_value="json", default=None, help="Print a JSON document."
)
"""Adds ``--json`` to a command, which is passed ``form``."""

markdown_option = click.option(
    "--markdown", "form", flag_value="markdown", default=None, help="Print a Markdown table."
)
"""Adds ``--markdown`` to a command, which is passed ``form``."""


def note_copies(copies: Copies) -> None:
    """Say on stderr which copies of outcomes were left out, if any were."""
    if copies.folders:
        click.echo(f"note: {copies}", err=True)


def print_answer(answer: Any, table: Callable[[], Table], form: Form) -> None:
    """Print an answer as JSON, Markdown or text.

    Args:
        answer: JSON data, a dataclass, or a sequence of dataclasses.
        table: Makes a table of it.
        form: How to print it.
    """
    from llem.tables import render_json, render_markdown, render_text

    if form == "json":
        click.echo(render_json(answer))
    else:
        click.echo((render_markdown if form == "markdown" else render_text)(table()))
