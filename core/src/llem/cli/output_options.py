"""The options that say in which form an answer is printed, and the printing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from llem.introspect.listing import Listing

Form = Literal["json", "markdown"] | None
"""How to print; ``None`` is plain text."""

json_option = click.option(
    "--json", "form", flag_value="json", default=None, help="Print one JSON document."
)
"""Adds ``--json`` to a command, which is passed ``form``."""

markdown_option = click.option(
    "--markdown", "form", flag_value="markdown", default=None, help="Print a Markdown table."
)
"""Adds ``--markdown`` to a command, which is passed ``form``."""


def print_answer(answer: Any, listing: Callable[[], Listing], form: Form) -> None:
    """Print an answer of the introspect room.

    Args:
        answer: A dataclass, or a sequence of them.
        listing: Makes a table of it, for a reader.
        form: How to print it.
    """
    # Each form imports its own renderer only.
    if form == "json":
        from llem.introspect.render_json import render_json

        click.echo(render_json(answer))
    elif form == "markdown":
        from llem.introspect.render_markdown import render_markdown

        click.echo(render_markdown(listing()))
    else:
        from llem.introspect.render_text import render_text

        click.echo(render_text(listing()))
