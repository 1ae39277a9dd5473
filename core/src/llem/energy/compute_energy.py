"""From series and windows to the outcome's energy: rows, totals, idle, uncertainty, reasons."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal

from llem.api.meters import DeviceState, Provenance, Series
from llem.api.session import RunResult
from llem.energy.conditions import conditions, findings
from llem.energy.coverage import Span
from llem.energy.findings import findings_of
from llem.energy.idle import together
from llem.energy.phase_energy import phase_energy
from llem.energy.precision import slowest_period_s
from llem.energy.reconcile import deduplicate
from llem.energy.rows import IdleSource, Row, rows_of
from llem.energy.statistics import quadrature, ratio, ratio_precision, total
from llem.schema.energy import DeviceEnergy, Energy, IdlePower
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason

DEFAULT_THRESHOLDS = ThresholdsConfig()


def compute_energy(
    series: Sequence[Series],
    windows: Sequence[Span],
    *,
    bare: IdleSource = None,
    loaded: Span | None = None,
    after: Span | None = None,
    basis: Literal["bare", "loaded"] = "bare",
    output_tokens: Sequence[int] = (),
    requests: Sequence[int] = (),
    runs: Sequence[RunResult] = (),
    input_tokens: int = 0,
    states: Sequence[DeviceState] = (),
    foreign: Collection[int] = (),
    thresholds: ThresholdsConfig = DEFAULT_THRESHOLDS,
) -> tuple[Energy, list[Reason], list[float | None]]:
    """Return the energy of ``windows``, what is to be said about it, and each window's energy.

    Domains that another domain of the same device contains have rows of their own and are
    left out of the totals. A total is unavailable as soon as one counted row is.

    The rows' random errors are independent and add up in quadrature. Gain errors of one
    meter's sensors are taken as fully correlated and add up linearly; those of different
    meters are independent.

    Args:
        series: Readings of the devices that were used.
        windows: The measured repetitions: disjoint, in order of time.
        bare: When the machine idled before the worker was started, or how it did earlier.
        loaded: When it idled with the model in memory.
        after: When it idled after the last repetition.
        basis: Which idle power is subtracted for net energy.
        output_tokens: Of each window.
        requests: Of each window.
        runs: What was done in the windows, where it is to be split into phases.
        input_tokens: Of all windows.
        states: What was seen of those devices beside energy.
        foreign: Processes that do not belong to what is measured.
        thresholds: Beyond which something is a reason.

    Units: joules, watts, seconds.
    """
    spans: dict[str, IdleSource] = {"bare": bare, "loaded": loaded, "after": after}
    rows = deduplicate(rows_of(series, windows, spans, basis))
    counted = [row for row in rows if row.counted]
    duration_s = sum(end_s - start_s for start_s, end_s in windows)
    gross_j = total([row.gross_j for row in counted])
    net_j = total([row.net_j for row in counted])
    uncertainty_j = (
        quadrature([row.uncertainty_j for row in counted]) if gross_j is not None else None
    )
    seen = conditions(states, windows, foreign)
    energy = Energy(
        provenance=_provenance(counted, gross_j),
        gross_j=gross_j,
        idle_j=None if gross_j is None or net_j is None else gross_j - net_j,
        net_j=net_j,
        uncertainty_j=uncertainty_j,
        gain_uncertainty_j=_gain_uncertainty_j(counted),
        net_uncertainty_j=quadrature([row.net_uncertainty_j for row in counted]),
        j_per_output_token=ratio(gross_j, sum(output_tokens)),
        uncertainty_j_per_output_token=_per_unit_uncertainty_j(counted, windows, output_tokens),
        j_per_request=ratio(gross_j, sum(requests)),
        uncertainty_j_per_request=_per_unit_uncertainty_j(counted, windows, requests),
        net_j_per_output_token=ratio(net_j, sum(output_tokens)),
        net_j_per_request=ratio(net_j, sum(requests)),
        mean_w=ratio(gross_j, duration_s),
        idle_basis=basis if net_j is not None else None,
        bare_idle=_idle("bare", counted),
        loaded_idle=_idle("loaded", counted),
        after_idle=_idle("after", counted),
        phases=phase_energy(counted, runs, input_tokens) if runs else None,
        devices=tuple(map(_device, rows)),
        conditions=tuple(seen),
    )
    reasons = [*findings_of(rows, thresholds), *findings(seen, thresholds)]
    return energy, reasons, _window_energies(counted, len(windows))


def _device(row: Row) -> DeviceEnergy:
    channel, known = row.used.channel, row.gross_j is not None
    return DeviceEnergy(
        device=channel.device,
        domain=channel.domain,
        meter=row.series.meter,
        method=channel.quantity,
        provenance=row.provenance,
        gross_j=row.gross_j,
        idle_w=row.idle.power_w if row.idle else None,
        net_j=row.net_j,
        uncertainty_j=row.uncertainty_j if known else None,
        gain_uncertainty_j=row.gain_uncertainty_j,
        net_uncertainty_j=row.net_uncertainty_j,
        mean_w=ratio(row.gross_j, row.duration_s),
        counted_in_total=row.counted,
        update_period_s=row.integral.update_period_s,
        missed_readings=row.integral.missed,
        gap_s=row.integral.gap_s,
        note="; ".join(part for part in (channel.note, channel.fallback_for) if part),
    )


def _window_energies(counted: Sequence[Row], count: int) -> list[float | None]:
    """Return the energy of each window over all counted rows."""
    if not counted:
        return [None] * count
    return [total([row.each_j[at] for row in counted]) for at in range(count)]


def _per_unit_uncertainty_j(
    counted: Sequence[Row], windows: Sequence[Span], amounts: Sequence[int]
) -> float | None:
    """Return the standard uncertainty of energy per amount: of readings, and over repetitions."""
    energies = _window_energies(counted, len(windows))
    gross_j, measuring_j = total(energies), quadrature([row.uncertainty_j for row in counted])
    if gross_j is None or measuring_j is None or sum(amounts) == 0:
        return None
    reached = ratio_precision(
        [energy_j for energy_j in energies if energy_j is not None],
        amounts,
        [end_s - start_s for start_s, end_s in windows],
        uncertainty_j=measuring_j,
        update_period_s=slowest_period_s(counted),
    )
    repeating_j = 0.0 if reached is None else reached.standard_error_ratio * gross_j
    return math.hypot(measuring_j, repeating_j) / sum(amounts)


def _provenance(counted: Sequence[Row], gross_j: float | None) -> Provenance:
    """Return the weakest provenance: a sum is as good as its worst part."""
    if gross_j is None:
        return Provenance.UNAVAILABLE
    estimated = any(row.series.provenance is Provenance.ESTIMATED for row in counted)
    return Provenance.ESTIMATED if estimated else Provenance.MEASURED


def _gain_uncertainty_j(counted: Sequence[Row]) -> float | None:
    by_meter: dict[str, list[float | None]] = {}
    for row in counted:
        by_meter.setdefault(row.series.meter, []).append(row.gain_uncertainty_j)
    return quadrature([total(parts) for parts in by_meter.values()])


def _idle(name: str, counted: Sequence[Row]) -> IdlePower | None:
    idle = together([row.idles[name] for row in counted])
    if idle is None:
        return None
    return IdlePower(
        duration_s=idle.duration_s,
        power_w=idle.power_w,
        standard_error_w=idle.standard_error_w,
        drift_w=idle.drift_w,
        age_s=idle.age_s,
    )
