"""``llem run``: measure one experiment."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llem.cli.error_output import NOT_VALID, stop_on_signals
from llem.cli.options import NamedPath, experiment_options
from llem.cli.study_command import (
    Output,
    load_options,
    refuse_study_flags,
    run_study_file,
    study_options,
)
from llem.errors import ExperimentFailed, Interrupted

if TYPE_CHECKING:
    from llem.config import LoadedExperiment
    from llem.registry import Registry
    from llem.schema.outcome import Outcome


@click.command()
@experiment_options()
@click.option(
    "--out",
    type=NamedPath(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Folder that receives the outcome, or the study's folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome document on stdout.")
@click.option("--dry-run", is_flag=True, help="Validate and plan, but start nothing.")
@click.option("--quiet", is_flag=True, help="Print neither progress nor table.")
@click.option(
    "--require-valid",
    is_flag=True,
    help="End with exit code 5 when an outcome is not valid.",
)
@study_options
def run(
    file: Path | None,
    backend: str | None,
    model: str | None,
    overrides: tuple[str, ...],
    out: Path,
    as_json: bool,
    dry_run: bool,
    quiet: bool,
    require_valid: bool,
    **study_flags: bool,
) -> None:
    """Measure the experiment or the study in FILE, or the embedded default.

    The outcome is printed as a table and stored in a folder of its own. A study has a folder
    with a folder for each run; `llem plan FILE` shows what it would run.
    """
    from llem.config import load_experiment
    from llem.registry import Registry

    registry = Registry.discover()
    options = load_options(file, overrides, backend, model)
    output = Output(as_json, quiet)
    if not options.is_study:
        refuse_study_flags(study_flags)
        loaded = load_experiment(registry, **options._asdict())
        if dry_run:
            _print_dry_run(registry, loaded, as_json=as_json)
            return
        sys.exit(_run_experiment(registry, loaded, out, output, require_valid=require_valid))
    if dry_run:
        raise click.UsageError(f"{file} is a study: llem plan shows what it would run.")
    stop_on_signals()
    sys.exit(
        run_study_file(registry, options, out, output, require_valid=require_valid, **study_flags)
    )


def _run_experiment(
    registry: Registry, loaded: LoadedExperiment, out: Path, output: Output, *, require_valid: bool
) -> int:
    """Run a single experiment; return the exit code."""
    from llem.python_api.progress_display import live_progress
    from llem.results.folder import OUTCOME_FILE
    from llem.run.lifecycle import NullProgress
    from llem.run.run_experiment import run_experiment

    stop_on_signals()
    hidden = output.quiet or output.as_json
    with nullcontext(NullProgress()) if hidden else live_progress() as progress:
        outcome, folder = run_experiment(loaded, registry, out, progress)
    try:
        if output.as_json:
            click.echo(folder.joinpath(OUTCOME_FILE).read_bytes(), nl=False)
        elif not output.quiet:
            _print_table(outcome, folder)
    except OSError:
        click.echo(f"stored in {folder}", err=True)
        raise
    if require_valid and outcome.status == "done" and not outcome.verdict.valid:
        return NOT_VALID
    return EXIT_CODES[outcome.status]


EXIT_CODES = {
    "done": 0,
    "failed": ExperimentFailed.exit_code,
    "out-of-memory": ExperimentFailed.exit_code,
    "interrupted": Interrupted.exit_code,
}
"""Exit code by the outcome's status."""


def _print_dry_run(registry: Registry, loaded: LoadedExperiment, *, as_json: bool) -> None:
    """Show the plan, after every check that needs no worker."""
    from llem.cli.check import experiment_document
    from llem.config.redact import redact
    from llem.introspect.plan_source import render_plan
    from llem.run.host_info import host_facts
    from llem.run.preflight import prepare, require_engine

    prepared = prepare(loaded, registry, host_facts())
    require_engine(loaded.backend, elsewhere=loaded.experiment.runner.python is not None)
    warnings, plan = prepared.warnings, redact(prepared.plan.to_json())
    if as_json:
        document = {**experiment_document(loaded, warnings), "plan": plan}
        click.echo(json.dumps(document, indent=2))
        return
    for warning in warnings:
        click.echo(f"note: {warning}", err=True)
    click.echo(render_plan(prepared.plan), nl=False)


def _print_table(outcome: Outcome, folder: Path) -> None:
    from rich.console import Console

    from llem.report.outcome_table import outcome_table

    console = Console(highlight=False)
    console.print(outcome_table(outcome))
    console.print(f"stored in {folder}", soft_wrap=True)
