"""``llem shapes``: the models that need no download."""

from __future__ import annotations

import click

from llem.cli.output_options import Form, json_option, markdown_option, print_answer
from llem.introspect.listing import shape_listing
from llem.introspect.shapes import shapes as ask


@click.command()
@markdown_option
@json_option
def shapes(form: Form) -> None:
    """List the embedded model shapes: sizes of known models, with random weights."""
    found = ask()
    print_answer(found, lambda: shape_listing(found), form)
