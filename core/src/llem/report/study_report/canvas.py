"""Figures as SVG: shapes with classes, whose colors a style sheet sets.

A page of them stays small, prints, and needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values to pixels.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Pixel of ``low``.
        end: Pixel of ``high``.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of ``value``."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, wanted: int = 6) -> list[float]:
        """Return round values within the scale, about ``wanted`` of them."""
        raw = (self.high - self.low) / wanted
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def fitting(
    values: Iterable[float], start: float, end: float, *, margin: float = 0.06, zero: bool = False
) -> Scale:
    """Return a scale that contains every value, with a margin, and zero if requested."""
    known = [*values, *([0.0] if zero else [])] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * margin or abs(high) * margin or 1.0
    # Power begins at zero: no margin below.
    return Scale(0.0 if zero and low == 0 else low - room, high + room, start, end)


def tick_text(value: float) -> str:
    """Return a tick's label, rounded to hide the error of binary fractions."""
    return f"{value:.6g}".replace("-", MINUS)


MINUS = "\N{MINUS SIGN}"


class Canvas:
    """Collects the elements of one figure.

    Args:
        width: In pixels.
        height: In pixels.
        title: What the figure shows, for screen readers.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Add a line."""
        self._parts.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def bands(
        self, spans: Sequence[tuple[float, float]], y: float, height: float, kind: str
    ) -> None:
        """Add a band from ``y`` down for each span of x, all as one element."""
        joined = "".join(
            f"M{left:.1f},{y:.1f}h{right - left:.1f}v{height:.1f}h{left - right:.1f}Z"
            for left, right in spans
        )
        self._parts.append(f'<path class="{kind}" d="{joined}"/>')

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Add a polyline."""
        joined = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<path class="{kind}" d="M{joined}"/>')

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """Add text, which is escaped."""
        self._parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def group(self, attributes: dict[str, str]) -> None:
        """Open a group with attributes, which are escaped."""
        listed = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
        self._parts.append(f"<g {listed}>")

    def end(self) -> None:
        """Close the last group."""
        self._parts.append("</g>")

    def marker(self, x: float, y: float, series: int, note: str, radius: float = 5.0) -> None:
        """Add a point of a series, with a note as its tooltip."""
        shape = MARKERS[series % len(MARKERS)]
        kind = f"mark {shape} s{series % len(MARKERS)}"
        self._parts.append(
            f'<path class="{kind}" d="{_outline(shape, x, y, radius)}">'
            f"<title>{escape(note)}</title></path>"
        )

    def frame(self, x: Scale, y: Scale, x_label: str, y_label: str) -> None:
        """Add axes with ticks, grid and labels."""
        for value in y.ticks(5):
            self.line(x.start, y.at(value), x.end, y.at(value), "grid")
            self.text(x.start - 8, y.at(value) + 4, tick_text(value), "tick", "end")
        for value in x.ticks(7):
            self.line(x.at(value), y.start, x.at(value), y.start + 5, "axis")
            self.text(x.at(value), y.start + 18, tick_text(value), "tick", "middle")
        self.line(x.start, y.start, x.end, y.start, "axis")
        self.text((x.start + x.end) / 2, y.start + 38, x_label, "label", "middle")
        self.text(x.start - 8, y.end - 10, y_label, "label", "start")

    def svg(self) -> str:
        """Return the figure."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'role="img" aria-label="{escape(self.title)}" class="figure">'
            f"{''.join(self._parts)}</svg>"
        )


def _outline(shape: str, x: float, y: float, r: float) -> str:
    if shape == "circle":
        return f"M{x - r:.1f},{y:.1f}a{r},{r} 0 1,0 {2 * r},0a{r},{r} 0 1,0 {-2 * r},0Z"
    points = (complex(x, y) + 1.15 * r * corner for corner in _CORNERS[shape])
    return f"M{'L'.join(f'{point.real:.1f},{point.imag:.1f}' for point in points)}Z"


_PLUS = (
    -0.32 - 1j, 0.32 - 1j, 0.32 - 0.32j, 1 - 0.32j, 1 + 0.32j, 0.32 + 0.32j, 0.32 + 1j, -0.32 + 1j,
    -0.32 + 0.32j, -1 + 0.32j, -1 - 0.32j, -0.32 - 0.32j,
)  # fmt: skip

_CORNERS: dict[str, Sequence[complex]] = {
    "square": (-0.85 - 0.85j, 0.85 - 0.85j, 0.85 + 0.85j, -0.85 + 0.85j),
    "triangle": (-1j, 0.866 + 0.5j, -0.866 + 0.5j),
    "diamond": (1, 1j, -1, -1j),
    "cross": [corner * 1j**0.5 for corner in _PLUS],
    "down": (1j, -0.866 - 0.5j, 0.866 - 0.5j),
    "plus": _PLUS,
    "bar": (-1.1 - 0.4j, 1.1 - 0.4j, 1.1 + 0.4j, -1.1 + 0.4j),
}
"""Corners of the markers that are polygons, around the origin: x is real, y is imaginary."""

MARKERS = ("circle", *_CORNERS)
"""Shapes of the series, which differ without color."""
