"""``llem explain``: the engine calls that a run would make."""

from __future__ import annotations

from pathlib import Path

import click

from llem.cli.experiment_options import experiment_options
from llem.cli.output_options import Form, json_option


@click.command()
@experiment_options()
@json_option
def explain(
    file: Path | None,
    backend: str | None,
    model: str | None,
    overrides: tuple[str, ...],
    form: Form,
) -> None:
    """Print the engine calls for the experiment in FILE, or the embedded default, as Python.

    A run makes exactly these calls. The engine need not be installed.
    """
    from llem.config import load_experiment
    from llem.config.redact import redact
    from llem.introspect.render_json import render_json
    from llem.introspect.render_plan import render_plan
    from llem.registry import Registry
    from llem.run.plan import plan_for

    loaded = load_experiment(
        Registry.discover(), file=file, overrides=overrides, backend=backend, model=model
    )
    plan = plan_for(loaded)
    if form == "json":
        click.echo(render_json(redact(plan.to_json())))
    else:
        click.echo(render_plan(plan), nl=False)
