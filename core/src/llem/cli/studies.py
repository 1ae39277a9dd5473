"""``llem studies``: what has become of the studies here?"""

from __future__ import annotations

from pathlib import Path

import click

from llem.cli.output_options import Form, json_option, print_answer


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("results"))
@json_option
def studies(folder: Path, form: Form) -> None:
    """List the studies in FOLDER (by default `results`), and which of them can be resumed.

    Those that were interrupted, that stopped because runs kept failing, and that crashed go on
    with `llem run FILE --resume`.
    """
    from llem.introspect.listing import Cell, Listing
    from llem.study.listing import StudyState
    from llem.study.listing import studies as ask

    def listing() -> Listing:
        return Listing(
            ("study", "state", "runs", "left", "how they ended", "last sign", "remark"),
            tuple(tuple(map(Cell, row(study))) for study in found),
        )

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
    print_answer(found, listing, form)
