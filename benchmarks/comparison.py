"""Hold the statistics of `llem compare` against known truth, and print their power.

Simulated outcomes go through the whole comparison: coverage of the intervals over 2,000 studies of
each design, false alarms of the regression gate, power by effect and repetitions.

    python benchmarks/comparison.py
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from llem.report.comparison.comparison import Comparison, compare
from llem.report.comparison.inference import effect, power_of
from llem.report.comparison.regression_gate import State, check_limits, overall, parse_limit
from llem.report.load_outcomes import StoredOutcome
from llem.report.metrics import METRICS
from llem.schema.energy import Energy
from llem.schema.outcome import Outcome, Repetition, RunPosition, Timing, Tokens, WorkloadInfo

STUDIES = 2000
TOKENS = 1000
J_PER_TOKEN = 0.25


class Simulation:
    """Makes outcomes with noise of a given size."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def outcomes(self, name: str, logs: np.ndarray, *, blocks: bool = False, **some: Any) -> list:
        """Return an outcome for each row; its values are logarithms of energy."""
        return [
            StoredOutcome(
                Path(name), self._outcome(f"{name}{at}", row, at if blocks else None, some)
            )
            for at, row in enumerate(logs)
        ]

    def _outcome(self, id: str, logs: np.ndarray, block: int | None, some: Any) -> Outcome:
        joules = J_PER_TOKEN * TOKENS * np.exp(logs)
        place = None
        if block is not None:
            place = {"name": "s", "run_id": id, "repeat": block, "block": block, "position": 0}
        repetitions = tuple(
            Repetition.model_construct(
                start_monotonic_s=0.0, duration_s=1.0, input_tokens=1, output_tokens=TOKENS,
                output_tokens_per_s=TOKENS, gross_j=float(joule),
            )
            for joule in joules
        )  # fmt: skip
        return BASE.model_copy(
            update={
                "id": id,
                "experiment": {"backend": "b", "some": some},
                "timing": Timing.model_construct(repetitions=repetitions, duration_s=len(joules)),
                "energy": Energy.model_construct(
                    gross_j=float(joules.sum()), devices=(), gain_uncertainty_j=0.0,
                    j_per_output_token=float(joules.sum()) / TOKENS / len(joules),
                ),
                "study": place and RunPosition.model_construct(**place, points=()),
            }
        )  # fmt: skip


BASE = Outcome.model_validate(
    {
        "id": "", "experiment_sha256": "", "status": "done", "verdict": {"valid": True},
        "experiment": {}, "plan": {},
        "environment": {
            "llem_version": "0", "started_at": "", "system": "", "cpu": "", "logical_cores": 1,
            "memory_bytes": 1,
        },
        "workload": WorkloadInfo(requests=1, input_ids_sha256="0" * 64, ignore_eos=True),
        "tokens": Tokens(
            input_tokens=1, output_tokens=TOKENS, padding_tokens=0, padding_input_tokens=0,
            padding_output_tokens=0,
        ),
    }
)  # fmt: skip


def one_study(
    simulation: Simulation,
    *,
    ratio: float,
    runs: int,
    repetitions: int,
    run_noise: float,
    noise: float,
    blocks: float = 0.0,
    variants: int = 1,
) -> tuple[Comparison, ...]:
    """Return the comparisons of one simulated study."""
    base, new, random = [], [], simulation.random
    for at in range(variants):
        shared = random.normal(0, blocks, (runs, 1)) if blocks else 0.0
        for side, mean, name in ((base, 0.0, "base"), (new, math.log1p(ratio), "new")):
            logs = mean + shared + random.normal(0, run_noise, (runs, 1))
            logs = logs + random.normal(0, noise, (runs, repetitions))
            side += simulation.outcomes(name, logs, blocks=bool(blocks), setting=at)
    return compare(base, new, [METRICS["j_per_output_token"]]).comparisons


DESIGNS: dict[str, dict[str, Any]] = {
    "one run a side, 8 repetitions": {"runs": 1, "repetitions": 8, "run_noise": 0, "noise": 0.03},
    "5 runs a side, of 3 repetitions": {
        "runs": 5, "repetitions": 3, "run_noise": 0.02, "noise": 0.02
    },
    "6 blocks, paired": {
        "runs": 6, "repetitions": 2, "run_noise": 0.01, "noise": 0.01, "blocks": 0.08
    },
}  # fmt: skip


def coverage(name: str, design: dict[str, Any]) -> bool:
    """Print how often the intervals of a design hold the truth; return whether that is right."""
    simulation, ratio = Simulation(1), 0.05
    t = bootstrap = bootstrapped = false = 0
    for _ in range(STUDIES):
        (found,) = one_study(simulation, ratio=ratio, **design)
        interval = found.change.interval()
        t += interval.low <= ratio <= interval.high
        other = found.bootstrap
        if other is not None:
            bootstrapped += 1
            bootstrap += other.low <= ratio <= other.high
        base, new = found.samples.base, [value / (1 + ratio) for value in found.samples.new]
        false += effect(base, new, paired=found.samples.paired, relative=True).p < 0.05
    share = t / STUDIES
    resampled = f"{bootstrap / bootstrapped:7.1%}" if bootstrapped else "      -"
    print(f"{name:36} {share:7.1%} {resampled:>10} {false / STUDIES:14.1%}")
    return 0.93 <= share <= 0.97


def gate(name: str, *, ratio: float, variants: int) -> bool:
    """Print how often a gate of 3 % fails; return whether that is at most 5 % of the times."""
    simulation, limit = Simulation(2), parse_limit("j_per_output_token > +3%")
    states = [
        overall(
            check_limits(
                [limit],
                one_study(
                    simulation, ratio=ratio, runs=5, repetitions=2, run_noise=0.02, noise=0.01,
                    variants=variants,
                ),
            )
        )
        for _ in range(STUDIES // variants)
    ]  # fmt: skip
    shares = {state: states.count(state) / len(states) for state in State}
    print(f"{name:44}" + "".join(f"{shares[state]:14.1%}" for state in State))
    return shares[State.FAILED] <= 0.05 or ratio > limit.change


def power(noise: float) -> None:
    """Print how often an effect is found, as computed and as simulated."""
    random, effects, sizes = np.random.default_rng(3), (0.01, 0.02, 0.05, 0.1), (3, 5, 10, 20)
    print(f"\npower at {noise:.0%} noise     " + "".join(f"{ratio:>14.0%}" for ratio in effects))
    for n in sizes:
        cells = []
        for ratio in effects:
            shift = math.log1p(ratio)
            computed = power_of(shift, noise * math.sqrt(2 / n), 2 * n - 2, 0.05)
            hits = sum(
                effect(
                    np.exp(random.normal(0, noise, n)), np.exp(random.normal(shift, noise, n)),
                    paired=False, relative=True,
                ).p < 0.05
                for _ in range(300)
            )  # fmt: skip
            cells.append(f"{computed:5.0%} ({hits / 300:4.0%})")
        print(f"{n:>4} repetitions a side  " + "".join(f"{cell:>14}" for cell in cells))


def main() -> int:
    """Print everything; return 1 if coverage or the gate's false alarms are not as promised."""
    print(f"{'design':36} {'t':>7} {'bootstrap':>10} {'false finds':>14}")
    good = [coverage(name, design) for name, design in DESIGNS.items()]
    print(f"\n{'gate: fail if > +3 %':44}" + "".join(f"{state:>14}" for state in State))
    good += [
        gate("no change", ratio=0.0, variants=1),
        gate("a change of exactly 3 %", ratio=0.03, variants=1),
        gate("exactly 3 %, 8 comparisons at once", ratio=0.03, variants=8),
        gate("a change of 10 %", ratio=0.10, variants=1),
    ]
    for noise in (0.01, 0.03):
        power(noise)
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
