"""``llem results``: list, show, export and import outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from llem.cli.options import (
    Form,
    NamedPath,
    json_option,
    markdown_option,
    note_copies,
    print_answer,
)
from llem.errors import ConfigError, LlemError, PluginBroken, counted, were
from llem.report.formatting import number

if TYPE_CHECKING:
    from llem.results.import_results import StoredImport
    from llem.results.outcome_rows import Format, ListedOutcome

STATUSES = ("done", "failed", "out-of-memory", "interrupted", "unreadable")

_folder = click.argument("folder", type=NamedPath(path_type=Path), default=Path("results"))


@click.group()
def results() -> None:
    """List stored outcomes, show one of them, export them all, or import those of other tools."""


@results.command("list")
@_folder
@click.option("--study", metavar="NAME", help="Only outcomes of this study.")
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    help="Only outcomes with this status.",
)
@markdown_option
@json_option
def list_(folder: Path, study: str | None, status: str | None, form: Form) -> None:
    """List the outcomes in FOLDER (by default `results`): of studies and single experiments."""
    from llem.results import Copies
    from llem.results.outcome_rows import list_outcomes
    from llem.tables import Table

    copies = Copies()
    found = [
        outcome
        for outcome in list_outcomes(folder, copies)
        if (study is None or outcome.study == study)
        and (status is None or outcome.status == status)
    ]
    note_copies(copies)
    header = ("study", "id", "settings", "status", "valid", "tokens/s", "J/token", "model")
    print_answer(found, lambda: Table.of_texts(header, map(_row, found)), form)


@results.command()
@click.argument("folder", type=NamedPath(path_type=Path))
@json_option
def show(folder: Path, form: Form) -> None:
    """Show the outcome stored in FOLDER."""
    from llem.results import read_outcome
    from llem.tables import render_json

    outcome = read_outcome(folder)
    if form == "json":
        click.echo(render_json(outcome.model_dump(mode="json")))
        return
    from rich.console import Console

    from llem.report.outcome_table import outcome_table

    Console(highlight=False).print(outcome_table(outcome))


@results.command()
@_folder
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the file.",
)
@click.option(
    "--output",
    type=click.File("wb"),
    default="-",
    help="File to write; standard output by default.",
)
def export(folder: Path, form: Format, output: BinaryIO) -> None:
    """Write the outcomes in FOLDER (by default `results`) as one table, a row for each."""
    from llem.results import Copies
    from llem.results.outcome_rows import exported, load_results

    copies = Copies()
    output.write(exported(load_results(folder, copies=copies), form))
    note_copies(copies)


@results.command("import")
@click.argument("files", nargs=-1, type=NamedPath(path_type=Path))
@click.option(
    "--out",
    type=NamedPath(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Folder that receives an outcome for each result.",
)
@click.option(
    "--format", "format", metavar="NAME", help="Format of the files; detected by default."
)
@click.option("--requests", type=click.IntRange(min=1), help="Requests of a repetition.")
@click.option("--input-tokens", type=click.IntRange(min=1), help="Prompt tokens of a request.")
@click.option("--output-tokens", type=click.IntRange(min=1), help="Output tokens of a request.")
@click.option("--list", "listing", is_flag=True, help="List the formats that are read.")
@markdown_option
@json_option
def import_(
    files: tuple[Path, ...],
    out: Path,
    format: str | None,
    listing: bool,
    form: Form,
    **hints: int | None,
) -> None:
    """Store the results of other tools, read from their FILES, beside llem's own outcomes.

    Such an outcome is marked as imported and never valid: `llem compare --allow imported` compares
    it with what llem measured. --requests, --input-tokens and --output-tokens complete files that
    do not state them. A file that cannot be read stops no other: the exit code tells of it.
    """
    from llem.api.importers import ImportHints
    from llem.registry import Registry
    from llem.results.import_results import import_file
    from llem.tables import Table, render_json

    registry = Registry.discover()
    if listing:
        formats = [importer for _, importer in registry.import_formats()]
        rows = [(importer.name, importer.summary) for importer in formats]
        print_answer(formats, lambda: Table.of_texts(("format", "reads"), rows), form)
        return
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.")
    stored: list[StoredImport] = []
    refused: list[LlemError] = []
    for file in files:
        try:
            found = import_file(file, registry, out, ImportHints(**hints), format)
        except (ConfigError, PluginBroken) as error:
            refused.append(error)
            if len(files) > 1:
                click.echo(f"not imported: {error.message}", err=True)
            continue
        stored += found
        if form != "json":
            for item in found:
                _print_import(file, item)
    if form == "json":
        click.echo(render_json([item.outcome.model_dump(mode="json") for item in stored]))
    if refused and len(files) == 1:
        raise refused[0]
    if refused:
        hint = next((error.hint for error in refused if error.hint), "")
        among = counted(len(files), "file")
        raise ConfigError(f"{len(refused)} of {among} {were(len(refused))} not imported", hint=hint)


def _print_import(file: Path, item: StoredImport) -> None:
    imported = item.outcome.imported
    assert imported is not None
    click.echo(f"{file}: {imported.tool}: {', '.join(imported.metrics)}")
    if imported.energy_boundary:
        click.echo(f"energy covers: {imported.energy_boundary}")
    for warning in item.outcome.warnings:
        click.echo(f"note: {warning.message}")
    if item.known_as == item.folder:
        click.echo(f"imported before, and replaced in {item.folder}")
        return
    if item.known_as is not None:
        click.echo(f"note: {item.known_as} has the same figures: the run may be imported twice")
    click.echo(f"stored in {item.folder}")


def _row(outcome: ListedOutcome) -> tuple[str, ...]:
    return (
        outcome.study or "-",
        outcome.id,
        ", ".join(f"{name}={value}" for name, value in outcome.settings.items()),
        outcome.status,
        "yes" if outcome.valid else "no",
        number(outcome.output_tokens_per_s),
        number(outcome.j_per_output_token),
        outcome.model,
    )
