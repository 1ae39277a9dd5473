"""What one plan costs, from a validated experiment to engine calls: 0.2 ms at most.

    python benchmarks/plan_speed.py [BACKEND …]

The experiments of a backend are those that set one field alone, so that no field is left out.
"""

from __future__ import annotations

import sys
import time

from llem.testing import PluginUnderTest
from llem.testing.field_effects import effects

MOST_S = 0.0002
ROUNDS = 5


def plan_s(backend: str) -> tuple[int, float]:
    """Return the number of experiments, and the seconds that one plan takes in the best round.

    Other processes may take the core for a round; they do not do so in each.
    """
    subject = PluginUnderTest(backend)
    experiments = [
        effect.experiment
        for field in subject.fields
        if field.is_settable
        for effect in effects(subject, field)
        if effect.experiment is not None and not effect.refused and not effect.broken
    ]
    build = subject.required_backend.build_plan
    rounds_s = []
    for _ in range(ROUNDS):
        started_s = time.perf_counter()
        for experiment in experiments:
            build(experiment)
        rounds_s.append(time.perf_counter() - started_s)
    return len(experiments), min(rounds_s) / len(experiments)


def main() -> None:
    """Print a line for each backend; fail where a plan takes too long."""
    slow = False
    for backend in sys.argv[1:] or ["simulated", "pytorch", "vllm", "trt"]:
        count, seconds = plan_s(backend)
        slow |= seconds > MOST_S
        print(f"{backend:10} {count:5,} experiments  {seconds * 1e3:.3f} ms a plan")
    if slow:
        sys.exit(f"a plan takes more than {MOST_S * 1e3:g} ms")


if __name__ == "__main__":
    main()
