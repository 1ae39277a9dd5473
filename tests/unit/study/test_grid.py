"""Every point of a grid is the experiment that its keys and values make."""

import json
from dataclasses import replace
from itertools import product
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from llem.config import experiment_model
from llem.config.rule_checks import rule_errors
from llem.config.source import Source
from llem.study.axes import Axis, AxisValue, leaves
from llem.study.grid import Grid

from ..config.fakes import FAKE, OTHER, FakeRegistry

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
        choices = tuple(AxisValue(put({}, path, value), "here") for value in steps)
        if choices and len(choices) * prod(len(axis.choices) for axis in axes) <= LARGEST:
            axes.append(Axis(".".join(path), choices, frozenset({path})))
    base = {"backend": "fake", "decoder": {"temperature": 0.7, "seed": draw(st.integers(0, 9))}}
    return Grid(FakeRegistry(FAKE, OTHER), FAKE, Source(base), tuple(axes))


def put(config, path, value):
    """Set the value at ``path`` and return the config."""
    *sections, key = path
    place = config
    for section in sections:
        place = place.setdefault(section, {})
    place[key] = value
    return config


def whole(grid, number):
    """Return the config of a point, put together key by key."""
    config = json.loads(json.dumps(grid.base.data))
    for choice in grid.choices(number):
        for path, value in leaves(choice.config):
            put(config, path, value)
    return config


@given(grids())
def test_a_point_is_the_experiment_of_its_keys_and_values(grid):
    model = experiment_model(FAKE)
    for point in grid:
        try:
            expected = model.model_validate_json(json.dumps(whole(grid, point.number)), strict=True)
        except ValueError:
            assert point.loaded is None
            continue
        errors = [replace(finding, origin="") for finding in point.refusals]
        assert errors == list(rule_errors(expected, FAKE.info))
        assert (point.loaded is None) == bool(errors)
        assert point.loaded is None or point.loaded.experiment == expected


@given(grids())
def test_every_number_is_one_point_and_every_point_has_one_number(grid):
    points = [tuple(map(id, grid.choices(number))) for number in range(len(grid))]
    expected = product(*(map(id, axis.choices) for axis in grid.axes))
    assert points == list(expected)
