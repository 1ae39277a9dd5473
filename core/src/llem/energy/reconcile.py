"""Count each joule once: domains inside domains, and domains that several meters read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llem.api.meters import Provenance
from llem.energy.rows import PREFERENCE, Row


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two meters that say different things about one domain.

    Attributes:
        counted: The row that enters the total.
        other: The one that does not.
        difference_ratio: The other's energy less the counted one's, as a share of it.
    """

    counted: Row
    other: Row
    difference_ratio: float


def deduplicate(rows: Sequence[Row]) -> list[Row]:
    """Return ``rows`` with those marked that enter the totals.

    Left out are domains that another domain of the same device contains; all but the most
    trusted row of one domain; and estimates of a device that something measures.
    """
    present = {(row.series.channel.device, row.series.channel.domain) for row in rows}
    measured = {
        row.series.channel.device
        for row in rows
        if row.series.provenance is Provenance.MEASURED and row.gross_j is not None
    }
    best: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=_trust):
        best.setdefault(_domain(row), row)
    return [
        replace(
            row,
            counted=(
                (row.series.channel.device, row.series.channel.contained_in) not in present
                and best[_domain(row)] is row
                and not (
                    row.series.provenance is Provenance.ESTIMATED
                    and row.series.channel.device in measured
                )
            ),
        )
        for row in rows
    ]


def disagreements(rows: Sequence[Row], tolerance_ratio: float) -> Iterator[Disagreement]:
    """Yield the rows that differ from the counted row of their domain.

    They disagree where the difference is larger than the tolerance and than twice what their
    uncertainties, sensor gain included, explain. An estimate is not held against a measurement.
    """
    counted = {_domain(row): row for row in rows if row.counted}
    for other in rows:
        row = counted.get(_domain(other))
        if row is None or row is other or other.series.provenance is Provenance.ESTIMATED:
            continue
        if row.gross_j is None or other.gross_j is None:
            continue
        difference_j = other.gross_j - row.gross_j
        explained_j = 2 * math.hypot(
            row.uncertainty_j,
            other.uncertainty_j,
            row.gain_uncertainty_j or 0.0,
            other.gain_uncertainty_j or 0.0,
        )
        if abs(difference_j) > max(tolerance_ratio * abs(row.gross_j), explained_j):
            ratio = difference_j / row.gross_j if row.gross_j else math.inf
            yield Disagreement(row, other, ratio)


def _domain(row: Row) -> tuple[str, str]:
    return row.series.channel.device, row.series.channel.domain


def _trust(row: Row) -> tuple[bool, bool, int, float]:
    """Return a key that sorts the most trusted row first."""
    return (
        row.gross_j is None,
        row.series.provenance is Provenance.ESTIMATED,
        PREFERENCE.index(row.series.channel.quantity),
        row.uncertainty_j,
    )
