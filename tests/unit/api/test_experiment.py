"""What every experiment allows and refuses, whatever its backend."""

import pytest
from pydantic import ValidationError

from llem.schema.decoder import PRESETS, DecoderConfig
from llem.schema.experiment import Experiment, ModelConfig


def test_an_unset_workload_is_synthetic():
    experiment = Experiment.model_validate({"backend": "x", "workload": {"requests": 3}})
    assert (experiment.workload.source, experiment.workload.requests) == ("synthetic", 3)


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "x" * 65, "a b"])
def test_a_name_can_never_be_a_path(name):
    with pytest.raises(ValidationError, match="name"):
        Experiment(backend="x", name=name)


@pytest.mark.parametrize(
    "smuggled",
    [
        {"load": {"x": {"$symbol": "os.system"}}},
        {"load": {"x": [{"deep": {"$construct": "os.system", "kwargs": {}}}]}},
    ],
)
def test_passthrough_cannot_name_objects_to_import(smuggled):
    with pytest.raises(ValidationError, match="reserved"):
        Experiment(backend="x", passthrough_kwargs=smuggled)


def test_an_experiment_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Experiment(backend="x").backend = "y"


def test_remote_code_is_off_unless_asked_for():
    assert ModelConfig().trust_remote_code is False


@pytest.mark.parametrize(
    ("source", "ignore_eos", "expected"),
    [
        ("synthetic", None, True),
        ("builtin", None, False),
        ("synthetic", False, False),
        ("builtin", True, True),
    ],
)
def test_only_synthetic_workloads_ignore_eos_by_themselves(source, ignore_eos, expected):
    experiment = Experiment.model_validate(
        {"backend": "x", "workload": {"source": source}, "decoder": {"ignore_eos": ignore_eos}}
    )
    assert experiment.ignores_eos is expected


@pytest.mark.parametrize(
    ("decoder", "samples"),
    [
        ({}, False),
        ({"temperature": 0.7}, True),
        ({"temperature": None}, False),
        ({"temperature": None, "do_sample": True}, True),
        ({"temperature": 0.7, "do_sample": False}, False),
    ],
)
def test_temperature_decides_whether_to_sample(decoder, samples):
    assert DecoderConfig.model_validate(decoder).samples is samples


@pytest.mark.parametrize(
    ("model", "random"),
    [
        ({}, True),
        ({"id": "some/model"}, False),
        ({"id": "some/model", "weights": "random"}, True),
    ],
)
def test_shapes_have_random_weights(model, random):
    assert ModelConfig.model_validate(model).random_weights is random


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_in_what_is_not_written(preset):
    filled = DecoderConfig(preset=preset)
    assert filled.model_dump().items() >= PRESETS[preset].items()
    assert filled.samples is (preset != "deterministic")
    # What is stored says it all, and means the same when it is read again.
    assert DecoderConfig.model_validate(filled.model_dump()) == filled


def test_what_is_written_wins_over_a_preset():
    decoder = DecoderConfig(preset="creative", temperature=0.5, top_k=None)
    assert (decoder.temperature, decoder.top_k) == (0.5, None)
    assert decoder.top_p == PRESETS["creative"]["top_p"]


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValidationError, match="'deterministic', 'standard', 'creative'"):
        DecoderConfig(preset="wild")


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("temperature", (0, 2), (-0.1, 2.1)),
        ("top_p", (0, 1), (-0.1, 1.1)),
        ("top_k", (0, 10), (-2,)),
        ("min_p", (0, 1), (-0.1, 1.1)),
        ("min_new_tokens", (0, 9), (-1,)),
    ],
)
def test_decoding_parameters_have_bounds(name, inside, outside):
    assert [getattr(DecoderConfig(**{name: value}), name) for value in inside] == list(inside)
    for value in outside:
        with pytest.raises(ValidationError, match=name):
            DecoderConfig(**{name: value})
