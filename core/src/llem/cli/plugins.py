"""``llem plugins``: what is installed, and in which state."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llem.cli.error_output import CONTRACT_BROKEN
from llem.cli.options import Form, json_option, print_answer
from llem.introspect.installed import plugins as ask
from llem.introspect.installed import plugins_called as ask_for
from llem.introspect.installed_tables import plugin_details, plugin_listing
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


@plugins.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder in which the package's folder is made.  [default: this one]",
)
def new(name: str, into: Path) -> None:
    """Write a package for a backend called NAME, which measures a toy engine until you change it.

    Nothing is overwritten.
    """
    from llem.registry.scan import scan
    from llem.testing.scaffold import identify, write_package

    identity = identify(name, {record.name for record in scan()})
    folder = write_package(identity, into)
    shown = folder if folder.is_absolute() else f"./{folder}"
    click.echo(f"{folder} is a backend that works. Try it:\n")
    for command in (
        f"pip install {shown}",
        f"llem plugins check {name}",
        f"llem run --backend {name}",
    ):
        click.echo(f"    {command}")
    click.echo(f"\nThen make it your engine's: {folder / 'README.md'} says how.")


@plugins.command()
@click.argument("name")
@click.option(
    "--set",
    "settings",
    metavar="A.B=C",
    multiple=True,
    help="A setting its sessions need here, such as model.id=PATH of a model it can load.",
)
@json_option
def check(name: str, settings: tuple[str, ...], form: Form) -> None:
    """Check whether the plugin called NAME keeps the contract, as far as this machine allows.

    Its session runs in a worker, on a tiny model. What cannot be asked here is "not run", and says
    why. Ends with 8 if a check failed.
    """
    # Nothing else of the command line needs the kit.
    from llem.config.overrides import values_of
    from llem.testing import CHECKS, PluginUnderTest, State, check_plugin
    from llem.testing.conformance import result_listing, summary

    ask_for(Registry.discover(), name)
    subject = PluginUnderTest(name, values_of(settings))
    subject.verify_settings()
    # A session may take a minute, and the table is printed when all is known.
    with click.progressbar(
        check_plugin(subject),
        length=len(CHECKS),
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        item_show_func=lambda one: one.id if one else None,
    ) as progress:
        results = tuple(progress)
    print_answer(results, lambda: result_listing(results), form)
    click.echo(summary(name, results), err=form is not None)
    if any(one.state is State.FAILED for one in results):
        sys.exit(CONTRACT_BROKEN)
