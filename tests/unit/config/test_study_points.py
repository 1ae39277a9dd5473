"""Points are validated in parts, which must not make a difference."""

import json
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from llem.config import experiment_model
from llem.config.rule_checks import rule_errors
from llem.study.axes import Axis, AxisValue, leaves, nested
from llem.study.grid import Grid
from llem.study.points import Points

from .fakes import FAKE, OTHER, FakeRegistry

VALUES = {
    ("decoder", "temperature"): st.sampled_from([0.0, 0.5, None]),
    ("decoder", "min_p"): st.sampled_from([0.1, None]),
    ("decoder", "top_k"): st.integers(0, 5),
    ("workload", "input_tokens"): st.integers(1, 9)
    | st.builds(lambda m: {"distribution": "normal", "mean": m, "std": 1.0}, st.integers(1, 9)),
    ("model", "dtype"): st.sampled_from(["float32", "auto", None]),
    ("fake", "batch_size"): st.integers(1, 99) | st.none(),
    ("fake", "attention"): st.sampled_from(["eager", "sdpa", None]),
    ("decoder", "min_new_tokens"): st.integers(1, 9) | st.none(),
    ("fake", "even"): st.integers(1, 9),
    ("measurement", "warmup", "max_repetitions"): st.integers(0, 9),
}

LARGEST = 128
"""Points of a grid, each of which is also validated as a whole."""


@st.composite
def grids(draw):
    axes = []
    for path, values in VALUES.items():
        steps = draw(st.lists(values, max_size=3))
        choices = tuple(AxisValue(nested(path, value), "here") for value in steps)
        if choices and len(choices) * prod(len(axis.choices) for axis in axes) <= LARGEST:
            axes.append(Axis(".".join(path), choices, frozenset({path})))
    base = {"backend": "fake", "decoder": {"temperature": 0.7, "seed": draw(st.integers(0, 9))}}
    return Grid(FAKE, base, tuple(axes))


def whole(grid, number):
    """Return the config of a point, put together key by key."""
    config = json.loads(json.dumps(grid.base))
    for choice in grid.choices(number):
        for path, value in leaves(choice.config):
            place = config
            for key in path[:-1]:
                place = place.setdefault(key, {})
            place[path[-1]] = value
    return config


@given(grids())
def test_validating_in_parts_is_validating_the_whole(grid):
    model = experiment_model(FAKE)
    for point in Points(grid, {}, FakeRegistry(FAKE, OTHER), offset=0):
        try:
            expected = model.model_validate_json(json.dumps(whole(grid, point.number)), strict=True)
        except ValueError:
            assert point.experiment is None
            continue
        assert list(point.refusals) == list(rule_errors(expected, FAKE.info))
        assert point.refusals or point.experiment == expected


@given(grids())
def test_every_number_is_one_point_and_every_point_has_one_number(grid):
    seen = [grid.steps(number) for number in range(grid.products)]
    assert seen == list(grid.all_steps())
    assert len(set(seen)) == len(grid)
