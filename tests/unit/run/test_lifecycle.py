"""The life of an experiment on the simulated backend: phases, warm-up, repetitions, progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llem.config.load import load_experiment
from llem.registry import Registry
from llem.run.run_experiment import run_experiment
from llem.schema.outcome import Outcome

# Each request has 100 prompt tokens, read in 10 ms, and 5 output tokens: the first is there after
# the prompt, and the others 10 ms apart. Two requests are one batch.
QUICK = {
    "simulated.batch_size": 2,
    "simulated.prefill_tokens_per_s": 20_000,
    "simulated.decode_steps_per_s": 100,
    "workload.requests": 2,
    "workload.input_tokens": 100,
    "workload.output_tokens": 5,
    "measurement.meters": "[simulated]",
    "measurement.sample_period_s": 0.02,
    "measurement.min_duration_s": 0.1,
    "measurement.target_ci_ratio": 1,
    "measurement.warmup.strategy": "fixed",
    "measurement.baseline.bare_s": 0.1,
    "measurement.baseline.loaded_s": 0.1,
    "measurement.baseline.after_s": 0.1,
}
REPETITION_S = 0.01 + 4 * 0.01


class Listener:
    """Remembers what it is told, in order."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.repetitions: list[tuple[str, float, float, float, float | None]] = []

    def phase(self, name: str, detail: str = "") -> None:
        self.phases.append(name)

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        phase = self.phases[-1]
        self.repetitions.append((phase, done_s, wanted_s, output_tokens_per_s, power_w))


def run(folder: Path, **changes: Any) -> tuple[Outcome, Listener]:
    """Run a quick experiment; `a__b=1` sets `a.b`."""
    chosen = QUICK | {name.replace("__", "."): value for name, value in changes.items()}
    overrides = [f"{name}={value}" for name, value in chosen.items()]
    registry, listener = Registry.discover(), Listener()
    loaded = load_experiment(registry, file=None, overrides=overrides, backend="simulated")
    outcome, stored = run_experiment(loaded, registry, folder / "results", listener)
    assert (stored / "outcome.json").is_file()
    return outcome, listener


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Listener]:
    """A run of three repetitions after two of warm-up."""
    return run(tmp_path_factory.mktemp("run"))


def test_the_phases_come_in_order(finished: tuple[Outcome, Listener]) -> None:
    assert finished[1].phases == [
        "bare idle", "start", "open", "loaded idle", "prepare", "warm up", "measure",
        "after idle", "observe", "close",
    ]  # fmt: skip


def test_repetitions_last_as_long_as_the_simulated_work(
    finished: tuple[Outcome, Listener],
) -> None:
    timing = finished[0].timing
    assert [part.output_tokens for part in timing.repetitions] == [10] * len(timing.repetitions)
    for part in timing.repetitions:
        assert REPETITION_S <= part.duration_s < REPETITION_S + 0.5
        assert part.input_tokens == 200
        assert part.gross_j == pytest.approx(100 * part.duration_s)
    assert timing.warmup_repetitions == 2
    assert 2 * REPETITION_S <= timing.warmup_s < timing.total_s


def test_idle_is_metered_for_as_long_as_asked(finished: tuple[Outcome, Listener]) -> None:
    energy = finished[0].energy
    for idle in (energy.bare_idle, energy.loaded_idle, energy.after_idle):
        assert idle.duration_s == pytest.approx(0.1, abs=0.05)
        assert idle.power_w == pytest.approx(100)


def test_progress_is_told_of_each_repetition(finished: tuple[Outcome, Listener]) -> None:
    outcome, listener = finished
    repetitions = outcome.timing.repetitions
    told = [entry for entry in listener.repetitions if entry[0] == "measure"]
    assert len(listener.repetitions) == 2 + len(repetitions)
    done_s = 0.0
    for part, (_, told_s, wanted_s, rate, power_w) in zip(repetitions, told, strict=True):
        done_s += part.duration_s
        assert told_s == pytest.approx(done_s)
        assert wanted_s == 0.1
        assert rate == pytest.approx(part.output_tokens / part.duration_s)
        assert power_w is None or power_w == pytest.approx(100)
    assert outcome.timing.duration_s == pytest.approx(done_s)


def test_the_minima_are_kept(finished: tuple[Outcome, Listener]) -> None:
    timing = finished[0].timing
    assert len(timing.repetitions) >= 3
    assert timing.duration_s >= 0.1
    assert timing.stop_reason == "precision"


def test_a_warm_up_that_never_is_stable_ends_at_its_cap(tmp_path: Path) -> None:
    outcome, _ = run(
        tmp_path,
        measurement__warmup__strategy="variation",
        measurement__warmup__stable_within_ratio=1e-9,
        measurement__warmup__max_repetitions=4,
    )
    assert outcome.timing.warmup_repetitions == 4
    messages = {reason.code: reason.message for reason in outcome.verdict.reasons}
    assert messages["warmup-not-converged"].startswith("4 warm-up repetitions")


def test_a_number_of_repetitions_is_a_cap(tmp_path: Path) -> None:
    outcome, _ = run(tmp_path, measurement__max_repetitions=4, measurement__min_duration_s=60)
    assert outcome.timing.stop_reason == "max-repetitions"
    assert len(outcome.timing.repetitions) == 4


def test_a_duration_is_a_cap(tmp_path: Path) -> None:
    outcome, _ = run(
        tmp_path,
        measurement__min_duration_s=0.01,
        measurement__max_duration_s=0.12,
        measurement__target_ci_ratio=1e-9,
    )
    assert outcome.timing.stop_reason == "max-duration"
    *before_s, _ = [part.duration_s for part in outcome.timing.repetitions]
    assert sum(before_s) < 0.12 <= outcome.timing.duration_s


def test_what_is_not_asked_for_is_left_out(tmp_path: Path) -> None:
    outcome, listener = run(
        tmp_path,
        measurement__baseline__bare_s=0,
        measurement__baseline__loaded_s=0.1,
        measurement__baseline__after_s=0,
        measurement__baseline__subtract="loaded",
        measurement__warmup__min_repetitions=0,
    )
    assert listener.phases == [
        "start", "open", "loaded idle", "prepare", "warm up", "measure", "observe", "close",
    ]  # fmt: skip
    assert outcome.timing.warmup_repetitions == 0
    assert outcome.energy.bare_idle is None
    assert outcome.energy.after_idle is None
    assert outcome.energy.idle_basis == "loaded"


def test_a_device_without_a_meter_is_named(tmp_path: Path) -> None:
    outcome, _ = run(tmp_path, simulated__devices="[cuda:GPU-0]")
    [unmetered] = [
        reason for reason in outcome.verdict.reasons if reason.code == "device-unmetered"
    ]
    assert unmetered.message == "no meter reads cuda:GPU-0, so the energy does not include it"


def test_a_failure_keeps_the_phase_and_what_was_measured(tmp_path: Path) -> None:
    outcome, listener = run(
        tmp_path,
        simulated__fail_in="run",
        simulated__failure="error",
        simulated__fail_after_runs=4,
        measurement__min_duration_s=60,
    )
    assert listener.phases[-1] == "measure"
    assert (outcome.status, outcome.failure.phase) == ("failed", "measure")
    assert outcome.failure.error_type == "RuntimeError"
    assert len(outcome.timing.repetitions) == 2  # four runs, of which two were warm-up
    assert outcome.timing.stop_reason is None
    assert outcome.energy.gross_j == pytest.approx(100 * outcome.timing.duration_s)
