"""``llem compare``: whether two sides differ, and how sure that is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llem.cli.error_output import GATE_FAILED, GATE_INCONCLUSIVE
from llem.cli.options import Form, NamedPath, json_option, markdown_option, note_copies


@click.command()
@click.argument("base", type=NamedPath(path_type=Path))
@click.argument("new", type=NamedPath(path_type=Path), required=False)
@click.option(
    "--by", metavar="PARAMETER", help="Compare the variants within BASE by this parameter."
)
@click.option(
    "--baseline", metavar="VALUE", help="Value of --by that is the baseline; default: unset or off."
)
@click.option(
    "--where",
    "conditions",
    metavar="PARAMETER=VALUE",
    multiple=True,
    help="Use only outcomes with this setting.",
)
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="Metric to compare.")
@click.option(
    "--allow",
    metavar="CODE",
    multiple=True,
    help="Accept a mismatch of the sides, such as device-differs.",
)
@click.option(
    "--detect",
    "detect_percent",
    metavar="PERCENT",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Print how many repetitions it takes to detect this change.",
)
@click.option(
    "--fail-if",
    "limits",
    metavar="LIMIT",
    multiple=True,
    help='End with 6 if a change surely exceeds this, with 7 if undecided: "mean_w > +3%".',
)
@json_option
@markdown_option
def compare(
    base: Path,
    new: Path | None,
    by: str | None,
    baseline: str | None,
    conditions: tuple[str, ...],
    metrics: tuple[str, ...],
    allow: tuple[str, ...],
    detect_percent: float,
    limits: tuple[str, ...],
    form: Form,
) -> None:
    """Compare the outcomes in NEW with those in BASE, or variants within BASE.

    Both are folders: of an outcome, of a study, or of all results.
    """
    from pydantic_core import to_json

    from llem.python_api.comparison_report import compare_stored
    from llem.report.comparison.regression_gate import State
    from llem.report.load_outcomes import read_all
    from llem.results import Copies

    if new is not None and by is not None:
        raise click.UsageError("Name two folders, or one folder with --by; not both.")
    sides = [(side, Copies()) for side in (base, new) if side is not None]
    ours, *theirs = [read_all([side], copies) for side, copies in sides]
    for _, copies in sides:
        note_copies(copies)
    report = compare_stored(
        ours,
        theirs[0] if theirs else None,
        by=by,
        baseline=baseline,
        conditions=conditions,
        metrics=metrics,
        allow=allow,
        detect_ratio=detect_percent / 100,
        limits=limits,
    )
    if form == "json":
        click.echo(to_json(report.to_dict(), indent=2).decode())
    else:
        click.echo(report.to_markdown() if form == "markdown" else str(report))
    if report.gate is not None:
        exits = {State.PASSED: 0, State.FAILED: GATE_FAILED, State.INCONCLUSIVE: GATE_INCONCLUSIVE}
        sys.exit(exits[report.gate])
