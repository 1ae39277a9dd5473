"""The plain-language summary: energy per 1,000 requests, with its interval and its boundary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from llem.api.meters import Provenance
from llem.energy.statistics import spread
from llem.report.outcome_table import number
from llem.schema.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        value: The number, in SI units or as the source defines it; ``None`` if not measured.
        source: ``<outcome id>#<dotted key>`` of a stored figure, or the name of a computed one.
        text: How it is shown; by default four significant digits.
    """

    value: float | None
    source: str
    text: str = ""

    @property
    def shown(self) -> str:
        """The text that readers see."""
        return self.text or number(self.value)


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
    def grid_source(self) -> str:
        """The country's code and the source of its grid intensity, or empty."""
        return f"{self.country}: {GRID_SOURCE}" if self.country else ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One variant in plain language.

    Attributes:
        label: What tells the variant apart.
        runs: How many runs it rests on.
        estimated: Whether any part of the energy is an estimate.
        gross_wh: Gross energy per 1,000 requests.
        low_wh: Lower end of its 95 % interval.
        high_wh: Upper end.
        net_wh: Net energy per 1,000 requests.
        input_tokens: Prompt tokens of a request.
        output_tokens: Output tokens of a request.
        carbon_g: Grams of CO2 equivalent per 1,000 requests.
        cost: Price of the electricity for 1,000 requests.
        boundary: What the energy covers and what it does not, in one sentence.
    """

    label: str
    runs: int
    estimated: bool
    gross_wh: Figure
    low_wh: Figure
    high_wh: Figure
    net_wh: Figure
    input_tokens: Figure
    output_tokens: Figure
    carbon_g: Figure | None
    cost: Figure | None
    boundary: str


def summarise(label: str, outcomes: Sequence[Outcome], rates: Rates) -> Summary | None:
    """Return the summary of one variant's runs, or ``None`` where no energy is known.

    The interval covers the spread between runs (within the one run, if it is a single one), and
    the sensors' gain error, which no repetition shows.
    """
    known = [one for one in outcomes if one.energy and one.energy.j_per_request is not None]
    if not known:
        return None
    name = " ".join(one.id for one in known)
    gross_j = _mean([one.energy.j_per_request for one in known if one.energy])
    net_j = _mean([one.energy.net_j_per_request for one in known if one.energy])
    assert gross_j is not None
    half_j = _half_width_j(known)
    gross_wh = _wh(gross_j)
    building_wh = gross_wh * rates.pue_ratio
    return Summary(
        label=label,
        runs=len(known),
        estimated=any(
            one.energy.provenance is not Provenance.MEASURED for one in known if one.energy
        ),
        gross_wh=Figure(gross_wh, f"summary.gross_wh {name}"),
        low_wh=Figure(
            None if half_j is None else _wh(max(0.0, gross_j - half_j)), f"summary.low_wh {name}"
        ),
        high_wh=Figure(
            None if half_j is None else _wh(gross_j + half_j), f"summary.high_wh {name}"
        ),
        net_wh=Figure(None if net_j is None else _wh(net_j), f"summary.net_wh {name}"),
        input_tokens=Figure(_per_request(known, "input_tokens"), f"summary.input_tokens {name}"),
        output_tokens=Figure(_per_request(known, "output_tokens"), f"summary.output_tokens {name}"),
        carbon_g=_rated(building_wh, rates.carbon_g_per_kwh, f"summary.carbon_g {name}"),
        cost=_rated(building_wh, rates.price_per_kwh, f"summary.cost {name}"),
        boundary=boundary(known[0]),
    )


def boundary(outcome: Outcome) -> str:
    """Return in one sentence what the energy covers and what it leaves out."""
    energy = outcome.energy
    rows = [row for row in energy.devices if row.counted_in_total] if energy else []
    if not rows:
        return "No energy was metered."
    parts = [f"{row.device} {row.domain} ({row.meter}, {row.provenance})" for row in rows]
    idle = energy.idle_basis if energy else None
    net = f"; net is what remains above {idle} idle power" if idle else ""
    return (
        f"Covers {', '.join(dict.fromkeys(parts))} while requests were being answered{net}. "
        "Loading, cooling, power supply losses and everything else in the machine are not in it."
    )


def _half_width_j(outcomes: Sequence[Outcome]) -> float | None:
    energies = [one.energy for one in outcomes if one.energy]
    values = [one.j_per_request for one in energies if one.j_per_request is not None]
    gains = [
        (one.gain_uncertainty_j or 0.0) / one.gross_j for one in energies if one.gross_j is not None
        and one.gross_j > 0
    ]  # fmt: skip
    gain_j = _NORMAL_975 * max(gains, default=0.0) * math.fsum(values) / len(values)
    if len(values) > 1:
        runs = spread(values)
        assert runs.ci95_high is not None
        return math.hypot(runs.ci95_high - runs.mean, gain_j)
    error_j = energies[0].uncertainty_j_per_request
    return None if error_j is None else math.hypot(_NORMAL_975 * error_j, gain_j)


def _per_request(outcomes: Sequence[Outcome], name: str) -> float | None:
    tokens = requests = 0
    for one in outcomes:
        if one.tokens is None or one.workload is None:
            return None
        tokens += getattr(one.tokens, name)
        requests += one.workload.requests * len(one.timing.repetitions)
    return tokens / requests if requests else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if len(known) == len(values) else None


def _wh(joules_per_request: float) -> float:
    return joules_per_request * REQUESTS / J_PER_WH


def _rated(energy_wh: float, rate_per_kwh: float | None, source: str) -> Figure | None:
    """Return energy times a rate; money of a thousandth of a cent is not written as a power."""
    if rate_per_kwh is None:
        return None
    value = energy_wh / 1000 * rate_per_kwh
    text = np.format_float_positional(value, precision=3, fractional=False, trim="-")
    return Figure(value, source, text)
