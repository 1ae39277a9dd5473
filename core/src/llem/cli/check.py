"""``llem check``: would this experiment be accepted?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llem.cli.experiment_options import experiment_options
from llem.cli.output_options import Form, json_option

if TYPE_CHECKING:
    from llem.api.finding import Finding
    from llem.config import LoadedExperiment


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
    """Validate the experiment in FILE, or the embedded default; nothing is run.

    What cannot be accepted is listed with file, line and remedy.
    """
    from llem.config import load_experiment
    from llem.registry import Registry
    from llem.run.facts import host_facts
    from llem.run.preflight import review

    loaded = load_experiment(
        Registry.discover(), file=file, overrides=overrides, backend=backend, model=model
    )
    warnings = review(loaded, host_facts())
    if form == "json":
        from llem.introspect.render_json import render_json

        click.echo(render_json(experiment_document(loaded, warnings)))
        return
    for warning in warnings:
        click.echo(f"note: {warning}", err=True)
    click.echo(_summary(loaded))


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
    if engine is not None and not engine.supported:
        lines.append(f"not runnable in this environment: {engine.message}")
    return "\n".join(lines)
