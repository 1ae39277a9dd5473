"""``llem explain``: print the engine calls that a run makes."""

from __future__ import annotations

from pathlib import Path

import click

from llem.cli.options import Form, experiment_options, json_option
from llem.cli.study_command import checked_study, experiments, load_options


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
    """Print the engine calls of the experiment in FILE, or the embedded default, as Python.

    A run makes exactly these calls. For a study, the calls of each experiment are printed. What
    `llem run` would refuse here is refused; the engine need not be installed.
    """
    from llem.config import load_experiment
    from llem.config.redact import redact
    from llem.introspect.plan_source import render_plan
    from llem.registry import Registry
    from llem.run.host_info import host_facts
    from llem.run.preflight import plan_for, prepare
    from llem.tables import render_json

    registry = Registry.discover()
    options = load_options(file, overrides, backend, model)
    if options.is_study:
        plans = {
            (id, label): plan_for(loaded)
            for id, label, loaded in experiments(checked_study(registry, options)[0])
        }
        if form == "json":
            data = {id: redact(plan.to_json()) for (id, _), plan in plans.items()}
            click.echo(render_json(data))
        else:
            parts = (f"# {id}  {label}\n{render_plan(plan)}" for (id, label), plan in plans.items())
            click.echo("\n".join(parts), nl=False)
        return
    loaded = load_experiment(registry, **options._asdict())
    plan = prepare(loaded, registry, host_facts()).plan
    if form == "json":
        click.echo(render_json(redact(plan.to_json())))
    else:
        click.echo(render_plan(plan), nl=False)
