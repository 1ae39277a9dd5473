"""All rows of a measurement: each domain integrated once, each joule counted once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from llem.api.meters import Provenance, Series
from llem.energy.coverage import Span
from llem.energy.domain_energy import (
    PREFERENCE,
    Domain,
    Row,
    by_domain,
    domain_idle,
    integrate_domain,
)
from llem.energy.idle import Idle
from llem.energy.plausibility import device_kind
from llem.energy.statistics import quadrature, total

IdleSource = Span | Mapping[Domain, Idle] | None
"""Source of idle power: a span to look at, known idle power of each domain, or nothing."""


@dataclass(frozen=True, slots=True)
class IdlePeriods:
    """When the machine idled, and which idle power is subtracted for net energy.

    Attributes:
        bare: Before the worker was started, or the idle power of an earlier run.
        loaded: With the model in memory.
        after: After the last repetition.
        basis: Which of ``bare`` and ``loaded`` is subtracted.
    """

    bare: IdleSource = None
    loaded: Span | None = None
    after: Span | None = None
    basis: Literal["bare", "loaded"] = "bare"

    def of_domain(self, domain: Domain, sources: Sequence[Series]) -> dict[str, Idle | None]:
        """Return each idle power of one domain, by name."""
        bare = self.bare
        return {
            "bare": bare.get(domain) if isinstance(bare, Mapping) else domain_idle(sources, bare),
            "loaded": domain_idle(sources, self.loaded),
            "after": domain_idle(sources, self.after),
        }


@dataclass(frozen=True, slots=True)
class EnergyRows:
    """Energy of every domain over the same windows.

    Attributes:
        windows: The windows: disjoint, in order of time.
        rows: A row for each domain that each meter read.
        counted: The rows that enter the totals.
        window_j: Energy of each window over all counted rows; ``None`` where it is unavailable.
    """

    windows: tuple[Span, ...]
    rows: tuple[Row, ...]
    counted: tuple[Row, ...]
    window_j: tuple[float | None, ...]

    @property
    def durations_s(self) -> list[float]:
        """Length of each window."""
        return [end_s - start_s for start_s, end_s in self.windows]

    @property
    def gross_j(self) -> float | None:
        """Energy of all counted rows; ``None`` as soon as one row is unavailable."""
        return total([row.gross_j for row in self.counted])

    @property
    def uncertainty_j(self) -> float | None:
        """Standard uncertainty of the counted rows: their random errors are independent."""
        return quadrature([row.uncertainty_j for row in self.counted])


NO_IDLE = IdlePeriods()


def energy_rows(
    series: Sequence[Series], windows: Sequence[Span], idle: IdlePeriods = NO_IDLE
) -> EnergyRows:
    """Integrate ``series`` over ``windows``.

    Args:
        series: Readings of the devices that were used.
        windows: The measured repetitions: disjoint, in order of time.
        idle: When the machine idled.
    """
    rows = deduplicate(
        [
            replace(
                integrate_domain(sources, windows),
                idles=idle.of_domain(domain, sources),
                basis=idle.basis,
            )
            for domain, sources in by_domain(series).items()
        ]
    )
    counted = tuple(row for row in rows if row.counted)
    return EnergyRows(
        windows=tuple(windows),
        rows=tuple(rows),
        counted=counted,
        window_j=tuple(total([row.window_j[at] for row in counted]) for at in range(len(windows))),
    )


def slowest_period_s(rows: Sequence[Row]) -> float:
    """Return the longest time over which a source of the rows gives nothing new."""
    periods = (
        max(row.integral.update_period_s or 0.0, row.used.channel.averaged_over_s or 0.0)
        for row in rows
    )
    return max(periods, default=0.0)


def deduplicate(rows: Sequence[Row]) -> list[Row]:
    """Return ``rows`` with those marked that enter the totals.

    Left out are domains that another domain includes; all but the most trusted row of one domain;
    and estimates of a device that a meter measures. A container that has no energy, or less than
    its contents, gives its place to them.
    """
    measured = {
        row.series.channel.device
        for row in rows
        if row.series.provenance is Provenance.MEASURED and row.gross_j is not None
    }
    best: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=_trust):
        best.setdefault(device_domain(row), row)
    broken = {place: why for place, row in best.items() if (why := _is_broken(row, best))}
    whole = {place for place in best if place not in broken}

    def container(row: Row) -> tuple[str, str] | None:
        """Return the nearest whole domain that includes ``row``."""
        place, seen = device_domain(row), set()
        while place in best and place not in seen:
            seen.add(place)
            channel = best[place].series.channel
            place = (channel.device, channel.contained_in or "")
            if place in whole:
                return place
        return None

    def covered(row: Row) -> bool:
        """Return whether a domain of another device includes ``row``."""
        device = row.series.channel.device
        if row.series.channel.covers:
            return False
        kinds = {"*", device_kind(device)}
        return any(
            kinds & set(other.series.channel.covers)
            for place, other in best.items()
            if place in whole and other.gross_j is not None and place[0] != device
        )

    def counts(row: Row) -> bool:
        estimated = row.series.provenance is Provenance.ESTIMATED
        return (
            container(row) is None
            and device_domain(row) not in broken
            and best[device_domain(row)] is row
            and not (estimated and row.series.channel.device in measured)
            and not covered(row)
        )

    return [
        replace(
            row,
            counted=counts(row),
            ignored="" if container(row) else broken.get(device_domain(row), ""),
        )
        for row in rows
    ]


_ROUNDING_RATIO = 0.01
"""A container that lies below its contents by less than this is whole."""


def _is_broken(row: Row, best: Mapping[tuple[str, str], Row]) -> str:
    """Return why a container gives its place to its contents; empty if it does not."""
    contents = [
        other
        for other in best.values()
        if (other.series.channel.device, other.series.channel.contained_in) == device_domain(row)
    ]
    known = [(other.gross_j, other.uncertainty_j) for other in contents if other.gross_j]
    if not known:
        return ""
    contents_j = sum(energy_j for energy_j, _ in known)
    if row.gross_j is None:
        return "it has no readings of its own over the windows"
    explained_j = 2 * math.hypot(row.uncertainty_j, *(error_j for _, error_j in known))
    if row.gross_j + explained_j < (1 - _ROUNDING_RATIO) * contents_j:
        return f"its {row.gross_j:.4g} J are less than the {contents_j:.4g} J of its contents"
    if row.series.channel.contents_suffice and row.excess_ratio > 1:
        return f"its {row.gross_j:.4g} J are more than such a device can use"
    return ""


def device_domain(row: Row) -> tuple[str, str]:
    """Return device and domain of a row, which rows of several meters may share."""
    return row.series.channel.device, row.series.channel.domain


def _trust(row: Row) -> tuple[bool, bool, int, float]:
    """Return a key that sorts the most trusted row first."""
    return (
        row.gross_j is None,
        row.series.provenance is Provenance.ESTIMATED,
        PREFERENCE.index(row.series.channel.quantity),
        row.uncertainty_j,
    )
