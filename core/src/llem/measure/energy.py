"""From series and windows to the outcome's energy: rows, totals, idle, uncertainty, reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llem.api.meter import Provenance, Series
from llem.api.outcome import DeviceEnergy, Energy, IdlePower, Reason
from llem.measure.integrate import WindowEnergy, energy_in, gap_seconds

Span = tuple[float, float]

MAX_GAP_RATIO = 0.05
"""Share of the windows that may lie in stretches without readings."""

MIN_UPDATE_PERIODS = 10
"""Windows shorter than this many updates of a meter say little about it."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One channel over all windows."""

    series: Series
    windows: tuple[WindowEnergy, ...]
    duration_s: float
    bare_w: float | None
    loaded_w: float | None
    idle_w: float | None
    counted: bool

    @property
    def gross_j(self) -> float | None:
        return _sum([window.energy_j for window in self.windows])

    @property
    def net_j(self) -> float | None:
        if self.gross_j is None or self.idle_w is None:
            return None
        return self.gross_j - self.idle_w * self.duration_s

    @property
    def uncertainty_j(self) -> float | None:
        """Windows in quadrature; the sensor's own gain error is common to them all."""
        if self.gross_j is None:
            return None
        random = [window.uncertainty_j or 0.0 for window in self.windows]
        gain = (self.series.channel.gain_error_ratio or 0.0) * self.gross_j
        return math.hypot(*random, gain)


def account(
    series: Sequence[Series],
    windows: Sequence[Span],
    *,
    bare: Span | None,
    loaded: Span | None,
    basis: Literal["bare", "loaded"],
    output_tokens: int,
    requests: int,
) -> tuple[Energy, list[Reason], list[float | None]]:
    """Return the energy of ``windows``, what speaks against it, and the energy of each window.

    Domains that another domain of the same device contains have rows of their own and are
    left out of the totals. A total is unavailable as soon as one counted row is.

    Args:
        series: Readings of the devices that were used.
        windows: The measured repetitions.
        bare: When the machine idled before the worker was started.
        loaded: When it idled with the model in memory.
        basis: Which of the two is subtracted for net energy.
        output_tokens: Over all windows.
        requests: Over all windows.

    Units: joules, watts, seconds.
    """
    duration_s = sum(end - start for start, end in windows)
    rows = _rows(series, windows, duration_s, {"bare": bare, "loaded": loaded}, basis)
    counted = [row for row in rows if row.counted]
    gross_j = _sum([row.gross_j for row in counted])
    net_j = _sum([row.net_j for row in counted])
    energy = Energy(
        provenance=_provenance(counted, gross_j),
        gross_j=gross_j,
        idle_j=None if gross_j is None or net_j is None else gross_j - net_j,
        net_j=net_j,
        uncertainty_j=_uncertainty(counted, gross_j),
        j_per_output_token=_ratio(gross_j, output_tokens),
        j_per_request=_ratio(gross_j, requests),
        net_j_per_output_token=_ratio(net_j, output_tokens),
        net_j_per_request=_ratio(net_j, requests),
        mean_w=_ratio(gross_j, duration_s),
        idle_basis=basis if net_j is not None else None,
        bare_idle=_idle(bare, [row.bare_w for row in counted]),
        loaded_idle=_idle(loaded, [row.loaded_w for row in counted]),
        devices=tuple(map(_device, rows)),
    )
    reasons = [reason for row in rows for reason in _reasons(row, windows)]
    return energy, reasons, _window_energies(counted, len(windows))


def _rows(
    series: Sequence[Series],
    windows: Sequence[Span],
    duration_s: float,
    idles: dict[str, Span | None],
    basis: str,
) -> list[_Row]:
    present = {(one.channel.device, one.channel.domain) for one in series}
    rows = []
    for one in series:
        idle_w = {name: _mean_w(one, span) for name, span in idles.items()}
        container = (one.channel.device, one.channel.contained_in)
        rows.append(
            _Row(
                series=one,
                windows=tuple(energy_in(one, *window) for window in windows),
                duration_s=duration_s,
                bare_w=idle_w["bare"],
                loaded_w=idle_w["loaded"],
                idle_w=idle_w[basis],
                counted=container not in present,
            )
        )
    return rows


def _mean_w(series: Series, span: Span | None) -> float | None:
    """Return mean power over ``span``, which is cut to what was read of it."""
    if span is None or len(series.times_s) < 2:
        return None
    start_s, end_s = max(span[0], series.times_s[0]), min(span[1], series.times_s[-1])
    energy_j = energy_in(series, start_s, end_s).energy_j
    return None if energy_j is None else energy_j / (end_s - start_s)


def _device(row: _Row) -> DeviceEnergy:
    channel = row.series.channel
    unavailable = row.gross_j is None
    return DeviceEnergy(
        device=channel.device,
        domain=channel.domain,
        meter=row.series.meter,
        method=channel.quantity,
        provenance=Provenance.UNAVAILABLE if unavailable else row.series.provenance,
        gross_j=row.gross_j,
        idle_w=row.idle_w,
        net_j=row.net_j,
        uncertainty_j=row.uncertainty_j,
        mean_w=_ratio(row.gross_j, row.duration_s),
        counted_in_total=row.counted,
        note=channel.note,
    )


def _reasons(row: _Row, windows: Sequence[Span]) -> list[Reason]:
    channel = row.series.channel
    name = f"{row.series.meter} {channel.device} {channel.domain}"
    found = []
    if any(window.reset for window in row.windows):
        found.append(Reason(code="counter-reset", message=f"{name}: the counter went back"))
    elif row.gross_j is None:
        message = f"{name}: its readings do not cover the windows"
        found.append(Reason(code="meter-lost", message=message))
    gap_s = gap_seconds(row.series, windows)
    if gap_s > MAX_GAP_RATIO * row.duration_s:
        message = f"{name}: no readings for {gap_s:.2f} s of the windows"
        found.append(Reason(code="sampling-gap", message=message))
    period_s = channel.update_period_s
    if period_s is not None and row.duration_s < MIN_UPDATE_PERIODS * period_s:
        message = f"{name} updates every {period_s:g} s; the windows last {row.duration_s:.2f} s"
        found.append(Reason(code="window-too-short", message=message))
    return found


def _window_energies(counted: Sequence[_Row], count: int) -> list[float | None]:
    """Return the energy of each window over all counted rows."""
    if not counted:
        return [None] * count
    return [_sum([row.windows[at].energy_j for row in counted]) for at in range(count)]


def _provenance(counted: Sequence[_Row], gross_j: float | None) -> Provenance:
    """Return the weakest provenance: a sum is as good as its worst part."""
    if gross_j is None:
        return Provenance.UNAVAILABLE
    estimated = any(row.series.provenance is Provenance.ESTIMATED for row in counted)
    return Provenance.ESTIMATED if estimated else Provenance.MEASURED


def _uncertainty(counted: Sequence[_Row], gross_j: float | None) -> float | None:
    if gross_j is None:
        return None
    return math.hypot(*(row.uncertainty_j or 0.0 for row in counted))


def _idle(span: Span | None, watts: Sequence[float | None]) -> IdlePower | None:
    if span is None:
        return None
    return IdlePower(duration_s=span[1] - span[0], power_w=_sum(watts))


def _sum(parts: Sequence[float | None]) -> float | None:
    """Return the sum, or ``None`` if there is nothing to add or anything is unavailable."""
    known = [part for part in parts if part is not None]
    return math.fsum(known) if known and len(known) == len(parts) else None


def _ratio(numerator: float | None, denominator: float) -> float | None:
    return None if numerator is None or denominator == 0 else numerator / denominator
