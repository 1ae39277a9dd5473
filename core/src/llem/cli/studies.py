"""``llem plan`` and ``llem studies``: studies before they run, and on disk."""

from __future__ import annotations

from pathlib import Path

import click

from llem.cli.options import Form, NamedPath, experiment_options, json_option, print_answer
from llem.cli.study_command import checked_study, load_options


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

    A study runs its points, except duplicates and points that rules refuse.
    """
    from llem.registry import Registry
    from llem.study.plan_summary import plan_document, plan_summary
    from llem.tables import render_json

    options = load_options(file, overrides, backend, model)
    planned, _ = checked_study(Registry.discover(), options)
    if form == "json":
        click.echo(render_json(plan_document(planned)))
        return
    for line in plan_summary(planned, everything=everything):
        click.echo(line)


@click.command()
@click.argument("folder", type=NamedPath(path_type=Path), default=Path("results"))
@json_option
def studies(folder: Path, form: Form) -> None:
    """List the studies in FOLDER (by default `results`), and which of them can be resumed.

    `llem run FILE --resume` continues a study that was interrupted, that crashed, or that
    stopped because runs kept failing.
    """
    from llem.study.study_state import StudyState, study_states
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

    found = study_states(folder)
    if not found and form is None:
        click.echo(f"no studies in {folder}")
        return
    print_answer(found, table, form)
