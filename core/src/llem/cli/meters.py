"""``llem meters``: what energy can be measured with here."""

from __future__ import annotations

import click

from llem.cli.output_options import Form, json_option, markdown_option, print_answer
from llem.introspect.listing import meter_listing
from llem.introspect.meters import meters as ask
from llem.registry import Registry


@click.command()
@markdown_option
@json_option
def meters(form: Form) -> None:
    """List every meter, whether it works here, and why not."""
    found = ask(Registry.discover())
    print_answer(found, lambda: meter_listing(found), form)
