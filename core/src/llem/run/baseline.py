"""Idle power that a run has metered and later runs may reuse.

A caller of several runs keeps a :class:`Baselines` and passes it to each run. Where
`measurement.baseline.reuse_s` allows it, a run then meters the idle machine for a moment only, to
check that its idle power has not changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from llem.api.meters import Series
from llem.energy.coverage import Span
from llem.energy.domain_energy import Domain, idles_of
from llem.energy.idle import Idle

CHECK_S = 1.0
"""How long the idle machine is metered to check a kept idle power."""


@dataclass(slots=True)
class Baselines:
    """The last metered bare idle power of every domain.

    Attributes:
        clock: Returns monotonic time in seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _idles: dict[Domain, tuple[float, Idle]] = field(default_factory=dict)

    def keep(self, series: Sequence[Series], span: Span | None) -> None:
        """Remember the idle power of each domain over ``span``."""
        if span is not None:
            for domain, idle in known_idles(series, span).items():
                self._idles[domain] = (span[1], idle)

    def recent(self, series: Sequence[Series], reuse_s: float) -> Mapping[Domain, Idle] | None:
        """Return the idle power of every domain in ``series``.

        Args:
            series: Readings of the present run, which name the domains.
            reuse_s: Greatest age in seconds.

        Returns:
            The idle powers with their age, or ``None`` if a domain's is missing or too old.
        """
        now_s, found = self.clock(), {}
        for domain in idles_of(series, None):
            metered_s, idle = self._idles.get(domain, (-float("inf"), None))
            if idle is None or now_s - metered_s > reuse_s:
                return None
            found[domain] = replace(idle, age_s=now_s - metered_s)
        return found or None


def known_idles(series: Sequence[Series], span: Span | None) -> dict[Domain, Idle]:
    """Return the idle power over ``span`` of each domain that has readings there."""
    found = idles_of(series, span)
    return {domain: idle for domain, idle in found.items() if idle is not None}


def with_age(idles: Mapping[Domain, Idle], metered_s: float) -> dict[Domain, Idle]:
    """Return ``idles`` with the time since ``metered_s`` added to their age."""
    since_s = time.monotonic() - metered_s
    return {domain: replace(idle, age_s=idle.age_s + since_s) for domain, idle in idles.items()}


def is_unchanged(
    kept: Mapping[Domain, Idle], series: Sequence[Series], span: Span, tolerance_ratio: float
) -> bool:
    """Return whether the idle power over ``span`` equals the kept idle power.

    No domain may differ by more than both the tolerance and twice the standard error of the
    difference.
    """
    for domain, now in idles_of(series, span).items():
        then = kept[domain]
        if now is None:
            return False
        explained_w = 2 * (now.standard_error_w**2 + then.standard_error_w**2) ** 0.5
        if abs(now.power_w - then.power_w) > max(tolerance_ratio * then.power_w, explained_w):
            return False
    return True
