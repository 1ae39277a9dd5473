"""A value that vLLM documents as its default is accepted, whatever else is set or not."""

import pytest

from llem.config.rule_checks import rule_errors
from llem.schema.call_plan import Construct
from llem.testing.plugin_under_test import PluginUnderTest

from ...engine_defaults import DECODER, documented_defaults, faults, neutral_values

DEFAULTS = documented_defaults("vllm")
SPECULATING = {"vllm.speculative_config.num_speculative_tokens": 3}
CHOICES = frozenset({"vllm.enforce_eager"})
BASES = {
    "greedy": {},
    "sampling": {"decoder.temperature": 0.7},
    "synthetic prompts": {"workload": {"source": "synthetic"}},
    "random weights": {"model.weights": "random"},
    "a shape": {"model.id": "shape:tiny"},
    "beams": {"vllm.beam_search.beam_width": 2},
    "eager": {"vllm.enforce_eager": True},
    "lookup": {"vllm.speculative_config.method": "ngram", **SPECULATING},
    "a draft model": {"vllm.speculative_config.model": "org/draft", **SPECULATING},
    "no prefix cache": {"vllm.enable_prefix_caching": False},
    "whole prompts": {"vllm.enable_chunked_prefill": False},
    "a quantization": {"vllm.quantization": "fp8"},
    "quantization by layer": {"vllm.quantization_config.targets": {"re:.*mlp.*": "fp8_per_tensor"}},
    "bytes of cache": {"vllm.kv_cache_memory_bytes": 2**30},
    "asynchronous": {"vllm.async_scheduling": True},
    "offloading groups": {"vllm.offload_group_size": 8},
    "no text": {"vllm.sampling.detokenize": False},
    "experts apart": {"vllm.enable_expert_parallel": True},
    "two devices": {"vllm.tensor_parallel_size": 2},
    "chosen graphs": {"vllm.cudagraph_capture_sizes": [1, 2]},
}
LOAD = {"model": "org/model", "seed": 0, "disable_log_stats": False}
CPU_OFF = {"vllm.cpu_offload_gb": 0, "vllm.cpu_offload_params": [], "vllm.offload_group_size": 0}


@pytest.fixture(scope="module")
def subject():
    return PluginUnderTest("vllm")


def refusals(subject, values):
    experiment = subject.experiment(values)
    return [str(finding) for finding in rule_errors(experiment, subject.required_backend.info)]


@pytest.mark.parametrize("base", BASES)
def test_what_is_documented_as_off_or_default_is_accepted_everywhere(subject, base):
    values = [*DEFAULTS, *neutral_values("vllm"), *DECODER]
    assert faults(subject, BASES[base], values, CHOICES) == []


def test_the_list_of_defaults_covers_every_topic():
    topics = {path.split(".")[1] for path, _ in DEFAULTS}
    assert {"cpu_offload_gb", "eplb_config", "speculative_config", "beam_search"} <= topics
    assert len(DEFAULTS) > 100


@pytest.mark.parametrize(
    ("values", "kwargs"),
    [
        # Off, and told as it is written.
        (CPU_OFF, {"cpu_offload_gb": 0, "offload_group_size": 0}),
        # Off by being absent.
        ({"vllm.kv_offloading_size": 0, "vllm.kv_offloading_backend": "native"}, {}),
        (
            {"vllm.compilation_config.backend": ""},
            {"compilation_config": Construct("vllm.config.CompilationConfig")},
        ),
        # The feature that the value belongs to is off.
        ({"vllm.offload_num_in_group": 1, "vllm.offload_params": []}, {}),
        ({"vllm.eplb_config.window_size": 1000, "vllm.eplb_config.use_async": True}, {}),
        ({"vllm.speculative_config.parallel_drafting": False}, {}),
        ({"vllm.speculative_config.suffix_decoding_max_cached_requests": 10_000}, {}),
        # A field that acts by itself.
        ({"vllm.tensor_parallel_size": 1}, {"tensor_parallel_size": 1}),
    ],
)
def test_vllm_is_told_of_a_neutral_value_only_where_it_acts(subject, values, kwargs):
    assert refusals(subject, values) == []
    planned = dict(subject.plan(values).call("load").kwargs)
    del planned["worker_extension_cls"]
    assert planned == {**LOAD, **kwargs}


def test_a_sweep_may_switch_speculation_off_and_keep_its_neutral_settings(subject):
    settings = {"vllm.speculative_config.disable_padded_drafter_batch": False}
    lookup = {
        "vllm.speculative_config.method": "ngram",
        "vllm.speculative_config.num_speculative_tokens": 3,
    }
    assert refusals(subject, settings) == refusals(subject, {**settings, **lookup}) == []
    plan = subject.plan({**settings, **lookup})
    assert plan.call("load").kwargs["speculative_config"] == {
        "method": "ngram",
        "num_speculative_tokens": 3,
        "disable_padded_drafter_batch": False,
    }


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"vllm.offload_num_in_group": 2}, "offload_group_size"),
        ({"vllm.offload_num_in_group": 9, "vllm.offload_group_size": 8}, "fewer layers"),
        ({"vllm.eplb_config.window_size": 500}, "enable_eplb"),
        ({"vllm.speculative_config.parallel_drafting": True}, "source of draft tokens"),
        ({"vllm.beam_search.length_penalty": 0.5}, "number of beams"),
        (
            {"vllm.beam_search.beam_width": 2, "vllm.sampling.presence_penalty": 0.5},
            "beam_search.beam_width",
        ),
    ],
)
def test_a_value_that_would_act_still_needs_its_feature(subject, values, rule):
    assert rule in " ".join(refusals(subject, values))


def test_beam_search_passes_neutral_sampling_settings_by(subject):
    values = {
        "vllm.beam_search.beam_width": 2,
        "vllm.sampling.presence_penalty": 0.0,
        "decoder.repetition_penalty": 1.0,
        "decoder.stop": [],
    }
    assert refusals(subject, values) == []
    assert subject.plan(values).call("sampling").kwargs == {"temperature": 0.0, "beam_width": 2}
