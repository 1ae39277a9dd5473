"""Energy of one domain of a device over windows: which source gave it, and which stood in.

A meter may read several quantities of one domain. The counter comes first, then instantaneous,
then averaged power; in windows that a better source does not cover, the next source stands in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from llem.api.meters import Provenance, Quantity, Series
from llem.energy.coverage import Span
from llem.energy.idle import Idle, idle_power, max_age_s
from llem.energy.integrate import Integral, energy_in, integrate
from llem.energy.plausibility import STUCK_PERIODS, checked, limit_w
from llem.energy.statistics import total

PREFERENCE = (Quantity.ENERGY, Quantity.POWER, Quantity.AVERAGE_POWER)
"""Quantities of one domain, the most trusted first."""

Domain = tuple[str, str, str]
"""Meter, device and domain: the identity of a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """Energy of one domain of one device, as one meter read it, over all windows.

    Attributes:
        sources: Series of the domain, the most trusted first.
        used: The series that gave the energy of the first window that has any.
        integral: The integral of the most trusted series.
        window_j: Energy of each window, from the first source that covers it.
        uncertainty_j: Standard uncertainty of their sum, sensor gain apart.
        fallback_windows: Number of windows in which another source stood in for the first.
        duration_s: Total length of the windows.
        idles: Idle power by name.
        basis: Name of the idle power that is subtracted.
        counted: Whether the row enters the totals.
        ignored: Why the row does not enter them, although no row includes it; empty if it does.
        mismatch: Relative difference of the second source to the first, and the part of it that
            their uncertainties explain; ``None`` where they have no window in common.
    """

    sources: tuple[Series, ...]
    used: Series
    integral: Integral
    window_j: tuple[float | None, ...]
    uncertainty_j: float
    fallback_windows: int
    duration_s: float
    idles: Mapping[str, Idle | None] = field(default_factory=dict)
    basis: str = ""
    counted: bool = True
    ignored: str = ""
    mismatch: tuple[float, float] | None = None

    @property
    def series(self) -> Series:
        """The most trusted source."""
        return self.sources[0]

    @property
    def gross_j(self) -> float | None:
        """Energy of all windows; ``None`` as soon as one of them is unavailable."""
        return total(self.window_j)

    @property
    def idle(self) -> Idle | None:
        """The idle power that is subtracted."""
        return self.idles.get(self.basis)

    @property
    def net_j(self) -> float | None:
        """Gross less idle power times window time."""
        if self.gross_j is None or self.idle is None:
            return None
        return self.gross_j - self.idle.power_w * self.duration_s

    @property
    def net_uncertainty_j(self) -> float | None:
        """Standard uncertainty of the net energy: idle and load were metered at other times."""
        if self.net_j is None or self.idle is None:
            return None
        return math.hypot(self.uncertainty_j, self.idle.standard_error_w * self.duration_s)

    @property
    def gain_uncertainty_j(self) -> float | None:
        """Contribution of the sensor's gain error to the gross energy."""
        if self.gross_j is None:
            return None
        return (self.used.channel.gain_error_ratio or 0.0) * abs(self.gross_j)

    @property
    def excess_ratio(self) -> float:
        """Mean power as a share of what the domain may draw, less twice its uncertainty."""
        if self.gross_j is None or not self.duration_s:
            return 0.0
        least_j = self.gross_j - 2 * self.uncertainty_j
        return least_j / self.duration_s / limit_w(self.series.channel)

    @property
    def provenance(self) -> Provenance:
        """How the figure came about."""
        return Provenance.UNAVAILABLE if self.gross_j is None else self.series.provenance

    @property
    def name(self) -> str:
        """The row's name in messages."""
        channel = self.series.channel
        return f"{self.series.meter} {channel.device} {channel.domain}"

    def over(self, windows: Sequence[Span]) -> Row:
        """Return the energy of the same domain over other windows, without idle power."""
        return integrate_domain(self.sources, windows)


def by_domain(series: Sequence[Series]) -> dict[Domain, list[Series]]:
    """Return the series of each domain that each meter read, the most trusted first.

    Readings that cannot be true are left out of them.
    """
    domains: dict[Domain, list[Series]] = {}
    for source in map(checked, series):
        key = (source.meter, source.channel.device, source.channel.domain)
        domains.setdefault(key, []).append(source)
    for sources in domains.values():
        sources.sort(key=lambda source: PREFERENCE.index(source.channel.quantity))
    return domains


def idles_of(series: Sequence[Series], span: Span | None) -> dict[Domain, Idle | None]:
    """Return the idle power over ``span`` of each domain that each meter read."""
    return {domain: domain_idle(sources, span) for domain, sources in by_domain(series).items()}


def domain_idle(sources: Sequence[Series], span: Span | None) -> Idle | None:
    """Return the idle power of a domain, from the first of its sources that covers ``span``."""
    found = (idle_power(source, span, _power(sources)) for source in sources)
    return next((idle for idle in found if idle is not None), None)


def integrate_domain(sources: Sequence[Series], windows: Sequence[Span]) -> Row:
    """Return the energy of one domain over ``windows``.

    Args:
        sources: Series of the domain, the most trusted first.
        windows: Disjoint, in order of time.
    """
    power = _power(sources)
    first = integrate(sources[0], windows, power)
    window_j, variance, used = list(first.window_j), first.uncertainty_j**2, sources[0]
    if all(energy_j is None for energy_j in window_j) and len(sources) > 1:
        used = sources[1]
    fallback_windows = 0
    for source in sources[1:]:
        missing = [at for at, energy_j in enumerate(window_j) if energy_j is None]
        if not missing:
            break
        other = integrate(source, [windows[at] for at in missing], power)
        variance += other.uncertainty_j**2
        for at, energy_j in zip(missing, other.window_j, strict=True):
            window_j[at] = energy_j
            fallback_windows += energy_j is not None
        if sources[0].channel.quantity is Quantity.ENERGY:
            taken_j = sum(energy_j for energy_j in other.window_j if energy_j is not None)
            variance += (mismatch_ratio(sources[0], source) * taken_j) ** 2
    return Row(
        sources=tuple(sources),
        used=used,
        integral=first,
        window_j=tuple(window_j),
        uncertainty_j=math.sqrt(variance),
        fallback_windows=fallback_windows,
        duration_s=sum(end_s - start_s for start_s, end_s in windows),
        mismatch=_mismatch(first, sources, windows),
    )


def _mismatch(
    first: Integral, sources: Sequence[Series], windows: Sequence[Span]
) -> tuple[float, float] | None:
    """Compare the first two sources over the windows, or over those that both cover.

    Both read one sensor, so its gain error explains no difference. From the first window to the
    last there are but two edges, which tell more than those of many windows.
    """
    if len(sources) < 2 or not windows:
        return None
    span = [(windows[0][0], windows[-1][1])]
    whole = integrate(sources[0], span)
    if whole.energy_j is not None:
        first, windows = whole, span
    known = [at for at, energy_j in enumerate(first.window_j) if energy_j is not None]
    second = integrate(sources[1], [windows[at] for at in known])
    both = [
        (first_j, second_j)
        for at, second_j in zip(known, second.window_j, strict=True)
        if (first_j := first.window_j[at]) is not None and second_j is not None
    ]
    counted_j, other_j = (sum(parts) for parts in zip(*both, strict=True)) if both else (0.0, 0.0)
    if counted_j <= 0:
        return None
    explained_j = 2 * math.hypot(first.uncertainty_j, second.uncertainty_j)
    return other_j / counted_j - 1, explained_j / counted_j


def _power(sources: Sequence[Series]) -> Series | None:
    """Return the instantaneous power readings among a domain's sources."""
    return next((source for source in sources if source.channel.quantity is Quantity.POWER), None)


_MIN_COMPARED_S = 1.0
"""Shorter stretches show nothing about how two sources agree."""


def mismatch_ratio(counter: Series, other: Series) -> float:
    """Return the relative difference between ``other`` and ``counter`` while the counter worked.

    Sampled power cannot show what happens between its samples; a counter beside it can. The
    longest stretch in which the counter did not go back is compared; 0 where no stretch is long
    enough.
    """
    if len(counter.times_s) < STUCK_PERIODS or len(other.times_s) < STUCK_PERIODS:
        return 0.0
    times_s = np.asarray(counter.times_s)
    breaks = np.flatnonzero(np.diff(counter.values) < 0)
    edges = [0, *(breaks + 1), len(times_s)]
    stretches = [(times_s[a], times_s[b - 1]) for a, b in pairwise(edges)]
    start_s, end_s = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    age_s = max_age_s(counter) + max_age_s(other)
    start_s = max(float(start_s), other.times_s[0]) + age_s
    end_s = min(float(end_s), other.times_s[-1]) - age_s
    if end_s - start_s < _MIN_COMPARED_S:
        return 0.0
    counted_j, read_j = energy_in(counter, start_s, end_s), energy_in(other, start_s, end_s)
    if not counted_j or read_j is None:
        return 0.0
    return abs(read_j / counted_j - 1)
