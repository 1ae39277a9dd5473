"""One row per device and domain: which source gave its energy, and what stood in for it.

A meter may read several quantities of one domain. The counter comes first, then instantaneous,
then averaged power; in windows where a better one has nothing to say, the next one stands in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from llem.api.meters import Provenance, Quantity, Series
from llem.energy.coverage import Span
from llem.energy.idle import Idle, idle_of
from llem.energy.integrate import STUCK_PERIODS, Integral, energy_in, integrate
from llem.energy.statistics import total

_LEAST_S = 1.0
"""Shorter stretches tell nothing about how two sources agree."""


def mismatch_ratio(counter: Series, other: Series) -> float:
    """Return by how much ``other`` differed from ``counter``, as a share, while that counted.

    Sampled power cannot show what happens between its samples; a counter beside it can, as long
    as it works. The longest stretch in which it did not go back is compared; 0 where there is
    none that is long enough.
    """
    if len(counter.times_s) < STUCK_PERIODS or len(other.times_s) < STUCK_PERIODS:
        return 0.0
    times_s = np.asarray(counter.times_s)
    breaks = np.flatnonzero(np.diff(counter.values) < 0)
    edges = [0, *(breaks + 1), len(times_s)]
    stretches = [(times_s[a], times_s[b - 1]) for a, b in pairwise(edges)]
    start_s, end_s = max(stretches, key=lambda one: one[1] - one[0])
    age_s = _age_s(counter) + _age_s(other)
    start_s = max(float(start_s), other.times_s[0]) + age_s
    end_s = min(float(end_s), other.times_s[-1]) - age_s
    if end_s - start_s < _LEAST_S:
        return 0.0
    counted_j, read_j = energy_in(counter, start_s, end_s), energy_in(other, start_s, end_s)
    if not counted_j or read_j is None:
        return 0.0
    return abs(read_j / counted_j - 1)


def _age_s(series: Series) -> float:
    return (series.channel.update_period_s or 0.0) + (series.channel.averaged_over_s or 0.0)


PREFERENCE = (Quantity.ENERGY, Quantity.POWER, Quantity.AVERAGE_POWER)
"""Quantities of one domain, the most trusted first."""


Domain = tuple[str, str, str]
"""What makes a row: meter, device, domain."""

IdleSource = Span | Mapping[Domain, Idle] | None
"""Where idle power comes from: a time to look at, what is known already, or nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One domain of one device, as one meter read it, over all windows.

    Attributes:
        sources: Its series, the most trusted first.
        used: The series that gave the energy of the first window that has any.
        integral: What the most trusted one says.
        each_j: Energy of each window, of whichever source knew it.
        uncertainty_j: Standard uncertainty of their sum, sensor gain apart.
        stood_in: Number of windows in which another source stood in for the first.
        duration_s: Length of all windows.
        idles: Idle power by name.
        basis: Name of the idle power that is subtracted.
        counted: Whether the row enters the totals.
    """

    sources: tuple[Series, ...]
    used: Series
    integral: Integral
    each_j: tuple[float | None, ...]
    uncertainty_j: float
    stood_in: int
    duration_s: float
    idles: Mapping[str, Idle | None]
    basis: str
    counted: bool = True

    @property
    def series(self) -> Series:
        """The most trusted source."""
        return self.sources[0]

    @property
    def gross_j(self) -> float | None:
        """Energy of all windows; ``None`` as soon as one of them is unavailable."""
        return total(self.each_j)

    @property
    def idle(self) -> Idle | None:
        """The idle power that is subtracted."""
        return self.idles[self.basis]

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
        """What the sensor's gain error makes of the gross energy."""
        if self.gross_j is None:
            return None
        return (self.used.channel.gain_error_ratio or 0.0) * abs(self.gross_j)

    @property
    def provenance(self) -> Provenance:
        """How the figure came about."""
        return Provenance.UNAVAILABLE if self.gross_j is None else self.series.provenance

    @property
    def name(self) -> str:
        """The row as messages call it."""
        channel = self.series.channel
        return f"{self.series.meter} {channel.device} {channel.domain}"


def first_choices(series: Sequence[Series]) -> list[Series]:
    """Return the most trusted series of each domain that each meter read."""
    return [sources[0] for sources in _domains(series).values()]


def idles_of(series: Sequence[Series], span: Span | None) -> dict[Domain, Idle | None]:
    """Return the idle power over ``span`` of each domain that each meter read."""
    return {domain: _idle(sources, span) for domain, sources in _domains(series).items()}


def rows_of(
    series: Sequence[Series],
    windows: Sequence[Span],
    idles: Mapping[str, IdleSource],
    basis: str,
) -> list[Row]:
    """Return a row for each domain that each meter read, in the order of ``series``."""
    return [
        _row(
            sources,
            windows,
            {
                name: source.get(domain) if isinstance(source, Mapping) else _idle(sources, source)
                for name, source in idles.items()
            },
            basis,
        )
        for domain, sources in _domains(series).items()
    ]


def _domains(series: Sequence[Series]) -> dict[Domain, list[Series]]:
    """Return the series of each domain, the most trusted first."""
    domains: dict[Domain, list[Series]] = {}
    for one in series:
        key = (one.meter, one.channel.device, one.channel.domain)
        domains.setdefault(key, []).append(one)
    for sources in domains.values():
        sources.sort(key=lambda one: PREFERENCE.index(one.channel.quantity))
    return domains


def _row(
    sources: Sequence[Series],
    windows: Sequence[Span],
    idles: Mapping[str, Idle | None],
    basis: str,
) -> Row:
    power = _power(sources)
    first = integrate(sources[0], windows, power)
    each, variance, used = list(first.each_j), first.uncertainty_j**2, sources[0]
    if all(energy_j is None for energy_j in each) and len(sources) > 1:
        used = sources[1]
    stood_in = 0
    for source in sources[1:]:
        missing = [at for at, energy_j in enumerate(each) if energy_j is None]
        if not missing:
            break
        other = integrate(source, [windows[at] for at in missing], power)
        variance += other.uncertainty_j**2
        for at, energy_j in zip(missing, other.each_j, strict=True):
            each[at] = energy_j
            stood_in += energy_j is not None
        if sources[0].channel.quantity is Quantity.ENERGY:
            taken_j = sum(energy_j for energy_j in other.each_j if energy_j is not None)
            variance += (mismatch_ratio(sources[0], source) * taken_j) ** 2
    return Row(
        sources=tuple(sources),
        used=used,
        integral=first,
        each_j=tuple(each),
        uncertainty_j=math.sqrt(variance),
        stood_in=stood_in,
        duration_s=sum(end_s - start_s for start_s, end_s in windows),
        idles=idles,
        basis=basis,
    )


def _idle(sources: Sequence[Series], span: Span | None) -> Idle | None:
    """Return the idle power by the first source that knows it."""
    found = (idle_of(source, span, _power(sources)) for source in sources)
    return next((idle for idle in found if idle is not None), None)


def _power(sources: Sequence[Series]) -> Series | None:
    """Return the readings of power among a domain's sources."""
    return next((one for one in sources if one.channel.quantity is Quantity.POWER), None)
