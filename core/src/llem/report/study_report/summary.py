"""The summary of a variant: energy per 1,000 requests, its interval and its boundary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from llem.api.meters import Provenance
from llem.energy.statistics import ratio, spread, total
from llem.report.metrics import gain_ratio
from llem.schema.energy import Energy
from llem.schema.fields import value_at
from llem.schema.outcome import Outcome

REQUESTS = 1000
J_PER_WH = 3600.0
_NORMAL_975 = 1.959964  # 97.5 % quantile of the normal distribution


GRID_SOURCE = "Our World in Data from Ember, carbon intensity of electricity generation, 2023"

GRID_G_PER_KWH: Mapping[str, float] = MappingProxyType(
    {
        "AU": 548.7, "BR": 98.3, "CA": 170.0, "CH": 34.8, "CN": 582.3, "DE": 381.0, "DK": 151.7,
        "ES": 174.1, "FI": 79.2, "FR": 56.0, "GB": 237.6, "IE": 290.8, "IN": 713.4, "IT": 330.7,
        "JP": 485.4, "KR": 430.6, "NL": 267.6, "NO": 30.1, "PL": 661.9, "SE": 40.7, "SG": 470.8,
        "TW": 642.4, "US": 369.5,
    }
)  # fmt: skip
"""Mean grid intensity in grams of CO2 equivalent, by ISO 3166 two-letter code."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Factors from energy to emissions and cost; ``None`` for a rate that the user did not give.

    Attributes:
        carbon_g_per_kwh: Carbon intensity of the electricity, in grams of CO2 equivalent.
        price_per_kwh: Price of the electricity.
        currency: Currency of the price.
        pue_ratio: Power usage effectiveness: energy of the building per energy of the machine.
        country: Two-letter code whose mean grid intensity is used, or empty.
    """

    carbon_g_per_kwh: float | None = None
    price_per_kwh: float | None = None
    currency: str = ""
    pue_ratio: float = 1.0
    country: str = ""

    @property
    def stated(self) -> list[tuple[float, str, str]]:
        """Each rate in use, its unit per kWh, and its source in words."""
        carbon_source = f"mean of {self.country}: {GRID_SOURCE}" if self.country else "as given"
        rates = (
            (self.carbon_g_per_kwh, "g CO₂e", carbon_source),
            (self.price_per_kwh, self.currency, "as given"),
        )
        return [(rate, unit, source) for rate, unit, source in rates if rate is not None]


@dataclass(frozen=True, slots=True)
class Summary:
    """One variant.

    Attributes:
        label: The settings in which the variant differs from others.
        ids: Its outcomes.
        estimated: Whether any part of the energy is an estimate.
        gross_wh: Gross energy per 1,000 requests, in Wh.
        low_wh: Lower end of its 95 % interval; ``None`` if its precision is unknown.
        high_wh: Upper end.
        net_wh: Net energy per 1,000 requests; ``None`` if idle power is unknown.
        input_tokens: Prompt tokens per request.
        output_tokens: Output tokens per request.
        carbon_g: Grams of CO2 equivalent per 1,000 requests; ``None`` without a rate.
        cost: Price of the electricity for 1,000 requests; ``None`` without a rate.
        boundary: What the energy covers and what it does not, in text.
    """

    label: str
    ids: tuple[str, ...]
    estimated: bool
    gross_wh: float
    low_wh: float | None
    high_wh: float | None
    net_wh: float | None
    input_tokens: float | None
    output_tokens: float | None
    carbon_g: float | None
    cost: float | None
    boundary: str


def summarize(label: str, outcomes: Sequence[Outcome], rates: Rates) -> Summary | None:
    """Return the summary of one variant's runs, or ``None`` if no energy is known.

    The interval covers the spread between runs (within the run, if there is a single one), and
    the sensors' gain error, which repetitions do not show.
    """
    path = "energy.j_per_request"
    runs = [outcome for outcome in outcomes if value_at(outcome, path) is not None]
    energies = [outcome.energy for outcome in runs if outcome.energy]
    if not energies:
        return None
    gross_j = ratio(total([energy.j_per_request for energy in energies]), len(energies))
    net_j = ratio(total([energy.net_j_per_request for energy in energies]), len(energies))
    assert gross_j is not None
    half_j = _half_width_j(energies)
    kwh = _wh(gross_j) * rates.pue_ratio / 1000
    return Summary(
        label=label,
        ids=tuple(outcome.id for outcome in runs),
        estimated=any(energy.provenance is not Provenance.MEASURED for energy in energies),
        gross_wh=_wh(gross_j),
        low_wh=None if half_j is None else _wh(max(0.0, gross_j - half_j)),
        high_wh=None if half_j is None else _wh(gross_j + half_j),
        net_wh=None if net_j is None else _wh(net_j),
        input_tokens=_per_request(runs, "input_tokens"),
        output_tokens=_per_request(runs, "output_tokens"),
        carbon_g=None if rates.carbon_g_per_kwh is None else kwh * rates.carbon_g_per_kwh,
        cost=None if rates.price_per_kwh is None else kwh * rates.price_per_kwh,
        boundary=_boundary(energies[0]),
    )


def _boundary(energy: Energy) -> str:
    rows = [row for row in energy.devices if row.counted_in_total]
    if not rows:
        return "No energy was metered."
    parts = dict.fromkeys(
        f"{row.device} {row.domain} ({row.meter}, {row.provenance})" for row in rows
    )
    net = f"; net is the part above {energy.idle_basis} idle power" if energy.idle_basis else ""
    return (
        f"Covers {', '.join(parts)} while requests were being answered{net}. "
        "Excludes loading, cooling, power supply losses and all other parts of the machine."
    )


def _half_width_j(energies: Sequence[Energy]) -> float | None:
    values = [energy.j_per_request for energy in energies if energy.j_per_request is not None]
    gain_j = _NORMAL_975 * max(map(gain_ratio, energies)) * math.fsum(values) / len(values)
    if len(values) > 1:
        over_runs = spread(values)
        assert over_runs.ci95_high is not None
        return math.hypot(over_runs.ci95_high - over_runs.mean, gain_j)
    error_j = energies[0].uncertainty_j_per_request
    return None if error_j is None else math.hypot(_NORMAL_975 * error_j, gain_j)


def _per_request(outcomes: Sequence[Outcome], name: str) -> float | None:
    tokens = requests = 0
    for outcome in outcomes:
        if outcome.tokens is None or outcome.workload is None:
            return None
        tokens += getattr(outcome.tokens, name)
        requests += outcome.workload.requests * len(outcome.timing.repetitions)
    return tokens / requests if requests else None


def _wh(joules_per_request: float) -> float:
    return joules_per_request * REQUESTS / J_PER_WH
