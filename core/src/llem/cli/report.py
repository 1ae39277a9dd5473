"""``llem report``: a study as one page to share."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Literal

import click

from llem.cli.options import NamedPath, note_copies
from llem.errors import OutputRefused, os_errors_as


def carbon_intensity(
    context: click.Context, option: click.Parameter, value: str | None
) -> tuple[float, str] | None:
    """Return grams of CO2e per kWh, and the country's code if it is a country's mean, or empty.

    Raises:
        BadParameter: The value is neither a number of at least 0 nor the code of a known country.
    """
    from llem.report.study_report.summary import GRID_G_PER_KWH

    if value is None:
        return None
    country = value.upper()
    if country in GRID_G_PER_KWH:
        return GRID_G_PER_KWH[country], country
    with suppress(ValueError):
        if 0 <= (intensity := float(value)) < math.inf:
            return intensity, ""
    known = ", ".join(GRID_G_PER_KWH)
    raise click.BadParameter(f"{value!r} is neither a number of at least 0 nor one of {known}")


@click.command()
@click.argument("study", type=NamedPath(path_type=Path))
@click.option(
    "--out",
    type=NamedPath(path_type=Path, dir_okay=False),
    help="File to write; default: report.html in STUDY, or stdout for Markdown.",
)
@click.option("--format", "form", type=click.Choice(["html", "markdown"]), default="html",
              show_default=True, help="Format of the report.")  # fmt: skip
@click.option(
    "--figures",
    type=NamedPath(path_type=Path, file_okay=False),
    help="Write every figure into this folder as SVG, and as PNG with llem-core[figures].",
)
@click.option("--title", help="Title of the report; default: the name of the folder.")
@click.option(
    "--carbon",
    metavar="G_PER_KWH|COUNTRY",
    callback=carbon_intensity,
    help="Carbon intensity of the electricity, or a country such as DE for its mean of 2023; "
    "adds emissions in grams of CO2e.",
)
@click.option(
    "--price",
    "price_per_kwh",
    metavar="PER_KWH",
    type=click.FloatRange(min=0),
    help="Price of the electricity; adds its cost.",
)
@click.option("--currency", default="EUR", show_default=True, help="Currency of the price.")
@click.option(
    "--pue",
    "pue_ratio",
    metavar="RATIO",
    type=click.FloatRange(1, 10),
    default=1.0,
    help="Power usage effectiveness of the building; multiplies emissions and cost.",
)
def report(
    study: Path,
    out: Path | None,
    form: Literal["html", "markdown"],
    figures: Path | None,
    title: str | None,
    carbon: tuple[float, str] | None,
    price_per_kwh: float | None,
    currency: str,
    pue_ratio: float,
) -> None:
    """Write a report of the outcomes in STUDY: one HTML file that needs no network."""
    from llem.report.load_outcomes import read_all
    from llem.report.study_report.content import build_report
    from llem.report.study_report.summary import Rates
    from llem.results import Copies

    copies = Copies()
    stored = read_all([study], copies)
    note_copies(copies)
    carbon_g_per_kwh, country = carbon or (None, "")
    content = build_report(
        title or study.resolve().name,
        stored,
        Rates(carbon_g_per_kwh, price_per_kwh, currency, pue_ratio, country),
    )
    if figures is not None:
        from llem.report.study_report.figure_files import write_figures

        for path in write_figures(content, figures):
            click.echo(f"wrote {path}", err=True)
    if form == "markdown":
        from llem.report.study_report.markdown_page import markdown_page

        text = markdown_page(content)
        if out is None:
            click.echo(text)
            return
    else:
        from llem.report.study_report.html_page import html_page

        text, out = html_page(content), out or study / "report.html"
    with os_errors_as(OutputRefused, f"cannot write {out}", hint="Choose another file with --out."):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}", err=True)
