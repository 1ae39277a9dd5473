"""Metrics that are compared and plotted: name, unit, and where an outcome has their values."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from llem.errors import ConfigError
from llem.schema.outcome import Outcome, Repetition

_OfRepetition = Callable[[Outcome, Repetition], float | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its name, which carries the unit.
        label: Its name in text.
        unit: SI unit.
        better: Whether lower or higher values are better.
        key: Dotted key of its value in an outcome; empty for the mean over repetitions.
        of_repetition: Returns its value for one repetition; ``None`` if a repetition has none.
        is_energy: Whether a sensor's gain error acts on it.
    """

    name: str
    label: str
    unit: str
    better: Literal["lower", "higher"]
    key: str
    of_repetition: _OfRepetition | None = None
    is_energy: bool = False

    def of(self, outcome: Outcome) -> float | None:
        """Return its value, measured by llem or imported; ``None`` if the outcome has none."""
        if outcome.imported is not None:
            return outcome.imported.metrics.get(self.name)
        if not self.key:
            values = self.repetitions(outcome)
            return sum(values) / len(values) if values else None
        value: Any = outcome
        for name in self.key.split("."):
            value = None if value is None else getattr(value, name)
        return cast("float | None", value)

    def repetitions(self, outcome: Outcome) -> list[float]:
        """Return its value in each measured repetition; empty if a repetition has none."""
        if outcome.imported is not None:
            return list(outcome.imported.repetitions.get(self.name, ()))
        if self.of_repetition is None:
            return []
        values = [self.of_repetition(outcome, part) for part in outcome.timing.repetitions]
        return [] if None in values else [value for value in values if value is not None]


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


def _gross_j(outcome: Outcome, repetition: Repetition) -> float | None:
    return repetition.gross_j


def _net_j(outcome: Outcome, repetition: Repetition) -> float | None:
    idle_j = outcome.energy.idle_j if outcome.energy else None
    if repetition.gross_j is None or idle_j is None or not outcome.timing.duration_s:
        return None
    # Idle energy is idle power times window time, so a repetition has its share of the time.
    return repetition.gross_j - idle_j * repetition.duration_s / outcome.timing.duration_s


def _duration_s(outcome: Outcome, repetition: Repetition) -> float | None:
    return repetition.duration_s


def _requests(outcome: Outcome, repetition: Repetition) -> float | None:
    return outcome.workload.requests if outcome.workload else None


def _output_tokens(outcome: Outcome, repetition: Repetition) -> float | None:
    return repetition.output_tokens


def _output_tokens_per_s(outcome: Outcome, repetition: Repetition) -> float | None:
    return repetition.output_tokens_per_s


def _tokens(outcome: Outcome, repetition: Repetition) -> float | None:
    return repetition.input_tokens + repetition.output_tokens


def _ratio(above: _OfRepetition, below: _OfRepetition) -> _OfRepetition:
    def ratio(outcome: Outcome, repetition: Repetition) -> float | None:
        numerator, denominator = above(outcome, repetition), below(outcome, repetition)
        return None if numerator is None or not denominator else numerator / denominator

    return ratio


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "j_per_output_token", "energy per output token", "J", "lower",
            "energy.j_per_output_token", _ratio(_gross_j, _output_tokens), is_energy=True,
        ),
        Metric(
            "net_j_per_output_token", "net energy per output token", "J", "lower",
            "energy.net_j_per_output_token", _ratio(_net_j, _output_tokens), is_energy=True,
        ),
        Metric(
            "j_per_request", "energy per request", "J", "lower",
            "energy.j_per_request", _ratio(_gross_j, _requests), is_energy=True,
        ),
        Metric(
            "net_j_per_request", "net energy per request", "J", "lower",
            "energy.net_j_per_request", _ratio(_net_j, _requests), is_energy=True,
        ),
        Metric(
            "j_per_prefill_token", "energy per prefill token", "J", "lower",
            "energy.phases.j_per_prefill_token", is_energy=True,
        ),
        Metric(
            "j_per_decode_token", "energy per decode token", "J", "lower",
            "energy.phases.j_per_decode_token", is_energy=True,
        ),
        Metric(
            "mean_w", "mean power", "W", "lower",
            "energy.mean_w", _ratio(_gross_j, _duration_s), is_energy=True,
        ),
        Metric(
            "output_tokens_per_s", "output tokens per second", "1/s", "higher",
            "throughput.output_tokens_per_s", _output_tokens_per_s,
        ),
        Metric(
            "total_tokens_per_s", "all tokens per second", "1/s", "higher",
            "throughput.total_tokens_per_s", _ratio(_tokens, _duration_s),
        ),
        Metric(
            "requests_per_s", "requests per second", "1/s", "higher",
            "throughput.requests_per_s", _ratio(_requests, _duration_s),
        ),
        Metric("duration_s", "time per repetition", "s", "lower", "", _duration_s),
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
}  # fmt: skip
"""Every metric, by its name."""

DEFAULT_METRICS = ("j_per_output_token", "output_tokens_per_s")
"""Metrics that are compared unless others are named."""
