"""Idle power that one run of a study has metered and the next one may use.

A caller that runs several experiments keeps one :class:`Baselines` and hands it to each run. A run
whose `measurement.baseline.reuse_s` allows it then meters the idle machine only for a moment, to
see that it still idles as it did.
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
"""How long the idle machine is metered to see whether a kept idle power still holds."""


@dataclass(slots=True)
class Baselines:
    """The bare idle power of every domain, as last metered.

    Attributes:
        clock: Tells monotonic time.
    """

    clock: Callable[[], float] = time.monotonic
    _idles: dict[Domain, tuple[float, Idle]] = field(default_factory=dict)

    def keep(self, series: Sequence[Series], span: Span | None) -> None:
        """Remember the idle power of each domain over ``span``."""
        if span is not None:
            for domain, idle in known_idles(series, span).items():
                self._idles[domain] = (span[1], idle)

    def fresh(self, series: Sequence[Series], reuse_s: float) -> Mapping[Domain, Idle] | None:
        """Return the idle power of every domain in ``series``.

        Args:
            series: What is metered now.
            reuse_s: Greatest age.

        Returns:
            The idle powers with their age, or ``None`` if one is missing or too old.
        """
        now_s, found = self.clock(), {}
        for domain in idles_of(series, None):
            metered_s, idle = self._idles.get(domain, (-float("inf"), None))
            if idle is None or now_s - metered_s > reuse_s:
                return None
            found[domain] = replace(idle, age_s=now_s - metered_s)
        return found or None


def known_idles(series: Sequence[Series], span: Span | None) -> dict[Domain, Idle]:
    """Return the idle power over ``span`` of each domain whose readings tell it."""
    found = idles_of(series, span)
    return {domain: idle for domain, idle in found.items() if idle is not None}


def aged(idles: Mapping[Domain, Idle], metered_s: float) -> dict[Domain, Idle]:
    """Return ``idles``, older by the time since ``metered_s``."""
    since_s = time.monotonic() - metered_s
    return {domain: replace(idle, age_s=idle.age_s + since_s) for domain, idle in idles.items()}


def still_holds(
    kept: Mapping[Domain, Idle], series: Sequence[Series], span: Span, tolerance_ratio: float
) -> bool:
    """Return whether the machine idles over ``span`` as it did.

    It does where no domain's power differs by more than the tolerance and than twice what the
    standard errors explain.
    """
    for domain, now in idles_of(series, span).items():
        then = kept[domain]
        if now is None:
            return False
        explained_w = 2 * (now.standard_error_w**2 + then.standard_error_w**2) ** 0.5
        if abs(now.power_w - then.power_w) > max(tolerance_ratio * then.power_w, explained_w):
            return False
    return True
