"""Figures as files: SVG with its colors inside, and PNG if a renderer is installed."""

from __future__ import annotations

import re
from importlib import import_module, resources
from pathlib import Path

from llem.errors import OutputRefused, os_errors_as
from llem.report.study_report.content import Report
from llem.report.study_report.plots import figures

PNG_SCALE = 2
"""Pixels of a PNG for each pixel of the SVG."""


def write_figures(report: Report, folder: Path) -> list[Path]:
    """Write every figure as SVG, and as PNG if ``resvg_py`` is installed; return the paths.

    Raises:
        OutputRefused: A file cannot be written.
    """
    style = resources.files("llem.report.study_report").joinpath("figure.css").read_text("utf-8")
    written = []
    hint = "Choose another folder with --figures."
    with os_errors_as(OutputRefused, f"cannot write figures to {folder}", hint=hint):
        folder.mkdir(parents=True, exist_ok=True)
        for name, svg in figures(report):
            alone = svg.replace(">", f"><style>{_resolved(style)}</style>", 1)
            path = folder / f"{re.sub('[^A-Za-z0-9._-]', '_', name)}.svg"
            path.write_text(alone, encoding="utf-8")
            written.append(path)
            if (image := _png(alone)) is not None:
                path = path.with_suffix(".png")
                path.write_bytes(image)
                written.append(path)
    return written


def _resolved(style: str) -> str:
    """Return the style sheet with the light theme's colors in place of its variables."""
    root = re.search(r":root\s*{([^}]*)}", style)
    assert root is not None
    values = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", root[1]))
    # Only the plain rules: viewers of SVG files may know neither variables nor media queries.
    plain = style[root.end() : style.index("@media")]
    return re.sub(r"var\((--[\w-]+)\)", lambda found: values[found[1]], plain)


def _png(svg: str) -> bytes | None:
    try:
        renderer = import_module("resvg_py")
    except ImportError:
        return None
    image = renderer.svg_to_bytes(svg_string=svg, zoom=PNG_SCALE, background="white")
    return bytes(image)
