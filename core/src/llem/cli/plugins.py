"""``llem plugins``: what is installed, and in which state."""

from __future__ import annotations

import click

from llem.cli.output_options import Form, json_option, print_answer
from llem.introspect.listing import plugin_details, plugin_listing
from llem.introspect.plugins import plugins as ask
from llem.introspect.plugins import plugins_called as ask_for
from llem.registry import Registry


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(context: click.Context, form: Form) -> None:
    """List the installed plugins and whether they can be used."""
    if context.invoked_subcommand is None:
        found = ask(Registry.discover())
        print_answer(found, lambda: plugin_listing(found), form)


@plugins.command()
@click.argument("name")
@json_option
def show(name: str, form: Form) -> None:
    """Show everything about the plugin called NAME, or both if it is installed twice."""
    found = ask_for(Registry.discover(), name)
    print_answer(found, lambda: plugin_details(found), form)
