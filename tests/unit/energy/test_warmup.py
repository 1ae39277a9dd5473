"""When a workload counts as warmed up, by each strategy."""

import pytest

from llem.energy.precision import is_stable
from llem.schema.measurement import WarmupConfig


@pytest.mark.parametrize(
    ("durations", "stable"),
    [
        ([], False),
        ([1.0, 1.0], False),
        ([1.0, 1.0, 1.0], True),
        ([9.0, 1.0, 1.02, 0.99], True),
        ([1.0, 1.2, 1.0], False),
    ],
)
def test_variation_asks_that_three_repetitions_agree(durations, stable):
    assert is_stable(durations, WarmupConfig()) is stable


@pytest.mark.parametrize(
    ("durations", "stable"),
    [
        ([1.0] * 5, False),
        ([1.0] * 6, True),
        ([2.0, 1.8, 1.6, 1.4, 1.2, 1.0], False),
        ([1.0, 1.3, 0.9, 1.2, 0.8, 1.1], True),
        ([9.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], True),
    ],
)
def test_a_trend_is_looked_for_and_scatter_is_none(durations, stable):
    assert is_stable(durations, WarmupConfig(strategy="trend")) is stable


@pytest.mark.parametrize(("count", "stable"), [(3, False), (4, True)])
def test_a_fixed_count_looks_at_nothing_else(count, stable):
    config = WarmupConfig(strategy="fixed", min_repetitions=4)
    assert is_stable([float(at) for at in range(1, count + 1)], config) is stable


def test_no_warm_up_can_be_asked_for():
    assert is_stable([], WarmupConfig(min_repetitions=0, max_repetitions=0))
