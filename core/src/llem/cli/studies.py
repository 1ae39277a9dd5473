"""``llem studies``: what has become of the studies here?"""

from __future__ import annotations

from pathlib import Path

import click

from llem.cli.options import Form, experiment_options, json_option, print_answer


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
    from llem.registry import Registry
    from llem.study.load_study import load_study
    from llem.study.plan_summary import document, plan_summary
    from llem.study.study_plan import plan_study
    from llem.tables import render_json

    study = load_study(
        Registry.discover(), file=file, overrides=overrides, backend=backend, model=model
    )
    planned = plan_study(study)
    if form == "json":
        click.echo(render_json(document(planned)))
        return
    for line in plan_summary(planned, everything=everything):
        click.echo(line)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("results"))
@json_option
def studies(folder: Path, form: Form) -> None:
    """List the studies in FOLDER (by default `results`), and which of them can be resumed.

    Those that were interrupted, that stopped because runs kept failing, and that crashed go on
    with `llem run FILE --resume`.
    """
    from llem.study.find_studies import StudyState
    from llem.study.find_studies import studies as ask
    from llem.tables import Table

    def table() -> Table:
        header = ("study", "state", "runs", "left", "how they ended", "last sign", "remark")
        return Table.of_texts(header, map(row, found))

    def row(study: StudyState) -> tuple[str, ...]:
        ended = ", ".join(f"{number} {state}" for state, number in study.states.items())
        left = study.runs - sum(study.states.values())
        return (
            study.name,
            study.state,
            f"{study.runs}",
            f"{left}",
            ended,
            study.last_at,
            study.remark,
        )

    found = ask(folder)
    if not found and form is None:
        click.echo(f"no studies in {folder}")
        return
    print_answer(found, table, form)
