"""Fields are described and bounded; impossible combinations are refused with a way out."""

import pytest
from pydantic import ValidationError

from llem.api.capability import Capability
from llem.api.config import DecoderConfig, Param
from llem_pytorch.capabilities import INFO
from llem_pytorch.config import PyTorchConfig

PROMPTS = {"source": "prompts", "prompts": ["a"]}


def broken_rules(experiment):
    return [rule.name for rule in PyTorchConfig.rules if rule.violated(experiment)]


@pytest.mark.parametrize("name", PyTorchConfig.model_fields)
def test_every_field_is_optional_and_described(name):
    field = PyTorchConfig.model_fields[name]
    assert field.default is None
    assert field.description
    assert any(isinstance(marker, Param) and marker.maps_to for marker in field.metadata)


@pytest.mark.parametrize(
    "section",
    [
        {"batch_size": 0},
        {"num_threads": 0},
        {"attn_implementation": "fast"},
        {"device": "tpu"},
        {"device_map": "everywhere"},
        {"device_map": {}},
        {"batchsize": 1},
    ],
)
def test_impossible_values_are_refused(section):
    with pytest.raises(ValidationError):
        PyTorchConfig.model_validate(section)


@pytest.mark.parametrize(
    ("rule", "sections"),
    [
        (
            "flash-attention-needs-half-precision",
            {
                "pytorch": {"attn_implementation": "flash_attention_2"},
                "model": {"id": "m", "dtype": "float32"},
            },
        ),
        (
            "flash-attention-needs-cuda",
            {"pytorch": {"attn_implementation": "flash_attention_3", "device": "cpu"}},
        ),
        ("device-or-device-map", {"pytorch": {"device": "cuda", "device_map": "auto"}}),
        (
            "device-map-needs-pretrained-weights",
            {"pytorch": {"device_map": "auto"}, "model": {"id": "shape:tiny"}},
        ),
        ("sampling-settings-need-sampling", {"decoder": {"temperature": None, "top_k": 5}}),
    ],
)
def test_a_broken_rule_is_found_and_says_what_to_do(experiment, rule, sections):
    assert broken_rules(experiment(**sections)) == [rule]
    (found,) = [one for one in PyTorchConfig.rules if one.name == rule]
    assert found.reason
    assert found.remedy


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"model": {"id": "shape:tiny"}},
        {"decoder": {"temperature": 0.7, "top_p": 0.9, "top_k": 5}},
        {"decoder": {"temperature": None, "do_sample": True, "min_p": 0.1}},
        {"decoder": {"temperature": None}},
        {"decoder": {"min_new_tokens": 4}, "workload": PROMPTS},
        {"pytorch": {"attn_implementation": "flash_attention_2"}},
        {"pytorch": {"device_map": "auto"}},
    ],
)
def test_possible_combinations_break_no_rule(experiment, sections):
    assert broken_rules(experiment(**sections)) == []


def test_rules_name_fields_that_exist(experiment):
    valid = experiment()
    for rule in PyTorchConfig.rules:
        for path in rule.fields:
            section, name = path.split(".")
            assert name in type(getattr(valid, section)).model_fields, path


def test_capabilities_are_stated_for_every_word_of_the_vocabulary():
    assert INFO.claims.keys() == set(Capability)
    assert INFO.decoder_parameters == DecoderConfig.model_fields.keys()
