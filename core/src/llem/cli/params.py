"""``llem params``: every parameter of an experiment."""

from __future__ import annotations

import click

from llem.cli.output_options import Form, json_option, markdown_option, print_answer


@click.command()
@click.option("--backend", metavar="NAME", help="Shared parameters and this backend's only.")
@click.option("--own", is_flag=True, help="Leave out what all backends share.")
@click.option("--rules", is_flag=True, help="List the combinations that are refused instead.")
@markdown_option
@json_option
def params(backend: str | None, own: bool, rules: bool, form: Form) -> None:
    """List every parameter of an experiment: type, bounds, unit, default, and where it goes.

    No engine is needed or imported. --json has everything.
    """
    from llem.introspect.parameter import parameters
    from llem.introspect.parameter_listing import parameter_listing, rule_listing
    from llem.introspect.rule import validation_rules
    from llem.registry import Registry

    registry = Registry.discover()
    if rules:
        refused = [one for one in validation_rules(registry, backend) if one.backend or not own]
        print_answer(refused, lambda: rule_listing(refused), form)
        return
    found = [one for one in parameters(registry, backend) if one.backend or not own]
    print_answer(found, lambda: parameter_listing(found, plain=form is None), form)
