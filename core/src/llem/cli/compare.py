"""``llem compare``: whether two sides differ, and how sure that is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llem.cli.error_output import GATE_FAILED, GATE_INCONCLUSIVE
from llem.cli.options import Form, json_option, markdown_option


@click.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), required=False)
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

    from llem.report.comparison.comparison import ALLOWABLE_CODES
    from llem.report.comparison.comparison import compare as compare_outcomes
    from llem.report.comparison.regression_gate import State, check_limits, overall, parse_limit
    from llem.report.comparison.render_comparison import document, markdown, text
    from llem.report.load_outcomes import only_varying, read_all, split_by, with_settings
    from llem.report.metrics import DEFAULT_METRICS, metric

    if new is not None and by is not None:
        raise click.UsageError("Name two folders, or one folder with --by; not both.")
    if unknown := set(allow) - set(ALLOWABLE_CODES):
        raise click.BadParameter(
            f"{', '.join(sorted(unknown))}: no such code. Codes: {', '.join(ALLOWABLE_CODES)}.",
            param_hint="--allow",
        )
    parsed = [parse_limit(limit) for limit in limits]
    # Without --metric, a gate compares only what its limits name.
    names = [*(metrics or ([] if parsed else DEFAULT_METRICS))]
    names += [limit.metric.name for limit in parsed]
    base_side = with_settings(read_all([base]), conditions)
    if new is None:
        base_side, new_side = split_by(base_side, by or only_varying(base_side), baseline)
    else:
        new_side = with_settings(read_all([new]), conditions)
    result = compare_outcomes(
        base_side,
        new_side,
        [metric(name) for name in dict.fromkeys(names)],
        allow=allow,
        wanted_ratio=detect_percent / 100,
    )
    checks = check_limits(parsed, result.comparisons)
    if form == "json":
        click.echo(to_json(document(result, checks), indent=2).decode())
    else:
        click.echo((markdown if form == "markdown" else text)(result, checks))
    if parsed:
        exits = {State.PASSED: 0, State.FAILED: GATE_FAILED, State.INCONCLUSIVE: GATE_INCONCLUSIVE}
        sys.exit(exits[overall(checks)])
