"""``llem capabilities``: what each backend can do."""

from __future__ import annotations

import click

from llem.cli.output_options import Form, json_option, markdown_option, print_answer
from llem.introspect.capability import capabilities as ask
from llem.introspect.listing import capability_listing
from llem.registry import Registry


@click.command()
@click.option("--backend", metavar="NAME", help="Show this backend only.")
@click.option("--here", is_flag=True, help="Say what this machine lacks for it.")
@markdown_option
@json_option
def capabilities(backend: str | None, here: bool, form: Form) -> None:
    """List what each installed backend can do; no engine is needed or imported."""
    facts = None
    if here:
        from llem.run.facts import host_facts

        facts = host_facts()
    matrix = ask(Registry.discover(), backend, facts)
    print_answer(matrix, lambda: capability_listing(matrix), form)
