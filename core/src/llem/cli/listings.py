"""The commands that list what is installed, and run nothing."""

from __future__ import annotations

import sys
from typing import Any

import click

from llem.cli.error_output import UNACCOUNTED
from llem.cli.options import Form, json_option, markdown_option, print_answer
from llem.errors import BackendUnavailable
from llem.registry import Registry
from llem.tables import Table


@click.command()
@click.option("--backend", metavar="NAME", help="Show only this backend.")
@click.option("--here", is_flag=True, help="Check the requirements against this machine.")
@markdown_option
@json_option
def capabilities(backend: str | None, here: bool, form: Form) -> None:
    """List what each installed backend can do, without importing an engine."""
    from llem.introspect.capability_matrix import capabilities as declared
    from llem.introspect.capability_matrix import matrix_json, matrix_table

    host = None
    if here:
        from llem.run.host_info import host_facts

        host = host_facts()
    infos = declared(Registry.discover(), backend)
    print_answer(matrix_json(infos, host), lambda: matrix_table(infos, host), form)


@click.command()
@click.option("--backend", metavar="NAME", help="List shared parameters and those of this backend.")
@click.option("--own", is_flag=True, help="Leave out the parameters that all backends share.")
@click.option("--rules", is_flag=True, help="List refused combinations instead of parameters.")
@markdown_option
@json_option
def params(backend: str | None, own: bool, rules: bool, form: Form) -> None:
    """List the parameters of an experiment: type, bounds, unit, default, and engine argument.

    No engine is imported. --json prints every property of a parameter.
    """
    from llem.introspect.config_parameters import parameter_table, parameters
    from llem.introspect.constraints import rule_table, rules_json, validation_rules

    registry = Registry.discover()
    if rules:
        refused = validation_rules(registry, backend)
        if own:
            refused = {owner: listed for owner, listed in refused.items() if owner is not None}
        print_answer(rules_json(refused), lambda: rule_table(refused), form)
        return
    found = [
        parameter for parameter in parameters(registry, backend) if parameter.backend or not own
    ]
    print_answer(found, lambda: parameter_table(found, plain=form is None), form)


@click.command()
@markdown_option
@json_option
def meters(form: Form) -> None:
    """List the meters: whether each works here, and why not."""
    from llem.introspect.installed import meter_table, meters_json
    from llem.introspect.installed import meters as probed

    found = probed(Registry.discover())
    print_answer(meters_json(found), lambda: meter_table(found), form)


@click.command()
@markdown_option
@json_option
def shapes(form: Form) -> None:
    """List the embedded model shapes: sizes of published models, with random weights."""
    found = _shapes()
    print_answer(found, lambda: _shape_table(found), form)


_BYTES_PER_BF16 = 2

_SHAPE_COLUMNS = {
    "model.id": "model_id",
    "parameters": "parameters",
    "bf16 bytes": "weights_bytes",
    "KV bytes/token": "kv_bytes_per_token",
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "KV heads": "num_key_value_heads",
    "MLP": "intermediate_size",
    "vocabulary": "vocab_size",
    "remark": "summary",
}
"""Keys of a shape's JSON data by column."""

_GROUPED = ("parameters", "weights_bytes", "kv_bytes_per_token")


def _shapes() -> list[dict[str, Any]]:
    """Return every embedded shape, smallest first, with the bytes of bfloat16 weights and cache."""
    from llem.workload.shape_catalog import SHAPES

    return [
        {
            "model_id": f"shape:{shape.name}",
            "summary": shape.summary,
            "parameters": shape.parameters,
            "weights_bytes": shape.parameters * _BYTES_PER_BF16,
            "kv_bytes_per_token": shape.arithmetic.kv_elements_per_token * _BYTES_PER_BF16,
            **shape.config,
        }
        for shape in SHAPES.values()
    ]


def _shape_table(found: list[dict[str, Any]]) -> Table:
    rows = (
        [
            f"{shape[key]:,}" if key in _GROUPED else str(shape[key])
            for key in _SHAPE_COLUMNS.values()
        ]
        for shape in found
    )
    return Table.of_texts(tuple(_SHAPE_COLUMNS), rows)


@click.command()
@click.option("--backend", metavar="NAME", help="Print the schema of this backend's experiments.")
@click.option("--outcome", is_flag=True, help="Print the schema of the outcome document instead.")
def schema(backend: str | None, outcome: bool) -> None:
    """Print the JSON schema of an experiment on any installed backend."""
    from llem.introspect.json_schema import outcome_schema
    from llem.introspect.json_schema import schema as experiment_schema
    from llem.tables import render_json

    if outcome and backend is not None:
        raise click.UsageError("--outcome is the same for every backend: leave out --backend.")
    document = outcome_schema() if outcome else experiment_schema(Registry.discover(), backend)
    click.echo(render_json(document))


@click.command()
@json_option
def doctor(form: Form) -> None:
    """Check plugins, engines, meters and folders. End with 3 if a check fails."""
    from llem.introspect.doctor import State, check_table
    from llem.introspect.doctor import doctor as run_checks

    checks = run_checks(Registry.discover())
    print_answer(checks, lambda: check_table(checks), form)
    if any(check.state is State.FAILED for check in checks):
        sys.exit(BackendUnavailable.exit_code)


@click.command()
@click.argument("backend")
@click.option("--python", metavar="PATH", help="Interpreter of the environment with the engine.")
@click.option(
    "--reference", is_flag=True, help="Read the plugin's reference data, not the installed engine."
)
@click.option(
    "--allow-gone",
    is_flag=True,
    help="Accept parameters that the engine lacks, for a release older than the plugin.",
)
@markdown_option
@json_option
def audit(backend: str, python: str | None, reference: bool, allow_gone: bool, form: Form) -> None:
    """Compare the parameters of BACKEND's engine with those that its plugin declares.

    Each parameter is exposed by a config field, owned by llem, or excluded for a reason. End
    with 1 if a parameter is none of these (unclassified), several of them (contradicted), or
    declared and missing from the engine (gone).
    """
    from llem.introspect.engine_audit import (
        Classification,
        audit_report,
        audit_summary,
        audit_table,
    )
    from llem.run.worker_environment import read_engine, required_audit

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
        print_answer(report, lambda: audit_table(report, faults_only=form is None), form)
    click.echo(audit_summary(report), err=form is not None)
    if any(
        fault.classification is not Classification.GONE or not allow_gone for fault in report.faults
    ):
        sys.exit(UNACCOUNTED)
