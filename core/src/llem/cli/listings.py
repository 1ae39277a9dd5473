"""The commands that list what is installed and known: nothing is run."""

from __future__ import annotations

import sys

import click

from llem.cli.error_output import UNACCOUNTED
from llem.cli.options import Form, json_option, markdown_option, print_answer
from llem.errors import BackendUnavailable
from llem.registry import Registry


@click.command()
@click.option("--backend", metavar="NAME", help="Show this backend only.")
@click.option("--here", is_flag=True, help="Say what this machine lacks for it.")
@markdown_option
@json_option
def capabilities(backend: str | None, here: bool, form: Form) -> None:
    """List what each installed backend can do; no engine is needed or imported."""
    from llem.introspect.capability_matrix import capabilities as list_capabilities
    from llem.introspect.installed_tables import capability_listing

    facts = None
    if here:
        from llem.run.host_info import host_facts

        facts = host_facts()
    matrix = list_capabilities(Registry.discover(), backend, facts)
    print_answer(matrix, lambda: capability_listing(matrix), form)


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
    from llem.introspect.config_parameters import parameters
    from llem.introspect.constraints import validation_rules
    from llem.introspect.parameter_tables import parameter_listing, rule_listing

    registry = Registry.discover()
    if rules:
        refused = [one for one in validation_rules(registry, backend) if one.backend or not own]
        print_answer(refused, lambda: rule_listing(refused), form)
        return
    found = [one for one in parameters(registry, backend) if one.backend or not own]
    print_answer(found, lambda: parameter_listing(found, plain=form is None), form)


@click.command()
@markdown_option
@json_option
def meters(form: Form) -> None:
    """List every meter, whether it works here, and why not."""
    from llem.introspect.installed import meters as list_meters
    from llem.introspect.installed_tables import meter_listing

    found = list_meters(Registry.discover())
    print_answer(found, lambda: meter_listing(found), form)


@click.command()
@markdown_option
@json_option
def shapes(form: Form) -> None:
    """List the embedded model shapes: sizes of known models, with random weights."""
    from llem.introspect.installed import shapes as list_shapes
    from llem.introspect.installed_tables import shape_listing

    found = list_shapes()
    print_answer(found, lambda: shape_listing(found), form)


@click.command()
@click.option("--backend", metavar="NAME", help="Schema of experiments on this backend only.")
@click.option("--outcome", is_flag=True, help="Schema of the outcome document instead.")
def schema(backend: str | None, outcome: bool) -> None:
    """Print the JSON schema of an experiment, over all installed backends."""
    from llem.introspect.json_schema import outcome_schema
    from llem.introspect.json_schema import schema as ask
    from llem.registry import Registry
    from llem.tables import render_json

    if outcome and backend is not None:
        raise click.UsageError("--outcome is the same for every backend: leave out --backend.")
    click.echo(render_json(outcome_schema() if outcome else ask(Registry.discover(), backend)))


@click.command()
@json_option
def doctor(form: Form) -> None:
    """Check plugins, engines, meters and folders; ends with 3 if a check failed."""
    from llem.introspect.doctor import State
    from llem.introspect.doctor import doctor as run_doctor
    from llem.introspect.installed_tables import check_listing

    checks = run_doctor(Registry.discover())
    print_answer(checks, lambda: check_listing(checks), form)
    if any(check.state is State.FAILED for check in checks):
        sys.exit(BackendUnavailable.exit_code)


@click.command()
@click.argument("backend")
@click.option("--python", metavar="PATH", help="Interpreter of the environment with the engine.")
@click.option(
    "--reference", is_flag=True, help="Read the plugin's reference data, even with the engine here."
)
@click.option(
    "--allow-gone",
    is_flag=True,
    help="Accept that the engine lacks parameters: for a release older than the plugin.",
)
@markdown_option
@json_option
def audit(backend: str, python: str | None, reference: bool, allow_gone: bool, form: Form) -> None:
    """Compare the engine of BACKEND, as installed, with what llem makes of its parameters.

    Each parameter is exposed by a config field, owned by llem, or excluded for a reason. Ends
    with 1 if one is none of these (unclassified), several (contradicted), or is spoken of and
    not there (gone).
    """
    from llem.introspect.engine_audit import (
        Classification,
        audit_listing,
        audit_report,
        audit_summary,
    )
    from llem.registry import Registry
    from llem.run.engine_surface import read_engine, required_audit

    asked = Registry.discover().backend(backend)
    declared = required_audit(asked)
    reading = read_engine(asked, declared, python, reference=reference)
    report = audit_report(
        asked,
        declared,
        reading.found,
        reading.engine,
        from_reference=reading.from_reference,
    )
    if form is not None or report.faults:
        print_answer(report, lambda: audit_listing(report, faults_only=form is None), form)
    click.echo(audit_summary(report), err=form is not None)
    if any(one.fate is not Classification.GONE or not allow_gone for one in report.faults):
        sys.exit(UNACCOUNTED)
