"""``llem capabilities``: what each backend can do."""

from __future__ import annotations

import click

from llem.cli.output_options import Form, json_option, markdown_option, print_answer
from llem.introspect.capabilities import capabilities as ask
from llem.introspect.listing import capability_listing
from llem.registry import Registry


@click.command()
@click.option("--backend", metavar="NAME", help="Show this backend only.")
@markdown_option
@json_option
def capabilities(backend: str | None, form: Form) -> None:
    """List what each installed backend can do; no engine is needed or imported."""
    matrix = ask(Registry.discover(), backend)
    print_answer(matrix, lambda: capability_listing(matrix), form)
