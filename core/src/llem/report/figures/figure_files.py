"""Figures as files: SVG with its colours inside, and PNG where a renderer is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path

from llem.errors import OutputRefused
from llem.report.content.study_report import Report
from llem.report.figures.effects_plot import effects
from llem.report.figures.latency_plot import KINDS, latency
from llem.report.figures.order_plot import order
from llem.report.figures.power_plot import closeup, power
from llem.report.figures.tradeoff_plot import tradeoff

PNG_SCALE = 2
"""Pixels of a PNG for each one of the SVG."""


def figures(report: Report) -> Iterator[tuple[str, str]]:
    """Yield every figure of a report: a name, which is a valid file name, and its SVG."""
    if (drawn := tradeoff(report)) is not None:
        yield "energy-against-throughput", drawn
    for metric in dict.fromkeys(one.metric.name for one in report.effects):
        drawn = effects([one for one in report.effects if one.metric.name == metric])
        if drawn is not None:
            yield f"effects-on-{metric}", drawn
    for kind in KINDS:
        if (drawn := latency(report, kind)) is not None:
            yield f"latency-{kind}", drawn
    for trend in report.trends:
        yield f"order-{trend.metric.name}", order(trend)
    by_id = {outcome.id: outcome for outcome in report.outcomes}
    for id, curves in report.curves.items():
        name = re.sub(r"[^A-Za-z0-9._-]", "_", id)
        phases = report.phases.get(id, {})
        yield f"power-{name}", power(by_id[id], curves, phases)
        if (drawn := closeup(by_id[id], curves, phases)) is not None:
            yield f"power-{name}-window", drawn


def write_figures(report: Report, folder: Path) -> list[Path]:
    """Write every figure as SVG, and as PNG if ``resvg_py`` is installed; return the paths.

    Raises:
        OutputRefused: The folder cannot be written.
    """
    style = resources.files("llem.report.figures").joinpath("figure.css").read_text("utf-8")
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, svg in figures(report):
            alone = svg.replace(">", f"><style>{_resolved(style)}</style>", 1)
            path = folder / f"{name}.svg"
            path.write_text(alone, encoding="utf-8")
            written.append(path)
            if (image := _png(alone)) is not None:
                path = folder / f"{name}.png"
                path.write_bytes(image)
                written.append(path)
    except OSError as error:
        raise OutputRefused(
            f"cannot write figures to {folder}: {error.strerror}",
            hint="Choose another folder with --figures.",
        ) from error
    return written


def _resolved(style: str) -> str:
    """Return the style sheet with the light theme's colours in place of its variables."""
    root = re.search(r":root\s*{([^}]*)}", style)
    assert root is not None
    values = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", root[1]))
    # Only the plain rules: media queries and variables are a browser's business.
    plain = style[root.end() : style.index("@media")]
    return re.sub(r"var\((--[\w-]+)\)", lambda found: values[found[1]], plain)


def _png(svg: str) -> bytes | None:
    try:
        renderer = import_module("resvg_py")
    except ImportError:
        return None
    image = renderer.svg_to_bytes(svg_string=svg, zoom=PNG_SCALE, background="white")
    return bytes(image)
