"""Fields are described and bounded; impossible combinations are refused with a way out."""

import pytest
from pydantic import ValidationError

from llem.api.capability import Capability
from llem.config.rule_checks import rules_of
from llem.schema.decoder import DecoderConfig
from llem_pytorch.capabilities import INFO
from llem_pytorch.section import PyTorchConfig

PROMPTS = {"source": "prompts", "prompts": ["a"]}


RULES = rules_of("pytorch", PyTorchConfig)


def broken_rules(experiment, severity="error"):
    broken = (rule for rule in RULES if rule.is_broken_by(experiment))
    return [rule.name for rule in broken if rule.severity == severity]


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
        ("load-in-8bit-or-load-in-4bit", {"pytorch": {"load_in_4bit": True, "load_in_8bit": True}}),
        (
            "torch-compile-mode-needs-torch-compile",
            {"pytorch": {"torch_compile_mode": "max-autotune"}},
        ),
        (
            "bnb-4bit-use-double-quant-needs-load-in-4bit",
            {"pytorch": {"bnb_4bit_use_double_quant": True}},
        ),
        (
            "cache-implementation-needs-use-cache",
            {"pytorch": {"use_cache": False, "cache_implementation": "static"}},
        ),
        (
            "speculation-takes-one-request",
            {"pytorch": {"prompt_lookup_num_tokens": 3, "batch_size": 2}},
        ),
        (
            "speculation-needs-a-growing-cache",
            {"pytorch": {"prompt_lookup_num_tokens": 3, "cache_implementation": "static"}},
        ),
        (
            "several-sequences-need-sampling-or-beams",
            {"pytorch": {"num_return_sequences": 2}},
        ),
        (
            "prompt-lookup-num-tokens-or-assistant-model",
            {"pytorch": {"prompt_lookup_num_tokens": 3, "assistant_model": "small"}},
        ),
        ("length-penalty-needs-beams", {"pytorch": {"length_penalty": 2.0}}),
        ("top-h-needs-sampling", {"pytorch": {"top_h": 0.5}}),
        (
            "num-assistant-tokens-needs-a-drafting-model",
            {"pytorch": {"prompt_lookup_num_tokens": 3, "num_assistant_tokens": 5}},
        ),
        (
            "quantization-needs-pretrained-weights",
            {"pytorch": {"load_in_8bit": True}, "model": {"id": "shape:tiny"}},
        ),
        (
            "load-in-8bit-or-model-gguf-file",
            {"pytorch": {"load_in_8bit": True}, "model": {"id": "m", "gguf_file": "m.gguf"}},
        ),
        (
            "continuous-batching-ignores-min-p",
            {"decoder": {"temperature": 1.0, "min_p": 0.1}, "pytorch": {"batching": "continuous"}},
        ),
        ("batch-size-needs-batching", {"pytorch": {"batching": "continuous", "batch_size": 2}}),
        (
            "offloaded-cache-needs-cuda",
            {"pytorch": {"device": "cpu", "cache_implementation": "offloaded"}},
        ),
        ("allow-tf32-acts-on-cuda", {"pytorch": {"device": "cpu", "allow_tf32": True}}),
    ],
)
def test_a_broken_rule_is_found_and_says_what_to_do(experiment, rule, sections):
    assert broken_rules(experiment(**sections)) == [rule]
    (found,) = [declared for declared in RULES if declared.name == rule]
    assert found.reason
    assert found.hint


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
        {"pytorch": {"load_in_4bit": False, "load_in_8bit": True}},
        {"pytorch": {"use_cache": True, "cache_implementation": "static"}},
        {"pytorch": {"cache_implementation": "static", "max_cache_len": 64}},
        {"pytorch": {"prompt_lookup_num_tokens": 3, "batch_size": 1}},
        {"decoder": {"temperature": 1.0}, "pytorch": {"num_return_sequences": 2}},
        {"pytorch": {"attn_implementation": "kernels-community/flash-attn2"}},
    ],
)
def test_possible_combinations_break_no_rule(experiment, sections):
    assert broken_rules(experiment(**sections)) == []


def test_what_beams_do_to_streaming_is_said(experiment):
    beams = experiment(pytorch={"num_beams": 2})
    assert broken_rules(beams) == []
    assert broken_rules(beams, "warning") == ["beams-have-no-token-times"]


def test_ignored_drafts_of_beam_search_are_refused(experiment):
    both = experiment(pytorch={"num_beams": 2, "prompt_lookup_num_tokens": 3})
    assert broken_rules(both) == ["beams-ignore-speculation"]


def test_capabilities_are_stated_for_every_word_of_the_vocabulary():
    assert INFO.claims.keys() == set(Capability)
    assert INFO.decoder_parameters == DecoderConfig.model_fields.keys() - {"preset"}
