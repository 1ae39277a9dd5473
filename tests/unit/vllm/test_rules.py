"""Every constraint of vLLM that a config alone decides, held against the rule that states it."""

import pytest
from pydantic import ValidationError

from llem.config import load_experiment
from llem.config.rule_checks import rules_of
from llem.errors import ConfigInvalid
from llem.registry import Registry
from llem_vllm.section import VLLMConfig

PROMPTS = {"source": "prompts", "prompts": ["a"]}
RANDOM = {"id": "folder", "weights": "random"}
LOOKUP = {"method": "ngram", "num_speculative_tokens": 3}
RULES = rules_of("vllm", VLLMConfig)


def broken(experiment, **sections):
    valid = experiment(**sections)
    return {rule.name for rule in RULES if rule.is_broken_by(valid)}


def vllm(**section):
    return {"vllm": section}


def speculating(**settings):
    return vllm(speculative_config=settings)


REFUSED = [
    ("vllm-step-holds-every-request", vllm(max_num_batched_tokens=8, max_num_seqs=16)),
    (
        "vllm-unchunked-prompt-fits-a-step",
        vllm(max_num_batched_tokens=1024, max_model_len=2048, enable_chunked_prefill=False),
    ),
    ("vllm-active-requests-fit-a-step", vllm(max_num_active_seqs=9, max_num_seqs=8)),
    (
        "vllm-long-prefill-fits-the-context",
        vllm(long_prefill_token_threshold=4096, max_model_len=2048),
    ),
    (
        "vllm-request-fits-the-context",
        {**vllm(max_model_len=128), "workload": {"input_tokens": 100, "output_tokens": 29}},
    ),
    ("vllm-offloaded-layers-fit-their-group", vllm(offload_num_in_group=3, offload_group_size=2)),
    (
        "kv-cache-memory-bytes-or-gpu-memory-utilization",
        vllm(kv_cache_memory_bytes=2**30, gpu_memory_utilization=0.5),
    ),
    (
        "vllm-context-groups-divide-tensor-groups",
        vllm(tensor_parallel_size=4, decode_context_parallel_size=3),
    ),
    ("vllm-offline-engine-is-one-replica", vllm(data_parallel_size=2)),
    (
        "vllm-expert-balance-needs-devices",
        vllm(enable_expert_parallel=True, enable_eplb=True),
    ),
    ("enable-eplb-needs-enable-expert-parallel", vllm(enable_eplb=True, tensor_parallel_size=2)),
    (
        "eplb-config-num-redundant-experts-needs-enable-eplb",
        vllm(eplb_config={"num_redundant_experts": 2}),
    ),
    (
        "vllm-eager-is-not-compiled",
        vllm(enforce_eager=True, compilation_config={"mode": "VLLM_COMPILE"}),
    ),
    ("vllm-eager-is-not-compiled", vllm(enforce_eager=True, cudagraph_capture_sizes=[1, 2])),
    (
        "vllm-custom-ops-start-from-one-base",
        vllm(compilation_config={"custom_ops": ["all", "none"]}),
    ),
    (
        "vllm-greatest-graph-is-one-of-them",
        vllm(cudagraph_capture_sizes=[1, 2], max_cudagraph_capture_size=4),
    ),
    ("vllm-speculation-needs-a-method", speculating(num_speculative_tokens=3)),
    ("vllm-lookup-needs-a-length", speculating(method="ngram")),
    (
        "vllm-prompt-lookup-bounds",
        speculating(**LOOKUP, prompt_lookup_min=5, prompt_lookup_max=4),
    ),
    ("vllm-lookup-is-synchronous", vllm(async_scheduling=True, speculative_config=LOOKUP)),
    (
        "vllm-ragged-drafts-are-synchronous",
        vllm(
            async_scheduling=True,
            speculative_config={"model": "draft", "disable_padded_drafter_batch": True},
        ),
    ),
    ("vllm-suffixes-are-forgotten", speculating(method="suffix")),
    (
        "vllm-speculation-has-no-min-p",
        {**speculating(**LOOKUP), "decoder": {"temperature": 0.7, "min_p": 0.1}},
    ),
    (
        "vllm-draft-is-split-like-the-model",
        vllm(
            tensor_parallel_size=4,
            speculative_config={"model": "draft", "draft_tensor_parallel_size": 2},
        ),
    ),
    (
        "vllm-synthetic-acceptance-needs-a-rate",
        speculating(**LOOKUP, rejection_sample_method="synthetic"),
    ),
    (
        "speculative-config-synthetic-acceptance-rates-or-"
        "speculative-config-synthetic-acceptance-length",
        speculating(
            **LOOKUP,
            rejection_sample_method="synthetic",
            synthetic_acceptance_rates=[0.5],
            synthetic_acceptance_length=1.5,
        ),
    ),
    (
        "quantization-config-targets-or-quantization-config-linear",
        vllm(quantization_config={"targets": {"a": "mxfp8"}, "linear": {"weight": "mxfp8"}}),
    ),
    ("vllm-quantization-is-deprecated", vllm(quantization="fp_quant")),
    (
        "vllm-quantization-needs-a-checkpoint",
        {**vllm(quantization="gptq"), "model": RANDOM},
    ),
    ("vllm-torchao-needs-settings", {**vllm(quantization="torchao"), "model": RANDOM}),
    ("vllm-top-p-is-above-zero", {"decoder": {"temperature": 1.0, "top_p": 0}}),
    ("vllm-reads-no-gguf", {"model": {"id": "m", "gguf_file": "m.gguf"}}),
    ("vllm-dummy-weights-are-random", vllm(load_format="dummy")),
    ("vllm-random-weights-are-not-read", {**vllm(load_format="safetensors"), "model": RANDOM}),
    ("vllm-temperature-is-not-raised", {"decoder": {"temperature": 0.005}}),
    (
        "vllm-stop-needs-text",
        {
            **vllm(sampling={"detokenize": False}),
            "workload": PROMPTS,
            "decoder": {"stop": ["\n"]},
        },
    ),
    ("vllm-logprobs-are-allowed", vllm(sampling={"logprobs": 21})),
    ("vllm-logprobs-are-allowed", vllm(beam_search={"beam_width": 11})),
    ("vllm-ignored-eos-needs-full-length", vllm(sampling={"stop_token_ids": [2]})),
    ("vllm-beam-search-needs-a-width", vllm(beam_search={})),
    (
        "vllm-beam-search-does-not-sample",
        {**vllm(beam_search={"beam_width": 2}), "decoder": {"temperature": 0.7}},
    ),
    (
        "vllm-beam-search-has-one-length",
        {
            **vllm(beam_search={"beam_width": 2}),
            "workload": {"output_tokens": {"distribution": "uniform", "low": 2, "high": 4}},
        },
    ),
    (
        "vllm-beam-search-has-no-repetition-penalty",
        {**vllm(beam_search={"beam_width": 2}), "decoder": {"repetition_penalty": 1.1}},
    ),
    ("vllm-removed-swap-space", {"passthrough_kwargs": {"load": {"swap_space": 4}}}),
    ("vllm-removed-best-of", {"passthrough_kwargs": {"sampling": {"best_of": 4}}}),
]


@pytest.mark.parametrize(("rule", "sections"), REFUSED)
def test_a_broken_rule_is_found(experiment, rule, sections):
    assert broken(experiment, **sections) == {rule}


ALLOWED = [
    {},
    vllm(max_num_batched_tokens=16, max_num_seqs=16),
    vllm(max_num_batched_tokens=1024, max_model_len=2048),
    vllm(tensor_parallel_size=4, decode_context_parallel_size=2),
    vllm(enforce_eager=True, compilation_config={"mode": "NONE", "cudagraph_mode": "NONE"}),
    vllm(cudagraph_capture_sizes=[1, 2], max_cudagraph_capture_size=2),
    vllm(async_scheduling=True, speculative_config={"method": "eagle3", "model": "draft"}),
    speculating(method="suffix", suffix_decoding_max_cached_requests=0),
    vllm(quantization="fp_quant", allow_deprecated_quantization=True),
    {**vllm(quantization="fp8"), "model": RANDOM},
    {**vllm(load_format="dummy"), "model": RANDOM},
    {"decoder": {"temperature": 0.01}},
    vllm(max_logprobs=22, beam_search={"beam_width": 11}),
    vllm(enable_expert_parallel=True, enable_eplb=True, tensor_parallel_size=2),
]


@pytest.mark.parametrize("sections", ALLOWED)
def test_what_vllm_accepts_is_not_refused(experiment, sections):
    assert broken(experiment, **sections) == set()


@pytest.mark.parametrize(
    "section",
    [
        {"gpu_memory_utilization": 0},
        {"gpu_memory_utilization": 1.1},
        {"block_size": 0},
        {"max_model_len": 0},
        {"max_num_seqs": 0},
        {"watermark": 1.0},
        {"offload_prefetch_step": 0},
        {"kv_cache_dtype": "int3"},
        {"quantization": "bitsandbytes"},
        {"quantization": "gguf"},
        {"attention_backend": "XFORMERS"},
        {"moe_backend": "fast"},
        {"model_impl": "mine"},
        {"load_format": "zip"},
        {"compilation_config": {"level": 3}},
        {"compilation_config": {"mode": "FASTEST"}},
        {"speculative_config": {"method": "guess"}},
        {"speculative_config": {"tensor_parallel_size": 2}},
        {"speculative_config": {"method": "ngram", "num_speculative_tokens": 0}},
        {"sampling": {"presence_penalty": 2.5}},
        {"sampling": {"n": 2}},
        {"spec_method": "ngram"},
    ],
)
def test_impossible_values_are_refused(section):
    with pytest.raises(ValidationError):
        VLLMConfig.model_validate(section)


def test_a_removed_argument_says_what_became_of_it():
    settings = {"file": None, "overrides": ["vllm.swap_space=4"], "backend": "vllm"}
    with pytest.raises(ConfigInvalid) as refused:
        load_experiment(Registry.discover(), **settings)
    (finding,) = refused.value.findings
    assert finding.path == "vllm.swap_space"
    assert "kv_offloading_size moves blocks to host memory" in str(finding)
