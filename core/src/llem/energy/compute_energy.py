"""From rows and work to the outcome's energy: totals, energy per token and request, reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from llem.api.meters import Provenance
from llem.api.session import RunResult
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import EnergyRows, slowest_period_s
from llem.energy.idle import sum_of_idles
from llem.energy.phases import phase_energy
from llem.energy.reasons import condition_reasons, row_reasons
from llem.energy.statistics import quadrature, ratio, ratio_precision, total
from llem.schema.energy import DeviceConditions, DeviceEnergy, Energy, IdlePower
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason


@dataclass(frozen=True, slots=True)
class Work:
    """What was done in the windows.

    Attributes:
        output_tokens: Generated tokens in each window.
        requests: Finished requests in each window.
        input_tokens: Prompt tokens of all windows together.
        runs: The repetitions, whose energy is split into phases; empty for a command.
    """

    output_tokens: Sequence[int] = ()
    requests: Sequence[int] = ()
    input_tokens: int = 0
    runs: Sequence[RunResult] = ()


NO_WORK = Work()
DEFAULT_THRESHOLDS = ThresholdsConfig()


def compute_energy(
    rows: EnergyRows,
    work: Work = NO_WORK,
    conditions: Sequence[DeviceConditions] = (),
    thresholds: ThresholdsConfig = DEFAULT_THRESHOLDS,
) -> tuple[Energy, list[Reason]]:
    """Return the energy over the windows of ``rows``, and the reasons that follow from it.

    Domains that another domain of the same device contains have rows of their own and are
    left out of the totals. A total is unavailable as soon as one counted row is.

    The rows' random errors are independent and add up in quadrature. Gain errors of one
    meter's sensors are taken as fully correlated and add up linearly; those of different
    meters are independent.

    Args:
        rows: The energy of each domain.
        work: The work that the energy was used for.
        conditions: Temperature, clocks and the like of the devices.
        thresholds: Thresholds of the reasons.

    Units: joules, watts, seconds.
    """
    gross_j, counted = rows.gross_j, rows.counted
    net_j = total([row.net_j for row in counted])
    output_tokens, requests = sum(work.output_tokens), sum(work.requests)
    energy = Energy(
        provenance=_provenance(rows),
        gross_j=gross_j,
        idle_j=None if gross_j is None or net_j is None else gross_j - net_j,
        net_j=net_j,
        uncertainty_j=None if gross_j is None else rows.uncertainty_j,
        gain_uncertainty_j=_gain_uncertainty_j(counted),
        net_uncertainty_j=quadrature([row.net_uncertainty_j for row in counted]),
        j_per_output_token=ratio(gross_j, output_tokens),
        uncertainty_j_per_output_token=_uncertainty_j_per_unit(rows, work.output_tokens),
        j_per_request=ratio(gross_j, requests),
        uncertainty_j_per_request=_uncertainty_j_per_unit(rows, work.requests),
        net_j_per_output_token=ratio(net_j, output_tokens),
        net_j_per_request=ratio(net_j, requests),
        mean_w=ratio(gross_j, sum(rows.durations_s)),
        idle_basis=counted[0].basis if net_j is not None else None,
        bare_idle=_idle("bare", counted),
        loaded_idle=_idle("loaded", counted),
        after_idle=_idle("after", counted),
        phases=phase_energy(counted, work.runs, work.input_tokens) if work.runs else None,
        devices=tuple(map(_device, rows.rows)),
        conditions=tuple(conditions),
    )
    reasons = row_reasons(rows.rows, thresholds), condition_reasons(conditions, thresholds)
    return energy, [reason for kind in reasons for reason in kind]


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


def _uncertainty_j_per_unit(rows: EnergyRows, amounts: Sequence[int]) -> float | None:
    """Return the standard uncertainty of energy per amount: of readings, and over repetitions."""
    gross_j, measuring_j = total(rows.window_j), rows.uncertainty_j
    if gross_j is None or measuring_j is None or sum(amounts) == 0:
        return None
    reached = ratio_precision(
        [energy_j for energy_j in rows.window_j if energy_j is not None],
        amounts,
        rows.durations_s,
        uncertainty_j=measuring_j,
        update_period_s=slowest_period_s(rows.counted),
    )
    repeating_j = 0.0 if reached is None else reached.standard_error_ratio * gross_j
    return math.hypot(measuring_j, repeating_j) / sum(amounts)


def _provenance(rows: EnergyRows) -> Provenance:
    """Return the weakest provenance: a sum is as good as its worst part."""
    if rows.gross_j is None:
        return Provenance.UNAVAILABLE
    estimated = any(row.series.provenance is Provenance.ESTIMATED for row in rows.counted)
    return Provenance.ESTIMATED if estimated else Provenance.MEASURED


def _gain_uncertainty_j(counted: Sequence[Row]) -> float | None:
    by_meter: dict[str, list[float | None]] = {}
    for row in counted:
        by_meter.setdefault(row.series.meter, []).append(row.gain_uncertainty_j)
    return quadrature([total(parts) for parts in by_meter.values()])


def _idle(name: str, counted: Sequence[Row]) -> IdlePower | None:
    idle = sum_of_idles([row.idles[name] for row in counted])
    return None if idle is None else IdlePower(**asdict(idle))
