"""``llem audit``: is any parameter of an engine forgotten?"""

from __future__ import annotations

import sys

import click

from llem.cli.exit_codes import UNACCOUNTED
from llem.cli.output_options import Form, json_option, markdown_option, print_answer


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
    from llem.introspect.audit import Fate, audit_report
    from llem.introspect.audit_listing import audit_listing, audit_summary
    from llem.registry import Registry
    from llem.run.audit import read_engine, required_audit

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
    if any(one.fate is not Fate.GONE or not allow_gone for one in report.faults):
        sys.exit(UNACCOUNTED)
