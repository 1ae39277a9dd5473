"""A plan costs next to nothing, so that large grids can be planned."""

from __future__ import annotations

import time

import pytest

from llem.testing import PluginUnderTest

PLAN_S = 0.0002
"""Bar for one plan."""


@pytest.mark.parametrize("name", ["simulated", "pytorch", "vllm", "trt"])
def test_a_plan_takes_a_fifth_of_a_millisecond_at_most(name):
    subject = PluginUnderTest(name)
    experiments = [
        effect.experiment
        for field in subject.fields
        if field.is_settable
        for effect in subject.effects(field)
        if effect.experiment is not None and not effect.refused and not effect.broken
    ]
    assert len(experiments) > 10
    build = subject.required_backend.build_plan

    def seconds():
        started_s = time.perf_counter()
        for experiment in experiments:
            build(experiment)
        return (time.perf_counter() - started_s) / len(experiments)

    # Other processes may take the core for a while; they do not do so each time.
    assert min(seconds() for _ in range(5)) < PLAN_S
