"""``llem schema``: JSON schemas for editors and for readers of results."""

from __future__ import annotations

import click


@click.command()
@click.option("--backend", metavar="NAME", help="Schema of experiments on this backend only.")
@click.option("--outcome", is_flag=True, help="Schema of the outcome document instead.")
def schema(backend: str | None, outcome: bool) -> None:
    """Print the JSON schema of an experiment, over all installed backends."""
    from llem.introspect.json_schema import outcome_schema
    from llem.introspect.json_schema import schema as ask
    from llem.introspect.render_json import render_json
    from llem.registry import Registry

    if outcome and backend is not None:
        raise click.UsageError("--outcome is the same for every backend: leave out --backend.")
    click.echo(render_json(outcome_schema() if outcome else ask(Registry.discover(), backend)))
