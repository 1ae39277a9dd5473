"""The figures of an outcome that are compared and plotted: name, unit, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from llem.errors import ConfigError
from llem.schema.outcome import Outcome, Repetition


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    Attributes:
        name: Its key, which carries the unit.
        label: What readers call it.
        unit: SI unit.
        better: Which way is better.
        measured: Returns it for an outcome that llem measured; ``None`` where it did not.
        each: Returns it for one repetition, if a repetition has it.
        is_energy: Whether a sensor's gain error acts on it.
    """

    name: str
    label: str
    unit: str
    better: Literal["lower", "higher"]
    measured: Callable[[Outcome], float | None]
    each: Callable[[Outcome, Repetition], float | None] | None = None
    is_energy: bool = False

    def of(self, outcome: Outcome) -> float | None:
        """Return its value, an imported one included; ``None`` where nobody measured it."""
        if outcome.imported is not None:
            return outcome.imported.metrics.get(self.name)
        return self.measured(outcome)

    def repetitions(self, outcome: Outcome) -> list[float]:
        """Return its value in each measured repetition; empty where it has none."""
        if outcome.imported is not None:
            return list(outcome.imported.repetitions.get(self.name, ()))
        if self.each is None:
            return []
        values = [self.each(outcome, one) for one in outcome.timing.repetitions]
        return [] if None in values else [value for value in values if value is not None]


def metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises:
        ConfigError: There is none.
    """
    import difflib

    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"there is no metric {name!r}.{meant}", hint=f"Metrics: {', '.join(METRICS)}")


def _energy(name: str) -> Callable[[Outcome], float | None]:
    return lambda outcome: getattr(outcome.energy, name) if outcome.energy else None


def _gross_j(outcome: Outcome, one: Repetition) -> float | None:
    return one.gross_j


def _net_j(outcome: Outcome, one: Repetition) -> float | None:
    idle_j, duration_s = _energy("idle_j")(outcome), outcome.timing.duration_s
    if one.gross_j is None or idle_j is None or not duration_s:
        return None
    # Idle energy is idle power times window time, so each repetition has its share of it.
    return one.gross_j - idle_j * one.duration_s / duration_s


def _per_output_token(
    energy_j: Callable[[Outcome, Repetition], float | None],
) -> Callable[[Outcome, Repetition], float | None]:
    def ratio(outcome: Outcome, one: Repetition) -> float | None:
        joules = energy_j(outcome, one)
        return None if joules is None or not one.output_tokens else joules / one.output_tokens

    return ratio


def _per_request(
    energy_j: Callable[[Outcome, Repetition], float | None],
) -> Callable[[Outcome, Repetition], float | None]:
    def ratio(outcome: Outcome, one: Repetition) -> float | None:
        joules = energy_j(outcome, one)
        requests = outcome.workload.requests if outcome.workload else 0
        return None if joules is None or not requests else joules / requests

    return ratio


def _mean_w(outcome: Outcome, one: Repetition) -> float | None:
    return None if one.gross_j is None or not one.duration_s else one.gross_j / one.duration_s


def _latency(kind: str, quantile: str) -> Callable[[Outcome], float | None]:
    def value(outcome: Outcome) -> float | None:
        quantiles = getattr(outcome.latency, kind) if outcome.latency else None
        return getattr(quantiles, quantile) if quantiles else None

    return value


def _memory(name: str) -> Callable[[Outcome], float | None]:
    return lambda outcome: getattr(outcome.memory, name) if outcome.memory else None


def _throughput(name: str) -> Callable[[Outcome], float | None]:
    return lambda outcome: getattr(outcome.throughput, name) if outcome.throughput else None


def _phase(name: str) -> Callable[[Outcome], float | None]:
    def value(outcome: Outcome) -> float | None:
        phases = outcome.energy.phases if outcome.energy else None
        return getattr(phases, name) if phases else None

    return value


def _requests_per_s(outcome: Outcome, one: Repetition) -> float | None:
    return outcome.workload.requests / one.duration_s if outcome.workload else None


def _total_tokens_per_s(outcome: Outcome, one: Repetition) -> float | None:
    return (one.input_tokens + one.output_tokens) / one.duration_s


def _by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    return {one.name: one for one in metrics}


METRICS = _by_name(
    [
        Metric(
            "j_per_output_token", "energy per output token", "J", "lower",
            _energy("j_per_output_token"), _per_output_token(_gross_j), is_energy=True,
        ),
        Metric(
            "net_j_per_output_token", "net energy per output token", "J", "lower",
            _energy("net_j_per_output_token"), _per_output_token(_net_j), is_energy=True,
        ),
        Metric(
            "j_per_request", "energy per request", "J", "lower",
            _energy("j_per_request"), _per_request(_gross_j), is_energy=True,
        ),
        Metric(
            "net_j_per_request", "net energy per request", "J", "lower",
            _energy("net_j_per_request"), _per_request(_net_j), is_energy=True,
        ),
        Metric(
            "j_per_prefill_token", "energy per prefill token", "J", "lower",
            _phase("j_per_prefill_token"), is_energy=True,
        ),
        Metric(
            "j_per_decode_token", "energy per decode token", "J", "lower",
            _phase("j_per_decode_token"), is_energy=True,
        ),
        Metric("mean_w", "mean power", "W", "lower", _energy("mean_w"), _mean_w, is_energy=True),
        Metric(
            "output_tokens_per_s", "output tokens per second", "1/s", "higher",
            _throughput("output_tokens_per_s"), lambda outcome, one: one.output_tokens_per_s,
        ),
        Metric(
            "total_tokens_per_s", "all tokens per second", "1/s", "higher",
            _throughput("total_tokens_per_s"), _total_tokens_per_s,
        ),
        Metric(
            "requests_per_s", "requests per second", "1/s", "higher",
            _throughput("requests_per_s"), _requests_per_s,
        ),
        Metric(
            "duration_s", "time per repetition", "s", "lower",
            lambda outcome: _mean_duration_s(outcome), lambda outcome, one: one.duration_s,
        ),
        Metric("ttft_s_p50", "median time to first token", "s", "lower", _latency("ttft_s", "p50")),
        Metric("ttft_s_p99", "99 % time to first token", "s", "lower", _latency("ttft_s", "p99")),
        Metric("itl_s_p50", "median inter-token latency", "s", "lower", _latency("itl_s", "p50")),
        Metric("itl_s_p99", "99 % inter-token latency", "s", "lower", _latency("itl_s", "p99")),
        Metric("e2e_s_p50", "median request latency", "s", "lower", _latency("e2e_s", "p50")),
        Metric("e2e_s_p99", "99 % request latency", "s", "lower", _latency("e2e_s", "p99")),
        Metric(
            "device_peak_bytes", "peak device memory", "B", "lower", _memory("device_peak_bytes")
        ),
        Metric(
            "host_peak_rss_bytes", "peak host memory", "B", "lower", _memory("host_peak_rss_bytes")
        ),
    ]
)  # fmt: skip
"""Every metric, by its name."""


def _mean_duration_s(outcome: Outcome) -> float | None:
    total_s, number = outcome.timing.duration_s, len(outcome.timing.repetitions)
    return None if total_s is None or not number else total_s / number


DEFAULT_METRICS = ("j_per_output_token", "output_tokens_per_s")
"""What is compared if nothing else is asked for."""
