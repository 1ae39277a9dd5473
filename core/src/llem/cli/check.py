"""``llem check``: validate an experiment or a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llem.cli.options import Form, experiment_options, json_option
from llem.cli.study_command import checked_study, experiments, load_options
from llem.errors import are, counted

if TYPE_CHECKING:
    from llem.config import LoadedExperiment
    from llem.errors import Finding


@click.command()
@experiment_options()
@json_option
def check(
    file: Path | None,
    backend: str | None,
    model: str | None,
    overrides: tuple[str, ...],
    form: Form,
) -> None:
    """Validate the experiment or the study in FILE, or the embedded default; run nothing.

    What `llem run` would refuse here is refused in the same words: config, prompts, meters and
    machine are checked. Each problem is printed with its file and line, and a hint. The engine need
    not be installed.
    """
    from llem.config import load_experiment
    from llem.registry import Registry
    from llem.run.host_info import host_facts
    from llem.run.preflight import prepare

    registry = Registry.discover()
    options = load_options(file, overrides, backend, model)
    notes: list[str] = []
    is_study = options.is_study
    if is_study:
        plan, warnings = checked_study(registry, options)
        checked = [(loaded, warnings[id]) for id, _, loaded in experiments(plan)]
        if plan.refused:
            number = len(plan.refused)
            notes.append(f"{counted(number, 'point')} {are(number)} refused; llem plan says why")
        notes += plan.remarks()
    else:
        loaded = load_experiment(registry, **options._asdict())
        checked = [(loaded, prepare(loaded, registry, host_facts()).warnings)]
    if form == "json":
        from llem.tables import render_json

        documents = [experiment_document(loaded, warnings) for loaded, warnings in checked]
        click.echo(render_json(documents if is_study else documents[0]))
        return
    notes += [str(warning) for _, warnings in checked for warning in warnings]
    for note in dict.fromkeys(notes):
        click.echo(f"note: {note}", err=True)
    for line in dict.fromkeys(_summary(loaded) for loaded, _ in checked):
        click.echo(line)


def experiment_document(loaded: LoadedExperiment, warnings: Sequence[Finding]) -> dict[str, Any]:
    """Return the experiment as JSON data, without secrets."""
    from llem.config import digest
    from llem.config.redact import redact

    return {
        "experiment_sha256": digest(loaded.experiment),
        "experiment": redact(loaded.experiment.model_dump(mode="json")),
        "warnings": [str(warning) for warning in warnings],
    }


def _summary(loaded: LoadedExperiment) -> str:
    experiment, engine = loaded.experiment, loaded.backend.engine_status()
    source = experiment.workload.source
    lines = [f"ok: {experiment.model.id} on {experiment.backend}, {source} workload"]
    if engine is not None and not engine.supported and experiment.runner.python is None:
        lines.append(f"not runnable in this environment: {engine.message}")
    return "\n".join(lines)
