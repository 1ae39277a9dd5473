"""``llem plugins``: the installed plugins and their state."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llem.cli.error_output import CONTRACT_BROKEN
from llem.cli.options import Form, NamedPath, json_option, print_answer
from llem.introspect.installed import plugin_details, plugin_table, plugins_called, plugins_json
from llem.introspect.installed import plugins as installed
from llem.registry import Registry


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(context: click.Context, form: Form) -> None:
    """List the installed plugins and whether they can be used."""
    if context.invoked_subcommand is None:
        found = installed(Registry.discover())
        print_answer(plugins_json(found), lambda: plugin_table(found), form)


@plugins.command(short_help="Show everything about a plugin.")
@click.argument("name")
@json_option
def show(name: str, form: Form) -> None:
    """Show everything about the plugin NAME, or both plugins if it is installed twice."""
    found = plugins_called(Registry.discover(), name)
    print_answer(plugins_json(found), lambda: plugin_details(found), form)


@plugins.command(short_help="Write the package of a new backend.")
@click.argument("name")
@click.option(
    "--into",
    type=NamedPath(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder that the package's folder goes into.  [default: this folder]",
)
def new(name: str, into: Path) -> None:
    """Write the package of a new backend NAME. It measures a toy engine until you change it.

    No existing file is overwritten.
    """
    from llem.registry.scan import scan
    from llem.testing.scaffold import identify, write_package

    identity = identify(name, {record.name for record in scan()})
    folder = write_package(identity, into)
    shown = folder if folder.is_absolute() else f"./{folder}"
    click.echo(f"{folder} holds a backend that works. Try it:\n")
    for command in (
        f"pip install {shown}",
        f"llem plugins check {name}",
        f"llem run --backend {name}",
    ):
        click.echo(f"    {command}")
    click.echo(f"\nThen put your engine in: {folder / 'README.md'} says how.")


@plugins.command(short_help="Check that a plugin keeps the contract.")
@click.argument("name")
@click.option(
    "--set",
    "settings",
    metavar="A.B=C",
    multiple=True,
    help="Set a value that its sessions need here, such as model.id=PATH. May be repeated.",
)
@json_option
def check(name: str, settings: tuple[str, ...], form: Form) -> None:
    """Check that the plugin NAME keeps the contract, as far as this machine allows.

    Its session runs in a worker, on a tiny model. A check that is impossible here is "not run",
    with the reason. End with 8 if a check fails.
    """
    # Imported here, because only this command needs the kit.
    from llem.config.overrides import values_of
    from llem.testing import CHECKS, PluginUnderTest, State, check_plugin
    from llem.testing.conformance import result_table, summary

    plugins_called(Registry.discover(), name)
    subject = PluginUnderTest(name, values_of(settings))
    subject.verify_settings()
    # A session may take a minute, and the table comes at the end.
    with click.progressbar(
        check_plugin(subject),
        length=len(CHECKS),
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        item_show_func=lambda result: result.id if result else None,
    ) as progress:
        results = tuple(progress)
    print_answer(results, lambda: result_table(results), form)
    click.echo(summary(name, results), err=form is not None)
    if any(result.state is State.FAILED for result in results):
        sys.exit(CONTRACT_BROKEN)
