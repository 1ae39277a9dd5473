"""``llem plan``: what would a study run?"""

from __future__ import annotations

from pathlib import Path

import click

from llem.cli.experiment_options import experiment_options
from llem.cli.output_options import Form, json_option


@click.command()
@experiment_options(required=True)
@click.option("--all", "everything", is_flag=True, help="List every experiment.")
@json_option
def plan(
    file: Path,
    backend: str | None,
    model: str | None,
    overrides: tuple[str, ...],
    everything: bool,
    form: Form,
) -> None:
    """Show what the study in FILE would run; nothing is started.

    From its points, those that rules refuse and duplicates are taken away; what is left is run.
    """
    from llem.config.study import load_study
    from llem.introspect.render_json import render_json
    from llem.registry import Registry
    from llem.study.overview import document, overview
    from llem.study.plan import plan_study

    study = load_study(
        Registry.discover(), file=file, overrides=overrides, backend=backend, model=model
    )
    planned = plan_study(study)
    if form == "json":
        click.echo(render_json(document(planned)))
        return
    for line in overview(planned, everything=everything):
        click.echo(line)
