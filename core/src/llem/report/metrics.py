"""Metrics that are compared and plotted: name, unit, and where an outcome has their values."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal, cast

from llem.errors import ConfigError
from llem.schema.energy import Energy
from llem.schema.fields import value_at
from llem.schema.outcome import Outcome, Repetition

Ratio = tuple[str, str]
"""Two amounts of one repetition, by their names in ``_amounts``."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its name, which carries the unit.
        label: Its name in text.
        unit: SI unit.
        better: Whether lower or higher values are better.
        key: Dotted key of its value in an outcome; empty for the mean over repetitions.
        ratio: Numerator and denominator of its value in one repetition; ``None`` if a repetition
            has no value.
        is_energy: Whether a sensor's gain error acts on it.
    """

    name: str
    label: str
    unit: str
    better: Literal["lower", "higher"]
    key: str
    ratio: Ratio | None = None
    is_energy: bool = False

    def of(self, outcome: Outcome) -> float | None:
        """Return its value, measured by llem or imported; ``None`` if the outcome has none."""
        if outcome.imported is not None:
            return outcome.imported.metrics.get(self.name)
        if not self.key:
            values = self.repetitions(outcome)
            return sum(values) / len(values) if values else None
        return cast("float | None", value_at(outcome, self.key))

    def repetitions(self, outcome: Outcome) -> list[float]:
        """Return its value in each measured repetition; empty if a repetition has none."""
        if outcome.imported is not None:
            return list(outcome.imported.repetitions.get(self.name, ()))
        if self.ratio is None:
            return []
        values = []
        for repetition in outcome.timing.repetitions:
            numerator, denominator = map(_amounts(outcome, repetition).get, self.ratio)
            if numerator is None or not denominator:
                return []
            values.append(numerator / denominator)
        return values


def metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises:
        ConfigError: There is no such metric.
    """
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"there is no metric {name!r}.{meant}", hint=f"Metrics: {', '.join(METRICS)}")


def gain_ratio(energy: Energy | None) -> float:
    """Return the relative error of the sensors' gain; 0 where there is no energy or no error."""
    if energy is None or not energy.gross_j or energy.gain_uncertainty_j is None:
        return 0.0
    return energy.gain_uncertainty_j / energy.gross_j


def _amounts(outcome: Outcome, repetition: Repetition) -> dict[str, float | None]:
    """Return the amounts of one repetition that metrics are ratios of."""
    return {
        "gross_j": repetition.gross_j,
        "net_j": _net_j(outcome, repetition),
        "output_tokens": repetition.output_tokens,
        "tokens": repetition.input_tokens + repetition.output_tokens,
        "requests": outcome.workload.requests if outcome.workload else None,
        "duration_s": repetition.duration_s,
        "repetitions": 1,
    }


def _net_j(outcome: Outcome, repetition: Repetition) -> float | None:
    idle_j = outcome.energy.idle_j if outcome.energy else None
    if repetition.gross_j is None or idle_j is None or not outcome.timing.duration_s:
        return None
    # Idle energy is idle power times window time, so a repetition has its share of the time.
    return repetition.gross_j - idle_j * repetition.duration_s / outcome.timing.duration_s


def _energy(
    name: str, label: str, unit: str, ratio: Ratio | None, section: str = "energy"
) -> Metric:
    return Metric(name, label, unit, "lower", f"{section}.{name}", ratio, is_energy=True)


def _speed(name: str, label: str, ratio: Ratio) -> Metric:
    return Metric(name, label, "1/s", "higher", f"throughput.{name}", ratio)


METRICS = {
    metric.name: metric
    for metric in (
        _energy("j_per_output_token", "energy per output token", "J", ("gross_j", "output_tokens")),
        _energy(
            "net_j_per_output_token", "net energy per output token", "J", ("net_j", "output_tokens")
        ),
        _energy("j_per_request", "energy per request", "J", ("gross_j", "requests")),
        _energy("net_j_per_request", "net energy per request", "J", ("net_j", "requests")),
        _energy("j_per_prefill_token", "energy per prefill token", "J", None, "energy.phases"),
        _energy("j_per_decode_token", "energy per decode token", "J", None, "energy.phases"),
        _energy("mean_w", "mean power", "W", ("gross_j", "duration_s")),
        _speed("output_tokens_per_s", "output tokens per second", ("output_tokens", "duration_s")),
        _speed("total_tokens_per_s", "all tokens per second", ("tokens", "duration_s")),
        _speed("requests_per_s", "requests per second", ("requests", "duration_s")),
        Metric(
            "duration_s", "time per repetition", "s", "lower", "", ("duration_s", "repetitions")
        ),
        Metric("ttft_s_p50", "median time to first token", "s", "lower", "latency.ttft_s.p50"),
        Metric("ttft_s_p99", "99 % time to first token", "s", "lower", "latency.ttft_s.p99"),
        Metric("itl_s_p50", "median inter-token latency", "s", "lower", "latency.itl_s.p50"),
        Metric("itl_s_p99", "99 % inter-token latency", "s", "lower", "latency.itl_s.p99"),
        Metric("e2e_s_p50", "median request latency", "s", "lower", "latency.e2e_s.p50"),
        Metric("e2e_s_p99", "99 % request latency", "s", "lower", "latency.e2e_s.p99"),
        Metric("device_peak_bytes", "peak device memory", "B", "lower", "memory.device_peak_bytes"),
        Metric(
            "host_peak_rss_bytes", "peak host memory", "B", "lower", "memory.host_peak_rss_bytes"
        ),
    )
}
"""Every metric, by its name."""

DEFAULT_METRICS = ("j_per_output_token", "output_tokens_per_s")
"""Metrics that are compared unless others are named."""
