"""``llem compare``: does it make a difference, and how sure is that?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llem.cli.error_output import GATE_BROKEN, GATE_INCONCLUSIVE
from llem.cli.options import Form, json_option, markdown_option


@click.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), required=False)
@click.option("--by", metavar="PARAMETER", help="Compare within BASE, by this parameter.")
@click.option("--baseline", metavar="VALUE", help="Its value that is the baseline; default: unset.")
@click.option(
    "--where",
    "conditions",
    metavar="PARAMETER=VALUE",
    multiple=True,
    help="Use only outcomes with this setting.",
)
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="What to compare.")
@click.option("--allow", metavar="CODE", multiple=True, help="Compare although this is unlike.")
@click.option(
    "--detect",
    "detect_percent",
    metavar="PERCENT",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Say how many repetitions it takes to see this change.",
)
@click.option(
    "--fail-if",
    "limits",
    metavar="LIMIT",
    multiple=True,
    help='End with 6 if surely so, 7 if unsure: "j_per_output_token > +3%".',
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

    from llem.report.comparison.comparison import EVERY_CODE
    from llem.report.comparison.comparison import compare as answer_of
    from llem.report.comparison.pairing import only_varying, split_by, where
    from llem.report.comparison.regression_gate import judge, overall, parse_limit
    from llem.report.comparison.render_comparison import document, markdown, text
    from llem.report.load_outcomes import read_all
    from llem.report.metrics import DEFAULT_METRICS, metric

    if new is not None and by is not None:
        raise click.UsageError("Name two folders, or one with --by; not both.")
    if unknown := set(allow) - set(EVERY_CODE):
        raise click.BadParameter(
            f"{', '.join(sorted(unknown))}: no such code. Codes: {', '.join(EVERY_CODE)}.",
            param_hint="--allow",
        )
    wanted = [parse_limit(one) for one in limits]
    names = [
        *(metrics or ([] if wanted else DEFAULT_METRICS)),
        *(one.metric.name for one in wanted),
    ]
    ours = where(read_all([base]), conditions)
    if new is None:
        ours, theirs = split_by(ours, by or only_varying(ours), baseline)
    else:
        theirs = where(read_all([new]), conditions)
    answer = answer_of(
        ours,
        theirs,
        [metric(name) for name in dict.fromkeys(names)],
        allow=allow,
        wanted_ratio=detect_percent / 100,
    )
    judgements = judge(wanted, answer.comparisons)
    if form == "json":
        click.echo(to_json(document(answer, judgements), indent=2).decode())
    else:
        click.echo((markdown if form == "markdown" else text)(answer, judgements))
    if wanted:
        exits = {"kept": 0, "broken": GATE_BROKEN, "inconclusive": GATE_INCONCLUSIVE}
        sys.exit(exits[overall(judgements)])
