"""``llem results``: what was measured so far?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from llem.cli.options import Form, json_option, markdown_option, print_answer

if TYPE_CHECKING:
    from llem.results.outcome_rows import Format, ListedOutcome

_folder = click.argument("folder", type=click.Path(path_type=Path), default=Path("results"))


@click.group()
def results() -> None:
    """List stored outcomes, show one of them, export them all, or import those of other tools."""


@results.command("list")
@_folder
@click.option("--study", metavar="NAME", help="Only outcomes of this study.")
@click.option("--status", metavar="STATUS", help="Only outcomes that ended so.")
@markdown_option
@json_option
def list_(folder: Path, study: str | None, status: str | None, form: Form) -> None:
    """List the outcomes in FOLDER (by default `results`): of studies and single experiments."""
    from llem.results.outcome_rows import list_outcomes
    from llem.tables import Table

    found = [
        one
        for one in list_outcomes(folder)
        if (study is None or one.study == study) and (status is None or one.status == status)
    ]
    header = ("study", "id", "settings", "status", "valid", "tokens/s", "J/token", "model")
    print_answer(found, lambda: Table.of_texts(header, map(_row, found)), form)


@results.command()
@click.argument("folder", type=click.Path(path_type=Path))
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
    from llem.results.outcome_rows import exported, load_results

    output.write(exported(load_results(folder), form))


@results.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Folder that receives an outcome for each result.",
)
@click.option(
    "--format", "format", metavar="NAME", help="Format of the files; found out by default."
)
@click.option("--requests", type=click.IntRange(min=1), help="Requests of a repetition.")
@click.option("--input-tokens", type=click.IntRange(min=1), help="Prompt tokens of a request.")
@click.option("--output-tokens", type=click.IntRange(min=1), help="Output tokens of a request.")
@json_option
def import_(
    files: tuple[Path, ...], out: Path, format: str | None, form: Form, **told: int | None
) -> None:
    """Store what other tools measured, read from their FILES, beside llem's own outcomes.

    Such an outcome is marked as imported and never valid: `llem compare --allow imported` sets it
    beside what llem measured. Requests and tokens tell what a file does not say.
    """
    from llem.api.importers import ImportHints
    from llem.registry import Registry
    from llem.results.import_results import import_file
    from llem.tables import render_json

    registry = Registry.discover()
    found = [
        (file, outcome, folder)
        for file in files
        for outcome, folder in import_file(file, registry, out, ImportHints(**told), format)
    ]
    if form == "json":
        click.echo(render_json([outcome.model_dump(mode="json") for _, outcome, _ in found]))
        return
    for file, outcome, folder in found:
        assert outcome.imported is not None
        figures = ", ".join(outcome.imported.metrics) or "no figure that llem has a name for"
        click.echo(f"{file}: {outcome.imported.tool}: {figures}\nstored in {folder}")


def _row(one: ListedOutcome) -> tuple[str, ...]:
    settings = ", ".join(f"{name}={value}" for name, value in one.settings.items())
    figures = (one.output_tokens_per_s, one.j_per_output_token)
    shown = ["-" if figure is None else f"{figure:.4g}" for figure in figures]
    valid = "yes" if one.valid else "no"
    return (one.study or "-", one.id, settings, one.status, valid, *shown, one.model)
