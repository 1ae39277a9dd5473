"""Thin plugins say what they cannot do, and refuse what their engine would."""

import pytest
from pydantic import ValidationError

import llem_trt.plugin
from llem.api.capability import Capability, Level
from llem.api.config import DecoderConfig
from llem_trt.config import TrtConfig

PLUGINS = {"trt": llem_trt.plugin}


@pytest.mark.parametrize("name", PLUGINS)
def test_nothing_is_claimed_that_cannot_be_run(name):
    plugin = PLUGINS[name]
    info = plugin.llem_capabilities()
    assert info.name == name
    assert not hasattr(plugin, "llem_measurement")
    assert info.claims.keys() == set(Capability)
    assert {claim.level for claim in info.claims.values()} == {Level.NO}
    assert info.decoder_parameters < DecoderConfig.model_fields.keys()


@pytest.mark.parametrize(
    ("model", "section"),
    [
        (TrtConfig, {"max_batch_size": 0}),
        (TrtConfig, {"attn_backend": "eager"}),
        (TrtConfig, {"kv_cache_free_gpu_memory_fraction": 2}),
    ],
)
def test_impossible_values_are_refused(model, section):
    with pytest.raises(ValidationError):
        model.model_validate(section)


@pytest.mark.parametrize(
    ("backend", "rule", "sections"),
    [
        ("trt", "trt-reads-no-gguf", {"model": {"id": "m", "gguf_file": "m.gguf"}}),
        (
            "trt",
            "trt-sampling-needs-settings",
            {"decoder": {"do_sample": True, "temperature": None}},
        ),
    ],
)
def test_a_broken_rule_is_found_and_says_what_to_do(experiment, backend, rule, sections):
    rules = PLUGINS[backend].llem_config_model().rules
    broken = [one for one in rules if one.violated(experiment(backend, **sections))]
    assert [one.name for one in broken] == [rule]
    assert broken[0].reason
    assert broken[0].remedy
    assert not any(one.violated(experiment(backend)) for one in rules)


@pytest.mark.parametrize("backend", PLUGINS)
def test_rules_name_fields_that_exist(experiment, backend):
    valid = experiment(backend)
    for rule in PLUGINS[backend].llem_config_model().rules:
        for path in rule.fields:
            section, name = path.split(".")
            assert name in type(getattr(valid, section)).model_fields, path
