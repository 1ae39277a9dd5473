"""What `llem run` measures when it is given no file."""

import pytest

from llem.config import default_experiment
from llem.config.defaults import merge_defaults

from .fakes import FAKE


def test_it_is_valid_and_ends_within_a_minute(load):
    experiment = load(backend="fake").experiment
    measurement = experiment.measurement
    longest_s = (
        measurement.baseline.bare_s
        + measurement.baseline.loaded_s
        + measurement.warmup.max_duration_s
        + measurement.max_duration_s
    )
    assert longest_s <= 45
    assert experiment.model.id == "shape:tiny"
    assert experiment.workload.source == "synthetic"


def test_one_setting_leaves_the_others_small(load):
    workload = load(backend="fake", overrides=["workload.output_tokens=4"]).experiment.workload
    assert (workload.requests, workload.input_tokens, workload.output_tokens) == (8, 32, 4)


@pytest.mark.parametrize(
    "overrides",
    [
        ["workload.source=builtin"],
        ["workload.source=prompts", "workload.prompts=[a]"],
        ["workload.input_tokens={distribution: uniform, low: 1, high: 9}"],
        ["measurement.min_duration_s=60"],
        ["measurement.baseline.bare_s=0", "measurement.baseline.subtract=loaded"],
    ],
)
def test_it_gives_way_where_it_does_not_fit(load, overrides):
    assert load(backend="fake", overrides=overrides).experiment.backend == "fake"


def test_a_section_that_is_a_value_is_left_to_validation():
    merged = merge_defaults(default_experiment(FAKE.name), {"workload": 5})
    assert merged["workload"] == 5


def test_a_file_is_not_mixed_with_it(load):
    assert load("backend: fake").experiment.workload.requests == 32
