"""The statistics against known truth: simulated studies whose effect is given.

`benchmarks/comparison.py` does the same at length, and prints power beside it.
"""

import math

import numpy as np
import pytest

from llem.report.comparison.inference import effect

STUDIES = 1000
EFFECT = 0.04


def intervals(*, paired, n_base, n_new, ratio=EFFECT, noise=0.03, shared=0.1):
    """Yield the effect that each simulated study finds."""
    random = np.random.default_rng(20)
    for _ in range(STUDIES):
        block = random.normal(0, shared, max(n_base, n_new)) if paired else 0.0
        base = np.exp(block + random.normal(0, noise, n_base))
        new = np.exp(block + math.log1p(ratio) + random.normal(0, noise, n_new))
        yield effect(base, new, paired=paired, relative=True)


@pytest.mark.parametrize(
    "design",
    [
        {"paired": False, "n_base": 5, "n_new": 5},
        {"paired": False, "n_base": 12, "n_new": 4},
        {"paired": True, "n_base": 6, "n_new": 6},
    ],
    ids=["independent", "unequal", "paired"],
)
def test_the_interval_holds_the_truth_95_times_in_100(design):
    found = [effect.interval() for effect in intervals(**design)]
    covered = sum(interval.low <= EFFECT <= interval.high for interval in found)
    assert 0.93 <= covered / STUDIES <= 0.97


def test_a_difference_is_found_without_one_5_times_in_100():
    found = sum(
        found_effect.p < 0.05
        for found_effect in intervals(paired=False, n_base=6, n_new=6, ratio=0)
    )
    assert 0.03 <= found / STUDIES <= 0.065


def test_a_gate_at_the_true_change_fails_at_most_5_times_in_100():
    failed = sum(
        found_effect.interval().low > EFFECT
        for found_effect in intervals(paired=False, n_base=8, n_new=8)
    )
    assert failed / STUDIES <= 0.05
